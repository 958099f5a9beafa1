"""All unstable modes of a system of any size, with a certificate.

Poles are merged and cut into strips (``poles``), distant strips become polynomials (``farfield``), all zeros of a strip
are found by Ehrlich-Aberth iteration (``aberth``) and counted again by inertia and discs (``certificate``). A strip
whose count falls short is tried again from other starting angles and with the full deflation; if it still falls short
the system is not certified and says so. Cost O(N) for a fixed number of pairs per energy.
"""

import numpy as np

from pairsweep.kernels.aberth import WINDOW, iterate, start
from pairsweep.kernels.certificate import count_real, disc_radius
from pairsweep.kernels.dispersion import RESIDUE, SUMS, oscillators
from pairsweep.kernels.farfield import (
    binomials,
    expansion_order,
    far_field,
    moments,
    near_count,
    near_poles,
    reach,
)
from pairsweep.kernels.jit import jit
from pairsweep.kernels.poles import EPSILON, MERGE, cluster_poles

CERTIFIED = 0
NOT_CERTIFIED = 1
TOLERANCE_TOO_SMALL = 2
TOO_MANY_MODES = 3
NOT_FINITE = 4

STATUS_TEXT = {
    CERTIFIED: "certified: the zeros found are all there are",
    NOT_CERTIFIED: "the count of zeros falls short of the certified total: raise growth_tolerance, or use method dense",
    TOLERANCE_TOO_SMALL: "growth_tolerance is below what double precision can vouch for: raise it to the stated floor",
    TOO_MANY_MODES: "more unstable modes than the output holds: enlarge it to 2 N",
    NOT_FINITE: "energies, weights, occupations, coupling or tolerance are not finite numbers: correct them",
}

ATTEMPTS = 4
POLISH = 3


@jit()
def coupling_norm(weight, n, g):
    """Bound 4 g sum w abs(n) of the coupling, MeV: no growth rate exceeds it."""
    total = 0.0
    for q in range(n.size):
        total += abs(weight[q] * n[q])
    return 4.0 * abs(g) * total


@jit()
def tolerance_floor(coupling, scale):
    """Smallest growth that can be vouched for, MeV.

    Omega is known to MERGE roundings of ``scale`` = 4 g sum w abs(n + 1), and a double root at a threshold splits by
    the square root of a perturbation times the coupling.
    """
    return np.sqrt(MERGE * EPSILON * max(scale, coupling) * coupling)


@jit()
def _strip_modes(clusters, k, all_zeros, tolerance, order_moments, moment, binomial, rates, frequencies, at):
    """Append the modes of strip ``k`` with growth above ``tolerance`` behind index ``at``.

    Returns (status, number of modes after it).
    """
    radius = reach(clusters, k)
    order = expansion_order(clusters, k, radius)
    local = np.zeros((max(order, 1), RESIDUE))
    far_size = far_field(clusters, k, radius, min(order, order_moments), moment, binomial, local)
    own = clusters.first[k + 1] - clusters.first[k]
    extra = near_count(clusters, k, radius)
    count = own + extra
    location = np.empty(count)
    residue = np.empty((RESIDUE, count))
    bound = np.empty(count)
    offset = clusters.first[k]
    for j in range(own):
        location[j] = clusters.location[offset + j]
        bound[j] = clusters.bound[offset + j]
        for i in range(RESIDUE):
            residue[i, j] = clusters.residue[i, offset + j]
    near_poles(clusters, k, radius, own, location, residue, bound)
    rank = clusters.rank[offset : offset + own]
    seed = clusters.seed[:, offset : offset + own]
    zeros = rank.sum()
    if zeros == 0:
        return CERTIFIED, at
    centre = clusters.centre[k]
    cut = clusters.half[k] + clusters.room[k]
    outside = all_zeros - zeros
    both = clusters.central and k == 0

    zero_x = np.empty(zeros)
    zero_y = np.empty(zeros)
    host = np.empty(zeros, dtype=np.int64)
    complex_x = np.empty(zeros)
    complex_y = np.empty(zeros)
    complex_r = np.empty(zeros)
    real_x = np.empty(zeros)
    work = np.empty((4, count))
    sums = np.empty(SUMS)
    for attempt in range(ATTEMPTS):
        start(location, rank, seed, own, 0.6 + 0.35 * attempt, zero_x, zero_y, host)
        window = WINDOW if attempt < 2 else zeros
        iterate(location, residue, count, centre, local, order, radius, window, zero_x, zero_y, host, zeros)
        n_complex = 0
        n_real = 0
        for i in range(zeros):
            x = zero_x[i]
            y = zero_y[i]
            if abs(y) <= 0.1 * tolerance:
                real_x[n_real] = x
                n_real += 1
                continue
            if y < 0.0:
                continue
            r = np.inf
            for _ in range(POLISH):
                r, step = disc_radius(
                    x, y, location, residue, bound, rank, own, count, centre, local, order, far_size,
                    zeros, outside, cut, work, sums,
                )  # fmt: skip
                if r < 0.1 * tolerance and abs(step) <= 4.0 * EPSILON * (abs(x) + abs(y)):
                    break
                x -= step.real
                y -= step.imag
            complex_x[n_complex] = x
            complex_y[n_complex] = y
            complex_r[n_complex] = r
            n_complex += 1
        by_position = np.argsort(complex_x[:n_complex])
        verified = 0
        for a in range(n_complex):
            i = by_position[a]
            if not complex_r[i] < complex_y[i]:
                complex_r[i] = np.inf
                continue
            free = True
            for b in range(a):
                j = by_position[a - 1 - b]
                if complex_r[j] == np.inf:
                    continue
                gap = complex_x[i] - complex_x[j]
                if gap > 0.2 * tolerance:
                    break
                if gap * gap + (complex_y[i] - complex_y[j]) ** 2 <= (complex_r[i] + complex_r[j]) ** 2:
                    free = False
                    break
            if free and complex_r[i] <= 0.1 * tolerance:
                verified += 2
            else:
                complex_r[i] = np.inf
        points = np.sort(real_x[:n_real])
        real = count_real(
            location, residue, bound, own, count, centre, local, order, far_size, radius, points, n_real
        )
        if real + verified == zeros:
            for a in range(n_complex):
                i = by_position[a]
                if complex_r[i] == np.inf or complex_y[i] <= tolerance:
                    continue
                x = complex_x[i]
                static = both and abs(x) <= complex_r[i]
                if both and x < 0.0 and not static:
                    continue
                if at >= rates.size:
                    return TOO_MANY_MODES, at
                rates[at] = complex_y[i]
                frequencies[at] = 0.0 if static else clusters.reference[k] + x
                at += 1
            return CERTIFIED, at
    return NOT_CERTIFIED, at


@jit()
def unstable_modes(energy, weight, p_hat, n, g, growth_tolerance, rates, frequencies, multiplicities):
    """Find all modes that grow faster than ``growth_tolerance``, each conjugate pair once.

    Parameters
    ----------
    energy, weight, n : (N,) MeV, MeV^3, 1
    p_hat : (N, 3)
    g : float, MeV^-2
    growth_tolerance : float, MeV
        Modes at or below it count as stable. It must not be below ``tolerance_floor``.
    rates, frequencies : (K,) MeV, filled
        Re(lambda) > 0 and abs(Im(lambda)); fastest first.
    multiplicities : (K,) int, filled
        Number of equal eigenvalues.

    Returns
    -------
    (status, count)
        See ``STATUS_TEXT``; unless it is CERTIFIED the outputs are not to be used.
    """
    pairs = energy.size
    base = np.empty(pairs)
    offset = np.empty(pairs)
    strength = np.empty(pairs)
    scale = oscillators(energy, weight, p_hat, n, g, base, offset, strength)
    coupling = coupling_norm(weight, n, g)
    if not (
        np.isfinite(scale)
        and np.isfinite(coupling)
        and np.isfinite(growth_tolerance)
        and np.all(np.isfinite(base))
    ):
        return NOT_FINITE, 0
    if growth_tolerance < tolerance_floor(coupling, scale):
        return TOLERANCE_TOO_SMALL, 0
    clusters = cluster_poles(base, offset, strength, p_hat, scale)
    order = 1
    for k in range(clusters.count):
        order = max(order, expansion_order(clusters, k, reach(clusters, k)))
    moment = moments(clusters, order)
    binomial = binomials(order)
    all_zeros = 2 * clusters.rank.sum()
    if clusters.central:
        all_zeros -= clusters.rank[: clusters.first[1]].sum()
    found = 0
    for k in range(clusters.count):
        status, found = _strip_modes(
            clusters, k, all_zeros, growth_tolerance, order, moment, binomial, rates, frequencies, found
        )
        if status != CERTIFIED:
            return status, found
    fastest = np.argsort(-rates[:found])
    rates[:found] = rates[:found][fastest]
    frequencies[:found] = frequencies[:found][fastest]
    multiplicities[:found] = 1
    return CERTIFIED, found
