"""Systems that share a grid: all that a solver is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.physics.grid import CellEdges, Floats, Grid


@dataclass(frozen=True, eq=False)
class Profile:
    """Occupation of one system as a function of momentum.

    Attributes
    ----------
    occupation : f(energy, theta, phi) -> (rho, rhobar), arrays (N,), MeV and radians; rhobar in the pair's label, i.e.
        of the antineutrino of opposite momentum
    energy_edges : energies (MeV) of its steps and kinks
    linear : whether it is linear in E between them
    cos_theta_edges, phi_edges : where it has steps or kinks in the angles; None where it does not say
    over : over(edges) is its mean over the angles of other cells; None where a grid samples it at their centres
    """

    occupation: Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]
    energy_edges: tuple[float, ...] = ()
    linear: bool = False
    cos_theta_edges: tuple[float, ...] | None = None
    phi_edges: tuple[float, ...] | None = None
    over: Callable[[CellEdges], Profile] | None = None

    def along(self, grid: Grid) -> Profile:
        """Occupation that the directions of a grid of bins or cells stand for, whatever the energy."""
        return self if self.over is None or grid.edges is None else self.over(grid.edges)


@dataclass(frozen=True, eq=False)
class Systems:
    """P systems on one grid of N pairs.

    Attributes
    ----------
    grid : the pairs
    rho, rhobar : (P, N) occupations, checked to lie in [0, 1]
    g : (P,) coupling, MeV^-2
    own : values (P,) of the keys of the analysis' own table that may be axes
    energy_max : cutoff, MeV; NaN for beams
    profile : profile(i) is the occupation of system i as a function of momentum
    """

    grid: Grid
    rho: Floats
    rhobar: Floats
    g: Floats
    energy_max: Floats
    profile: Callable[[int], Profile]
    own: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of systems."""
        return self.g.size

    @property
    def n(self) -> Floats:
        """EPN rho + rhobar - 1, (P, N)."""
        return np.asarray(self.rho + self.rhobar - 1.0)
