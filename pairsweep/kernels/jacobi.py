"""Eigenvalues and eigenvectors of Hermitian matrices of a few rows, by cyclic Jacobi rotations."""

import numpy as np

from pairsweep.kernels.jit import jit

SWEEPS = 16  # three or four are used
NEGLIGIBLE = 1e-18  # against the diagonal: far below rounding
NOTHING = 1e-20  # entries below this are left: the phase of a subnormal number is not of modulus 1


@jit()
def diagonalise(matrix, vectors):
    """Turn a Hermitian ``matrix`` (m, m), complex, into a diagonal one in place.

    ``vectors`` (m, m) gets the eigenvectors as columns; of shape (0, m) it gets none.
    """
    rows = matrix.shape[0]
    for i in range(vectors.shape[0]):
        vectors[i, :] = 0.0
        vectors[i, i] = 1.0
    for _ in range(SWEEPS):
        off = 0.0
        size = 0.0
        for i in range(rows):
            size += abs(matrix[i, i])
            for j in range(i):
                off += abs(matrix[i, j])
        if off <= NEGLIGIBLE * size:
            break
        for p in range(rows - 1):
            for q in range(p + 1, rows):
                h = matrix[p, q]
                modulus = abs(h)
                if modulus <= NOTHING * size:
                    continue
                phase = complex(h.real / modulus, h.imag / modulus)
                tau = (matrix[q, q].real - matrix[p, p].real) / (2.0 * modulus)
                t = (1.0 if tau >= 0.0 else -1.0) / (abs(tau) + np.sqrt(1.0 + tau * tau))
                c = 1.0 / np.sqrt(1.0 + t * t)
                turn_columns(matrix, p, q, c, t * c, phase.conjugate())
                turn_columns(vectors, p, q, c, t * c, phase.conjugate())
                turn_columns(matrix.T, p, q, c, t * c, phase)


@jit(forceinline=True)
def turn_columns(matrix, p, q, c, s, phase):
    """Turn columns p and q of a matrix by the angle of cosine c and sine s, the second times ``phase`` first."""
    for k in range(matrix.shape[0]):
        left = matrix[k, p]
        right = matrix[k, q] * phase
        matrix[k, p] = c * left - s * right
        matrix[k, q] = s * left + c * right
