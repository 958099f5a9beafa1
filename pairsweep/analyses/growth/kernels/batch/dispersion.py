"""The dispersion function of eight points at once, as a rational function of s = omega^2 = -lambda^2.

With c_q = 2 g w_q n_q, Omega_q = 2 E_q - 4 g q_hat.J0 and z_q = s - Omega_q^2 the 3x3 determinant is

    f(s) = det P - s v^T P v ,   P = 1 - sum_q (2 c_q Omega_q / z_q) (1 - q_hat q_hat^T) ,
                                 v = sum_q (2 c_q / z_q) q_hat

(det(P + [u]x) = det P + u^T P u for symmetric P). F(s) = f(s) prod_q z_q is a real polynomial with leading
coefficient 1, and the squares of the eigenvalues of M are -s at its N zeros.

At small coupling every Omega_q^2 of one energy agrees in its first digits, so positions are sums hi + lo of two
doubles: (2E)^2 to twice the working precision plus the offset d (4E + d), d = -4 g q_hat.J0. Differences of
positions then keep full relative accuracy, down to the physical coupling.
"""

import numpy as np

from pairsweep.analyses.growth.kernels.batch.tables import (
    COUNTED,
    ENERGY,
    EPN,
    HI,
    LEADER,
    LO,
    OFFSET,
    OMEGA,
    OUTER,
    P_HAT,
    RESIDUE,
    SHARED_FIELDS,
    SQUARE_HI,
    SQUARE_LO,
    STRENGTH,
    TWICE,
    WEIGHT,
)
from pairsweep.kernels.complex_lanes import imag, load, pair, real, select, size, square_root, store
from pairsweep.kernels.exact import UNIT_ROUNDOFF, two_product, two_sum
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import splat

SMALLEST = 1e-290  # keeps 1/|z|^2 finite on a pole, where the term then drops out

SAME_DIRECTION = 1e-7  # polarisation vectors this close are parallel to rounding


@jit()
def share_grid(energy, weight, p_hat):
    """Return what all points of a grid share, (N, SHARED_FIELDS), see ``bulk_layout``."""
    pairs = energy.size
    shared = np.empty((pairs, SHARED_FIELDS))
    for q in range(pairs):
        a = 2.0 * energy[q]
        shared[q, ENERGY] = energy[q]
        shared[q, WEIGHT] = weight[q]
        shared[q, SQUARE_HI], shared[q, SQUARE_LO] = two_product(a, a)
        for i in range(3):
            shared[q, P_HAT + i] = p_hat[q, i]
            shared[q, OUTER + i] = p_hat[q, i] * p_hat[q, i]
        shared[q, OUTER + 3] = p_hat[q, 0] * p_hat[q, 1]
        shared[q, OUTER + 4] = p_hat[q, 0] * p_hat[q, 2]
        shared[q, OUTER + 5] = p_hat[q, 1] * p_hat[q, 2]
    return shared


@jit()
def are_parallel(shared, q, r):
    """Whether two pairs have the same polarisation vector."""
    distance = 0.0
    for i in range(P_HAT, P_HAT + 3):
        distance += abs(shared[q, i] - shared[r, i])
    return distance < SAME_DIRECTION


@jit()
def fill_poles(shared, g, poles):
    """Fill ``poles`` (N, POLE_FIELDS, 8), whose EPN is given, for eight points with coupling ``g`` (lanes, MeV^-2).

    Poles of one energy whose offsets agree to rounding are put at one place. There f has a pole whose residue has
    the rank of the span of the polarisation vectors, which is the number of distinct directions, at most 3 (they
    are null vectors, points of a conic, and no three points of a conic are collinear); any further zero of F sits
    on the pole, where it is stable.

    Returns
    -------
    lanes : sum_q 4 g w (|n| + 1), MeV, no less than any offset; not finite if the point is not
    """
    pairs = shared.shape[0]
    jx = splat(0.0)
    jy = splat(0.0)
    jz = splat(0.0)
    widest = splat(0.0)
    largest = splat(0.0)
    for q in range(pairs):
        epn = load(poles, q, EPN)
        occupied = shared[q, WEIGHT] * (epn + 1.0)
        jx = jx + shared[q, P_HAT] * occupied
        jy = jy + shared[q, P_HAT + 1] * occupied
        jz = jz + shared[q, P_HAT + 2] * occupied
        own = shared[q, WEIGHT] * size(epn)
        widest = widest + (own + shared[q, WEIGHT])
        largest = select(own > largest, own, largest)
    widest = 4.0 * g * widest
    same = 32.0 * UNIT_ROUNDOFF * widest
    for q in range(pairs):
        d = -4.0 * g * (shared[q, P_HAT] * jx + shared[q, P_HAT + 1] * jy + shared[q, P_HAT + 2] * jz)
        epn = load(poles, q, EPN)
        # below the rounding of the largest coupling a pair only follows the others
        couples = size(shared[q, WEIGHT] * epn) > UNIT_ROUNDOFF * largest
        leader = splat(q)
        members = splat(0.0)
        repeated = splat(0.0)
        for r in range(q):
            if shared[r, ENERGY] == shared[q, ENERGY]:
                other = load(poles, r, OFFSET)
                together = size(d - other) <= same
                d = select(together, other, d)
                leader = select(together, load(poles, r, LEADER), leader)
                counted = select(together, load(poles, r, COUNTED), 0.0)
                members = members + counted
                if are_parallel(shared, q, r):
                    repeated = repeated + counted
        store(poles, q, OFFSET, d)
        store(poles, q, LEADER, leader)
        store(poles, q, COUNTED, select(couples & (members < 3.0) & (repeated < 1.0), splat(1.0), 0.0))
        omega = 2.0 * shared[q, ENERGY] + d
        twice = select(couples, 4.0 * g * shared[q, WEIGHT] * epn, 0.0)
        store(poles, q, OMEGA, omega)
        store(poles, q, TWICE, twice)
        store(poles, q, STRENGTH, twice * omega)
        total, rest = two_sum(splat(shared[q, SQUARE_HI]), d * (4.0 * shared[q, ENERGY] + d))
        store(poles, q, HI, total)
        store(poles, q, LO, rest + shared[q, SQUARE_LO])
    return widest


@jit()
def squared_size(a):
    """|a|^2 of complex lanes."""
    return real(a) * real(a) + imag(a) * imag(a)


@jit()
def reciprocal(a):
    """1/a of complex lanes, 0 at 0."""
    inverse = 1.0 / (squared_size(a) + SMALLEST)
    return pair(real(a) * inverse, imag(a) * -inverse)


@jit()
def magnitude(a):
    """|Re a| + |Im a|, no less than |a|."""
    return size(real(a)) + size(imag(a))


@jit()
def from_pole(places, q, sh, sl, si):
    """z_q = s - Omega_q^2 for s = (sh + sl) + i si and row q of poles, sites or slots."""
    return pair((sh - load(places, q, HI)) + (sl - load(places, q, LO)), si)


@jit()
def matrix_entries(sites, sh, sl, si):
    """P (xx, yy, zz, xy, xz, yz) and v (x, y, z) at s = (sh + sl) + i si (lanes, MeV^2), complex lanes."""
    zero = pair(splat(0.0), splat(0.0))
    xx = zero
    yy = zero
    zz = zero
    xy = zero
    xz = zero
    yz = zero
    x = zero
    y = zero
    z = zero
    for m in range(sites.shape[0]):
        inverse = reciprocal(from_pole(sites, m, sh, sl, si))
        xx = xx + inverse * load(sites, m, RESIDUE)
        yy = yy + inverse * load(sites, m, RESIDUE + 1)
        zz = zz + inverse * load(sites, m, RESIDUE + 2)
        xy = xy + inverse * load(sites, m, RESIDUE + 3)
        xz = xz + inverse * load(sites, m, RESIDUE + 4)
        yz = yz + inverse * load(sites, m, RESIDUE + 5)
        x = x + inverse * load(sites, m, RESIDUE + 6)
        y = y + inverse * load(sites, m, RESIDUE + 7)
        z = z + inverse * load(sites, m, RESIDUE + 8)
    return 1.0 - (yy + zz), 1.0 - (xx + zz), 1.0 - (xx + yy), xy, xz, yz, x, y, z


@jit()
def dispersion(sites, sh, sl, si):
    """f at s = (sh + sl) + i si (lanes, MeV^2), complex lanes."""
    xx, yy, zz, xy, xz, yz, x, y, z = matrix_entries(sites, sh, sl, si)
    det = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    product = x * (xx * x + 2.0 * (xy * y + xz * z)) + y * (yy * y + 2.0 * (yz * z)) + zz * z * z
    return det - pair(sh, si) * product


@jit()
def dispersion_rounding(sites, poles, sh, sl, si):
    """Bound of the rounding of ``dispersion`` at s.

    An entry is a sum over N pairs of terms that are right to a few UNIT_ROUNDOFF; its error acts on det P through the
    cofactors and their like, which vanish where zeros coincide for symmetry, and the products of three round on
    their own.
    """
    xx, yy, zz, xy, xz, yz, x, y, z = matrix_entries(sites, sh, sl, si)
    pairs = poles.shape[0]
    length = square_root(size(sh) + size(si))
    symmetric = splat(1.0)
    skew = splat(0.0)
    for q in range(pairs):
        inverse = 1.0 / square_root(squared_size(from_pole(poles, q, sh, sl, si)) + SMALLEST)
        symmetric = symmetric + size(load(poles, q, STRENGTH)) * inverse
        skew = skew + size(load(poles, q, TWICE)) * inverse
    symmetric = (pairs + 8.0) * UNIT_ROUNDOFF * symmetric
    skew = (pairs + 8.0) * UNIT_ROUNDOFF * length * skew
    cofactors = (
        magnitude(yy * zz - yz * yz) + magnitude(xx * zz - xz * xz) + magnitude(xx * yy - xy * xy)
    ) + 2.0 * (magnitude(xy * zz - yz * xz) + magnitude(xy * yz - yy * xz) + magnitude(xx * yz - xy * xz))
    along = length * (
        magnitude(xx * x + xy * y + xz * z)
        + magnitude(xy * x + yy * y + yz * z)
        + magnitude(xz * x + yz * y + zz * z)
    )
    axx = magnitude(xx)
    ayy = magnitude(yy)
    azz = magnitude(zz)
    axy = magnitude(xy)
    axz = magnitude(xz)
    ayz = magnitude(yz)
    ax = length * magnitude(x)
    ay = length * magnitude(y)
    az = length * magnitude(z)
    products = axx * (ayy * azz + ayz * ayz) + axy * (axy * azz + ayz * axz) + axz * (axy * ayz + ayy * axz)
    products = (
        products
        + ax * (axx * ax + 2.0 * (axy * ay + axz * az))
        + ay * (ayy * ay + 2.0 * ayz * az)
        + azz * az * az
    )
    total = axx + ayy + azz + 2.0 * (axy + axz + ayz)
    vector = ax + ay + az
    first = symmetric * cofactors + 2.0 * skew * along + symmetric * vector * vector
    second = (symmetric * symmetric + skew * skew) * total + 2.0 * skew * vector * symmetric
    third = 6.0 * symmetric * symmetric * symmetric + skew * skew * symmetric
    return 12.0 * UNIT_ROUNDOFF * products + first + second + third
