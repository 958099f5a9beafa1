"""How many unstable modes the continuum has: the argument principle with a bound on every step.

The number of zeros of f = det W with Im omega > floor is the change of arg f along the line Im omega = floor, over
2 pi: f is analytic above the real axis and tends to det B > 0 at infinity. f(-conj omega) = conj f(omega), so half the
line is enough. A step of the walk is accepted only if a bound on |f - f(midpoint)| over the whole segment (f' and f at
the midpoint, ||D''|| everywhere on it, rounding) is below 0.7 |f(midpoint)|: arg f then changes by less than pi/4
between the midpoint and any point of the segment, and by less than pi/2 between two midpoints. Nothing is left to
sampling.

||D|| <= C/distance of omega from the real poles, and B >= 1, so beyond distance 2 C every eigenvalue of B^-1/2 D B^-1/2
is below 1/2, |arg f| < pi/2 there, and the principal argument is the right one.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.continuum.kernels.medium import Anchor, curvature_bound, determinant, norm
from pairsweep.kernels.exact import EPSILON
from pairsweep.kernels.jit import jit
from pairsweep.kernels.sorting import ascending

SAFE = 0.7  # largest bound on |f - f(midpoint)| / |f(midpoint)| of an accepted step; below sin(pi/4)
AIM = 0.6  # what the length of the next step aims at
FIRST_STEP = 8.0  # in units of the growth where a walk starts
SHORTER, LONGER = 0.1, 4.0  # most that the length changes from one step to the next
ROUNDING = 16.0 * EPSILON
STATIC = 1e-6  # frequency up to which no edge has a cell of its own, as a share of the largest


class Step(NamedTuple):
    """A segment of a walk: f at its midpoint, whether arg f stays close, and how much longer it could have been."""

    value: complex
    safe: bool
    longer: float


class Walk(NamedTuple):
    """Change of arg f along a path, f at the last midpoint, and the evaluations left: negative if it failed."""

    phase: float
    value: complex
    left: int


@jit()
def segment(medium, anchor, start, stop, work):
    """Return the `Step` from ``start`` to ``stop``: arg f stays within pi/4 of the midpoint's all along it, or not."""
    f, slope, scale = determinant(medium, anchor, 0.5 * (start + stop), work)
    allowed = SAFE * abs(f)
    reach = 0.5 * abs(stop - start)
    first = abs(slope) * reach
    if not first < allowed:
        return Step(f, False, max(SHORTER, AIM / SAFE * allowed / max(first, 1e-300)))
    curvature = curvature_bound(medium, anchor, 0.5 * (start + stop), reach, min(start.imag, stop.imag))
    second = 0.5 * reach * reach * curvature + ROUNDING * scale
    change = norm(work[1]) * reach + second
    # det(W + d) = det W + tr(adj(W) d) + tr(adj(d) W) + det d, and a trace is at most sqrt(3) times both norms
    rest = np.sqrt(3.0) * (norm(work[2]) * second + norm(work[0]) * change**2) + change**3
    # the length l at which first l + rest l^2 is what a step aims at
    aim = AIM * abs(f)
    longer = 2.0 * aim / (first + np.sqrt(first * first + 4.0 * aim * rest) + 1e-300)
    return Step(f, first + rest < allowed, min(max(longer, SHORTER), LONGER))


@jit()
def walk(medium, anchor, start, stop, value, budget, work):
    """Walk straight from ``start`` to ``stop`` (offsets from the anchor), of which one part does not change.

    ``value`` is f within pi/4 of f(start). The `Walk` fails if the budget of evaluations runs out or a zero is too
    close to the path.
    """
    phase = 0.0
    length = abs(stop - start)
    if length == 0.0:
        return Walk(0.0, value, budget)
    direction = (stop - start) / length
    step = min(length, FIRST_STEP * start.imag)
    for used in range(budget):
        left = abs(stop - start)
        last = step >= left
        end = stop if last else start + direction * step
        if end == start:
            break
        tried = segment(medium, anchor, start, end, work)
        if tried.safe:
            turn = tried.value * value.conjugate()
            phase += np.arctan2(turn.imag, turn.real)
            value = tried.value
            if last:
                return Walk(phase, value, budget - used - 1)
            # steps scale with the distance from the singularity at the anchor
            step *= tried.longer * abs(end) / abs(start)
            start = end
        else:
            step = min(step, left) * min(tried.longer, 0.7)
    return Walk(phase, value, -1)


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
        turned = walk(medium, anchor, start, stop, value, budget, work)
        value = turned.value
        budget = turned.left
        if budget < 0:
            return 0, budget
        phase += turned.phase
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
            if medium.marked[h, e]:
                found[count, 0] = abs(position)
                found[count, 1] = 1.0 if position >= 0.0 else -1.0
                found[count, 2] = medium.edges[e]
                found[count, 3] = medium.shift[h]
                count += 1
    order = ascending(found[:, 0], count)
    anchors = np.zeros((count + 1, 3))
    bounds = np.zeros((count + 1, 2))
    anchors[0, 0] = 1.0
    kept = 0
    position = 0.0
    for i in range(count):
        here = found[order[i]]
        # static modes lie on the imaginary axis and need room; edges that coincide are one
        if here[0] <= position + (STATIC if kept == 0 else 4.0 * EPSILON) * last:
            continue
        kept += 1
        position = here[0]
        anchors[kept] = here[1:]
        gap = _distance(anchors[kept - 1], anchors[kept])
        bounds[kept - 1, 1] = 0.5 * gap
        bounds[kept, 0] = -0.5 * gap
    bounds[kept, 1] = last + 2.0 * medium.reach - position
    return anchors[: kept + 1], bounds[: kept + 1]


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
def count_along(medium, anchors, bounds, floor, budget, turns, values, work):
    """Count the zeros above ``floor`` (MeV); Re omega of both signs.

    ``turns`` and ``values`` (cells,) receive arg f on the floor at each cell's end, counted from frequency 0, and f
    close to it: what `split` needs.

    Returns
    -------
    number of zeros, budget left (negative: undecided)
    """
    last = anchors.shape[0] - 1
    phase = 0.0
    value = 1.0 + 0.0j
    for i in range(last + 1):
        anchor = anchor_of(anchors[i])
        start = complex(0.0, floor)
        here, _, _ = determinant(medium, anchor, start, work)
        # away from the anchor on both sides: steps grow with the distance from its singularity
        before = walk(medium, anchor, start, complex(bounds[i, 0], floor), here, budget, work)
        after = walk(medium, anchor, start, complex(bounds[i, 1], floor), here, before.left, work)
        budget = after.left
        if before.left < 0 or budget < 0:
            return 0, -1
        if i > 0:
            turn = before.value * value.conjugate()
            phase += np.arctan2(turn.imag, turn.real) - before.phase
        phase += after.phase
        value = after.value
        turns[i] = phase
        values[i] = value
    return _zeros_below(
        medium, anchor_of(anchors[last]), complex(bounds[last, 1], floor), phase, value, budget, work
    )


@jit()
def _zeros_below(medium, anchor, end, phase, value, budget, work):
    """Number of zeros from the change of arg f up to ``end``, where the principal argument is the right one."""
    f, _, _ = determinant(medium, anchor, end, work)
    turn = f * value.conjugate()
    zeros = (phase + np.arctan2(turn.imag, turn.real) - np.arctan2(f.imag, f.real)) / np.pi
    count = int(np.rint(zeros))
    if abs(zeros - count) > 1e-3 or count < 0:
        return 0, -1
    return count, budget


@jit()
def split(medium, anchors, bounds, floor, budget, turns, values, columns, work):
    """Fill ``columns`` (cells,) with the number of zeros above ``floor`` and |Re omega| below each cell's end.

    ``turns`` and ``values`` are those of `count_along`, and the last entry is the number that it counted. The number
    rises from cell to cell, so that nothing is asked between two ends where it is the same. Returns the budget left.
    """
    top = 2.0 * medium.reach
    ends = np.empty(64, dtype=np.int64)
    ends[0] = anchors.shape[0] - 1
    pending = 1
    done = -1
    below = 0
    for _ in range(2 * anchors.shape[0]):
        stop = ends[pending - 1]
        if columns[stop] == below or stop == done + 1:
            columns[done + 1 : stop] = below
            below = columns[stop]
            done = stop
            pending -= 1
            if pending == 0:
                break
            continue
        middle = (done + stop) // 2
        anchor = anchor_of(anchors[middle])
        start = complex(bounds[middle, 1], floor)
        corner = complex(bounds[middle, 1], top)
        risen = walk(medium, anchor, start, corner, values[middle], budget, work)
        if risen.left < 0:
            return risen.left
        columns[middle], budget = _zeros_below(
            medium, anchor, corner, turns[middle] + risen.phase, risen.value, risen.left, work
        )
        if budget < 0 or not below <= columns[middle] <= columns[stop]:
            return -1
        ends[pending] = middle
        pending += 1
    return budget
