"""Zeros and their discs against polynomials multiplied out."""

import numpy as np
import pytest

from pairsweep import grid as grids
from pairsweep.kernels.bulk_lanes import LANES, load, store
from pairsweep.kernels.bulk_roots import empty_roots, enclose_roots, improve_roots, start_roots
from pairsweep.kernels.jit import jit
from tests.kernels.test_bulk_dispersion import evaluate, random_beams


@jit()
def all_roots(shared, poles, tolerance, moved):
    """Zeros of one block; ``moved`` (MeV^2) is added to the first root before the discs are drawn."""
    roots = empty_roots(shared.energy.size)
    start_roots(poles, roots)
    improve_roots(shared, poles, load(tolerance, 0), roots)
    store(roots.lo, 0, load(roots.lo, 0) + moved)
    enclose_roots(shared, poles, roots)
    return roots


def roots_of(grid, n, g, moved=0.0):
    shared, poles, _ = evaluate(grid, n, g, 1.0)
    tolerance = np.full((1, LANES), 1e-6 * 4 * g * (np.abs(n) * grid.weight).sum())
    roots = all_roots(shared, poles, tolerance, moved)
    return poles, (roots.hi + roots.lo + 1j * roots.im)[:, 0], roots.radius[:, 0]


@pytest.mark.parametrize(("pairs", "g"), [(1, 0.1), (2, 1.0), (4, 0.3), (8, 0.02), (16, 1e-3)])
def test_roots_have_the_sum_and_the_values_that_the_function_demands(pairs, g):
    rng = np.random.default_rng(pairs)
    grid = random_beams(rng, pairs)
    n = rng.uniform(-1, 1, pairs)
    poles, found, radius = roots_of(grid, n, g)
    assert poles.counted.min() == 1
    strength, twice, omega, hi = (
        array[:, 0] for array in (poles.strength, poles.twice, poles.omega, poles.hi)
    )
    # F is monic, and its next coefficient follows from f -> 1 - (2 sum 2c Omega + |sum 2c q_hat|^2) / s
    drift = 2 * strength.sum() + ((twice @ grid.p_hat) ** 2).sum()
    assert found.sum() == pytest.approx(omega @ omega + drift, rel=1e-12)
    # F at a point far from everything, against the product over the roots
    s = complex(hi.mean(), 3 * np.abs(hi).max())
    _, _, f = evaluate(grid, n, g, s)
    expected = np.prod((s - found) / (s - hi))
    assert complex(f[0, 0], f[1, 0]) == pytest.approx(expected, rel=1e-11)
    assert (radius < 1e-9 * np.abs(found)).all()


def test_discs_grow_where_a_root_was_missed():
    rng = np.random.default_rng(1)
    grid = random_beams(rng, 5)
    n = rng.uniform(-1, 1, 5)
    _, right, small = roots_of(grid, n, 0.1)
    moved = 1e-4 * abs(right[0])
    _, wrong, large = roots_of(grid, n, 0.1, moved=moved)
    assert wrong[0] - right[0] == pytest.approx(moved)
    assert large[0] >= moved
    assert small[0] < 1e-6 * moved


def test_discs_of_roots_that_coincide_for_symmetry_stay_small():
    # four pairs along +-x and +-y, occupied alike: the modes along x and y coincide, W has rank 1 there. A bound by
    # the size of the entries alone would give the root of the rounding times the number of roots, 1e-6 and more
    grid = grids.bins(1, 1, 4)
    poles, found, radius = roots_of(grid, np.full(4, -0.5), 1e-6)
    counted = poles.counted[:, 0] == 1
    width = np.abs(poles.strength[:, 0]).sum()
    assert counted.sum() == 3
    assert np.diff(np.sort(found[counted].real)).min() < 1e-9 * width
    assert (radius[counted] < 1e-8 * width).all()
