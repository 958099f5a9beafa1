"""Poles in ascending order, cut into strips of the complex plane that keep their zeros.

On a vertical line Re omega = x with sum_j b_j/|x - P_j| < 1/4, b_j = 2 |c_j| a bound of the norm of a residue, W stays
within 1/4 of W0, whose eigenvalues are at least 1 in modulus: by homotopy in the coupling no zero ever crosses it. So
a strip between two such lines holds as many zeros as the ranks of its poles add up to; inside it the poles of all
other strips contribute less than 1/2, so each zero lies within 2 sum b_j, over its own poles, of one of them.

Strips of one sign. If all c_j of a strip have the same sign, all its zeros are real (derived here): they are the zeros
of T(omega) = s (omega - P) - U^dagger W_far(omega)^-1 U, U = (sqrt|c_j| v_j), and for omega = x + i y

    Im u^dagger T u = y [s - ...],    |...| <= sup |d/domega U^dagger W_far^-1 U| <= B 4 sum_far b_j/d_j^2 < 4 B/(2 d),

B = sum b_j over the own poles, d the distance of the nearest far pole from where zeros can be. For 2 B < d the bracket
cannot vanish. So growth needs both signs in one strip, and most strips need no search at all.
"""

import numpy as np

from pairsweep.kernels.jit import jit
from pairsweep.kernels.sorting import ascending

CUT_BOUND = 0.25
LEAF = 8


@jit()
def apart(high, low, i, j):
    """P_j - P_i of two poles given as sums of two doubles."""
    return (high[j] - high[i]) + (low[j] - low[i])


@jit()
def sorted_poles(high, low, count):
    """Indices of the poles in ascending order of high + low, also where the sum rounds to the same number."""
    by_rest = ascending(low, count)
    lead = np.empty(count)
    for i in range(count):
        lead[i] = high[by_rest[i]]
    by_lead = ascending(lead, count)
    order = np.empty(count, dtype=np.int64)
    for i in range(count):
        order[i] = by_rest[by_lead[i]]
    return order


@jit()
def sum_tree(bound, count):
    """Sums of ``bound`` over a binary tree of index ranges with LEAF poles in a leaf; returns (tree, leaves)."""
    leaves = 1
    while leaves * LEAF < count:
        leaves *= 2
    tree = np.zeros(2 * leaves - 1)
    for i in range(count):
        tree[leaves - 1 + i // LEAF] += bound[i]
    for node in range(leaves - 2, -1, -1):
        tree[node] = tree[2 * node + 1] + tree[2 * node + 2]
    return tree, leaves


@jit()
def closeness(high, low, bound, count, tree, leaves, i, stack):
    """Upper bound of sum_j b_j/|x - P_j| at the middle x of the gap behind pole ``i``, in O(log N)."""
    half = 0.5 * apart(high, low, i, i + 1)
    total = 0.0
    stack[0, 0] = 0
    stack[0, 1] = leaves
    depth = 1
    while depth > 0:
        depth -= 1
        node = stack[depth, 0]
        span = stack[depth, 1]
        # the nodes of a level are numbered from (number of nodes of the level) - 1 on
        start = (node + 1 - leaves // span) * span * LEAF
        if start >= count:
            continue
        stop = min(start + span * LEAF, count)
        if start > i:
            near = half + apart(high, low, i + 1, start)
            width = apart(high, low, start, stop - 1)
        elif stop - 1 <= i:
            near = half + apart(high, low, stop - 1, i)
            width = apart(high, low, start, stop - 1)
        else:
            near = 0.0
            width = np.inf
        if width <= 0.5 * near:
            total += tree[node] / near
        elif span == 1:
            for j in range(start, stop):
                total += bound[j] / (half + (apart(high, low, i + 1, j) if j > i else apart(high, low, j, i)))
        else:
            for child in range(2):
                stack[depth + child, 0] = 2 * node + 1 + child
                stack[depth + child, 1] = span // 2
            depth += 2
        if total >= CUT_BOUND:
            return total
    return total


@jit()
def cut_strips(high, low, bound, count):
    """Cut sorted poles wherever a line passes; returns (strips, first), strip i is first[i]:first[i + 1]."""
    tree, leaves = sum_tree(bound, count)
    stack = np.empty((128, 2), dtype=np.int64)
    first = np.empty(count + 1, dtype=np.int64)
    first[0] = 0
    strips = 0
    for i in range(count - 1):
        gap = apart(high, low, i, i + 1)
        if bound[i] + bound[i + 1] >= 0.5 * CUT_BOUND * gap:
            continue
        if closeness(high, low, bound, count, tree, leaves, i, stack) < CUT_BOUND:
            strips += 1
            first[strips] = i + 1
    if count > 0:
        strips += 1
    first[strips] = count
    return strips, first


@jit()
def one_sign(high, low, strength, bound, count, start, stop):
    """Whether the signs alone prove that all zeros of the strip start:stop of sorted poles are real."""
    own = bound[start]
    for j in range(start + 1, stop):
        if (strength[j] > 0.0) != (strength[start] > 0.0):
            return False
        own += bound[j]
    room = np.inf
    if start > 0:
        room = apart(high, low, start - 1, start)
    if stop < count:
        room = min(room, apart(high, low, stop - 1, stop))
    return room > 4.0 * own
