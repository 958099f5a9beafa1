"""Zeros and their discs against polynomials multiplied out."""

import numpy as np
import pytest

from pairsweep.kernels.bulk_lanes import LANES, load, store
from pairsweep.kernels.bulk_roots import enclose_roots, improve_roots, start_roots
from pairsweep.kernels.jit import jit
from tests.kernels.test_bulk_dispersion import evaluate, random_beams


@jit()
def all_roots(p_hat, outer, poles, tolerance, moved, roots, radius):
    """Zeros of one block; ``moved`` (MeV^2) is added to the first root before the discs are drawn."""
    pairs = p_hat.shape[0]
    twice, strength, hi, lo, rank = poles[2], poles[3], poles[4], poles[5], poles[6]
    root_hi, root_lo, root_im = roots[0], roots[1], roots[2]
    vr = np.empty((pairs, 8))
    vi = np.empty((pairs, 8))
    new = np.empty((3 * pairs, 8))
    start_roots(rank, twice, strength, hi, lo, root_hi, root_lo, root_im)
    improve_roots(
        p_hat,
        outer,
        twice,
        strength,
        hi,
        lo,
        rank,
        load(tolerance, 0),
        root_hi,
        root_lo,
        root_im,
        vr,
        vi,
        new,
    )
    store(root_lo, 0, load(root_lo, 0) + moved)
    enclose_roots(p_hat, outer, twice, strength, hi, lo, rank, root_hi, root_lo, root_im, vr, radius)
    return 0


def roots_of(grid, n, g, moved=0.0):
    poles, _ = evaluate(grid, n, g, 1.0)
    x, y, z = grid.p_hat.T
    outer = np.stack([x * x, y * y, z * z, x * y, x * z, y * z], axis=1)
    roots, radius = np.empty((3, grid.size, LANES)), np.empty((grid.size, LANES))
    tolerance = np.full((1, LANES), 1e-6 * 4 * g * (np.abs(n) * grid.weight).sum())
    all_roots(grid.p_hat, outer, poles, tolerance, moved, roots, radius)
    return poles, roots, radius


@pytest.mark.parametrize(("pairs", "g"), [(1, 0.1), (2, 1.0), (4, 0.3), (8, 0.02), (16, 1e-3)])
def test_roots_have_the_sum_and_the_values_that_the_function_demands(pairs, g):
    rng = np.random.default_rng(pairs)
    grid = random_beams(rng, pairs)
    n = rng.uniform(-1, 1, pairs)
    poles, roots, radius = roots_of(grid, n, g)
    _offset, omega, twice, strength, hi, _lo, rank = poles
    assert rank.min() == 1
    found = roots[0] + roots[1] + 1j * roots[2]
    # F is monic, and its next coefficient follows from f -> 1 - (2 tr strength + |sum twice q|^2) / s
    drift = 2 * strength[:, 0].sum() + ((twice[:, 0] @ grid.p_hat) ** 2).sum()
    assert found[:, 0].sum() == pytest.approx(omega[:, 0] @ omega[:, 0] + drift, rel=1e-12)
    # F at a point far from everything, against the product over the roots
    s = complex(hi[:, 0].mean(), 3 * np.abs(hi).max())
    _, f = evaluate(grid, n, g, s)
    expected = np.prod((s - found[:, 0]) / (s - hi[:, 0]))
    assert complex(f[0, 0], f[1, 0]) == pytest.approx(expected, rel=1e-11)
    assert (radius < 1e-9 * np.abs(found)).all()


def test_discs_grow_where_a_root_was_missed():
    rng = np.random.default_rng(1)
    grid = random_beams(rng, 5)
    n = rng.uniform(-1, 1, 5)
    _, right, small = roots_of(grid, n, 0.1)
    moved = 1e-4 * right[0][0, 0]
    _, wrong, large = roots_of(grid, n, 0.1, moved=moved)
    assert wrong[0][0, 0] + wrong[1][0, 0] - (right[0][0, 0] + right[1][0, 0]) == pytest.approx(moved)
    assert (large[0] >= moved).all()
    assert (small[0] < 1e-6 * moved).all()
