"""One strip of the complex plane: its own poles, the near ones of other strips, and the far field as a polynomial.

A window (``window``) is a strip as well: a panel of poles seen from close by.
"""

from collections import namedtuple

import numpy as np

from pairsweep.analyses.growth.kernels.dispersion import (
    ADJUGATE,
    BOUND,
    LOCATION,
    RANK,
    RESIDUE,
    ROWS,
    SEED,
    VOLUME,
    determinant,
    pole_sums,
    residue_adjugate,
    summation_depth,
)
from pairsweep.analyses.growth.kernels.general.farfield import (
    expansion_order,
    far_field,
    near_count,
    near_poles,
    reach,
)
from pairsweep.kernels.jit import jit

# Faint poles that are summed one by one.
NEIGHBOURS = 16

Strip = namedtuple(
    "Strip",
    [
        "own",  # number of poles of the strip; they come first and ascend
        "count",  # with the near poles of other strips
        "zeros",  # zeros of the strip: the sum of the ranks of its own poles
        "poles",  # (ROWS, >= count + order) and behind the poles the polynomial of the far field about the centre
        "centre",  # middle of the own poles
        "radius",  # all zeros lie, and the polynomial holds, within it about the centre
        "cut",  # a distance from the centre within which there is no far pole
        "order",  # terms of that polynomial
        "far_size",  # bound of the far sum of bound_j/abs(omega - P_j) within the radius
        "depth",  # number of roundings that any term of a sum over the poles goes through
        "faint_far",  # bound of the sum of bound_j/abs(omega - P_j) over faint poles of other strips (``faint``)
    ],
)


@jit()
def make_strip(clusters, k, moment, binomial):
    """Collect what strip ``k`` needs; ``moment`` and ``binomial`` come from ``farfield``."""
    radius = reach(clusters, k)
    order = expansion_order(clusters, k, radius)
    offset = clusters.first[k]
    own = clusters.first[k + 1] - offset
    count = own + near_count(clusters, k, radius)
    poles = np.empty((ROWS, count + order))
    local = np.empty((order, RESIDUE))
    far_size = far_field(clusters, k, radius, order, moment, binomial, local)
    for a in range(order):
        for i in range(RESIDUE):
            poles[i, count + a] = local[a, i]
    zeros = 0
    for j in range(own):
        poles[LOCATION, j] = clusters.location[offset + j]
        poles[BOUND, j] = clusters.bound[offset + j]
        poles[RANK, j] = clusters.rank[offset + j]
        zeros += clusters.rank[offset + j]
        for i in range(RESIDUE):
            poles[i, j] = clusters.residue[i, offset + j]
        for m in range(3):
            poles[SEED + m, j] = clusters.seed[m, offset + j]
        poles[VOLUME, j] = residue_adjugate(poles, j, clusters.rank[offset + j], poles[ADJUGATE:, j])
    near_poles(clusters, k, radius, own, poles)
    # poles of other strips, and the mirror images of all, lie beyond the cut lines
    elsewhere = 0.0
    away = clusters.half[k] + clusters.room[k] - radius
    for j in range(clusters.faint_bound.size):
        elsewhere += 2.0 * faint_term(clusters.faint_bound[j], clusters.faint_half[j], away)
    return Strip(
        own,
        count,
        zeros,
        poles,
        clusters.centre[k],
        radius,
        clusters.half[k] + clusters.room[k],
        order,
        far_size,
        summation_depth(count + order),
        elsewhere,
    )


@jit()
def faint_poles(clusters, k):
    """Position, ascending, bound and half-width of the faint poles of strip ``k``, (3, F)."""
    start = clusters.faint_first[k]
    faint = np.empty((3, clusters.faint_first[k + 1] - start))
    for j in range(faint.shape[1]):
        faint[0, j] = clusters.faint_location[start + j]
        faint[1, j] = clusters.faint_bound[start + j]
        faint[2, j] = clusters.faint_half[start + j]
    return faint


@jit()
def faint_term(bound, half, away):
    """Bound of what one entry of ``faint_poles`` adds to W at a distance ``away``.

    R/(omega - p) of a faint pole is at most bound/away. Poles merged within ``half`` of p are in W as if they stood at
    p, and sum R_j [1/(omega - p_j) - 1/(omega - p)] is at most bound half/(away (away - half)).
    """
    if half == np.inf:
        return bound / away
    return bound * half / (away * (away - half)) if away > half else np.inf


@jit()
def faint_size(faint, x, y, reach, around):
    """Bound of the sum of ``faint_term`` over ``faint_poles`` on a disc of radius ``reach`` about x + i y.

    With ``around`` only on its circle, and there may be poles inside; else infinite if there are. The nearest ones
    are summed, the others taken to be as close as the next.
    """
    size = 0.0
    count = faint.shape[1]
    left = -1
    right = count
    while right - left > 1:
        middle = (left + right) // 2
        if faint[0, middle] < x:
            left = middle
        else:
            right = middle
    for term in range(NEIGHBOURS + 1):
        below = x - faint[0, left] if left >= 0 else np.inf
        above = faint[0, right] - x if right < count else np.inf
        if below == np.inf and above == np.inf:
            return size
        away = np.sqrt(min(below, above) ** 2 + y * y) - reach
        if not away > 0.0 and (not around or term == NEIGHBOURS or away == 0.0):
            return np.inf
        if term == NEIGHBOURS:
            for j in range(count):
                size += faint_term(faint[1, j], faint[2, j], away)
            return size
        if below <= above:
            size += faint_term(faint[1, left], faint[2, left], abs(away))
            left -= 1
        else:
            size += faint_term(faint[1, right], faint[2, right], abs(away))
            right += 1
    return size


@jit()
def nearest_pole(strip, x, guess):
    """Index of the own pole nearest to ``x``, searched from ``guess``."""
    location = strip.poles[LOCATION]
    j = guess
    while j + 1 < strip.own and abs(location[j + 1] - x) <= abs(location[j] - x):
        j += 1
    while j > 0 and abs(location[j - 1] - x) < abs(location[j] - x):
        j -= 1
    return j


@jit()
def evaluate(strip, x, y, nearest, work, sums):
    """Return f and df/domega at omega = x + i y; ``nearest`` is the own pole next to it."""
    poles = strip.poles
    pole_sums(x, y, poles[LOCATION], poles, strip.count, strip.centre, strip.order, nearest, work, sums)
    t = complex(x - poles[LOCATION, nearest], y)
    return determinant(sums, t, poles, poles[ADJUGATE:], poles[VOLUME], nearest)
