"""Where an eigenmode lives: its share in every pair, from the root alone, in O(N).

At a zero of f the vector J with W(omega) J = 0 gives the amplitudes of kappa and of conj(kappa) (``dispersion``),

    u_q = 2 g n_q conj(eps_q).J/(omega - Omega_q),    v_q = -2 g n_q eps_q.J/(omega + Omega_q),

and the share of pair q is abs(u_q)^2 + abs(v_q)^2, normalised to sum 1. It counts pairs, as an eigenvector of M does: a
pair of weight 0 has its share too. A multiple root has several J, and equally fast modes have one each; the share is
then the mean over an orthonormal basis of their span, which does not depend on the basis chosen.
"""

import numpy as np

from pairsweep.kernels.coupling import oscillators
from pairsweep.kernels.jit import jit

# Equally fast modes taken together; more than that are a symmetry's doing and the first ones show it.
LARGEST_SPAN = 8
# Numbers below this fraction of the matrix count as 0 when the dimension of the null space is read off.
NULL = 1e-6


@jit()
def dispersion_matrix(base, offset, strength, p_hat, reference, z, matrix):
    """Fill ``matrix`` (3, 3) with W at omega = reference + z."""
    matrix[:, :] = 0.0
    for i in range(3):
        matrix[i, i] = 1.0
    s = np.zeros((3, 3), dtype=np.complex128)
    a = np.zeros(3, dtype=np.complex128)
    for q in range(base.size):
        if strength[q] == 0.0:
            continue
        below = (reference - base[q]) + (z - offset[q])
        above = (reference + base[q]) + (z + offset[q])
        x = below.real * below.real + below.imag * below.imag
        y = above.real * above.real + above.imag * above.imag
        lower = strength[q] * complex(below.real / x, -below.imag / x)
        upper = strength[q] * complex(above.real / y, -above.imag / y)
        for i in range(3):
            a[i] += (lower + upper) * p_hat[q, i]
            for j in range(3):
                delta = 1.0 if i == j else 0.0
                s[i, j] += (lower - upper) * (delta - p_hat[q, i] * p_hat[q, j])
    for i in range(3):
        for j in range(3):
            matrix[i, j] -= s[i, j]
    matrix[0, 1] -= 1j * a[2]
    matrix[1, 0] += 1j * a[2]
    matrix[0, 2] += 1j * a[1]
    matrix[2, 0] -= 1j * a[1]
    matrix[1, 2] -= 1j * a[0]
    matrix[2, 1] += 1j * a[0]


@jit()
def null_vectors(matrix, multiplicity, vectors):
    """Fill the rows of ``vectors`` (3, 3) with a basis of the null space; return its dimension.

    The dimension is at most the ``multiplicity`` of the root, and smaller where the root is defective.
    """
    row = 0
    longest = 0.0
    for i in range(3):
        length = 0.0
        for j in range(3):
            length += abs(matrix[i, j]) ** 2
        if length > longest:
            longest = length
            row = i
    vectors[:, :] = 0.0
    if multiplicity >= 3 and longest <= NULL * NULL:
        for i in range(3):
            vectors[i, i] = 1.0
        return 3
    # rows of the adjugate's transpose: cross products of two rows of W are orthogonal to both
    best = 0.0
    for i in range(3):
        j = (i + 1) % 3
        length = 0.0
        cross = np.empty(3, dtype=np.complex128)
        for k in range(3):
            m = (k + 1) % 3
            n = (k + 2) % 3
            cross[k] = matrix[i, m] * matrix[j, n] - matrix[i, n] * matrix[j, m]
            length += abs(cross[k]) ** 2
        if length > best:
            best = length
            # assigned as a row it would compile numba's errors about shapes too, for seconds
            for k in range(3):
                vectors[0, k] = cross[k]
    if multiplicity == 1 or best > NULL * NULL * longest * longest:
        return 1
    # rank one: everything orthogonal to the longest row
    vectors[:, :] = 0.0
    lead = 0
    for k in range(3):
        if abs(matrix[row, k]) > abs(matrix[row, lead]):
            lead = k
    for i in range(2):
        k = (lead + 1 + i) % 3
        vectors[i, k] = matrix[row, lead]
        vectors[i, lead] = -matrix[row, k]
    return 2


@jit()
def mode_share(energy, weight, p_hat, n, g, table, count, share):
    """Fill ``share`` (N,) with the share of each pair in the first ``count`` modes, taken as equally fast.

    The modes are those of the ``ModeTable``; those beyond LARGEST_SPAN dimensions are left out.
    """
    pairs = energy.size
    rates = table.rates
    references = table.references
    positions = table.positions
    multiplicities = table.multiplicities
    base = np.empty(pairs)
    offset = np.empty(pairs)
    strength = np.empty(pairs)
    oscillators(energy, weight, p_hat, n, g, base, offset, strength)
    basis = np.empty((LARGEST_SPAN, 2 * pairs), dtype=np.complex128)
    matrix = np.empty((3, 3), dtype=np.complex128)
    vectors = np.empty((3, 3), dtype=np.complex128)
    span = 0
    share[:] = 0.0
    for i in range(count):
        z = complex(positions[i], rates[i])
        dispersion_matrix(base, offset, strength, p_hat, references[i], z, matrix)
        dimension = null_vectors(matrix, multiplicities[i], vectors)
        for d in range(dimension):
            if span == LARGEST_SPAN:
                break
            x = basis[span]
            j = vectors[d]
            largest = 0.0
            for q in range(pairs):
                # (1 - p p^T) J and p x J: conj(eps).J and eps.J up to a common phase, as vectors orthogonal to p
                px = p_hat[q, 0]
                py = p_hat[q, 1]
                pz = p_hat[q, 2]
                below = (references[i] - base[q]) + (z - offset[q])
                above = (references[i] + base[q]) + (z + offset[q])
                # a transverse frame of the pair
                if abs(pz) < 0.9:
                    length = np.sqrt(px * px + py * py)
                    tx, ty, tz = -py / length, px / length, 0.0
                else:
                    length = np.sqrt(py * py + pz * pz)
                    tx, ty, tz = 0.0, -pz / length, py / length
                fx = py * tz - pz * ty
                fy = pz * tx - px * tz
                fz = px * ty - py * tx
                along = tx * j[0] + ty * j[1] + tz * j[2]
                across = fx * j[0] + fy * j[1] + fz * j[2]
                x2 = below.real * below.real + below.imag * below.imag
                y2 = above.real * above.real + above.imag * above.imag
                u = (along + 1j * across) * below.conjugate()
                v = (along - 1j * across) * above.conjugate()
                x[q] = n[q] * complex(u.real / x2, u.imag / x2)
                x[pairs + q] = -n[q] * complex(v.real / y2, v.imag / y2)
                largest = max(largest, abs(x[q]), abs(x[pairs + q]))
            if not 0.0 < largest < np.inf:
                continue
            for q in range(2 * pairs):
                x[q] = complex(x[q].real / largest, x[q].imag / largest)
            before = 0.0
            for q in range(2 * pairs):
                before += x[q].real ** 2 + x[q].imag ** 2
            for b in range(span):
                overlap = complex(0.0, 0.0)
                for q in range(2 * pairs):
                    overlap += basis[b, q].conjugate() * x[q]
                for q in range(2 * pairs):
                    x[q] -= overlap * basis[b, q]
            length = 0.0
            for q in range(2 * pairs):
                length += x[q].real ** 2 + x[q].imag ** 2
            if length <= NULL * before:
                continue
            length = np.sqrt(length)
            for q in range(2 * pairs):
                x[q] = complex(x[q].real / length, x[q].imag / length)
            span += 1
    for b in range(span):
        for q in range(pairs):
            share[q] += (abs(basis[b, q]) ** 2 + abs(basis[b, pairs + q]) ** 2) / span
    return 0
