"""The splitting method with steps chosen by measurement.

A round runs a step size and, beside it, a larger one: their difference is the error of the coarser run, with all
that the trajectory makes of it. Errors fall at least like the order of the scheme in h alone, so the coarser run
vouches for any run of a step up to VOUCHED times smaller. The steps of the first round are guessed: mostly it is the
only one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pairsweep.analyses.evolution.batch import Batch, Ints, Work
from pairsweep.analyses.evolution.kernels.schemes import ABA1084, ABA1086, Tableau
from pairsweep.analyses.evolution.kernels.splitting import LARGEST_TURN, Scheme, integrate, make_lanes
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.kernels.lanes import LANES
from pairsweep.physics.grid import Floats

# A loose tolerance is met between the resonance at a phase pi of the fastest pair in a step (twice the phase a full
# turn) and 2 pi, where splitting is useless; the two phases of the first round.
LOOSE = 3e-6
LOOSE_PHASES = 4.4, 5.4
# Below the resonance, measured on the Letter's grids, where B is TIGHT_RATIO of A: a step of TIGHT_PHASE errs by up to
# TIGHT_ERROR tolerances of TIGHT, and the error grows with at least this power of the step.
TIGHT, TIGHT_RATIO, TIGHT_PHASE, TIGHT_ERROR, POWER = 1e-8, 4e-3, 1.72, 15.0, 6.4
LONGEST_PHASE = 2.5
# Steps less different than this say nothing of the error.
LEAST_RATIO = 1.2
# How far the order is trusted: from a measured step to one this many times smaller.
VOUCHED = 4.0
# Shares of the tolerance that are aimed at, when the next round is vouched for and when it must be measured again.
AIM, AIM_AGAIN = 0.9, 0.5
# From this number of pairs on the lanes hold pairs of one point instead of points.
PAIRS_IN_LANES = 256
ROUNDS = 10
# Rounding grows with the number of steps and is much the same in both runs, so their difference does not show it. With
# what an instability makes of it by the end, 2e-15 to 12e-15 of a step were measured at g' = 1e-7 and 1e-8: twice the
# tolerance is not exceeded.
ROUNDING = 6e-15
MOST_STEPS = 3 * 10**7
# A run is lost when a clearly smaller step does not bring the deviation below this fraction of the one before:
# at once where it is small (rounding), after three times where it is not (the step may still be far too long).
CLEARLY, LOST, SMALL, CHANCES = 1.4, 0.7, 0.03, 3


@dataclass(eq=False)
class _Search:
    """Search for one point's step: the two steps of the next round (1/MeV) and what the last one measured.

    ``vouched`` is the error that the last round's order promises for the next, which then needs no check; else it
    is NaN.
    """

    step: float
    check_step: float
    vouched: float = np.nan
    deviation: float = np.inf
    deviation_steps: float = 0.0
    chances: int = CHANCES

    def steps(self, times: Floats) -> Ints:
        """Numbers of steps (2, T) that lead to each sample, of the run and of its check; 0 without a check."""
        fine = _steps_between(times, self.step)
        if np.isfinite(self.vouched):
            return np.stack([fine, np.zeros_like(fine)])
        coarse = _steps_between(times, self.check_step)
        return np.stack([2 * coarse if np.array_equal(fine, coarse) else fine, coarse])


def run_splitting(batch: Batch, work: Work, points: Ints) -> None:
    """Run every point with the longest step whose measured error meets the tolerance."""
    scheme = ABA1084 if batch.tolerance >= LOOSE else ABA1086
    # the layout depends on the system alone, never on how many points there are
    width = 1 if batch.pairs.energy.size >= PAIRS_IN_LANES else LANES
    for point in points:
        work.method[point] = "splitting"
    searches = _first_steps(batch, work, points, scheme)
    for _ in range(ROUNDS):
        plans = {point: search.steps(batch.times[point]) for point, search in searches.items()}
        # every lane stops where it has arrived: points of similar length go together
        queue = sorted(plans, key=lambda point: (plans[point][1].any(), plans[point][0].sum()))
        # the states of so many are held together
        together = width * max(1, batch.window // (width * batch.times.shape[1]))
        for start in range(0, len(queue), together):
            members = queue[start : start + together]
            _integrate(batch, work, members, np.stack([plans[point] for point in members]), scheme, width)
        for point, steps in plans.items():
            if not _plan_next(batch, work, point, searches[point], steps, scheme):
                del searches[point]
    for point in searches:
        work.miss(point, "splitting", batch.tolerance)


def _first_steps(batch: Batch, work: Work, points: Ints, scheme: Tableau) -> dict[int, _Search]:
    """Steps of the first round: by the phase of the fastest pair and by the turn of B in a stage."""
    pairs, tolerance = batch.pairs, batch.tolerance
    coupling = 4.0 * np.abs(batch.g) * np.sum(np.abs(pairs.weight) * batch.spins, axis=1)
    fastest = 2.0 * float(np.max(np.abs(pairs.energy)))
    # what does not turn sets no limit; later steps are smaller, and so are those of their checks
    with np.errstate(divide="ignore", invalid="ignore"):
        if tolerance >= LOOSE:
            phase = np.full(batch.g.size, LOOSE_PHASES[1])
            ratio = phase / LOOSE_PHASES[0]
        else:
            room = (tolerance / TIGHT) * (TIGHT_RATIO * fastest / coupling)
            wanted = TIGHT_PHASE * room ** (1.0 / POWER)
            phase = np.fmin(wanted, LONGEST_PHASE)
            # so much smaller a step that the order just vouches for it
            error = TIGHT_ERROR * (phase / wanted) ** POWER
            ratio = np.fmax((1.0 + error) ** (1.0 / scheme.orders[-1]), LEAST_RATIO)
        longest = np.fmin(phase / fastest, LARGEST_TURN / (coupling * np.max(np.abs(scheme.b))))
    searches = {}
    for point in points:
        step = float(longest[point]) if np.isfinite(longest[point]) else float(batch.times[point, -1])
        most = min(MOST_STEPS, tolerance / ROUNDING)
        if batch.times[point, -1] > most * step:
            numbers = {"phase": fastest * batch.times[point, -1], "most": most, "longest": 0.95 * most * step}
            work.fail(point, Status.TOO_LONG, tolerance=tolerance, **numbers)
            continue
        searches[int(point)] = _Search(step / float(ratio[point]), step)
    return searches


def _steps_between(times: Floats, longest: float) -> Ints:
    """Numbers of steps (T,) of at most ``longest`` that lead to each sample."""
    spacing = np.diff(times, prepend=0.0)
    # the slack keeps a spacing that is a whole number of steps from one more step by rounding
    return np.maximum(np.ceil(spacing / longest - 1e-9), spacing > 0.0).astype(np.int64)


def _integrate(
    batch: Batch, work: Work, members: list[int], steps: Ints, scheme: Tableau, width: int
) -> None:
    """Integrate points, ``steps`` (points, 2, T), ``width`` of them side by side; idle lanes repeat the last one."""
    used, samples = len(members), batch.times.shape[1]
    row = np.minimum(np.arange(-(-used // width) * width), used - 1)
    points = np.array(members)[row]
    of_step = Scheme(scheme.a, scheme.b)
    parts = [slice(first, first + width) for first in range(0, row.size, width)]
    g, counts = batch.g[points], steps[row]
    deviation = np.where(counts[:, 1].any(axis=1), 0.0, np.nan)
    status = np.full(row.size, Status.OK, dtype=np.int64)
    window = max(1, batch.window // row.size)
    for first in range(0, samples, window):
        last = min(first + window, samples)
        states = np.empty((row.size, last - first, *batch.start.shape[1:]))
        times = np.ascontiguousarray(batch.times[points, first:last])
        for part in parts:
            if first == 0:  # several windows have only one part, whose lanes go on
                lanes = make_lanes(of_step, batch.pairs, batch.start[points[part]])
            counted = np.ascontiguousarray(counts[part, :, first:last].transpose(2, 1, 0))
            results = states[part], deviation[part], status[part]
            integrate(of_step, batch.pairs, g[part], times[part], counted, lanes, *results)
        batch.record(work, members, first, states[:used])
    work.error[members] = deviation[:used]
    work.steps[members] = steps[:, 0].sum(axis=1)
    for point in np.array(members)[status[:used] != Status.OK]:
        work.fail(point, Status.STEP_TOO_LONG)


def _plan_next(batch: Batch, work: Work, point: int, search: _Search, steps: Ints, scheme: Tableau) -> bool:
    """Judge a round by its deviation; place the next one and return True where there must be one."""
    if work.status[point] != Status.OK:
        return False
    tolerance = batch.tolerance
    fine, coarse = (float(count) for count in steps.sum(axis=1))
    rounding = ROUNDING * fine
    if np.isfinite(search.vouched):
        work.error[point] = search.vouched + rounding
        if work.error[point] > tolerance:
            work.miss(point, "splitting", batch.tolerance)
        return False
    deviation = float(work.error[point])
    order = scheme.orders[-1]
    of_fine = deviation / ((fine / coarse) ** order - 1.0)
    work.error[point] = of_fine + rounding
    if work.error[point] <= tolerance:
        return False
    if coarse > CLEARLY * search.deviation_steps and deviation > LOST * search.deviation:
        search.chances = 0 if deviation < SMALL else search.chances - 1
    t_end = float(batch.times[point, -1])
    coarse_step = t_end / coarse
    if search.chances == 0 or rounding > tolerance or t_end / search.step > MOST_STEPS:
        work.miss(point, "splitting", batch.tolerance)
        return False
    search.deviation, search.deviation_steps = deviation, coarse
    if deviation >= SMALL:  # too far from the limit of small steps to follow its order
        search.step, search.check_step = 0.5 * search.step, 0.5 * search.check_step
        return True
    # error of the coarser run, deviation and the finer one's share, and where it has fallen to the tolerance
    error = deviation + of_fine
    step = _step_for(AIM * tolerance, error, coarse_step, order, t_end)
    if step * VOUCHED >= coarse_step:
        search.step = step
        search.vouched = error * (step / coarse_step) ** order
    else:
        search.step = _step_for(AIM_AGAIN * tolerance, error, coarse_step, order, t_end)
        search.check_step = VOUCHED * search.step
    return True


def _step_for(wanted: float, error: float, coarse_step: float, order: int, t_end: float) -> float:
    """Step at which the ``error`` at ``coarse_step`` has fallen to ``wanted`` less rounding; never a longer one."""
    step = coarse_step
    for _ in range(3):  # rounding grows as the step shrinks
        left = max(wanted - ROUNDING * t_end / step, 0.1 * wanted)
        step = min(coarse_step * (left / error) ** (1.0 / order) if error > 0.0 else coarse_step, coarse_step)
    return step
