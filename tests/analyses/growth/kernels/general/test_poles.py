"""Merging and cutting: residues add up, ranks are right, and each strip keeps its zeros."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.general.poles import cluster_poles, screen
from pairsweep.kernels.coupling import oscillators
from pairsweep.physics.grid import beams, bins
from pairsweep.physics.patterns.quadrant import quadrant
from tests.analyses.growth.kernels.general.mode_systems import dense


def clusters_of(grid, n, g):
    n = np.ascontiguousarray(n, dtype=float)
    base, offset, strength = np.empty((3, grid.size))
    scale = oscillators(grid.energy, grid.weight, grid.p_hat, n, g, base, offset, strength)
    faint = np.zeros(grid.size, np.bool_)
    return cluster_poles(base, offset, strength, grid.p_hat, scale, faint, 0.0), strength


def test_isotropic_pairs_merge_into_one_pole_of_rank_three():
    grid = bins(1, 8, 8)
    clusters, _ = clusters_of(grid, np.full(64, 0.3), 1e-6)
    assert clusters.location.size == 1
    assert clusters.rank[0] == 3


def test_pairs_that_cancel_leave_no_zero():
    grid = beams([1.0, 1.0], [2.0, 2.0], [0.3, 0.3], [0.1, 0.1])
    clusters, _ = clusters_of(grid, [0.5, -0.5], 1e-6)
    np.testing.assert_array_equal(clusters.rank, 0)


def test_the_quadrant_pattern_merges_mirror_images():
    grid = bins(8, 16, 16)
    clusters, _ = clusters_of(grid, np.subtract(sum(quadrant(grid, 0.9, 0.1)), 1), 1e-6)
    assert clusters.location.size == grid.size // 4


def test_strength_is_kept():
    grid = bins(3, 2, 4)
    n = np.random.default_rng(0).uniform(-1, 1, grid.size)
    clusters, strength = clusters_of(grid, n, 1e-6)
    # the trace of S is 2 c for every pair
    total = clusters.residue[[0, 3, 5]].sum()
    assert total == pytest.approx(2 * strength.sum(), rel=1e-12)
    assert clusters.bound.sum() == pytest.approx(2 * np.abs(strength).sum())
    assert np.all(clusters.owner >= 0)


@pytest.mark.parametrize("g", [1e-7, 1e-6, 1e-5])
def test_each_strip_holds_as_many_zeros_as_its_ranks(g):
    grid = bins(6, 2, 3)
    n = np.random.default_rng(4).uniform(-1, 1, grid.size)
    clusters, _ = clusters_of(grid, n, g)
    frequencies = dense(grid, n, g).imag
    assert not clusters.central
    assert clusters.count > 1
    for k in range(clusters.count):
        middle = clusters.reference[k] + clusters.centre[k]
        reach = clusters.half[k] + 2 * clusters.total[k]
        inside = np.sum(np.abs(frequencies - middle) < reach)
        assert reach < clusters.half[k] + clusters.room[k]
        assert inside == clusters.rank[clusters.first[k] : clusters.first[k + 1]].sum()


def test_large_coupling_takes_the_mirrored_poles_in():
    grid = bins(1, 2, 4)
    clusters, _ = clusters_of(grid, -np.ones(8), 1e-2)
    assert clusters.central
    own = clusters.location[: clusters.first[1]]
    np.testing.assert_allclose(own, -own[::-1])


def hermitian(numbers):
    """The matrix S + i [a]x of nine numbers."""
    a, b, c, d, e, f, x, y, z = numbers
    return np.array([[a, b, c], [b, d, e], [c, e, f]]) + 1j * np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])


@pytest.mark.parametrize("function", [screen, screen.py_func])
def test_screened_residues_are_congruent(function):
    random = np.random.default_rng(4)
    grid = bins(2, 3, 4)
    n = np.tile(random.uniform(-1, 1, 12), 2)
    n[:4] = n[0]  # some merge
    before, _ = clusters_of(grid, n, 1e-4)
    after, _ = clusters_of(grid, n, 1e-4)
    half = random.uniform(-0.3, 0.3, (3, 3))
    root = np.linalg.inv(np.eye(3) + half @ half.T)
    function(after, root)
    np.testing.assert_array_equal(after.rank, before.rank)
    for j in range(before.location.size):
        expected = root @ hermitian(before.residue[:, j]) @ root
        np.testing.assert_allclose(hermitian(after.residue[:, j]), expected, atol=1e-13 * before.bound[j])
        values = np.linalg.eigvalsh(expected)
        largest_first = values[np.argsort(-np.abs(values))][: after.rank[j]]
        np.testing.assert_allclose(
            after.seed[: after.rank[j], j], largest_first, atol=1e-12 * before.bound[j]
        )
        assert np.abs(values).max() <= before.bound[j]
