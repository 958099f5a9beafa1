"""Growth rates of many small systems that share a grid, eight points at a time, each with a certificate.

For maps: N pairs from 1 to about 64, any number of points. A point that cannot be certified says so in its status and
belongs to the general solver; nothing is guessed. ``bulk_dispersion`` derives the function, ``bulk_roots`` its zeros
and the discs that certify them.
"""

import numpy as np

from pairsweep.analyses.growth.kernels.batch.dispersion import SMALLEST, fill_poles, share_grid
from pairsweep.analyses.growth.kernels.batch.roots import enclose_roots, improve_roots, start_roots
from pairsweep.analyses.growth.kernels.batch.shares import MEAN, SHARE_FIELDS, fastest_shares, principal_root
from pairsweep.analyses.growth.kernels.batch.signs import fill_cuts, stable_by_signs
from pairsweep.analyses.growth.kernels.batch.tables import (
    COUNTED,
    EPN,
    HI,
    IM,
    POLE_FIELDS,
    RADIUS,
    ROOT_FIELDS,
    SITE_FIELDS,
    SLOT_FIELDS,
    lay_out,
)
from pairsweep.kernels.complex_lanes import load, select, size, square_root, store
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES, splat

STABLE = 0
OSCILLATING = 1
STATIC = 2

LARGEST = 1e100  # MeV; beyond it, or not a number: not a system

CERTIFIED = 0
NOT_CERTIFIED = 1

# What is known of eight points when they are solved, and what comes out
COUPLING, TOLERANCE, GIVEN_FIELDS = 0, 1, 2
GROWTH, FREQUENCY, UNSTABLE, KIND, STATUS, RESULT_FIELDS = 0, 1, 2, 3, 4, 5


@jit()
def bulk_growth(
    energy, weight, p_hat, n, g, tolerance, energy_bin,
    growth_rate, frequency, n_unstable, mode_kind, status, energy_weight,
):  # fmt: skip
    """Fastest mode and number of unstable modes of P points that share a grid.

    Parameters
    ----------
    energy, weight : (N,) MeV, MeV^3
    p_hat : (N, 3)
    n : (P, N)
        EPN.
    g : (P,) MeV^-2
    tolerance : (P,) MeV
        Smallest growth that counts; slower modes are stable. Decisions are certain to a tenth of it.
    energy_bin : (N,) int
        Bin of each pair in ``energy_weight``.
    growth_rate, frequency : (P,) out
        Re and abs Im of the fastest eigenvalue of M, MeV; exactly 0 for a stable point.
    n_unstable : (P,) int out
        Eigenvalues of M with a growth above the tolerance, conjugates and multiplicities counted.
    mode_kind : (P,) int8 out
        0 stable, 1 oscillating, 2 static (Im lambda = 0).
    status : (P,) int8 out
        0 certified, 1 not certified: the other outputs of that point mean nothing.
    energy_weight : (P, n_bins) out
        Share of the bins in the fastest mode, |u|^2 + |v|^2 of its kappa and conj(kappa) amplitudes, the mean over
        equally fast modes; NaN for a stable point. n_bins = 0 leaves it out.

    Returns
    -------
    int : number of points that are not certified
    """
    pairs = energy.size
    points = g.size
    bins = energy_weight.shape[1]
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
            fastest_shares(shared, poles, sites, slots, roots, energy_bin, fastest, limit, shares)
        for lane in range(min(LANES, points - first)):
            point = first + lane
            growth_rate[point] = results[0, GROWTH, lane]
            frequency[point] = results[0, FREQUENCY, lane]
            n_unstable[point] = int(results[0, UNSTABLE, lane])
            mode_kind[point] = int(results[0, KIND, lane])
            status[point] = int(results[0, STATUS, lane])
            failed += status[point] != CERTIFIED
            for b in range(bins):
                energy_weight[point, b] = shares[b, MEAN, lane]
    return failed


@jit()
def classify(slots, roots, calm, cut, classes, limit, sound, results):
    """Reduce the discs to growth rate, frequency, number of unstable modes, kind and status, ``results`` (1, 5, 8).

    ``limit`` (lanes, MeV) is the tolerance; lanes that are not ``sound`` are not certified. Zeros in a ``calm`` strip
    between two cuts (``bulk_stable``) are real however wide their discs.
    """
    fastest = splat(0.0)
    turning = splat(0.0)
    unstable = splat(0.0)
    kind = splat(STABLE)
    unsure = select(sound, splat(CERTIFIED), NOT_CERTIFIED)
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
        grows = counts & (growth > limit)
        for k in range(classes):
            below = size(turns) - error
            above = size(turns) + error
            strip = load(calm, k, 0) > 0.0
            inside = strip & (below > cut[k]) & (above < cut[k + 1])
            sharp = (sharp | inside) & ~(strip & ~inside & (above > cut[k]) & (below < cut[k + 1]))
            grows = grows & ~inside
        unsure = select(counts & ~sharp, NOT_CERTIFIED, unsure)
        unstable = unstable + select(grows, splat(1.0), 0.0)
        static = (sh < 0.0) & ((size(si) <= reach) | (size(turns) <= limit))
        faster = grows & (growth > fastest)
        fastest = select(faster, growth, fastest)
        turning = select(faster, select(static, 0.0, size(turns)), turning)
        kind = select(faster, select(static, STATIC, splat(OSCILLATING)), kind)
    store(results, 0, GROWTH, fastest)
    store(results, 0, FREQUENCY, turning)
    store(results, 0, UNSTABLE, unstable)
    store(results, 0, KIND, kind)
    store(results, 0, STATUS, unsure)
    return 0
