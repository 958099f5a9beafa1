"""Points that are stable by their signs alone, eight at a time: no root is computed for them.

With c_q = 2 g w_q n_q and all Omega_q > 0 a point is stable if any of these holds.

- No c_q is negative. The linear equations conserve a definite quadratic form then.
- No c_q is positive and P(0) = 1 - sum_q (2 |c_q| / Omega_q) (1 - q_hat q_hat^T) is positive definite: the same form.
- Between the energies there are frequencies x, and at x = 0 too, with sum_q 2 |c_q| (1/|x - Omega_q| + 1/(x + Omega_q))
  < 1, and no energy has c_q of both signs. Scaling all c_q up from 0, no zero ever crosses the line Re omega = x, so
  every strip keeps as many zeros as its poles brought. Along the real axis the number of negative eigenvalues of the
  hermitian W(omega) is 0 at either end of a strip and jumps at each pole by its rank, always in one direction, so
  at least that many eigenvalues pass 0 in between: all zeros of the strip are real.

The last argument holds for every strip between two such frequencies by itself, whatever the other energies do. All
this covers the systems whose symmetry makes zeros coincide (isotropic occupations), where discs are at their worst.
"""

import numpy as np

from pairsweep.analyses.growth.kernels.batch.tables import OMEGA, OUTER, TWICE
from pairsweep.kernels.complex_lanes import load, select, size, store
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import splat

MARGIN = 1e-9  # far above the rounding of these sums


@jit()
def fill_cuts(energy, energy_class, cut):
    """Number the distinct energies of ``energy`` (N,) in ascending order and put cuts below each of them.

    Parameters
    ----------
    energy_class : (N,) int64 out
    cut : (N + 1,) out, MeV
        cut[k] lies below class k in terms of Omega = 2E; cut[0] = 0 and the last one is infinite.

    Returns
    -------
    int : number of classes
    """
    classes = 0
    lowest = -np.inf
    for _ in range(energy.size):
        following = np.inf
        for q in range(energy.size):
            if energy[q] > lowest:
                following = min(following, energy[q])
        if following == np.inf:
            break
        cut[classes] = lowest + following if classes > 0 else 0.0
        for q in range(energy.size):
            if energy[q] == following:
                energy_class[q] = classes
        classes += 1
        lowest = following
    cut[classes] = np.inf
    return classes


@jit()
def stable_by_signs(shared, poles, energy_class, cut, classes, calm):
    """Mask of the lanes that are certainly stable.

    ``calm`` (N, 1, 8) is set to 1 for the strips cut[k] < Re omega < cut[k + 1] that hold real zeros only, else 0.
    """
    pairs = poles.shape[0]
    lowest = load(poles, 0, OMEGA)
    anywhere_positive = splat(0.0)
    anywhere_negative = splat(0.0)
    apart = splat(1.0)
    placed = splat(1.0)
    for k in range(classes):
        coupling = splat(0.0)
        positive = splat(0.0)
        negative = splat(0.0)
        for q in range(pairs):
            here = load(poles, q, OMEGA)
            c = load(poles, q, TWICE)
            lowest = select(here < lowest, here, lowest)
            larger = select(here > cut[k], here, cut[k])
            coupling = coupling + 2.0 * size(c) * larger / size(here * here - cut[k] * cut[k])
            if energy_class[q] == k:
                positive = select(c > 0.0, splat(1.0), positive)
                negative = select(c < 0.0, splat(1.0), negative)
                placed = select((here > cut[k]) & (here < cut[k + 1]), placed, 0.0)
        anywhere_positive = anywhere_positive + positive
        anywhere_negative = anywhere_negative + negative
        one_sign = positive * negative < 0.5
        cuts = coupling < 1.0 - MARGIN
        apart = select(cuts & one_sign, apart, 0.0)
        store(calm, k, 0, select(cuts & one_sign, splat(1.0), 0.0))
        if k > 0:
            store(calm, k - 1, 0, select(cuts, load(calm, k - 1, 0), 0.0))
    placed = select(lowest > 0.0, placed, 0.0)
    apart = apart * placed
    for k in range(classes):
        store(calm, k, 0, load(calm, k, 0) * placed)
    xx = splat(0.0)
    yy = splat(0.0)
    zz = splat(0.0)
    xy = splat(0.0)
    xz = splat(0.0)
    yz = splat(0.0)
    for q in range(pairs):
        a = load(poles, q, TWICE) / load(poles, q, OMEGA)
        xx = xx + shared[q, OUTER] * a
        yy = yy + shared[q, OUTER + 1] * a
        zz = zz + shared[q, OUTER + 2] * a
        xy = xy + shared[q, OUTER + 3] * a
        xz = xz + shared[q, OUTER + 4] * a
        yz = yz + shared[q, OUTER + 5] * a
    px = 1.0 + (yy + zz)
    py = 1.0 + (xx + zz)
    pz = 1.0 + (xx + yy)
    minor = px * py - xy * xy
    determinant = px * (py * pz - yz * yz) - xy * (xy * pz + yz * xz) - xz * (xy * yz + py * xz)
    definite = (px > MARGIN) & (minor > MARGIN) & (determinant > MARGIN)
    return (lowest > 0.0) & (
        (anywhere_negative < 0.5) | ((anywhere_positive < 0.5) & definite) | (apart > 0.5)
    )
