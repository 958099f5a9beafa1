"""Moments that stand in a file: number and flux of neutrinos in groups of energies, closed where a point is computed.

A group is a step in energy; over directions its occupation is the one of largest entropy with that mean and flux, see
`pairsweep.physics.patterns.moments`. It is taken at the centres of the cells of the grid, which has angles of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.view import Cells
from pairsweep.physics.grid import Floats, Grid
from pairsweep.physics.patterns.moments import CLOSE, of_closure
from pairsweep.physics.systems import Profile
from pairsweep.physics.table import Table, averaged_over_energy

if TYPE_CHECKING:
    import xarray as xr

REPORTED_DIRECTIONS = 32  # bins in cos(theta) and in phi
Moments = tuple[Floats, Floats, Floats]  # a, b and the unit vector of the flux, of each place and group


@dataclass(frozen=True)
class MomentTable(Table):
    """A file of moments; ``rho`` and ``rhobar`` are its numbers, over energy alone.

    Attributes
    ----------
    flux, flux_bar : its variables of the fluxes, each in the particles' own direction
    component : dimension of the three components; "" where the flux is one number, along z or the given angles
    angles : variables of polar angle and azimuth of the fluxes, "" for 0, and what turns them into radians
    flux_factor_of : what a flux is multiplied by to be in units of the numbers, or 0 where it is over them already
    closure : word of the closure
    """

    flux: str = "flux"
    flux_bar: str = "flux_bar"
    component: str = ""
    angles: tuple[tuple[str, float], ...] = (("", 0.0), ("", 0.0))
    flux_factor_of: float = 0.0
    closure: str = "fermionic"

    @property
    def variables(self) -> tuple[str, ...]:
        """All variables that are read."""
        return (
            self.rho,
            self.rhobar,
            self.flux,
            self.flux_bar,
            *(name for name, _ in self.angles if name),
        )

    @property
    def report_cells(self) -> Cells:
        """Its groups of energies, and directions enough to see where they fly."""
        return Cells(
            self.edges.energy_edges,
            tuple(np.linspace(-1.0, 1.0, REPORTED_DIRECTIONS + 1).tolist()),
            tuple(np.linspace(0.0, 2.0 * np.pi, REPORTED_DIRECTIONS + 1).tolist()),
        )

    def moments(self, labels: Mapping[str, NDArray[Any]]) -> tuple[Moments, Moments]:
        """Closed moments at P places: a and b (P, groups) and the direction of the flux (P, groups, 3)."""
        found = []
        with self.opened() as ds:
            along = self._along(ds, labels)
            for number, flux in ((self.rho, self.flux), (self.rhobar, self.flux_bar)):
                mean, vector = self._of_groups(ds[number], labels), self._vector(ds[flux], labels, along)
                if self.flux_factor_of:
                    with np.errstate(divide="ignore", invalid="ignore"):
                        vector = self.flux_factor_of * vector / mean[..., None]
                    vector = np.where((mean == 0)[..., None] & ~np.isfinite(vector), 0.0, vector)
                if self.is_density:
                    mean = mean * np.array(self.factors) / (4.0 * np.pi)
                # a flux of zero has no direction, and needs none
                size = np.sqrt(vector[..., 0] ** 2 + vector[..., 1] ** 2 + vector[..., 2] ** 2)
                direction = vector / np.where(size > 0, size, 1.0)[..., None]
                found.append((*CLOSE[self.closure](mean, size), direction))
        return found[0], found[1]

    def _of_groups(self, values: xr.DataArray, labels: Mapping[str, NDArray[Any]]) -> Floats:
        """Values (P or 1, groups or 1) at P places."""
        return self._at(values, labels)[:, :, 0, 0]

    def _vector(self, flux: xr.DataArray, labels: Mapping[str, NDArray[Any]], along: Floats) -> Floats:
        """A flux (P, groups, 3), in the file's units."""
        if not self.component:
            return self._of_groups(flux, labels)[..., None] * along
        parts = (self._of_groups(flux.isel({self.component: i}), labels) for i in range(3))
        return np.stack(list(parts), axis=-1)

    def _along(self, ds: xr.Dataset, labels: Mapping[str, NDArray[Any]]) -> Floats:
        """Unit vector along which a flux of one number points, (P or 1, groups or 1, 3)."""
        theta, phi = (
            factor * self._of_groups(ds[name], labels) if name else np.zeros((1, 1))
            for name, factor in self.angles
        )
        return np.stack(
            np.broadcast_arrays(np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)),
            axis=-1,
        )

    def on(self, grid: Grid, labels: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        """Occupations (P, N) of the pairs of a grid; rhobar in the pair's label."""
        assert grid.edges is not None, "a table needs cells"
        assert grid.shape is not None, "cells are bins"
        directions = grid.p_hat.reshape(grid.shape[0], -1, 3)[0]
        own = np.array(self.edges.energy_edges)
        found = []
        for moments, sign in zip(self.moments(labels), (1.0, -1.0), strict=True):
            values = self._towards(moments, sign * directions)
            found.append(averaged_over_energy(values, own, grid.edges[0]).reshape(len(values), -1))
        return found[0], found[1]

    def _towards(self, moments: Moments, directions: Floats) -> Floats:
        """Occupations (P, groups, A) towards A directions."""
        a, b, flux = (each[..., None] for each in moments)
        cosine = sum(flux[:, :, i] * directions[:, i] for i in range(3))
        return of_closure(self.closure, a + b * cosine)

    def profile(self, labels: Mapping[str, Any]) -> Profile:
        """Occupation at one place as a function of momentum: steps in energy, smooth over directions."""
        both = self.moments({name: np.array([value]) for name, value in labels.items()})
        edges = np.array(self.edges.energy_edges)

        def occupation(energy: Floats, theta: Floats, phi: Floats) -> tuple[Floats, Floats]:
            energy, theta, phi = np.broadcast_arrays(energy, theta, phi)
            group = np.searchsorted(edges, energy, side="right") - 1
            inside = (group >= 0) & (group < edges.size - 1)
            group = np.clip(group, 0, edges.size - 2)
            towards = np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)
            found = []
            for (a, b, flux), sign in zip(both, (1.0, -1.0), strict=True):
                cosine = sign * sum(flux[0, group, i] * towards[i] for i in range(3))
                value = of_closure(self.closure, a[0, group] + b[0, group] * cosine)
                found.append(np.where(inside, value, 0.0))
            return found[0], found[1]

        return Profile(occupation, tuple(edges.tolist()), linear=True, cos_theta_edges=(), phi_edges=())
