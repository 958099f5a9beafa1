"""Poles and dispersion function of the bulk kernels against matrices and exact fractions."""

from fractions import Fraction

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.batch.dispersion import (
    are_parallel,
    dispersion,
    dispersion_rounding,
    fill_poles,
    share_grid,
)
from pairsweep.analyses.growth.kernels.batch.tables import (
    COUNTED,
    EPN,
    HI,
    LO,
    OFFSET,
    OMEGA,
    POLE_FIELDS,
    SITE_FIELDS,
    SLOT_FIELDS,
    TWICE,
    lay_out,
)
from pairsweep.kernels.complex_lanes import imag, load, real, store
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES
from pairsweep.physics import grid as grids
from tests.analyses.growth.kernels.batch.bulk_systems import dense_eigenvalues


@jit()
def poles_and_values(energy, weight, p_hat, n, g, s, out):
    """Tables of eight points, and f with its rounding bound, ``out``, at ``s`` (1, 3, 8): hi, lo, imaginary."""
    pairs = energy.size
    shared = share_grid(energy, weight, p_hat)
    poles = np.empty((pairs, POLE_FIELDS, LANES))
    poles[:, EPN] = n
    fill_poles(shared, load(g, 0, 0), poles)
    sites = np.empty((pairs, SITE_FIELDS, LANES))
    slots = np.empty((pairs, SLOT_FIELDS, LANES))
    used, taken = lay_out(shared, poles, sites, slots)
    sh, sl, si = load(s, 0, 0), load(s, 0, 1), load(s, 0, 2)
    f = dispersion(sites[:used], sh, sl, si)
    store(out, 0, 0, real(f))
    store(out, 0, 1, imag(f))
    store(out, 0, 2, dispersion_rounding(sites[:used], poles, sh, sl, si))
    return shared, poles, sites[:used], slots[:taken]


def prepare(grid, n, g, s=1.0):
    """Tables shared, poles, sites and slots of eight points, and f (3, 8)."""
    f = np.empty((1, 3, LANES))
    parts = (np.real(s), np.zeros(LANES), np.imag(s))
    s = np.array([[np.broadcast_to(part, LANES) for part in parts]], dtype=float)
    n = np.ascontiguousarray(np.broadcast_to(n, (LANES, grid.size)).T)
    g = np.broadcast_to(np.asarray(g, dtype=float), (1, 1, LANES)).copy()
    return (*poles_and_values(grid.energy, grid.weight, grid.p_hat, n, g, s, f), f[0])


def evaluate(grid, n, g, s):
    """Tables shared and poles, and f (3, 8) of eight points."""
    shared, poles, _sites, _slots, f = prepare(grid, n, g, s)
    return shared, poles, f


def random_beams(rng, pairs):
    directions = np.arccos(rng.uniform(-1, 1, pairs)), rng.uniform(0, 2 * np.pi, pairs)
    return grids.beams(rng.uniform(1, 20, pairs), rng.uniform(0.1, 2, pairs), *directions)


def determinant(grid, n, g, lam):
    """det[1 - D(lambda)] as PHYSICS writes it, term by term."""
    J0 = (grid.weight * (n + 1)) @ grid.p_hat
    D = np.zeros((3, 3), dtype=complex)
    for q in range(grid.size):
        hat = grid.p_hat[q]
        omega = 2 * grid.energy[q] - 4 * g * (hat @ J0)
        cross = np.cross(hat, np.eye(3)).T
        numerator = omega * (np.eye(3) - np.outer(hat, hat)) + lam * cross
        D -= 4 * g * grid.weight[q] * n[q] * numerator / (omega**2 + lam**2)
    return np.linalg.det(np.eye(3) - D)


@pytest.mark.parametrize("pairs", [1, 2, 5, 16])
def test_function_is_the_determinant(pairs):
    rng = np.random.default_rng(pairs)
    grid = random_beams(rng, pairs)
    n = rng.uniform(-1, 1, (LANES, pairs))
    g = 10 ** rng.uniform(-3, 0.5, LANES)
    lam = rng.normal(size=LANES) + 20j * rng.normal(size=LANES)
    _, _, f = evaluate(grid, n, g, -(lam**2))
    expected = [determinant(grid, n[i], g[i], lam[i]) for i in range(LANES)]
    np.testing.assert_allclose(f[0] + 1j * f[1], expected, rtol=2e-11)
    assert (np.abs(f[0] + 1j * f[1] - expected) < 8 * f[2]).all()


def test_function_vanishes_at_the_eigenvalues_of_the_matrix():
    rng = np.random.default_rng(5)
    grid = random_beams(rng, 4)
    n = rng.uniform(-1, 1, 4)
    s = -(dense_eigenvalues(grid, n, 0.3)[0] ** 2)
    _, _, at = evaluate(grid, n, 0.3, s)
    _, _, beside = evaluate(grid, n, 0.3, s * (1 + 1e-3))
    assert (np.hypot(at[0], at[1]) < 1e-9 * np.hypot(beside[0], beside[1])).all()


@pytest.mark.parametrize("g", [1e-14, 1e-6, 0.1])
def test_positions_hold_twice_the_precision(g):
    rng = np.random.default_rng(9)
    grid = random_beams(rng, 3)
    n = rng.uniform(-1, 1, 3)
    _, poles, _ = evaluate(grid, n, g, 1.0)
    offset, omega, hi, lo = (poles[:, field] for field in (OFFSET, OMEGA, HI, LO))
    assert (poles[:, COUNTED] == 1).all()
    for q in range(3):
        d = Fraction(offset[q, 0])
        exact = (2 * Fraction(grid.energy[q]) + d) ** 2
        error = abs(Fraction(hi[q, 0]) + Fraction(lo[q, 0]) - exact)
        assert error <= abs(d) * Fraction(4 * grid.energy[q] + abs(offset[q, 0])) * Fraction(1, 2**51)
        assert omega[q, 0] == pytest.approx(2 * grid.energy[q] + float(d), rel=1e-15)


def test_equal_poles_bring_one_zero_per_direction_and_three_at_most():
    ring = grids.bins(1, 1, 8)
    assert evaluate(ring, np.full(8, -0.3), 1e-6, 1.0)[1][:, COUNTED, 0].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    twice = grids.beams([5.0] * 4, [1.0] * 4, [0.3, 0.3, 1.0, 1.0], [0.0] * 4)
    assert evaluate(twice, np.array([0.5, -0.2, 0.1, 0.4]), 1e-6, 1.0)[1][:, COUNTED, 0].tolist() == [
        1,
        0,
        1,
        0,
    ]
    crossed = evaluate(ring, np.array([0.8, -0.8, -0.8, -0.8, -0.8, -0.8, -0.8, -0.8]), 1e-6, 1.0)[1]
    assert crossed[:, COUNTED].sum(axis=0).tolist() == [8.0] * LANES


def test_pairs_without_coupling_bring_no_zero():
    grid = grids.beams([1.0, 2.0, 3.0], [1.0, 0.0, 1.0], [0.1, 0.2, 0.3], [0.0, 1.0, 2.0])
    _, poles, _ = evaluate(grid, np.array([0.5, 0.5, 0.0]), 0.1, 1.0)
    assert poles[:, COUNTED, 0].tolist() == [1, 0, 0]
    assert poles[1:, TWICE, 0].tolist() == [0, 0]


def test_a_pole_itself_is_no_trap():
    grid = random_beams(np.random.default_rng(4), 3)
    n = np.array([0.5, -0.5, 0.2])
    _, poles, _ = evaluate(grid, n, 0.1, 1.0)
    _, _, f = evaluate(grid, n, 0.1, poles[0, HI, 0] + poles[0, LO, 0])
    assert np.isfinite(f).all()


def test_directions_are_parallel_to_rounding_only(both):
    grid = grids.beams([1.0] * 3, [1.0] * 3, [0.5, 0.5 + 1e-12, 0.5 + 1e-3], [1.0] * 3)
    shared = share_grid(grid.energy, grid.weight, grid.p_hat)
    assert are_parallel(shared, 0, 1)
    assert not are_parallel(shared, 0, 2)
