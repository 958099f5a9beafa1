"""The certified solver against dense eigenvalues, closed forms, many digits, and its own failure modes."""

from functools import cache

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.general.modes import (
    Status,
    coupling_norm,
    mode_table,
    unstable_modes,
)
from pairsweep.physics.grid import beams, bins
from pairsweep.physics.patterns.quadrant import quadrant
from tests.analyses.growth.kernels.batch.bulk_systems import exact_eigenvalues
from tests.analyses.growth.kernels.general.mode_systems import (
    KINDS,
    dense,
    dense_noise,
    find,
    make_system,
)


def letter(*shape):
    grid = bins(*shape)
    rho, rhobar = quadrant(grid, 0.9, 0.1)
    return grid, rho + rhobar - 1.0


@pytest.mark.parametrize(
    ("shape", "rate", "unstable"),
    [((1, 1, 4), 1.3393454e-2, 2), ((1, 8, 8), 9.2461e-3, 6), ((4, 8, 8), 5.324e-3, None)],
)
def test_known_growth_rates(shape, rate, unstable):
    found = find(*letter(*shape), 1e-6)
    assert found.status == Status.CERTIFIED
    assert found.rates[0] == pytest.approx(rate, rel=1e-4)
    assert unstable is None or found.n_unstable == unstable


def test_growth_of_a_large_grid():
    found = find(*letter(8, 16, 16), 1e-6)
    assert found.status == Status.CERTIFIED
    assert found.rates[0] == pytest.approx(2.03e-3, rel=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("occupation", ["quadrant", "random"])
def test_a_million_pairs_are_certified(occupation):
    grid, n = letter(250, 64, 64)
    if occupation == "random":
        n = np.random.default_rng(0).uniform(-1, 1, grid.size)
    found = find(grid, n, 1e-6)
    assert found.status == Status.CERTIFIED, found.status.text
    assert found.rates.size > 50


@pytest.mark.parametrize("n_energy", range(5, 13))
def test_stable_beyond_four_energy_bins(n_energy):
    found = find(*letter(n_energy, 1, 4), 1e-6)
    assert (found.status, found.rates.size) == (Status.CERTIFIED, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_dense_eigenvalues(kind):
    for seed in range(25):
        grid, n, g = make_system(kind, np.random.default_rng([seed, KINDS.index(kind)]))
        found = find(grid, n, g)
        assert found.status == Status.CERTIFIED, found.status.text
        single, double = dense_noise(grid, n, g)
        tolerance = 1e-6 * coupling_norm(grid.weight, n, g)
        values = dense(grid, n, g)
        surely = np.sum(values.real > tolerance + double + single)
        possibly = np.sum(values.real > tolerance - double - single)
        assert surely <= found.n_unstable <= possibly
        if surely:
            assert found.rates[0] == pytest.approx(values.real.max(), rel=1e-9, abs=double + single)


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_fifty_digits_at_the_physical_coupling(seed):
    rng = np.random.default_rng(seed)
    grid = bins(2, 1, 4)
    n = rng.uniform(-1, 1, grid.size)
    g = 6.65e-14
    exact = exact_eigenvalues(grid, n, g)
    found = find(grid, n, g)
    tolerance = 1e-6 * coupling_norm(grid.weight, n, g)
    upper = np.sort(exact.real[(exact.real > tolerance) & (exact.imag > 0)])[::-1]
    np.testing.assert_allclose(found.rates, upper, rtol=1e-9)


@pytest.mark.parametrize("mu", [1e-12, 1e-6, 1e-3, 0.1, 0.3])
@pytest.mark.parametrize(("n_x", "n_z"), [(1, -1), (0.3, -0.8), (-0.5, 0.01), (0.5, 0.5), (-1, -1)])
def test_two_pairs_agree_with_fifty_digits(mu, n_x, n_z):
    grid = beams([1.0, 1.0], [1.0, 1.0], [np.pi / 2, 0.0], [0.0, 0.0])
    found = find(grid, [n_x, n_z], mu)
    assert found.status == Status.CERTIFIED
    expected = exact_eigenvalues(grid, np.array([n_x, n_z]), mu)
    expected = expected.real[(expected.real > 1e-6 * mu) & (expected.imag > -1e-30)]
    np.testing.assert_allclose(found.rates, np.sort(expected)[::-1], rtol=1e-9)


def detuned(detuning):
    """Two beams of slightly different energy."""
    return beams([1.0 + detuning, 1.0], [1.0, 1.0], [np.pi / 2, 0.0], [0.0, 0.0])


@cache
def threshold():
    """The detuning beyond which they are stable, where two real roots meet."""
    low, high = 0.0, 0.1
    for _ in range(60):
        middle = 0.5 * (low + high)
        unstable = exact_growth(detuned(middle), np.array([0.5, -0.5]), 1e-3) > 0
        low, high = (middle, high) if unstable else (low, middle)
    return low


@pytest.mark.parametrize("side", [-1e-2, -1e-5, -1e-8, 0.0, 1e-8, 1e-5, 1e-2])
def test_threshold_double_root_from_both_sides(side):
    g, n = 1e-3, np.array([0.5, -0.5])
    grid = detuned(threshold() * (1 + side))
    found = find(grid, n, g)
    assert found.status == Status.CERTIFIED
    exact = exact_growth(grid, n, g)
    tolerance = 1e-6 * coupling_norm(grid.weight, n, g)
    if exact > 1.1 * tolerance:
        assert found.rates[0] == pytest.approx(exact, rel=1e-4)
    elif exact < 0.9 * tolerance:
        assert found.rates.size == 0


def exact_growth(grid, n, g):
    """Largest growth of two pairs from their quartic, exact enough near its double root."""
    values = exact_eigenvalues(grid, n, g, digits=40)
    return values.real.max() if values.real.max() > 1e-15 else 0.0


def test_static_modes_have_frequency_zero_and_count_once():
    grid = bins(1, 8, 8)
    found = find(grid, -np.ones(grid.size), 0.13 / 400)
    assert found.status == Status.CERTIFIED
    np.testing.assert_array_equal(found.frequencies, 0.0)
    values = dense(grid, -np.ones(grid.size), 0.13 / 400)
    assert found.n_unstable == np.sum(values.real > 1e-8)


def test_multiple_roots_are_one_mode_with_its_multiplicity():
    grid = bins(1, 1, 4)  # symmetric under a quarter turn: x and y are equivalent
    found = find(grid, -np.ones(4), 0.1 / 400)
    assert found.status == Status.CERTIFIED
    assert 2 in found.multiplicities or found.rates.size == 1


def test_scales_with_the_units():
    rng = np.random.default_rng(3)
    grid, n, g = make_system("few energies", rng)
    scaled = beams(grid.energy * 8, grid.weight, grid.theta, grid.phi)
    one, other = find(grid, n, g), find(scaled, n, g * 8)
    np.testing.assert_array_equal(one.rates * 8, other.rates)


def test_nothing_couples():
    grid = beams([1.0, 2.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0])
    found = find(grid, [0.0, 1.0], 1e-3)
    assert (found.status, found.rates.size) == (Status.CERTIFIED, 0)


def test_a_single_pair_is_stable():
    found = find(beams([1.0], [1.0], [0.3], [0.2]), [0.7], 1e-3)
    assert (found.status, found.rates.size) == (Status.CERTIFIED, 0)


def test_refuses_a_tolerance_it_cannot_vouch_for():
    grid, n = letter(1, 1, 4)
    assert (
        find(grid, n, 1e-6, 1e-9 * coupling_norm(grid.weight, n, 1e-6)).status == Status.TOLERANCE_TOO_SMALL
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_numbers_that_are_not_finite(bad):
    grid, n = letter(1, 1, 4)
    n[1] = bad
    assert find(grid, n, 1e-6, 1e-6).status == Status.NOT_FINITE


def test_says_when_the_output_is_too_small():
    grid, n = letter(1, 8, 8)
    frame = (grid.energy, grid.weight, grid.p_hat)
    status, _, _ = unstable_modes(*frame, n, 1e-6, 1e-6, mode_table(2))
    assert status == Status.TOO_MANY_MODES


def test_every_status_has_a_text():
    assert len({status.text for status in Status}) == len(Status)


def test_a_failure_says_how_far_the_count_came():
    # a double root at its threshold (found by bisection as above), at the smallest tolerance that is not refused
    grid = beams([1.0 + 0.0009999998746240688, 1.0], [1.0, 1.0], [np.pi / 2, 0.0], [0.0, 0.0])
    frame = (grid.energy, grid.weight, grid.p_hat, np.array([0.5, -0.5]), 1e-3)
    status, _, seen = unstable_modes(*frame, 3.38e-10, mode_table(4))
    assert status == Status.NOT_CERTIFIED
    assert seen == (0, 4, 2, 0, 0)
