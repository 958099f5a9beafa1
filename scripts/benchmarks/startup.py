#!/usr/bin/env python3
"""How long until something happens: import, --help, a small sweep from warm and from cold compiled code.

Each line is the median of fresh processes; goals: import light, help 0.5 s, warm about 2 s, cold 15 s.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SWEEP = Path(__file__).resolve().parents[2] / "sweeps" / "energy_bins.toml"
COMMAND = [sys.executable, "-m", "pairsweep"]


def seconds(arguments: list[str], cache: str) -> float:
    """Wall-clock time of one process."""
    started = time.perf_counter()
    subprocess.run(
        arguments, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PAIRSWEEP_CACHE_DIR": cache}
    )
    return time.perf_counter() - started


def sweep(cache: str) -> float:
    """Time of a small sweep into a new store."""
    with tempfile.TemporaryDirectory() as folder:
        return seconds([*COMMAND, "run", str(SWEEP), "--store", f"{folder}/out.zarr", "--quiet"], cache)


def main() -> None:
    """Print one line for each."""
    with tempfile.TemporaryDirectory() as warm:
        sweep(warm)
        rows = [
            (
                "import pairsweep",
                [seconds([sys.executable, "-c", "import pairsweep"], warm) for _ in range(7)],
            ),
            ("python alone", [seconds([sys.executable, "-c", "pass"], warm) for _ in range(7)]),
            ("pairsweep --help", [seconds([*COMMAND, "--help"], warm) for _ in range(7)]),
            ("small sweep, warm", [sweep(warm) for _ in range(5)]),
        ]
        cold = []
        for _ in range(3):
            with tempfile.TemporaryDirectory() as cache:
                cold.append(sweep(cache))
        rows.append(("small sweep, cold", cold))
    for name, times in rows:
        print(
            f"{name:<20} {statistics.median(times):6.2f} s   (of {len(times)}: {min(times):.2f} ... {max(times):.2f})"
        )


if __name__ == "__main__":
    main()
