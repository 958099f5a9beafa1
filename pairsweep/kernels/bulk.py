"""Growth rates of many small systems that share a grid, eight points at a time, each with a certificate.

For maps: N pairs from 1 to about 64, any number of points. A point that cannot be certified says so in its status and
belongs to the general solver; nothing is guessed. ``bulk_dispersion`` derives the function, ``bulk_roots`` its zeros
and the discs that certify them.
"""

import numpy as np

from pairsweep.kernels.bulk_dispersion import SMALLEST, empty_poles, fill_poles, share_grid
from pairsweep.kernels.bulk_lanes import LANES, load, select, size, spread, square_root, store
from pairsweep.kernels.bulk_layout import empty_sites, empty_slots, lay_out
from pairsweep.kernels.bulk_roots import empty_roots, enclose_roots, improve_roots, start_roots
from pairsweep.kernels.bulk_stable import fill_cuts, stable_by_signs
from pairsweep.kernels.bulk_weight import fastest_shares, principal_root
from pairsweep.kernels.jit import jit

STABLE = 0
OSCILLATING = 1
STATIC = 2

LARGEST = 1e100  # MeV; beyond it, or not a number: not a system

CERTIFIED = 0
NOT_CERTIFIED = 1


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
    shared = share_grid(energy, weight, p_hat)
    energy_class = np.empty(pairs, dtype=np.int64)
    cut = np.empty(pairs + 1)
    calm = np.empty((pairs, LANES))
    classes = fill_cuts(energy, energy_class, cut)
    poles = empty_poles(pairs)
    sites = empty_sites(pairs)
    slots = empty_slots(pairs)
    roots = empty_roots(pairs)
    epn = np.empty((pairs, LANES))
    scalars = np.empty((2, LANES))
    results = np.empty((5, LANES))
    bins = energy_weight.shape[1]
    shares = np.empty((bins, LANES))
    mean_shares = np.empty((bins, LANES))
    failed = 0
    for first in range(0, points, LANES):
        for lane in range(LANES):
            # the last block is filled up with copies of the last point
            point = min(first + lane, points - 1)
            scalars[0, lane] = g[point]
            scalars[1, lane] = tolerance[point]
            for q in range(pairs):
                epn[q, lane] = n[point, q]
        limit = load(scalars, 1)
        widest = fill_poles(shared, epn, load(scalars, 0), poles)
        stable = stable_by_signs(shared.outer, energy_class, cut, classes, poles.omega, poles.twice, calm)
        for q in range(pairs):
            store(poles.counted, q, select(stable, 0.0, load(poles.counted, q)))
        lay_out(shared, poles, sites, slots)
        start_roots(slots, roots)
        improve_roots(sites, slots, limit, roots)
        enclose_roots(sites, slots, poles, roots)
        classify(slots, roots, calm, cut, classes, limit, (widest < LARGEST) & (limit > 0.0), results)
        if bins > 0:
            fastest_shares(
                shared, poles, sites, slots, roots, epn, energy_bin, load(results, 0), shares, mean_shares
            )
        for lane in range(min(LANES, points - first)):
            point = first + lane
            growth_rate[point] = results[0, lane]
            frequency[point] = results[1, lane]
            n_unstable[point] = int(results[2, lane])
            mode_kind[point] = int(results[3, lane])
            status[point] = int(results[4, lane])
            failed += status[point] != CERTIFIED
            for b in range(bins):
                energy_weight[point, b] = mean_shares[b, lane]
    return failed


@jit()
def classify(slots, roots, calm, cut, classes, limit, sound, results):
    """Reduce the discs to growth rate, frequency, number of unstable modes, kind and status, ``results`` (5, 8).

    ``limit`` (lanes, MeV) is the tolerance; lanes that are not ``sound`` are not certified. Zeros in a ``calm`` strip
    between two cuts (``bulk_stable``) are real however wide their discs.
    """
    fastest = spread(0.0)
    turning = spread(0.0)
    unstable = spread(0.0)
    kind = spread(STABLE)
    unsure = select(sound, spread(CERTIFIED), NOT_CERTIFIED)
    for j in range(slots.size[0]):
        counts = load(slots.counted, j) > 0.0
        sh = load(roots.hi, j)
        si = load(roots.im, j)
        reach = load(roots.radius, j)
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
            strip = load(calm, k) > 0.0
            inside = strip & (below > cut[k]) & (above < cut[k + 1])
            sharp = (sharp | inside) & ~(strip & ~inside & (above > cut[k]) & (below < cut[k + 1]))
            grows = grows & ~inside
        unsure = select(counts & ~sharp, NOT_CERTIFIED, unsure)
        unstable = unstable + select(grows, spread(1.0), 0.0)
        static = (sh < 0.0) & ((size(si) <= reach) | (size(turns) <= limit))
        faster = grows & (growth > fastest)
        fastest = select(faster, growth, fastest)
        turning = select(faster, select(static, 0.0, size(turns)), turning)
        kind = select(faster, select(static, STATIC, spread(OSCILLATING)), kind)
    store(results, 0, fastest)
    store(results, 1, turning)
    store(results, 2, unstable)
    store(results, 3, kind)
    store(results, 4, unsure)
    return 0
