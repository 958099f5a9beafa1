#!/usr/bin/env python3
"""CPU seconds of the first use on an empty code cache, beside those of another state of this repository.

Each row is one fresh process with an empty cache, and one more that finds the code of the first; the difference is
what compiling costs. "everything" is all rows after each other on one cache. Usage: compile.py [--against REVISION]
[--only ROW ...]; a row costs up to a minute per state.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
SYSTEM = """
import pairsweep as ps
grid = ps.bins(n_energy=2, n_theta=1, n_phi=4, energy_max=20.0)
occupation = ps.quadrant(grid, rho_high=0.9, rho_low=0.1)
"""
EVOLVE = SYSTEM + "ps.evolve(grid, *occupation, g=1e-6, t_end=100.0, samples=11, method={!r}, tolerance=1e-4)"
SPEC = """
title = "a small sweep"
analyses = {analyses}
[grid]
kind = "bins"
n_energy = {n_energy}
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = {rho_high}
rho_low = 0.1
[coupling]
g = 1e-6
"""
SWEEP = (
    "import tempfile, pathlib, pairsweep as ps; folder = tempfile.TemporaryDirectory();"
    "spec = pathlib.Path(folder.name) / 'spec.toml'; spec.write_text({text!r});"
    "ps.run(spec, store=folder.name + '/out.zarr', scheduler='serial', quiet=True)"
)
ROWS = {
    "ps.growth, 8 pairs": SYSTEM + "ps.growth(grid, *occupation, g=1e-6)",
    "growth sweep, small grids": SWEEP.format(
        text=SPEC.format(
            analyses='["growth"]', n_energy="[1, 2]", rho_high="{ start = 0.5, stop = 1.0, num = 11 }"
        )
    ),
    "ps.evolve, splitting": EVOLVE.format("splitting"),
    "ps.evolve, averaged": EVOLVE.format("averaged"),
    "growth and continuum sweep": SWEEP.format(
        text=SPEC.format(analyses='["growth", "continuum"]', n_energy="2", rho_high="0.9")
    ),
}
EVERYTHING = "everything"


def cpu_seconds(code: str, tree: Path, cache: str) -> float:
    """CPU time of one process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=tree,  # where python -c looks first
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PAIRSWEEP_CACHE_DIR": cache, "PYTHONPATH": str(tree)},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def first_and_next(codes: list[str], tree: Path) -> tuple[float, float]:
    """CPU time of processes on an empty cache, and on the one that they have filled."""
    with tempfile.TemporaryDirectory() as cache:
        first, following = (sum(cpu_seconds(code, tree, cache) for code in codes) for _ in range(2))
    return first, following


def checked_out(revision: str, folder: str) -> Path:
    """Write the files of a revision into a folder."""
    archive = subprocess.run(["git", "-C", HERE, "archive", revision], check=True, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return Path(folder)


def main() -> None:
    """Print one line for each row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--against", metavar="REVISION", help="another state of the repository, measured beside this"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="ROW", choices=[*ROWS, EVERYTHING], help="only these rows"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trees = {"here": HERE}
        if options.against:
            trees = {options.against: checked_out(options.against, folder), **trees}
        print(f"{'CPU seconds: first, next time':<30}" + "".join(f"{name:>20}" for name in trees))
        for row in options.only or [*ROWS, EVERYTHING]:
            codes = [ROWS[row]] if row in ROWS else list(ROWS.values())
            figures = [first_and_next(codes, tree) for tree in trees.values()]
            print(
                f"{row:<30}" + "".join(f"{first:12.1f}{following:8.1f}" for first, following in figures),
                flush=True,
            )


if __name__ == "__main__":
    main()
