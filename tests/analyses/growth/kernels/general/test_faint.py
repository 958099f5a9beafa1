"""Pairs of nearly no EPN: bounded, enclosed, and never a reason to fail or to be wrong."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.batch.solve import bulk_growth
from pairsweep.analyses.growth.kernels.general.faint import (
    enclose_crowded,
    enclose_faint,
    find_faint,
    meets_circle,
)
from pairsweep.analyses.growth.kernels.general.farfield import MAX_ORDER, binomials
from pairsweep.analyses.growth.kernels.general.modes import Status, coupling_norm
from pairsweep.analyses.growth.kernels.general.poles import cluster_poles
from pairsweep.analyses.growth.kernels.general.proof import make_walls
from pairsweep.analyses.growth.kernels.general.strip import faint_poles, faint_size, faint_term
from pairsweep.analyses.growth.kernels.general.window import make_windows
from pairsweep.analyses.growth.kernels.results import point_table
from pairsweep.kernels.coupling import oscillators
from pairsweep.physics.grid import beams, bins
from tests.analyses.growth.kernels.batch.bulk_systems import exact_eigenvalues
from tests.analyses.growth.kernels.general.mode_systems import dense, dense_noise, find, one_energy, strip_of


def faint_strip(grid, n, g):
    """Strip 0 of a system, with its faint pairs, and the tolerance 1e-6 of the coupling."""
    base, offset, strength = np.empty((3, grid.size))
    scale = oscillators(grid.energy, grid.weight, grid.p_hat, n, g, base, offset, strength)
    tolerance = 1e-6 * coupling_norm(grid.weight, n, g)
    faint = np.empty(grid.size, np.bool_)
    count = find_faint(strength, tolerance, faint)
    assert count == faint.sum()
    clusters = cluster_poles(base, offset, strength, grid.p_hat, scale, faint, 0.0)
    return strip_of(clusters), faint_poles(clusters, np.int64(0)), tolerance, strength


def mixed(seed, pairs=20, tiny=8, exponents=(-17, -11)):
    rng = np.random.default_rng(seed)
    grid, n, g = one_energy(rng, pairs, 1e-2)
    n[:tiny] = rng.choice([-1, 1], tiny) * 10 ** rng.uniform(*exponents, tiny)
    return grid, n, g


@pytest.mark.parametrize("around", [False, True])
def test_the_bound_of_faint_poles_is_above_their_sum(both, around):
    grid, n, g = mixed(1, pairs=80, tiny=60)
    _, faint, tolerance, _ = faint_strip(grid, n, g)
    location, bound, half = faint
    assert np.all(half == np.inf)
    assert location.size == 60
    assert np.all(np.diff(location) > 0)
    rng = np.random.default_rng(2)
    for _ in range(200):
        x = rng.uniform(location[0], location[-1])
        y = 0.0 if around else tolerance * 10 ** rng.uniform(-3, 3)
        reach = 10 ** rng.uniform(-4, -0.01) * (np.abs(location - x).min() if around else y)
        found = faint_size(faint, x, y, reach, around)
        on_it = x + 1j * y + reach * np.exp(2j * np.pi * np.arange(64) / 64)
        largest = (bound / np.abs(on_it[:, None] - location)).sum(axis=1).max()
        assert largest <= found * (1 + 1e-12)
        assert found <= 50 * largest


def test_a_disc_with_a_faint_pole_inside_has_no_bound_but_its_circle_has():
    _, faint, tolerance, _ = faint_strip(*mixed(3))
    x = faint[0, 2]
    assert faint_size(faint, x, 0.0, 1e-3 * tolerance, False) == np.inf
    assert faint_size(faint, x, 0.0, 1e-3 * tolerance, True) < np.inf
    assert faint_size(faint, x, 0.0, 0.0, False) == np.inf


@pytest.mark.parametrize("seed", range(10))
def test_circles_enclose_every_faint_pole_and_walls_every_pole(both, seed):
    strip, faint, tolerance, _ = faint_strip(*mixed(seed))
    windows = make_windows(strip, binomials(np.int64(MAX_ORDER)))
    low, high, too_close = np.empty(8), np.empty(8), np.zeros(8, np.bool_)
    circles, inside = enclose_faint(strip, windows, faint, 0.45 * tolerance, low, high, too_close)
    assert circles > 0
    assert inside == 0
    assert not too_close.any()
    low, high = low[:circles], high[:circles]
    assert np.all(low[1:] > high[:-1])
    for x in faint[0]:
        assert np.any((low <= x) & (x <= high))
        assert meets_circle(x, 0.0, 0.0, low, high, circles)
    assert not meets_circle(faint[0, 0], tolerance, 0.5 * tolerance, low, high, circles)
    wall_low, wall_high = np.empty((2, strip.own + circles))
    walls = make_walls(strip, low, high, circles, wall_low, wall_high)
    assert np.all(wall_low[1:walls] > wall_high[: walls - 1])
    for x in (*strip.poles[9, : strip.own], *low, *high):
        assert np.any((wall_low[:walls] <= x) & (x <= wall_high[:walls]))


@pytest.mark.parametrize("seed", range(40))
def test_modes_are_those_of_the_dense_matrix(seed):
    rng = np.random.default_rng(seed)
    grid, n, g = mixed(seed, exponents=(-17, -6))
    if seed % 2:
        grid, n = bins(2, 2, 4), rng.choice([0.6, -0.7, -0.2], 16)
        n[rng.random(16) < 0.6] = 10 ** rng.uniform(-17, -7) * rng.choice([-1, 1])
        g = 10 ** rng.uniform(-7, -3)
    found = find(grid, n, g)
    assert found.status == Status.CERTIFIED, found.status.text
    values = dense(grid, n, g)
    single, double = dense_noise(grid, n, g)
    assert np.sum(values.real > found.tolerance + double) <= found.n_unstable
    assert found.n_unstable <= np.sum(values.real > found.tolerance - double - single)
    if found.rates.size:
        assert found.rates[0] == pytest.approx(values.real.max(), abs=double + single)


@pytest.mark.parametrize("small", [1e-17, -1e-15, 1e-13, -1e-11, 1e-9, -1e-7])
@pytest.mark.parametrize("miss", [0.0, 1e-9, 1e-7, 1e-5, 1e-3])
def test_a_faint_pole_close_to_a_zero_of_the_others(small, miss):
    # two pairs turn at frequencies of their own; a third, of hardly any EPN, is put next to the slower one
    g = 1e-3

    def system(energy):
        return beams([1.0, 1.3, energy], [1.0, 1.0, 1.0], [np.pi / 2, 0.0, 1.0], [0.0, 0.0, 2.0])

    n = np.array([0.7, -0.4, 0.0])
    values = exact_eigenvalues(system(2.0), n, g, digits=40)
    slowest = values.imag[values.imag > 0].min()
    base, offset, strength = np.empty((3, 3))
    grid = system(2.0)
    oscillators(grid.energy, grid.weight, grid.p_hat, n, g, base, offset, strength)
    grid = system(0.5 * (slowest - offset[2] + miss * coupling_norm(grid.weight, n, g)))
    n[2] = small
    found = find(grid, n, g)
    assert found.status == Status.CERTIFIED, found.status.text
    exact = exact_eigenvalues(grid, n, g, digits=50)
    fastest = exact.real.max()
    if fastest > 1.01 * found.tolerance:
        assert found.rates[0] == pytest.approx(fastest, rel=1e-6)
    elif fastest < 0.99 * found.tolerance:
        assert found.rates.size == 0


def test_strong_pairs_only_are_solved_as_before():
    grid, n, g = mixed(5)
    strip, faint, _, strength = faint_strip(grid, n, g)
    assert strip.own == 12
    assert faint.shape == (3, 8)
    np.testing.assert_allclose(np.sort(faint[1]), np.sort(2 * np.abs(strength[:8])))
    n[:8] = 0.3
    assert faint_strip(grid, n, g)[1].shape == (3, 0)


def test_the_batch_agrees():
    grid, _, g = mixed(0)
    n = np.stack([mixed(seed)[1] for seed in range(60)])
    g = np.full(60, g)
    tolerance = np.array([1e-6 * coupling_norm(grid.weight, row, g[0]) for row in n])
    out = point_table(60, 0, 1)
    assert bulk_growth(grid.energy, grid.weight, grid.p_hat, n, g, tolerance, grid.energy_bin, out) == 0
    for row, rate in zip(n, out.growth_rate, strict=True):
        found = find(grid, row, g[0])
        assert (found.rates[0] if found.rates.size else 0.0) == pytest.approx(rate, rel=1e-9)


@pytest.mark.parametrize("small", [1e-12, -1e-10, -6.94408202e-9, 1e-8])
def test_zeros_close_to_a_pole_that_is_not_faint_are_counted_about_it(small):
    # by symmetry two zeros of the three strong pairs stay at the pole of the fourth
    grid, n = bins(1, 1, 4), np.full(4, 0.544374366)
    n[2] = small
    found = find(grid, n, 8.3e-14)
    assert found.status == Status.CERTIFIED
    exact = exact_eigenvalues(grid, n, 8.3e-14, digits=50)
    assert found.rates.size == np.sum((exact.real > found.tolerance) & (exact.imag > 0))


def test_circles_about_crowded_poles_leave_those_of_faint_ones_alone(both):
    grid, n, g = mixed(0)
    strip, faint, tolerance, _ = faint_strip(grid, n, g)
    windows = make_windows(strip, binomials(np.int64(MAX_ORDER)))
    ends = np.empty((2, 20))
    largest = 0.45 * tolerance
    circles, _ = enclose_faint(strip, windows, faint, largest, *ends, np.zeros(8, np.bool_))
    before = ends[:, :circles].copy()
    # estimates that sit on their poles ask for circles about all of them, but there are no zeros: none is drawn
    zero_x, zero_y = strip.poles[9, :12].copy(), np.zeros(12)
    made, inside = enclose_crowded(strip, windows, faint, largest, zero_x, zero_y, *ends, np.int64(circles))
    assert (made, inside) == (circles, 0)
    np.testing.assert_array_equal(ends[:, :circles], before)


def test_merged_poles_differ_from_their_sum_by_no_more_than_the_bound(both):
    rng = np.random.default_rng(4)
    grid, n, g = one_energy(rng, 12, 1e-2)
    base, offset, strength = np.empty((3, 12))
    scale = oscillators(grid.energy, grid.weight, grid.p_hat, n, g, base, offset, strength)
    width = 0.3 * np.ptp(offset)
    plain = cluster_poles(base, offset, strength, grid.p_hat, scale, np.zeros(12, np.bool_), 0.0)
    merged = cluster_poles(base, offset, strength, grid.p_hat, scale, np.zeros(12, np.bool_), width)
    assert merged.location.size < 6 < plain.location.size == 12
    assert np.all(merged.faint_half <= 0.5 * width * (1 + 1e-9))
    np.testing.assert_allclose(merged.residue.sum(axis=1), plain.residue.sum(axis=1), atol=1e-16)
    for _ in range(50):
        z = rng.uniform(-2, 2) * width + 1j * rng.uniform(0.6, 3) * width
        numbers = [(c.residue / (z - c.location)).sum(axis=1) for c in (plain, merged)]
        s, a = np.split(numbers[0] - numbers[1], [6])
        difference = s[[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3) + 1j * np.array(
            [[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]]
        )
        bound = sum(
            faint_term(b, h, abs(z - x))
            for x, b, h in zip(merged.faint_location, merged.faint_bound, merged.faint_half, strict=True)
        )
        assert np.linalg.norm(difference, 2) <= bound


@pytest.mark.parametrize("shape", [(1, 4, 8), (2, 8, 8), (2, 20, 20)])
def test_a_nearly_empty_gas_beyond_its_static_threshold(shape):
    # J0 is 1e-10 of what it could be: all poles of an energy crowd within 1e-12 of the coupling
    grid = bins(*shape, 100.0)
    n = -1 + 1e-10 * np.exp(-grid.energy / 8) * (1 + 0.5 * np.cos(grid.theta))
    found = find(grid, n, 1e-4)
    assert found.status == Status.CERTIFIED
    assert found.n_unstable == 3
    empty = find(grid, -np.ones(grid.size), 1e-4)
    np.testing.assert_allclose(found.rates[0], empty.rates[0], rtol=1e-7)
    if grid.size < 200:
        values = dense(grid, n, 1e-4)
        assert found.rates[0] == pytest.approx(values.real.max(), rel=1e-9)
        assert np.sum(values.real > 1e-3 * found.rates[0]) == 3


@pytest.mark.parametrize("seed", range(4))
def test_crowded_poles_and_faint_ones_at_once(seed):
    rng = np.random.default_rng(seed)
    grid = bins(2, 4, 8, 100.0)
    n = -1 + 1e-10 * np.exp(-grid.energy / 8) * (1 + 0.5 * np.cos(grid.theta))
    small = grid.energy_bin == rng.integers(2)
    n[small] = rng.choice([-1, 1], small.sum()) * 10 ** rng.uniform(-17, -12)
    found = find(grid, n, 1e-4)
    assert found.status == Status.CERTIFIED
    values = dense(grid, n, 1e-4)
    assert found.rates[0] == pytest.approx(values.real.max(), rel=1e-9)
    assert found.n_unstable == np.sum(values.real > 1e-3 * found.rates[0]) == 3
