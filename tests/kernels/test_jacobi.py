import numpy as np
import pytest

from pairsweep.kernels.jacobi import diagonalise


def hermitian(rows, seed):
    rng = np.random.default_rng(seed)
    full = rng.normal(size=(rows, rows)) + 1j * rng.normal(size=(rows, rows))
    return full + full.conj().T


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 6])
def test_against_lapack(both, rows):
    matrix = hermitian(rows, rows)
    diagonal, vectors = matrix.copy(), np.empty((rows, rows), complex)
    diagonalise(diagonal, vectors)
    values = np.diag(diagonal).real
    np.testing.assert_allclose(np.sort(values), np.linalg.eigvalsh(matrix), atol=1e-14)
    np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.conj().T, matrix, atol=1e-14)
    np.testing.assert_allclose(vectors.conj().T @ vectors, np.eye(rows), atol=1e-15 * rows)


def test_without_vectors_the_values_are_the_same(both):
    once, again = hermitian(4, 0), hermitian(4, 0)
    diagonalise(once, np.empty((4, 4), complex))
    diagonalise(again, again[:0])
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize("factor", [0.0, 1e-300, 1e300])
def test_at_any_size(both, factor):
    matrix = factor * np.diag([1.0, 2.0, 2.0]).astype(complex)
    matrix[0, 1] = matrix[1, 0] = factor
    diagonalise(matrix, matrix[:0])
    roots = np.sort([1.5 - 1.25**0.5, 2.0, 1.5 + 1.25**0.5])
    np.testing.assert_allclose(np.sort(np.diag(matrix).real), factor * roots, rtol=1e-14)


def test_a_subnormal_entry_turns_nothing(both):
    matrix = hermitian(3, 1)
    matrix[0, 2] = matrix[1, 2] = 0.0
    matrix[2, 0] = matrix[2, 1] = 0.0
    exact = np.linalg.eigvalsh(matrix)
    matrix[0, 2] = matrix[1, 2] = 5e-324 * (1 + 1j)
    matrix[2, 0] = matrix[2, 1] = 5e-324 * (1 - 1j)
    vectors = np.empty((3, 3), complex)
    diagonalise(matrix, vectors)
    np.testing.assert_allclose(np.sort(np.diag(matrix).real), exact, atol=1e-14)
    np.testing.assert_allclose(vectors.conj().T @ vectors, np.eye(3), atol=1e-14)
