"""The static side: a mode with Im lambda = 0 appears where the largest eigenvalue of D(0) passes 1.

    D(0; g) = -4 g sum_q w_q n_q (1 - q q^T)/Omega_q,    Omega_q = 2 E_q - 4 g s_q,   s_q = q_hat.J0

Each term grows monotonically with g while its Omega is positive (d/dg of g/Omega is 2 E/Omega^2 >= 0), so D = D_- - D_+
with two matrices that only grow, D_- from the pairs with n < 0 and D_+ from those with n > 0. On an interval [a, b] no
eigenvalue of D exceeds those of D_-(b) - D_+(a): where they stay below 1 there is no crossing in between. Marching in
such steps from g = 0 finds the first crossing and cannot jump over one.
"""

import numpy as np

from pairsweep.analyses.growth.kernels.signs import is_definite
from pairsweep.kernels.coupling import frequency, oscillators
from pairsweep.kernels.jit import jit
from pairsweep.kernels.matrix3 import add_transverse

MARCH = 4000
BISECTIONS = 60
# relative width at which the march is close enough to the crossing
CLOSE = 1e-9
# the march ends where the coupling 4 g sum w abs(n + 1) is this multiple of the largest 2 E
STRONGEST = 1e6


@jit()
def _add_static(g, energy, weight, p_hat, n, along, sign, matrix):
    """Add the pairs with sign(n) = ``sign`` at coupling ``g`` to D(0); returns False where an Omega is not positive."""
    for q in range(energy.size):
        if weight[q] == 0.0 or n[q] * sign <= 0.0:
            continue
        omega = frequency(energy[q], g, along[q])
        if not omega > 0.0:
            return False
        c = -4.0 * g * weight[q] * n[q] / omega
        add_transverse(c, p_hat[q, 0], p_hat[q, 1], p_hat[q, 2], 0, matrix)
    return True


@jit()
def static_matrix(energy, weight, p_hat, n, g, matrix):
    """Fill ``matrix`` (6,) with D(0): xx, xy, xz, yy, yz, zz; NaN where a pair with w n != 0 has Omega = 0."""
    pairs = energy.size
    base = np.empty(pairs)
    offset = np.empty(pairs)
    strength = np.empty(pairs)
    oscillators(energy, weight, p_hat, n, g, base, offset, strength)
    column = np.zeros((6, 1))
    for q in range(pairs):
        omega = base[q] + offset[q]
        if strength[q] == 0.0:
            continue
        c = -2.0 * strength[q] / omega if omega != 0.0 else np.nan
        add_transverse(c, p_hat[q, 0], p_hat[q, 1], p_hat[q, 2], 0, column)
    # an assignment of the column would compile numba's errors about shapes too, for seconds
    for i in range(6):
        matrix[i] = column[i, 0]


@jit()
def _stays_below(a, b, energy, weight, p_hat, n, along, matrix):
    """Whether all eigenvalues of D(0) are certainly below 1 over [a, b]; not beyond the first Omega = 0."""
    matrix[:, 0] = 0.0
    if not _add_static(b, energy, weight, p_hat, n, along, -1.0, matrix):
        return False
    if not _add_static(a, energy, weight, p_hat, n, along, 1.0, matrix):
        return False
    xx = matrix[0, 0]
    xy = matrix[1, 0]
    xz = matrix[2, 0]
    yy = matrix[3, 0]
    yz = matrix[4, 0]
    zz = matrix[5, 0]
    return is_definite(1.0 - xx, 1.0 - yy, 1.0 - zz, -xy, -xz, -yz)


@jit()
def static_coupling(energy, weight, p_hat, n):
    """Return g_static in MeV^-2: up to it no eigenvalue of D(0) exceeds 1, just above it one does; NaN if none ever.

    Where an Omega of a pair with n > 0 reaches 0 first, its term jumps from -infinity to +infinity and that is the
    crossing. It is located to about 1e-12 of itself, or to the step the march gave up at.
    """
    pairs = energy.size
    J0 = np.zeros(3)
    scale = 0.0
    strongest = 0.0
    highest = 0.0
    for q in range(pairs):
        for k in range(3):
            J0[k] += weight[q] * (n[q] + 1.0) * p_hat[q, k]
        scale += weight[q] * (abs(n[q] + 1.0) + abs(n[q]))
        strongest += weight[q] * abs(n[q])
        highest = max(highest, 2.0 * energy[q])
    if strongest == 0.0 or highest == 0.0:
        return np.nan
    along = np.empty(pairs)
    end = STRONGEST * highest / (4.0 * scale)
    flip = np.inf
    for q in range(pairs):
        along[q] = p_hat[q, 0] * J0[0] + p_hat[q, 1] * J0[1] + p_hat[q, 2] * J0[2]
        if weight[q] != 0.0 and n[q] != 0.0 and along[q] > 1e-14 * scale:
            flip = min(flip, energy[q] / (2.0 * along[q]))
    matrix = np.zeros((6, 1))
    limit = min(end, flip)
    g = 0.0
    step = 0.1 * highest / (4.0 * scale)
    for _ in range(MARCH):
        if g + step >= limit and limit == flip:
            # approach the flip without reaching it
            step = 0.5 * (limit - g)
        trial = g + step
        if _stays_below(g, trial, energy, weight, p_hat, n, along, matrix):
            g = trial
            step *= 1.6
        else:
            step *= 0.4
        if g >= limit or limit - g <= 1e-14 * limit:
            return flip if limit == flip else np.nan
        if step <= CLOSE * g:
            break
    # the crossing is within a few steps above g: close in on it
    high = g
    for _ in range(BISECTIONS):
        high = min(high + step, 0.5 * (high + limit))
        if not _stays_below(high, high, energy, weight, p_hat, n, along, matrix):
            break
        g = high
        step *= 2.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (g + high)
        if _stays_below(middle, middle, energy, weight, p_hat, n, along, matrix):
            g = middle
        else:
            high = middle
    return g
