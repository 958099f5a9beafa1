#!/usr/bin/env python3
"""Cost of verdicts: points of maps along few and many directions, with angles integrated, and at weak coupling.

One core, warm, process time. ``--old COMMIT`` runs a few points of the tree at that commit beside it, such as the
parent of the one that solves verdicts in blocks, where a ladder is climbed at every point; the rest is extrapolated.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from pairsweep.analyses.continuum.analysis import VERDICTS, ContinuumOptions
from pairsweep.analyses.continuum.solver import solve
from pairsweep.analyses.growth.analysis import GrowthOptions
from pairsweep.physics.grid import Grid, bins
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Systems

BEFORE = "0fc017e^"  # the last commit with a ladder at every point
# What another tree is asked through its public interface: points (10, *shape) over g, warm, seconds a point.
OLD = """
import sys, time
import pairsweep as ps
SPEC = '''
analyses = ["growth", "continuum"]
[grid]
kind = "bins"
n_energy = 10
n_theta = {}
n_phi = {}
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = 0.9
rho_low = 0.1
[coupling]
g = {}
'''
def seconds(n_theta, n_phi, g):
    started = time.process_time()
    ps.run(SPEC.format(n_theta, n_phi, g), scheduler="serial", quiet=True)
    return time.process_time() - started
n_theta, n_phi, count = map(int, sys.argv[1:])
few, many = [1e-6, 1e-4], "{ start = 1e-6, stop = 1e-3, num = %d, spacing = 'log' }" % count
seconds(1, 4, few)  # compile
print(seconds(n_theta, n_phi, many) / count)
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


def before(commit: str, limit: float) -> None:
    """Time a few points of the tree at a commit, in a process of its own; stopped after ``limit`` seconds."""
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory(prefix="pairsweep-before-") as folder:
        packed = subprocess.run(
            ["git", "archive", commit, "pairsweep"], cwd=root, capture_output=True, check=True
        )
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        for shape, count in (((1, 4), 8), ((8, 8), 1)):
            name = f"before: {(10, *shape)}, g = 1e-6 to 1e-3"
            command = [sys.executable, "-c", OLD, *map(str, (*shape, count))]
            try:
                done = subprocess.run(
                    command,
                    env=os.environ | {"PYTHONPATH": folder},
                    cwd=folder,
                    capture_output=True,
                    text=True,
                    timeout=limit,
                    check=True,
                )
            except subprocess.TimeoutExpired:
                print(f"{name:44s} {count:8d} not done after {limit:.0f} s", flush=True)
                continue
            each = float(done.stdout.split()[-1])
            whole = f"{each / 0.36:.1f} hours for 10^4 points"
            print(f"{name:44s} {count:8d} {each * count:9.2f} s {1e3 * each:9.1f} ms   {whole}", flush=True)


def main() -> None:
    """Print a row for each set of points."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--old", metavar="COMMIT", help=f"run a few points of it beside, such as {BEFORE}")
    parser.add_argument(
        "--limit", type=float, default=240.0, help="seconds for each kind of point of the old one"
    )
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
        before(arguments.old, arguments.limit)


if __name__ == "__main__":
    main()
