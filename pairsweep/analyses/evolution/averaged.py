"""The averaged method on a batch: the slow motion alone, at a cost that does not depend on the coupling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.evolution.batch import NOT_FINITE, REFUSED, TOLERANCE_MISSED, Batch, Ints, Work
from pairsweep.analyses.evolution.kernels.averaging import solve as averaged
from pairsweep.analyses.evolution.kernels.averaging.shells import make_shells, smallness, strength_and_width
from pairsweep.analyses.evolution.kernels.averaging.trajectory import DONE
from pairsweep.analyses.evolution.kernels.averaging.trajectory import NOT_FINITE as AVERAGED_NOT_FINITE

# The averaged kernel's statuses that are a failure of the run; all others say that the method does not apply.
KINDS = {AVERAGED_NOT_FINITE: NOT_FINITE, averaged.TOLERANCE_MISSED: TOLERANCE_MISSED}

# Measured on the Letter's grids, with the small ratio r of the averaging (``smallness``): second order meets
# tolerances above about 3 r^2, third order above 0.1 r^2; beyond these phases 2 E t each is faster than splitting.
SECOND_ORDER, SECOND_ORDER_PHASE = 3.0, 1e4
THIRD_ORDER, THIRD_ORDER_PHASE = 0.1, 1e5


def averaging_pays(batch: Batch, points: Ints, tolerance: float) -> NDArray[np.bool_]:
    """Return which points the averaged method is expected to solve to the tolerance faster than splitting."""
    grid = batch.grid
    pays = np.zeros(points.size, dtype=bool)
    frame = (grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat)
    for i, point in enumerate(points):
        g = float(batch.g[point])
        phase = 2.0 * np.max(grid.energy) * batch.times[point, -1]
        spin = np.hypot(batch.rho[point] + batch.rhobar[point] - 1.0, 2.0 * np.abs(batch.kappa0[point]))
        shells = make_shells(*frame, spin, g)
        strength = np.empty(shells.centre.size)
        width = strength_and_width(shells, spin, strength)
        ratio = max(smallness(shells.background, strength, shells.centre, g), width)
        second = tolerance >= SECOND_ORDER * ratio**2
        third = tolerance >= THIRD_ORDER * ratio**2
        pays[i] = (second and phase >= SECOND_ORDER_PHASE) or (third and phase >= THIRD_ORDER_PHASE)
    return pays


def run_averaged(batch: Batch, work: Work, points: Ints, tolerance: float, *, final: bool) -> Ints:
    """Run the averaged equations; return the points that need another method.

    With ``final`` these have failed, with the number that says why; without, nothing of them is kept.
    """
    grid = batch.grid
    rows = np.empty((points.size, *work.rows.shape[1:]))
    free = np.empty((points.size, work.free.shape[1]))
    figures = np.empty((points.size, averaged.POINT_FIGURES))
    status = np.empty(points.size, dtype=np.int64)
    averaged.averaged_points(
        *grid.kernel_arrays,
        batch.rho[points],
        batch.rhobar[points],
        batch.kappa0[points],
        batch.g[points],
        batch.times[points],
        tolerance,
        grid.bin_energy.size,
        batch.n_beam,
        rows,
        free,
        np.empty((points.size, 0, 3, grid.size)),
        figures,
        status,
    )
    done = status == DONE
    work.rows[points[done]] = rows[done]
    work.free[points[done]] = free[done]
    work.drift[points[done]] = figures[done][:, [averaged.ENERGY, averaged.NORM]]
    kept = np.ones_like(done) if final else done
    work.error[points[kept]] = figures[kept, averaged.ERROR]
    work.steps[points[kept]] = figures[kept, averaged.STEPS_TAKEN].astype(np.int64)
    for point, code, figure in zip(points[kept], status[kept], figures[kept], strict=True):
        work.method[point] = "averaged"
        if code != DONE:
            reason = averaged.STATUS_TEXTS[int(code)]
            reason = reason.format(ratio=figure[averaged.RATIO], error=figure[averaged.ERROR])
            work.fail(point, KINDS.get(int(code), REFUSED), reason)
    return np.asarray(points[~done])
