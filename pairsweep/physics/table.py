"""Occupations that stand in a file: steps over cells of energy, cos(theta) and phi, one for each of its other labels.

A file is opened lazily and read label by label, so that it may be larger than memory. Its cells have edges of their
own; onto other cells the number of neutrinos in each is kept, and no occupation rises above the largest that went in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import UserCodeError
from pairsweep.contract.view import Cells
from pairsweep.physics.grid import CellEdges, Floats, Grid, cells
from pairsweep.physics.systems import Profile
from pairsweep.physics.table_file import opened, stamp_of, with_dimensions
from pairsweep.physics.units import HBAR_C

if TYPE_CHECKING:
    import xarray as xr

ROLES = ("energy", "cos_theta", "phi")
NO_NUMBERS = ("path", "name", "digest", "stamp", "axes")  # attributes that decide none
REPORTED_NUMBERS = 2**22  # numbers that are read to report on a file
Cellwise = tuple[Floats, list[Floats]]  # values (P, n_energy, n_cos_theta, n_phi) and the edges of the cells
EQUAL = 1e-9  # edges that agree so closely, as a share of their range, are the same


@dataclass(frozen=True)
class Table:
    """A file of occupations.

    Attributes
    ----------
    path : the file, or the folder of a zarr store
    name : what the specification calls it
    digest : of its bytes
    stamp : size and time of its last change, when it was digested
    rho, rhobar : names of its variables
    dims : its dimensions of energy, cos(theta) and phi; "" for one that it does not have
    edges : of its cells: MeV, pure numbers, radians
    falling : whether its cos(theta) falls along the file, as when it has theta
    factors : what its numbers are multiplied by to be occupations, in each cell of energy and over all others
    own_direction : whether rhobar is that of the antineutrino's own momentum, and not of the pair's neutrino
    axes : labels of its other dimensions
    order : names of all dimensions of ``rho``, where the file does not name them
    """

    path: str
    name: str
    digest: str
    stamp: tuple[int, int]
    rho: str
    rhobar: str
    dims: tuple[str, str, str]
    edges: Cells
    falling: bool
    factors: tuple[float, ...]
    own_direction: bool
    axes: tuple[tuple[str, tuple[float | int | str, ...]], ...]
    order: tuple[str, ...] = ()

    def occupations(self, labels: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        """Occupations (P, n_energy, n_cos_theta, n_phi) at P places, rho and rhobar as they stand in the file.

        Raises
        ------
        UserCodeError
            For a file that is not what it was when the run began.
        """
        with self.opened() as ds:
            both = [self._at(ds[name], labels) for name in (self.rho, self.rhobar)]
        found = []
        for values in both:
            if self.falling:
                values = values[:, :, ::-1]
            solid_angle = np.outer(np.diff(self.edges.cos_theta_edges), np.diff(self.edges.phi_edges))
            factor = np.array(self.factors)[:, None, None]
            # a density of each cell is shared by its solid angle; an occupation is not
            found.append(values * factor / solid_angle if self.is_density else values)
        return found[0], found[1]

    @property
    def variables(self) -> tuple[str, ...]:
        """All variables that are read."""
        return self.rho, self.rhobar

    @property
    def report_cells(self) -> Cells:
        """Cells over which its sums are taken."""
        return self.edges

    def identity(self) -> dict[str, object]:
        """What decides its numbers beside its bytes and its labels."""
        return {
            field.name: getattr(self, field.name) for field in fields(self) if field.name not in NO_NUMBERS
        }

    @contextmanager
    def opened(self) -> Iterator[xr.Dataset]:
        """Open the file; it is closed after each reading, since others may want to write it.

        Raises
        ------
        UserCodeError
            Where it is not what it was when the run began.
        """
        if stamp_of(Path(self.path)) != self.stamp:
            cure = "put back what it was and run with --retry-failed, or begin another store"
            raise UserCodeError(f"{self.name} has changed since this run began: {cure}")
        with opened(self.path, self.stamp, self.variables) as ds:
            yield with_dimensions(ds, self.rho, self.order) if self.order else ds

    @cached_property
    def _places(self) -> dict[str, dict[float | int | str, int]]:
        return {dim: {label: i for i, label in enumerate(known)} for dim, known in self.axes}

    def report(self, chosen: Mapping[str, Sequence[float | int | str]] | None = None) -> list[str]:
        """Say what stands in the file: sums that a wrong unit, a wrong flip or exchanged angles would spoil.

        Fluxes are means over all places, or those with the labels that are chosen, of each kind of particle in its own
        direction. Of many places the first ones are read.
        """
        grid = cells(*self.report_cells)
        chosen = {dim: tuple(dict.fromkeys((chosen or {}).get(dim, known))) for dim, known in self.axes}
        sizes = [len(labels) for labels in chosen.values()]
        places = math.prod(sizes)
        count = min(places, max(1, REPORTED_NUMBERS // grid.size))
        index = np.unravel_index(np.arange(count), sizes) if sizes else ()
        labels = {
            dim: np.array([known[i] for i in at], dtype=object)
            for (dim, known), at in zip(chosen.items(), index, strict=True)
        }
        rho, rhobar = self.on(grid, labels)
        epn = rho + rhobar - 1.0
        whole = np.isfinite(epn).all(axis=1)
        shape = " x ".join(str(size) for size in grid.shape or ())
        there = math.prod(len(known) for _, known in self.axes)
        of_all = "" if places == there else f" of {there:,}"
        first = "" if count == places else " first"
        lines = [f"{self.name}: {shape} cells at {places:,}{of_all} places"]
        if not whole.all():
            lines.append(f"{(~whole).sum():,} of the{first} {count:,} places have cells without a value")
        if not whole.any():
            return lines
        lines.append(_sums("neutrinos", rho[whole], grid, 1.0))
        lines.append(_sums("antineutrinos", rhobar[whole], grid, -1.0))
        crossed = ((epn[whole] > 0).any(axis=1) & (epn[whole] < 0).any(axis=1)).sum()
        lines.append(
            f"EPN {epn[whole].min():.4g} to {epn[whole].max():.4g}; a crossing at {crossed:,} of the{first} "
            f"{count:,} places"
        )
        return lines

    @property
    def is_density(self) -> bool:
        """Whether the file has numbers of neutrinos in a volume."""
        return bool(self.factors)

    def _at(self, values: xr.DataArray, labels: Mapping[str, NDArray[Any]]) -> Floats:
        import xarray as xr

        points = 1
        picked: dict[str, Any] = {}
        for dim, _ in self.axes:
            index = [self._places[dim][label] for label in np.atleast_1d(labels[dim]).tolist()]
            points = max(points, len(index))
            picked[dim] = xr.DataArray(index, dims="point")
        here = [dim for dim in self.dims if dim in values.dims]
        chosen = values.isel({dim: index for dim, index in picked.items() if dim in values.dims})
        if "point" not in chosen.dims:
            chosen = chosen.expand_dims("point")
        array = np.asarray(chosen.transpose("point", *here).values, dtype=np.float64)
        sizes = [len(edges) - 1 for edges in self.edges]
        shape = [size if dim in here else 1 for size, dim in zip(sizes, self.dims, strict=True)]
        return array.reshape(array.shape[0], *shape)

    def on(self, grid: Grid, labels: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        """Occupations (P, N) of the pairs of a grid; rhobar in the pair's label."""
        assert grid.edges is not None, "a table needs cells"
        rho, rhobar = (_averaged(*each, list(grid.edges)) for each in self._of_pairs(labels))
        return rho.reshape(len(rho), -1), rhobar.reshape(len(rhobar), -1)

    def profile(self, labels: Mapping[str, Any]) -> Profile:
        """Occupation at one place as a function of momentum: steps, and nothing beyond the last energy."""
        return steps(self._of_pairs({n: np.array([v]) for n, v in labels.items()}))

    def _of_pairs(self, labels: Mapping[str, NDArray[Any]]) -> list[Cellwise]:
        """Values of rho and of rhobar and the edges of their cells, rhobar in the pair's label."""
        rho, rhobar = self.occupations(labels)
        own = [np.array(edges) for edges in self.edges]
        if not self.own_direction:
            return [(rho, own), (rhobar, own)]
        return [(rho, own), (rhobar[:, :, ::-1], [own[0], -own[1][::-1], own[2] + np.pi])]


def _sums(name: str, values: Floats, grid: Grid, sign: float) -> str:
    """Say how many particles there are (P, N), what they fill, and where they fly: along the pairs or against them."""
    numbers = values @ grid.weight / (2.0 * np.pi * HBAR_C) ** 3
    flux = sign * (values * grid.weight).sum(axis=0) @ grid.p_hat / max((values @ grid.weight).sum(), 1e-300)
    along = ", ".join(f"{part:.3f}" for part in np.round(flux, 3) + 0.0)
    return (
        f"{name} {numbers.min():.4g} to {numbers.max():.4g} cm^-3, occupations {values.min():.4g} to "
        f"{values.max():.4g}, flux factor ({along})"
    )


def density_factors(energy_edges: tuple[float, ...]) -> tuple[float, ...]:
    """Occupation for 1/cm^3 of neutrinos in a group of energies and 1 sr: (2 pi hbar c)^3/((E2^3 - E1^3)/3)."""
    edges = np.array(energy_edges)
    width, centre = np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    return tuple(((2.0 * np.pi * HBAR_C) ** 3 / (width * (centre**2 + width**2 / 12.0))).tolist())


def steps(both: list[Cellwise]) -> Profile:
    """Occupation of one place as a function of momentum: constant on cells, 0 beyond the last energy."""

    def occupation(energy: Floats, theta: Floats, phi: Floats) -> tuple[Floats, Floats]:
        cosine = np.cos(theta)
        rho, rhobar = (_looked_up(values[0], edges, energy, cosine, phi) for values, edges in both)
        return rho, rhobar

    def over(edges: CellEdges) -> Profile:
        coarse = [both[0][1][0], edges.cos_theta, edges.phi]
        return steps([(_averaged(*each, coarse), coarse) for each in both])

    cosines = {float(c) for _, edges in both for c in edges[1][1:-1]}
    around = {float(p) for _, edges in both if edges[2].size > 2 for p in np.mod(edges[2], 2.0 * np.pi)}
    return Profile(
        occupation,
        tuple(both[0][1][0].tolist()),
        linear=True,
        cos_theta_edges=tuple(sorted(cosines)),
        phi_edges=tuple(sorted(around)),
        over=over,
    )


def averaged_over_energy(values: Floats, own: Floats, target: Floats) -> Floats:
    """Average (P, groups, A) over groups of energies of a file to (P, n_energy, A), by the volume that they share."""
    share = _shares(own, target, 0)
    return values if share is None else np.moveaxis(np.tensordot(values, share, axes=([1], [1])), -1, 1)


def _averaged(values: Floats, own: list[Floats], target: list[Floats]) -> Floats:
    """Average (P, ...) over cells of a file to (P, ...) over others, by the volume that they share."""
    for axis, (old, new) in enumerate(zip(own, target, strict=True)):
        share = _shares(old, new, axis)
        if share is not None:
            values = np.moveaxis(np.tensordot(values, share, axes=([axis + 1], [1])), -1, axis + 1)
    return values


def _shares(old: Floats, new: Floats, axis: int) -> Floats | None:
    """Share of each new cell (rows) that lies in each old one, by volume; None where they are the same."""
    if old.shape == new.shape and np.abs(old - new).max() <= EQUAL * np.ptp(old):
        return None
    power = 3 if axis == 0 else 1  # of the energies, for their volumes
    turns = (0.0,) if axis < 2 else (-4.0 * np.pi, -2.0 * np.pi, 0.0, 2.0 * np.pi, 4.0 * np.pi)
    shares = np.zeros((new.size - 1, old.size - 1))
    for turn in turns:
        low = np.maximum(new[:-1, None], old[:-1] + turn)
        high = np.minimum(new[1:, None], old[1:] + turn)
        shares += np.where(high > low, np.maximum(high, low) ** power - low**power, 0.0)
    shares /= np.diff(new**power)[:, None]
    # cells that only touch by rounding share nothing, and those that agree but for rounding are whole
    shares[shares < EQUAL] = 0.0
    whole = np.abs(shares - 1.0) < EQUAL
    return np.where(whole.any(axis=1, keepdims=True), whole, shares)


def _looked_up(values: Floats, edges: list[Floats], energy: Floats, cosine: Floats, phi: Floats) -> Floats:
    """Value of the cell that each momentum lies in; 0 beyond the energies."""
    e, c, p = edges
    at_energy = np.searchsorted(e, energy, side="right") - 1
    at_cosine = np.clip(np.searchsorted(c, cosine, side="right") - 1, 0, c.size - 2)
    at_phi = np.clip(
        np.searchsorted(p, p[0] + np.mod(phi - p[0], 2.0 * np.pi), side="right") - 1, 0, p.size - 2
    )
    inside = (at_energy >= 0) & (at_energy < e.size - 1)
    return np.where(inside, values[np.clip(at_energy, 0, e.size - 2), at_cosine, at_phi], 0.0)
