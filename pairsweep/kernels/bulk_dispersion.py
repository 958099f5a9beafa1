"""The dispersion function of eight points at once, as a rational function of s = omega^2 = -lambda^2.

With c_q = 2 g w_q n_q, Omega_q = 2 E_q - 4 g q_hat.J0 and z_q = s - Omega_q^2 the 3x3 determinant is

    f(s) = det P - s v^T P v ,   P = 1 - sum_q (2 c_q Omega_q / z_q) (1 - q_hat q_hat^T) ,
                                 v = sum_q (2 c_q / z_q) q_hat

(det(P + [u]x) = det P + u^T P u for symmetric P). F(s) = f(s) prod_q z_q is a real polynomial with leading
coefficient 1, and the squares of the eigenvalues of M are -s at its N zeros.

At small coupling every Omega_q^2 of one energy agrees in its first digits, so positions are sums hi + lo of two
doubles: (2E)^2 to twice the working precision plus the offset d (4E + d), d = -4 g q_hat.J0. Differences of positions
then keep full relative accuracy, down to the physical coupling.
"""

from pairsweep.kernels.bulk_lanes import load, select, size, spread, square_root, store
from pairsweep.kernels.jit import jit

EPS = 2.0**-53
SMALLEST = 1e-290  # keeps 1/|z|^2 finite on a pole, where the term then drops out


@jit()
def fill_grid(energy, p_hat, square_hi, square_lo, outer, same_direction):
    """Prepare what all points of a grid share.

    Parameters
    ----------
    energy : (N,) MeV
    p_hat : (N, 3)
    square_hi, square_lo : (N,) out
        (2E)^2 as an unevaluated sum of two doubles, MeV^2.
    outer : (N, 6) out
        xx, yy, zz, xy, xz, yz of q_hat q_hat^T.
    same_direction : (N, N) bool out
        Directions so close that their polarisation vectors are parallel to rounding.
    """
    for q in range(energy.size):
        a = 2.0 * energy[q]
        big = 134217729.0 * a
        high = big - (big - a)
        low = a - high
        square_hi[q] = a * a
        square_lo[q] = ((high * high - square_hi[q]) + 2.0 * high * low) + low * low
        x, y, z = p_hat[q]
        outer[q, 0] = x * x
        outer[q, 1] = y * y
        outer[q, 2] = z * z
        outer[q, 3] = x * y
        outer[q, 4] = x * z
        outer[q, 5] = y * z
        for r in range(energy.size):
            distance = abs(x - p_hat[r, 0]) + abs(y - p_hat[r, 1]) + abs(z - p_hat[r, 2])
            same_direction[q, r] = distance < 1e-7
    return 0


@jit()
def two_sum(a, b):
    """a + b as rounded sum and exact remainder."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@jit()
def fill_poles(
    energy,
    weight,
    p_hat,
    square_hi,
    square_lo,
    same_direction,
    n,
    g,
    offset,
    omega,
    twice,
    strength,
    hi,
    lo,
    rank,
):
    """Positions, strengths and ranks of the poles of f for eight points.

    Poles of one energy whose offsets agree to rounding are put at one place. There f has a pole whose residue has the
    rank of the span of the polarisation vectors, which is the number of distinct directions, at most 3 (they are null
    vectors, points of a conic, and no three points of a conic are collinear); any further zero of F sits on the
    pole, where it is stable.

    Parameters
    ----------
    n : (N, 8)
        EPN.
    g : lanes, MeV^-2
    offset, omega, twice, strength, hi, lo, rank : (N, 8) out
        d (MeV); Omega (MeV); 2c (MeV); 2c Omega (MeV^2); Omega^2 in two parts (MeV^2); 1 for a pole that brings a
        zero of its own, else 0.

    Returns
    -------
    lanes : largest possible offset, sum_q 4 g w (|n| + 1), MeV
    """
    jx = spread(0.0)
    jy = spread(0.0)
    jz = spread(0.0)
    widest = spread(0.0)
    largest = spread(0.0)
    for q in range(energy.size):
        epn = load(n, q)
        occupied = weight[q] * (epn + 1.0)
        jx = jx + p_hat[q, 0] * occupied
        jy = jy + p_hat[q, 1] * occupied
        jz = jz + p_hat[q, 2] * occupied
        widest = widest + weight[q] * (size(epn) + 1.0)
        here = weight[q] * size(epn)
        largest = select(here > largest, here, largest)
    widest = 4.0 * g * widest
    same = 32.0 * EPS * widest
    for q in range(energy.size):
        d = -4.0 * g * (p_hat[q, 0] * jx + p_hat[q, 1] * jy + p_hat[q, 2] * jz)
        epn = load(n, q)
        # below the rounding of the largest coupling a pair only follows the others
        couples = size(weight[q] * epn) > EPS * largest
        members = spread(0.0)
        repeated = spread(0.0)
        for r in range(q):
            if energy[r] == energy[q]:
                other = load(offset, r)
                together = size(d - other) <= same
                d = select(together, other, d)
                members = members + select(together, load(rank, r), 0.0)
                if same_direction[q, r]:
                    repeated = repeated + select(together, load(rank, r), 0.0)
        store(offset, q, d)
        store(rank, q, select(couples & (members < 3.0) & (repeated < 1.0), spread(1.0), 0.0))
        frequency = 2.0 * energy[q] + d
        c = select(couples, 2.0 * g * weight[q] * epn, 0.0)
        store(omega, q, frequency)
        store(twice, q, 2.0 * c)
        store(strength, q, 2.0 * c * frequency)
        total, rest = two_sum(spread(square_hi[q]), d * (4.0 * energy[q] + d))
        store(hi, q, total)
        store(lo, q, rest + square_lo[q])
    return widest


@jit()
def multiply(ar, ai, br, bi):
    """Complex product."""
    return ar * br - ai * bi, ar * bi + ai * br


@jit()
def dispersion(p_hat, outer, twice, strength, hi, lo, sh, sl, si):
    """f at s = (sh + sl) + i si (lanes, MeV^2).

    Returns
    -------
    lanes (4) : real and imaginary part of f, and sum |2 c Omega / z|, sum |2 c / z| for the rounding bound
    """
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
    symmetric = spread(0.0)
    skew = spread(0.0)
    for q in range(p_hat.shape[0]):
        zr = (sh - load(hi, q)) + (sl - load(lo, q))
        square = zr * zr + si * si
        inverse = 1.0 / (square + SMALLEST)
        tr = zr * inverse
        ti = -(si * inverse)
        a = load(strength, q)
        b = load(twice, q)
        distance = square_root(inverse)
        symmetric = symmetric + size(a) * distance
        skew = skew + size(b) * distance
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
    return fr - qr, fi - qi, symmetric, skew
