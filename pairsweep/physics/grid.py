"""Momentum grids: the pairs of a system, their energies, directions and phase-space volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairsweep.contract.arguments import choice, number, whole
from pairsweep.contract.display import Displayed, Shown, ends
from pairsweep.contract.errors import shorten
from pairsweep.contract.view import SpecView
from pairsweep.kernels.pairs import Pairs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHAPE_NAMES = ("n_energy", "n_theta", "n_phi")
MAX_PAIRS = 10**7  # of one system
CELL_VOLUMES = ("midpoint", "exact")
MOST_LISTED = 8  # beams that a grid shows one by one
CLOSED = 1e-4  # how exactly edges in phi must close, as a share of 2 pi
EVEN = 1e-12  # how close edges that are evenly spaced but for rounding lie, as a share of their range
NAMED_DIRECTIONS = {"x": (np.pi / 2, 0.0), "y": (np.pi / 2, np.pi / 2), "z": (0.0, 0.0)}


class CellEdges(NamedTuple):
    """Edges of cells: energy (n_energy + 1,) MeV, cos_theta (n_theta + 1,), phi (n_phi + 1,) radians, all rising."""

    energy: Floats
    cos_theta: Floats
    phi: Floats


@dataclass(frozen=True, eq=False, repr=False)
class Grid(Displayed):
    """The pairs of a system. One pair is a neutrino with momentum p and an antineutrino with -p.

    Attributes
    ----------
    energy : (N,) MeV
    weight : (N,) MeV^3
        Momentum-space volume of each pair.
    theta, phi : (N,) radians
        Direction of the neutrino.
    energy_bin : (N,) int
        Index of the energy bin (bins) or of the distinct energy (beams) of each pair.
    bin_energy : (n_energy,) MeV
        Energy of each bin, ascending.
    shape : (n_energy, n_theta, n_phi), or None for beams
        Pairs are ordered (energy, theta, phi), energy slowest.
    names : names of the beams; empty for bins
    edges : of the cells that the pairs stand for; None for beams
    uniform : whether these are evenly spaced bins
    """

    energy: Floats
    weight: Floats
    theta: Floats
    phi: Floats
    energy_bin: Ints
    bin_energy: Floats
    shape: tuple[int, int, int] | None = None
    names: tuple[str, ...] = ()
    edges: CellEdges | None = None
    uniform: bool = False

    def _shown(self) -> Shown:
        title = f"{self.size:,} pairs: " + (
            "beams" if self.shape is None else "cells" if not self.uniform else "bins"
        )
        low, high = float(self.bin_energy[0]), float(self.bin_energy[-1])
        energies = f"{low:.6g} MeV" if low == high else f"{low:.6g} ... {high:.6g} MeV"
        rows = [("energies", f"{self.bin_energy.size:,}, {energies}")]
        if self.shape is not None and self.edges is not None:
            cutoff = f", up to {self.edges.energy[-1]:.6g} MeV"
            rows = [("energies", f"{self.shape[0]:,} bins, centres {energies}{cutoff}")]
            rows.append(("directions", f"{self.shape[1]:,} in cos(theta) x {self.shape[2]:,} in phi"))
        elif self.size <= MOST_LISTED:
            rows += [
                (name, f"E = {e:.6g} MeV, theta = {t:.4g}, phi = {p:.4g}, weight = {w:.6g} MeV^3")
                for name, e, t, p, w in zip(
                    self.names, self.energy, self.theta, self.phi, self.weight, strict=True
                )
            ]
        else:
            rows.append(("names", ends(self.names)))
        return Shown(title, (*rows, ("volume", f"{float(np.sum(self.weight)):.6g} MeV^3 in all")))

    @property
    def kind(self) -> str:
        """Kind of grid, as in a specification."""
        return "beams" if self.shape is None else "bins"

    @property
    def size(self) -> int:
        """Number of pairs N."""
        return int(self.energy.size)

    @property
    def p_hat(self) -> Floats:
        """Unit vectors along the momenta, (N, 3)."""
        sin_theta = np.sin(self.theta)
        return np.stack(
            [sin_theta * np.cos(self.phi), sin_theta * np.sin(self.phi), np.cos(self.theta)], axis=1
        )

    @property
    def theta_hat(self) -> Floats:
        """First transverse unit vectors, (N, 3); (p_hat, theta_hat, phi_hat) is right-handed."""
        cos_theta = np.cos(self.theta)
        return np.stack(
            [cos_theta * np.cos(self.phi), cos_theta * np.sin(self.phi), -np.sin(self.theta)], axis=1
        )

    @property
    def phi_hat(self) -> Floats:
        """Second transverse unit vectors, (N, 3)."""
        return np.stack([-np.sin(self.phi), np.cos(self.phi), np.zeros_like(self.phi)], axis=1)

    @property
    def pairs(self) -> Pairs:
        """What kernels want to know of the pairs."""
        n_beam = 0 if self.shape is not None else self.size
        frame = (self.p_hat, self.theta_hat, self.phi_hat)
        labels = (self.energy_bin, self.quadrant)
        return Pairs(self.energy, self.weight, *frame, *labels, self.bin_energy.size, n_beam)

    @property
    def quadrant(self) -> Ints:
        """Quadrant of phi of each pair, 0 to 3."""
        turns = np.mod(self.phi, 2 * np.pi) / (np.pi / 2)
        return np.minimum(turns.astype(np.int64), 3)


def bins(
    n_energy: int, n_theta: int, n_phi: int, energy_max: float = 20.0, cell_volume: str = "midpoint"
) -> Grid:
    """Uniform bins in energy, cos(theta) and phi with the pairs at bin centres (the Letter's grid).

    Parameters
    ----------
    n_energy, n_theta, n_phi : int
        Numbers of bins in [0, energy_max], cos(theta) in [-1, 1] and phi in [0, 2 pi].
    energy_max : float
        Cutoff, MeV.
    cell_volume : {"midpoint", "exact"}
        E_i^2 dE dcos dphi, or (E_hi^3 - E_lo^3)/3 dcos dphi.

    Raises
    ------
    ValueError
        For counts below 1 or no whole numbers, more than `MAX_PAIRS` pairs, a cutoff that is not positive and finite,
        or an unknown cell volume.
    """
    counts = tuple(
        whole(name, count, "a number of bins", 1)
        for name, count in zip(SHAPE_NAMES, (n_energy, n_theta, n_phi), strict=True)
    )
    given = f"n_energy, n_theta, n_phi = {n_energy}, {n_theta}, {n_phi}"
    if math.prod(counts) > MAX_PAIRS:
        raise ValueError(f"{given}: {math.prod(counts):,} pairs; at most {MAX_PAIRS:,}: use fewer bins")
    energy_max = number("energy_max", energy_max, "an energy in MeV", minimum=0.0, open_below=True)
    choice("cell_volume", cell_volume, CELL_VOLUMES)
    width = energy_max / n_energy
    centre = bin_energies(n_energy, energy_max)
    if cell_volume == "midpoint":
        shell = centre**2 * width
    else:
        shell = width**3 * ((np.arange(n_energy) + 1.0) ** 3 - np.arange(n_energy) ** 3.0) / 3.0
    theta: Floats = np.arccos(-1.0 + (np.arange(n_theta) + 0.5) * (2.0 / n_theta))
    phi = (np.arange(n_phi, dtype=np.float64) + 0.5) * (2.0 * np.pi / n_phi)
    solid_angle = np.full((n_theta, n_phi), (2.0 / n_theta) * (2.0 * np.pi / n_phi))
    edges = CellEdges(
        np.linspace(0.0, energy_max, n_energy + 1),
        np.linspace(-1.0, 1.0, n_theta + 1),
        np.linspace(0.0, 2.0 * np.pi, n_phi + 1),
    )
    return replace(_product(centre, shell, theta, phi, solid_angle, edges), uniform=True)


def bin_energies(n_energy: int, energy_max: float | Floats) -> Floats:
    """Centres of uniform bins up to a cutoff, MeV: (n_energy,), or (..., n_energy) for cutoffs (..., 1)."""
    return np.asarray((np.arange(n_energy, dtype=np.float64) + 0.5) * (energy_max / n_energy))


def cells(energy_edges: ArrayLike, cos_theta_edges: ArrayLike, phi_edges: ArrayLike) -> Grid:
    """Cells between edges in energy, cos(theta) and phi, with a pair at the centre of each and exact volumes.

    The volume of a cell is (E_hi^3 - E_lo^3)/3 dcos dphi. Edges that are those of `bins` but for rounding give these,
    bit for bit.

    Parameters
    ----------
    energy_edges : (n_energy + 1,) MeV, from 0 or above
    cos_theta_edges : (n_theta + 1,), from -1 to 1
    phi_edges : (n_phi + 1,) radians, once around; to 1e-4 of it, and then stretched to 2 pi exactly

    Raises
    ------
    ValueError
        For edges that do not rise or do not cover the sphere: gaps would be directions without any pair.
    """
    energy, cos_theta, phi = (
        _rising(name, values)
        for name, values in (
            ("energy_edges", energy_edges),
            ("cos_theta_edges", cos_theta_edges),
            ("phi_edges", phi_edges),
        )
    )
    if energy[0] < 0:
        raise ValueError(f"energy_edges[0] = {energy[0]:g}: energies start at 0 MeV or above")
    if cos_theta[0] != -1.0 or cos_theta[-1] != 1.0:
        raise ValueError(
            f"cos_theta_edges = {cos_theta[0]:g} ... {cos_theta[-1]:g}: they run from -1 to 1, without gaps"
        )
    around = phi[-1] - phi[0]
    if abs(around / (2.0 * np.pi) - 1.0) > CLOSED:
        raise ValueError(
            f"phi_edges = {phi[0]:g} ... {phi[-1]:g}: they run once around, 2 pi = {2.0 * np.pi:.10g} in all"
        )
    phi = phi[0] + (phi - phi[0]) * (2.0 * np.pi / around)
    if all(
        np.abs(edges - np.linspace(low, high, edges.size)).max() <= EVEN * (high - low)
        for edges, low, high in ((energy, 0.0, energy[-1]), (cos_theta, -1.0, 1.0), (phi, 0.0, 2.0 * np.pi))
    ):
        counts = (energy.size - 1, cos_theta.size - 1, phi.size - 1)
        return bins(*counts, energy_max=float(energy[-1]), cell_volume="exact")
    width = np.diff(energy)
    centre: Floats = 0.5 * (energy[1:] + energy[:-1])
    # the difference of the cubes, without cancellation
    shell = width * (centre**2 + width**2 / 12.0)
    theta: Floats = np.arccos(0.5 * (cos_theta[1:] + cos_theta[:-1]))
    solid_angle = np.outer(np.diff(cos_theta), np.diff(phi))
    return _product(
        centre, shell, theta, 0.5 * (phi[1:] + phi[:-1]), solid_angle, CellEdges(energy, cos_theta, phi)
    )


def finer_sphere(grid: Grid, factor: int) -> Grid:
    """Directions of a grid of bins or cells, each divided into ``factor`` by ``factor``, at a single energy."""
    if grid.shape is None or grid.edges is None:
        raise ValueError("beams have single directions: nothing can be divided")
    _, n_theta, n_phi = grid.shape
    if grid.uniform:
        return bins(1, n_theta * factor, n_phi * factor)
    return cells([0.0, 1.0], divided(grid.edges.cos_theta, factor), divided(grid.edges.phi, factor))


def divided(edges: Floats, factor: int) -> Floats:
    """Edges of cells (M + 1,) with each cell divided evenly into ``factor``."""
    share = np.arange(factor) / factor
    return np.append((edges[:-1, None] + share * np.diff(edges)[:, None]).ravel(), edges[-1])


def _rising(name: str, values: ArrayLike) -> Floats:
    edges = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if edges.ndim != 1 or edges.size < 2 or not np.isfinite(edges).all():
        raise ValueError(f"{name}: give at least two finite numbers, the edges of the cells in rising order")
    falling = np.flatnonzero(np.diff(edges) <= 0)
    if falling.size:
        at = int(falling[0])
        raise ValueError(f"{name}[{at + 1}] = {edges[at + 1]:g}: does not lie above {edges[at]:g} before it")
    return edges


def _product(
    centre: Floats, shell: Floats, theta: Floats, phi: Floats, solid_angle: Floats, edges: CellEdges
) -> Grid:
    """Every energy (MeV, with its shell in MeV^3) with every direction, (n_theta, n_phi) of them."""
    shape = (centre.size, theta.size, phi.size)
    index = np.indices(shape).reshape(3, -1)
    return Grid(
        energy=centre[index[0]],
        weight=shell[index[0]] * solid_angle[index[1], index[2]],
        theta=theta[index[1]],
        phi=phi[index[2]],
        energy_bin=index[0].astype(np.int64),
        bin_energy=centre,
        shape=shape,
        edges=edges,
    )


def beams(
    energy: ArrayLike, weight: ArrayLike, theta: ArrayLike, phi: ArrayLike, names: Sequence[str] = ()
) -> Grid:
    """Build a system from single beams: arrays of one length, or one number for all, MeV, MeV^3 and radians.

    ``NAMED_DIRECTIONS`` holds (theta, phi) of "x", "y" and "z"; unnamed beams are called beam_0, beam_1, ...

    Raises
    ------
    ValueError
        For no beams, lengths that differ, or values that are not finite.
    """
    given = {"energy": energy, "weight": weight, "theta": theta, "phi": phi}
    found: dict[str, Floats] = {}
    for name, values in given.items():
        try:
            found[name] = np.atleast_1d(np.asarray(values, dtype=np.float64))
        except (TypeError, ValueError):
            raise ValueError(f"{name} = {shorten(values)}: give numbers, one for each beam") from None
        wrong = np.flatnonzero(~np.isfinite(found[name]))
        if found[name].ndim != 1 or found[name].size == 0:
            raise ValueError(f"{name} has shape {found[name].shape}: give one number for each beam")
        if wrong.size:
            raise ValueError(f"{name}[{wrong[0]}] = {found[name][wrong[0]]}: give finite numbers")
    size = max(column.size for column in found.values())
    odd = {name: column.size for name, column in found.items() if column.size not in (1, size)}
    if odd:
        lengths = ", ".join(f"{name} {column.size}" for name, column in found.items())
        raise ValueError(f"lengths are {lengths}: give as many of each, or one for all beams")
    columns = [np.array(np.broadcast_to(column, size)) for column in found.values()]
    names = tuple(names) or tuple(f"beam_{i}" for i in range(columns[0].size))
    if len(names) != columns[0].size:
        raise ValueError(f"beams: {len(names)} names for {columns[0].size} beams")
    bin_energy, energy_bin = np.unique(columns[0], return_inverse=True)
    return Grid(
        energy=columns[0],
        weight=columns[1],
        theta=columns[2],
        phi=columns[3],
        energy_bin=energy_bin.astype(np.int64),
        bin_energy=bin_energy,
        names=names,
    )


def most_pairs(spec: SpecView) -> int:
    """Number of pairs of the largest system that a specification can ask for."""
    if spec.kind == "beams":
        return len(spec.beams)
    return math.prod(max(int(n) for n in spec[name].values) for name in SHAPE_NAMES)
