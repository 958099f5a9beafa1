"""The 3 x 3 dispersion function: its zeros are the eigenvalues of the stability matrix M away from the poles.

With kappa_q = u_q exp(-i omega t), conj(kappa_q) = v_q exp(-i omega t), omega = i lambda and growth = Im omega,

    u_q = c_q/w_q conj(eps_q).J / (omega - Omega_q),    v_q = -c_q/w_q eps_q.J / (omega + Omega_q),
    J = sum_q w_q (eps_q u_q + conj(eps_q) v_q),        c_q = 2 g w_q n_q,   Omega_q = 2 E_q - 4 g p_hat_q.J0,

so W(omega) J = 0 with W = 1 - sum_j R_j/(omega - P_j) over the poles +Omega_q with R = c eps eps^dagger and
-Omega_q with R = -c conj(eps eps^dagger). Now eps eps^dagger = (1 - p p^T) - i [p]x is Hermitian of rank one and
norm 2; hence f = det W is real on both axes of lambda, W is Hermitian at real omega, and

    W = S + i [a]x,   S = 1 - sum S_j/(omega - P_j),  a = sum a_j/(omega - P_j),   f = det S - a^T S a

with the real residues S_j = c (1 - p p^T), a_j = c p (at -Omega: -S_j and +a_j). A residue is kept as the nine
numbers (S00, S01, S02, S11, S12, S22, a0, a1, a2).

At tiny g a double cannot hold Omega as one number, so it is kept as the pair (base 2E, offset -4 g p_hat.J0) and
never summed; positions are measured from a base.
"""

from pairsweep.kernels.jit import jit
from pairsweep.kernels.matrix3 import adjugate as adjugate_of

RESIDUE = 9
SUMS = 4 * RESIDUE
# Rows of a table of poles (ROWS, columns): the residue, then position and bound of its norm; for the poles a strip owns
# also their number of zeros, det R, the eigenvalues of R (3 rows, largest modulus first) and adj(R) (9 rows)
LOCATION, BOUND, RANK, VOLUME, SEED, ADJUGATE, ROWS = 9, 10, 11, 12, 13, 16, 25
# Sums run over chunks of this many terms, then over the chunks: fewer roundings on the way of each term.
CHUNK = 128
# Sums over poles may be reordered into vector lanes: the order depends on the number of poles alone, never on the
# batch. Nothing else is relaxed (infinities and NaN keep their meaning).
REORDERED = {"reassoc", "contract", "nsz"}


@jit()
def residue_adjugate(residue, column, rank, out):
    """Fill ``out`` (9,) with adj(R) of one residue and return det R; both are exactly 0 where ``rank`` says so.

    adj(S + i [b]x) = (adj S - b b^T) + i [-S b]x for real S, b; R has b = -a, so the vector part is +S a.
    """
    out[:] = 0.0
    if rank < 2:
        return 0.0
    s00 = residue[0, column]
    s01 = residue[1, column]
    s02 = residue[2, column]
    s11 = residue[3, column]
    s12 = residue[4, column]
    s22 = residue[5, column]
    a0 = residue[6, column]
    a1 = residue[7, column]
    a2 = residue[8, column]
    out[0] = s11 * s22 - s12 * s12 - a0 * a0
    out[1] = s02 * s12 - s01 * s22 - a0 * a1
    out[2] = s01 * s12 - s02 * s11 - a0 * a2
    out[3] = s00 * s22 - s02 * s02 - a1 * a1
    out[4] = s01 * s02 - s00 * s12 - a1 * a2
    out[5] = s00 * s11 - s01 * s01 - a2 * a2
    out[6] = s00 * a0 + s01 * a1 + s02 * a2
    out[7] = s01 * a0 + s11 * a1 + s12 * a2
    out[8] = s02 * a0 + s12 * a1 + s22 * a2
    if rank < 3:
        return 0.0
    return (
        s00 * out[0]
        + s01 * (s02 * s12 - s01 * s22)
        + s02 * (s01 * s12 - s02 * s11)
        - a1 * (s01 * a0 + s11 * a1 + s12 * a2)
        - a2 * (s02 * a0 + s12 * a1 + s22 * a2)
        - a0 * (s01 * a1 + s02 * a2)
    )


@jit(fastmath=REORDERED)
def pole_sums(x, y, location, residue, count, centre, order, skip, work, sums):
    """Fill ``sums`` (36,) with F = sum R_j/(omega - P_j) + sum_a L_a (omega - centre)^a and -dF/domega.

    For each of the nine residue numbers: Re and Im of F, Re and Im of -dF/domega, at omega = x + i y. ``location``
    (count,) and the first columns of ``residue`` (9, count + order) are the poles, the last columns the coefficients
    L_a of distant ones; pole ``skip`` is left out; ``work`` (4, count + order) is scratch.
    """
    for j in range(count):
        dx = x - location[j]
        q = 1.0 / (dx * dx + y * y)
        re = dx * q
        im = -y * q
        work[0, j] = re
        work[1, j] = im
        work[2, j] = re * re - im * im
        work[3, j] = 2.0 * re * im
    if skip >= 0:
        for i in range(4):
            work[i, skip] = 0.0
    dx = x - centre
    re = 1.0
    im = 0.0
    slope_re = 0.0
    slope_im = 0.0
    for a in range(order):
        work[0, count + a] = re
        work[1, count + a] = im
        work[2, count + a] = slope_re
        work[3, count + a] = slope_im
        slope_re = -(a + 1) * re
        slope_im = -(a + 1) * im
        re, im = re * dx - im * y, re * y + im * dx
    sums[:] = 0.0
    for first in range(0, count + order, CHUNK):
        last = min(first + CHUNK, count + order)
        for block in range(3):
            k = 3 * block
            a0 = a1 = a2 = a3 = 0.0
            b0 = b1 = b2 = b3 = 0.0
            c0 = c1 = c2 = c3 = 0.0
            # slices that start at 0: an index that might be negative would not be vectorised
            row_a = residue[k, first:last]
            row_b = residue[k + 1, first:last]
            row_c = residue[k + 2, first:last]
            row_0 = work[0, first:last]
            row_1 = work[1, first:last]
            row_2 = work[2, first:last]
            row_3 = work[3, first:last]
            for j in range(last - first):
                ra = row_a[j]
                rb = row_b[j]
                rc = row_c[j]
                w0 = row_0[j]
                w1 = row_1[j]
                w2 = row_2[j]
                w3 = row_3[j]
                a0 += ra * w0
                a1 += ra * w1
                a2 += ra * w2
                a3 += ra * w3
                b0 += rb * w0
                b1 += rb * w1
                b2 += rb * w2
                b3 += rb * w3
                c0 += rc * w0
                c1 += rc * w1
                c2 += rc * w2
                c3 += rc * w3
            s = 12 * block
            sums[s] += a0
            sums[s + 1] += a1
            sums[s + 2] += a2
            sums[s + 3] += a3
            sums[s + 4] += b0
            sums[s + 5] += b1
            sums[s + 6] += b2
            sums[s + 7] += b3
            sums[s + 8] += c0
            sums[s + 9] += c1
            sums[s + 10] += c2
            sums[s + 11] += c3


@jit(fastmath=REORDERED)
def real_pole_sums(x, location, residue, bound, count, centre, order, skip, work, sums):
    """Fill ``sums[:9]`` with F of ``pole_sums`` at a real point; return sum bound_j/abs(x - P_j), an error scale."""
    for j in range(count):
        work[0, j] = 1.0 / (x - location[j])
    if skip >= 0:
        work[0, skip] = 0.0
    size = 0.0
    for j in range(count):
        size += bound[j] * abs(work[0, j])
    power = 1.0
    for a in range(order):
        work[0, count + a] = power
        power *= x - centre
    for i in range(RESIDUE):
        sums[i] = 0.0
    for first in range(0, count + order, CHUNK):
        last = min(first + CHUNK, count + order)
        for block in range(3):
            k = 3 * block
            a = b = c = 0.0
            row_a = residue[k, first:last]
            row_b = residue[k + 1, first:last]
            row_c = residue[k + 2, first:last]
            row = work[0, first:last]
            for j in range(last - first):
                w = row[j]
                a += row_a[j] * w
                b += row_b[j] * w
                c += row_c[j] * w
            sums[k] += a
            sums[k + 1] += b
            sums[k + 2] += c
    return size


@jit()
def summation_depth(terms):
    """Largest number of additions that any term of these sums goes through: their error is that many roundings."""
    return min(terms, CHUNK) + terms // CHUNK + 1


@jit()
def determinant(sums, t, residue, adjugate, volume, column):
    """Return f = det(W_rest - R/t) and df/domega, t = omega - P of the pole left out of the ``sums``.

    Written as D0 - D1/t + D2/t^2 - D3/t^3 with D0 = det W_rest, D1 = tr(adj(W_rest) R), D2 = tr(adj(R) W_rest),
    D3 = det R: close to a pole of rank 1 or 2 the determinant of the sum would lose all digits to cancellation.
    ``adjugate`` (9, >= count) and ``volume`` (>= count,) are adj(R) and det R of each pole.
    """
    s00 = 1.0 - complex(sums[0], sums[1])
    s01 = -complex(sums[4], sums[5])
    s02 = -complex(sums[8], sums[9])
    s11 = 1.0 - complex(sums[12], sums[13])
    s12 = -complex(sums[16], sums[17])
    s22 = 1.0 - complex(sums[20], sums[21])
    a0 = complex(sums[24], sums[25])
    a1 = complex(sums[28], sums[29])
    a2 = complex(sums[32], sums[33])
    # d/domega of -S/(omega - P) is +S/(omega - P)^2, of +a/(omega - P) it is -a/(omega - P)^2
    d00 = complex(sums[2], sums[3])
    d01 = complex(sums[6], sums[7])
    d02 = complex(sums[10], sums[11])
    d11 = complex(sums[14], sums[15])
    d12 = complex(sums[18], sums[19])
    d22 = complex(sums[22], sums[23])
    b0 = -complex(sums[26], sums[27])
    b1 = -complex(sums[30], sums[31])
    b2 = -complex(sums[34], sums[35])
    (c00, c01, c02, c11, c12, c22), (v0, v1, v2), D0 = adjugate_of(s00, s01, s02, s11, s12, s22, a0, a1, a2)
    slope0 = (
        d00 * c00 + d11 * c11 + d22 * c22 + 2.0 * (d01 * c01 + d02 * c02 + d12 * c12)
        - 2.0 * (b0 * v0 + b1 * v1 + b2 * v2)
    )  # fmt: skip
    if column < 0:
        return D0, slope0
    r00 = residue[0, column]
    r01 = residue[1, column]
    r02 = residue[2, column]
    r11 = residue[3, column]
    r12 = residue[4, column]
    r22 = residue[5, column]
    r0 = residue[6, column]
    r1 = residue[7, column]
    r2 = residue[8, column]
    D1 = (
        c00 * r00 + c11 * r11 + c22 * r22 + 2.0 * (c01 * r01 + c02 * r02 + c12 * r12)
        + 2.0 * (v0 * r0 + v1 * r1 + v2 * r2)
    )  # fmt: skip
    # the derivative of adj(W), polarised
    slope1 = (
        r00 * (s11 * d22 + d11 * s22 - 2.0 * (s12 * d12 + a0 * b0))
        + r11 * (s00 * d22 + d00 * s22 - 2.0 * (s02 * d02 + a1 * b1))
        + r22 * (s00 * d11 + d00 * s11 - 2.0 * (s01 * d01 + a2 * b2))
        + 2.0 * r01 * (s02 * d12 + d02 * s12 - s01 * d22 - d01 * s22 - a0 * b1 - b0 * a1)
        + 2.0 * r02 * (s01 * d12 + d01 * s12 - s02 * d11 - d02 * s11 - a0 * b2 - b0 * a2)
        + 2.0 * r12 * (s01 * d02 + d01 * s02 - s00 * d12 - d00 * s12 - a1 * b2 - b1 * a2)
        + 2.0 * r0 * (s00 * b0 + s01 * b1 + s02 * b2 + d00 * a0 + d01 * a1 + d02 * a2)
        + 2.0 * r1 * (s01 * b0 + s11 * b1 + s12 * b2 + d01 * a0 + d11 * a1 + d12 * a2)
        + 2.0 * r2 * (s02 * b0 + s12 * b1 + s22 * b2 + d02 * a0 + d12 * a1 + d22 * a2)
    )
    away = t.real * t.real + t.imag * t.imag
    tau = complex(t.real / away, -t.imag / away)
    q00 = adjugate[0, column]
    q01 = adjugate[1, column]
    q02 = adjugate[2, column]
    q11 = adjugate[3, column]
    q12 = adjugate[4, column]
    q22 = adjugate[5, column]
    q0 = adjugate[6, column]
    q1 = adjugate[7, column]
    q2 = adjugate[8, column]
    D2 = (
        q00 * s00 + q11 * s11 + q22 * s22 + 2.0 * (q01 * s01 + q02 * s02 + q12 * s12)
        + 2.0 * (q0 * a0 + q1 * a1 + q2 * a2)
    )  # fmt: skip
    slope2 = (
        q00 * d00 + q11 * d11 + q22 * d22 + 2.0 * (q01 * d01 + q02 * d02 + q12 * d12)
        + 2.0 * (q0 * b0 + q1 * b1 + q2 * b2)
    )  # fmt: skip
    D3 = volume[column]
    f = D0 - tau * (D1 - tau * (D2 - tau * D3))
    df = slope0 - tau * (slope1 - tau * (slope2 + D1 - tau * (2.0 * D2 - tau * 3.0 * D3)))
    return f, df
