"""Points that the signs of their EPN prove stable, before any zero is counted.

With x_p = sqrt(w_p/abs(n_p)) kappa_p, a_p = sqrt(w_p abs(n_p)) and s_p = sign(n_p) the linear equation reads

    i dx_p/dt = Omega_p x_p + 2 g s_p a_p conj(eps_p).J,      J = sum_q a_q (eps_q x_q + conj(eps_q x_q)).

Let all Omega be positive. If all s = +1, or all s = -1, these are Hamilton's equations of

    H = sum_p Omega_p abs(x_p)^2 + s g abs(J)^2 .

For s = +1 it is positive definite at any g; for s = -1 it is where the largest eigenvalue mu of D(0) is below 1, and
then H >= (1 - mu) sum Omega abs(x)^2. A conserved definite form leaves nothing room to grow: the point is stable, and
exactly so.

A few pairs of the other sign (EPN of rounding size, say) change H by, with T = sum Omega abs(x)^2,

    abs(dH/dt) <= 8 g abs(J) sum_wrong a Omega abs(x) <= 16 g sqrt(sum_all a^2/Omega) sqrt(sum_wrong a^2 Omega) T,

so that no mode grows faster than 8 g sqrt(sum_all w abs(n)/Omega) sqrt(sum_wrong w abs(n) Omega)/(1 - mu), with mu = 0
for s = +1: the growth sqrt(small * large) of two opposite pairs in resonance (the Letter's Eq. 16), but for a factor.
"""

import math

import numpy as np

from pairsweep.kernels.coupling import oscillators
from pairsweep.kernels.jit import jit

# An Omega counts as positive above this fraction of what it is the difference of, far above its rounding.
POSITIVE = 1e-12
# 1 - mu must exceed the last of these, far above the rounding of the sums; the bound of wrong signs takes the first.
DISTANCES = (0.5, 0.1, 1e-2, 1e-3, 1e-6, 1e-9)
# Wrong signs of more than this share of sum w abs(n) cannot be bounded below any useful tolerance.
FEW = 1e-3
UNDECIDED = -1.0


@jit()
def stable_by_signs(energy, weight, p_hat, n, g, tolerance, floor):
    """Fill ``floor`` (P,) with a bound of the growth of every mode, MeV, UNDECIDED where the signs prove none.

    Parameters
    ----------
    energy, weight : (N,) MeV, MeV^3
    p_hat : (N, 3)
    n : (P, N)
        EPN.
    g, tolerance : (P,) MeV^-2, MeV
        A bound above the tolerance is not one.
    floor : (P,) out, MeV
        0 where all signs agree: that holds at any tolerance.

    Returns
    -------
    int : number of points decided
    """
    pairs = energy.size
    base = np.empty(pairs)
    offset = np.empty(pairs)
    strength = np.empty(pairs)
    decided = 0
    for point in range(g.size):
        floor[point] = UNDECIDED
        positive = 0.0
        negative = 0.0
        for q in range(pairs):
            wn = weight[q] * n[point, q]
            if wn > 0.0:
                positive += wn
            else:
                negative -= wn
        # the second fails for what is not a number
        if min(positive, negative) > FEW * max(positive, negative) or not positive + negative < np.inf:
            continue
        sign = 1.0 if positive >= negative else -1.0
        scale = oscillators(energy, weight, p_hat, n[point], g[point], base, offset, strength)
        bound = sign_bound(base, offset, strength, p_hat, scale, sign)
        if bound == 0.0 or 0.0 <= bound <= tolerance[point]:
            floor[point] = bound
            decided += 1
    return decided


@jit()
def sign_bound(base, offset, strength, p_hat, scale, sign):
    """Bound of the growth of any mode where nearly all pairs have this ``sign`` of n, MeV; UNDECIDED if there is none.

    ``base``, ``offset``, ``strength`` (N,) and ``scale`` are those of ``oscillators``, MeV.
    """
    light = 0.0
    wrong = 0.0
    xx = yy = zz = xy = xz = yz = 0.0
    for q in range(base.size):
        c = strength[q]
        if c == 0.0:
            continue
        omega = base[q] + offset[q]
        if not omega > POSITIVE * (base[q] + scale):
            return UNDECIDED
        # 2 g w abs(n)
        size = abs(c)
        light += size / omega
        if c * sign < 0.0:
            wrong += size * omega
        d = 2.0 * size / omega
        xx += d * (1.0 - p_hat[q, 0] * p_hat[q, 0])
        yy += d * (1.0 - p_hat[q, 1] * p_hat[q, 1])
        zz += d * (1.0 - p_hat[q, 2] * p_hat[q, 2])
        xy -= d * p_hat[q, 0] * p_hat[q, 1]
        xz -= d * p_hat[q, 0] * p_hat[q, 2]
        yz -= d * p_hat[q, 1] * p_hat[q, 2]
    bound = 4.0 * math.sqrt(light) * math.sqrt(wrong)
    if sign > 0.0:
        return bound
    for distance in DISTANCES:
        if is_definite(1.0 - distance - xx, 1.0 - distance - yy, 1.0 - distance - zz, -xy, -xz, -yz):
            return bound / distance
    return UNDECIDED


@jit()
def is_definite(xx, yy, zz, xy, xz, yz):
    """Whether a real symmetric 3 x 3 matrix is positive definite, by its leading minors."""
    minor = xx * yy - xy * xy
    determinant = zz * minor - xx * yz * yz - yy * xz * xz + 2.0 * xy * xz * yz
    return xx > 0.0 and minor > 0.0 and determinant > 0.0
