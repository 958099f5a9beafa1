#!/usr/bin/env python3
"""Cost of modes with a wave number: points a second, certified against dense, and searches over all k.

One core, warm, process time, best of three. Dense is LAPACK on the eigenvalue form of the same function (pairs and
conjugates), its matrix built beforehand; the certified cost includes the occupations at p + k/2 and p - k/2. k is
drawn at random, about 1 MeV long; the quadrant 0.9/0.1 at g = 1e-6 MeV^-2.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

import pairsweep as ps
from pairsweep.analyses.inhomogeneous.occupations import FunctionOccupations, evaluated
from pairsweep.analyses.inhomogeneous.search import largest_growth
from pairsweep.analyses.inhomogeneous.solver import Inhomogeneous, Medium

SHAPES = {
    (5, 1, 4): 4000,
    (4, 8, 8): 40,
    (8, 16, 16): 4,
    (100, 8, 8): 2,
    (400, 8, 8): 1,
}
DENSE_PAIRS = 256
SEARCHES = [(5, 1, 4), (32, 1, 4), (4, 8, 8)]
G = 1e-6
WIDTHS = (9, 9, 8, 6, 9, 6)


def best(function: Callable[[], object], times: int = 3) -> float:
    """Least process time of a few calls, seconds."""
    elapsed = []
    for _ in range(times):
        started = time.process_time()
        function()
        elapsed.append(time.process_time() - started)
    return min(elapsed)


def quadrant(energy: np.ndarray, theta: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Occupation of the Letter."""
    rho = np.where((phi > 0) & (phi < np.pi / 2), 0.9, 0.1)
    return rho, rho


def gas(shape: tuple[int, int, int]) -> Inhomogeneous:
    """One system."""
    grid = ps.bins(*shape)
    pair, _ = evaluated(quadrant, grid.energy, grid.theta, grid.phi)
    return Inhomogeneous(
        grid, FunctionOccupations((quadrant,), pair[0][None], pair[1][None]), np.array([G]), Medium()
    )


def dense(system: Inhomogeneous, k: np.ndarray) -> float:
    """Cost of all eigenvalues of the same function at one k, its matrix built beforehand, seconds."""
    location, strength, vector, constant = system.poles(0, k)
    metric = vector.conj() @ np.linalg.inv(constant) @ vector.T
    matrix = np.diag(location) + strength[:, None] * metric
    return best(lambda: np.linalg.eigvals(matrix))


def certified(system: Inhomogeneous, points: int) -> tuple[float, int]:
    """Cost of a point, seconds, and the number of points without a certificate."""
    k = np.random.default_rng(0).normal(scale=0.6, size=(points, 3))
    rows = np.zeros(points, dtype=np.intp)
    failed = len(system.solve(rows, k).failures)
    return best(lambda: system.solve(rows, k)) / points, failed


def main() -> None:
    """Print the tables."""
    heads = ("ms/point", "points/s", "us/pair", "failed", "dense ms", "ratio")
    print(
        f"{'grid':>12s} {'N':>6s}", *(f"{head:>{width}s}" for head, width in zip(heads, WIDTHS, strict=True))
    )
    for shape, points in SHAPES.items():
        system, size = gas(shape), math.prod(shape)
        seconds, failed = certified(system, points)
        numbers: list[str] = [
            f"{1e3 * seconds:.3f}",
            f"{1 / seconds:.0f}",
            f"{1e6 * seconds / size:.1f}",
            f"{failed}",
        ]
        if size <= DENSE_PAIRS:
            lapack = dense(system, np.array([0.3, -0.4, 0.5]))
            numbers += [f"{1e3 * lapack:.2f}", f"{lapack / seconds:.1f}"]
        print(
            f"{shape!s:>12s} {size:6d}",
            *(f"{n:>{w}s}" for n, w in zip(numbers, WIDTHS, strict=False)),
            flush=True,
        )
    for shape in SEARCHES:
        system = gas(shape)
        found = largest_growth(system)
        rate = float(found.result.arrays["inhomogeneous_growth_rate"][0])
        started = time.process_time()
        largest_growth(system)
        seconds = time.process_time() - started
        k = float(np.linalg.norm(found.k))
        print(f"search {shape}: {seconds:.2f} s, {rate:.4e} MeV at k = {k:.3f} MeV", flush=True)


if __name__ == "__main__":
    main()
