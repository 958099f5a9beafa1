"""The tables of docs/continuum.md: what the continuum in energy says about the Letter's statements.

Run ``python scripts/continuum/account.py`` (a few minutes on one core).
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from pairsweep.analyses.continuum.analysis import VERDICTS
from pairsweep.analyses.continuum.kernels.medium import Anchor, dispersion, prepare
from pairsweep.analyses.continuum.profile import Spectrum, spectrum
from pairsweep.analyses.continuum.solver import (
    Ladder,
    continuum_modes,
    cutoff_shift,
    examine,
    judge,
)
from pairsweep.analyses.growth.solver import fastest_mode, growth_of_systems
from pairsweep.physics.grid import Grid, bins
from pairsweep.physics.patterns.energy_band import energy_band
from pairsweep.physics.patterns.quadrant import quadrant
from pairsweep.physics.patterns.registry import PATTERNS

ENERGY_MAX = 20.0
NO_LADDER = Ladder(np.empty(0, np.int64), np.empty(0), np.empty(0))


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row) + " |")
    print()


def energy_bins() -> None:
    """The Letter's set-up with 1 to 12 bins, and one positive bin on finer and finer grids."""
    print("## Quadrant pattern, (., 1, 4), g = 1e-6\n")
    rows: list[tuple[object, ...]] = []
    for n_energy in (1, 2, 3, 4, 5, 8, 12):
        found = examine(
            bins(n_energy, 1, 4),
            lambda grid: quadrant(grid, 0.9, 0.1),
            energy_max=ENERGY_MAX,
            g=1e-6,
            discrete_growth=fastest_mode,
            refinements=(1, 2, 4, 8),
        )
        ladder = " ".join(f"{rate:.3g}" for rate in found.ladder_growth)
        rows.append(
            (n_energy, ladder, found.continuum_growth_rate, found.vouched_growth, VERDICTS[found.verdict])
        )
    table(("N_E", "ladder 1, 2, 4, 8", "continuum", "vouched (MeV)", "verdict"), rows)

    print("## One positive bin at 10 MeV, (., 1, 4), g = 1e-6\n")
    rows = []
    for n_energy in (25, 51, 101, 201, 401):
        half = 0.5 * ENERGY_MAX / n_energy
        parameters = {"e_low": 10.0 - half, "e_high": 10.0 + half, "rho_high": 0.9, "rho_low": 0.1}
        grid = bins(n_energy, 1, 4)
        rho, rhobar = energy_band(grid, **parameters)
        own = fastest_mode(grid.energy, grid.weight, grid.p_hat, rho + rhobar - 1, 1e-6)[0]
        found = examine(
            grid,
            lambda grid, parameters=parameters: energy_band(grid, **parameters),
            energy_max=ENERGY_MAX,
            g=1e-6,
            discrete_growth=fastest_mode,
            refinements=(1, 2, 4, 8),
            edges=PATTERNS["energy_band"].edges(**parameters).energy,
        )
        scaled = own / (1e-6 * 100.0 * ENERGY_MAX / n_energy)
        ladder = " ".join(f"{rate:.3g}" for rate in found.ladder_growth)
        rows.append((n_energy, own, scaled, ladder, VERDICTS[found.verdict]))
    table(("N_E", "growth (MeV)", "growth/(g E^2 dE)", "same band refined 1, 2, 4, 8", "verdict"), rows)


def coupling() -> None:
    """The Letter's occupation and the empty gas from small to large coupling."""
    print("## Quadrant pattern against the coupling\n")
    rows: list[tuple[object, ...]] = []
    for shape in ((1, 4), (8, 8)):
        for g in (1e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 1e-2):
            grid = bins(1, *shape)
            rho, rhobar = quadrant(grid, 0.9, 0.1)
            own = fastest_mode(grid.energy, grid.weight, grid.p_hat, rho + rhobar - 1, g)
            common = {"n_theta": shape[0], "n_phi": shape[1], "energy_max": ENERGY_MAX}
            system = spectrum(lambda grid: quadrant(grid, 0.9, 0.1), **common)
            modes = continuum_modes(system, g)
            empty = continuum_modes(spectrum(lambda grid: quadrant(grid, 0.0, 0.0), **common), g)
            rows.append(
                (
                    f"(1,{shape[0]},{shape[1]})",
                    g,
                    g * ENERGY_MAX**2,
                    own[0],
                    modes.growth_rate,
                    modes.frequency,
                    cutoff_shift(system, g, modes),
                    empty.growth_rate,
                )
            )
    table(
        ("grid", "g", "g E_max^2", "N_E = 1", "continuum", "frequency", "cutoff shift", "empty gas"),
        rows,
    )


def random_spectrum(random: np.random.Generator, structured: bool, shape: tuple[int, int]) -> Spectrum:
    """A random occupation: any EPN on up to 4 pieces, or two levels inside and outside of a band in one quadrant."""
    sphere = bins(1, *shape)
    kind = random.integers(3)  # no positive EPN, no negative one, anything

    def level(size):
        value = random.uniform(0, 1, size)
        return -value if kind == 0 else value if kind == 1 else value * random.choice([-1, 1], size)

    if structured:
        low, high = np.sort(random.uniform(0, ENERGY_MAX, 2))
        edges = np.array([0.0, low, high, ENERGY_MAX])
        inside, outside = level(2)
        n = np.full((sphere.size, 3), outside)
        n[(sphere.quadrant == 0), 1] = inside
    else:
        pieces = int(random.integers(1, 5))
        edges = np.array([0.0, *np.sort(random.uniform(0, ENERGY_MAX, pieces - 1)), ENERGY_MAX])
        n = level((sphere.size, pieces))
    solid_angle = np.full(sphere.size, 4 * np.pi / sphere.size)
    return Spectrum(edges, np.repeat(n[:, :, None], 2, axis=2), solid_angle, sphere.p_hat)


def on_grid(system: Spectrum, grid: Grid) -> np.ndarray:
    """EPN of a piecewise constant spectrum at the bin centres."""
    piece = np.searchsorted(system.edges, grid.bin_energy) - 1
    return system.n[:, piece, 0].T.ravel()


def static_eigenvalue(system: Spectrum, g: float) -> float:
    """Largest real part of the eigenvalues of D at frequency 0."""
    medium = prepare(system.solid_angle, system.direction, system.edges, system.n, g)
    W, dW = np.empty((3, 3), complex), np.empty((3, 3), complex)
    dispersion(medium, Anchor(1, 0.0, 0.0), 1e-9j, W, dW)
    return float(np.linalg.eigvals(np.eye(3) - W).real.max())


def random_occupations(samples: int) -> None:
    """Crossing against stability, on a grid and in the continuum."""
    random = np.random.default_rng(2604)
    counts: Counter[tuple[str, str, str, str]] = Counter()
    static: Counter[tuple[str, str, bool]] = Counter()
    weak: Counter[str] = Counter()
    for structured in (False, True):
        for shape in ((1, 4), (2, 4)):
            grid = bins(8, *shape)
            share = samples // 4
            systems = [random_spectrum(random, structured, shape) for _ in range(share)]
            couplings = 10 ** random.uniform(-6, -3, share)
            epn = np.array([on_grid(system, grid) for system in systems])
            found = growth_of_systems(grid, epn, couplings)
            growth = np.where([r is None for r in found.reasons], found.arrays["growth_rate"], np.nan)
            for system, g, own in zip(systems, couplings, growth, strict=True):
                modes = continuum_modes(system, float(g))
                signs = {bool(value > 0) for value in system.n.ravel()}
                crossing = "crossing" if len(signs) == 2 else "all n > 0" if True in signs else "all n < 0"
                verdict = VERDICTS[judge(float(own), modes, modes.certified, NO_LADDER, system)]
                regime = "g E_max^2 < 0.02" if g * ENERGY_MAX**2 < 0.02 else "above"
                counts["structured" if structured else "unstructured", regime, crossing, verdict] += 1
                beyond = static_eigenvalue(system, float(g)) > 1
                static[crossing, "unstable" if modes.growth_rate > 0 else "stable", beyond] += 1
                if modes.growth_rate > 0:
                    weak[
                        "below 1e-4 of the coupling"
                        if modes.growth_rate < 1e-4 * _coupling(system, g)
                        else "faster"
                    ] += 1
    print(
        f"## {samples} random occupations, 8 energy bins, (1, 4) and (2, 4) directions, g from 1e-6 to 1e-3\n"
    )
    rows: list[tuple[object, ...]] = []
    for key in sorted({key[:3] for key in counts}):
        rows.append((*key, *(counts[(*key, verdict)] for verdict in VERDICTS)))
    table(("occupation", "coupling", "EPN", *VERDICTS), rows)
    print("Continuum roots against the largest eigenvalue of D(0):\n")
    rows = [
        (
            crossing,
            *(
                static[crossing, state, beyond]
                for beyond in (False, True)
                for state in ("stable", "unstable")
            ),
        )
        for crossing in ("all n > 0", "all n < 0", "crossing")
    ]
    table(("EPN", "D(0) < 1, stable", "D(0) < 1, unstable", "D(0) > 1, stable", "D(0) > 1, unstable"), rows)
    print(dict(weak))


def _coupling(system: Spectrum, g: float) -> float:
    _, weight, _, n = system.cells(64)
    return float(4 * g * (weight * np.abs(n)).sum())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000)
    arguments = parser.parse_args()
    energy_bins()
    coupling()
    random_occupations(arguments.samples)
