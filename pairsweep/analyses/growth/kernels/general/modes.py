"""All unstable modes of a system of any size, with a certificate.

Poles are merged and cut into strips (``poles``), distant strips become polynomials (``farfield``) and so do the distant
poles of a large strip (``window``). All zeros of a strip are found by Ehrlich-Aberth iteration (``roots``) and counted
again by inertia and discs (``proof``). A strip whose count falls short is tried again, from where it is and
from other starting angles with the full deflation; if it still falls short the system is not certified and says so.
Pairs of nearly no EPN are ``faint``. Cost O(N) for a fixed number of pairs per energy.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from pairsweep.analyses.growth.kernels.dispersion import LOCATION, ROWS, SUMS
from pairsweep.analyses.growth.kernels.general.faint import (
    CLOUD,
    enclose_crowded,
    enclose_faint,
    find_faint,
    meets_circle,
)
from pairsweep.analyses.growth.kernels.general.farfield import (
    MAX_ORDER,
    binomials,
    expansion_order,
    moments,
    reach,
)
from pairsweep.analyses.growth.kernels.general.poles import MERGE, cluster_poles, screen
from pairsweep.analyses.growth.kernels.general.proof import (
    LARGEST_GROUP,
    count_real,
    make_walls,
    simple_zero,
    smallest_disc,
)
from pairsweep.analyses.growth.kernels.general.roots import LOOSE, TIGHT, WINDOW, iterate, start
from pairsweep.analyses.growth.kernels.general.strip import faint_poles, make_strip, nearest_pole
from pairsweep.analyses.growth.kernels.general.window import WHOLE, look, make_windows, window_room
from pairsweep.analyses.growth.kernels.results import Diagnosis
from pairsweep.kernels.coupling import oscillators
from pairsweep.kernels.exact import EPSILON
from pairsweep.kernels.jit import jit
from pairsweep.kernels.sorting import ascending


class Status(IntEnum):
    """What came of a search for all modes; ``text`` says it in words."""

    CERTIFIED = 0
    NOT_CERTIFIED = 1
    TOLERANCE_TOO_SMALL = 2
    TOO_MANY_MODES = 3
    NOT_FINITE = 4

    @property
    def text(self):
        """The status in words."""
        return (
            "certified: the zeros found are all there are",
            "the zeros of the dispersion function could not all be accounted for",
            "growth_tolerance is below what double precision can vouch for",
            "more unstable modes than the output holds: enlarge it to 2 N",
            "energies, weights, occupations, coupling or tolerance are not finite numbers: correct them",
        )[self]


class ModeTable(NamedTuple):
    """Room for K modes, each conjugate pair once, fastest first.

    Attributes
    ----------
    rates : (K,) MeV
        Growth rates Re(lambda) > 0.
    references, positions : (K,) MeV
        abs(Im(lambda)) as the sum of 2E of the nearby pairs and the distance from it, which at tiny g the sum would
        lose; both are exactly 0 for a static mode.
    multiplicities : (K,) int
        Number of equal eigenvalues.
    """

    rates: np.ndarray
    references: np.ndarray
    positions: np.ndarray
    multiplicities: np.ndarray


def mode_table(modes):
    """Room for K modes."""
    return ModeTable(np.empty(modes), np.empty(modes), np.empty(modes), np.empty(modes, dtype=np.int64))


ATTEMPTS = 4
# Rounds in which faint poles become strong ones; in the last one none is faint.
PROMOTIONS = 4
POLISH = 4
# Estimates this flat, in terms of the distance to their pole, are taken for real.
FLAT = 1e-5
FLATTER = 1e-8
# A group of equal zeros may take a disc of this fraction of its growth rate, in SPREADS steps of a factor 10.
WIDEST = 1e-3
SPREADS = 4


@jit()
def coupling_norm(weight, n, g):
    """Bound 4 g sum w abs(n) of the coupling, MeV: no growth rate exceeds it."""
    total = 0.0
    for q in range(n.size):
        total += abs(weight[q] * n[q])
    return 4.0 * abs(g) * total


def tolerance_floor(coupling, scale):
    """Smallest growth that can be vouched for, MeV; arrays too.

    Omega is known to MERGE roundings of ``scale`` = 4 g sum w abs(n + 1), and a double root at a threshold splits by
    the square root of a perturbation times the coupling.
    """
    return np.sqrt(MERGE * EPSILON * np.maximum(scale, coupling) * coupling)


_tolerance_floor = jit()(tolerance_floor)


@jit()
def verify_complex(strip, windows, faint, x, y, number, tolerance, radius, group):
    """Prove the ``number`` estimates x + i y above the axis, sorted by x, one by one or as groups; return their zeros.

    ``radius`` gets the radius of each disc and ``group`` the zeros in it. Proven estimates move to the centre of their
    disc; those that joined the group of another get -1, those that are not proven 0.
    """
    # np.int64 here and below: a plain constant would compile another copy of the callee
    nearest = np.int64(0)
    polish = np.int64(POLISH)
    room = window_room(strip, windows)
    poles = np.empty((ROWS, room))
    work = np.empty((4, room))
    sums = np.empty(SUMS)
    panel = np.int64(WHOLE)
    view = strip
    proven = 0
    group[:number] = 0
    radius[:number] = np.inf
    for i in range(number):
        if group[i] != 0:
            continue
        z = complex(x[i], y[i])
        nearest = nearest_pole(strip, z.real, nearest)
        members = np.int64(1)
        largest = max(tolerance, WIDEST * y[i])
        view, panel, local = look(strip, windows, nearest, z.real, z.imag, poles, view, panel)
        r, c = simple_zero(view, z, local, faint, work, sums)
        found = r <= min(0.5 * tolerance, 0.5 * c.imag) and abs(c - z) <= 0.5 * y[i]
        if not found:
            # the series with the pole taken out is dearer, and sharper between poles that are close together
            r, c = smallest_disc(view, z, local, faint, members, min(0.5 * tolerance, 0.5 * y[i]), polish)
            found = r < np.inf and abs(c - z) <= 0.5 * y[i]
        reach = 0.0
        for widening in range(SPREADS):
            if found:
                break
            # widen the group until a disc holds it
            spread = largest * 10.0 ** (widening + 1 - SPREADS)
            total = z
            members = np.int64(1)
            for j in range(i + 1, number):
                if x[j] - x[i] > spread or members == LARGEST_GROUP:
                    break
                if group[j] == 0 and abs(complex(x[j], y[j]) - z) <= spread:
                    total += complex(x[j], y[j])
                    members += 1
            if members == 1:
                continue
            reach = spread
            r, c = smallest_disc(
                view, total / members, local, faint, members, min(largest, 0.5 * y[i]), polish
            )
            found = r < np.inf and abs(c - z) <= largest
        if not found or not r < c.imag:
            continue
        free = True
        for j in range(i - 1, -1, -1):
            if c.real - x[j] > 4.0 * largest:
                break
            if group[j] > 0 and abs(c - complex(x[j], y[j])) <= r + radius[j]:
                free = False
        if not free:
            continue
        for j in range(i + 1, number):
            if members == 1 or x[j] - x[i] > reach:
                break
            if group[j] == 0 and abs(complex(x[j], y[j]) - z) <= reach:
                group[j] = -1
        x[i] = c.real
        y[i] = c.imag
        radius[i] = r
        group[i] = members
        proven += members
    return proven


@jit()
def _strip_modes(clusters, k, tolerance, moment, binomial, table, at, too_close):
    """Append the modes of strip ``k`` with growth above ``tolerance`` to ``table`` behind index ``at``.

    Faint poles that are too close to a zero of the others are marked in ``too_close`` (n_faint,).

    Returns (status, number of modes after it, diagnosis).
    """
    strip = make_strip(clusters, k, moment, binomial)
    windows = make_windows(strip, binomial)
    zeros = strip.zeros
    both = clusters.central and k == 0
    faint = faint_poles(clusters, k)
    faints = faint.shape[1]
    low = np.empty(faints + strip.own)
    high = np.empty(faints + strip.own)
    largest = 0.45 * tolerance
    first = clusters.faint_first[k]
    about_faint, inside = enclose_faint(
        strip, windows, faint, largest, low, high, too_close[first : first + faints]
    )
    if about_faint < 0:
        return Status.NOT_CERTIFIED, at, Diagnosis(k, 0, zeros, 0, 0)
    faint_low = low[:about_faint].copy()
    faint_high = high[:about_faint].copy()
    wall_low = np.empty(faints + strip.own)
    wall_high = np.empty(faints + strip.own)
    zero_x = np.empty(zeros)
    zero_y = np.empty(zeros)
    host = np.empty(zeros, dtype=np.int64)
    real_x = np.empty(2 * zeros)
    points = np.empty(2 * zeros)
    upper = np.empty((2, zeros))
    upper_x = np.empty(zeros)
    upper_y = np.empty(zeros)
    radius = np.empty(zeros)
    group = np.empty(zeros, dtype=np.int64)
    discs = np.empty((2, zeros))
    real = 0
    proven = 0
    hidden = inside
    for attempt in range(ATTEMPTS):
        if attempt != 1:
            # the second attempt takes the first one further
            start(strip, 0.6 + 0.35 * attempt, zero_x, zero_y, host)
        steady = LOOSE if attempt == 0 else TIGHT
        flat = FLAT if attempt == 0 else FLATTER
        iterate(strip, windows, WINDOW if attempt < 2 else zeros, steady, zero_x, zero_y, host)
        circles = np.int64(about_faint)
        hidden = inside
        if attempt > 0:
            # assigned as slices they would compile numba's errors about shapes too, for seconds
            for i in range(circles):
                low[i] = faint_low[i]
                high[i] = faint_high[i]
            circles, crowd = enclose_crowded(
                strip, windows, faint, largest, zero_x, zero_y, low, high, circles
            )
            hidden += crowd
        walls = make_walls(strip, low, high, circles, wall_low, wall_high)
        reals = np.int64(0)
        uppers = np.int64(0)
        for i in range(zeros):
            near = strip.poles[LOCATION, nearest_pole(strip, zero_x[i], host[i])]
            if abs(zero_y[i]) <= flat * abs(zero_x[i] - near):
                real_x[reals] = zero_x[i]
                reals += 1
            elif zero_y[i] > 0.0 and not meets_circle(zero_x[i], zero_y[i], 0.0, low, high, circles):
                upper[0, uppers] = zero_x[i]
                upper[1, uppers] = zero_y[i]
                uppers += 1
        order = ascending(upper[0], uppers)
        for i in range(uppers):
            upper_x[i] = upper[0, order[i]]
            upper_y[i] = upper[1, order[i]]
        proven = verify_complex(strip, windows, faint, upper_x, upper_y, uppers, tolerance, radius, group)
        # what is not proven and slow enough to be stable may be a pair on or next to the axis
        for i in range(uppers):
            if group[i] == 0 and upper_y[i] < 0.5 * tolerance and reals + 2 <= 2 * zeros:
                real_x[reals] = upper_x[i]
                real_x[reals + 1] = upper_x[i]
                reals += 2
        order = ascending(real_x, reals)
        for i in range(reals):
            points[i] = real_x[order[i]]
        real, used = count_real(
            strip, windows, faint, points, reals, 0.9 * tolerance, walls, wall_low, wall_high, discs
        )
        if real + 2 * proven != zeros - hidden or _overlap(
            upper_x, upper_y, radius, group, uppers, discs, used, low, high, circles
        ):
            continue
        seen = Diagnosis(k, attempt + 1, zeros, real + hidden, 2 * proven)
        for i in range(uppers):
            # what is left out grows no faster than the tolerance, its disc included
            if group[i] <= 0 or upper_y[i] + radius[i] <= tolerance:
                continue
            static = both and abs(upper_x[i]) <= radius[i]
            if both and upper_x[i] < 0.0 and not static:
                continue
            if at >= table.rates.size:
                return Status.TOO_MANY_MODES, at, seen
            table.rates[at] = upper_y[i]
            table.references[at] = clusters.reference[k]
            table.positions[at] = 0.0 if static else upper_x[i]
            table.multiplicities[at] = group[i]
            at += 1
        return Status.CERTIFIED, at, seen
    return Status.NOT_CERTIFIED, at, Diagnosis(k, ATTEMPTS, zeros, real + hidden, 2 * proven)


@jit()
def _overlap(x, y, radius, group, number, discs, used, low, high, circles):
    """Whether a proven disc above the axis meets one of the discs about the axis: a zero might be counted twice."""
    for i in range(number):
        if group[i] > 0:
            for d in range(used):
                if abs(complex(x[i] - discs[0, d], y[i])) <= radius[i] + discs[1, d]:
                    return True
            if meets_circle(x[i], y[i], radius[i], low, high, circles):
                return True
    return False


@jit()
def unstable_modes(energy, weight, p_hat, n, g, growth_tolerance, table):
    """Find all modes that grow faster than ``growth_tolerance``, each conjugate pair once, fastest first.

    Parameters
    ----------
    energy, weight, n : (N,) MeV, MeV^3, 1
    p_hat : (N, 3)
    g : float, MeV^-2
    growth_tolerance : float, MeV
        Modes at or below it count as stable. It must not be below ``tolerance_floor``.
    table : ModeTable, filled

    Returns
    -------
    (Status, int, Diagnosis)
        The number of modes in the table; unless the status is CERTIFIED they are not to be used.
    """
    return screened_modes(energy, weight, p_hat, n, g, growth_tolerance, table, np.empty((0, 0)))


@jit()
def screened_modes(energy, weight, p_hat, n, g, growth_tolerance, table, root):
    """Find all modes like `unstable_modes`, every residue screened by ``root`` (3, 3), or none where it is empty."""
    pairs = energy.size
    base = np.empty(pairs)
    offset = np.empty(pairs)
    strength = np.empty(pairs)
    scale = oscillators(energy, weight, p_hat, n, g, base, offset, strength)
    coupling = coupling_norm(weight, n, g)
    finite = np.isfinite(scale + coupling + growth_tolerance)
    for q in range(pairs):
        finite = finite and np.isfinite(base[q] + offset[q])
    nothing = Diagnosis(0, 0, 0, 0, 0)
    if not finite:
        return Status.NOT_FINITE, 0, nothing
    if growth_tolerance < _tolerance_floor(coupling, scale):
        return Status.TOLERANCE_TOO_SMALL, 0, nothing
    faint = np.empty(pairs, dtype=np.bool_)
    faints = find_faint(strength, growth_tolerance, faint)
    binomial = binomials(np.int64(MAX_ORDER))
    found = np.int64(0)
    status = Status.NOT_CERTIFIED
    seen = nothing
    for turn in range(PROMOTIONS):
        clusters = cluster_poles(base, offset, strength, p_hat, scale, faint, 0.0)
        if root.size > 0:
            screen(clusters, root)
        too_close = np.zeros(clusters.faint_bound.size, dtype=np.bool_)
        status, found, seen = _all_strips(clusters, growth_tolerance, binomial, table, too_close)
        if status != Status.NOT_CERTIFIED or faints == 0:
            break
        # poles too close to a zero of the others become strong; in the end, or if that was not it, all of them do
        promoted = 0
        for q in range(pairs):
            if faint[q] and (turn == PROMOTIONS - 2 or too_close[-2 - clusters.owner[q]]):
                faint[q] = False
                promoted += 1
        if promoted == 0:
            faint[:] = False
            promoted = faints
        faints -= promoted
    if status == Status.NOT_CERTIFIED:
        find_faint(strength, growth_tolerance, faint)
        clusters = cluster_poles(base, offset, strength, p_hat, scale, faint, CLOUD * growth_tolerance)
        if root.size > 0:
            screen(clusters, root)
        if clusters.faint_half.size > 0 and clusters.faint_half.min() < np.inf:
            too_close = np.zeros(clusters.faint_bound.size, dtype=np.bool_)
            status, found, last = _all_strips(clusters, growth_tolerance, binomial, table, too_close)
            if last.attempt > 0:
                seen = last
    if status == Status.CERTIFIED:
        _sort_fastest_first(table, found)
    return status, found, seen


@jit()
def _all_strips(clusters, tolerance, binomial, table, too_close):
    """Fill the table with the modes of all strips, in their order; see ``_strip_modes``."""
    order = np.int64(1)
    for k in range(clusters.count):
        order = max(order, expansion_order(clusters, k, reach(clusters, k)))
    moment = moments(clusters, order)
    found = np.int64(0)
    seen = Diagnosis(0, 0, 0, 0, 0)
    worst = Status.CERTIFIED
    for k in range(clusters.count):
        if 2.0 * clusters.total[k] <= tolerance:
            # no zero of the strip is farther from its real poles
            continue
        status, found, last = _strip_modes(clusters, k, tolerance, moment, binomial, table, found, too_close)
        if worst == Status.CERTIFIED:
            worst = status
            seen = last
        # faint poles that must be strong ones are looked for in all strips before it starts again
        if status == Status.TOO_MANY_MODES or (status == Status.NOT_CERTIFIED and last.attempt > 0):
            break
    return worst, found, seen


@jit()
def _sort_fastest_first(table, found):
    """Sort the first ``found`` modes of a table by falling rate."""
    falling = np.empty(found)
    for i in range(found):
        falling[i] = -table.rates[i]
    fastest = ascending(falling, found)
    kept = np.empty((3, found))
    groups = table.multiplicities[:found].copy()
    for i in range(found):
        kept[0, i] = table.rates[i]
        kept[1, i] = table.references[i]
        kept[2, i] = table.positions[i]
    for i in range(found):
        table.rates[i] = kept[0, fastest[i]]
        table.references[i] = kept[1, fastest[i]]
        table.positions[i] = kept[2, fastest[i]]
        table.multiplicities[i] = groups[fastest[i]]
