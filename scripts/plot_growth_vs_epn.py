#!/usr/bin/env python3
"""Two pictures of sweeps/epn_crossing.toml: growth rate against the EPN crossing, and the instability map.

Written as a user's own script: the public interface of pairsweep and nothing else.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pairsweep as ps


def main() -> int:
    """Draw both pictures of the store named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path, help="results of sweeps/epn_crossing.toml")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder for the pictures")
    parser.add_argument("--format", choices=("png", "pdf", "svg"), default="png")
    arguments = parser.parse_args()
    try:
        ds = ps.open_store(arguments.store)
        strongest = {"g": float(ds["g"].max())}
        pictures = {
            "growth_vs_epn": ps.plot.draw("growth-vs-epn", ds),
            "instability_map": ps.plot.draw("growth-map", ds, x="rho_high", y="rho_low", select=strongest),
        }
    except ps.UsageError as problem:
        print(problem, file=sys.stderr)
        return 2
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures.items():
        path = arguments.out / f"{name}.{arguments.format}"
        ps.plot.save(figure, path)
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
