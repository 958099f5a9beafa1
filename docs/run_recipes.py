"""Runs what recipes.md and snapshots.md command, in a scratch folder: which fail? Makes the pictures of the guide."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from pages import Block, blocks, links

HERE = Path(__file__).resolve().parent
PAGES = ("recipes.md", "snapshots.md")
# pictures of other pages, and what makes them
SWEEPS, SCRIPTS = (HERE.parent / name for name in ("sweeps", "scripts"))


def of_sweep(sweep: str, picture: str, options: str) -> tuple[str, str]:
    """Commands that run a shipped sweep and draw the growth in the continuum against something."""
    plot = f"pairsweep plot growth-vs {sweep}.zarr -o {picture} --y continuum_growth_rate {options}"
    return f"pairsweep run {SWEEPS}/{sweep}.toml --store {sweep}.zarr", plot


OTHERS = {
    "growth_vs_epn.png": (
        f"pairsweep run {SWEEPS}/epn_crossing.toml --store epn_crossing.zarr",
        f"python {SCRIPTS}/plot_growth_vs_epn.py epn_crossing.zarr --out .",
    ),
    "view.png": (f"python {SCRIPTS}/picture_of_view.py view.png",),
    "orders.png": (f"python {SCRIPTS}/benchmarks/averaging.py --picture orders.png",),
    "edges.png": of_sweep("continuum_edges", "edges.png", "--x edge_width"),
    "fermi_surface.png": of_sweep("fermi_surface", "fermi_surface.png", "--x smearing"),
    "fermi_gap.png": of_sweep("fermi_gap", "fermi_gap.png", "--x 1/g"),
    "fermi_gap_angles.png": of_sweep("fermi_gap_angles", "fermi_gap_angles.png", "--x 1/g"),
}


def environment(scratch: Path) -> dict[str, str]:
    """Commands find this Python and this tree's pairsweep, installed or not."""
    shims = scratch / ".shims"
    shims.mkdir()
    for name, arguments in (("python", ""), ("pairsweep", "-m pairsweep ")):
        shim = shims / name
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
        shim.chmod(0o755)
    paths = {"PATH": f"{shims}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(HERE.parent)}
    return {**os.environ, **paths, "MPLBACKEND": "Agg", "MPLCONFIGDIR": str(scratch / ".matplotlib")}


def attempts(recipe: list[Block], scratch: Path, env: dict[str, str]) -> Iterator[tuple[str, float, str]]:
    """Save a recipe's files and run its commands in order: each with its seconds and what it said if it failed."""
    for block in recipe:
        if block.name:
            (scratch / block.name).write_text(block.text, "utf-8")
        if block.language != "sh":
            continue
        for command in block.commands:
            started = time.perf_counter()
            done = subprocess.run(
                ["bash", "-c", command], cwd=scratch, env=env, capture_output=True, text=True, check=False
            )
            yield command, time.perf_counter() - started, done.stderr if done.returncode else ""


def run(title: str, parts: list[Block], scratch: Path, env: dict[str, str]) -> int:
    """Run what stands under a title, say how it went, and return how many commands failed."""
    print(title)
    failed = 0
    for command, seconds, said in attempts(parts, scratch, env):
        print(f"  {'FAILED' if said else 'ok':<7}{seconds:6.1f} s  {command}", flush=True)
        if said:
            failed += 1
            print(said, file=sys.stderr)
    return failed


def main() -> int:
    """Run all recipes, or those whose question holds a word."""
    parser = argparse.ArgumentParser(prog="scripts/recipes", description=__doc__)
    parser.add_argument("words", nargs="*", help="run only recipes whose question holds one of these")
    parser.add_argument("--update-pictures", action="store_true", help="put the pictures into docs/pictures")
    options = parser.parse_args()
    page = "\n".join((HERE / name).read_text("utf-8") for name in PAGES)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="pairsweep-recipes-") as folder:
        scratch = Path(folder)
        env = environment(scratch)
        (scratch / "scripts").symlink_to(HERE.parent / "scripts")
        for question, recipe in groupby(blocks(page), key=lambda block: block.heading):
            if not options.words or any(word.lower() in question.lower() for word in options.words):
                failed += run(question, list(recipe), scratch, env)
        if not options.words:
            for name, commands in OTHERS.items():
                failed += run(name, [Block("sh", "\n".join(commands), name, 0)], scratch, env)
        written = [path.read_text("utf-8") for path in (*HERE.glob("*.md"), HERE.parent / "README.md")]
        shown = {Path(target).name for text in written for target in links(text) if "pictures/" in target}
        made = [name for name in shown if (scratch / name).is_file()]
        if not options.words:
            for name in sorted(shown - set(made)):
                failed += 1
                print(f"  FAILED  no command makes the picture {name}")
        if options.update_pictures:
            for name in made:
                shutil.copyfile(scratch / name, HERE / "pictures" / name)
    print(f"{failed} failed" if failed else "all recipes work")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
