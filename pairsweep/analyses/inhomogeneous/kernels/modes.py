"""All unstable modes of systems with a wave vector, with a certificate.

Poles are listed (``poles``), sorted and cut into strips (``strips``); strips of one sign are stable. In the others all
zeros are found (``roots``) and counted again (``proof``): a count that falls short is tried again from other starting
angles, and if it still falls short the point is not certified and says so.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from pairsweep.analyses.inhomogeneous.kernels.frozen import FEW, confined, definite, frozen_response
from pairsweep.analyses.inhomogeneous.kernels.poles import fill_poles
from pairsweep.analyses.inhomogeneous.kernels.proof import count_complex, count_real
from pairsweep.analyses.inhomogeneous.kernels.roots import LOOSE, TIGHT, iterate, start, start_few
from pairsweep.analyses.inhomogeneous.kernels.strips import cut_strips, one_sign, sorted_poles
from pairsweep.analyses.inhomogeneous.kernels.view import MAX_ORDER, MERGE, Poles, make_view, workspace
from pairsweep.kernels.exact import EPSILON
from pairsweep.kernels.jit import jit
from pairsweep.kernels.sorting import ascending

ATTEMPTS = 4
# Smallest growth that counts, as a fraction of the coupling.
GROWTH_TOLERANCE = 1e-6
# Estimates this flat, in terms of the distance to their pole, are taken for real.
FLAT = 1e-5
# So are estimates within this share of the tolerance where a count that tells them from real ones falls short.
NEARLY_REAL = 0.2
# A pole below this fraction of the coupling cannot split a double root by more than the floor of the tolerance.
WEAK = 4.0 * EPSILON
# Poles become one within this share of the square of a tolerance that is asked for, over the coupling.
MERGED = 0.25


class Status(IntEnum):
    """How a point ended."""

    CERTIFIED = 0
    NOT_CERTIFIED = 1
    TOLERANCE_TOO_SMALL = 2
    NOT_FINITE = 3


CERTIFIED = int(Status.CERTIFIED)
NOT_CERTIFIED = int(Status.NOT_CERTIFIED)
TOLERANCE_TOO_SMALL = int(Status.TOLERANCE_TOO_SMALL)
NOT_FINITE = int(Status.NOT_FINITE)

STATUS_TEXT = {
    Status.CERTIFIED: "certified: the zeros found are all there are",
    Status.NOT_CERTIFIED: "the count of zeros falls short of the certified total",
    Status.TOLERANCE_TOO_SMALL: "below what double precision can vouch for here",
    Status.NOT_FINITE: "momenta, weights, occupations or coupling are not finite numbers, or a momentum p + k/2 or "
    "p - k/2 is zero: correct them, or shift the grid",
}


class Points(NamedTuple):
    """P points that share their momenta."""

    k: np.ndarray  # (P, 3) MeV
    drift: np.ndarray  # (P, 3) V, MeV
    scale: np.ndarray  # (P,) bound of what V was added up from, MeV; 0 without a shift
    factor: np.ndarray  # (P, 4, N) F of the four families
    g: np.ndarray  # (P,) MeV^-2
    constant: np.ndarray  # (P, 4, 4) W0
    # (P,) smallest growth that counts over the coupling 2 g sum w abs(F) (4 g sum w abs(n) at k = 0); NaN for
    # GROWTH_TOLERANCE, or more where rounding hides that much
    fraction: np.ndarray


class Results(NamedTuple):
    """What is found for P points."""

    growth_rate: np.ndarray  # (P,) Im of the fastest omega, 0 where stable, MeV
    frequency: np.ndarray  # (P,) abs Re of it, MeV
    n_unstable: np.ndarray  # (P,) int, number of unstable omega
    floor: (
        np.ndarray
    )  # (P,) the growth that counts, MeV; where less is asked for than can be vouched for, what can be
    status: np.ndarray  # (P,) int, ``Status``
    modes: (
        np.ndarray
    )  # (P, K, 2) Re and Im of the K fastest omega, equal ones repeated; 0 beyond the last, MeV


@jit()
def solve_strip(view, response, tolerance, x, y, multiplicity, work):
    """Unstable modes of one strip; returns their number, or -1 where the count falls short.

    ``response`` is that of ``frozen_response`` where there are at most FEW zeros. ``x``, ``y`` (MeV from the reference,
    growth) and ``multiplicity`` get the discs, those within the tolerance of the real axis left out.
    """
    zeros = view.zeros
    few = zeros <= FEW
    zero_x = np.empty(zeros)
    zero_y = np.empty(zeros)
    host = np.empty(zeros, dtype=np.int64)
    discs = (np.empty(zeros), np.empty(zeros), np.empty(zeros), np.empty(zeros, dtype=np.int64))
    # of few poles the frozen far field is tried as it is: it tells real zeros apart, and the proof polishes the others
    for attempt in range(-1 if few else 0, ATTEMPTS):
        if attempt == -1:
            start_few(view, response, zero_x, zero_y, host)
        elif attempt == 0 and few:
            iterate(view, LOOSE, zero_x, zero_y, host, work)
        elif attempt % 2 == 0:
            start(view, 0.5 + 0.35 * attempt, zero_x, zero_y, host)
            iterate(view, LOOSE if attempt == 0 else TIGHT, zero_x, zero_y, host, work)
        else:
            iterate(view, TIGHT, zero_x, zero_y, host, work)
        upper = count_zeros(view, (zero_x, zero_y, host), 0.0, tolerance, discs, work)
        if upper < 0 and attempt > 0:
            upper = count_zeros(view, (zero_x, zero_y, host), NEARLY_REAL * tolerance, tolerance, discs, work)
        if upper < 0:
            continue
        upper_x, upper_y, _, group = discs
        count = 0
        for k in range(upper):
            if group[k] > 0 and upper_y[k] > tolerance:
                x[count] = upper_x[k]
                y[count] = upper_y[k]
                multiplicity[count] = group[k]
                count += 1
        return count
    return -1


@jit()
def count_zeros(view, estimates, flat, tolerance, discs, work):
    """Prove that ``estimates`` stand for all zeros of a strip; returns the number of those above the axis, or -1.

    Estimates within ``flat`` of the real axis are taken for real, and so are those within NEARLY_REAL of the tolerance
    that no disc of their own is proven for. ``discs`` = (x, y, radius, group) are filled as ``count_complex`` does.
    """
    zero_x, zero_y, host = estimates
    x, y, radius, group = discs
    points = np.empty(view.zeros)
    real = 0
    upper = 0
    for k in range(view.zeros):
        if abs(zero_y[k]) <= max(flat, FLAT * abs(zero_x[k] - view.location[host[k]])):
            points[real] = zero_x[k]
            real += 1
        elif zero_y[k] > 0.0:
            x[upper] = zero_x[k]
            y[upper] = zero_y[k]
            upper += 1
    proven = count_complex(view, x, y, upper, tolerance, radius, group, work)
    for k in range(upper):
        if group[k] == 0 and y[k] <= NEARLY_REAL * tolerance and real + 2 <= view.zeros:
            # with its conjugate
            points[real] = x[k]
            points[real + 1] = x[k]
            real += 2
    if 2 * proven > view.zeros:
        return -1
    order = ascending(points, real)
    separators = np.empty(real)
    for k in range(real):
        separators[k] = points[order[k]]
    found = count_real(view, separators, real, tolerance, (x, y, radius, group, upper), work)
    return upper if found + 2 * proven == view.zeros else -1


@jit()
def drop_weak(high, low, strength, vector, count, least):
    """Leave out poles whose bound is below ``least``: an EPN of 0 that rounding has made a little more."""
    kept = 0
    for j in range(count):
        if 2.0 * abs(strength[j]) >= least:
            high[kept] = high[j]
            low[kept] = low[j]
            strength[kept] = strength[j]
            for a in range(4):
                vector[kept, a] = vector[j, a]
            kept += 1
    return kept


@jit()
def sorted_system(high, low, strength, vector, count, constant):
    """Put poles in ascending order."""
    order = sorted_poles(high, low, count)
    poles = Poles(
        np.empty(count), np.empty(count), np.empty(count), np.empty((count, 4), dtype=np.complex128),
        np.empty(count), count, constant,
    )  # fmt: skip
    for i in range(count):
        j = order[i]
        poles.high[i] = high[j]
        poles.low[i] = low[j]
        poles.strength[i] = strength[j]
        poles.bound[i] = 2.0 * abs(strength[j])
        for a in range(4):
            poles.vector[i, a] = vector[j, a]
    return poles


@jit()
def unstable_modes(poles, merge, tolerance, references, positions, rates, multiplicities):
    """All unstable modes of a system of ``poles``; returns (status, number of discs).

    omega = reference + position + i rate of each disc, with its multiplicity; as many as there are poles at most.
    """
    high, low, strength, _, bound, count, _ = poles
    strips, first = cut_strips(high, low, bound, count)
    work = workspace()
    response = np.empty((FEW, FEW), dtype=np.complex128)
    found = 0
    for s in range(strips):
        begin = first[s]
        end = first[s + 1]
        if one_sign(high, low, strength, bound, count, begin, end):
            continue
        few = end - begin <= FEW
        if few:
            # most strips are settled by the far field in the middle, and need no polynomial
            middle = make_view(poles, begin, end, merge, 1)
            frozen_response(middle, response, work)
            if definite(middle, response) or confined(middle, tolerance, work):
                continue
        view = make_view(poles, begin, end, merge, MAX_ORDER)
        if not few and confined(view, tolerance, work):
            continue
        if not few and view.zeros <= FEW:
            frozen_response(view, response, work)
            if definite(view, response):
                continue
        added = solve_strip(
            view, response, tolerance, positions[found:], rates[found:], multiplicities[found:], work
        )
        if added < 0:
            return NOT_CERTIFIED, found
        for i in range(found, found + added):
            references[i] = high[begin]
            positions[i] += low[begin]
        found += added
    return CERTIFIED, found


@jit()
def modes_of_points(momenta, points, results):
    """Fill the results of all points; each is solved by itself."""
    room = 4 * momenta.energy.size
    high = np.empty(room)
    low = np.empty(room)
    strength = np.empty(room)
    vector = np.empty((room, 4), dtype=np.complex128)
    references = np.empty(room)
    positions = np.empty(room)
    rates = np.empty(room)
    multiplicities = np.empty(room, dtype=np.int64)
    for point in range(points.g.size):
        results.growth_rate[point] = 0.0
        results.frequency[point] = 0.0
        results.n_unstable[point] = 0
        results.floor[point] = np.nan
        results.modes[point, :, :] = 0.0
        count, splitting = fill_poles(
            momenta, points.k[point], points.drift[point], points.factor[point], points.g[point],
            high, low, strength, vector,
        )  # fmt: skip
        finite = points.g[point] > 0.0 and splitting < np.inf
        coupling = 0.0
        for j in range(count):
            coupling += abs(strength[j])
            finite = finite and abs(high[j]) < np.inf and abs(low[j]) < np.inf
        if not (finite and coupling < np.inf):
            results.status[point] = NOT_FINITE
            continue
        count = drop_weak(high, low, strength, vector, count, WEAK * coupling)
        # V and the offsets of k are known to a few roundings
        splitting = max(points.scale[point], splitting)
        vouched = floor_of(coupling, splitting)
        tolerance = max(GROWTH_TOLERANCE * coupling, vouched)
        merge = MERGE * EPSILON * splitting
        if not np.isnan(points.fraction[point]):
            tolerance = points.fraction[point] * coupling
            # what closer poles do to a double zero stays below the tolerance as well
            merge = max(merge, MERGED * tolerance * points.fraction[point])
        results.floor[point] = tolerance
        if not tolerance >= vouched:
            results.floor[point] = vouched
            results.status[point] = TOLERANCE_TOO_SMALL
            continue
        poles = sorted_system(high, low, strength, vector, count, points.constant[point])
        results.status[point], found = unstable_modes(
            poles, merge, tolerance, references, positions, rates, multiplicities
        )
        if results.status[point] != CERTIFIED or found == 0:
            continue
        keys = np.empty(found)
        for i in range(found):
            keys[i] = -rates[i]
            results.n_unstable[point] += multiplicities[i]
        slot = 0
        for i in ascending(keys, found):
            for _ in range(multiplicities[i]):
                if slot < results.modes.shape[1]:
                    results.modes[point, slot, 0] = references[i] + positions[i]
                    results.modes[point, slot, 1] = rates[i]
                    slot += 1
        results.growth_rate[point] = results.modes[point, 0, 1]
        results.frequency[point] = abs(results.modes[point, 0, 0])
    return 0


@jit()
def floor_of(coupling, splitting):
    """Smallest growth that can be vouched for, MeV: a double root splits by the root of a perturbation."""
    return np.sqrt(MERGE * EPSILON * max(splitting, coupling) * coupling)
