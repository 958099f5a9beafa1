"""The field of distant clusters inside a cluster: a short polynomial for each of the nine residue numbers.

With omega = m + s in the target (centre m) and P = m' + t in the source, D = m - m' and M_b = sum_j R_j t_j^b,

    sum_j R_j/(omega - P_j) = sum_a s^a (-1)^a sum_b C(a + b, a) M_b / D^(a + b + 1),   abs(s) + abs(t) < abs(D).

Terms of total order a + b >= p are dropped; for (reach + half)/abs(D) = q they add less than q^p/(1 - q) of
sum bound_j/abs(D), which is made less than a rounding. Sources with q > NEAR are not expanded: the caller adds their
poles one by one. The mirrored poles -P carry -S and +a about the centre -m', with t -> -t.
"""

import numpy as np

from pairsweep.analyses.growth.kernels.dispersion import BOUND, LOCATION, REORDERED, RESIDUE
from pairsweep.kernels.jit import jit

NEAR = 0.3
# 0.3^MAX_ORDER is below one rounding
MAX_ORDER = 32
TRUNCATION = 1e-17


@jit()
def reach(clusters, k):
    """Radius about the centre of cluster ``k`` that holds all its zeros, MeV."""
    return clusters.half[k] + 2.0 * clusters.total[k]


@jit()
def separation(clusters, target, source, mirrored):
    """Distance from the centre of ``source`` (or of its mirror image) to the centre of ``target``, MeV, signed."""
    if mirrored:
        return (clusters.reference[target] + clusters.reference[source]) + (
            clusters.centre[target] + clusters.centre[source]
        )
    return (clusters.reference[target] - clusters.reference[source]) + (
        clusters.centre[target] - clusters.centre[source]
    )


@jit()
def is_source(clusters, target, source, mirrored):
    """Whether a cluster (or its mirror image) acts on ``target`` from outside."""
    if mirrored:
        return not (clusters.central and source == 0)
    return source != target


@jit()
def terms_needed(q):
    """Return the order at which q^order is below one rounding."""
    if q <= 0.0:
        return 1
    return min(MAX_ORDER, max(1, int(np.ceil(np.log(TRUNCATION) / np.log(q)))))


@jit()
def expansion_order(clusters, target, radius):
    """Return the order needed for all sources far enough from ``target``, whose zeros lie within ``radius``."""
    worst = 0.0
    for source in range(clusters.count):
        for image in range(2):
            if is_source(clusters, target, source, image == 1):
                distance = abs(separation(clusters, target, source, image == 1))
                q = (radius + clusters.half[source]) / distance
                if worst < q <= NEAR:
                    worst = q
    return terms_needed(worst)


@jit()
def moments(clusters, order):
    """Return M_b (K, order, 9) of every cluster about its centre."""
    out = np.zeros((clusters.count, order, RESIDUE))
    for k in range(clusters.count):
        for j in range(clusters.first[k], clusters.first[k + 1]):
            t = clusters.location[j] - clusters.centre[k]
            power = 1.0
            for b in range(order):
                for i in range(RESIDUE):
                    out[k, b, i] += clusters.residue[i, j] * power
                power *= t
    return out


@jit()
def binomials(order):
    """Return C(a + b, a), (order, order)."""
    out = np.ones((order, order))
    for a in range(1, order):
        for b in range(1, order):
            out[a, b] = out[a - 1, b] + out[a, b - 1]
    return out


@jit(fastmath=REORDERED)
def translate(moment, distance, terms, mirrored, binomial, inverse, local):
    """Add the field of one source to ``local`` (>= terms, 9), its polynomial about a centre ``distance`` away.

    ``moment`` (>= terms, 9) are the M_b of the source; ``inverse`` (>= terms + 1,) is scratch.
    """
    inverse[0] = 1.0 / distance
    for a in range(terms):
        inverse[a + 1] = inverse[a] / distance
    for a in range(terms):
        s0 = s1 = s2 = s3 = s4 = s5 = a0 = a1 = a2 = 0.0
        for b in range(terms - a):
            factor = binomial[a, b] * inverse[a + b]
            if mirrored and b % 2 == 1:
                factor = -factor
            s0 += factor * moment[b, 0]
            s1 += factor * moment[b, 1]
            s2 += factor * moment[b, 2]
            s3 += factor * moment[b, 3]
            s4 += factor * moment[b, 4]
            s5 += factor * moment[b, 5]
            a0 += factor * moment[b, 6]
            a1 += factor * moment[b, 7]
            a2 += factor * moment[b, 8]
        sign = -1.0 if a % 2 == 1 else 1.0
        symmetric = -sign if mirrored else sign
        local[a, 0] += symmetric * s0
        local[a, 1] += symmetric * s1
        local[a, 2] += symmetric * s2
        local[a, 3] += symmetric * s3
        local[a, 4] += symmetric * s4
        local[a, 5] += symmetric * s5
        local[a, 6] += sign * a0
        local[a, 7] += sign * a1
        local[a, 8] += sign * a2


@jit()
def far_field(clusters, target, radius, order, moment, binomial, local):
    """Fill ``local`` (order, 9) with the polynomial of all far sources about the centre of ``target``.

    Returns a bound of their sum of bound_j/abs(omega - P_j).
    """
    for a in range(order):
        for i in range(RESIDUE):
            local[a, i] = 0.0
    size = 0.0
    inverse = np.empty(order + 1)
    for source in range(clusters.count):
        for image in range(2):
            mirrored = image == 1
            if not is_source(clusters, target, source, mirrored):
                continue
            distance = separation(clusters, target, source, mirrored)
            if radius + clusters.half[source] > NEAR * abs(distance):
                continue
            size += clusters.total[source] / (abs(distance) - radius - clusters.half[source])
            terms = min(order, terms_needed((radius + clusters.half[source]) / abs(distance)))
            translate(moment[source], distance, terms, mirrored, binomial, inverse, local)
    return size


@jit()
def near_count(clusters, target, radius):
    """Return how many poles of other clusters must be summed one by one in ``target``."""
    poles = 0
    for source in range(clusters.count):
        for image in range(2):
            if is_source(clusters, target, source, image == 1):
                distance = abs(separation(clusters, target, source, image == 1))
                if radius + clusters.half[source] > NEAR * distance:
                    poles += clusters.first[source + 1] - clusters.first[source]
    return poles


@jit()
def near_poles(clusters, target, radius, at, poles):
    """Append those poles behind column ``at`` of ``poles`` (rows of ``strip``), in the target's coordinate."""
    for source in range(clusters.count):
        for image in range(2):
            mirrored = image == 1
            if not is_source(clusters, target, source, mirrored):
                continue
            distance = separation(clusters, target, source, mirrored)
            if radius + clusters.half[source] <= NEAR * abs(distance):
                continue
            for j in range(clusters.first[source], clusters.first[source + 1]):
                t = clusters.location[j] - clusters.centre[source]
                poles[LOCATION, at] = clusters.centre[target] - distance + (-t if mirrored else t)
                for i in range(6):
                    poles[i, at] = -clusters.residue[i, j] if mirrored else clusters.residue[i, j]
                for i in range(6, RESIDUE):
                    poles[i, at] = clusters.residue[i, j]
                poles[BOUND, at] = clusters.bound[j]
                at += 1
    return at
