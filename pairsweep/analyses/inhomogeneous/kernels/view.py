"""W and its determinant near one strip: own poles, near poles, and a polynomial for all the others.

Positions are measured from a reference (the first pole of the strip), so that splittings far below an ulp of 2 E keep
all their digits. Next to a pole p with residue R = U S U^dagger of rank r (S = signs) the determinant of W would lose
its digits; the bordered matrix

    B(omega) = [ W_rest  U ; U^dagger  S (omega - p) ],    det B = det S (omega - p)^r det W,

has neither pole nor cancellation there, is Hermitian on the real axis, and In B = In W + In S (omega - p) (Haynsworth).
Poles that are closer to it than coupling resolves border B as well, as far as there is room.
Its border is scaled by the bound b of the pole, U/sqrt(b) and S (omega - p)/b, so that no coupling is too small for it.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.inhomogeneous.kernels.strips import apart
from pairsweep.kernels.complex_lanes import load, store
from pairsweep.kernels.exact import EPSILON
from pairsweep.kernels.jacobi import diagonalise
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import splat

# Offsets count as equal within this many roundings of what fixes them.
MERGE = 16.0
RANK_TOLERANCE = 64.0 * EPSILON
# A pole farther than this many radii joins the polynomial.
FAR = 1.8
MAX_ORDER = 72
# Terms of the polynomial below this are left out.
DROPPED = 1e-18
ENTRIES = 16
# Largest dimension of B: W and up to four columns.
WIDEST = 8
# Neighbours closer than this fraction of a pole's bound border B together.
CLOSE = 1e-2


class Poles(NamedTuple):
    """The poles of a system in ascending order, and W0."""

    high: np.ndarray  # (M,) location, as a sum of two doubles, MeV
    low: np.ndarray
    strength: np.ndarray  # (M,) c, MeV
    vector: np.ndarray  # (M, 4) complex
    bound: np.ndarray  # (M,) 2 |c|, MeV
    size: int
    constant: np.ndarray  # (4, 4)


class View(NamedTuple):
    """One strip; positions in MeV from its first pole."""

    own: int  # number of distinct own poles; they come first and ascend
    size: int  # with the near poles of other strips
    order: int  # terms of the polynomial of the far poles about the centre
    zeros: int  # zeros of the strip: the sum of the ranks of its own poles
    location: np.ndarray  # (size,) from the reference, MeV
    bound: np.ndarray  # (size,) bound of the norm of a residue, MeV
    # (size + order, 2, 8) residues, then coefficients of powers of distance over radius (``pack``)
    table: np.ndarray
    first: np.ndarray  # (own + 1,) columns first[j]:first[j + 1] of U belong to pole j
    # (zeros + near, 4) complex: columns of U and of the near poles, over the root of the bound
    columns: np.ndarray
    signs: np.ndarray  # (zeros,)
    host: np.ndarray  # (zeros,) own pole of each column
    together: np.ndarray  # (own, 2) own poles together[j, 0]:together[j, 1] border B next to pole j
    constant: np.ndarray  # (4, 4) W0
    centre: float  # middle of the own poles
    half: float  # half the distance of the outermost own poles
    radius: float  # all zeros lie, and the polynomial holds, within it about the centre
    clear: float  # distance from the centre within which there is no far pole
    far_size: float  # bound of the far sum of b_j/|omega - P_j| within the radius
    far_error: float  # bound of what the polynomial leaves out, as the norm of a matrix


@jit()
def pack(matrix, table, row):
    """Put a Hermitian (4, 4) into a row of a table: its diagonal, then Re and Im of what is right of it."""
    flat = table[row].reshape(-1)
    e = 4
    for a in range(4):
        flat[a] = matrix[a, a].real
        for b in range(a + 1, 4):
            flat[e] = matrix[a, b].real
            flat[e + 6] = matrix[a, b].imag
            e += 1


@jit()
def fill_entries(vector, entries):
    """Fill ``entries`` (16,) with v v^dagger as `pack` lays it out."""
    e = 4
    for a in range(4):
        x = vector[a].real
        y = vector[a].imag
        entries[a] = x * x + y * y
        for b in range(a + 1, 4):
            entries[e] = x * vector[b].real + y * vector[b].imag
            entries[e + 6] = y * vector[b].real - x * vector[b].imag
            e += 1


@jit()
def far_terms(order, distance, radius, bound):
    """Number of terms after which a pole this far adds less than a rounding of 1 within the radius."""
    ratio = radius / distance
    size = 2.0 * bound / distance
    terms = 1
    while size * ratio > DROPPED and terms < order:
        size *= ratio
        terms += 1
    return terms


@jit()
def make_view(poles, start, stop, merge, most):
    """See one strip start:stop of ``poles``, what is far by a polynomial of at most ``most`` terms.

    Poles within ``merge`` (MeV) of each other become one, in a wide strip those that its positions cannot tell apart.
    """
    high, low, _, _, bound, count, constant = poles
    members = stop - start
    local = np.empty(members)
    total = 0.0
    for i in range(members):
        local[i] = apart(high, low, start, start + i)
        total += bound[start + i]
    # positions in a wide strip are no better than this
    merge = max(merge, 4.0 * EPSILON * local[members - 1])
    half = 0.5 * local[members - 1]
    centre = half
    radius = half + 3.0 * total
    low_near, high_near, clear = near_range(poles, start, stop, centre, radius)
    near = (high_near - low_near) - members
    far_bound = 0.0
    for j in range(low_near):
        far_bound += bound[j]
    for j in range(high_near, count):
        far_bound += bound[j]
    room = far_terms(most, clear, radius, far_bound) if clear < np.inf else 0
    location = np.empty(members + near)
    limits = np.empty(members + near)
    first = np.zeros(members + 1, dtype=np.int64)
    columns = np.empty((members + near, 4), dtype=np.complex128)
    signs = np.empty(members)
    host = np.empty(members, dtype=np.int64)
    table = np.zeros((members + near + room, 2, WIDEST))
    own, zeros = fill_own(poles, start, local, merge, (location, limits, first, columns, signs, host, table))
    together = np.empty((own, 2), dtype=np.int64)
    for j in range(own):
        close_poles(location, limits, first, own, j, together[j])
    placed = own
    for j in range(low_near, high_near):
        if j < start or j >= stop:
            fill_near(poles, start, j, placed, zeros + placed - own, (location, limits, columns, table))
            placed += 1
    order, far_size = fill_far(poles, start, (low_near, high_near), (centre, radius), room, table[placed:])
    return View(
        own, placed, order, zeros, location, limits, table, first, columns, signs, host, together, constant,
        centre, half, radius, clear, far_size, DROPPED / (1.0 - 1.0 / FAR) * (count - placed),
    )  # fmt: skip


@jit()
def near_range(poles, start, stop, centre, radius):
    """Range of the poles that are own or too near for the polynomial, and the distance of the nearest other one."""
    high, low, _, _, _, count, _ = poles
    low_near = start
    while low_near > 0 and centre - apart(high, low, start, low_near - 1) < FAR * radius:
        low_near -= 1
    high_near = stop
    while high_near < count and apart(high, low, start, high_near) - centre < FAR * radius:
        high_near += 1
    clear = np.inf
    if low_near > 0:
        clear = centre - apart(high, low, start, low_near - 1)
    if high_near < count:
        clear = min(clear, apart(high, low, start, high_near) - centre)
    return low_near, high_near, clear


@jit()
def fill_own(poles, start, local, merge, parts):
    """Fill the own poles of a view, at ``local`` from the first; returns their number and that of the zeros."""
    _, _, strength, vector, bound, _, _ = poles
    location, limits, first, columns, signs, host, table = parts
    matrix = np.empty((4, 4), dtype=np.complex128)
    rotation = np.empty((4, 4), dtype=np.complex128)
    own = 0
    zeros = 0
    i = 0
    while i < local.size:
        stop = i + 1
        while stop < local.size and local[stop] - local[i] <= merge:
            stop += 1
        matrix[:, :] = 0.0
        limits[own] = 0.0
        for j in range(start + i, start + stop):
            limits[own] += bound[j]
            for a in range(4):
                for b in range(4):
                    matrix[a, b] += strength[j] * vector[j, a] * vector[j, b].conjugate()
        pack(matrix, table, own)
        location[own] = local[i] + 0.5 * (local[stop - 1] - local[i])
        if stop == i + 1:
            j = start + i
            signs[zeros] = 1.0 if strength[j] > 0.0 else -1.0
            for a in range(4):
                columns[zeros, a] = np.sqrt(0.5) * vector[j, a]
            zeros += 1
        else:
            diagonalise(matrix, rotation)
            for m in range(4):
                value = matrix[m, m].real
                if abs(value) > RANK_TOLERANCE * limits[own]:
                    signs[zeros] = 1.0 if value > 0.0 else -1.0
                    for a in range(4):
                        columns[zeros, a] = np.sqrt(abs(value) / limits[own]) * rotation[a, m]
                    zeros += 1
        host[first[own] : zeros] = own
        own += 1
        first[own] = zeros
        i = stop
    return own, zeros


@jit()
def fill_near(poles, start, j, row, column, parts):
    """Put pole ``j`` of another strip into a view."""
    high, low, strength, vector, bound, _, _ = poles
    location, limits, columns, table = parts
    location[row] = apart(high, low, start, j)
    limits[row] = bound[j]
    flat = table[row].reshape(-1)
    fill_entries(vector[j], flat)
    for e in range(ENTRIES):
        flat[e] *= strength[j]
    for a in range(4):
        columns[column, a] = np.sqrt(0.5) * vector[j, a]


@jit()
def fill_far(poles, start, near, disc, room, table):
    """Add the poles outside the range ``near`` to a polynomial about ``disc`` = (centre, radius) of ``room`` terms.

    Returns the number of terms, and a bound of the sum of b_j/|omega - P_j| within the radius.
    """
    high, low, strength, vector, bound, count, _ = poles
    centre, radius = disc
    entries = np.empty(ENTRIES)
    order = 0
    size = 0.0
    for j in range(count):
        if near[0] <= j < near[1]:
            continue
        distance = apart(high, low, start, j) - centre
        size += bound[j] / (abs(distance) - radius)
        fill_entries(vector[j], entries)
        # 1/(s - d) = -sum_a s^a/d^(a + 1), with s in units of the radius
        factor = -strength[j] / distance
        terms = far_terms(room, abs(distance), radius, bound[j])
        order = max(order, terms)
        for a in range(terms):
            flat = table[a].reshape(-1)
            for e in range(ENTRIES):
                flat[e] += factor * entries[e]
            factor *= radius / distance
    return order, size


@jit()
def single_borders(view):
    """See the same strip with B bordered by one pole alone: better conditioned far from a group of close poles."""
    together = np.empty((view.own, 2), dtype=np.int64)
    for j in range(view.own):
        together[j, 0] = j
        together[j, 1] = j + 1
    return View(
        view.own, view.size, view.order, view.zeros, view.location, view.bound, view.table, view.first,
        view.columns, view.signs, view.host, together, view.constant, view.centre, view.half, view.radius,
        view.clear, view.far_size, view.far_error,
    )  # fmt: skip


@jit()
def close_poles(location, bound, first, own, j, out):
    """Fill ``out`` with the range of poles that border B next to pole ``j``: the closest, while there is room."""
    low = j
    high = j + 1
    while True:
        left = np.inf
        right = np.inf
        if low > 0 and first[high] - first[low - 1] <= WIDEST - 4:
            left = location[j] - location[low - 1]
        if high < own and first[high + 1] - first[low] <= WIDEST - 4:
            right = location[high] - location[j]
        if not min(left, right) < CLOSE * bound[j]:
            break
        if left <= right:
            low -= 1
        else:
            high += 1
    out[0] = low
    out[1] = high


@jit()
def nearest_pole(view, x, guess):
    """Index of the own pole nearest to ``x``, searched from ``guess``."""
    location = view.location
    j = guess
    while j + 1 < view.own and abs(location[j + 1] - x) <= abs(location[j] - x):
        j += 1
    while j > 0 and abs(location[j - 1] - x) < abs(location[j] - x):
        j -= 1
    return j


@jit()
def sum_poles(view, x, y, host, sums):
    """Sum R_j/(z - P_j) and its derivative at z = x + i y without what borders B there, in ``sums`` (1, 8, 8).

    Fields 0 and 1 are the real part of the sum, 2 and 3 the imaginary part, 4 to 7 the same of the derivative.
    """
    table = view.table
    low = view.together[host, 0]
    high = view.together[host, 1]
    a_re = splat(0.0)
    b_re = splat(0.0)
    a_im = splat(0.0)
    b_im = splat(0.0)
    a_slope_re = splat(0.0)
    b_slope_re = splat(0.0)
    a_slope_im = splat(0.0)
    b_slope_im = splat(0.0)
    for j in range(view.size):
        if low <= j < high:
            continue
        dx = x - view.location[j]
        inverse = 1.0 / (dx * dx + y * y)
        re = dx * inverse
        im = -y * inverse
        slope_re = im * im - re * re
        slope_im = -2.0 * re * im
        a = load(table, j, 0)
        b = load(table, j, 1)
        a_re = a_re + a * re
        b_re = b_re + b * re
        a_im = a_im + a * im
        b_im = b_im + b * im
        a_slope_re = a_slope_re + a * slope_re
        b_slope_re = b_slope_re + b * slope_re
        a_slope_im = a_slope_im + a * slope_im
        b_slope_im = b_slope_im + b * slope_im
    dx = (x - view.centre) / view.radius
    dy = y / view.radius
    re = 1.0
    im = 0.0
    slope_re = 0.0
    slope_im = 0.0
    for m in range(view.order):
        a = load(table, view.size + m, 0)
        b = load(table, view.size + m, 1)
        a_re = a_re + a * re
        b_re = b_re + b * re
        a_im = a_im + a * im
        b_im = b_im + b * im
        a_slope_re = a_slope_re + a * slope_re
        b_slope_re = b_slope_re + b * slope_re
        a_slope_im = a_slope_im + a * slope_im
        b_slope_im = b_slope_im + b * slope_im
        slope_re = (m + 1.0) * re / view.radius
        slope_im = (m + 1.0) * im / view.radius
        re, im = re * dx - im * dy, re * dy + im * dx
    store(sums, 0, 0, a_re)
    store(sums, 0, 1, b_re)
    store(sums, 0, 2, a_im)
    store(sums, 0, 3, b_im)
    store(sums, 0, 4, a_slope_re)
    store(sums, 0, 5, b_slope_re)
    store(sums, 0, 6, a_slope_im)
    store(sums, 0, 7, b_slope_im)


@jit()
def unpack(sums, field, factor, out):
    """Add ``factor`` times the (complex) sum that starts at ``field`` to ``out`` (4, 4)."""
    flat = sums.reshape(-1)
    re = field * WIDEST
    im = re + ENTRIES
    e = 4
    for a in range(4):
        out[a, a] += factor * complex(flat[re + a], flat[im + a])
        for b in range(a + 1, 4):
            x = complex(flat[re + e], flat[im + e])
            # i times the sum of the imaginary part of the residue
            iy = complex(-flat[im + e + 6], flat[re + e + 6])
            out[a, b] += factor * (x + iy)
            out[b, a] += factor * (x - iy)
            e += 1


@jit()
def bordered(view, x, y, host, sums, matrix):
    """Fill ``matrix`` (8, 8) with B at z = x + i y next to own pole ``host``; returns its dimension.

    ``sums`` are left as ``sum_poles`` fills them.
    """
    sum_poles(view, x, y, host, sums)
    for a in range(4):
        for b in range(4):
            matrix[a, b] = view.constant[a, b]
    unpack(sums, 0, -1.0, matrix)
    low, high = columns_of(view, host)
    for m in range(high - low):
        column = low + m
        j = view.host[column]
        for a in range(4):
            matrix[a, 4 + m] = view.columns[column, a]
            matrix[4 + m, a] = view.columns[column, a].conjugate()
        for n in range(high - low):
            matrix[4 + m, 4 + n] = 0.0
        t = complex((x - view.location[j]) / view.bound[j], y / view.bound[j])
        matrix[4 + m, 4 + m] = view.signs[column] * t
    return 4 + high - low


@jit()
def columns_of(view, host):
    """Range of the columns of U that border B next to own pole ``host``."""
    return view.first[view.together[host, 0]], view.first[view.together[host, 1]]


@jit()
def invert(matrix, size, inverse):
    """Gauss-Jordan with partial pivoting: ``matrix`` is used up; returns its determinant, 0 where it is singular."""
    determinant = complex(1.0, 0.0)
    for i in range(size):
        for j in range(size):
            inverse[i, j] = 0.0
        inverse[i, i] = 1.0
    for i in range(size):
        pivot = i
        largest = -1.0
        for j in range(i, size):
            modulus = matrix[j, i].real * matrix[j, i].real + matrix[j, i].imag * matrix[j, i].imag
            if modulus > largest:
                largest = modulus
                pivot = j
        if not 0.0 < largest < np.inf:
            return complex(0.0, 0.0)
        if pivot != i:
            determinant = -determinant
            for j in range(size):
                matrix[i, j], matrix[pivot, j] = matrix[pivot, j], matrix[i, j]
                inverse[i, j], inverse[pivot, j] = inverse[pivot, j], inverse[i, j]
        head = matrix[i, i]
        determinant *= head
        scale = complex(head.real / largest, -head.imag / largest)
        for j in range(i + 1, size):
            matrix[i, j] *= scale
        for j in range(size):
            inverse[i, j] *= scale
        for k in range(size):
            factor = matrix[k, i]
            if k == i or factor == 0.0:
                continue
            for j in range(i + 1, size):
                matrix[k, j] -= factor * matrix[i, j]
            for j in range(size):
                inverse[k, j] -= factor * inverse[i, j]
    return determinant


@jit()
def evaluate(view, x, y, host, work):
    """Determinant of B at z = x + i y and its logarithmic derivative d log det B/dz, by ``work`` = (sums, B, B^-1)."""
    sums, matrix, inverse = work
    size = bordered(view, x, y, host, sums, matrix)
    determinant = invert(matrix, size, inverse)
    if determinant == 0.0:
        return determinant, determinant
    # the derivative of W is minus that of the sum, and d/dz of the border is its signs
    slope = matrix
    for a in range(4):
        for b in range(4):
            slope[a, b] = 0.0
    unpack(sums, 4, -1.0, slope)
    trace = complex(0.0, 0.0)
    for a in range(4):
        for b in range(4):
            trace += inverse[a, b] * slope[b, a]
    low, _ = columns_of(view, host)
    for m in range(size - 4):
        trace += view.signs[low + m] / view.bound[view.host[low + m]] * inverse[4 + m, 4 + m]
    return determinant, trace


@jit()
def workspace():
    """Scratch of ``evaluate``: sums, B and its inverse."""
    return (
        np.empty((1, WIDEST, WIDEST)),
        np.empty((WIDEST, WIDEST), dtype=np.complex128),
        np.empty((WIDEST, WIDEST), dtype=np.complex128),
    )
