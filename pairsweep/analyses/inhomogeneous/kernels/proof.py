"""Counting zeros: those on the real axis from below by inertia, complex ones by discs that hold exactly m of them.

The sandwich of CERTIFICATE.md. nu(omega), the number of negative eigenvalues of the Hermitian W(omega), changes by one
at every simple real zero, so |change of nu| between two real points without a pole in between is a lower bound of the
zeros there; nothing in that needs a definite metric. nu is read off the bordered matrix (``view``), which also gives
both one-sided limits at a pole. Inertia counts only where the inverse proves that no eigenvalue can have been pushed
through zero by rounding.

A disc |z - c| < R without other poles holds exactly m zeros of the pole-free h = det B if for some rho < R

    |h_m| rho^m > sum_{k != m} |h_k| rho^k    (Pellet, Rouche),

h_k the Taylor coefficients of h at c: from values on a circle |z - c| = r far within R by a discrete Fourier transform,
with aliasing and tail bounded by |h_k| <= M/R^k, M a bound of |h| on the larger disc. A simple zero needs four values
on a small circle; where these do not prove it, and for groups, there are sixteen on a larger one.
"""

import numpy as np

from pairsweep.analyses.inhomogeneous.kernels.view import (
    WIDEST,
    bordered,
    columns_of,
    evaluate,
    invert,
    nearest_pole,
    single_borders,
)
from pairsweep.kernels.exact import EPSILON
from pairsweep.kernels.jit import jit

UNKNOWN = -1
# nu of W0, and so of W on the lines that cut a strip out
FAR_INERTIA = 3
LARGEST_GROUP = 4
# samples of a circle, Taylor terms that are taken from them, and R over its radius
SAMPLES = 16
MANY = (SAMPLES, 8, 8.0)
# among close poles the bound of |h| on the larger disc is far too high: a small circle weighs it less
NARROW = (SAMPLES, 8, 64.0)
# close to a simple zero h is nearly linear: few samples do, and a disc this small against what is asked for is taken
FEW = (4, 3, 1000.0)
SMALL = 1e-7
HALVINGS = 48
BALANCINGS = 3
NEWTON = 6
# a step this small, in terms of the distance to the pole, is at the end of double precision
STEADY = 1e-15


@jit()
def inertia(matrix, size):
    """Number of negative eigenvalues of a Hermitian matrix, used up: L D L^dagger with the pivots of Bunch-Parlett."""
    negative = 0
    first = 0
    while first < size:
        diagonal = -1.0
        p = first
        off = -1.0
        q = first
        r = first
        for i in range(first, size):
            modulus = abs(matrix[i, i].real)
            if modulus > diagonal:
                diagonal = modulus
                p = i
            for j in range(first, i):
                modulus = abs(matrix[i, j])
                if modulus > off:
                    off = modulus
                    q = j
                    r = i
        if diagonal >= 0.6404 * off:
            exchange(matrix, size, first, p)
            pivot = matrix[first, first].real
            if pivot < 0.0:
                negative += 1
            if pivot == 0.0:
                return UNKNOWN
            for i in range(first + 1, size):
                factor = matrix[i, first] / pivot
                for j in range(first + 1, size):
                    matrix[i, j] -= factor * matrix[first, j]
            first += 1
        else:
            # first <= q < r, so the first exchange leaves r where it is
            exchange(matrix, size, first, q)
            exchange(matrix, size, first + 1, r)
            a = matrix[first, first].real
            b = matrix[first, first + 1]
            c = matrix[first + 1, first + 1].real
            determinant = a * c - (b.real * b.real + b.imag * b.imag)
            if determinant >= 0.0:
                return UNKNOWN
            negative += 1
            for i in range(first + 2, size):
                left = (matrix[i, first] * c - matrix[i, first + 1] * b.conjugate()) / determinant
                right = (matrix[i, first + 1] * a - matrix[i, first] * b) / determinant
                for j in range(first + 2, size):
                    matrix[i, j] -= left * matrix[first, j] + right * matrix[first + 1, j]
            first += 2
    return negative


@jit()
def exchange(matrix, size, i, j):
    """Swap rows and columns ``i`` and ``j``."""
    if i == j:
        return
    for k in range(size):
        matrix[i, k], matrix[j, k] = matrix[j, k], matrix[i, k]
    for k in range(size):
        matrix[k, i], matrix[k, j] = matrix[k, j], matrix[k, i]


@jit()
def equilibrate(view, x, y, host, matrix, size):
    """Scale B at x + i y in place to entries of order 1.

    Next to a pole that is not the host W is as large as its rounding errors allow for; the border, which is exact, is
    not, and far from its pole it is as large as it likes. Returns the factor by which det B exceeds that of the result,
    and a bound of the norm of the error of the result.
    """
    total = 1.0 + view.far_size
    low = view.together[host, 0]
    high = view.together[host, 1]
    for j in range(view.size):
        if not low <= j < high:
            dx = x - view.location[j]
            total += view.bound[j] / np.sqrt(dx * dx + y * y)
    divide(matrix, size, 0, 4, total)
    factor = total**4
    for m in range(4, size):
        corner = max(1.0, abs(matrix[m, m]))
        divide(matrix, size, m, m + 1, corner)
        factor *= corner
    norm = 0.0
    for i in range(size):
        for j in range(size):
            norm += abs(matrix[i, j])
    depth = view.size + view.order + 16.0
    return factor, (2.0 * depth + 64.0 * norm) * EPSILON + view.far_error / total


@jit()
def divide(matrix, size, first, last, square):
    """Divide rows and columns ``first`` to ``last`` by the root of ``square``."""
    root = np.sqrt(square)
    for a in range(first, last):
        for i in range(size):
            matrix[a, i] /= root
            matrix[i, a] /= root


@jit()
def frobenius(matrix, size):
    """Frobenius norm."""
    total = 0.0
    for i in range(size):
        for j in range(size):
            total += matrix[i, j].real * matrix[i, j].real + matrix[i, j].imag * matrix[i, j].imag
    return np.sqrt(total)


@jit()
def negative_eigenvalues(view, x, host, work):
    """nu of B next to ``host`` at a real point; UNKNOWN where rounding does not allow to tell."""
    sums, matrix, inverse = work
    size = bordered(view, x, 0.0, host, sums, matrix)
    _, error = equilibrate(view, x, 0.0, host, matrix, size)
    copy = matrix.copy()
    if invert(copy, size, inverse) == 0.0 or not error * frobenius(inverse, size) < 0.5:
        return UNKNOWN
    return inertia(matrix, size)


@jit()
def border_negative(view, x, host, at):
    """Negative eigenvalues of the border S (x - p) of B next to ``host``; those of pole ``at`` count as S."""
    low, high = columns_of(view, host)
    negative = 0
    for m in range(low, high):
        j = view.host[m]
        t = 1.0 if j == at else x - view.location[j]
        if view.signs[m] * t < 0.0:
            negative += 1
    return negative


@jit()
def limits_at_pole(view, j, work):
    """nu of W just below and just above own pole ``j``, or UNKNOWN twice."""
    x = view.location[j]
    nu = negative_eigenvalues(view, x, j, work)
    if nu == UNKNOWN:
        return UNKNOWN, UNKNOWN
    # In B = In W + In S t, and just above the pole t > 0
    above = border_negative(view, x, j, j)
    below = above
    for m in range(view.first[j], view.first[j + 1]):
        below += 1 if view.signs[m] > 0.0 else -1
    return nu - below, nu - above


@jit()
def clearance(view, c, first, last):
    """Distance from ``c`` of the nearest pole other than ``first`` to ``last``: other zeros are about as far."""
    room = view.clear - abs(c.real - view.centre)
    for j in range(view.size):
        if not first <= j < last:
            dx = c.real - view.location[j]
            room = min(room, np.sqrt(dx * dx + c.imag * c.imag))
    return room


@jit()
def hadamard(view, c, host, R, work):
    """Bound of |det B| on the disc |z - c| <= R, which holds no pole but the bordered one."""
    sums, matrix, _ = work
    size = bordered(view, c.real, c.imag, host, sums, matrix)
    change = 0.0
    low = view.together[host, 0]
    high = view.together[host, 1]
    for j in range(view.size):
        if not low <= j < high:
            dx = c.real - view.location[j]
            away = np.sqrt(dx * dx + c.imag * c.imag)
            change += view.bound[j] * R / (away * (away - R))
    away = view.clear - abs(c.real - view.centre)
    if away < np.inf:
        # the far poles are at least this far
        change += view.far_size * R / (away - R)
    bound = 1.0
    column, _ = columns_of(view, host)
    for i in range(size):
        row = 0.0
        for j in range(size):
            row += matrix[i, j].real * matrix[i, j].real + matrix[i, j].imag * matrix[i, j].imag
        bound *= np.sqrt(row) + (change if i < 4 else R / view.bound[view.host[column + i - 4]])
    return bound


@jit()
def balanced(view, c, host, R, work):
    """The same from B(z') = B(z) (1 + E) with a point z half way to the rim: product of 1 + the row sums of |E|.

    A pole that dominates B is small in its inverse, which the entries of B do not know. E may be balanced by a diagonal
    similarity, which leaves det(1 + E) as it is.
    """
    inverse = work[2]
    z = c + complex(0.3, 0.4) * R
    size = bordered(view, z.real, z.imag, host, work[0], work[1])
    value = invert(work[1], size, inverse)
    span = 1.5 * R
    E = np.zeros((WIDEST, WIDEST))
    image = np.empty(WIDEST)
    low = view.together[host, 0]
    high = view.together[host, 1]
    for j in range(view.size):
        if low <= j < high:
            continue
        p = view.location[j]
        away = np.sqrt((c.real - p) ** 2 + c.imag * c.imag) - R
        weight = view.bound[j] * span / (away * np.sqrt((z.real - p) ** 2 + z.imag * z.imag))
        first = view.first[j] if j < view.own else view.zeros + j - view.own
        last = view.first[j + 1] if j < view.own else first + 1
        for m in range(first, last):
            for i in range(size):
                total = complex(0.0, 0.0)
                for a in range(4):
                    total += inverse[i, a] * view.columns[m, a]
                image[i] = weight * abs(total)
            for a in range(4):
                length = abs(view.columns[m, a])
                for i in range(size):
                    E[i, a] += image[i] * length
    away = view.clear - abs(c.real - view.centre) - R
    far = 0.0
    if away < np.inf:
        # the far poles are at least this far
        far = view.far_size * span / away
    column, _ = columns_of(view, host)
    for i in range(size):
        total = 0.0
        for a in range(4):
            total += abs(inverse[i, a])
        for a in range(4):
            E[i, a] += far * total
        for m in range(4, size):
            E[i, m] += abs(inverse[i, m]) * span / view.bound[view.host[column + m - 4]]
    for _ in range(BALANCINGS):
        for i in range(size):
            row = 0.0
            column = 0.0
            for k in range(size):
                if k != i:
                    row += E[i, k]
                    column += E[k, i]
            if row > 0.0 and column > 0.0:
                scale = np.sqrt(column / row)
                for k in range(size):
                    if k != i:
                        E[i, k] *= scale
                        E[k, i] /= scale
    bound = abs(value)
    for i in range(size):
        row = 1.0
        for k in range(size):
            row += E[i, k]
        bound *= row
    return bound


@jit()
def smallest_disc(view, c, host, wanted, largest, work):
    """Radius (at most ``largest``) of a disc about ``c`` that is proven to hold ``wanted`` zeros, or infinity.

    First from discs without any pole but ``host``, then from those that hold all poles which border B.
    """
    rho = disc_within(view, c, host, wanted, largest, clearance(view, c, host, host + 1), work)
    low = view.together[host, 0]
    high = view.together[host, 1]
    if rho == np.inf and high - low > 1:
        rho = disc_within(view, c, host, wanted, largest, clearance(view, c, low, high), work)
    return rho


@jit()
def disc_within(view, c, host, wanted, largest, room, work):
    """The same from circles within half of ``room``, up to which det B has no pole."""
    R = 0.5 * room
    if abs(c - view.centre) + R > view.radius:
        R = view.radius - abs(c - view.centre)
    if not R > 0.0:
        return np.inf
    M = hadamard(view, c, host, R, work)
    if wanted == 1:
        rho = disc_of_circle(view, c, host, wanted, largest, R, M, FEW, work)
        if rho <= SMALL * largest:
            return rho
    rho = disc_of_circle(view, c, host, wanted, largest, R, M, MANY, work)
    if rho == np.inf:
        rho = disc_of_circle(view, c, host, wanted, largest, R, M, NARROW, work)
    return rho


@jit()
def disc_of_circle(view, c, host, wanted, largest, R, M, circle, work):
    """The same from values on one circle, M a bound of |h| up to the radius R; a sharper one is tried if it fails."""
    samples, terms, shrink = circle
    r = R / shrink
    values = np.empty(samples, dtype=np.complex128)
    error = 0.0
    for s in range(samples):
        angle = 2.0 * np.pi * (s + 0.5) / samples
        x = c.real + r * np.cos(angle)
        y = c.imag + r * np.sin(angle)
        size = bordered(view, x, y, host, work[0], work[1])
        factor, disturbed = equilibrate(view, x, y, host, work[1], size)
        value = invert(work[1], size, work[2]) * factor
        # |det(B + E) - det B| <= |det B| ((1 + |E| |B^-1|)^size - 1)
        spoilt = size * disturbed * frobenius(work[2], size)
        if value == 0.0 or not spoilt < 0.5:
            return np.inf
        values[s] = value
        error = max(error, 1.5 * spoilt * abs(value))
    term = np.empty(terms)
    for k in range(terms):
        total = complex(0.0, 0.0)
        for s in range(samples):
            angle = -2.0 * np.pi * k * (s + 0.5) / samples
            total += values[s] * complex(np.cos(angle), np.sin(angle))
        term[k] = abs(total) / samples
    aliased = 2.0 * shrink ** (-samples)
    largest = min(largest, 0.99 * r)
    rho = pellet(term, error + aliased * M, M, r, R, wanted, largest)
    if rho == np.inf and samples == SAMPLES:
        M = balanced(view, c, host, R, work)
        rho = pellet(term, error + aliased * M, M, r, R, wanted, largest)
    return rho


@jit()
def pellet(term, noise, M, r, R, wanted, largest):
    """Smallest radius of a halving sequence from ``largest`` on at which term ``wanted`` exceeds all others.

    ``term`` are |h_k| r^k, known to ``noise``; all higher ones are bounded by M/R^k.
    """
    rho = largest
    smallest = np.inf
    for _ in range(HALVINGS):
        scale = rho / r
        rest = 0.0
        power = 1.0
        lead = 0.0
        for k in range(term.size):
            if k == wanted:
                lead = (term[k] - noise) * power
            else:
                rest += (term[k] + noise) * power
            power *= scale
        q = rho / R
        rest += M * q**term.size / (1.0 - q)
        if lead > rest * (1.0 + 1e-9):
            smallest = rho
        elif smallest < np.inf:
            break
        rho *= 0.5
    return smallest


@jit()
def proven_disc(views, c, host, wanted, largest, work):
    """Radius of ``smallest_disc`` with B bordered by all close poles, or else by one alone."""
    rho = smallest_disc(views[0], c, host, wanted, largest, work)
    if rho == np.inf:
        rho = smallest_disc(views[1], c, host, wanted, largest, work)
    return rho


@jit()
def polish(view, c, host, work):
    """Newton's method on det B from ``c``; returns the zero and its nearest own pole, or c where it runs away."""
    z = c
    for _ in range(NEWTON):
        host = nearest_pole(view, z.real, host)
        value, slope = evaluate(view, z.real, z.imag, host, work)
        size = slope.real * slope.real + slope.imag * slope.imag
        if value == 0.0 or not 0.0 < size < np.inf:
            break
        step = complex(slope.real / size, -slope.imag / size)
        if abs(step) > 0.5 * abs(c.imag):
            return c, nearest_pole(view, c.real, host)
        z -= step
        if abs(step) <= STEADY * abs(z - view.location[host]):
            break
    if not (z.imag > 0.0 and abs(z - c) < 0.5 * c.imag):
        return c, nearest_pole(view, c.real, host)
    return z, nearest_pole(view, z.real, host)


@jit()
def count_complex(view, x, y, number, tolerance, radius, group, work):
    """Prove the ``number`` estimates x + i y above the axis, one by one or as groups; returns the zeros proven.

    ``group`` gets the zeros of each disc and ``radius`` its radius; estimates that joined the group of another get -1,
    those that are not proven 0. Proven ones move to the centre of their disc. Discs do not overlap.
    """
    views = (view, single_borders(view))
    host = np.int64(0)
    proven = 0
    for i in range(number):
        group[i] = 0
        radius[i] = np.inf
    for i in range(number):
        if group[i] != 0:
            continue
        c, host = polish(view, complex(x[i], y[i]), host, work)
        # estimates of one multiple zero converge slowly, and to within a root of the rounding
        spread = max(1e-3 * y[i], 0.5 * tolerance)
        members = 1
        mean = complex(x[i], y[i])
        for j in range(i + 1, number):
            if group[j] == 0 and abs(complex(x[j] - x[i], y[j] - y[i])) < spread:
                members += 1
                mean += complex(x[j], y[j])
        mean /= members
        single = proven_disc(views, c, host, 1, 0.5 * c.imag, work)
        if single <= max(0.5 * tolerance, 1e-6 * c.imag) and free(c, single, x, y, radius, group, i):
            x[i], y[i], radius[i], group[i] = c.real, c.imag, single, 1
            proven += 1
            continue
        if members < 2 or members > LARGEST_GROUP:
            continue
        host = nearest_pole(view, mean.real, host)
        several = proven_disc(views, mean, host, members, 0.5 * mean.imag, work)
        if several <= max(0.5 * tolerance, 1e-3 * mean.imag) and free(mean, several, x, y, radius, group, i):
            for j in range(i + 1, number):
                if group[j] == 0 and abs(complex(x[j] - x[i], y[j] - y[i])) < spread:
                    group[j] = -1
            x[i], y[i], radius[i], group[i] = mean.real, mean.imag, several, members
            proven += members
    return proven


@jit()
def free(c, rho, x, y, radius, group, count):
    """Whether the disc about ``c`` overlaps none of those before ``count``."""
    for j in range(count):
        if group[j] > 0 and abs(complex(x[j] - c.real, y[j] - c.imag)) <= rho + radius[j]:
            return False
    return True


@jit()
def count_real(view, points, number, tolerance, discs, work):
    """Lower bound of the zeros on, or within ``tolerance`` of, the real axis; ``points`` are sorted estimates of them.

    Inertia is taken on both sides of every own pole and between neighbouring estimates. Estimates between which it does
    not change may be a pair that has just left the axis or is about to: a disc with a real centre counts them, where it
    overlaps none of ``discs`` = (x, y, radius, group, number), whose zeros ``count_complex`` has counted.
    """
    found = 0
    first = 0
    left_nu = FAR_INERTIA
    left = view.centre - view.radius
    for j in range(view.own + 1):
        if j < view.own:
            right = view.location[j]
            right_nu, next_nu = limits_at_pole(view, j, work)
        else:
            right = view.centre + view.radius
            right_nu = FAR_INERTIA
            next_nu = UNKNOWN
        stop = first
        while stop < number and points[stop] < right:
            stop += 1
        found += count_gap(
            view, points, first, stop, (left, right), (left_nu, right_nu), tolerance, discs, work
        )
        first = stop
        left = right
        left_nu = next_nu
    return found


@jit()
def count_gap(view, points, first, stop, poles, inertias, tolerance, discs, work):
    """Zeros between two neighbouring ``poles`` at least, from the inertia at their inner sides and in between."""
    found = 0
    previous, right_nu = inertias
    behind, right = poles
    since = first
    host = np.int64(0)
    for k in range(first, stop + 1):
        if k == stop:
            x = right
            now = right_nu
        elif k == first:
            continue
        else:
            x = 0.5 * (points[k - 1] + points[k])
            host = nearest_pole(view, x, host)
            now = negative_eigenvalues(view, x, host, work)
            if now != UNKNOWN:
                now -= border_negative(view, x, host, -1)
        if now == UNKNOWN:
            continue
        change = 0 if previous == UNKNOWN else abs(now - previous)
        members = k - since
        if change == 0 and previous != UNKNOWN and members > 0:
            if k < stop and members == 1:
                # its partner may be the next estimate
                continue
            centre = 0.5 * (points[since] + points[k - 1])
            space = min(tolerance, min(x - centre, centre - behind))
            if 0.5 * (points[k - 1] - points[since]) < space and members <= LARGEST_GROUP:
                host = nearest_pole(view, centre, host)
                c = complex(centre, 0.0)
                rho = smallest_disc(view, c, host, members, space, work)
                if rho < np.inf and free(c, rho, *discs):
                    change = members
        found += change
        previous = now
        behind = x
        since = k
    return found
