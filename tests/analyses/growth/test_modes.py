"""Modes in hand: the eigenvector equations, and runs that grow as their modes say."""

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import pairsweep as ps
from pairsweep.analyses.growth.dense import matrices_of
from tests.pairwise import pairwise_rhs


def matrix(grid, n, g):
    """The linear equation of (kappa, conj(kappa)), (2N, 2N) complex, from M."""
    real = matrices_of(grid, np.asarray(n)[None], np.array([g]))[0]
    one = np.eye(grid.size)
    turn = np.block([[one, 1j * one], [one, -1j * one]])
    return turn @ real @ np.linalg.inv(turn)


def vectors(found):
    right = np.concatenate([found.right, found.right_conjugate], axis=1)
    return right, np.concatenate([found.left, found.left_conjugate], axis=1)


def unstable_system(seed):
    grid = ps.bins(1, 2, 4)
    n = np.random.default_rng(seed).choice([0.8, -0.8, 0.1], 8)
    return grid, 0.5 * (n + 1) + 0.05, 0.5 * (n + 1) - 0.05, 1e-4


@pytest.mark.parametrize("spectrum", ["all", "unstable"])
@pytest.mark.parametrize("seed", range(12))
def test_vectors_obey_their_equations(seed, spectrum):
    grid, rho, rhobar, g = unstable_system(seed)
    found = ps.modes(grid, rho, rhobar, g=g, spectrum=spectrum)
    A = matrix(grid, rho + rhobar - 1, g)
    right, left = vectors(found)
    np.testing.assert_allclose(A @ right.T, found.eigenvalue.values * right.T, atol=1e-12)
    np.testing.assert_allclose(
        left @ A, found.eigenvalue.values[:, None] * left, atol=1e-9 * np.abs(left).max(initial=1.0)
    )
    np.testing.assert_allclose(
        left @ right.T, np.eye(found.sizes["mode"]), atol=1e-9 * np.abs(left).max(initial=1.0)
    )
    np.testing.assert_allclose(np.linalg.norm(right, axis=1), 1.0)
    assert np.all(np.diff(found.growth_rate) <= 1e-12)
    assert found.sizes["mode"] == (16 if spectrum == "all" else np.sum(np.linalg.eigvals(A).real > 1e-4))


def test_equal_modes_have_vectors_of_their_own():
    # the isotropic vacuum far beyond its threshold: static along x and along y alike
    grid = ps.bins(1, 2, 4)
    found = ps.modes(grid, np.zeros(8), g=5e-4, spectrum="unstable")
    assert found.growth_rate[1] == pytest.approx(float(found.growth_rate[2]), rel=1e-9)
    right, left = vectors(found)
    np.testing.assert_allclose(
        matrix(grid, -np.ones(8), 5e-4) @ right.T, found.eigenvalue.values * right.T, atol=1e-9
    )
    np.testing.assert_allclose(left @ right.T, np.eye(found.sizes["mode"]), atol=1e-9)


def test_the_physical_coupling_keeps_its_six_modes():
    grid = ps.bins(1, 8, 8)
    rho, rhobar = ps.quadrant(grid, 0.9, 0.1)
    strong = ps.modes(grid, rho, rhobar, g=1e-9, spectrum="unstable")
    weak = ps.modes(grid, rho, rhobar, g=6.65e-14, spectrum="unstable")
    assert weak.sizes["mode"] == strong.sizes["mode"] == 6
    np.testing.assert_allclose(weak.growth_rate / 6.65e-14, strong.growth_rate / 1e-9, rtol=1e-5)
    right, left = vectors(weak)
    np.testing.assert_allclose(left @ right.T, np.eye(6), atol=1e-8)


def test_the_forced_kappa_is_where_the_equation_rests():
    grid, rho, rhobar, g = unstable_system(3)
    found = ps.modes(grid, rho, rhobar, g=g)
    _, drive = pairwise_rhs(grid, rho, rhobar, np.zeros(grid.size, complex), g)
    forced = found.forced.values
    rest = matrix(grid, rho + rhobar - 1, g) @ np.concatenate([forced, forced.conj()])
    np.testing.assert_allclose(rest[: grid.size], -drive, atol=1e-12)


def test_amplitudes_of_the_linear_equation_grow_as_their_modes():
    grid, rho, rhobar, g = unstable_system(0)
    found = ps.modes(grid, rho, rhobar, g=g)
    rng = np.random.default_rng(1)
    forced = found.forced.values
    away = 1e-5 * (rng.random(8) + 1j * rng.random(8))
    times = np.linspace(0, 8, 5)
    A = matrix(grid, rho + rhobar - 1, g)
    kappa = forced + np.array([(expm(A * t) @ np.concatenate([away, away.conj()]))[:8] for t in times])
    amplitude = ps.project(found, xr.DataArray(kappa, dims=("time", "pair"), coords={"time": times}))
    assert amplitude.dims == ("time", "mode")
    expected = amplitude[0] * np.exp(found.eigenvalue * amplitude.time)
    np.testing.assert_allclose(
        amplitude, expected.transpose("time", "mode"), atol=1e-9 * np.abs(amplitude).max()
    )
    assert np.abs(amplitude[-1, 0]) > 1e3 * np.abs(amplitude[0, 0])
    # an array will do, and all modes together are the run
    np.testing.assert_array_equal(ps.project(found, kappa), amplitude)
    again = (amplitude * found.right).sum("mode") + found.forced
    np.testing.assert_allclose(again.transpose("time", "pair"), kappa, rtol=1e-9)


def test_the_amplitude_of_a_run_of_the_full_equations_grows_at_the_rate_of_its_mode():
    # kappa follows J0 to 8e-3 here, and the rest of the equations is of that order
    grid, g = ps.bins(1, 1, 4), 1e-5
    rho, _ = ps.quadrant(grid, 0.9, 0.1)
    found = ps.modes(grid, rho, g=g)
    start = found.forced.values + 1e-5 * (1 + np.arange(4)) * np.exp(1j * np.arange(4))

    def rhs(t, state):
        return np.concatenate(pairwise_rhs(grid, state[:4].real, state[:4].real, state[4:], g))

    t = 2 / float(found.growth_rate[0])
    run = solve_ivp(
        rhs, (0, t), np.concatenate([rho, start]).astype(complex), "DOP853", rtol=1e-7, atol=1e-12
    )
    amplitude = np.abs(ps.project(found, run.y[4:].T).isel(mode=0).values)
    assert np.log(amplitude[-1] / amplitude[0]) / t == pytest.approx(float(found.growth_rate[0]), rel=0.04)


def test_large_systems_give_what_grows():
    grid = ps.bins(5, 8, 8)
    found = ps.modes(grid, *ps.quadrant(grid, 0.9, 0.1), g=1e-5)
    assert found.attrs["spectrum"] == "unstable"
    growth = ps.growth(grid, *ps.quadrant(grid, 0.9, 0.1), g=1e-5)
    assert found.sizes["mode"] == int(growth.n_unstable)
    assert float(found.growth_rate[0]) == float(growth.growth_rate)


def test_a_stable_system_has_no_unstable_modes():
    grid = ps.bins(1, 1, 4)
    found = ps.modes(grid, np.full(4, 0.3), g=1e-6, spectrum="unstable")
    assert found.sizes == {"mode": 0, "pair": 4}
    assert ps.project(found, np.zeros((3, 4))).shape == (3, 0)


def test_unusable_input_is_refused():
    grid = ps.bins(1, 1, 4)
    with pytest.raises(ValueError, match="choose one of all, unstable"):
        ps.modes(grid, np.full(4, 0.3), g=1e-6, spectrum="some")
    with pytest.raises(ValueError, match="between 0 and 1"):
        ps.modes(grid, np.full(4, 1.3), g=1e-6)
    found = ps.modes(grid, np.full(4, 0.3), g=1e-6)
    with pytest.raises(ValueError, match="kappa has 3 pairs, the modes 4"):
        ps.project(found, np.zeros(3))


def test_a_run_is_projected_as_it_is_and_what_is_none_is_said():
    grid = ps.bins(1, 1, 4, 20.0)
    occupation = ps.quadrant(grid, 0.9, 0.1)
    modes = ps.modes(grid, *occupation, g=1e-6)
    settings = {"g": 1e-6, "t_end": 2.0, "samples": 3}
    run = ps.evolve(grid, *occupation, **settings, keep="pairs")
    xr.testing.assert_identical(ps.project(modes, run), ps.project(modes, run["kappa"]))
    with pytest.raises(ValueError, match='keep="pairs"'):
        ps.project(modes, ps.evolve(grid, *occupation, **settings))
    for none in (run, run["kappa"], [1.0]):
        with pytest.raises(ValueError, match=r"ps\.modes"):
            ps.project(none, run)


def test_where_there_is_no_certificate_the_dense_ones_that_grow_are_given():
    # two static modes alike, hardly beyond their threshold
    grid = ps.bins(1, 8, 8)
    found = ps.modes(grid, np.zeros(64), g=3e-4, spectrum="unstable")
    assert found.sizes["mode"] == 3
    growth = ps.growth(grid, np.zeros(64), g=3e-4)
    assert int(growth.n_unstable) == 3
    assert float(found.growth_rate[0]) == pytest.approx(float(growth.growth_rate), rel=1e-9)
