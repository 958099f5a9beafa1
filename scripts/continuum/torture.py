"""Continuum roots of a torture set against 40-digit arithmetic: are they roots, and are there others?

Random piecewise occupations, smooth ones cut into pieces, roots at edges, exponentially weak, static and double ones,
tiny residues. A root that is found must be one in 40 digits (Newton there moves it by rounding only), and Newton in 40
digits from random places must find no other one. Run ``python scripts/continuum/torture.py`` (minutes on one core).
"""

from __future__ import annotations

import argparse
from collections import Counter

import mpmath
import numpy as np

from pairsweep.analyses.continuum.kernels.couplings import Pieces
from pairsweep.analyses.continuum.kernels.medium import prepare
from pairsweep.analyses.continuum.kernels.roots import Status, continuum_roots, mode_table
from pairsweep.analyses.continuum.profile import density_of_linear

ENERGY_MAX = 20.0
DIGITS = 40
BUDGET = 400_000
TOLERANCE = 1e-9
KINDS = ("steps", "ramps", "smooth", "edges", "weak", "static", "double", "residues", "resonant")


def occupation(random: np.random.Generator, kind: str):
    """Directions, energy edges, EPN (D, K, 2) at both ends of pieces, and a coupling."""
    count = int(random.integers(1, 7))
    direction = random.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    solid = random.uniform(0.2, 1.0, count)
    g = 10 ** random.uniform(-5, -2.5)
    pieces = int(random.integers(1, 6))
    edges = np.array([0.0, *np.sort(random.uniform(0, ENERGY_MAX, pieces - 1)), ENERGY_MAX])
    n = np.repeat(random.uniform(-1, 1, (count, pieces, 1)), 2, axis=2)
    if kind == "ramps":
        n = random.uniform(-1, 1, (count, pieces, 2))
    elif kind == "smooth":
        edges = np.linspace(0, ENERGY_MAX, 25)
        middle, width = random.uniform(4, 16, count), random.uniform(0.5, 4, count)
        values = 2 / (np.exp((edges - middle[:, None]) / width[:, None]) + 1) - 1
        n = np.stack([values[:, :-1], values[:, 1:]], axis=2)
    elif kind == "edges":
        edges = np.array([0.0, 8.0, 8.0 + 10 ** random.uniform(-6, 0), ENERGY_MAX])
        n = np.repeat(random.choice([-1.0, 1.0], (count, 3, 1)), 2, axis=2)
    elif kind == "weak":
        g = 10 ** random.uniform(-5, -4.3)
        n = np.sign(n)
    elif kind == "static":
        g = 10 ** random.uniform(-3.6, -2.8)
        n = -np.abs(n)
    elif kind == "double":
        direction, solid = np.vstack([np.eye(3), -np.eye(3)]), np.ones(6)
        n = np.repeat(n[:1], 6, axis=0)
    elif kind == "residues":
        tiny = random.choice([-1, 1], n.shape) * 10 ** random.uniform(-17, -6, n.shape)
        n = np.where(random.random(n.shape) < 0.5, tiny, n)
    elif kind == "resonant":
        direction = np.repeat(direction[:1], count, axis=0) + 1e-9 * random.normal(size=(count, 3))
        direction /= np.linalg.norm(direction, axis=1)[:, None]
    return solid * 4 * np.pi / solid.sum(), direction, edges, n, g


class Exact:
    """det W and its derivative in 40 digits, with the shifts worked out in them too."""

    def __init__(self, solid, direction, edges, n, g) -> None:
        mp = mpmath.mpf
        self.g, self.edges = mp(float(g)), [mp(float(e)) for e in edges]
        self.solid = [mp(float(s)) for s in solid]
        self.direction = [[mp(float(x)) for x in q] for q in direction]
        self.lines = [
            [
                self._line(mp(float(a)), mp(float(b)), low, high)
                for (a, b), low, high in zip(row, self.edges[:-1], self.edges[1:], strict=True)
            ]
            for row in n
        ]
        content = [
            sum(
                (c + 1) * (high**3 - low**3) / 3 + m * (high**4 - low**4) / 4
                for (c, m), low, high in zip(row, self.edges[:-1], self.edges[1:], strict=True)
            )
            for row in self.lines
        ]
        J0 = [
            sum(s * c * q[i] for s, c, q in zip(self.solid, content, self.direction, strict=True))
            for i in range(3)
        ]
        self.shift = [self.g * sum(q[i] * J0[i] for i in range(3)) for q in self.direction]

    @staticmethod
    def _line(a, b, low, high):
        slope = (b - a) / (high - low)
        return a - slope * low, slope

    def integral(self, z, d):
        """Integral of E^2 n/(z - E) over E."""
        total = mpmath.mpc(0)
        for (c, m), low, high in zip(self.lines[d], self.edges[:-1], self.edges[1:], strict=True):
            logarithm = mpmath.log((z - low) / (z - high))
            here = c + m * z
            total += here * (z**2 * logarithm - z * (high - low) - (high**2 - low**2) / 2)
            total -= m * (high**3 - low**3) / 3
        return total

    def determinant(self, omega):
        """Det W."""
        D = [[mpmath.mpc(0)] * 3 for _ in range(3)]
        for d, (x, y, z) in enumerate(self.direction):
            cross = [[0, -z, y], [z, 0, -x], [-y, x, 0]]
            q = (x, y, z)
            for side in (1, -1):
                K = self.g * self.solid[d] * self.integral(side * omega / 2 + 2 * self.shift[d], d)
                for i in range(3):
                    for j in range(3):
                        D[i][j] += K * ((i == j) - q[i] * q[j] - side * mpmath.mpc(0, 1) * cross[i][j])
        W = [[(i == j) - D[i][j] for j in range(3)] for i in range(3)]
        return (
            W[0][0] * (W[1][1] * W[2][2] - W[1][2] * W[2][1])
            - W[0][1] * (W[1][0] * W[2][2] - W[1][2] * W[2][0])
            + W[0][2] * (W[1][0] * W[2][1] - W[1][1] * W[2][0])
        )

    def polished(self, omega, floor):
        """Zero near ``omega`` by the secant method; None where it does not settle above the floor."""
        step = omega.imag * mpmath.mpf("1e-6")
        before, here = omega + step, omega
        f_before, f_here = self.determinant(before), self.determinant(here)
        for _ in range(40):
            if f_here == f_before:
                break
            following = here - f_here * (here - before) / (f_here - f_before)
            if not floor / 3 < following.imag < 1000:
                return None
            before, f_before, here = here, f_here, following
            if abs(here - before) < mpmath.mpf(10) ** (-25) * here.imag:
                return here
            f_here = self.determinant(here)
        return here if abs(here - before) < mpmath.mpf("1e-8") * here.imag else None


def examine(random: np.random.Generator, kind: str, probes: int) -> str:
    """Solve one system and compare; a word for what came out."""
    solid, direction, edges, n, g = occupation(random, kind)
    pieces = Pieces(solid, direction, edges, density_of_linear(edges, n))
    medium = prepare(*pieces, g, False)
    table = mode_table(64)
    floor = TOLERANCE * medium.coupling
    status, count, vouched = continuum_roots(medium, floor, BUDGET, table)
    if status != Status.CERTIFIED:
        return "undetermined"
    exact = Exact(solid, direction, edges, n, g)
    roots = []
    for i in range(count):
        sign, energy, shift = table.anchors[i]
        nearest = min(exact.shift, key=lambda s: abs(s - shift)) if (energy, shift) != (0.0, 0.0) else 0
        offset = mpmath.mpc(complex(table.offsets[i]))
        start = int(sign) * (2 * mpmath.mpf(energy) - 4 * nearest) + offset
        root = exact.polished(start, mpmath.mpf(floor))
        if root is None or abs(root.imag - offset.imag) > mpmath.mpf("1e-6") * offset.imag:
            if table.multiplicities[i] == 1:
                return f"wrong root {kind} {g:.3e} {table.rates[i]:.3e}"
            root = start  # the secant method crawls at a multiple root
        roots.append(root)
    for _ in range(probes):
        growth = medium.coupling * 10 ** random.uniform(-7, 0.3)
        corner = random.choice(edges) * 2 - 4 * random.choice(medium.shift)
        place = corner + growth * random.normal() if random.random() < 0.5 else random.uniform(0, 45)
        other = exact.polished(mpmath.mpc(abs(place), growth), mpmath.mpf(10 * vouched))
        if other is None or other.imag < 10 * vouched:
            continue
        if not any(
            abs(abs(root.real) - abs(other.real)) + abs(root.imag - other.imag)
            < mpmath.mpf("1e-5") * other.imag
            for root in roots
        ):
            return f"missed {kind} {g:.3e} {float(other.imag):.3e}"
    return "right, no root" if count == 0 else "right"


def main() -> None:
    """Print what came out, kind by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=2000)
    parser.add_argument("--probes", type=int, default=4, help="random starts in 40 digits of each system")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    counts: Counter[tuple[str, str]] = Counter()
    with mpmath.workdps(DIGITS):
        for i in range(arguments.systems):
            kind = KINDS[i % len(KINDS)]
            counts[kind, examine(random, kind, arguments.probes)] += 1
    for (kind, said), count in sorted(counts.items()):
        print(f"{kind:10s} {count:6d} {said}")


if __name__ == "__main__":
    main()
