"""Shares of the pairs against eigenvectors of the dense matrix."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.dense import stability_matrix
from pairsweep.analyses.growth.kernels.general.modes import coupling_norm, mode_table, unstable_modes
from pairsweep.analyses.growth.kernels.general.shares import dispersion_matrix, mode_share, null_vectors
from pairsweep.physics.grid import bins
from tests.analyses.growth.kernels.general.mode_systems import make_system


def dense_share(grid, n, g, floor):
    """Mean over an orthonormal basis of the fastest eigenvectors of M."""
    matrix = np.empty((2 * grid.size, 2 * grid.size))
    stability_matrix(grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, n, g, matrix)
    values, vectors = np.linalg.eig(matrix)
    fastest = (values.real >= values.real.max() - floor) & (values.imag >= 0)
    basis = np.linalg.qr(vectors[:, fastest])[0]
    share = (np.abs(basis) ** 2).mean(axis=1)
    return share[: grid.size] + share[grid.size :]


def shares(grid, n, g):
    tolerance = 1e-6 * coupling_norm(grid.weight, n, g)
    table = mode_table(2 * grid.size)
    frame = (grid.energy, grid.weight, grid.p_hat, n, g)
    _, count, _ = unstable_modes(*frame, tolerance, table)
    if count == 0:
        return None, None
    fastest = int(np.sum(table.rates[:count] >= table.rates[0] - tolerance))
    share = np.empty(grid.size)
    mode_share(*frame, table, fastest, share)
    return share, dense_share(grid, n, g, tolerance)


@pytest.mark.parametrize("kind", ["one energy", "few energies", "large g", "zeros"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shares_are_those_of_dense_eigenvectors(kind, seed):
    grid, n, g = make_system(kind, np.random.default_rng(seed))
    g = max(g, 1e-3 / grid.weight.sum())  # where dense eigenvectors have digits left
    share, expected = shares(grid, n, g)
    if share is None:
        pytest.skip("stable")
    assert share.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(share, expected, atol=1e-5)


def test_a_double_mode_is_shared_by_both():
    # four beams in the plane: x and y are equivalent, and so is the share of the four
    grid = bins(1, 1, 4)
    share, _ = shares(grid, -np.ones(4), 0.3 / 400)
    np.testing.assert_allclose(share, 0.25, rtol=1e-6)


def test_null_vectors_are_annihilated():
    rng = np.random.default_rng(0)
    vectors = np.empty((3, 3), complex)
    for rank in (1, 2):
        left = rng.normal(size=(3, rank)) + 1j * rng.normal(size=(3, rank))
        right = rng.normal(size=(rank, 3)) + 1j * rng.normal(size=(rank, 3))
        matrix = left @ right
        dimension = null_vectors(matrix, 3, vectors)
        assert dimension == 3 - rank
        np.testing.assert_allclose(matrix @ vectors[:dimension].T, 0.0, atol=1e-12)


def test_matrix_is_the_identity_far_away():
    grid = bins(1, 1, 4)
    matrix = np.empty((3, 3), complex)
    ones = np.ones(4)
    dispersion_matrix(2 * grid.energy, 0 * ones, 1e-3 * ones, grid.p_hat, 0.0, 1e9 + 0j, matrix)
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-10)
