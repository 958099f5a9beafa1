"""The table of docs/continuum.md on angles: growth along 8 to 128 directions per angle, and with angles integrated.

Run ``python scripts/continuum/angles.py`` (a minute on one core). With up to `CERTIFIED` different shifts the fastest
root is certified to be that; with more it is the one that Newton's method reaches from the integrated root.
"""

from __future__ import annotations

import numpy as np

from pairsweep.analyses.continuum.kernels.medium import Anchor, prepare
from pairsweep.analyses.continuum.kernels.roots import follow
from pairsweep.analyses.continuum.profile import spectrum, uniform_directions
from pairsweep.analyses.continuum.solver import (
    GROWTH_TOLERANCE,
    continuum_modes,
    settled,
    solve_turned_profile,
)
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Profile

ENERGY_MAX = 20.0
CERTIFIED = 300
COUNTS = (8, 16, 32, 64, 128)
LEVELS = {"rho_high": 0.9, "rho_low": 0.1}


def isotropic(energy: np.ndarray, theta: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Everything filled below 15 MeV, nothing above."""
    rho = np.where(energy < 15.0, 1.0, 0.0)
    return rho, rho


CASES = (
    ("quadrant", PATTERNS["quadrant"].profile(**LEVELS), 3e-4),
    ("band of 8 to 12 MeV", PATTERNS["energy_band"].profile(e_low=8.0, e_high=12.0, **LEVELS), 2e-4),
    ("isotropic", Profile(isotropic, (15.0,), True, (), ()), 1e-4),
)


def along(profile: Profile, count: int, g: float, root: complex) -> complex:
    """Fastest root along ``count`` by ``count`` directions, MeV."""
    system = spectrum(profile, uniform_directions(count, count), ENERGY_MAX)
    medium = prepare(*system.pieces, g, False)
    if medium.shift.size <= CERTIFIED:
        modes = continuum_modes(system, g)
        if not modes.certified:
            raise RuntimeError(f"{count} directions: {modes.status.text}")
        return complex(modes.frequency, modes.growth_rate)
    work = np.empty((3, 9), dtype=complex)
    found, reached = follow(medium, Anchor(1, 0.0, 0.0), root, GROWTH_TOLERANCE * medium.coupling, work)
    if not reached:
        raise RuntimeError(f"{count} directions: the root was not reached")
    return complex(found)


def main() -> None:
    """Print a row for each occupation."""
    print("| occupation | g | " + " | ".join(f"{n} x {n}" for n in COUNTS) + " | integrated |")
    print("|" + " --- |" * (len(COUNTS) + 3))
    for name, profile, g in CASES:
        whole = solve_turned_profile(profile, ENERGY_MAX, np.array([g]), cutoff=False)
        if not settled(whole)[0]:
            raise RuntimeError(f"{name}: the integrated root does not settle")
        root = complex(whole.frequency[0], whole.growth[0])
        rates = [along(profile, n, g, root).imag for n in COUNTS]
        print(
            f"| {name} | {g:g} | " + " | ".join(f"{r:.5f}" for r in rates) + f" | {root.imag:.5f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
