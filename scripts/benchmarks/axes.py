#!/usr/bin/env python3
"""What the same number of points costs as a plane, on one axis, as cases (also of a file), as draws, in several sizes.

    axes.py                 10^6 points of the Letter's grid: reading, plan, run and a run with nothing to do
    axes.py --points 1e4    as many

CPU seconds of one process, so that other users of the machine do not count. A place of the code that walks a whole
axis for each block or point shows as a ratio to the plane far above 1. The last line reads and plans ten times as many
points on one axis.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from pairsweep.points.axes import expand
from pairsweep.spec.reader import parse_spec
from pairsweep.sweep.run import Where, plan_sweep, run_to_store

T = TypeVar("T")
SPEC = """
{zip}
analyses = ["growth"]
[grid]
kind = "bins"
n_energy = {n_energy}
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = {rho_high}
rho_low = {rho_low}
[coupling]
g = 1e-6
"""


def span(start: float, stop: float, num: int) -> str:
    """Write a range."""
    return f"{{ start = {start}, stop = {stop}, num = {num} }}"


def write_cases(folder: Path, points: int) -> None:
    """Write a file of cases with a coordinate of its own."""
    rng = np.random.default_rng(0)
    columns = rng.uniform(0.5, 1.0, points), rng.uniform(0.0, 0.4, points), np.arange(points)
    rows = np.stack(columns, axis=1)
    np.savetxt(folder / "cases.csv", rows, "%.17g", ",", header="rho_high,rho_low,radius", comments="")


def specifications(points: int) -> dict[str, str]:
    """Give the same number of points, laid out differently."""
    side = round(points**0.5)
    alone = {"zip": "", "n_energy": "1", "rho_low": "0.1"}
    high, low = span(0.5, 1.0, side * side), span(0.0, 0.4, side * side)
    together = alone | {"zip": 'zip = [["rho_high", "rho_low"]]', "rho_high": high, "rho_low": low}
    lines = SPEC.format(**alone | {"zip": 'cases = "cases.csv"', "rho_high": "0"}).splitlines(keepends=True)
    of_file = "".join(line for line in lines if not line.startswith("rho_"))
    drawn = alone | {"rho_high": "{ low = 0.5, high = 1.0 }", "rho_low": "{ low = 0.0, high = 0.4 }"}
    rows = min(side * side, 10**5)  # a list stands in the file, which has an end
    sizes = {
        "zip": 'zip = [["rho_high", "n_energy"]]',
        "rho_high": span(0.5, 1.0, rows),
        "n_energy": str([1 + row % 3 for row in range(rows)]),
    }
    return {
        "plane": SPEC.format(**alone | {"rho_high": span(0.5, 1.0, side), "rho_low": span(0.0, 0.4, side)}),
        "axis": SPEC.format(**alone | {"rho_high": high}),
        "cases": SPEC.format(**together),
        "cases of a file": of_file,
        "draws": SPEC.format(**drawn) + f"[sample]\ncount = {side * side}\n",
        f"{rows:,} cases of three sizes": SPEC.format(**alone | sizes),
    }


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Give CPU seconds and the result of work."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=float, default=1e6)
    points = int(parser.parse_args().points)
    files_of = tempfile.TemporaryDirectory()
    folder_of = Path(files_of.name)
    write_cases(folder_of, 100)
    for text in specifications(100).values():  # compiles
        plan_sweep(expand(parse_spec(text, folder=folder_of)))
    write_cases(folder_of, round(points**0.5) ** 2)
    print(
        f"{'':32}{'read s':>9}{'plan s':>9}{'run s':>9}{'again s':>9}{'blocks':>9}{'files':>9}{'run/plane':>11}"
    )
    plane = 0.0
    for name, text in specifications(points).items():
        reading, spec = timed(partial(parse_spec, text, folder=folder_of))
        planning, plan = timed(partial(plan_sweep, expand(spec)))
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "out.zarr"
            run = partial(run_to_store, spec, store, Where("serial"), quiet=True)
            running, again = timed(run)[0], timed(run)[0]
            files = sum(1 for _ in store.rglob("*"))
        each = running / plan.sweep.n_points
        plane = plane or each
        print(
            f"{name:32}{reading:9.2f}{planning:9.2f}{running:9.2f}{again:9.2f}{plan.template.n_blocks:9d}{files:9d}"
            f"{each / plane:11.2f}"
        )
    longest = min(10 * points, 10**7)
    text = SPEC.format(zip="", n_energy=1, rho_low=0.1, rho_high=span(0.5, 1.0, longest))
    reading, spec = timed(partial(parse_spec, text))
    planning, plan = timed(partial(plan_sweep, expand(spec)))
    print(f"{f'axis of {longest:,}':32}{reading:9.2f}{planning:9.2f}{'':18}{plan.template.n_blocks:9d}")
    files_of.cleanup()


if __name__ == "__main__":
    main()
