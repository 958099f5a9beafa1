#!/usr/bin/env python3
"""Growth rates of small systems in bulk: points per second, three ways side by side.

- bulk: ``kernels.bulk.bulk_growth``, certified, on every core (threads; the kernel releases the GIL)
- loop: what one would write by hand, a parallel numba loop that builds M and takes all its eigenvalues
- numpy: the matrices of a block stacked, ``numpy.linalg.eigvals``

Maps of rho_high against rho_low with the quadrant pattern at g = 1e-6 MeV^-2, random occupations for comparison. Every
figure is the best of a few runs over the same points, the growth rates of the three are compared, and points that the
bulk kernel would not certify are counted. Usage: bulk.py [cores] [largest N].
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from pairsweep.analyses.growth.kernels.batch.solve import bulk_growth
from pairsweep.analyses.growth.kernels.dense import stability_matrices, stability_matrix
from pairsweep.analyses.growth.kernels.results import PointTable, point_table
from pairsweep.physics import grid as grids
from pairsweep.physics.patterns.quadrant import quadrant

SHAPES = ((1, 1, 4), (1, 1, 8), (2, 1, 4), (4, 1, 4), (2, 4, 4), (1, 8, 8))
COUPLING = 1e-6


@numba.njit(parallel=True, error_model="numpy")
def dense_loop(energy, weight, p_hat, theta_hat, phi_hat, n, g, out):
    """Largest real part of the eigenvalues of every point's M."""
    size = 2 * energy.size
    for point in numba.prange(g.size):
        M = np.empty((size, size))
        stability_matrix(energy, weight, p_hat, theta_hat, phi_hat, n[point], g[point], M)
        out[point] = np.linalg.eigvals(M.astype(np.complex128)).real.max()


def loop(grid, n, g, cores):
    """Growth rates by the hand-written loop."""
    numba.set_num_threads(cores)
    out = np.empty(g.size)
    dense_loop(grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, n, g, out)
    return out


def stacked(grid, n, g, cores):
    """Growth rates by stacked matrices, 2000 points at a time."""
    out = np.empty(g.size)
    for first in range(0, g.size, 2000):
        block = slice(first, first + 2000)
        M = np.empty((g[block].size, 2 * grid.size, 2 * grid.size))
        stability_matrices(
            grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, n[block], g[block], M
        )
        out[block] = np.linalg.eigvals(M).real.max(axis=1)
    return out


def bulk(grid, n, g, cores):
    """Growth rates by the bulk kernel, NaN where not certified."""
    tolerance = 1e-6 * 4.0 * g * (np.abs(n) @ grid.weight)
    out = point_table(g.size, 0, 1)
    share = -(-g.size // (8 * cores)) * 8

    def part(first):
        block = slice(first, first + share)
        bulk_growth(
            grid.energy,
            grid.weight,
            grid.p_hat,
            n[block],
            g[block],
            tolerance[block],
            grid.energy_bin,
            PointTable(*(array[block] for array in out)),
        )

    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(part, range(0, g.size, share)))
    return np.where(out.status == 0, out.growth_rate, np.nan)


def best(function, grid, n, g, cores, repeats):
    """Shortest wall-clock time and the growth rates."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        rates = function(grid, n, g, cores)
        times.append(time.perf_counter() - started)
    return min(times), rates


def occupations(grid, points, random):
    """EPN (points, N) of a square map, or random."""
    if random:
        return np.random.default_rng(0).uniform(-1, 1, (points, grid.size))
    side = int(np.ceil(np.sqrt(points)))
    high, low = np.meshgrid(np.linspace(0.5, 1.0, side), np.linspace(0.0, 0.5, side))
    rho, rhobar = quadrant(grid, high.ravel()[:points, None], low.ravel()[:points, None])
    return np.ascontiguousarray(rho + rhobar - 1.0)


def main() -> None:
    """Print the table."""
    cores = int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count() or 1
    largest = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    print(f"{cores} cores; points/s; difference of growth from the loop over the coupling 4 g sum w |n|")
    print(f"{'shape':>10} {'N':>3} {'map':>8} {'points':>8} {'bulk':>10} {'loop':>10} {'numpy':>9} "
          f"{'bulk/loop':>9} {'unsure':>7} {'difference':>10}")  # fmt: skip
    for shape in SHAPES:
        grid = grids.bins(*shape)
        if grid.size > largest:
            continue
        for random in (False, True):
            points = 1_000_000 if grid.size == 4 and not random else max(256, 400_000 // grid.size**2)
            n = occupations(grid, points, random)
            g = np.full(points, COUPLING)
            few = max(64, points // 10) if grid.size == 4 else max(64, points // 4)
            for function in (bulk, loop, stacked):
                function(grid, n[:16], g[:16], cores)
            fast, rates = best(bulk, grid, n, g, cores, 3)
            slow, dense = best(loop, grid, n[:few], g[:few], cores, 2)
            stack, _ = best(stacked, grid, n[:few], g[:few], cores, 1)
            scale = 4.0 * COUPLING * (np.abs(n[:few]) @ grid.weight)
            difference = np.nanmax(np.abs(rates[:few] - dense) / scale)
            print(f"{shape!s:>10} {grid.size:>3} {'random' if random else 'quadrant':>8} {points:>8} "
                  f"{points / fast:>10.0f} {few / slow:>10.0f} {few / stack:>9.0f} "
                  f"{points / fast * slow / few:>9.1f} {np.isnan(rates).sum():>7} {difference:>10.1e}")  # fmt: skip


if __name__ == "__main__":
    main()
