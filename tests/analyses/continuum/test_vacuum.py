"""Growth on a grid without the vacuum's constant: against its determinant, and a coupling that undoes it."""

import numpy as np
import pytest

from pairsweep.analyses.continuum import vacuum
from pairsweep.analyses.continuum.vacuum import static_vacuum, subtracted_growth
from pairsweep.analyses.growth.dense import dense_floor
from pairsweep.analyses.growth.solver import growth_of_systems
from pairsweep.physics.grid import beams, bins


def response(grid, n, g, lam):
    """D(lambda), (..., 3, 3), from the sum over pairs (PHYSICS.md, section 2)."""
    J0 = (grid.weight * (n + 1)) @ grid.p_hat
    Omega = 2 * grid.energy - 4 * g * grid.p_hat @ J0
    lam = np.asarray(lam, dtype=complex)[..., None]
    pole = -4 * g * grid.weight * n / (Omega**2 + lam**2)
    outer = np.eye(3) - np.einsum("ni,nj->nij", grid.p_hat, grid.p_hat)
    cross = np.array([[[0, -z, y], [z, 0, -x], [-y, x, 0]] for x, y, z in grid.p_hat])
    return np.tensordot(pole * Omega, outer, 1) + np.tensordot(pole * lam, cross, 1)


def test_the_vacuum_is_the_static_response_of_the_empty_grid():
    grid = bins(3, 2, 4)
    D = response(grid, np.full(grid.size, -1.0), 1e-3, 0.0)
    np.testing.assert_allclose(D.real, 2e-3 * static_vacuum(grid), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("seed", "g"), [(1, 1e-3), (4, 1e-3), (5, 1e-3), (4, 3e-4)])
def test_growth_is_a_zero_of_the_determinant(seed, g):
    random = np.random.default_rng(seed)
    grid = bins(3, 1, 4)
    n = random.uniform(-1, 1, grid.size)
    rate, frequency = (found[0] for found in subtracted_growth(grid, n[None], np.array([g])))
    assert rate > 0
    B = np.eye(3) + 2 * g * static_vacuum(grid)
    aside = np.abs(np.linalg.det(B - response(grid, n, g, 1.001 * rate + 1j * frequency)))
    assert np.abs(np.linalg.det(B - response(grid, n, g, rate + 1j * frequency))) < 1e-6 * aside


def test_an_isotropic_vacuum_is_undone_by_a_smaller_coupling():
    """Without net flow, g without the constant is g/(1 + 2 g Delta) with it: three axes, filled symmetrically."""
    theta = np.array([np.pi / 2] * 4 + [0.0, np.pi] * 1)
    phi = np.array([0.0, np.pi, np.pi / 2, 3 * np.pi / 2, 0.0, 0.0])
    energy = np.repeat([6.0, 11.0, 12.0, 18.0], 6)
    grid = beams(energy, 4 * np.pi / 6 * 5.0 * energy**2, np.tile(theta, 4), np.tile(phi, 4))
    n = np.repeat([-1.0, 0.9, -0.4, -1.0], 6)
    delta = static_vacuum(grid)
    np.testing.assert_allclose(delta, delta[0, 0] * np.eye(3), atol=1e-9)
    for g in (2e-4, 1e-3, 1e-2):
        bare = g / (1 + 2 * g * delta[0, 0])
        expected = growth_of_systems(grid, n[None], np.array([bare])).arrays["growth_rate"][0]
        assert expected > 0
        assert subtracted_growth(grid, n[None], np.array([g]))[0][0] == pytest.approx(expected, rel=1e-6)


def test_the_empty_grid_is_stable_at_any_coupling():
    grid = bins(4, 2, 4)
    n = np.full((4, grid.size), -1.0)
    g = np.array([1e-4, 1e-3, 1e-2, 1e-1])
    assert np.all(growth_of_systems(grid, n[1:], g[1:]).arrays["growth_rate"] > 0)
    np.testing.assert_array_equal(subtracted_growth(grid, n, g)[0], 0.0)


@pytest.mark.parametrize("kind", ["random", "positive", "isotropic", "weak"])
@pytest.mark.parametrize("seed", range(4))
def test_the_certified_growth_is_that_of_dense_eigenvalues(kind, seed):
    """Crossings, merged poles, faint ones; couplings up to where the empty grid is unstable with its constant."""
    random = np.random.default_rng(seed)
    grid = bins(*((3, 1, 4), (2, 3, 4), (5, 2, 4), (1, 4, 6))[seed])
    n = random.uniform(-1, 1, (12, grid.size))
    if kind == "positive":
        n = np.abs(n) * np.where(random.uniform(size=n.shape) < 0.2, -1, 1)
    elif kind == "isotropic":
        n = np.repeat(random.uniform(-1, 1, (12, grid.shape[0])), grid.size // grid.shape[0], axis=1)
    elif kind == "weak":
        n[:, ::3] *= 1e-9
    g = 10 ** random.uniform(-6, -2.5, 12)
    found = [np.full(12, np.nan), np.full(12, np.nan)]
    left = vacuum._by_dispersion(grid, n, g, None, np.arange(12), found)
    expected = [np.zeros(12), np.zeros(12)]
    vacuum._by_dense(grid, n, g, None, np.arange(12), expected)
    good = ~np.isin(np.arange(12), left)
    assert good.sum() >= 11
    close = 3 * np.maximum(vacuum._asked(grid, n, g, None), dense_floor(grid, n, g))[good]
    np.testing.assert_array_less(np.abs(found[0] - expected[0])[good], close + 1e-9)
    both = good & (found[0] > 0) & (expected[0] > 0)
    np.testing.assert_allclose(found[1][both], expected[1][both], rtol=1e-5, atol=1e-5)


def test_large_grids_have_a_certificate():
    """1280 pairs, more than dense eigenvalues are asked for."""
    grid = bins(20, 8, 8)
    random = np.random.default_rng(0)
    n, g = random.uniform(-1, 1, (1, grid.size)), 1e-4
    rate, frequency = (found[0] for found in subtracted_growth(grid, n, np.array([g])))
    assert rate > 0
    B = np.eye(3) + 2 * g * static_vacuum(grid)
    at, aside = (
        np.abs(np.linalg.det(B - response(grid, n[0], g, x * rate + 1j * frequency))) for x in (1, 1.01)
    )
    assert at < 1e-4 * aside
    assert subtracted_growth(grid, -np.abs(n), np.array([1e-6]))[0][0] == 0.0


def test_without_a_certificate_a_large_grid_is_left_open(monkeypatch):
    monkeypatch.setattr(vacuum, "_by_dispersion", lambda grid, n, g, tolerance, rows, out: rows)
    n = np.random.default_rng(0).uniform(-1, 1, (1, 1280))
    assert np.isnan(subtracted_growth(bins(20, 8, 8), n, np.array([1e-4]))[0])[0]


def refracted(grid, n, g):
    """Omega of systems (P, N), MeV."""
    J0 = (n + 1) @ (grid.weight[:, None] * grid.p_hat)
    return 2 * grid.energy - 4 * g[:, None] * J0 @ grid.p_hat.T


def test_no_mode_is_static_while_refraction_is_small():
    """Where every Omega is positive and at least 2 E (-n) a pair's share of D is at most its share of the constant."""
    random = np.random.default_rng(8)
    grid = bins(3, 2, 4)
    n = random.uniform(-1, 0.5, (400, grid.size))
    opposite = n.reshape(400, 3, 2, 4)[:, :, ::-1, [2, 3, 0, 1]].reshape(400, -1)
    n[::2] = 0.5 * (n + opposite)[::2]  # no net flow
    g = 10 ** random.uniform(-5, -2.5, 400)
    Omega = refracted(grid, n, g)
    small = ((Omega > 0) & (Omega >= -2 * grid.energy * n)).all(axis=1)
    rate, frequency = subtracted_growth(grid, n[small], g[small])
    assert (rate > 0).sum() > 50
    assert np.all(frequency[rate > 0] > 0)
    bare = growth_of_systems(grid, n[small], g[small]).arrays
    assert ((bare["growth_rate"] > 0) & (bare["frequency"] == 0)).sum() > 10


def test_positive_omegas_alone_do_not_exclude_it():
    grid = bins(1, 1, 4)
    n, g = np.array([[-0.6, -0.8, -0.8, -0.8]]), np.array([2.818382931264455e-3])
    assert np.all(refracted(grid, n, g) > 5.0)
    rate, frequency = subtracted_growth(grid, n, g)
    assert rate[0] == pytest.approx(0.595244, rel=1e-5)
    assert frequency[0] == 0.0
    B = np.eye(3) + 2 * g[0] * static_vacuum(grid)
    assert abs(np.linalg.det(B - response(grid, n[0], g[0], rate[0]))) < 1e-8
