#!/usr/bin/env python3
"""Cost of verdicts: points of maps along few and many directions, with angles integrated, and at weak coupling.

One core, warm, process time. ``--old DIR`` runs points of a checkout from before verdicts were solved in blocks beside
it, with the ladder that it always climbed (few points are enough).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from pairsweep.analyses.continuum.analysis import VERDICTS, ContinuumOptions
from pairsweep.analyses.continuum.solver import solve
from pairsweep.analyses.growth.analysis import GrowthOptions
from pairsweep.physics.grid import Grid, bins
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Systems

OLD = """
import sys, time
import numpy as np
from pairsweep.analyses.continuum.solver import examine
from pairsweep.analyses.growth.solver import fastest_mode
from pairsweep.physics.grid import bins
from pairsweep.physics.occupation import quadrant
shape, rungs = (1, 4), tuple(2**k for k in range(8))
def point(g):
    return examine(bins(10, *shape), lambda grid: quadrant(grid, 0.9, 0.1), energy_max=20.0, g=g,
                   discrete_growth=fastest_mode, refinements=rungs)
point(1e-4)
started = time.process_time()
for g in np.geomspace(1e-6, 1e-3, 8):
    point(g)
print((time.process_time() - started) / 8)
"""


def quadrant(grid: Grid, g: np.ndarray, levels: np.ndarray) -> Systems:
    """The Letter's pattern at couplings (P,) and upper levels (P,)."""
    pattern = PATTERNS["quadrant"]
    rho, rhobar = pattern.function(grid, rho_high=levels[:, None], rho_low=0.1)
    same = pattern.profile(rho_high=0.9, rho_low=0.1)
    distinct = np.unique(levels).size > 1

    def profile(row: int):
        return pattern.profile(rho_high=float(levels[row]), rho_low=0.1) if distinct else same

    return Systems(grid, rho, rhobar, g, np.full(g.size, 20.0), profile)


def row(name: str, systems: Systems, options: ContinuumOptions) -> None:
    """Time one set of points and count its verdicts."""
    started = time.process_time()
    found = solve(systems, options, GrowthOptions())
    seconds = time.process_time() - started
    counts = np.bincount(found.arrays["verdict"], minlength=len(VERDICTS))
    told = ", ".join(f"{n} {verdict}" for n, verdict in zip(counts, VERDICTS, strict=True) if n)
    print(
        f"{name:44s} {systems.size:8d} {seconds:9.2f} s {1e3 * seconds / systems.size:9.4f} ms   {told}",
        flush=True,
    )


def main() -> None:
    """Print a row for each set of points."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--old", type=Path, help="checkout to run beside it")
    parser.add_argument("--share", type=float, default=1.0, help="of the points, for a shorter run")
    arguments = parser.parse_args()

    def points(most: int) -> tuple[np.ndarray, np.ndarray]:
        count = max(4, int(arguments.share * most))
        return np.geomspace(1e-6, 1e-3, count), np.full(count, 0.9)

    integrated = ContinuumOptions(angles="continuous")
    for options in (ContinuumOptions(), integrated):  # compile
        solve(quadrant(bins(10, 1, 4), np.array([1e-6, 3e-4]), np.full(2, 0.9)), options, GrowthOptions())
    row("(10, 1, 4), g = 1e-6 to 1e-3", quadrant(bins(10, 1, 4), *points(10_000)), ContinuumOptions())
    row("(10, 8, 8), g = 1e-6 to 1e-3", quadrant(bins(10, 8, 8), *points(200)), ContinuumOptions())
    row("(10, 1, 4), angles integrated", quadrant(bins(10, 1, 4), *points(200)), integrated)
    varied = np.linspace(0.5, 1.0, points(10_000)[0].size)
    row(
        "(10, 1, 4), every point its own occupation",
        quadrant(bins(10, 1, 4), points(10_000)[0], varied),
        ContinuumOptions(),
    )
    levels = np.linspace(0.0, 1.0, int(arguments.share * 10**6))
    weak = np.full(levels.size, 1e-6)
    row("(10, 1, 4), g = 1e-6, any level", quadrant(bins(10, 1, 4), weak, levels), ContinuumOptions())
    if arguments.old is not None:
        environment = os.environ | {"PYTHONPATH": str(arguments.old)}
        command = [sys.executable, "-c", OLD]
        done = subprocess.run(
            command, env=environment, cwd=arguments.old, capture_output=True, text=True, check=True
        )
        print(f"before: (10, 1, 4), ladder to 1280 bins {1e3 * float(done.stdout):.1f} ms a point")


if __name__ == "__main__":
    main()
