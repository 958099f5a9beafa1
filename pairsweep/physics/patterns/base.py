"""What an occupation pattern is: one frozen declaration from which specification, points, pictures and pages are made.

A pattern is a function of momentum, so that it can be evaluated anywhere, above ``energy_max`` too: a cutoff belongs
to a grid. Its parameters may be arrays with a trailing axis of length 1: one call then fills (P, N) occupations of P
points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from pairsweep.contract.fields import Field
from pairsweep.contract.view import SpecView
from pairsweep.physics.grid import Floats
from pairsweep.physics.systems import Profile

Level = float | Floats
Occupations = tuple[Floats, Floats]


class HasMomenta(Protocol):
    """What a pattern looks at: a `Grid`, or `Momenta` anywhere."""

    @property
    def energy(self) -> Floats:
        """Energies, (N,) MeV."""

    @property
    def theta(self) -> Floats:
        """Polar angles, (N,) radians."""

    @property
    def phi(self) -> Floats:
        """Azimuths, (N,) radians."""


class Momenta(NamedTuple):
    """Momenta that belong to no grid: arrays (N,) in MeV and radians."""

    energy: Floats
    theta: Floats
    phi: Floats


class Edges(NamedTuple):
    """Where an occupation has steps or kinks: in energy (MeV), in cos(theta) and in phi (radians, 0 to 2 pi).

    None for an angle: it is not said.
    """

    energy: tuple[float, ...] = ()
    cos_theta: tuple[float, ...] | None = ()
    phi: tuple[float, ...] | None = ()


def _smooth(**parameters: float) -> Edges:
    return Edges()


def _no_check(spec: SpecView) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """An occupation pattern.

    Attributes
    ----------
    name : the word in ``occupation.pattern``
    meaning : one line for the reference
    function : function(momenta, **parameters) -> (rho, rhobar); rhobar in the pair's label, i.e. of the antineutrino of
        opposite momentum
    fields : its parameters
    linear : whether it is linear in E between its energy edges
    edges : edges(**parameters) -> `Edges`; ValueError for parameters that make no sense together
    check : refusals that involve several keys, as `SpecError`, before anything is stored
    """

    name: str
    meaning: str
    function: Callable[..., Occupations]
    fields: tuple[Field, ...]
    linear: bool
    edges: Callable[..., Edges] = _smooth
    check: Callable[[SpecView], None] = _no_check

    def profile(self, **parameters: Any) -> Profile:
        """Occupation of one system as a function of momentum, at these values of the parameters."""
        edges = self.edges(**parameters)

        def occupation(energy: Floats, theta: Floats, phi: Floats) -> Occupations:
            rho, rhobar = self.function(Momenta(energy, theta, phi), **parameters)
            shape = np.broadcast_shapes(np.shape(energy), np.shape(theta), np.shape(phi))
            return np.broadcast_to(rho, shape), np.broadcast_to(rhobar, shape)

        return Profile(occupation, edges.energy, self.linear, edges.cos_theta, edges.phi)


def occupation_field(name: str, meaning: str, symbol: str = "", required: bool = True) -> Field:
    """Declare a key that holds an occupation."""
    return Field(name, "number", meaning, required=required, minimum=0.0, maximum=1.0, symbol=symbol)
