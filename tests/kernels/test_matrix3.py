"""3 x 3 matrices of nine numbers against numpy's."""

import numpy as np
import pytest

from pairsweep.kernels.matrix3 import add_transverse, adjugate, hermitian_eigenvalues


def cross(a):
    return np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])


def matrix_of(numbers):
    """S + i [a]x."""
    return np.asarray(numbers)[[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3) + 1j * cross(numbers[6:])


def test_the_transverse_projector(both):
    p = np.random.default_rng(0).normal(size=3)
    out = np.zeros((6, 2))
    add_transverse(1.5, *p, 1, out)
    full = 1.5 * (np.eye(3) - np.outer(p, p))
    np.testing.assert_allclose(out[:, 1], full[np.triu_indices(3)], atol=1e-15)
    assert not out[:, 0].any()


@pytest.mark.parametrize("imaginary", [0.0, 1.0])
def test_the_adjugate_is_determinant_times_inverse(both, imaginary):
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=9) + imaginary * 1j * rng.normal(size=9)
    W = matrix_of(numbers)
    symmetric, along, determinant = adjugate(*(numbers if imaginary else numbers.real))
    assert determinant == pytest.approx(np.linalg.det(W), rel=1e-12)
    expected = np.linalg.det(W) * np.linalg.inv(W)
    np.testing.assert_allclose(matrix_of([*symmetric, *(-np.array(along))]), expected, rtol=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_eigenvalues(both, seed):
    numbers = np.random.default_rng(seed).normal(size=(9, 1))
    out = np.empty(3)
    hermitian_eigenvalues(numbers, np.int64(0), np.empty((3, 3), complex), out)
    np.testing.assert_allclose(np.sort(out), np.linalg.eigvalsh(matrix_of(numbers[:, 0])), atol=1e-14)
    assert np.all(np.diff(np.abs(out)) <= 0)
