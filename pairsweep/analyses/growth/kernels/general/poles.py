"""The poles of the dispersion function: pairs of equal Omega merged, and cut into clusters that keep their zeros.

Merging. Pairs with the same Omega share one pole with the sum of their residues. The rank of that residue (at most 3)
is the number of zeros the pole contributes; the surplus modes sit on the pole and are stable. Offsets count as equal
within MERGE roundings of 4 g sum w abs(n + 1), the accuracy to which J0 fixes them.

Folding. f is even, so its zeros with Re omega > 0 are enough. A pair with Omega < 0 is folded to abs(Omega): S changes
sign, a stays.

Cutting. On a vertical line Re omega = x with sum_j 2 abs(c_j)/abs(x - P_j) < 1/4, over both signs of pole, the norm
of W - 1 stays below 1/4; so by homotopy in the coupling no zero ever crosses the line, and the strip between two such
lines holds exactly as many zeros as the ranks of its poles add up to. Inside a strip the poles of all other strips
contribute less than 1/2, so every zero lies within 4 sum abs(c_j), over its own poles, of one of them. Where the line
x = 0 fails the test, the first cluster takes the mirrored poles in and covers a strip symmetric about zero.
"""

from collections import namedtuple

import numpy as np

from pairsweep.analyses.growth.kernels.dispersion import RESIDUE
from pairsweep.kernels.coupling import add_residue
from pairsweep.kernels.exact import EPSILON
from pairsweep.kernels.jit import jit
from pairsweep.kernels.matrix3 import hermitian_eigenvalues
from pairsweep.kernels.sorting import ascending

MERGE = 16.0
RANK_TOLERANCE = 64.0 * EPSILON
CUT_BOUND = 0.25
# Positions of different bases are told apart by rounded sums; a gap this wide is known to ten digits.
RESOLVED_GAP = 1e-6
MAX_CLUSTERS = 512
MANY = 256
SEVERAL = 16
SEPARATE = 4.0
WIDE = 1e3

Clusters = namedtuple(
    "Clusters",
    [
        "count",  # number of clusters K
        "central",  # True: cluster 0 is symmetric about zero and holds both signs of its poles
        "first",  # (K + 1,) poles of cluster k are first[k]:first[k + 1]
        "reference",  # (K,) the base positions are measured from, MeV
        "centre",  # (K,) middle of the poles of a cluster, from its reference
        "half",  # (K,) half the width of the poles of a cluster
        "total",  # (K,) sum of the bounds of its poles
        "room",  # (K,) distance of the nearest cut line from the poles of a cluster
        "location",  # (n_poles,) position of a pole from the reference of its cluster, ascending
        "residue",  # (9, n_poles)
        "bound",  # (n_poles,) sum of 2 abs(c) over the pairs of a pole: a bound of its residue's norm
        "rank",  # (n_poles,) zeros the pole contributes
        "seed",  # (3, n_poles) eigenvalues of the residue, largest modulus first
        "faint_first",  # (K + 1,) faint poles of cluster k are faint_first[k]:faint_first[k + 1]
        "faint_location",  # (n_faint,) their positions, as of the others
        "faint_bound",  # (n_faint,)
        "faint_half",  # (n_faint,) infinite; else half the width of poles merged by ``width``, which are not faint
        "owner",  # (N,) pole of each pair (its folded one), -1 for a pair without strength, -2 - j for the faint pole j
    ],
)


@jit()
def _cut(position, bound, bridges, cut_after):
    """Mark in ``cut_after`` the gaps behind sorted entries where a cut line passes; return whether zero does.

    Candidates are the MAX_CLUSTERS widest resolved gaps. The entries between two candidates act as one interval.
    From the widest on, a gap is used if its strip holds many poles, fewer where the gap ``bridges`` two bases, or if
    it would cost digits to bridge it.
    """
    entries = position.size
    gap = np.zeros(entries)
    eligible = 0
    for i in range(entries - 1):
        width = position[i + 1] - position[i]
        if width > RESOLVED_GAP * position[i + 1]:
            gap[i] = width
            eligible += 1
    least = 0.0
    if eligible >= MAX_CLUSTERS:
        least = gap[ascending(gap, entries)[entries - MAX_CLUSTERS + 1]]
    low = np.empty(MAX_CLUSTERS)
    high = np.empty(MAX_CLUSTERS)
    total = np.empty(MAX_CLUSTERS)
    last = np.empty(MAX_CLUSTERS, dtype=np.int64)
    # np.int64 here and below: a plain 0 would compile another copy of the callee
    runs = np.int64(0)
    low[0] = position[0]
    total[0] = 0.0
    for i in range(entries):
        total[runs] += bound[i]
        if i == entries - 1 or (gap[i] > least and runs < MAX_CLUSTERS - 1):
            high[runs] = position[i]
            last[runs] = i
            if i < entries - 1:
                runs += 1
                low[runs] = position[i + 1]
                total[runs] = 0.0
    runs += 1
    narrowness = np.empty(runs)
    for k in range(runs):
        narrowness[k] = -gap[last[k]]
    chosen = np.zeros(runs, dtype=np.bool_)
    chosen[runs - 1] = True
    for k in ascending(narrowness, runs):
        x = high[k] - 0.5 * narrowness[k]
        if chosen[k] or not x > high[k]:
            continue
        left = k
        while left > 0 and not chosen[left - 1]:
            left -= 1
        right = k + 1
        while not chosen[right]:
            right += 1
        own = 0.0
        for j in range(left, right + 1):
            own += total[j]
        first = last[left - 1] + 1 if left > 0 else 0
        entangled = not bridges[last[k]] or -narrowness[k] < SEPARATE * own
        if last[right] - first < (MANY if entangled else SEVERAL) and -narrowness[k] < WIDE * own:
            continue
        size = 0.0
        for j in range(runs):
            size += total[j] / (x - high[j] if j <= k else low[j] - x) + total[j] / (x + low[j])
        if size < CUT_BOUND:
            chosen[k] = True
            cut_after[last[k]] = True
    if low[0] <= 0.0:
        return False
    at_zero = 0.0
    for i in range(entries):
        at_zero += 2.0 * bound[i] / position[i]
    return at_zero < CUT_BOUND


@jit()
def cluster_poles(base, offset, strength, p_hat, scale, faint, width):
    """Merge and cluster the poles of a system; ``scale`` (MeV) is what ``oscillators`` returned. See ``Clusters``.

    Pairs marked in ``faint`` (N,) share the clusters, but not the poles, of the others. Poles within ``width`` (MeV)
    are merged as well, and what that leaves out is noted among the faint ones.
    """
    pairs = base.size
    pair = np.empty(pairs, dtype=np.int64)
    entries = np.int64(0)
    for q in range(pairs):
        if strength[q] != 0.0:
            pair[entries] = q
            entries += 1
    owner = np.full(pairs, -1, dtype=np.int64)
    if entries == 0:
        nothing = np.empty(0)
        return Clusters(
            0, False, np.zeros(1, dtype=np.int64), nothing, nothing, nothing, nothing, nothing, nothing,
            np.empty((RESIDUE, 0)), nothing, np.empty(0, dtype=np.int64), np.empty((3, 0)),
            np.zeros(1, dtype=np.int64), nothing, nothing, nothing, owner,
        )  # fmt: skip
    position = np.empty(entries)
    for i in range(entries):
        position[i] = abs(base[pair[i]] + offset[pair[i]])
    order = ascending(position, entries)
    unsorted = pair.copy()
    bound = np.empty(entries)
    for i in range(entries):
        q = unsorted[order[i]]
        pair[i] = q
        position[i] = abs(base[q] + offset[q])
        bound[i] = 2.0 * abs(strength[q])
    cut_after = np.zeros(entries, dtype=np.bool_)
    bridges = np.zeros(entries, dtype=np.bool_)
    for i in range(entries - 1):
        bridges[i] = abs(abs(base[pair[i + 1]]) - abs(base[pair[i]])) > 0.5 * (position[i + 1] - position[i])
    central = not _cut(position, bound, bridges, cut_after)
    cut_after[entries - 1] = True
    count = 0
    for i in range(entries):
        if cut_after[i]:
            count += 1

    first = np.zeros(count + 1, dtype=np.int64)
    reference = np.zeros(count)
    centre = np.zeros(count)
    half = np.zeros(count)
    total = np.zeros(count)
    room = np.full(count, np.inf)
    capacity = 2 * entries if central else entries
    location = np.empty(capacity)
    residue = np.zeros((RESIDUE, capacity))
    pole_bound = np.zeros(capacity)
    rank = np.zeros(capacity, dtype=np.int64)
    seed = np.zeros((3, capacity))
    matrix = np.empty((3, 3), dtype=np.complex128)
    eigenvalues = np.empty(3)
    poles = np.int64(0)
    faint_first = np.zeros(count + 1, dtype=np.int64)
    faint_location = np.empty(2 * capacity)
    faint_bound = np.zeros(2 * capacity)
    faint_half = np.full(2 * capacity, np.inf)
    faints = 0
    start = 0
    for k in range(count):
        stop = start
        while not cut_after[stop] and stop < entries - 1:
            stop += 1
        stop += 1
        members = stop - start
        both = central and k == 0
        local = np.empty(2 * members if both else members)
        if not both:
            q = pair[start]
            reference[k] = base[q] if base[q] + offset[q] >= 0.0 else -base[q]
        for i in range(members):
            q = pair[start + i]
            sign = 1.0 if base[q] + offset[q] >= 0.0 else -1.0
            local[i] = (sign * base[q] - reference[k]) + sign * offset[q]
            if both:
                local[members + i] = -local[i]
        sequence = ascending(local, local.size)
        widest = max(abs(local[sequence[0]]), abs(local[sequence[-1]]))
        tolerance = MERGE * EPSILON * max(scale, widest)
        low = np.inf
        high = -np.inf
        i = 0
        merging = max(tolerance, width)
        while i < local.size:
            head = local[sequence[i]]
            merged = 1
            while i + merged < local.size and local[sequence[i + merged]] - head <= merging:
                merged += 1
            span = local[sequence[i + merged - 1]] - head
            place = head + 0.5 * span
            # merged beyond what rounding asks for: none of them counts as faint then, and the width is noted
            blurred = span > tolerance
            strong = 0
            for m in range(i, i + merged):
                entry = sequence[m]
                mirrored = entry >= members
                q = pair[start + (entry - members if mirrored else entry)]
                if faint[q] and not blurred:
                    faint_bound[faints] += 2.0 * abs(strength[q])
                    if not mirrored:
                        owner[q] = -2 - faints
                    continue
                strong += 1
                sign = 1.0 if (base[q] + offset[q] >= 0.0) != mirrored else -1.0
                add_residue(strength[q], p_hat[q, 0], p_hat[q, 1], p_hat[q, 2], sign, poles, residue)
                pole_bound[poles] += 2.0 * abs(strength[q])
                if not mirrored:
                    owner[q] = poles
            low = min(low, head if blurred else place)
            high = max(high, head + span if blurred else place)
            i += merged
            if strong < merged:
                faint_location[faints] = place
                faints += 1
            if strong == 0:
                continue
            if blurred:
                faint_location[faints] = place
                faint_bound[faints] = pole_bound[poles]
                faint_half[faints] = 0.5 * span + EPSILON * abs(place)
                faints += 1
            location[poles] = place
            if strong == 1:
                rank[poles] = 1
                seed[0, poles] = residue[0, poles] + residue[3, poles] + residue[5, poles]
            else:
                hermitian_eigenvalues(residue, poles, matrix, eigenvalues)
                for m in range(3):
                    seed[m, poles] = eigenvalues[m]
                    if abs(eigenvalues[m]) > RANK_TOLERANCE * pole_bound[poles]:
                        rank[poles] += 1
            poles += 1
        first[k + 1] = poles
        faint_first[k + 1] = faints
        total[k] = pole_bound[first[k] : poles].sum()
        for j in range(faint_first[k], faints):
            if faint_half[j] == np.inf:
                total[k] += faint_bound[j]
        centre[k] = 0.5 * (low + high)
        half[k] = 0.5 * (high - low)
        if start > 0 and not both:
            room[k] = min(room[k], 0.5 * (position[start] - position[start - 1]))
        elif not both:
            room[k] = position[start]
        if stop < entries:
            room[k] = min(room[k], 0.5 * (position[stop] - position[stop - 1]))
        start = stop
    return Clusters(
        count, central, first, reference, centre, half, total, room, location[:poles], residue[:, :poles].copy(),
        pole_bound[:poles], rank[:poles], seed[:, :poles].copy(),
        faint_first, faint_location[:faints], faint_bound[:faints], faint_half[:faints], owner,
    )  # fmt: skip


@jit()
def screen(clusters, root):
    """Replace every residue R by C R C with ``root`` = C (3, 3), real and symmetric, 0 < C <= 1.

    The zeros of det(B - sum R_j/(omega - P_j)) are those of det(1 - sum C R_j C/(omega - P_j)), C = B^(-1/2): what is
    constant besides the pairs screens the field that they feel. Ranks stay, and bounds hold. With R = S + i [a]x, S
    becomes C S C and a becomes adj(C) a.
    """
    a, b, c, d, e, f = root[0, 0], root[0, 1], root[0, 2], root[1, 1], root[1, 2], root[2, 2]
    adjoint = np.array(
        [
            [d * f - e * e, c * e - b * f, b * e - c * d],
            [c * e - b * f, a * f - c * c, b * c - a * e],
            [b * e - c * d, b * c - a * e, a * d - b * b],
        ]
    )
    matrix = np.empty((3, 3), dtype=np.complex128)
    eigenvalues = np.empty(3)
    residue = clusters.residue
    for j in range(residue.shape[1]):
        s = np.array(
            [
                [residue[0, j], residue[1, j], residue[2, j]],
                [residue[1, j], residue[3, j], residue[4, j]],
                [residue[2, j], residue[4, j], residue[5, j]],
            ]
        )
        vector = np.array([residue[6, j], residue[7, j], residue[8, j]])
        for number, (row, column) in enumerate(((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))):
            total = 0.0
            for k in range(3):
                for m in range(3):
                    total += root[row, k] * s[k, m] * root[m, column]
            residue[number, j] = total
        for i in range(3):
            residue[6 + i, j] = (
                adjoint[i, 0] * vector[0] + adjoint[i, 1] * vector[1] + adjoint[i, 2] * vector[2]
            )
        if clusters.rank[j] == 1:
            clusters.seed[0, j] = residue[0, j] + residue[3, j] + residue[5, j]
        else:
            hermitian_eigenvalues(residue, j, matrix, eigenvalues)
            clusters.seed[:, j] = eigenvalues
