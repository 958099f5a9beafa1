"""Where in k the growth is largest: a scan of half of all directions, starts from two beams, then refinement.

What is found is the largest growth found, no supremum: bands of unstable k may be narrower than the scan's step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.inhomogeneous.solver import Inhomogeneous, InhomogeneousResult
from pairsweep.physics.grid import Floats

# The scan: directions spread over the half sphere, besides the special ones, and wave numbers along each.
SPREAD_DIRECTIONS = 12
WAVE_NUMBERS = 28
# Pairs of beams whose resonance is tried along each direction.
STARTS = 6
# Places that are refined, in how many rounds, and how many go on to the last ones.
PLACES = 6
FIRST_ROUNDS = 5
FINALISTS = 2
LAST_ROUNDS = 12
# as a share of k: growth is quadratic about its largest value
SMALLEST_STEP = 1e-4
GOLDEN = math.pi * (3.0 - math.sqrt(5.0))


@dataclass(frozen=True, eq=False)
class Largest:
    """Largest growth found over k and its directions, for one system.

    Attributes
    ----------
    result : of that one point
    k : (3,) MeV; NaN where every k that was tried is stable
    unstable_share : share of the points of the scan that are unstable
    step : distance of neighbouring wave numbers of the scan, MeV: narrower bands may have been missed
    """

    result: InhomogeneousResult
    k: Floats
    unstable_share: float
    step: float


def largest_growth(system: Inhomogeneous, row: int = 0) -> Largest:
    """Search the wave vector of the fastest mode of one system."""
    directions = _directions(system.drift[row])
    reach = wave_number_reach(system, row)
    step = reach / WAVE_NUMBERS
    scan = (directions[:, None, :] * (step * np.arange(WAVE_NUMBERS + 1))[:, None]).reshape(-1, 3)
    starts = _resonances(system, row, directions, reach)
    tried = np.concatenate([scan, starts])
    growth = _growth(system, row, tried)
    share = float(np.mean(growth[: len(scan)] > 0.0))
    if not np.nanmax(growth) > 0.0:
        zero = system.solve(np.array([row]), np.zeros((1, 3)))
        return Largest(zero, np.full(3, np.nan), share, step)
    best, growth = _places(tried, growth, step)
    best, growth = _refined(system, row, best, growth, 0.5 * step, FIRST_ROUNDS)
    order = np.argsort(-growth)[:FINALISTS]
    best, growth = _refined(
        system, row, best[order], growth[order], 0.5 * step / 2**FIRST_ROUNDS * 8, LAST_ROUNDS
    )
    k = best[int(np.argmax(growth))]
    return Largest(system.solve(np.array([row]), k[None]), k, share, step)


def wave_number_reach(system: Inhomogeneous, row: int) -> float:
    """Wave number up to which it is worth looking, MeV: that at which k^2/4E outweighs every detuning.

    1.5 sqrt(4 E_max (4 |V| + 8 g max w |n|)), INHOMOGENEOUS.md section 12; at most 2 E_max.
    """
    occupations = system.occupations
    n = occupations.rho[row] + occupations.rhobar[row] - 1.0
    detuning = 4.0 * np.linalg.norm(system.drift[row])
    detuning += 8.0 * system.g[row] * np.abs(system.grid.weight * n).max()
    return float(min(1.5 * math.sqrt(4.0 * system.energy_max * detuning), 2.0 * system.energy_max))


def _growth(system: Inhomogeneous, row: int, k: Floats) -> Floats:
    """Growth at wave vectors (P, 3); 0 where none can be vouched for, as such a point is no find."""
    found = system.solve(np.full(len(k), row), k).arrays["inhomogeneous_growth_rate"]
    return np.where(np.isnan(found), 0.0, found)


def _directions(drift: Floats) -> Floats:
    """Unit vectors (D, 3) over half of the sphere: growth is even in k.

    Axes and their diagonals, those along and across V, and a spiral that fills what is left.
    """
    axes = np.eye(3)
    chosen = [*axes]
    chosen += [axes[i] + s * axes[j] for i in range(3) for j in range(i) for s in (1, -1)]
    length = np.linalg.norm(drift)
    if length > 0.0:
        along = drift / length
        across = [np.cross(along, axis) for axis in axes]
        chosen += [along, *across, *(np.cross(along, v) for v in across)]
    height = (np.arange(SPREAD_DIRECTIONS) + 0.5) / SPREAD_DIRECTIONS
    ring = np.sqrt(1.0 - height**2)
    turn = GOLDEN * np.arange(SPREAD_DIRECTIONS)
    chosen += list(np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=1))
    vectors = np.array([v / np.linalg.norm(v) for v in chosen if np.linalg.norm(v) > 1e-6])
    kept: list[Floats] = []
    for vector in vectors:
        if all(abs(vector @ other) < 1.0 - 1e-6 for other in kept):
            kept.append(vector)
    return np.array(kept)


def _resonances(system: Inhomogeneous, row: int, directions: Floats, reach: float) -> Floats:
    """Wave vectors (S, 3) at which two beams of one energy and opposite sign of n are in tune (section 3).

    k^2 [sin^2(k, p_i) - sin^2(k, p_j)] = 4 E [2 V.(p_i - p_j) - 4 g (w_i n_i - w_j n_j)], growth up to
    2 g sqrt(w_i w_j |n_i n_j|) (1 + p_i.p_j); the STARTS strongest of each direction.
    """
    grid, g = system.grid, system.g[row]
    strength = grid.weight * (system.occupations.rho[row] + system.occupations.rhobar[row] - 1.0)
    first, second = [], []
    for energy in range(grid.bin_energy.size):
        members = np.flatnonzero(grid.energy_bin == energy)
        filled, empty = members[strength[members] > 0.0], members[strength[members] < 0.0]
        # the strongest of each sign are enough to start from
        filled = filled[np.argsort(-strength[filled])][:16]
        empty = empty[np.argsort(strength[empty])][:16]
        first.append(np.repeat(filled, empty.size))
        second.append(np.tile(empty, filled.size))
    i, j = np.concatenate(first), np.concatenate(second)
    if i.size == 0:
        return np.empty((0, 3))
    p_hat = grid.p_hat
    cosine = (p_hat[i] * p_hat[j]).sum(axis=1)
    rate = 2.0 * g * np.sqrt(np.abs(strength[i] * strength[j])) * (1.0 + cosine)
    detuning = 2.0 * (p_hat[i] - p_hat[j]) @ system.drift[row] - 4.0 * g * (strength[i] - strength[j])
    found = []
    for direction in directions:
        bend = (p_hat[j] @ direction) ** 2 - (p_hat[i] @ direction) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            squared = 4.0 * grid.energy[i] * detuning / bend
        usable = np.flatnonzero((squared > 0.0) & (squared <= reach**2))
        strongest = usable[np.argsort(-rate[usable], kind="stable")][: 4 * STARTS]
        numbers = np.unique(np.round(np.sqrt(squared[strongest]), 9))[:STARTS]
        found.append(numbers[:, None] * direction)
    return np.concatenate(found)


def _places(k: Floats, growth: Floats, step: float) -> tuple[Floats, Floats]:
    """Return the best PLACES that are at least a step apart, best first."""
    kept: list[int] = []
    for i in np.argsort(-growth, kind="stable"):
        if len(kept) == PLACES or not growth[i] > 0.0:
            break
        if all(np.linalg.norm(k[i] - k[other]) > step for other in kept):
            kept.append(int(i))
    return k[kept], growth[kept]


def _refined(
    system: Inhomogeneous, row: int, k: Floats, growth: Floats, step: float, rounds: int
) -> tuple[Floats, Floats]:
    """Compass search of all places (Q, 3) together: six neighbours each, half the step where none is better."""
    places = len(k)
    steps = np.full(places, step)
    everywhere = np.arange(places)
    for _ in range(rounds):
        frames = _frames(k)
        moves = np.concatenate([frames, -frames], axis=1) * steps[:, None, None]
        neighbours = k[:, None, :] + moves
        found = _growth(system, row, neighbours.reshape(-1, 3)).reshape(places, -1)
        best: NDArray[np.intp] = np.argmax(found, axis=1)
        better = found[everywhere, best] > growth
        k = np.where(better[:, None], neighbours[everywhere, best], k)
        growth = np.where(better, found[everywhere, best], growth)
        steps = np.where(better, steps, 0.5 * steps)
        if steps.max() < SMALLEST_STEP * max(np.linalg.norm(k, axis=1).max(), step):
            break
    return k, growth


def _frames(vectors: Floats) -> Floats:
    """Three orthogonal unit vectors (Q, 3, 3) each, the first along the vector; the axes where it vanishes."""
    length = np.linalg.norm(vectors, axis=1)[:, None]
    along = vectors / np.where(length > 0.0, length, 1.0)
    across = np.cross(along, np.eye(3)[np.argmin(np.abs(along), axis=1)])
    size = np.linalg.norm(across, axis=1)[:, None]
    across /= np.where(size > 0.0, size, 1.0)
    frames = np.stack([along, across, np.cross(along, across)], axis=1)
    return np.where(length[:, :, None] > 0.0, frames, np.eye(3))
