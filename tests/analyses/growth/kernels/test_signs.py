"""What signs prove: never against the eigenvalues, and everything that is of one sign."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.signs import UNDECIDED, stable_by_signs
from pairsweep.physics.grid import beams, bins
from tests.analyses.growth.kernels.batch.bulk_systems import coupling, dense_eigenvalues


def decide(grid, n, g, tolerance=np.inf):
    n = np.atleast_2d(np.asarray(n, dtype=float))
    floor = np.empty(len(n))
    arguments = (np.full(len(n), float(g)), np.full(len(n), float(tolerance)), floor)
    decided = stable_by_signs(grid.energy, grid.weight, grid.p_hat, n, *arguments)
    assert decided == np.sum(floor != UNDECIDED)
    return floor


def random_beams(rng, pairs, energies=None):
    energy = rng.uniform(0.5, 20, pairs) if energies is None else rng.choice(energies, pairs)
    theta, phi = np.arccos(rng.uniform(-1, 1, pairs)), rng.uniform(0, 2 * np.pi, pairs)
    return beams(energy, rng.uniform(0.1, 1, pairs), theta, phi)


@pytest.mark.parametrize("seed", range(300))
def test_no_mode_grows_faster_than_the_bound(seed):
    rng = np.random.default_rng(seed)
    grid = random_beams(rng, int(rng.integers(2, 12)), rng.uniform(1, 20, 2) if seed % 2 else None)
    n = rng.choice([-1, 1]) * rng.random(grid.size)
    n[rng.random(grid.size) < 0.3] *= -(10 ** rng.uniform(-12, -3))
    g = 10 ** rng.uniform(-5, 0.5) / grid.weight.sum()
    floor = decide(grid, n, g)[0]
    if floor == UNDECIDED:
        return
    strength = coupling(grid, n[None], g)[0]
    noise = np.sqrt(1e-15 * grid.size * (40 + strength) * strength)
    assert dense_eigenvalues(grid, n, g).real.max() <= floor + noise


def test_the_bound_of_a_wrong_sign_is_within_a_factor_of_the_truth(both):
    # two pairs in resonance grow at 2 mu sqrt(small): Eq. 16
    grid = beams([1.0, 1.0], [1.0, 1.0], [np.pi / 2, 0.0], [0.0, 0.0])
    small, mu = 1e-4, 1e-3
    floor = decide(grid, [1.0, -small], mu)[0]
    growth = dense_eigenvalues(grid, [1.0, -small], mu).real.max()
    assert growth == pytest.approx(2 * mu * np.sqrt(small), rel=0.1)
    assert growth < floor < 5 * growth
    # and it is no bound where the tolerance is smaller
    assert decide(grid, [1.0, -small], mu, 0.5 * growth)[0] == UNDECIDED


def test_positive_signs_are_stable_at_any_coupling_while_all_frequencies_are_positive(both):
    grid = bins(2, 1, 4)
    n = np.full(8, 0.3)
    assert decide(grid, n, 1.0)[0] == 0.0
    assert decide(grid, n, 1.0, tolerance=1e-300)[0] == 0.0


def test_negative_signs_are_stable_up_to_the_static_threshold(both):
    # PHYSICS.md: the isotropic vacuum of the grid (1, 1, 4) turns unstable at g energy_max^2 = 0.0796
    grid = bins(1, 1, 4)
    threshold = 1 / (4 * np.pi) / 400
    assert decide(grid, -np.ones(4), 0.999 * threshold)[0] == 0.0
    assert decide(grid, -np.ones(4), 1.001 * threshold)[0] == UNDECIDED


def test_a_frequency_that_is_not_positive_decides_nothing(both):
    grid = beams([1.0, 1.0], [1.0, 1.0], [np.pi / 2, 0.0], [0.0, 0.0])
    assert decide(grid, [1.0, 1.0], 1.0)[0] == UNDECIDED
    # a pair that does not couple may have any frequency
    assert decide(beams([0.0, 1.0], [1.0, 1.0], [0.3, 0.3], [0.0, 0.0]), [0.0, 1.0], 1e-3)[0] == 0.0


@pytest.mark.parametrize("n", [[0.5, -0.5], [np.nan, 1.0], [np.inf, 1.0]])
def test_mixed_signs_and_what_is_no_number_decide_nothing(both, n):
    grid = beams([1.0, 1.0], [1.0, 1.0], [np.pi / 2, 0.0], [0.0, 0.0])
    assert decide(grid, n, 1e-3)[0] == UNDECIDED


def test_an_infinite_coupling_decides_nothing():
    grid = beams([1.0, 1.0], [1.0, 1.0], [np.pi / 2, 0.0], [0.0, 0.0])
    assert decide(grid, [1.0, 1.0], np.inf)[0] == UNDECIDED
