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

import numpy as np

from pairsweep.kernels.jit import jit

RESIDUE = 9
SUMS = 4 * RESIDUE
# Sums over poles may be reordered into vector lanes: the order depends on the number of poles alone, never on the
# batch. Nothing else is relaxed (infinities and NaN keep their meaning).
LANES = {"reassoc", "contract", "nsz"}


@jit()
def oscillators(energy, weight, p_hat, n, g, base, offset, strength):
    """Fill base 2E, offset -4 g p_hat.J0 and strength c = 2 g w n (all (N,), MeV); return 4 g sum w abs(n + 1).

    J0 = sum w p_hat (n + 1) is summed with compensation: symmetric occupations cancel in it, and pairs with equal
    Omega are recognised by offsets that agree to a few roundings of the returned scale.
    """
    J0 = np.zeros(3)
    lost = np.zeros(3)
    scale = 0.0
    for q in range(energy.size):
        filled = weight[q] * (n[q] + 1.0)
        scale += abs(filled)
        for k in range(3):
            term = filled * p_hat[q, k]
            total = J0[k] + term
            if abs(J0[k]) >= abs(term):
                lost[k] += (J0[k] - total) + term
            else:
                lost[k] += (term - total) + J0[k]
            J0[k] = total
    for k in range(3):
        J0[k] += lost[k]
    for q in range(energy.size):
        base[q] = 2.0 * energy[q]
        offset[q] = -4.0 * g * (p_hat[q, 0] * J0[0] + p_hat[q, 1] * J0[1] + p_hat[q, 2] * J0[2])
        strength[q] = 2.0 * g * weight[q] * n[q]
    return 4.0 * abs(g) * scale


@jit()
def add_residue(strength, px, py, pz, sign, column, residue):
    """Add the residue of one pair at its pole +Omega (``sign`` 1) or -Omega (-1) to ``residue[:, column]``."""
    c = sign * strength
    residue[0, column] += c * (1.0 - px * px)
    residue[1, column] -= c * px * py
    residue[2, column] -= c * px * pz
    residue[3, column] += c * (1.0 - py * py)
    residue[4, column] -= c * py * pz
    residue[5, column] += c * (1.0 - pz * pz)
    residue[6, column] += strength * px
    residue[7, column] += strength * py
    residue[8, column] += strength * pz


@jit(fastmath=LANES)
def pole_sums(x, y, location, residue, count, work, sums):
    """Fill ``sums`` (36,) with sum R_j/(omega - P_j) and sum R_j/(omega - P_j)^2 at omega = x + i y.

    For each of the nine residue numbers: Re and Im of the first sum, Re and Im of the second. ``location`` (>= count,)
    and ``residue`` (9, >= count) are the poles; ``work`` (4, >= count) is scratch.
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
    for block in range(3):
        k = 3 * block
        a0 = a1 = a2 = a3 = 0.0
        b0 = b1 = b2 = b3 = 0.0
        c0 = c1 = c2 = c3 = 0.0
        for j in range(count):
            ra = residue[k, j]
            rb = residue[k + 1, j]
            rc = residue[k + 2, j]
            w0 = work[0, j]
            w1 = work[1, j]
            w2 = work[2, j]
            w3 = work[3, j]
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
        sums[s] = a0
        sums[s + 1] = a1
        sums[s + 2] = a2
        sums[s + 3] = a3
        sums[s + 4] = b0
        sums[s + 5] = b1
        sums[s + 6] = b2
        sums[s + 7] = b3
        sums[s + 8] = c0
        sums[s + 9] = c1
        sums[s + 10] = c2
        sums[s + 11] = c3


@jit(fastmath=LANES)
def real_pole_sums(x, location, residue, bound, count, work, sums):
    """Fill ``sums[:9]`` with sum R_j/(x - P_j) at a real point; return sum bound_j/abs(x - P_j), an error scale."""
    size = 0.0
    for j in range(count):
        inverse = 1.0 / (x - location[j])
        work[0, j] = inverse
        size += bound[j] * abs(inverse)
    for block in range(3):
        k = 3 * block
        a = b = c = 0.0
        for j in range(count):
            w = work[0, j]
            a += residue[k, j] * w
            b += residue[k + 1, j] * w
            c += residue[k + 2, j] * w
        sums[k] = a
        sums[k + 1] = b
        sums[k + 2] = c
    return size


@jit()
def determinant(sums):
    """Return f = det W and df/domega from the sums of ``pole_sums``."""
    s00 = 1.0 - complex(sums[0], sums[1])
    s01 = -complex(sums[4], sums[5])
    s02 = -complex(sums[8], sums[9])
    s11 = 1.0 - complex(sums[12], sums[13])
    s12 = -complex(sums[16], sums[17])
    s22 = 1.0 - complex(sums[20], sums[21])
    a0 = complex(sums[24], sums[25])
    a1 = complex(sums[28], sums[29])
    a2 = complex(sums[32], sums[33])
    # d/domega of -R/(omega - P) is +R/(omega - P)^2, and of +a/(omega - P) it is -a/(omega - P)^2
    d00 = complex(sums[2], sums[3])
    d01 = complex(sums[6], sums[7])
    d02 = complex(sums[10], sums[11])
    d11 = complex(sums[14], sums[15])
    d12 = complex(sums[18], sums[19])
    d22 = complex(sums[22], sums[23])
    b0 = -complex(sums[26], sums[27])
    b1 = -complex(sums[30], sums[31])
    b2 = -complex(sums[34], sums[35])
    # cofactors of S less a a^T: f = sum over S_ij of (C_ij - a_i a_j) with det S counted once
    c00 = s11 * s22 - s12 * s12
    c01 = s02 * s12 - s01 * s22
    c02 = s01 * s12 - s02 * s11
    c11 = s00 * s22 - s02 * s02
    c12 = s01 * s02 - s00 * s12
    c22 = s00 * s11 - s01 * s01
    v0 = s00 * a0 + s01 * a1 + s02 * a2
    v1 = s01 * a0 + s11 * a1 + s12 * a2
    v2 = s02 * a0 + s12 * a1 + s22 * a2
    f = s00 * c00 + s01 * c01 + s02 * c02 - (a0 * v0 + a1 * v1 + a2 * v2)
    df = (
        d00 * (c00 - a0 * a0)
        + d11 * (c11 - a1 * a1)
        + d22 * (c22 - a2 * a2)
        + 2.0 * (d01 * (c01 - a0 * a1) + d02 * (c02 - a0 * a2) + d12 * (c12 - a1 * a2))
        - 2.0 * (b0 * v0 + b1 * v1 + b2 * v2)
    )
    return f, df


@jit()
def dispersion_function(energy, weight, p_hat, n, g, rates, f, df):
    """Fill f(lambda) = det[1 - D(lambda)] and df/dlambda at complex ``rates`` lambda (L,), MeV; both (L,) complex.

    The plain definition, O(N) for each value, with every pair a pole of its own: the twin the solver's clustered and
    compressed evaluation is compared with. At lambda = +-i Omega the result is not finite.
    """
    pairs = energy.size
    base = np.empty(pairs)
    offset = np.empty(pairs)
    strength = np.empty(pairs)
    oscillators(energy, weight, p_hat, n, g, base, offset, strength)
    location = np.empty(2 * pairs)
    residue = np.zeros((RESIDUE, 2 * pairs))
    for q in range(pairs):
        location[q] = base[q] + offset[q]
        location[pairs + q] = -location[q]
        add_residue(strength[q], p_hat[q, 0], p_hat[q, 1], p_hat[q, 2], 1.0, q, residue)
        add_residue(strength[q], p_hat[q, 0], p_hat[q, 1], p_hat[q, 2], -1.0, pairs + q, residue)
    work = np.empty((4, 2 * pairs))
    sums = np.empty(SUMS)
    for i in range(rates.size):
        omega = 1j * rates[i]
        pole_sums(omega.real, omega.imag, location, residue, 2 * pairs, work, sums)
        value, slope = determinant(sums)
        f[i] = value
        df[i] = 1j * slope
    return 0
