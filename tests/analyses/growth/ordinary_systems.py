"""Systems that users have: patterns over ranges through 0, 0.5 and 1, thermal gases, tables; for tests and torture.

Their EPN are often of rounding size, or tiny beside the others, where random numbers never are.
"""

import numpy as np

import pairsweep as ps
from pairsweep.physics.grid import Grid, beams, bins

SHAPES = (
    (1, 1, 4),
    (1, 2, 4),
    (2, 1, 4),
    (3, 2, 4),
    (1, 4, 8),
    (4, 2, 4),
    (1, 8, 8),
    (4, 4, 4),
    (2, 8, 8),
    (3, 4, 12),
)
COUPLINGS = (-14.0, -2.0)


def _range(rng: np.random.Generator) -> float:
    """One value of a range as a user writes it: by linspace or arange, through 0, 0.5 or 1."""
    if rng.random() < 0.5:
        values = np.linspace(
            *rng.choice([[0, 0.7], [0.3, 1], [0, 1], [0.1, 0.9], [0.45, 0.55]]), rng.choice([8, 11, 15])
        )
    else:
        values = np.arange(*rng.choice([[0, 1.01, 0.1], [0.3, 0.71, 0.05], [0, 1.001, 0.01]]))
    return float(np.clip(rng.choice(values), 0, 1))


def _coupling(rng: np.random.Generator, energy_max: float = 20.0) -> float:
    # 1e-2 at 20 MeV is far beyond every threshold
    return float(10 ** rng.uniform(*COUPLINGS) * (20.0 / energy_max) ** 2)


def _grid(rng: np.random.Generator) -> Grid:
    shape = SHAPES[rng.integers(len(SHAPES))]
    return bins(*shape, 20.0, str(rng.choice(["midpoint", "exact"])))


def quadrant_range(rng):
    """A quadrant map."""
    grid = _grid(rng)
    rho, rhobar = ps.quadrant(grid, _range(rng), _range(rng))
    return grid, rho + rhobar - 1.0, _coupling(rng)


def band_range(rng):
    """A band in energy, in the quadrant."""
    grid = bins(int(rng.integers(2, 6)), int(rng.choice([1, 2])), 4, 20.0)
    low = rng.uniform(0, 15)
    rho, rhobar = ps.energy_band(grid, low, low + rng.uniform(0.5, 10), _range(rng), _range(rng))
    return grid, rho + rhobar - 1.0, _coupling(rng)


def thermal(rng):
    """A thermal gas of any degeneracy and dipole."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    energy_max = float(rng.choice([20.0, 50.0, 100.0]))
    grid = bins(*shape, energy_max)
    temperature = float(rng.choice([0.5, 1.0, 4.0, 8.0, 20.0]))
    mu = temperature * float(rng.choice([-15, -3, -1, 0, 0.5, 3, 10, 20, 40]))
    rho, rhobar = ps.fermi_dirac(grid, temperature, mu, float(rng.choice([0, 1e-6, 0.01, 0.1, 0.5, 1])))
    return grid, rho + rhobar - 1.0, _coupling(rng, energy_max)


def tiny_among_normal(rng):
    """Random EPN, some of them between 1e-17 and 1e-6."""
    grid = _grid(rng)
    n = rng.choice(rng.uniform(-1, 1, int(rng.choice([2, 3, grid.size]))), grid.size)
    tiny = rng.random(grid.size) < rng.choice([0.1, 0.5, 0.9])
    exponents = rng.uniform(-17, -6, grid.size if rng.random() < 0.5 else 1)
    n[tiny] = (rng.choice([-1, 1], grid.size) * 10**exponents * np.ones(grid.size))[tiny]
    n[rng.random(grid.size) < rng.choice([0, 0.2])] = 0.0
    return grid, n, _coupling(rng)


def tiny_beams(rng):
    """Beams of a few energies, some of tiny EPN."""
    pairs = int(rng.integers(2, 24))
    energy = rng.choice(rng.uniform(1, 20, 3), pairs) if rng.random() < 0.7 else rng.uniform(1, 20, pairs)
    grid = beams(
        energy,
        rng.uniform(0.1, 1, pairs) * 400,
        np.arccos(rng.uniform(-1, 1, pairs)),
        rng.uniform(0, 6.28, pairs),
    )
    n = rng.uniform(-1, 1, pairs)
    tiny = rng.random(pairs) < 0.4
    n[tiny] = rng.choice([-1, 1], tiny.sum()) * 10 ** rng.uniform(-17, -6, tiny.sum())
    return grid, n, _coupling(rng)


def single_precision(rng):
    """A table of float32: smooth spectra with an angular dependence, rounded."""
    grid = _grid(rng)
    temperature = rng.uniform(2, 8)
    shape = 1 + rng.uniform(0, 1) * np.cos(grid.theta) + rng.uniform(0, 0.5) * np.cos(grid.phi)
    rho = np.clip(shape / (np.exp(grid.energy / temperature - rng.uniform(0, 3)) + 1), 0, 1)
    rhobar = rng.choice([0, 1e-6, 0.3, 1.0]) * rho if rng.random() < 0.5 else 1 - rho
    rho, rhobar = (values.astype(np.float32).astype(float) for values in (rho, rhobar))
    return grid, rho + rhobar - 1.0, _coupling(rng)


def snapshot(rng):
    """A full sea of neutrinos, hardly any antineutrinos."""
    grid = _grid(rng)
    rho = 1 / (1 + np.exp((grid.energy - rng.uniform(20, 80)) / rng.uniform(0.5, 3)))
    rhobar = 10 ** rng.uniform(-17, -3) * (1 + 0.3 * np.cos(grid.theta))
    return grid, rho + rhobar - 1.0, _coupling(rng)


FAMILIES = (
    quadrant_range,
    band_range,
    thermal,
    tiny_among_normal,
    tiny_beams,
    single_precision,
    snapshot,
)
