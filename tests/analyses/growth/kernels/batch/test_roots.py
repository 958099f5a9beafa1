"""Zeros and their discs against polynomials multiplied out."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.batch.roots import (
    enclose_roots,
    improve_roots,
    part_roots,
    start_roots,
)
from pairsweep.analyses.growth.kernels.batch.tables import (
    COUNTED,
    HI,
    IM,
    LO,
    OMEGA,
    RADIUS,
    ROOT_FIELDS,
    STRENGTH,
    TWICE,
)
from pairsweep.kernels.complex_lanes import load
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES
from pairsweep.physics import grid as grids
from tests.analyses.growth.kernels.batch.test_dispersion import evaluate, prepare, random_beams


@jit()
def all_roots(poles, sites, slots, tolerance, positions):
    """Zeros of one block and their discs, or discs about other ``positions`` (3, N, 8) if given."""
    roots = np.empty((poles.shape[0], ROOT_FIELDS, LANES))
    start_roots(slots, roots)
    improve_roots(sites, slots, load(tolerance, 0, 0), roots)
    if positions.shape[0] > 0:
        roots[:, HI] = positions[0]
        roots[:, LO] = positions[1]
        roots[:, IM] = positions[2]
    enclose_roots(sites, slots, poles, roots)
    return roots


def roots_of(grid, n, g, positions=()):
    """Poles, roots and radii (N,); ``positions`` are complex roots (N,) to put in their place."""
    _, poles, sites, slots, _ = prepare(grid, n, g)
    tolerance = np.full((1, 1, LANES), 1e-6 * 4 * g * (np.abs(n) * grid.weight).sum())
    given = np.empty((0, 0, 0))
    if len(positions):
        given = np.zeros((3, grid.size, LANES))
        given[0], given[2] = np.real(positions)[:, None], np.imag(positions)[:, None]
    roots = all_roots(poles, sites, slots, tolerance, given)
    return poles, roots[:, HI, 0] + roots[:, LO, 0] + 1j * roots[:, IM, 0], roots[:, RADIUS, 0]


@pytest.mark.parametrize(("pairs", "g"), [(1, 0.1), (2, 1.0), (4, 0.3), (8, 0.02), (16, 1e-3)])
def test_roots_have_the_sum_and_the_values_that_the_function_demands(pairs, g):
    rng = np.random.default_rng(pairs)
    grid = random_beams(rng, pairs)
    n = rng.uniform(-1, 1, pairs)
    poles, found, radius = roots_of(grid, n, g)
    assert poles[:, COUNTED].min() == 1
    strength, twice, omega, hi = (poles[:, field, 0] for field in (STRENGTH, TWICE, OMEGA, HI))
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
    moved = np.array([1e-4 * abs(right[0]), 0, 0, 0, 0])
    _, wrong, large = roots_of(grid, n, 0.1, right + moved)
    np.testing.assert_allclose(wrong - right, moved, atol=1e-12)
    assert large[0] >= moved[0]
    assert small[0] < 1e-6 * moved[0]


def test_discs_of_roots_that_coincide_for_symmetry_stay_small():
    # four pairs along +-x and +-y, occupied alike: the modes along x and y coincide, W has rank 1 there. A bound by
    # the size of the entries alone would give the root of the rounding times the number of roots, 1e-6 and more
    grid = grids.bins(1, 1, 4)
    poles, found, radius = roots_of(grid, np.full(4, -0.5), 1e-6)
    counted = poles[:, COUNTED, 0] == 1
    width = np.abs(poles[:, STRENGTH, 0]).sum()
    assert counted.sum() == 3
    assert np.diff(np.sort(found[counted].real)).min() < 1e-9 * width
    assert (radius[counted] < 1e-8 * width).all()


def test_centres_that_coincide_or_lie_on_a_pole_certify_nothing():
    grid = random_beams(np.random.default_rng(7), 3)
    n = np.array([0.6, -0.7, -0.2])
    poles, found, small = roots_of(grid, n, 0.1)
    width = np.abs(poles[:, STRENGTH, 0]).sum()
    assert (small < 1e-9 * width).all()
    for instead in (found[0], poles[2, HI, 0]):
        _, centres, radius = roots_of(grid, n, 0.1, np.append(found[:2], instead))
        assert centres[2] != centres[0]
        # the discs still hold the zero that is not at any centre
        assert (np.abs(found[2] - centres) <= radius).any()


def test_parting_leaves_other_roots_alone():
    grid = random_beams(np.random.default_rng(7), 4)
    _, _, _, slots, _ = prepare(grid, np.full(4, 0.5), 0.1)
    roots = np.zeros((4, ROOT_FIELDS, LANES))
    roots[:, HI] = np.array([3.0, 3.0, 1.0, 3.0])[:, None]
    part_roots(slots, roots)
    positions = roots[:, HI, 0] + roots[:, LO, 0]
    assert positions[[0, 2]].tolist() == [3.0, 1.0]
    assert np.unique(positions).size == 4
    assert np.abs(positions - [3.0, 3.0, 1.0, 3.0]).max() < 1e-12
