"""The static side: closed forms, and the crossing is the first one."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.static import static_coupling, static_matrix
from pairsweep.physics.grid import beams, bins


def static_criterion(energy, weight, p_hat, n, g):
    numbers = np.empty(6)
    static_matrix(energy, weight, p_hat, n, g, numbers)
    xx, xy, xz, yy, yz, zz = numbers
    return np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])[-1] if np.isfinite(xx) else np.nan


def frame(grid):
    return grid.energy, grid.weight, grid.p_hat


@pytest.mark.parametrize(("shape", "product"), [((1, 1, 4), 1 / (4 * np.pi)), ((1, 8, 8), 0.1184)])
def test_vacuum_turns_unstable_at_the_cutoff_squared(shape, product):
    grid = bins(*shape)
    assert static_coupling(*frame(grid), -np.ones(grid.size)) * 400 == pytest.approx(product, rel=1e-3)


def test_isotropic_integral_is_reached_by_fine_grids():
    grid = bins(2, 40, 40)
    assert static_coupling(*frame(grid), -np.ones(grid.size)) * 400 == pytest.approx(
        3 / (8 * np.pi), rel=1e-3
    )


def test_no_crossing_without_negative_epn_or_flip():
    grid = beams([1.0, 1.0], [1.0, 1.0], [0.0, np.pi], [0.0, 0.0])
    assert np.isnan(static_coupling(*frame(grid), np.full(2, 0.5)))
    assert np.isnan(static_coupling(*frame(grid), np.zeros(2)))


def test_a_flip_of_a_positive_pair_counts_as_the_crossing():
    grid = beams([1.0], [1.0], [0.3], [0.0])
    # Omega = 2 - 4 g w (n + 1) reaches zero
    assert static_coupling(*frame(grid), np.array([0.5])) == pytest.approx(2 / (4 * 1.5), rel=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_criterion_stays_below_one_up_to_the_crossing(seed):
    grid = bins(3, 2, 4)
    n = np.random.default_rng(seed).uniform(-1, 1, grid.size)
    crossing = static_coupling(*frame(grid), n)
    below = [static_criterion(*frame(grid), n, g) for g in np.linspace(1e-3, 1, 400) * crossing * (1 - 1e-9)]
    assert max(below) < 1.0
    assert static_criterion(*frame(grid), n, crossing * (1 + 1e-9)) > 1.0


def test_criterion_is_undefined_on_a_pole():
    assert np.isnan(
        static_criterion(np.zeros(1), np.ones(1), np.array([[0, 0, 1.0]]), np.array([-1.0]), 1e-3)
    )
