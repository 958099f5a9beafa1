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

from pairsweep.kernels.bulk_lanes import LANES, load, select, size, spread, square_root, store
from pairsweep.kernels.jit import jit

EPS = 2.0**-53
SMALLEST = 1e-290  # keeps 1/|z|^2 finite on a pole, where the term then drops out

Shared = namedtuple("Shared", "energy weight p_hat square_hi square_lo outer same_direction")
Shared.__doc__ = """What all points of a map share.

``energy``, ``weight`` (N,) MeV, MeV^3; ``p_hat`` (N, 3); ``square_hi``, ``square_lo`` (N,) MeV^2, together (2E)^2;
``outer`` (N, 6): xx, yy, zz, xy, xz, yz of q_hat q_hat^T; ``same_direction`` (N, N) bool: polarisation vectors that
are parallel to rounding.
"""

Poles = namedtuple("Poles", "offset omega twice strength hi lo counted")
Poles.__doc__ = """The poles of f of eight points, arrays (N, 8).

``offset`` d, ``omega`` Omega, ``twice`` 2c, MeV; ``strength`` 2c Omega, ``hi`` + ``lo`` = Omega^2, MeV^2; ``counted``:
1 for a pole that brings a zero of its own, else 0.
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
        members = spread(0.0)
        repeated = spread(0.0)
        for r in range(q):
            if shared.energy[r] == shared.energy[q]:
                other = load(poles.offset, r)
                together = size(d - other) <= same
                d = select(together, other, d)
                counted = select(together, load(poles.counted, r), 0.0)
                members = members + counted
                if shared.same_direction[q, r]:
                    repeated = repeated + counted
        store(poles.offset, q, d)
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
def multiply(ar, ai, br, bi):
    """Complex product."""
    return ar * br - ai * bi, ar * bi + ai * br


@jit()
def matrix_entries(shared, poles, sh, sl, si):
    """P (xx, yy, zz, xy, xz, yz) and v (x, y, z) at s = (sh + sl) + i si, real and imaginary part of each in turn."""
    xxr = spread(0.0)
    xxi = spread(0.0)
    yyr = spread(0.0)
    yyi = spread(0.0)
    zzr = spread(0.0)
    zzi = spread(0.0)
    xyr = spread(0.0)
    xyi = spread(0.0)
    xzr = spread(0.0)
    xzi = spread(0.0)
    yzr = spread(0.0)
    yzi = spread(0.0)
    ur = spread(0.0)
    ui = spread(0.0)
    vr = spread(0.0)
    vi = spread(0.0)
    wr = spread(0.0)
    wi = spread(0.0)
    outer = shared.outer
    p_hat = shared.p_hat
    for q in range(p_hat.shape[0]):
        zr = (sh - load(poles.hi, q)) + (sl - load(poles.lo, q))
        inverse = 1.0 / (zr * zr + si * si + SMALLEST)
        tr = zr * inverse
        ti = si * -inverse
        a = load(poles.strength, q)
        ar = a * tr
        ai = a * ti
        xxr = xxr + outer[q, 0] * ar
        xxi = xxi + outer[q, 0] * ai
        yyr = yyr + outer[q, 1] * ar
        yyi = yyi + outer[q, 1] * ai
        zzr = zzr + outer[q, 2] * ar
        zzi = zzi + outer[q, 2] * ai
        xyr = xyr + outer[q, 3] * ar
        xyi = xyi + outer[q, 3] * ai
        xzr = xzr + outer[q, 4] * ar
        xzi = xzi + outer[q, 4] * ai
        yzr = yzr + outer[q, 5] * ar
        yzi = yzi + outer[q, 5] * ai
        b = load(poles.twice, q)
        br = b * tr
        bi = b * ti
        ur = ur + p_hat[q, 0] * br
        ui = ui + p_hat[q, 0] * bi
        vr = vr + p_hat[q, 1] * br
        vi = vi + p_hat[q, 1] * bi
        wr = wr + p_hat[q, 2] * br
        wi = wi + p_hat[q, 2] * bi
    pxr = 1.0 - (yyr + zzr)
    pxi = -(yyi + zzi)
    pyr = 1.0 - (xxr + zzr)
    pyi = -(xxi + zzi)
    pzr = 1.0 - (xxr + yyr)
    pzi = -(xxi + yyi)
    return pxr, pxi, pyr, pyi, pzr, pzi, xyr, xyi, xzr, xzi, yzr, yzi, ur, ui, vr, vi, wr, wi


@jit()
def dispersion(shared, poles, sh, sl, si):
    """Real and imaginary part of f at s = (sh + sl) + i si (lanes, MeV^2)."""
    pxr, pxi, pyr, pyi, pzr, pzi, xyr, xyi, xzr, xzi, yzr, yzi, ur, ui, vr, vi, wr, wi = matrix_entries(
        shared, poles, sh, sl, si
    )
    # det P along its first row; the off-diagonal entries of P are +xy, +xz, +yz
    m1r, m1i = multiply(pyr, pyi, pzr, pzi)
    m2r, m2i = multiply(yzr, yzi, yzr, yzi)
    fr, fi = multiply(pxr, pxi, m1r - m2r, m1i - m2i)
    m1r, m1i = multiply(xyr, xyi, pzr, pzi)
    m2r, m2i = multiply(yzr, yzi, xzr, xzi)
    m1r, m1i = multiply(xyr, xyi, m1r - m2r, m1i - m2i)
    fr = fr - m1r
    fi = fi - m1i
    m1r, m1i = multiply(xyr, xyi, yzr, yzi)
    m2r, m2i = multiply(pyr, pyi, xzr, xzi)
    m1r, m1i = multiply(xzr, xzi, m1r - m2r, m1i - m2i)
    fr = fr + m1r
    fi = fi + m1i
    # v^T P v
    m1r, m1i = multiply(pxr, pxi, ur, ui)
    m2r, m2i = multiply(xyr, xyi, vr, vi)
    m3r, m3i = multiply(xzr, xzi, wr, wi)
    qr, qi = multiply(ur, ui, m1r + 2.0 * (m2r + m3r), m1i + 2.0 * (m2i + m3i))
    m1r, m1i = multiply(pyr, pyi, vr, vi)
    m2r, m2i = multiply(yzr, yzi, wr, wi)
    m1r, m1i = multiply(vr, vi, m1r + 2.0 * m2r, m1i + 2.0 * m2i)
    qr = qr + m1r
    qi = qi + m1i
    m1r, m1i = multiply(wr, wi, wr, wi)
    m1r, m1i = multiply(pzr, pzi, m1r, m1i)
    qr, qi = multiply(sh, si, qr + m1r, qi + m1i)
    return fr - qr, fi - qi


@jit()
def dispersion_matrix(shared, poles, sh, sl, si, real, growth, rows):
    """Fill ``rows`` (18, 8) with W = P + i omega [v]x at omega = real + i growth (lanes, MeV), omega^2 = s.

    Real and imaginary part of each entry in turn, row by row.
    """
    pxr, pxi, pyr, pyi, pzr, pzi, xyr, xyi, xzr, xzi, yzr, yzi, ur, ui, vr, vi, wr, wi = matrix_entries(
        shared, poles, sh, sl, si
    )
    ur, ui = multiply(-growth, real, ur, ui)
    vr, vi = multiply(-growth, real, vr, vi)
    wr, wi = multiply(-growth, real, wr, wi)
    store(rows, 0, pxr)
    store(rows, 1, pxi)
    store(rows, 2, xyr - wr)
    store(rows, 3, xyi - wi)
    store(rows, 4, xzr + vr)
    store(rows, 5, xzi + vi)
    store(rows, 6, xyr + wr)
    store(rows, 7, xyi + wi)
    store(rows, 8, pyr)
    store(rows, 9, pyi)
    store(rows, 10, yzr - ur)
    store(rows, 11, yzi - ui)
    store(rows, 12, xzr - vr)
    store(rows, 13, xzi - vi)
    store(rows, 14, yzr + ur)
    store(rows, 15, yzi + ui)
    store(rows, 16, pzr)
    store(rows, 17, pzi)
    return 0


@jit()
def magnitude(re, im):
    """|re| + |im|, no less than the absolute value."""
    return size(re) + size(im)


@jit()
def dispersion_rounding(shared, poles, sh, sl, si):
    """Bound of the rounding of ``dispersion`` at s.

    An entry is a sum over N pairs of terms that are right to a few EPS; its error acts on det P through the cofactors
    and their like, which vanish where zeros coincide for symmetry, and the products of three round on their own.
    """
    pxr, pxi, pyr, pyi, pzr, pzi, xyr, xyi, xzr, xzi, yzr, yzi, ur, ui, vr, vi, wr, wi = matrix_entries(
        shared, poles, sh, sl, si
    )
    pairs = poles.hi.shape[0]
    length = square_root(size(sh) + size(si))
    symmetric = spread(1.0)
    skew = spread(0.0)
    for q in range(pairs):
        zr = (sh - load(poles.hi, q)) + (sl - load(poles.lo, q))
        inverse = 1.0 / square_root(zr * zr + si * si + SMALLEST)
        symmetric = symmetric + size(load(poles.strength, q)) * inverse
        skew = skew + size(load(poles.twice, q)) * inverse
    symmetric = (pairs + 8.0) * EPS * symmetric
    skew = (pairs + 8.0) * EPS * length * skew
    cofactors = spread(0.0)
    m1r, m1i = multiply(pyr, pyi, pzr, pzi)
    m2r, m2i = multiply(yzr, yzi, yzr, yzi)
    cofactors = cofactors + magnitude(m1r - m2r, m1i - m2i)
    m1r, m1i = multiply(pxr, pxi, pzr, pzi)
    m2r, m2i = multiply(xzr, xzi, xzr, xzi)
    cofactors = cofactors + magnitude(m1r - m2r, m1i - m2i)
    m1r, m1i = multiply(pxr, pxi, pyr, pyi)
    m2r, m2i = multiply(xyr, xyi, xyr, xyi)
    cofactors = cofactors + magnitude(m1r - m2r, m1i - m2i)
    m1r, m1i = multiply(xyr, xyi, pzr, pzi)
    m2r, m2i = multiply(yzr, yzi, xzr, xzi)
    cofactors = cofactors + 2.0 * magnitude(m1r - m2r, m1i - m2i)
    m1r, m1i = multiply(xyr, xyi, yzr, yzi)
    m2r, m2i = multiply(pyr, pyi, xzr, xzi)
    cofactors = cofactors + 2.0 * magnitude(m1r - m2r, m1i - m2i)
    m1r, m1i = multiply(pxr, pxi, yzr, yzi)
    m2r, m2i = multiply(xyr, xyi, xzr, xzi)
    cofactors = cofactors + 2.0 * magnitude(m1r - m2r, m1i - m2i)
    px = magnitude(pxr, pxi)
    py = magnitude(pyr, pyi)
    pz = magnitude(pzr, pzi)
    xy = magnitude(xyr, xyi)
    xz = magnitude(xzr, xzi)
    yz = magnitude(yzr, yzi)
    u = length * magnitude(ur, ui)
    v = length * magnitude(vr, vi)
    w = length * magnitude(wr, wi)
    products = px * (py * pz + yz * yz) + xy * (xy * pz + yz * xz) + xz * (xy * yz + py * xz)
    # P v entry by entry, with and without cancellation
    m1r, m1i = multiply(pxr, pxi, ur, ui)
    m2r, m2i = multiply(xyr, xyi, vr, vi)
    m3r, m3i = multiply(xzr, xzi, wr, wi)
    turned = magnitude(m1r + m2r + m3r, m1i + m2i + m3i)
    m1r, m1i = multiply(xyr, xyi, ur, ui)
    m2r, m2i = multiply(pyr, pyi, vr, vi)
    m3r, m3i = multiply(yzr, yzi, wr, wi)
    turned = turned + magnitude(m1r + m2r + m3r, m1i + m2i + m3i)
    m1r, m1i = multiply(xzr, xzi, ur, ui)
    m2r, m2i = multiply(yzr, yzi, vr, vi)
    m3r, m3i = multiply(pzr, pzi, wr, wi)
    turned = length * (turned + magnitude(m1r + m2r + m3r, m1i + m2i + m3i))
    products = products + u * (px * u + 2.0 * (xy * v + xz * w)) + v * (py * v + 2.0 * yz * w) + pz * w * w
    total = px + py + pz + 2.0 * (xy + xz + yz)
    vector = u + v + w
    first = symmetric * cofactors + 2.0 * skew * turned + symmetric * vector * vector
    second = symmetric * symmetric * total + skew * skew * total + 2.0 * skew * vector * symmetric
    third = 6.0 * symmetric * symmetric * symmetric + skew * skew * symmetric
    return 12.0 * EPS * products + first + second + third
