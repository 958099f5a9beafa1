"""Growth of many systems that share a grid: the loop over points around ``modes`` and ``shares``."""

import numpy as np

from pairsweep.analyses.growth.kernels.general.modes import ModeTable, Status, screened_modes, unstable_modes
from pairsweep.analyses.growth.kernels.general.shares import mode_share
from pairsweep.analyses.growth.kernels.results import ModeKind
from pairsweep.kernels.jit import jit


@jit()
def growth_of_points(energy, weight, p_hat, n, g, tolerance, out):
    """Fastest mode, number and shape of the unstable modes of P points that share a grid.

    Parameters
    ----------
    energy, weight : (N,) MeV, MeV^3
    p_hat : (N, 3)
    n : (P, N)
        EPN.
    g, tolerance : (P,) MeV^-2, MeV
        Modes that grow no faster than the tolerance count as stable.
    out : PointTable, filled
        With a share of each pair, and a `modes.Status`.
    """
    pairs = energy.size
    table = ModeTable(
        np.empty(2 * pairs), np.empty(2 * pairs), np.empty(2 * pairs), np.empty(2 * pairs, dtype=np.int64)
    )
    for point in range(g.size):
        out.growth_rate[point] = 0.0
        out.frequency[point] = 0.0
        out.n_unstable[point] = 0
        out.mode_kind[point] = ModeKind.STABLE
        out.share[point, :] = np.nan
        out.rates[point, :] = 0.0
        out.frequencies[point, :] = 0.0
        status, count, seen = unstable_modes(
            energy, weight, p_hat, n[point], g[point], tolerance[point], table
        )
        out.status[point] = status
        out.seen[point, 0] = seen.strip
        out.seen[point, 1] = seen.attempt
        out.seen[point, 2] = seen.zeros
        out.seen[point, 3] = seen.real
        out.seen[point, 4] = seen.proven
        if status != Status.CERTIFIED or count == 0:
            continue
        out.growth_rate[point] = table.rates[0]
        out.frequency[point] = table.references[0] + table.positions[0]
        out.mode_kind[point] = ModeKind.OSCILLATING if out.frequency[point] > 0.0 else ModeKind.STATIC
        equally_fast = np.int64(0)
        slot = 0
        for i in range(count):
            turning = table.references[i] + table.positions[i]
            out.n_unstable[point] += (2 if turning > 0.0 else 1) * table.multiplicities[i]
            if table.rates[i] >= table.rates[0] - tolerance[point]:
                equally_fast += 1
            for _ in range(table.multiplicities[i]):
                if slot < out.rates.shape[1]:
                    out.rates[point, slot] = table.rates[i]
                    out.frequencies[point, slot] = turning
                    slot += 1
        mode_share(energy, weight, p_hat, n[point], g[point], table, equally_fast, out.share[point])


@jit()
def screened_growth_of_points(energy, weight, p_hat, n, g, tolerance, root, out):
    """Fastest mode of P points with residues screened by ``root`` (P, 3, 3), see `poles.screen`.

    The others are those of `growth_of_points`; of ``out`` growth_rate, frequency and status are filled.
    """
    pairs = energy.size
    table = ModeTable(
        np.empty(2 * pairs), np.empty(2 * pairs), np.empty(2 * pairs), np.empty(2 * pairs, dtype=np.int64)
    )
    for point in range(g.size):
        status, count, _ = screened_modes(
            energy, weight, p_hat, n[point], g[point], tolerance[point], table, root[point]
        )
        found = status == Status.CERTIFIED and count > 0
        out.growth_rate[point] = table.rates[0] if found else 0.0
        out.frequency[point] = table.references[0] + table.positions[0] if found else 0.0
        out.status[point] = status
