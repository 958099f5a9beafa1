"""Moments of groups of energies: the pattern ``moments`` with a mean and a flux for each group, constant inside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field
from pairsweep.contract.view import SpecView
from pairsweep.physics.grid import Floats
from pairsweep.physics.patterns.base import Edges, HasMomenta, Occupations, Pattern
from pairsweep.physics.patterns.moments import PATTERN as MOMENTS
from pairsweep.physics.patterns.moments import moments
from pairsweep.physics.table import density_factors

CLOSURE = next(field for field in MOMENTS.fields if field.name == "closure")
NUMBERS = {"mean_occupation": "number_density", "mean_occupation_bar": "number_density_bar"}
OF_A_GROUP = (
    *(replace(field, required=False) for field in MOMENTS.fields if field.name in NUMBERS),
    Field(
        "number_density",
        "number",
        "neutrinos of the group in a volume, in place of their mean occupation",
        "1/cm^3",
        required=False,
        minimum=0.0,
    ),
    Field(
        "number_density_bar",
        "number",
        "antineutrinos of the group in a volume, in place of their mean occupation",
        "1/cm^3",
        required=False,
        minimum=0.0,
    ),
    *(field for field in MOMENTS.fields if field.name not in (*NUMBERS, CLOSURE.name)),
)


def moments_of_groups(names: tuple[str, ...], edges: tuple[float, ...]) -> Pattern:
    """Declare the pattern of these groups.

    Parameters
    ----------
    names : of the groups, by rising energy; a parameter of a group is called after both, as ``flux_factor_soft``
    edges : of the groups, one more, MeV
    """
    occupation_of = dict(
        zip(names, (factor / (4.0 * np.pi) for factor in density_factors(edges)), strict=True)
    )

    def own(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        given = {field.name: parameters.get(f"{field.name}_{name}") for field in OF_A_GROUP}
        for mean, number in NUMBERS.items():
            density = given.pop(number)
            if density is not None:
                given[mean] = density * occupation_of[name]
        return {key: value for key, value in given.items() if value is not None}

    def function(momenta: HasMomenta, closure: Any = CLOSURE.default, **parameters: Any) -> Occupations:
        """Return what the moments of the group leave that each energy lies in; nothing beyond the groups."""
        rho: Floats = np.zeros(np.shape(momenta.energy))
        rhobar = rho
        for name, low, high in zip(names, edges[:-1], edges[1:], strict=True):
            inside = (momenta.energy >= low) & (momenta.energy < high)
            of_group = moments(momenta, closure=closure, **own(name, parameters))
            rho, rhobar = (
                np.where(inside, new, old) for new, old in zip(of_group, (rho, rhobar), strict=True)
            )
        return rho, rhobar

    def check(spec: SpecView) -> None:
        """Refuse more neutrinos than a group has states for, whatever the closure."""
        for name in names:
            for number in NUMBERS.values():
                parameter = f"{number}_{name}"
                if parameter in spec and float(min(spec[parameter].values)) * occupation_of[name] > 1.0:
                    cure = f"neutrinos in 1/cm^3, and the group {name} has {1.0 / occupation_of[name]:.4g} states"
                    raise SpecError(f"occupation.{parameter}", spec[parameter].values[0], cure)

    return Pattern(
        name=MOMENTS.name,
        meaning=MOMENTS.meaning,
        function=function,
        fields=(
            *(replace(field, name=f"{field.name}_{name}") for name in names for field in OF_A_GROUP),
            CLOSURE,
        ),
        linear=True,
        edges=lambda **parameters: Edges(energy=edges),
        check=check,
    )
