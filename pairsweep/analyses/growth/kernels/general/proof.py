"""Proof that no zero of a strip is missing: a sandwich between two lower bounds and the known total.

A strip holds exactly as many zeros as the ranks of its poles add up to (``poles``). Its real zeros are counted from
below by inertia: W is Hermitian at real omega, so between two points without a pole between them it has at least as
many zeros as its number of negative eigenvalues changes. Other zeros are counted in discs: with the nearest pole p of
rank r taken out, H = (omega - p)^r f is analytic about the centre c; if its Taylor series obeys

    abs(h_m) rho^m > sum_{k != m} abs(h_k) rho^k + (all truncation and rounding errors),

then H has exactly m zeros in the disc of radius rho (Pellet, Rouche). Disjoint discs off the real axis hold different
zeros, and each has its mirror image below. If both bounds add up to the total, both are exact: nothing is missing and
nothing was counted twice. Neither uses the way the estimates were found, and every sign and modulus is compared with a
bound of its rounding error.
"""

import numpy as np

from pairsweep.analyses.growth.kernels.dispersion import (
    ADJUGATE,
    BOUND,
    LOCATION,
    RANK,
    RESIDUE,
    ROWS,
    VOLUME,
    real_pole_sums,
)
from pairsweep.analyses.growth.kernels.general.strip import evaluate, faint_size, nearest_pole
from pairsweep.analyses.growth.kernels.general.window import WHOLE, look, window_room
from pairsweep.kernels.exact import UNIT_ROUNDOFF
from pairsweep.kernels.jit import jit
from pairsweep.kernels.matrix3 import adjugate

UNKNOWN = -1
# det(S + i [a]x) = det S - a^T S a as products of three of the numbers (S00, S01, S02, S11, S12, S22, a0, a1, a2)
PRODUCTS = np.array(
    [
        [0, 3, 5, 1],
        [1, 2, 4, 2],
        [0, 4, 4, -1],
        [3, 2, 2, -1],
        [5, 1, 1, -1],
        [0, 6, 6, -1],
        [3, 7, 7, -1],
        [5, 8, 8, -1],
        [1, 6, 7, -2],
        [2, 6, 8, -2],
        [4, 7, 8, -2],
    ]
)
# f is expanded to second order in each number, times (omega - p)^3
DEGREE = 9
LARGEST_GROUP = 6
WIDENINGS = 24
STEADY = 1e-15
NEWTON = 4
# a Newton step this small leaves the next one below rounding
STEP = 1e-8


@jit()
def matrix_error(size, depth):
    """Bound of the norm of the rounding error of W, whose terms of total size ``size`` go through ``depth`` sums."""
    return 3.0 * UNIT_ROUNDOFF * (depth + 16.0) * (1.0 + size)


@jit()
def sign_count(e1, e2, e3, error1, error2, error3):
    """Return the number of negative eigenvalues of a Hermitian 3 x 3 matrix, UNKNOWN where errors could change it.

    e_k are the elementary symmetric functions of its eigenvalues. The sign of e3 gives the parity; what is left is
    whether all three share one sign, which holds exactly where e2 > 0 and e1 has the sign of e3. Then also
    e2 >= 3 abs(e3)^(2/3) and abs(e1) >= 3 abs(e3)^(1/3), so an e1 or e2 near 0 decides against it.
    """
    least = abs(e3) - error3
    if not least > 0.0:
        return UNKNOWN
    root = least ** (1.0 / 3.0)
    matched = e1 if e3 > 0.0 else -e1
    one_sign = UNKNOWN
    if (
        e2 < -error2
        or matched < -error1
        or e2 + error2 < 2.999 * root * root
        or matched + error1 < 2.999 * root
    ):
        one_sign = 0
    elif e2 > error2 and matched > error1:
        one_sign = 1
    if one_sign == UNKNOWN:
        return UNKNOWN
    if e3 > 0.0:
        return 0 if one_sign == 1 else 2
    return 3 if one_sign == 1 else 1


@jit()
def negative_eigenvalues(strip, x, nearest, faint, work, sums):
    """Return the number of negative eigenvalues of the Hermitian W at real ``x``, UNKNOWN if rounding could change it.

    As in ``determinant`` the nearest pole is kept apart: every e_k of ``sign_count`` is a polynomial in 1/t.
    """
    t = x - strip.poles[LOCATION, nearest]
    if t == 0.0:
        return UNKNOWN
    size = strip.far_size + real_pole_sums(
        x,
        strip.poles[LOCATION],
        strip.poles,
        strip.poles[BOUND],
        strip.count,
        strip.centre,
        strip.order,
        nearest,
        work,
        sums,
    )
    s00 = 1.0 - sums[0]
    s01 = -sums[1]
    s02 = -sums[2]
    s11 = 1.0 - sums[3]
    s12 = -sums[4]
    s22 = 1.0 - sums[5]
    a0 = sums[6]
    a1 = sums[7]
    a2 = sums[8]
    r00 = strip.poles[0, nearest]
    r01 = strip.poles[1, nearest]
    r02 = strip.poles[2, nearest]
    r11 = strip.poles[3, nearest]
    r12 = strip.poles[4, nearest]
    r22 = strip.poles[5, nearest]
    r0 = strip.poles[6, nearest]
    r1 = strip.poles[7, nearest]
    r2 = strip.poles[8, nearest]
    q = strip.poles[ADJUGATE:, nearest]
    (c00, c01, c02, c11, c12, c22), (v0, v1, v2), D0 = adjugate(s00, s01, s02, s11, s12, s22, a0, a1, a2)
    D1 = (
        c00 * r00 + c11 * r11 + c22 * r22 + 2.0 * (c01 * r01 + c02 * r02 + c12 * r12)
        + 2.0 * (v0 * r0 + v1 * r1 + v2 * r2)
    )  # fmt: skip
    D2 = (
        q[0] * s00 + q[3] * s11 + q[5] * s22 + 2.0 * (q[1] * s01 + q[2] * s02 + q[4] * s12)
        + 2.0 * (q[6] * a0 + q[7] * a1 + q[8] * a2)
    )  # fmt: skip
    trace = s00 + s11 + s22
    trace_r = r00 + r11 + r22
    product = s00 * r00 + s11 * r11 + s22 * r22 + 2.0 * (s01 * r01 + s02 * r02 + s12 * r12)
    e1 = trace - trace_r / t
    e2 = (
        c00 + c11 + c22
        - (trace * trace_r - product + 2.0 * (a0 * r0 + a1 * r1 + a2 * r2)) / t
        + (q[0] + q[3] + q[5]) / t / t
    )  # fmt: skip
    e3 = D0 - (D1 - (D2 - strip.poles[VOLUME, nearest] / t) / t) / t
    pole = strip.poles[BOUND, nearest] / abs(t)
    error = matrix_error(size, strip.depth) + strip.faint_far
    if faint.shape[1] > 0:
        error += faint_size(faint, x, 0.0, 0.0, False)
        if error == np.inf:
            return UNKNOWN
    norm = error + np.sqrt(
        s00 * s00 + s11 * s11 + s22 * s22
        + 2.0 * (s01 * s01 + s02 * s02 + s12 * s12 + a0 * a0 + a1 * a1 + a2 * a2)
    )  # fmt: skip
    # the eigenvalues of W_rest move by at most the norm of its error; the rest is the rounding of the formulas
    second = pole * pole if strip.poles[RANK, nearest] > 1 else 0.0
    third = second * pole if strip.poles[RANK, nearest] > 2 else 0.0
    cubic = norm * norm * (norm + 3.0 * pole) + 3.0 * norm * second + third
    error1 = 3.0 * error + 8.0 * UNIT_ROUNDOFF * (norm + pole)
    error2 = 7.0 * (norm + pole) * error + 60.0 * UNIT_ROUNDOFF * (norm * norm + norm * pole + second)
    error3 = 4.0 * (norm * (norm + 2.0 * pole) + second) * error + 200.0 * UNIT_ROUNDOFF * cubic
    return sign_count(e1, e2, e3, error1, error2, error3)


@jit()
def taylor(strip, c, nearest, series, sizes):
    """Expand W without its ``nearest`` pole about ``c``; return the distance of the next pole.

    ``series`` (9, 3) gets the coefficients of (S, a); ``sizes`` (3,) the sums of bound_j/abs(c - P_j)^k, k = 1, 2, 3.
    """
    series[:, :] = 0.0
    sizes[:] = 0.0
    closest = np.inf
    for j in range(strip.count):
        if j == nearest:
            continue
        dx = c.real - strip.poles[LOCATION, j]
        away = np.sqrt(dx * dx + c.imag * c.imag)
        closest = min(closest, away)
        if away == 0.0:
            return 0.0
        inverse = complex(dx / away / away, -c.imag / away / away)
        power = inverse
        size = strip.poles[BOUND, j] / away
        for k in range(3):
            for i in range(RESIDUE):
                series[i, k] += strip.poles[i, j] * power
            sizes[k] += size
            power *= -inverse
            size /= away
    s = c - strip.centre
    for a in range(strip.order):
        binomial = 1.0
        for k in range(min(3, a + 1)):
            power = complex(1.0, 0.0)
            for _ in range(a - k):
                power *= s
            for i in range(RESIDUE):
                series[i, k] += binomial * strip.poles[i, strip.count + a] * power
            binomial *= (a - k) / (k + 1.0)
    for k in range(3):
        for i in range(6):
            series[i, k] = -series[i, k]
    series[0, 0] += 1.0
    series[3, 0] += 1.0
    series[5, 0] += 1.0
    return closest


@jit()
def pole_free_series(strip, c, nearest, series, out):
    """Fill ``out`` (10,) with the Taylor coefficients about ``c`` of H = (omega - p)^r f from those of W_rest.

    det(W_rest - R/t) t^r, with every product of three numbers w - r/t multiplied out; terms with more factors of R
    than its rank cancel and are left out.
    """
    rank = int(strip.poles[RANK, nearest])
    t = complex(c.real - strip.poles[LOCATION, nearest], c.imag)
    out[:] = 0.0
    term = np.empty(DEGREE + 1, dtype=np.complex128)
    for row in range(PRODUCTS.shape[0]):
        for subset in range(8):
            members = (subset & 1) + ((subset >> 1) & 1) + ((subset >> 2) & 1)
            if members > rank:
                continue
            term[:] = 0.0
            term[0] = PRODUCTS[row, 3]
            degree = 0
            for slot in range(3):
                i = PRODUCTS[row, slot]
                if (subset >> slot) & 1:
                    # minus r, and r = (S_j, -a_j)
                    factor = strip.poles[i, nearest] if i >= 6 else -strip.poles[i, nearest]
                    for k in range(degree + 1):
                        term[k] *= factor
                else:
                    for k in range(degree + 2, -1, -1):
                        value = complex(0.0, 0.0)
                        for m in range(min(3, k + 1)):
                            value += term[k - m] * series[i, m]
                        term[k] = value
                    degree += 2
            for _ in range(rank - members):
                for k in range(degree + 1, 0, -1):
                    term[k] = t * term[k] + term[k - 1]
                term[0] = t * term[0]
                degree += 1
            for k in range(degree + 1):
                out[k] += term[k]


@jit()
def series_error(strip, c, nearest, series, sizes, closest, rho, change):
    """Bound of abs(H - its computed Taylor polynomial) on the disc of radius ``rho``: truncation and rounding.

    ``change`` bounds what W may change by on it besides (``faint``).
    """
    room = strip.cut - abs(c.real - strip.centre)
    if not (rho < 0.5 * closest and rho < 0.5 * room):
        return np.inf
    q = rho / room
    rest = sizes[2] * rho * rho * rho / (closest - rho) + strip.far_size * q * q * q / (1.0 - q)
    relative = 3.0 * UNIT_ROUNDOFF * (strip.count + strip.order + strip.depth + 16.0)
    far = strip.far_size
    noise = change + relative * (
        1.0 + sizes[0] + far + (sizes[1] + far / room) * rho + (sizes[2] + far / room / room) * rho * rho
    )
    rank = int(strip.poles[RANK, nearest])
    t = np.sqrt((c.real - strip.poles[LOCATION, nearest]) ** 2 + c.imag * c.imag) + rho
    total = 0.0
    for row in range(PRODUCTS.shape[0]):
        for subset in range(8):
            members = (subset & 1) + ((subset >> 1) & 1) + ((subset >> 2) & 1)
            if members > rank:
                continue
            exact = float(abs(PRODUCTS[row, 3]))
            spoilt = exact
            for slot in range(3):
                i = PRODUCTS[row, slot]
                if (subset >> slot) & 1:
                    exact *= abs(strip.poles[i, nearest])
                    spoilt *= abs(strip.poles[i, nearest])
                else:
                    size = abs(series[i, 0]) + abs(series[i, 1]) * rho + abs(series[i, 2]) * rho * rho
                    exact *= size
                    spoilt *= size + noise + rest
            for _ in range(rank - members):
                exact *= t
                spoilt *= t
            total += (spoilt - exact) + 200.0 * UNIT_ROUNDOFF * spoilt
    return total


@jit()
def disc_zeros(coefficients, rho, error):
    """Return the number m of zeros that Pellet's test proves inside the disc of radius ``rho``, or UNKNOWN."""
    total = error
    power = 1.0
    for k in range(coefficients.size):
        total += abs(coefficients[k]) * power
        power *= rho
    power = 1.0
    for m in range(min(coefficients.size, LARGEST_GROUP + 1)):
        term = abs(coefficients[m]) * power
        if term > (1.0 + 1e-12) * (total - term):
            return m
        power *= rho
    return UNKNOWN


@jit()
def smallest_disc(strip, c, nearest, faint, wanted, largest, polish):
    """Look for a disc of radius at most ``largest`` about ``c`` with exactly ``wanted`` zeros.

    The centre first moves, in at most ``polish`` Newton steps, to the zero of the derivative of order wanted - 1.
    Returns (radius, centre); the radius is infinite if there is no such disc.
    """
    series = np.empty((RESIDUE, 3), dtype=np.complex128)
    sizes = np.empty(3)
    h = np.empty(DEGREE + 1, dtype=np.complex128)
    closest = taylor(strip, c, nearest, series, sizes)
    pole_free_series(strip, c, nearest, series, h)
    for _ in range(polish):
        lead = abs(h[wanted])
        if closest == 0.0 or not 0.0 < lead < np.inf:
            return np.inf, c
        step = h[wanted - 1] * h[wanted].conjugate()
        step = complex(step.real / lead / lead / wanted, step.imag / lead / lead / wanted)
        if not abs(step) < 0.5 * closest:
            return np.inf, c
        c -= step
        closest = taylor(strip, c, nearest, series, sizes)
        pole_free_series(strip, c, nearest, series, h)
        if abs(step) <= STEADY * abs(c - strip.poles[LOCATION, nearest]):
            break
    lead = abs(h[wanted])
    if closest == 0.0 or not 0.0 < lead < np.inf or not abs(c - strip.centre) <= strip.radius:
        return np.inf, c
    rho = 8.0 * UNIT_ROUNDOFF * (abs(c - strip.poles[LOCATION, nearest]) + abs(c.real))
    for k in range(wanted):
        rho = max(rho, 2.0 * wanted * (abs(h[k]) / lead) ** (1.0 / (wanted - k)))
    for _ in range(WIDENINGS):
        if not rho <= largest:
            break
        change = strip.faint_far
        if faint.shape[1] > 0:
            change += faint_size(faint, c.real, c.imag, rho, False)
        error = series_error(strip, c, nearest, series, sizes, closest, rho, change)
        if error == np.inf:
            break
        if disc_zeros(h, rho, error) == wanted:
            return rho, c
        rho *= 2.0
    return np.inf, c


@jit()
def simple_zero(strip, c, nearest, faint, work, sums):
    """Return (radius, centre) of a disc that holds exactly one zero, polished from the estimate ``c``; or infinity.

    Rouche against the linear part: abs(f) + R < abs(f') rho, where R bounds the rest of the Taylor series of f. A
    determinant of matrices is at most the product of their norms, so f is majorised, coefficient by coefficient,
    by (A + B)^3 with A(s) = norm(W_rest) + s sum b_j/(d_j - s)^2 over the other poles and B(s) = b/(d - s) of the
    nearest one, less the terms with more factors of B than its rank; and R <= rho^2/2 times its second derivative
    at rho.
    """
    f, df = evaluate(strip, c.real, c.imag, nearest, work, sums)
    for _ in range(NEWTON):
        square = df.real * df.real + df.imag * df.imag
        if not 0.0 < square < np.inf:
            return np.inf, c
        step = f * df.conjugate()
        step = complex(step.real / square, step.imag / square)
        c -= step
        f, df = evaluate(strip, c.real, c.imag, nearest, work, sums)
        if abs(step) <= STEP * abs(c - strip.poles[LOCATION, nearest]):
            break
    t = abs(c - strip.poles[LOCATION, nearest])
    room = strip.cut - abs(c.real - strip.centre)
    slope = abs(df)
    if not (slope > 0.0 and room > 0.0 and t > 0.0 and abs(c - strip.centre) <= strip.radius):
        return np.inf, c
    norm = 0.0
    for i in range(RESIDUE):
        number = complex(sums[4 * i], sums[4 * i + 1])
        if i == 0 or i == 3 or i == 5:
            number -= 1.0
        norm += (number.real * number.real + number.imag * number.imag) * (1.0 if i in (0, 3, 5) else 2.0)
    norm = np.sqrt(norm)
    rounding = matrix_error(0.0, strip.depth)
    rho = 4.0 * abs(f) / slope
    for _ in range(2):
        if not (rho < 0.25 * t and rho < 0.25 * room):
            return np.inf, c
        # a far pole is at least room away, which may be infinite, and comes closer by rho
        closer = 1.0 / (1.0 - rho / room)
        size = 1.0 + strip.far_size * closer
        a1 = strip.far_size * closer * closer / room
        a2 = 2.0 * a1 * closer / room
        for j in range(strip.count):
            if j != nearest:
                dx = c.real - strip.poles[LOCATION, j]
                away = np.sqrt(dx * dx + c.imag * c.imag) - rho
                if away <= rho:
                    return np.inf, c
                a = strip.poles[BOUND, j] / away
                size += a
                a1 += a / away
                a2 += 2.0 * a / (away * away)
        error = rounding * size + strip.faint_far
        if faint.shape[1] > 0:
            error += faint_size(faint, c.real, c.imag, rho, False)
        a0 = norm + error + a1 * rho
        b0 = strip.poles[BOUND, nearest] / (t - rho)
        b1 = b0 / (t - rho)
        b2 = 2.0 * b1 / (t - rho)
        high = 1.0 if strip.poles[RANK, nearest] > 1 else 0.0
        top = 1.0 if strip.poles[RANK, nearest] > 2 else 0.0
        # majorant F = A^3 + 3 A^2 B + 3 A B^2 + B^3 and its derivatives at rho
        value = a0 * a0 * (a0 + 3.0 * b0) + high * 3.0 * a0 * b0 * b0 + top * b0 * b0 * b0
        by_a = 3.0 * a0 * (a0 + 2.0 * b0) + high * 3.0 * b0 * b0
        by_b = 3.0 * a0 * a0 + high * 6.0 * a0 * b0 + top * 3.0 * b0 * b0
        first = by_a * a1 + by_b * b1
        second = (
            by_a * a2 + by_b * b2 + 6.0 * (a0 + b0) * a1 * a1
            + 2.0 * (6.0 * a0 + high * 6.0 * b0) * a1 * b1 + (high * 6.0 * a0 + top * 6.0 * b0) * b1 * b1
        )  # fmt: skip
        f_error = by_a * error + 400.0 * UNIT_ROUNDOFF * value
        slope_error = (
            by_a * rounding * a1
            + 6.0 * ((a0 + b0) * a1 + (a0 + high * b0) * b1) * error
            + 400.0 * UNIT_ROUNDOFF * first
        )
        if abs(f) + f_error + 0.5 * second * rho * rho < (slope - slope_error) * rho:
            return rho, c
        # the smallest radius that rounding allows
        rho = max(rho, 4.0 * (abs(f) + f_error) / slope)
    return np.inf, c


@jit()
def make_walls(strip, low, high, circles, wall_low, wall_high):
    """Merge own poles and discs about faint ones, low[i]:high[i], into disjoint intervals; return their number."""
    location = strip.poles[LOCATION]
    walls = 0
    pole = 0
    circle = 0
    while pole < strip.own or circle < circles:
        if circle < circles and (pole == strip.own or low[circle] <= location[pole]):
            wall_low[walls] = low[circle]
            wall_high[walls] = high[circle]
            circle += 1
            while pole < strip.own and location[pole] <= wall_high[walls]:
                pole += 1
        else:
            wall_low[walls] = location[pole]
            wall_high[walls] = location[pole]
            pole += 1
        walls += 1
    return walls


@jit()
def count_real(strip, windows, faint, points, number, largest, walls, wall_low, wall_high, discs):
    """Lower bound of the zeros on or next to the real axis of a strip; returns (zeros, number of discs used).

    Inertia is taken at the middles between neighbours among the ``walls`` (poles, ``make_walls``) and the ``number``
    sorted estimates ``points`` of real zeros, and zeros inside of a wall are left out; outside the radius of the strip
    W is positive definite. Estimates closer than ``largest`` between which the inertia does not change may be a pair
    that has just left the axis or is about to: a disc with radius at most ``largest`` counts them; ``discs``
    (2, zeros) gets their centres and radii.
    """
    room = window_room(strip, windows)
    poles = np.empty((ROWS, room))
    work = np.empty((4, room))
    sums = np.empty(4 * RESIDUE)
    panel = np.int64(WHOLE)
    view = strip
    no_polish = np.int64(0)
    found = 0
    used = 0
    nearest = np.int64(0)
    i = 0
    for j in range(walls + 1):
        left = wall_high[j - 1] if j > 0 else strip.centre - strip.radius
        right = wall_low[j] if j < walls else strip.centre + strip.radius
        while i < number and points[i] < left:
            i += 1
        first = i
        while i < number and points[i] < right:
            i += 1
        if i == first:
            continue
        # the last known inertia, where it was taken, and the first estimate behind it
        previous = 0 if j == 0 else UNKNOWN
        behind = left
        since = first
        for k in range(first, i + 1):
            x = 0.5 * ((points[k - 1] if k > first else left) + (points[k] if k < i else right))
            nearest = nearest_pole(strip, x, nearest)
            if (j == 0 and k == first) or (j == walls and k == i):
                now = 0
            else:
                view, panel, local = look(strip, windows, nearest, x, 0.0, poles, view, panel)
                now = negative_eigenvalues(view, x, local, faint, work, sums)
            if now == UNKNOWN:
                continue
            change = 0 if previous == UNKNOWN else abs(now - previous)
            if previous != UNKNOWN and change == 0 and k > since:
                if k == since + 1 and k < i:
                    # its partner may be the next estimate
                    continue
                centre = 0.5 * (points[since] + points[k - 1])
                space = min(largest, min(x - centre, centre - behind))
                if 0.5 * (points[k - 1] - points[since]) < space and k - since <= LARGEST_GROUP:
                    nearest = nearest_pole(strip, centre, nearest)
                    view, panel, local = look(strip, windows, nearest, centre, 0.0, poles, view, panel)
                    rho, _ = smallest_disc(
                        view, complex(centre, 0.0), local, faint, k - since, space, no_polish
                    )
                    if rho < np.inf:
                        change = k - since
                        discs[0, used] = centre
                        discs[1, used] = rho
                        used += 1
            found += change
            previous = now
            behind = x
            since = k
    return found, used
