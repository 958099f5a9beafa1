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

from collections import namedtuple

import numpy as np

from pairsweep.kernels.bulk_lanes import (
    LANES,
    imag,
    load,
    pair,
    real,
    select,
    size,
    spread,
    square_root,
    store,
)
from pairsweep.kernels.jit import jit

EPS = 2.0**-53
SMALLEST = 1e-290  # keeps 1/|z|^2 finite on a pole, where the term then drops out

Shared = namedtuple("Shared", "energy weight p_hat square_hi square_lo outer same_direction")
Shared.__doc__ = """What all points of a map share.

``energy``, ``weight`` (N,) MeV, MeV^3; ``p_hat`` (N, 3); ``square_hi``, ``square_lo`` (N,) MeV^2, together (2E)^2;
``outer`` (N, 6): xx, yy, zz, xy, xz, yz of q_hat q_hat^T; ``same_direction`` (N, N) bool: polarisation vectors that
are parallel to rounding.
"""

Poles = namedtuple("Poles", "offset omega twice strength hi lo counted leader")
Poles.__doc__ = """The poles of f of eight points, arrays (N, 8).

``offset`` d, ``omega`` Omega, ``twice`` 2c, MeV; ``strength`` 2c Omega, ``hi`` + ``lo`` = Omega^2, MeV^2; ``counted``:
1 for a pole that brings a zero of its own, else 0; ``leader``: the first pole at the same place.
"""


@jit()
def share_grid(energy, weight, p_hat):
    """Prepare what all points of a grid share."""
    pairs = energy.size
    square_hi = np.empty(pairs)
    square_lo = np.empty(pairs)
    outer = np.empty((pairs, 6))
    same_direction = np.empty((pairs, pairs), dtype=np.bool_)
    for q in range(pairs):
        a = 2.0 * energy[q]
        # Dekker's product: the halves of a have 26 bits, so their products are exact
        big = 134217729.0 * a
        high = big - (big - a)
        low = a - high
        square_hi[q] = a * a
        square_lo[q] = ((high * high - square_hi[q]) + 2.0 * high * low) + low * low
        x = p_hat[q, 0]
        y = p_hat[q, 1]
        z = p_hat[q, 2]
        outer[q, 0] = x * x
        outer[q, 1] = y * y
        outer[q, 2] = z * z
        outer[q, 3] = x * y
        outer[q, 4] = x * z
        outer[q, 5] = y * z
        for r in range(pairs):
            distance = abs(x - p_hat[r, 0]) + abs(y - p_hat[r, 1]) + abs(z - p_hat[r, 2])
            same_direction[q, r] = distance < 1e-7
    return Shared(energy, weight, p_hat, square_hi, square_lo, outer, same_direction)


@jit()
def empty_poles(pairs):
    """Room for the poles of eight points."""
    return Poles(
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
    )


@jit()
def two_sum(a, b):
    """Rounded a + b and its exact remainder."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@jit()
def fill_poles(shared, n, g, poles):
    """Fill ``poles`` for eight points with EPN ``n`` (N, 8) and coupling ``g`` (lanes, MeV^-2).

    Poles of one energy whose offsets agree to rounding are put at one place. There f has a pole whose residue has
    the rank of the span of the polarisation vectors, which is the number of distinct directions, at most 3 (they
    are null vectors, points of a conic, and no three points of a conic are collinear); any further zero of F sits
    on the pole, where it is stable.

    Returns
    -------
    lanes : sum_q 4 g w (|n| + 1), MeV, no less than any offset; not finite if the point is not
    """
    pairs = shared.energy.size
    jx = spread(0.0)
    jy = spread(0.0)
    jz = spread(0.0)
    widest = spread(0.0)
    largest = spread(0.0)
    for q in range(pairs):
        epn = load(n, q)
        occupied = shared.weight[q] * (epn + 1.0)
        jx = jx + shared.p_hat[q, 0] * occupied
        jy = jy + shared.p_hat[q, 1] * occupied
        jz = jz + shared.p_hat[q, 2] * occupied
        own = shared.weight[q] * size(epn)
        widest = widest + (own + shared.weight[q])
        largest = select(own > largest, own, largest)
    widest = 4.0 * g * widest
    same = 32.0 * EPS * widest
    for q in range(pairs):
        d = -4.0 * g * (shared.p_hat[q, 0] * jx + shared.p_hat[q, 1] * jy + shared.p_hat[q, 2] * jz)
        epn = load(n, q)
        # below the rounding of the largest coupling a pair only follows the others
        couples = size(shared.weight[q] * epn) > EPS * largest
        leader = spread(q)
        members = spread(0.0)
        repeated = spread(0.0)
        for r in range(q):
            if shared.energy[r] == shared.energy[q]:
                other = load(poles.offset, r)
                together = size(d - other) <= same
                d = select(together, other, d)
                leader = select(together, load(poles.leader, r), leader)
                counted = select(together, load(poles.counted, r), 0.0)
                members = members + counted
                if shared.same_direction[q, r]:
                    repeated = repeated + counted
        store(poles.offset, q, d)
        store(poles.leader, q, leader)
        store(poles.counted, q, select(couples & (members < 3.0) & (repeated < 1.0), spread(1.0), 0.0))
        omega = 2.0 * shared.energy[q] + d
        twice = select(couples, 4.0 * g * shared.weight[q] * epn, 0.0)
        store(poles.omega, q, omega)
        store(poles.twice, q, twice)
        store(poles.strength, q, twice * omega)
        total, rest = two_sum(spread(shared.square_hi[q]), d * (4.0 * shared.energy[q] + d))
        store(poles.hi, q, total)
        store(poles.lo, q, rest + shared.square_lo[q])
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
def from_pole(poles, q, sh, sl, si):
    """z_q = s - Omega_q^2 for s = (sh + sl) + i si."""
    return pair((sh - load(poles.hi, q)) + (sl - load(poles.lo, q)), si)


@jit()
def matrix_entries(sites, sh, sl, si):
    """P (xx, yy, zz, xy, xz, yz) and v (x, y, z) at s = (sh + sl) + i si (lanes, MeV^2), complex lanes."""
    zero = pair(spread(0.0), spread(0.0))
    xx = zero
    yy = zero
    zz = zero
    xy = zero
    xz = zero
    yz = zero
    x = zero
    y = zero
    z = zero
    for m in range(sites.size[0]):
        inverse = reciprocal(from_pole(sites, m, sh, sl, si))
        first = 9 * m
        xx = xx + inverse * load(sites.residue, first)
        yy = yy + inverse * load(sites.residue, first + 1)
        zz = zz + inverse * load(sites.residue, first + 2)
        xy = xy + inverse * load(sites.residue, first + 3)
        xz = xz + inverse * load(sites.residue, first + 4)
        yz = yz + inverse * load(sites.residue, first + 5)
        x = x + inverse * load(sites.residue, first + 6)
        y = y + inverse * load(sites.residue, first + 7)
        z = z + inverse * load(sites.residue, first + 8)
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

    An entry is a sum over N pairs of terms that are right to a few EPS; its error acts on det P through the
    cofactors and their like, which vanish where zeros coincide for symmetry, and the products of three round on
    their own.
    """
    xx, yy, zz, xy, xz, yz, x, y, z = matrix_entries(sites, sh, sl, si)
    pairs = poles.hi.shape[0]
    length = square_root(size(sh) + size(si))
    symmetric = spread(1.0)
    skew = spread(0.0)
    for q in range(pairs):
        inverse = 1.0 / square_root(squared_size(from_pole(poles, q, sh, sl, si)) + SMALLEST)
        symmetric = symmetric + size(load(poles.strength, q)) * inverse
        skew = skew + size(load(poles.twice, q)) * inverse
    symmetric = (pairs + 8.0) * EPS * symmetric
    skew = (pairs + 8.0) * EPS * length * skew
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
    return 12.0 * EPS * products + first + second + third
