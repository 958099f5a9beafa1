"""Algebra of the 3 x 3 matrices of the dispersion function, W = S + i [a]x with S symmetric, [a]x b = a x b.

For real S and a they are Hermitian. A matrix stands as nine numbers: S00, S01, S02, S11, S12, S22, a0, a1, a2.
"""

from pairsweep.kernels.jacobi import diagonalise_rows
from pairsweep.kernels.jit import jit


@jit(forceinline=True)
def add_transverse(c, px, py, pz, column, out):
    """Add c (1 - p p^T) to the six numbers ``out[:6, column]`` of a symmetric matrix; p = (px, py, pz)."""
    out[0, column] += c * (1.0 - px * px)
    out[1, column] -= c * px * py
    out[2, column] -= c * px * pz
    out[3, column] += c * (1.0 - py * py)
    out[4, column] -= c * py * pz
    out[5, column] += c * (1.0 - pz * pz)


@jit(forceinline=True)
def adjugate(s00, s01, s02, s11, s12, s22, a0, a1, a2):
    """Return the adjugate and the determinant of W, real or complex S and a.

        adj W = (adj S - a a^T) + i [-S a]x,      det W = det S - a^T S a.

    Returns
    -------
    (c00, c01, c02, c11, c12, c22), (v0, v1, v2), determinant
        The symmetric part, S a (the negative of the vector part), det W.
    """
    v0 = s00 * a0 + s01 * a1 + s02 * a2
    v1 = s01 * a0 + s11 * a1 + s12 * a2
    v2 = s02 * a0 + s12 * a1 + s22 * a2
    c00 = s11 * s22 - s12 * s12
    c01 = s02 * s12 - s01 * s22
    c02 = s01 * s12 - s02 * s11
    determinant = s00 * c00 + s01 * c01 + s02 * c02 - (a0 * v0 + a1 * v1 + a2 * v2)
    c00 -= a0 * a0
    c01 -= a0 * a1
    c02 -= a0 * a2
    c11 = s00 * s22 - s02 * s02 - a1 * a1
    c12 = s01 * s02 - s00 * s12 - a1 * a2
    c22 = s00 * s11 - s01 * s01 - a2 * a2
    return (c00, c01, c02, c11, c12, c22), (v0, v1, v2), determinant


@jit()
def hermitian_eigenvalues(numbers, column, matrix, out):
    """Fill ``out`` (3,) with the eigenvalues of the Hermitian W of ``numbers[:, column]`` (real).

    Largest modulus first. ``matrix`` (3, 3), complex, is scratch; S - i [a]x has the same eigenvalues.
    """
    matrix[0, 0] = numbers[0, column]
    matrix[1, 1] = numbers[3, column]
    matrix[2, 2] = numbers[5, column]
    matrix[0, 1] = complex(numbers[1, column], numbers[8, column])
    matrix[0, 2] = complex(numbers[2, column], -numbers[7, column])
    matrix[1, 2] = complex(numbers[4, column], numbers[6, column])
    for i in range(3):
        for j in range(i):
            matrix[i, j] = matrix[j, i].conjugate()
    diagonalise_rows(matrix, matrix[:0], 3)
    for i in range(3):
        out[i] = matrix[i, i].real
    for i in range(2):
        for j in range(2 - i):
            if abs(out[j]) < abs(out[j + 1]):
                out[j], out[j + 1] = out[j + 1], out[j]
