#!/usr/bin/env python3
"""Cost of all unstable modes of one system against its size, with dense eigenvalues beside it while they last.

One core, warm, process time, best of three; the slope is that of log cost against log N over the largest decade.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

import pairsweep as ps
from pairsweep.analyses.growth.kernels.dense import stability_matrix
from pairsweep.analyses.growth.kernels.general.modes import (
    Status,
    coupling_norm,
    mode_table,
    unstable_modes,
)
from pairsweep.physics.grid import Grid

SHAPES = [
    (1, 1, 4),
    (1, 4, 4),
    (1, 8, 8),
    (4, 8, 8),
    (8, 16, 16),
    (100, 8, 8),
    (25, 32, 32),
    (100, 32, 32),
    (250, 64, 64),
]
DENSE_PAIRS = 256
G = 1e-6


def best(function: Callable[[], object], times: int = 3) -> float:
    """Least process time of a few calls, seconds."""
    elapsed = []
    for _ in range(times):
        started = time.process_time()
        function()
        elapsed.append(time.process_time() - started)
    return min(elapsed)


def solve(grid: Grid, n: np.ndarray) -> tuple[Status, int, float]:
    """Status, number of modes and cost of the certified solver."""
    table = mode_table(2 * grid.size)
    arguments = (grid.energy, grid.weight, grid.p_hat, n, G, 1e-6 * coupling_norm(grid.weight, n, G), table)
    status, count, _ = unstable_modes(*arguments)
    return Status(status), count, best(lambda: unstable_modes(*arguments))


def dense(grid: Grid, n: np.ndarray) -> float:
    """Cost of all eigenvalues of M."""
    matrix = np.empty((2 * grid.size, 2 * grid.size))
    frame = (grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat)
    stability_matrix(*frame, n, G, matrix)
    return best(lambda: np.linalg.eigvals(matrix))


def main() -> None:
    """Print the table."""
    print(
        f"{'N':>8s} {'occupation':>10s} {'modes':>7s} {'ms':>10s} {'us/pair':>8s} {'dense ms':>10s}  certificate"
    )
    costs: dict[str, list[tuple[int, float]]] = {"quadrant": [], "random": []}
    for shape in SHAPES:
        grid = ps.bins(*shape)
        rho, rhobar = ps.quadrant(grid, 0.9, 0.1)
        patterns = {
            "quadrant": rho + rhobar - 1,
            "random": np.random.default_rng(0).uniform(-1, 1, grid.size),
        }
        for name, n in patterns.items():
            status, count, seconds = solve(grid, n)
            costs[name].append((grid.size, seconds))
            beside = f"{1e3 * dense(grid, n):10.1f}" if grid.size <= DENSE_PAIRS else f"{'':10s}"
            print(
                f"{grid.size:8d} {name:>10s} {count:7d} {1e3 * seconds:10.3f} {1e6 * seconds / grid.size:8.2f} {beside}"
                f"  {status.text.split(':')[0]}",
                flush=True,
            )
    for name, points in costs.items():
        (small, cheap), (large, dear) = points[4], points[-1]
        print(
            f"slope of {name} from N = {small} to {large}: {math.log(dear / cheap) / math.log(large / small):.2f}"
        )


if __name__ == "__main__":
    main()
