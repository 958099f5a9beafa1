"""Growth of many systems that share a grid: the loop over points around ``modes`` and ``eigenvectors``."""

import numpy as np

from pairsweep.analyses.growth.kernels.general.modes import CERTIFIED, unstable_modes
from pairsweep.analyses.growth.kernels.general.shares import mode_share
from pairsweep.kernels.jit import jit

STABLE = 0
OSCILLATING = 1
STATIC = 2


@jit()
def growth_of_points(
    energy, weight, p_hat, n, g, tolerance,
    growth_rate, frequency, n_unstable, mode_kind, share, fast_rate, fast_frequency, status,
):  # fmt: skip
    """Fastest mode, number and shape of the unstable modes of P points that share a grid.

    Parameters
    ----------
    energy, weight : (N,) MeV, MeV^3
    p_hat : (N, 3)
    n : (P, N)
        EPN.
    g, tolerance : (P,) MeV^-2, MeV
        Modes that grow no faster than the tolerance count as stable.
    growth_rate, frequency : (P,) out, MeV
        Of the fastest mode; exactly 0 for a stable point.
    n_unstable : (P,) int out
        Unstable eigenvalues of M, conjugates and multiplicities counted.
    mode_kind : (P,) int8 out
        STABLE, OSCILLATING or STATIC.
    share : (P, N) out
        Share of each pair in the modes as fast as the fastest, to the tolerance; NaN for a stable point.
    fast_rate, fast_frequency : (P, K) out, MeV
        The K fastest modes, a conjugate pair once, equal ones repeated; 0 beyond the last.
    status : (P,) int out
        ``modes.STATUS_TEXT``; the other outputs of a point without certificate mean nothing.
    """
    pairs = energy.size
    rates = np.empty(2 * pairs)
    references = np.empty(2 * pairs)
    positions = np.empty(2 * pairs)
    multiplicities = np.empty(2 * pairs, dtype=np.int64)
    for point in range(g.size):
        growth_rate[point] = 0.0
        frequency[point] = 0.0
        n_unstable[point] = 0
        mode_kind[point] = STABLE
        share[point, :] = np.nan
        fast_rate[point, :] = 0.0
        fast_frequency[point, :] = 0.0
        status[point], count = unstable_modes(
            energy,
            weight,
            p_hat,
            n[point],
            g[point],
            tolerance[point],
            rates,
            references,
            positions,
            multiplicities,
        )
        if status[point] != CERTIFIED or count == 0:
            continue
        growth_rate[point] = rates[0]
        frequency[point] = references[0] + positions[0]
        mode_kind[point] = OSCILLATING if frequency[point] > 0.0 else STATIC
        equally_fast = np.int64(0)
        slot = 0
        for i in range(count):
            oscillating = references[i] + positions[i] > 0.0
            n_unstable[point] += (2 if oscillating else 1) * multiplicities[i]
            if rates[i] >= rates[0] - tolerance[point]:
                equally_fast += 1
            for _ in range(multiplicities[i]):
                if slot < fast_rate.shape[1]:
                    fast_rate[point, slot] = rates[i]
                    fast_frequency[point, slot] = references[i] + positions[i]
                    slot += 1
        mode_share(
            energy, weight, p_hat, n[point], g[point],
            rates, references, positions, multiplicities, equally_fast, share[point],
        )  # fmt: skip
    return 0
