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
    diagonalise_rows(matrix, vectors, matrix.shape[0])


@jit(forceinline=True)
def diagonalise_rows(matrix, vectors, rows):
    """Do what `diagonalise` does, for a number of ``rows`` that the caller may know: then the loops are unrolled."""
    for i in range(vectors.shape[0]):
        vectors[i, :] = 0.0
        vectors[i, i] = 1.0
    for _ in range(SWEEPS):
        size = 0.0
        off = 0.0
        for i in range(rows):
            size += abs(matrix[i, i].real)
            for j in range(i):
                off += abs(matrix[i, j].real) + abs(matrix[i, j].imag)
        # moduli, which these sums of parts exceed by a root of 2 at most, would cost as much as all the rest
        if off <= NEGLIGIBLE * size or (
            off <= 1.5 * NEGLIGIBLE * size and moduli(matrix, rows) <= NEGLIGIBLE * size
        ):
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
                turn_columns(matrix, rows, p, q, c, t * c, phase.conjugate())
                turn_columns(vectors, vectors.shape[0], p, q, c, t * c, phase.conjugate())
                turn_columns(matrix.T, rows, p, q, c, t * c, phase)


@jit(forceinline=True)
def turn_columns(matrix, rows, p, q, c, s, phase):
    """Turn columns p and q of a matrix by the angle of cosine c and sine s, the second times ``phase`` first."""
    for k in range(rows):
        left = matrix[k, p]
        right = matrix[k, q] * phase
        matrix[k, p] = c * left - s * right
        matrix[k, q] = s * left + c * right


@jit()
def moduli(matrix, rows):
    """Return the sum of the moduli below the diagonal."""
    off = 0.0
    for i in range(rows):
        for j in range(i):
            off += abs(matrix[i, j])
    return off
