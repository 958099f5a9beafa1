"""The tables of docs/continuum.md: what the continuum says about the Letter's statements.

Run ``python scripts/continuum/account.py`` (about an hour on one core; ``--samples 10000`` for less).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

import numpy as np

from pairsweep.analyses.continuum.analysis import VERDICTS, ContinuumOptions
from pairsweep.analyses.continuum.kernels.couplings import (
    Answers,
    Pieces,
    Task,
    room_for,
    solve_couplings,
)
from pairsweep.analyses.continuum.kernels.medium import Anchor, dispersion, prepare
from pairsweep.analyses.continuum.profile import (
    density_of_linear,
    spectrum,
    uniform_directions,
)
from pairsweep.analyses.continuum.solver import (
    BUDGET,
    GROWTH_TOLERANCE,
    NOTHING,
    judge,
    settled,
    solve,
    solve_profile,
    solve_turned_profile,
)
from pairsweep.analyses.growth.analysis import GrowthOptions
from pairsweep.analyses.growth.solver import fastest_mode, growth_of_systems
from pairsweep.physics.grid import Grid, bins
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Profile, Systems

ENERGY_MAX = 20.0
LEVELS = {"rho_high": 0.9, "rho_low": 0.1}
QUADRANT = PATTERNS["quadrant"].profile(**LEVELS)
EMPTY = PATTERNS["quadrant"].profile(rho_high=0.0, rho_low=0.0)
# One random occupation in so many is solved without the vacuum, too, and with angles integrated.
VACUUM_SHARE, TRUE_SHARE = 10, 200
ROUND = 2500  # random occupations of one kind at a time


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row) + " |")
    print(flush=True)


def one_system(grid: Grid, profile: Profile, g: float) -> Systems:
    """A profile on a grid."""
    rho, rhobar = profile.occupation(grid.energy, grid.theta, grid.phi)
    energy_max, coupling = np.array([ENERGY_MAX]), np.array([g])
    return Systems(grid, rho[None], rhobar[None], coupling, energy_max, lambda row: profile)


def laddered(grid: Grid, profile: Profile, g: float) -> tuple[str, float, float, str]:
    """Growth on 1, 2, 4, 8 times as many bins; continuum growth, what is vouched for, verdict."""
    options = ContinuumOptions(ladder_max=8 * grid.bin_energy.size)
    found = solve(one_system(grid, profile, g), options, GrowthOptions()).arrays
    ladder = ", ".join(f"{rate:.3g}" for rate in found["ladder_growth"][0])
    growth, vouched = found["continuum_growth_rate"][0], found["vouched_growth"][0]
    return ladder, float(growth), float(vouched), VERDICTS[found["verdict"][0]]


def energy_bins() -> None:
    """The Letter's set-up with 1 to 12 bins, and one positive bin on finer and finer grids."""
    print("## Quadrant pattern, (., 1, 4), g = 1e-6\n")
    rows: list[tuple[object, ...]] = [
        (n_energy, *laddered(bins(n_energy, 1, 4), QUADRANT, 1e-6)) for n_energy in (1, 2, 3, 4, 5, 8, 12)
    ]
    table(("N_E", "ladder 1, 2, 4, 8", "continuum", "vouched (MeV)", "verdict"), rows)

    print("## One positive bin at 10 MeV, (., 1, 4), g = 1e-6\n")
    rows = []
    for n_energy in (25, 51, 101, 201, 401):
        half = 0.5 * ENERGY_MAX / n_energy
        band = PATTERNS["energy_band"].profile(e_low=10.0 - half, e_high=10.0 + half, **LEVELS)
        grid = bins(n_energy, 1, 4)
        own = fastest_mode(grid.energy, grid.weight, grid.p_hat, one_system(grid, band, 1e-6).n[0], 1e-6)[0]
        scaled = own / (1e-6 * 100.0 * ENERGY_MAX / n_energy)
        ladder, _, _, verdict = laddered(grid, band, 1e-6)
        rows.append((n_energy, own, scaled, ladder, verdict))
    table(("N_E", "growth (MeV)", "growth/(g E^2 dE)", "same band refined 1, 2, 4, 8", "verdict"), rows)


def coupling() -> None:
    """The Letter's occupation and the empty gas from small to large coupling: directions, true angles, vacuum."""
    print("## Quadrant pattern against the coupling\n")
    couplings = np.array([1e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3])
    for subtracted in (False, True):
        print(f"### Vacuum {'taken out' if subtracted else 'as the grid has it'}\n")
        rows: list[tuple[object, ...]] = []
        for shape in ((1, 4), (8, 8), None):
            found, empty = (along(profile, shape, couplings, subtracted) for profile in (QUADRANT, EMPTY))
            name = "all directions" if shape is None else f"(., {shape[0]}, {shape[1]})"
            for i, g in enumerate(couplings):
                root = (float(found.growth[i]), float(found.frequency[i]), float(found.shift[i]))
                rows.append((name, g, g * ENERGY_MAX**2, *root, float(empty.growth[i])))
        table(("grid", "g", "g E_max^2", "continuum", "frequency", "cutoff shift", "empty gas"), rows)


def along(profile: Profile, shape: tuple[int, int] | None, g: np.ndarray, subtracted: bool):
    """Continuum modes along the directions of a grid, or with angles integrated."""
    if shape is None:
        return solve_turned_profile(profile, ENERGY_MAX, g, subtracted=subtracted)
    system = spectrum(profile, uniform_directions(*shape), ENERGY_MAX)
    return solve_profile(lambda _: system, True, g, subtracted=subtracted)


def random_levels(random: np.random.Generator, structured: bool, shape: tuple[int, int]):
    """Energy edges and EPN (D, K): up to 4 pieces in any direction, or inside and outside of a band in one quadrant."""
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
    return edges, n


def boxes(edges: np.ndarray, n: np.ndarray, shape: tuple[int, int]) -> Profile:
    """The occupation whose EPN in the whole cell of a direction is that direction's."""
    n_theta, n_phi = shape
    cosines, azimuths = np.linspace(-1, 1, n_theta + 1)[1:-1], np.arange(n_phi) * 2 * np.pi / n_phi

    def occupation(energy, theta, phi):
        polar = np.searchsorted(cosines, np.cos(theta))
        azimuth = np.minimum((np.mod(phi, 2 * np.pi) * n_phi / (2 * np.pi)).astype(int), n_phi - 1)
        piece = np.clip(np.searchsorted(edges, energy) - 1, 0, len(edges) - 2)
        rho = 0.5 * (1 + n[polar * n_phi + azimuth, piece])
        return rho, rho

    return Profile(occupation, tuple(edges[1:-1]), True, tuple(cosines), tuple(azimuths))


def static_eigenvalue(pieces: Pieces, g: float) -> float:
    """Largest real part of the eigenvalues of D at frequency 0."""
    W, dW = np.empty(9, complex), np.empty(9, complex)
    dispersion(prepare(*pieces, g, False), Anchor(1, 0.0, 0.0), 1e-9j, W, dW)
    s00, s01, s02, s11, s12, s22, x, y, z = W
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    symmetric = np.array([[s00, s01, s02], [s01, s11, s12], [s02, s12, s22]])
    return float(np.linalg.eigvals(np.eye(3) - symmetric - 1j * cross).real.max())


class Account:
    """Verdicts of random occupations, counted."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Counter] = {}
        self.static: Counter = Counter()
        self.strength: list[float] = []

    def add(self, view: str, key: tuple[str, ...], verdict: int) -> None:
        """Count one verdict of one view of the continuum."""
        self.verdicts.setdefault(view, Counter())[(*key, VERDICTS[verdict])] += 1

    def show(self) -> None:
        """Print every table."""
        for view, counts in self.verdicts.items():
            print(f"### {view}\n")
            keys = sorted({key[:3] for key in counts})
            rows: list[tuple[object, ...]] = [
                (*key, *(counts[(*key, verdict)] for verdict in VERDICTS)) for key in keys
            ]
            table(("occupation", "g E_max^2", "EPN", *VERDICTS), rows)
        print("Continuum roots against the largest eigenvalue of D(0), vacuum as it is:\n")
        rows = [
            (crossing, *(self.static[crossing, state, beyond] for beyond in (0, 1) for state in (0, 1)))
            for crossing in ("all n > 0", "all n < 0", "crossing")
        ]
        head = ("EPN", "below 1, stable", "below 1, unstable", "above 1, stable", "above 1, unstable")
        table(head, rows)
        if self.strength:
            found = np.array(self.strength)
            print(
                f"roots of crossings below 0.02: median growth {np.median(found):.2g} of the coupling, "
                f"largest {found.max():.2g}\n"
            )


def random_occupations(samples: int) -> None:
    """Crossing against stability, on a grid and in the continuum: directions, vacuum taken out, angles integrated."""
    started = time.perf_counter()
    random = np.random.default_rng(2604)
    account = Account()
    done = 0
    try:
        while done < samples:  # interrupted, it says what it has
            for structured in (False, True):
                for shape in ((1, 4), (2, 4)):
                    size = min(ROUND, -(-samples // 4))
                    _draw(account, random, structured, shape, size)
                    done += size
            print(f"{done} of {samples}, {time.perf_counter() - started:.0f} s", file=sys.stderr)
    except KeyboardInterrupt:
        pass
    print(f"## {done} random occupations, 8 energy bins, (1, 4) and (2, 4) directions\n")
    account.show()


def _draw(
    account: Account, random: np.random.Generator, structured: bool, shape: tuple[int, int], size: int
) -> None:
    """Count the verdicts of ``size`` random occupations."""
    grid = bins(8, *shape)
    drawn = [random_levels(random, structured, shape) for _ in range(size)]
    g = 10 ** random.uniform(-6, -3, size)
    epn = np.array([n[:, np.searchsorted(edges, grid.bin_energy) - 1].T.ravel() for edges, n in drawn])
    found = growth_of_systems(grid, epn, g)
    own = np.where([r is None for r in found.reasons], found.arrays["growth_rate"], np.nan)
    directions = uniform_directions(*shape)
    frame = (directions.solid_angle, directions.unit)
    for i, (edges, n) in enumerate(drawn):
        here = slice(i, i + 1)
        crossing = "crossing" if n.min() < 0 < n.max() else "all n > 0" if n.max() > 0 else "all n < 0"
        weak = "< 0.02" if g[i] * ENERGY_MAX**2 < 0.02 else "> 0.02"
        key = ("structured" if structured else "unstructured", weak, crossing)
        pieces = Pieces(*frame, edges, density_of_linear(edges, np.repeat(n[:, :, None], 2, axis=2)))
        bare = _solved(pieces, g[here], False)
        account.add("along the directions", key, int(judge(own[here], bare.growth, settled(bare))[0]))
        if weak == "< 0.02" and crossing == "crossing" and bare.growth[0] > 0:
            account.strength.append(float(bare.growth[0] / bare.vouched[0] * GROWTH_TOLERANCE))
        if i % VACUUM_SHARE == 0:
            taken = _solved(pieces, g[here], True)
            account.add("vacuum taken out", key, int(judge(own[here], taken.growth, settled(taken))[0]))
            beyond = static_eigenvalue(pieces, float(g[i])) > 1
            account.static[crossing, int(bare.growth[0] > 0), int(beyond)] += 1
        if i % TRUE_SHARE == 0:
            profile = boxes(edges, n, shape)
            for subtracted in (False, True):
                true = solve_turned_profile(profile, ENERGY_MAX, g[here], subtracted=subtracted, cutoff=False)
                view = "angles integrated" + (", vacuum taken out" if subtracted else "")
                account.add(view, key, int(judge(own[here], true.growth, settled(true))[0]))


def _solved(pieces: Pieces, g: np.ndarray, subtracted: bool) -> Answers:
    answers: Answers = room_for(1)
    solve_couplings(pieces, NOTHING, g, Task(GROWTH_TOLERANCE, subtracted, False, BUDGET), answers)
    return answers


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    arguments = parser.parse_args()
    energy_bins()
    coupling()
    random_occupations(arguments.samples)
