"""One strip of the complex plane: its own poles, the near ones of other strips, and the far field as a polynomial."""

from collections import namedtuple

import numpy as np

from pairsweep.kernels.dispersion import RESIDUE, determinant, pole_sums, residue_adjugate
from pairsweep.kernels.farfield import (
    expansion_order,
    far_field,
    near_count,
    near_poles,
    reach,
)
from pairsweep.kernels.jit import jit

Strip = namedtuple(
    "Strip",
    [
        "own",  # number of poles of the strip; they come first and ascend
        "count",  # with the near poles of other strips
        "zeros",  # zeros of the strip: the sum of the ranks of its own poles
        "location",  # (count,) MeV, from the reference of the strip
        "residue",  # (9, count + order) and behind the poles the polynomial of the far strips about the centre
        "bound",  # (count,) sum of 2 abs(c): a bound of the norm of the residue
        "rank",  # (own,)
        "seed",  # (3, own) eigenvalues of the residues
        "adjugate",  # (9, own) adj(R)
        "volume",  # (own,) det R
        "centre",  # middle of the own poles
        "radius",  # all zeros lie within it about the centre
        "cut",  # distance of the nearest cut line from the centre
        "order",  # terms of that polynomial
        "far_size",  # bound of the far sum of bound_j/abs(omega - P_j)
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
    location = np.empty(count)
    residue = np.empty((RESIDUE, count + order))
    far_size = far_field(clusters, k, radius, order, moment, binomial, residue[:, count:])
    bound = np.empty(count)
    adjugate = np.empty((RESIDUE, own))
    volume = np.empty(own)
    zeros = 0
    for j in range(own):
        location[j] = clusters.location[offset + j]
        bound[j] = clusters.bound[offset + j]
        zeros += clusters.rank[offset + j]
        for i in range(RESIDUE):
            residue[i, j] = clusters.residue[i, offset + j]
        volume[j] = residue_adjugate(residue, j, clusters.rank[offset + j], adjugate[:, j])
    near_poles(clusters, k, radius, own, location, residue, bound)
    return Strip(
        own,
        count,
        zeros,
        location,
        residue,
        bound,
        clusters.rank[offset : offset + own],
        clusters.seed[:, offset : offset + own],
        adjugate,
        volume,
        clusters.centre[k],
        radius,
        clusters.half[k] + clusters.room[k],
        order,
        far_size,
    )


@jit()
def nearest_pole(strip, x, guess):
    """Index of the own pole nearest to ``x``, searched from ``guess``."""
    j = guess
    while j + 1 < strip.own and abs(strip.location[j + 1] - x) <= abs(strip.location[j] - x):
        j += 1
    while j > 0 and abs(strip.location[j - 1] - x) < abs(strip.location[j] - x):
        j -= 1
    return j


@jit()
def evaluate(strip, x, y, nearest, work, sums):
    """Return f and df/domega at omega = x + i y; ``nearest`` is the own pole next to it."""
    pole_sums(
        x, y, strip.location, strip.residue, strip.count, strip.centre, strip.order, nearest, work, sums
    )
    t = complex(x - strip.location[nearest], y)
    return determinant(sums, t, strip.residue, strip.adjugate, strip.volume, nearest)
