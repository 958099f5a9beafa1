"""The same wave vector on finer and finer bins in energy."""

from __future__ import annotations

import numpy as np

from pairsweep.analyses.inhomogeneous.solver import Inhomogeneous
from pairsweep.physics.grid import CellEdges, Floats, Grid


def rungs(n_energy: int, ladder_max: int) -> tuple[int, ...]:
    """Factors of n_energy: doubled up to ``ladder_max`` bins."""
    return tuple(2**rung for rung in range((ladder_max // n_energy).bit_length()))


def finer(grid: Grid, factor: int) -> Grid:
    """Split every energy bin into ``factor`` equal ones with their pairs in the middle, of volumes of the same kind."""
    assert grid.edges is not None, "bins have edges"
    assert grid.shape is not None, "bins have a shape"
    n_energy, n_theta, n_phi = grid.shape
    angles = n_theta * n_phi
    edges = grid.edges.energy
    solid = np.outer(np.diff(grid.edges.cos_theta), np.diff(grid.edges.phi)).ravel()
    midpoint = (grid.bin_energy**2 * np.diff(edges))[:, None] * solid
    widths = np.repeat(np.diff(edges) / factor, factor)
    lower = np.repeat(edges[:-1], factor) + widths * np.tile(np.arange(factor), n_energy)
    centre = lower + 0.5 * widths
    if np.allclose(grid.weight, midpoint.ravel(), rtol=1e-9):
        shell = centre**2 * widths
    else:
        shell = ((lower + widths) ** 3 - lower**3) / 3.0
    return Grid(
        energy=np.repeat(centre, angles),
        weight=(shell[:, None] * solid).ravel(),
        theta=np.tile(grid.theta[:angles], centre.size),
        phi=np.tile(grid.phi[:angles], centre.size),
        energy_bin=np.repeat(np.arange(centre.size), angles),
        bin_energy=centre,
        shape=(centre.size, n_theta, n_phi),
        edges=CellEdges(np.append(lower, edges[-1]), grid.edges.cos_theta, grid.edges.phi),
    )


def ladder_growth(system: Inhomogeneous, row: int, k: Floats, factors: tuple[int, ...]) -> Floats:
    """Growth (R,) of one system at one wave vector (3,) with every energy bin split by each factor; NaN where none."""
    found = [system.on(finer(system.grid, factor), row).solve(np.array([0]), k[None]) for factor in factors]
    return np.array([result.arrays["inhomogeneous_growth_rate"][0] for result in found])
