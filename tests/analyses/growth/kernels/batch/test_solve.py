"""Growth rates in bulk: known numbers, closed forms, dense and exact eigenvalues, awkward systems, reproducibility."""

import mpmath
import numpy as np
import pytest

from pairsweep.physics import grid as grids
from pairsweep.physics.patterns import quadrant as pattern
from tests.analyses.growth.kernels.batch.bulk_systems import (
    coupling,
    dense_eigenvalues,
    exact_eigenvalues,
    grow,
)


def quadrant(grid, rho_high=0.9, rho_low=0.1):
    rho, rhobar = pattern.quadrant(grid, rho_high, rho_low)
    return rho + rhobar - 1.0


@pytest.mark.parametrize(
    ("shape", "growth", "unstable"),
    [
        ((1, 1, 4), 1.3393454e-2, 2),
        ((1, 8, 8), 9.2461e-3, 6),
        ((5, 1, 4), 0.0, 0),
    ],
)
def test_known_growth_rates(both, shape, growth, unstable):
    grid = grids.bins(*shape)
    out = grow(grid, quadrant(grid), 1e-6)
    assert out["status"] == 0
    assert out["growth_rate"][0] == pytest.approx(growth, rel=1e-5, abs=0.0)
    assert out["n_unstable"] == unstable
    assert out["mode_kind"] == (unstable > 0)
    assert (out["frequency"][0] > 0) == (unstable > 0)


def equation_15(mu, n_x, n_z):
    """The two lambda/2 with Re >= 0 of pairs along x and z: sqrt(-Et^2 +- 2 mu sqrt(Et^2 n_x n_z)), Et = 1 - 2 mu."""
    shifted = (1 - 2 * mu) ** 2
    return [mpmath.sqrt(-shifted + sign * 2 * mu * mpmath.sqrt(shifted * n_x * n_z)) for sign in (1, -1)]


@pytest.mark.parametrize(("n_x", "n_z"), [(1.0, -1.0), (0.3, -0.8), (-0.2, 0.6), (0.5, 0.5), (-0.9, -0.4)])
def test_two_pairs_follow_equation_15(n_x, n_z):
    grid = grids.beams([1.0] * 2, [1.0] * 2, [np.pi / 2, 0.0], [0.0] * 2)
    mu = np.geomspace(1e-14, 4.0, 100)
    out = grow(grid, np.full((100, 2), [n_x, n_z]), mu)
    assert (out["status"] == 0).all()
    with mpmath.workdps(40):
        growth = np.array([float(2 * max(r.real for r in equation_15(mpmath.mpf(m), n_x, n_z))) for m in mu])
    growth[growth < 1e-6 * coupling(grid, np.full((100, 2), [n_x, n_z]), mu)] = 0.0
    np.testing.assert_allclose(out["growth_rate"], growth, rtol=1e-11)


def test_against_dense_eigenvalues_on_random_systems():
    rng = np.random.default_rng(11)
    uncertain = 0
    for trial in range(60):
        pairs = int(rng.integers(1, 13))
        angles = np.arccos(rng.uniform(-1, 1, pairs)), rng.uniform(0, 2 * np.pi, pairs)
        energy = rng.uniform(0.5, 10, pairs) if trial % 2 else np.full(pairs, 3.0)
        grid = grids.beams(energy, rng.uniform(0.1, 2, pairs), *angles)
        n = rng.uniform(-1, 1, (24, pairs))
        g = 10 ** rng.uniform(-5, 0.5, 24)
        out = grow(grid, n, g)
        values = dense_eigenvalues(grid, n, g)
        sure = out["status"] == 0
        uncertain += (~sure).sum()
        tolerance = 1e-6 * coupling(grid, n, g)
        # an eigenvalue of M near a double one is off by the root of the rounding
        rounding = np.sqrt(1e-14 * (20 + coupling(grid, n, g)) * coupling(grid, n, g))
        allowed = np.where(out["growth_rate"] > 1e3 * rounding, 1e-2 * rounding, tolerance + rounding)
        difference = np.abs(values.real.max(axis=1) - out["growth_rate"])
        assert (difference <= allowed)[sure].all()
        clear = sure & (np.abs(values.real - tolerance[:, None]).min(axis=1) > rounding)
        counts = (values.real > tolerance[:, None]).sum(axis=1)
        assert (counts == out["n_unstable"])[clear].all()
    assert uncertain <= 2


@pytest.mark.parametrize("g", [1e-14, 1e-12, 1e-9, 1e-4])
@pytest.mark.parametrize("shape", [(1, 1, 4), (2, 1, 4)])
def test_against_exact_eigenvalues_at_small_coupling(both, shape, g):
    grid = grids.bins(*shape)
    rng = np.random.default_rng(3)
    for n in (quadrant(grid), rng.uniform(-1, 1, grid.size)):
        values = exact_eigenvalues(grid, n, g)
        out = grow(grid, n, g)
        growth = values.real.max()
        assert out["status"] == 0
        if growth < 1e-6 * coupling(grid, n[None], g)[0]:
            assert out["growth_rate"] == 0.0
        else:
            assert out["growth_rate"][0] == pytest.approx(growth, rel=1e-11)
            fastest = values[values.real > growth * (1 - 1e-9)]
            assert np.abs(np.abs(fastest.imag) - out["frequency"][0]).min() < 1e-14 * out["frequency"][0]


def test_static_modes_beyond_the_threshold_of_the_vacuum(both):
    grid = grids.beams([10.0] * 4, [1.0, 1.1, 1.2, 0.9], [0.3, 1.2, 2.0, 1.5], [0.0, 1.0, 2.5, 4.0])
    n = np.full((40, 4), -1.0)
    g = np.linspace(0.5, 8.0, 40)
    out = grow(grid, n, g)
    values = dense_eigenvalues(grid, n, g)
    assert (out["status"] == 0).all()
    assert {0, 2} <= set(out["mode_kind"])
    np.testing.assert_allclose(out["growth_rate"], values.real.max(axis=1), rtol=1e-9, atol=1e-6)
    static = out["mode_kind"] == 2
    assert (out["frequency"][static] == 0.0).all()
    fastest = np.take_along_axis(values, values.real.argmax(axis=1)[:, None], axis=1)[:, 0]
    assert (np.abs(fastest.imag) < 1e-9)[static].all()
    assert (np.abs(fastest.imag) > 1e-3)[out["mode_kind"] == 1].all()


def test_isotropic_occupations_are_stable_and_certified():
    grid = grids.bins(3, 4, 4)
    levels = np.linspace(-1, 1, 33)[:, None] * np.ones(grid.size)
    out = grow(grid, levels, 1e-6)
    assert (out["status"] == 0).all()
    assert (out["growth_rate"] == 0).all()
    assert (out["n_unstable"] == 0).all()


@pytest.mark.parametrize(
    "n", [[0.0] * 4, [0.8, 0.0, 0.0, 0.0], [0.8, -0.8, 0.0, -0.0], [0.3, 1e-17, -0.8, 1e-16]]
)
def test_empty_and_nearly_empty_couplings(n):
    grid = grids.bins(1, 1, 4)
    out = grow(grid, n, 1e-6)
    assert out["status"] == 0
    growth = dense_eigenvalues(grid, n, 1e-6).real.max()
    assert out["growth_rate"][0] == pytest.approx(growth if growth > 1e-9 else 0.0, rel=1e-9, abs=0.0)


def test_zero_weights_and_a_pair_at_rest():
    angles = [0.4, 1.3, 2.2], [0.1, 2.0, 4.0]
    for energy, weight in (([2.0, 2.0, 2.0], [1.0, 0.0, 1.0]), ([0.0, 2.0, 3.0], [1.0, 1.0, 1.0])):
        grid = grids.beams(energy, weight, *angles)
        n = np.random.default_rng(0).uniform(-1, 1, (64, 3))
        out = grow(grid, n, 0.05)
        assert (out["status"] == 0).mean() > 0.9
        sure = out["status"] == 0
        growth = dense_eigenvalues(grid, n, 0.05).real.max(axis=1)
        np.testing.assert_allclose(out["growth_rate"][sure], growth[sure], rtol=1e-8, atol=1e-6)


def test_coincident_zeros_beside_a_crossing_are_certified():
    # three energies of one level each: their zeros nearly coincide in pairs, at small g to 1e-10 of the coupling
    grid = grids.bins(4, 1, 4)
    n = np.full((9, 16), -0.33)
    n[:, 4] = 0.87
    out = grow(grid, n, np.geomspace(1e-14, 1e-6, 9))
    assert (out["status"] == 0).all()
    assert (out["n_unstable"] == 2).all()
    slope = out["growth_rate"] / np.geomspace(1e-14, 1e-6, 9)
    np.testing.assert_allclose(slope[:-1], slope[0], rtol=1e-3)


def test_one_pair_is_stable():
    grid = grids.beams([1.0], [1.0], [0.7], [0.2])
    g = np.geomspace(1e-14, 10, 30)
    for n in (1.0, -1.0, 0.3):
        out = grow(grid, np.full((30, 1), n), g)
        assert (out["status"] == 0).all()
        assert (out["growth_rate"] == 0).all()


def test_double_root_at_threshold_from_both_sides():
    grid = grids.beams([10.0] * 3, [1.0] * 3, [0.3, 1.2, 2.0], [0.0, 1.0, 2.5])
    stable, unstable = np.array([-0.9, -0.5, -0.7]), np.array([-0.9, 0.5, -0.7])
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        out = grow(grid, stable + middle * (unstable - stable), 1e-6)
        low, high = (middle, high) if out["growth_rate"][0] == 0 else (low, middle)
    steps = np.geomspace(1e-14, 1e-3, 45)
    n = stable + np.concatenate([low - steps, low + steps])[:, None] * (unstable - stable)
    out = grow(grid, n, 1e-6)
    sure = out["status"] == 0
    assert sure[np.abs(np.concatenate([steps, steps])) > 1e-10].all()
    assert (out["growth_rate"][:45][sure[:45]] == 0).all()
    grown = out["growth_rate"][45:]
    # the growth of a parting double root is the square root of the distance
    slope = np.diff(np.log(grown[23:37])) / np.diff(np.log(steps[23:37]))
    np.testing.assert_allclose(slope, 0.5, atol=1e-3)
    tolerance = 1e-6 * coupling(grid, n, 1e-6)
    for i in np.flatnonzero(sure)[::5]:
        growth = exact_eigenvalues(grid, n[i], 1e-6, digits=40).real.max()
        assert (
            out["growth_rate"][i] == pytest.approx(growth, abs=0.1 * tolerance[i])
            or growth < 1.1 * tolerance[i]
        )


@pytest.mark.parametrize("shape", [(2, 1, 4), (1, 4, 4)])
def test_points_do_not_depend_on_their_company(shape):
    grid = grids.bins(*shape)
    rng = np.random.default_rng(6)
    n = rng.uniform(-1, 1, (53, grid.size))
    n[::7] = -0.5
    n[1::5] = quadrant(grid)
    n[3::11, 2] = 0.0
    g = 10 ** rng.uniform(-10, -2, 53)
    tolerance = 1e-6 * coupling(grid, n, g)
    whole = grow(grid, n, g, tolerance)
    shuffled = rng.permutation(53)
    again = grow(grid, n[shuffled], g[shuffled], tolerance[shuffled])
    for name, values in whole.items():
        np.testing.assert_array_equal(values[shuffled], again[name], err_msg=name)
    for point in (0, 5, 52):
        alone = grow(grid, n[point], g[point], tolerance[point : point + 1])
        for name, values in whole.items():
            np.testing.assert_array_equal(values[point], alone[name][0], err_msg=name)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_values_that_are_not_finite_are_not_certified(both, wrong):
    grid = grids.bins(1, 1, 4)
    n = np.tile(quadrant(grid), (9, 1))
    n[4, 1] = wrong
    out = grow(grid, n, 1e-6, np.full(9, 1e-9))
    assert out["status"].tolist() == [0] * 4 + [1] + [0] * 4
    g = np.full(3, 1e-6)
    g[1] = wrong
    assert grow(grid, n[:3], g, np.full(3, 1e-9))["status"].tolist() == [0, 1, 0]


def test_a_tolerance_below_rounding_is_refused():
    grid = grids.bins(1, 1, 4)
    out = grow(grid, quadrant(grid), 1e-6, np.array([1e-30]))
    assert out["status"] == 1
