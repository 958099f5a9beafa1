"""The pattern ``moments`` with a file: numbers and fluxes of neutrinos in groups of energies, place by place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pairsweep.contract.errors import SpecError, suggest
from pairsweep.contract.fields import Field
from pairsweep.physics.moment_table import MomentTable
from pairsweep.physics.patterns.moments import CLOSURES
from pairsweep.physics.table import density_factors
from pairsweep.physics.table_file import stamp_of
from pairsweep.spec.checks import known_keys
from pairsweep.spec.edges import edges_along
from pairsweep.spec.table import (
    TABLE_KEYS,
    TOLD,
    TableFile,
    Told,
    checked_cells,
    dataset_with,
    given_words,
    labels_of,
    path_of,
    told_of,
    with_axes,
)
from pairsweep.spec.units import ANGLES, DENSITIES, ENERGIES, density_unit, refuse_densities, unit_of
from pairsweep.user_code.function import bytes_digest

if TYPE_CHECKING:
    import xarray as xr

LIGHT = 2.99792458e10  # cm/s
PER_AREA = ("1/(cm^2 s)", "1/cm^2/s", "cm^-2 s^-1", "cm-2 s-1", "cm**-2 s**-1")
FLUXES = {**DENSITIES, **dict.fromkeys(PER_AREA, 1.0 / LIGHT)}


def _name(name: str, default: str | None, meaning: str) -> Field:
    return Field(name, "text", meaning, axis=False, required=False, default=default)


MOMENT_KEYS = {
    "file": TABLE_KEYS["file"],
    "density": _name(
        "density", "density", "its variable of the numbers of neutrinos in each group of energies"
    ),
    "density_bar": _name("density_bar", "density_bar", "its variable of those of antineutrinos"),
    "flux": _name(
        "flux", "flux", "its variable of their fluxes: along z, or with a dimension of three components"
    ),
    "flux_bar": _name(
        "flux_bar", "flux_bar", "its variable of those of antineutrinos, in their own direction"
    ),
    "quantity": Field(
        "quantity",
        "text",
        "what the densities are: numbers in a volume, or mean occupations of the group",
        axis=False,
        required=False,
        default="number_density",
        choices=("number_density", "occupation"),
    ),
    "flux_quantity": Field(
        "flux_quantity",
        "text",
        "what the fluxes are: of what the densities are, or flux factors, over them",
        axis=False,
        required=False,
        default="flux",
        choices=("flux", "flux_factor"),
    ),
    "flux_theta": _name("flux_theta", None, "its variable of the polar angle of fluxes of one number"),
    "flux_phi": _name("flux_phi", None, "its variable of their azimuth"),
    "closure": Field(
        "closure",
        "text",
        "entropy that closes the moments: of fermions, or the classical one of Minerbo",
        axis=False,
        required=False,
        default="fermionic",
        choices=CLOSURES,
    ),
}
ANGLE_KEYS = ("flux_theta", "flux_phi")


def read_moments(data: Mapping[str, Any], folder: Path) -> TableFile:
    """Read the table [occupation] of the pattern with a file, and the labels of the file.

    Raises
    ------
    SpecError
        For a file that lacks what it must have, with the cure.
    """
    given, told = given_words(data, MOMENT_KEYS), told_of(data)
    path = path_of(given["file"], folder)
    names = ("density", "density_bar", "flux", "flux_bar", *(key for key in ANGLE_KEYS if key in given))
    with dataset_with(path, given["file"], {key: given[key] for key in names}, told) as ds:
        return _of_dataset(ds, data, given, told, path)


def _of_dataset(
    ds: xr.Dataset, data: Mapping[str, Any], given: Mapping[str, str], told: Told, path: Path
) -> TableFile:
    known_keys("occupation.dims", told.dims, ("energy",))
    energy = told.dims.get("energy", "energy")
    there = [str(dim) for dim in ds[given["density"]].dims]
    if energy not in there:
        raise SpecError(
            "occupation.dims.energy",
            energy,
            f"is no dimension of {given['density']}; {suggest(energy, there)}",
        )
    component = _component(ds, given)
    groups = edges_along(ds, energy, told.edges, told.units, ENERGIES)
    edges = checked_cells(groups, np.array([-1.0, 1.0]), np.array([0.0, 2.0 * np.pi]))
    others = [dim for dim in there if dim != energy]
    known_keys("occupation", data, ("pattern", *MOMENT_KEYS, *TOLD, *others))
    factors: tuple[float, ...] = ()
    over = 0.0 if given["flux_quantity"] == "flux_factor" else 1.0
    refuse_densities(ds, (given["density"], given["density_bar"]), given["quantity"])
    if given["quantity"] == "number_density":
        unit = density_unit(ds, given["density"], given["density_bar"], told.units)
        factors = tuple(unit * factor for factor in density_factors(edges.energy_edges))
        over = over and _flux_unit(ds, given, told.units) / unit
    table = MomentTable(
        path=str(path),
        name=given["file"],
        digest=bytes_digest(path),
        stamp=stamp_of(path),
        rho=given["density"],
        rhobar=given["density_bar"],
        dims=(energy, "", ""),
        edges=edges,
        falling=False,
        factors=factors,
        own_direction=True,
        axes=tuple((dim, labels_of(ds, dim)) for dim in others),
        order=told.order,
        flux=given["flux"],
        flux_bar=given["flux_bar"],
        component=component,
        angles=tuple(_angle(ds, given[key], told.units) if key in given else ("", 0.0) for key in ANGLE_KEYS),
        flux_factor_of=over,
        closure=given["closure"],
    )
    return with_axes(table, ds, data)


def _component(ds: xr.Dataset, given: Mapping[str, str]) -> str:
    """Dimension of the three components of the fluxes, "" where they are one number."""
    found = set()
    for key in ("flux", "flux_bar"):
        flux = ds[given[key]]
        more = [str(dim) for dim in flux.dims if dim not in ds[given["density"]].dims]
        sizes = [flux.sizes[dim] for dim in more]
        if sizes not in ([], [3]):
            cure = f"has dimensions that {given['density']} has not: one of three components, x, y and z, is possible"
            raise SpecError(f"occupation.{key}", ", ".join(more), cure)
        found.add(more[0] if more else "")
    if len(found) > 1:
        raise SpecError(
            "occupation.flux_bar", given["flux_bar"], f"has other components than {given['flux']}"
        )
    component = found.pop()
    for key in ANGLE_KEYS:
        if component and key in given:
            raise SpecError(
                f"occupation.{key}", given[key], f"{given['flux']} has its own direction: leave this out"
            )
        if key in given and set(ds[given[key]].dims) - set(ds[given["density"]].dims):
            raise SpecError(
                f"occupation.{key}", given[key], f"has dimensions that {given['density']} has not"
            )
    return component


def _flux_unit(ds: xr.Dataset, given: Mapping[str, str], units: Mapping[str, str]) -> float:
    """1/cm^3 for one of the fluxes, over the speed of light."""
    unit, unit_bar = (unit_of(ds, given[key], units, FLUXES) for key in ("flux", "flux_bar"))
    if unit != unit_bar:
        cure = f"differs from that of {given['flux']}: convert one of them"
        raise SpecError(f"occupation.units.{given['flux_bar']}", None, cure)
    return unit


def _angle(ds: xr.Dataset, name: str, units: Mapping[str, str]) -> tuple[str, float]:
    return name, unit_of(ds, name, units, ANGLES)
