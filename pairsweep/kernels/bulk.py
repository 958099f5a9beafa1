"""Growth rates of many small systems that share a grid, eight points at a time, each with a certificate.

For maps: N pairs from 1 to about 64, any number of points. A point that cannot be certified says so in its status and
belongs to the general solver; nothing is guessed. ``bulk_dispersion`` derives the function, ``bulk_roots`` its zeros
and the discs that certify them.
"""

import numpy as np

from pairsweep.kernels.bulk_dispersion import SMALLEST, fill_grid, fill_poles
from pairsweep.kernels.bulk_lanes import LANES, load, select, size, spread, square_root, store
from pairsweep.kernels.bulk_roots import enclose_roots, improve_roots, start_roots
from pairsweep.kernels.bulk_stable import fill_cuts, stable_by_signs
from pairsweep.kernels.jit import jit

STABLE = 0
OSCILLATING = 1
STATIC = 2

LARGEST = 1e100  # MeV; beyond it, or not a number: not a system

CERTIFIED = 0
NOT_CERTIFIED = 1


@jit()
def frequency_of(sh, si):
    """Real and imaginary part, both >= 0 up to conjugation, of sqrt(sh + i si)."""
    length = square_root(sh * sh + si * si)
    large = square_root(0.5 * (length + size(sh)))
    small = 0.5 * size(si) / (large + SMALLEST)
    return select(sh >= 0.0, large, small), select(sh >= 0.0, small, large)


@jit()
def bulk_growth(
    energy, weight, p_hat, n, g, tolerance, growth_rate, frequency, n_unstable, mode_kind, status
):
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
    growth_rate, frequency : (P,) out
        Re and abs Im of the fastest eigenvalue of M, MeV; exactly 0 for a stable point.
    n_unstable : (P,) int out
        Eigenvalues of M with a growth above the tolerance, conjugates and multiplicities counted.
    mode_kind : (P,) int8 out
        0 stable, 1 oscillating, 2 static (Im lambda = 0).
    status : (P,) int8 out
        0 certified, 1 not certified: the other outputs of that point mean nothing.

    Returns
    -------
    int : number of points that are not certified
    """
    pairs = energy.size
    points = g.size
    square_hi = np.empty(pairs)
    square_lo = np.empty(pairs)
    outer = np.empty((pairs, 6))
    same_direction = np.empty((pairs, pairs), dtype=np.bool_)
    fill_grid(energy, p_hat, square_hi, square_lo, outer, same_direction)
    energy_class = np.empty(pairs, dtype=np.int64)
    cut = np.empty(pairs + 1)
    classes = fill_cuts(energy, energy_class, cut)
    epn = np.empty((pairs, LANES))
    scalars = np.empty((2, LANES))
    offset = np.empty((pairs, LANES))
    omega = np.empty((pairs, LANES))
    twice = np.empty((pairs, LANES))
    strength = np.empty((pairs, LANES))
    hi = np.empty((pairs, LANES))
    lo = np.empty((pairs, LANES))
    rank = np.empty((pairs, LANES))
    root_hi = np.empty((pairs, LANES))
    root_lo = np.empty((pairs, LANES))
    root_im = np.empty((pairs, LANES))
    vr = np.empty((pairs, LANES))
    vi = np.empty((pairs, LANES))
    new = np.empty((3 * pairs, LANES))
    radius = np.empty((pairs, LANES))
    results = np.empty((5, LANES))
    failed = 0
    for first in range(0, points, LANES):
        for lane in range(LANES):
            point = min(first + lane, points - 1)
            scalars[0, lane] = g[point]
            scalars[1, lane] = tolerance[point]
            for q in range(pairs):
                epn[q, lane] = n[point, q]
        limit = load(scalars, 1)
        widest = fill_poles(
            energy, weight, p_hat, square_hi, square_lo, same_direction, epn, load(scalars, 0),
            offset, omega, twice, strength, hi, lo, rank,
        )  # fmt: skip
        finite = (widest < LARGEST) & (limit > 0.0)
        stable = stable_by_signs(outer, energy_class, cut, classes, omega, twice)
        for q in range(pairs):
            store(rank, q, select(stable, spread(0.0), load(rank, q)))
        start_roots(rank, twice, strength, hi, lo, root_hi, root_lo, root_im)
        improve_roots(
            p_hat, outer, twice, strength, hi, lo, rank, limit, root_hi, root_lo, root_im, vr, vi, new
        )
        enclose_roots(p_hat, outer, twice, strength, hi, lo, rank, root_hi, root_lo, root_im, vr, radius)
        classify(rank, root_hi, root_im, radius, limit, finite, results)
        for lane in range(min(LANES, points - first)):
            point = first + lane
            growth_rate[point] = results[0, lane]
            frequency[point] = results[1, lane]
            n_unstable[point] = int(results[2, lane])
            mode_kind[point] = int(results[3, lane])
            status[point] = int(results[4, lane])
            failed += status[point] != CERTIFIED
    return failed


@jit()
def classify(rank, root_hi, root_im, radius, limit, finite, results):
    """Reduce the discs to growth rate, frequency, number of unstable modes, kind and status, (5, 8)."""
    fastest = spread(0.0)
    turning = spread(0.0)
    unstable = spread(0.0)
    kind = spread(0.0)
    unsure = select(finite, spread(0.0), 1.0)
    for j in range(rank.shape[0]):
        counted = load(rank, j) > 0.0
        sh = load(root_hi, j)
        si = load(root_im, j)
        reach = load(radius, j)
        real, growth = frequency_of(sh, si)
        error = square_root(reach)
        close = reach / (square_root(size(sh) + size(si)) * 0.8 + SMALLEST)
        error = select(close < error, close, error)
        sharp = (error <= 0.1 * limit) | (growth + error < limit)
        unsure = select(counted & ~sharp, spread(1.0), unsure)
        grows = counted & (growth > limit)
        unstable = unstable + select(grows, spread(1.0), 0.0)
        static = (sh < 0.0) & ((size(si) <= reach) | (real <= limit))
        real = select(static, spread(0.0), real)
        faster = grows & (growth > fastest)
        fastest = select(faster, growth, fastest)
        turning = select(faster, real, turning)
        kind = select(faster, select(static, spread(2.0), 1.0), kind)
    store(results, 0, fastest)
    store(results, 1, turning)
    store(results, 2, unstable)
    store(results, 3, kind)
    store(results, 4, unsure)
    return 0
