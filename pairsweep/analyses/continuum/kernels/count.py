"""How many unstable modes the continuum has: the argument principle with a bound on every step.

The number of zeros of f = det W with Im omega > floor is the change of arg f along the line Im omega = floor, over
2 pi: f is analytic above the real axis and tends to 1 at infinity. f(-conj omega) = conj f(omega), so half the line is
enough. A step of the walk is accepted only if a bound on |f - f(midpoint)| over the whole segment (f' and f at the
midpoint, ||D''|| everywhere on it, rounding) is below 0.7 |f(midpoint)|: arg f then changes by less than pi/4 between
the midpoint and any point of the segment, and by less than pi/2 between two midpoints. Nothing is left to sampling.

||D|| <= C/distance of omega from the real poles, C = 4 g int |n| d^3p, so beyond distance 2 C every eigenvalue of D is
below 1/2, |arg f| < pi/2 there, and the principal argument is the right one.
"""

import numpy as np

from pairsweep.analyses.continuum.kernels.medium import Anchor, curvature_bound, determinant
from pairsweep.kernels.exact import EPSILON
from pairsweep.kernels.jit import jit
from pairsweep.kernels.sorting import ascending

SAFE = 0.7  # largest bound on |f - f(midpoint)| / |f(midpoint)| of an accepted step; below sin(pi/4)
ROUNDING = 16.0 * EPSILON
DEPTH = 200  # bisections of one straight walk that may be pending
JUMP = 1e-12  # smallest jump of E^2 n, as a share of the largest E^2 n, that is an anchor of its own


@jit()
def strength(medium):
    """Return C = 4 g int |n| d^3p, MeV: no root is farther than that from a pole."""
    return 2.0 * np.sum(medium.total[:, 0])


@jit()
def weak_growth(medium):
    """Return a growth, MeV, above which ||D|| < 1 everywhere, so that no mode can grow faster.

    |K| <= max(E^2 |n|) int_0^L dE/|z - E| <= max(E^2 |n|) 2 asinh(L/(2 Im z)) with Im z = growth/2.
    """
    if medium.peak == 0.0:
        return 0.0
    exponent = 0.5 / medium.peak
    if exponent > 700.0:
        return 0.0
    return medium.edges[-1] / np.sinh(exponent)


@jit()
def _norm(matrix):
    total = 0.0
    for i in range(3):
        for j in range(3):
            total += matrix[i, j].real ** 2 + matrix[i, j].imag ** 2
    return np.sqrt(total)


@jit()
def segment(medium, anchor, start, stop, work):
    """Return f at the midpoint of a straight segment and whether arg f stays within pi/4 of it all along."""
    f, slope, scale = determinant(medium, anchor, 0.5 * (start + stop), work)
    allowed = SAFE * abs(f)
    reach = 0.5 * abs(stop - start)
    first = abs(slope) * reach
    if not first < allowed:
        return f, False
    curvature = curvature_bound(medium, anchor, 0.5 * (start + stop), reach, min(start.imag, stop.imag))
    second = 0.5 * reach * reach * curvature + ROUNDING * scale
    change = _norm(work[1]) * reach + second
    # det(W + d) = det W + tr(adj(W) d) + tr(adj(d) W) + det d, and a trace is at most sqrt(3) times both norms
    bound = first + np.sqrt(3.0) * (_norm(work[2]) * second + _norm(work[0]) * change**2) + change**3
    return f, bound < allowed


@jit()
def walk(medium, anchor, start, stop, value, budget, work):
    """Walk straight from ``start`` to ``stop`` (offsets from the anchor).

    ``value`` is f within pi/4 of f(start). Returns the change of arg f from there to the last midpoint, f at the last
    midpoint, and what is left of the budget of evaluations: negative if it ran out or a zero is too close to the path.
    """
    stops = np.empty(DEPTH, dtype=np.complex128)
    stops[0] = stop
    pending = 1
    phase = 0.0
    for used in range(budget):
        f, safe = segment(medium, anchor, start, stops[pending - 1], work)
        if safe:
            turn = f * value.conjugate()
            phase += np.arctan2(turn.imag, turn.real)
            value = f
            start = stops[pending - 1]
            pending -= 1
            if pending == 0:
                return phase, value, budget - used - 1
        else:
            middle = 0.5 * (start + stops[pending - 1])
            if pending == DEPTH or middle in (start, stops[pending - 1]):
                break
            stops[pending] = middle
            pending += 1
    return phase, value, -1


@jit()
def rectangle(medium, anchor, low, high, budget, work):
    """Return the number of zeros between the corners ``low`` and ``high`` and the budget left (negative: undecided)."""
    first, _, _ = determinant(medium, anchor, low, work)
    value = first
    phase = 0.0
    start = low
    for side in range(4):
        if side == 0:
            stop = complex(high.real, low.imag)
        elif side == 1:
            stop = high
        elif side == 2:
            stop = complex(low.real, high.imag)
        else:
            stop = low
        turn, value, budget = walk(medium, anchor, start, stop, value, budget, work)
        if budget < 0:
            return 0, budget
        phase += turn
        start = stop
    turn = first * value.conjugate()
    phase += np.arctan2(turn.imag, turn.real)
    return int(np.rint(phase / (2.0 * np.pi))), budget


@jit()
def cells(medium):
    """Cut the positive real axis into cells, one around every jump of the occupation.

    Returns anchors (cells, 3) of (sign, energy, shift) and bounds (cells, 2), offsets from them in MeV. The first cell
    starts at frequency 0, where its anchor is; the last ends 2 C beyond the last pole.
    """
    groups = medium.shift.size
    points = medium.edges.size
    found = np.empty((groups * points, 4))
    count = 0
    last = 0.0
    for h in range(groups):
        for e in range(points):
            position = 2.0 * medium.edges[e] - 4.0 * medium.shift[h]
            last = max(last, abs(position))
            if medium.jumps[h, e, 0] > JUMP * medium.peak:
                found[count, 0] = abs(position)
                found[count, 1] = 1.0 if position >= 0.0 else -1.0
                found[count, 2] = medium.edges[e]
                found[count, 3] = medium.shift[h]
                count += 1
    order = ascending(found[:, 0], count)
    anchors = np.zeros((count + 1, 3))
    bounds = np.zeros((count + 1, 2))
    anchors[0, 0] = 1.0
    for i in range(count):
        anchors[i + 1] = found[order[i], 1:]
        gap = _distance(anchors[i], anchors[i + 1])
        bounds[i, 1] = 0.5 * gap
        bounds[i + 1, 0] = -0.5 * gap
    bounds[count, 1] = last + 2.0 * strength(medium) - (found[order[count - 1], 0] if count > 0 else 0.0)
    return anchors, bounds


@jit()
def _distance(left, right):
    """Distance between two anchors, the nearly equal energies subtracted first."""
    between = 2.0 * (right[0] * right[1] - left[0] * left[1]) - 4.0 * (
        right[0] * right[2] - left[0] * left[2]
    )
    return max(between, 0.0)


@jit()
def anchor_of(row):
    """Return a row of `cells` as an `Anchor`."""
    return Anchor(int(row[0]), row[1], row[2])


@jit()
def count_along(medium, anchors, bounds, floor, budget, columns, work):
    """Fill ``columns`` (cells,) with the number of zeros above ``floor`` (MeV) and |Re omega| below each cell's end.

    Zeros on both sides of Re omega = 0 count. Returns the budget left (negative: undecided). The last entry, which is
    the number of all zeros above the floor, stands for itself; the others split it among the cells.
    """
    top = 2.0 * strength(medium)
    last = anchors.shape[0] - 1
    value, _, _ = determinant(medium, anchor_of(anchors[0]), complex(0.0, floor), work)
    value = complex(value.real, 0.0)  # f is real on the imaginary axis
    phase = 0.0
    for i in range(last + 1):
        anchor = anchor_of(anchors[i])
        start = complex(bounds[i, 0], floor)
        stop = complex(bounds[i, 1], floor)
        turn, value, budget = walk(medium, anchor, start, stop, value, budget, work)
        if budget < 0:
            return budget
        phase += turn
        # up to where the principal argument is the right one; there is nothing between the last cell's end and infinity
        corner = stop if i == last else complex(stop.real, top)
        if i == last:
            rise = 0.0
            summit = value
        else:
            rise, summit, budget = walk(medium, anchor, stop, corner, value, budget, work)
            if budget < 0:
                return budget
        end, _, _ = determinant(medium, anchor, corner, work)
        turn = end * summit.conjugate()
        rise += np.arctan2(turn.imag, turn.real) - np.arctan2(end.imag, end.real)
        zeros = (phase + rise) / np.pi
        columns[i] = int(np.rint(zeros))
        if abs(zeros - columns[i]) > 1e-3 or columns[i] < 0:
            return -1
    return budget
