"""scipy's DOP853 with the compiled right-hand side: slow, and independent of everything else here."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pairsweep.analyses.evolution.batch import Batch, Ints, Work
from pairsweep.analyses.evolution.kernels.equations import right_hand_side
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.physics.grid import Floats

# Tolerance of a step for one of the run, the least that DOP853 accepts without complaint, and that of the check.
SAFETY, SMALLEST, CHECK = 1e-4, 1e-13, 10.0


def run_reference(batch: Batch, work: Work, points: Ints) -> None:
    """Run scipy's DOP853 from sample to sample; its own control keeps the error of a step, not of the run.

    The error of the run is taken from its difference to a second one at ten times the tolerance.
    """
    tight = max(SAFETY * batch.tolerance, SMALLEST)
    for point in points:
        work.method[point] = "reference"
        work.error[point] = 0.0
        runs = zip(_dop853(batch, point, tight), _dop853(batch, point, CHECK * tight), strict=True)
        for sample, ((state, count), (other, _)) in enumerate(runs):
            batch.record(work, [point], sample, state[None, None])
            off = max(np.max(np.abs(state[0] - other[0])), 2 * np.max(np.hypot(*(state - other)[1:])))
            work.error[point] = max(work.error[point], 2.0 * off / CHECK)
            work.steps[point] = count
        if work.status[point] == Status.OK and not work.error[point] <= batch.tolerance:
            work.miss(point, "the reference", batch.tolerance)


def _dop853(batch: Batch, point: int, tolerance: float) -> Iterator[tuple[Floats, int]]:
    """Yield (n, Re kappa, Im kappa), (3, N), and the evaluations so far at every sample time."""
    from scipy.integrate import DOP853  # a second to import, and seldom wanted

    pairs, g = batch.pairs, float(batch.g[point])
    size = pairs.energy.size
    half = 0.5 * (batch.rho[point] + batch.rhobar[point])

    def rate(_: float, y: Floats) -> Floats:
        out = np.empty(3 * size)
        occupation = half + 0.5 * y[2 * size :]
        kappa, dkappa = y[: 2 * size].view(complex), out[: 2 * size].view(complex)
        right_hand_side(pairs, g, occupation, occupation, kappa, out[2 * size :], dkappa)
        out[2 * size :] *= 2.0
        return out

    # the occupations enter as their change, so that small ones lose no digits
    start = batch.start[point]
    y = np.concatenate([start[1:].T.ravel(), np.zeros(size)])
    t, count, step = 0.0, 0, None
    for target in batch.times[point]:
        if target > t:
            first = None if step is None else min(step, float(target) - t)
            solver = DOP853(rate, t, y, target, rtol=tolerance, atol=tolerance, first_step=first)
            while solver.status == "running":
                solver.step()
                # the last step of an interval is cut short by its end
                step = solver.h_abs if solver.status == "running" else step
            y, t = solver.y, float(target)
            count += solver.nfev
        now = y[: 2 * size].reshape(size, 2)
        yield np.stack([2.0 * half - 1.0 + y[2 * size :], now[:, 0], now[:, 1]]), count
