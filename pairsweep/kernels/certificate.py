"""Proof that no zero of a strip is missing: a sandwich between two lower bounds and the known total.

A strip holds exactly T = sum of ranks zeros (``poles``). Its real zeros are counted from below by inertia: W is
Hermitian at real omega, so between two points without a pole between them it has at least as many zeros as its number
of negative eigenvalues changes. Complex zeros are counted one by one: f'/f = sum 1/(omega - z) - sum r_j/(omega - p_j),
so at a distance d from the nearest of the T zeros of the strip

    abs(f'/f) <= T/d + sum_own r_j/abs(omega - p_j) + 2 T_outside/(distance to the cut line),

and the disc of radius T/(abs(f'/f) - the rest) about an estimate holds at least one zero. Disjoint discs off the real
axis hold different zeros, and each has its mirror image below. If both bounds add up to T, both are exact: nothing is
missing and nothing was counted twice. Neither bound uses the way the estimates were found, and all signs and moduli
carry bounds of their rounding errors.
"""

import numpy as np

from pairsweep.kernels.dispersion import determinant, pole_sums, real_pole_sums
from pairsweep.kernels.farfield import add_polynomial, add_real_polynomial
from pairsweep.kernels.jit import jit

UNIT = 1.1102230246251565e-16
UNKNOWN = -1


@jit()
def matrix_error(size, terms):
    """Bound of the norm of the rounding error of W, summed from ``terms`` terms of total size ``size``."""
    return 3.0 * UNIT * (terms + 16.0) * (1.0 + size)


@jit()
def negative_eigenvalues(sums, size, terms):
    """Number of negative eigenvalues of the Hermitian W at a real point, or UNKNOWN where rounding could change it.

    ``sums`` (9,) are the pole sums, ``size`` the sum of their moduli. For a Hermitian matrix it is the number of sign
    changes in (1, e1, e2, e3), the coefficients of the characteristic polynomial; if every coefficient is larger
    than its error, so is every sign right.
    """
    s00 = 1.0 - sums[0]
    s01 = -sums[1]
    s02 = -sums[2]
    s11 = 1.0 - sums[3]
    s12 = -sums[4]
    s22 = 1.0 - sums[5]
    a0 = sums[6]
    a1 = sums[7]
    a2 = sums[8]
    e1 = s00 + s11 + s22
    c00 = s11 * s22 - s12 * s12 - a0 * a0
    c11 = s00 * s22 - s02 * s02 - a1 * a1
    c22 = s00 * s11 - s01 * s01 - a2 * a2
    e2 = c00 + c11 + c22
    e3 = (
        s00 * c00
        + s11 * (-s02 * s02 - a1 * a1)
        + s22 * (-s01 * s01 - a2 * a2)
        + 2.0 * (s01 * (s02 * s12 - a0 * a1) - a0 * a2 * s02 - a1 * a2 * s12)
    )
    norm = 1.0 + size
    error = matrix_error(size, terms)
    # eigenvalues move by at most the norm of the error; the rest is the rounding of the formulas themselves
    if not abs(e1) > 3.0 * error + 8.0 * UNIT * norm:
        return UNKNOWN
    if not abs(e2) > 7.0 * norm * error + 40.0 * UNIT * norm * norm:
        return UNKNOWN
    if not abs(e3) > 4.0 * norm * norm * error + 120.0 * UNIT * norm * norm * norm:
        return UNKNOWN
    changes = 0
    if e1 < 0.0:
        changes += 1
    if e1 * e2 < 0.0:
        changes += 1
    if e2 * e3 < 0.0:
        changes += 1
    return changes


@jit()
def count_real(location, residue, bound, own, count, centre, local, order, far_size, radius, points, number):
    """Lower bound of the real zeros of a strip, from inertia at points between the sorted estimates ``points``.

    The points taken are the middles between neighbours among the poles and the ``number`` estimates of real zeros.
    Outside ``radius`` W is positive definite.
    """
    work = np.empty((4, count))
    sums = np.empty(36)
    found = 0
    i = 0
    for j in range(own + 1):
        left = location[j - 1] if j > 0 else centre - radius
        right = location[j] if j < own else centre + radius
        # the first interval starts and the last one ends where W is positive definite
        previous = 0 if j == 0 else UNKNOWN
        before = left
        while i < number and points[i] <= left:
            i += 1
        inside = 0
        while i < number and points[i] < right:
            x = 0.5 * (before + points[i])
            if (j > 0 or inside > 0) and before < x < points[i]:
                size = far_size + real_pole_sums(x, location, residue, bound, count, work, sums)
                add_real_polynomial(x, centre, local, order, sums)
                now = negative_eigenvalues(sums, size, count + order)
                if now != UNKNOWN:
                    if previous != UNKNOWN:
                        found += abs(now - previous)
                    previous = now
            before = points[i]
            inside += 1
            i += 1
        if inside > 0:
            if j == own:
                if previous != UNKNOWN:
                    found += previous
            else:
                x = 0.5 * (before + right)
                if before < x < right:
                    size = far_size + real_pole_sums(x, location, residue, bound, count, work, sums)
                    add_real_polynomial(x, centre, local, order, sums)
                    now = negative_eigenvalues(sums, size, count + order)
                    if now != UNKNOWN and previous != UNKNOWN:
                        found += abs(now - previous)
    return found


@jit()
def disc_radius(
    x,
    y,
    location,
    residue,
    bound,
    rank,
    own,
    count,
    centre,
    local,
    order,
    far_size,
    zeros,
    outside,
    cut,
    work,
    sums,
):
    """Radius of a disc about omega = x + i y that holds at least one zero of the strip; infinite if none is proven.

    ``zeros`` is T, ``outside`` the number of zeros beyond the cut lines, ``cut`` the distance of the nearest one from
    the centre. Also returns the Newton step, which polishes the estimate.
    """
    pole_sums(x, y, location, residue, count, work, sums)
    add_polynomial(x, y, centre, local, order, sums)
    f, df = determinant(sums)
    size = far_size
    slope = far_size / max(cut, 1e-300)
    background = 0.0
    for j in range(count):
        away = np.sqrt((x - location[j]) ** 2 + y * y)
        if away == 0.0:
            return np.inf, complex(0.0, 0.0)
        size += bound[j] / away
        slope += bound[j] / (away * away)
        if j < own:
            background += rank[j] / away
    norm = 1.0 + size
    relative = 3.0 * UNIT * (count + order + 16.0)
    f_error = 4.0 * norm * norm * relative * norm + 120.0 * UNIT * norm * norm * norm
    df_error = 8.0 * norm * norm * slope * relative + 240.0 * UNIT * norm * norm * slope
    room = cut - abs(x - centre)
    if room <= 0.0:
        return np.inf, complex(0.0, 0.0)
    background += 2.0 * outside / room
    modulus = abs(df)
    step = complex(0.0, 0.0)
    if modulus > 0.0:
        step = f * df.conjugate()
        step = complex(step.real / modulus / modulus, step.imag / modulus / modulus)
    logarithmic = (modulus - df_error) / (abs(f) + f_error) - background
    if not logarithmic > 0.0:
        return np.inf, step
    return zeros / logarithmic, step
