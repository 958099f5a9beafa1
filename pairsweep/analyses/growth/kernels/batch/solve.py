"""Growth rates of many small systems that share a grid, eight points at a time, each with a certificate.

For maps: N pairs from 1 to about 64, any number of points. A point that cannot be certified says so in its status and
belongs to the general solver; nothing is guessed. ``bulk_dispersion`` derives the function, ``bulk_roots`` its zeros
and the discs that certify them.
"""

from enum import IntEnum

import numpy as np

from pairsweep.analyses.growth.kernels.batch.dispersion import SMALLEST, fill_poles, share_grid
from pairsweep.analyses.growth.kernels.batch.roots import enclose_roots, improve_roots, start_roots
from pairsweep.analyses.growth.kernels.batch.shares import MEAN, SHARE_FIELDS, fastest_shares, principal_root
from pairsweep.analyses.growth.kernels.batch.signs import fill_cuts, stable_by_signs
from pairsweep.analyses.growth.kernels.batch.tables import (
    COUNTED,
    EPN,
    GROWING,
    HI,
    IM,
    POLE_FIELDS,
    RADIUS,
    ROOT_FIELDS,
    SITE_FIELDS,
    SLOT_FIELDS,
    TURNING,
    lay_out,
)
from pairsweep.kernels.complex_lanes import load, select, size, square_root, store
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES, splat

LARGEST = 1e100  # MeV; beyond it, or not a number: not a system


class Status(IntEnum):
    """Whether a point is solved; if not it belongs to the general solver."""

    CERTIFIED = 0
    NOT_CERTIFIED = 1


# of a `ModeKind` and a `Status` in lanes, which are doubles
OSCILLATING, STATIC = 1.0, 2.0

# What is known of eight points when they are solved, and what comes out
COUPLING, TOLERANCE, GIVEN_FIELDS = 0, 1, 2
GROWTH, FREQUENCY, UNSTABLE, KIND, STATUS, RESULT_FIELDS = 0, 1, 2, 3, 4, 5


@jit()
def bulk_growth(energy, weight, p_hat, n, g, tolerance, group, out):
    """Fastest mode and number of unstable modes of P points that share a grid.

    Parameters
    ----------
    energy, weight : (N,) MeV, MeV^3
    p_hat : (N, 3)
    n : (P, N)
        EPN.
    g : (P,) MeV^-2
    tolerance : (P,) MeV
        Slower modes are stable. Decisions are certain to a tenth of it, and what grows faster is never left out.
    group : (N,) int
        Column of each pair in ``out.share``, which may have none.
    out : PointTable, filled
        With a `Status`, and the share of each group in the fastest mode, |u|^2 + |v|^2 of its kappa and conj(kappa)
        amplitudes, the mean over equally fast modes.

    Returns
    -------
    int : number of points that are not certified
    """
    pairs = energy.size
    points = g.size
    bins = out.share.shape[1]
    modes = out.rates.shape[1]
    shared = share_grid(energy, weight, p_hat)
    energy_class = np.empty(pairs, dtype=np.int64)
    cut = np.empty(pairs + 1)
    classes = fill_cuts(energy, energy_class, cut)
    calm = np.empty((pairs, 1, LANES))
    poles = np.empty((pairs, POLE_FIELDS, LANES))
    all_sites = np.empty((pairs, SITE_FIELDS, LANES))
    all_slots = np.empty((pairs, SLOT_FIELDS, LANES))
    roots = np.empty((pairs, ROOT_FIELDS, LANES))
    given = np.empty((1, GIVEN_FIELDS, LANES))
    results = np.empty((1, RESULT_FIELDS, LANES))
    shares = np.empty((bins, SHARE_FIELDS, LANES))
    failed = 0
    for first in range(0, points, LANES):
        for lane in range(LANES):
            # the last block is filled up with copies of the last point
            point = min(first + lane, points - 1)
            given[0, COUPLING, lane] = g[point]
            given[0, TOLERANCE, lane] = tolerance[point]
            for q in range(pairs):
                poles[q, EPN, lane] = n[point, q]
        limit = load(given, 0, TOLERANCE)
        widest = fill_poles(shared, load(given, 0, COUPLING), poles)
        stable = stable_by_signs(shared, poles, energy_class, cut, classes, calm)
        for q in range(pairs):
            store(poles, q, COUNTED, select(stable, 0.0, load(poles, q, COUNTED)))
        used, taken = lay_out(shared, poles, all_sites, all_slots)
        sites = all_sites[:used]
        slots = all_slots[:taken]
        start_roots(slots, roots)
        improve_roots(sites, slots, limit, roots)
        enclose_roots(sites, slots, poles, roots)
        classify(slots, roots, calm, cut, classes, limit, (widest < LARGEST) & (limit > 0.0), results)
        if bins > 0:
            fastest = load(results, 0, GROWTH)
            fastest_shares(shared, poles, sites, slots, roots, group, fastest, limit, shares)
        for lane in range(min(LANES, points - first)):
            point = first + lane
            out.growth_rate[point] = results[0, GROWTH, lane]
            out.frequency[point] = results[0, FREQUENCY, lane]
            out.n_unstable[point] = int(results[0, UNSTABLE, lane])
            out.mode_kind[point] = int(results[0, KIND, lane])
            out.status[point] = int(results[0, STATUS, lane])
            failed += out.status[point] != Status.CERTIFIED
            for b in range(bins):
                out.share[point, b] = shares[b, MEAN, lane]
            if modes == 1:
                out.rates[point, 0] = results[0, GROWTH, lane]
                out.frequencies[point, 0] = results[0, FREQUENCY, lane]
            else:
                list_modes(slots, roots, lane, out.rates[point], out.frequencies[point])
    return failed


@jit()
def list_modes(slots, roots, lane, rates, frequencies):
    """Fill ``rates`` and ``frequencies`` (K,), MeV, with the fastest modes that ``classify`` noted in one lane."""
    rates[:] = 0.0
    frequencies[:] = 0.0
    for k in range(rates.size):
        fastest = -1
        for j in range(slots.shape[0]):
            # of a conjugate pair the one above the axis
            listed = slots[j, COUNTED, lane] > 0.0 and roots[j, TURNING, lane] >= 0.0
            if listed and roots[j, GROWING, lane] > rates[k]:
                rates[k] = roots[j, GROWING, lane]
                frequencies[k] = roots[j, TURNING, lane]
                fastest = j
        if fastest < 0:
            break
        roots[fastest, GROWING, lane] = 0.0


@jit()
def classify(slots, roots, calm, cut, classes, limit, sound, results):
    """Reduce the discs to growth rate, frequency, number of unstable modes, kind and status, ``results`` (1, 5, 8).

    Every root gets its growth, 0 where it is stable, and its frequency, MeV, in GROWING and TURNING. ``limit`` (lanes,
    MeV) is the tolerance; lanes that are not ``sound`` are not certified. Zeros in a ``calm`` strip between two cuts
    (``signs``) are real however wide their discs.
    """
    fastest = splat(0.0)
    turning = splat(0.0)
    unstable = splat(0.0)
    kind = splat(0.0)
    unsure = select(sound, splat(0.0), 1.0)
    for j in range(slots.shape[0]):
        counts = load(slots, j, COUNTED) > 0.0
        sh = load(roots, j, HI)
        si = load(roots, j, IM)
        reach = load(roots, j, RADIUS)
        turns, growth = principal_root(sh, si)
        # |sqrt(s + r) - sqrt(s)| is at most sqrt|r|, and at most |r / sqrt(s)|
        error = square_root(reach)
        close = 1.2 * reach / (square_root(size(sh) + size(si)) + SMALLEST)
        error = select(close < error, close, error)
        sharp = (error <= 0.1 * limit) | (growth + error < limit)
        grows = counts & (growth + error > limit)
        for k in range(classes):
            below = size(turns) - error
            above = size(turns) + error
            strip = load(calm, k, 0) > 0.0
            inside = strip & (below > cut[k]) & (above < cut[k + 1])
            sharp = (sharp | inside) & ~(strip & ~inside & (above > cut[k]) & (below < cut[k + 1]))
            grows = grows & ~inside
        unsure = select(counts & ~sharp, 1.0, unsure)
        unstable = unstable + select(grows, splat(1.0), 0.0)
        static = (sh < 0.0) & ((size(si) <= reach) | (size(turns) <= limit))
        faster = grows & (growth > fastest)
        fastest = select(faster, growth, fastest)
        turning = select(faster, select(static, 0.0, size(turns)), turning)
        kind = select(faster, select(static, splat(STATIC), OSCILLATING), kind)
        store(roots, j, GROWING, select(grows, growth, 0.0))
        store(roots, j, TURNING, select(static, 0.0, turns))
    store(results, 0, GROWTH, fastest)
    store(results, 0, FREQUENCY, turning)
    store(results, 0, UNSTABLE, unstable)
    store(results, 0, KIND, kind)
    store(results, 0, STATUS, unsure)
    return 0
