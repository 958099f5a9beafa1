#!/usr/bin/env python3
"""Awkward systems by the ten thousand through the bulk kernel, against dense and, at small g, exact eigenvalues.

Directions x energies x occupations x N, couplings from 1e-8 to 30 MeV^-2. ``wrong`` counts certified points whose
growth rate or number of unstable modes differs by more than the tolerance (1e-6 of the coupling) and by more than
dense eigenvalues are uncertain themselves: their rounding, and its root at a double eigenvalue. ``unsure`` points
are those that the kernel hands on. The second table compares with 50 digits, where nothing is uncertain, at g from
1e-14 on.
Usage: bulk_torture.py [seed] [exact systems].
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from pairsweep.physics import grid as grids
from tests.analyses.growth.kernels.batch.bulk_systems import (
    coupling,
    dense_eigenvalues,
    exact_eigenvalues,
    grow,
)

SIZES = (1, 2, 3, 4, 5, 6, 8, 12, 16, 24)
DIRECTIONS = ("random", "ring", "poles", "axes", "one")
ENERGIES = ("one", "two", "near", "random", "rest")
OCCUPATIONS = ("random", "levels", "positive", "negative", "isotropic", "tiny")


def angles(rng, kind, pairs):
    """theta and phi of the pairs."""
    index = np.arange(pairs)
    if kind == "random":
        return np.arccos(rng.uniform(-1, 1, pairs)), rng.uniform(0, 2 * np.pi, pairs)
    if kind == "ring":
        return np.full(pairs, np.pi / 2), (index + 0.5) * 2 * np.pi / pairs
    if kind == "poles":
        return np.where(index % 2, 0.0, np.pi), np.zeros(pairs)
    if kind == "axes":
        theta = np.array([0.5, 0.5, 0.0, 0.5, 0.5, 1.0]) * np.pi
        return theta[index % 6], (np.array([0.0, 0.5, 0.0, 1.0, 1.5, 0.0]) * np.pi)[index % 6]
    return np.full(pairs, 1.1), np.full(pairs, 0.3)


def energies(rng, kind, pairs):
    """Energies of the pairs, MeV."""
    index = np.arange(pairs)
    return {
        "one": np.full(pairs, 10.0),
        "two": np.where(index % 2, 5.0, 15.0),
        "near": 10.0 * (1 + 1e-9 * index),
        "random": rng.uniform(0.1, 20, pairs),
        "rest": np.where(index % 3 == 0, 0.0, 10.0),
    }[kind]


def occupations(rng, kind, points, pairs):
    """EPN of the points, (P, N)."""
    shape = (points, pairs)
    return {
        "random": rng.uniform(-1, 1, shape),
        "levels": rng.choice([-1.0, -0.8, 0.0, 0.8, 0.3], size=shape),
        "positive": rng.uniform(0, 1, shape),
        "negative": -rng.uniform(0, 1, shape),
        "isotropic": np.repeat(rng.uniform(-1, 1, (points, 1)), pairs, axis=1),
        "tiny": rng.uniform(-1, 1, shape) * 10.0 ** rng.integers(-18, 0, shape),
    }[kind]


def system(rng, pairs, directions, energy):
    """Beams, half of them with unequal weights."""
    weight = rng.uniform(0.1, 2, pairs) if rng.random() < 0.5 else np.ones(pairs)
    return grids.beams(energies(rng, energy, pairs), weight, *angles(rng, directions, pairs))


def judge(grid, n, g):
    """Numbers of unsure and of wrong points."""
    out = grow(grid, n, g)
    values = dense_eigenvalues(grid, n, g)
    width = coupling(grid, n, g)
    tolerance = 1e-6 * width + 1e-300
    rounding = 2e-15 * grid.size * (20 + width)
    uncertain = rounding + np.sqrt(rounding * width)
    sure = out["status"] == 0
    difference = np.abs(values.real.max(axis=1) - out["growth_rate"])
    counts = (values.real > tolerance[:, None]).sum(axis=1)
    wrong = (difference > 1.2 * tolerance) & (difference > uncertain)
    wrong |= (counts != out["n_unstable"]) & (
        np.abs(values.real - tolerance[:, None]).min(axis=1) > uncertain
    )
    return (~sure).sum(), (wrong & sure).sum()


def against_dense(rng):
    """First table: one line for each kind."""
    table: dict[tuple[str, str], np.ndarray] = {}
    for pairs in SIZES:
        points = 48 if pairs <= 12 else 16
        for directions in DIRECTIONS:
            for energy in ENERGIES:
                for kind in OCCUPATIONS:
                    grid = system(rng, pairs, directions, energy)
                    g = 10.0 ** rng.uniform(-8, 1.5, points)
                    unsure, wrong = judge(grid, occupations(rng, kind, points, pairs), g)
                    row = np.array([points, unsure, wrong])
                    for key in (
                        ("N", f"{pairs}"),
                        ("directions", directions),
                        ("energies", energy),
                        ("n", kind),
                    ):
                        table[key] = table.get(key, 0) + row
    print(f"{'':>10} {'':>10} {'points':>8} {'unsure':>8} {'wrong':>8}")
    for (what, kind), (points, unsure, wrong) in table.items():
        print(f"{what:>10} {kind:>10} {points:>8} {unsure:>8} {wrong:>8}")


def against_exact(rng, systems):
    """Second table: one line for each decade of g."""
    print(f"\n{'g, MeV^-2':>10} {'points':>8} {'unsure':>8} {'largest error over the coupling':>32}")
    for g in 10.0 ** np.arange(-14, 1, 2.0):
        worst, unsure = 0.0, 0
        for _ in range(systems):
            pairs = int(rng.integers(2, 7))
            grid = system(rng, pairs, "random", str(rng.choice(["one", "two", "random"])))
            n = occupations(rng, "random", 1, pairs)
            out = grow(grid, n, g)
            unsure += int(out["status"][0] != 0)
            width = coupling(grid, n, g)[0]
            growth = exact_eigenvalues(grid, n[0], g).real.max()
            if out["status"][0] == 0 and growth > 1e-6 * width:
                worst = max(worst, abs(out["growth_rate"][0] - growth) / width)
            elif out["status"][0] == 0:
                worst = max(worst, out["growth_rate"][0] / width)
        print(f"{g:>10.0e} {systems:>8} {unsure:>8} {worst:>32.1e}")


def main() -> None:
    """Print both tables."""
    rng = np.random.default_rng(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    against_dense(rng)
    against_exact(rng, int(sys.argv[2]) if len(sys.argv) > 2 else 25)


if __name__ == "__main__":
    main()
