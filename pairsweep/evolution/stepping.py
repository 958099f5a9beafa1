"""The splitting method with steps chosen by measurement.

A round runs a step size and, beside it, a larger one: their difference is the error of the coarser run, with all
that the trajectory makes of it. Errors fall at least like the order of the scheme in h alone, so the coarser run
vouches for any run of a step up to VOUCHED times smaller. A first, cheap round places the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pairsweep.evolution.batch import NOT_FINITE, OK, REFUSED, TOLERANCE_MISSED, Batch, Ints, Work
from pairsweep.grid import Floats
from pairsweep.kernels.lanes import LANES
from pairsweep.kernels.splitting import LARGEST_TURN, integrate
from pairsweep.kernels.tableaus import Tableau

# Phases of the fastest pair in the two steps of a first round: where a loose tolerance may be met at once, else
# below the resonance at pi (twice the phase a full turn). The scheme is useless from 2 pi on.
LOOSE = 3e-6
FIRST_PHASES = {True: (4.6, 5.4), False: (2.2, 2.9)}
# How far the order is trusted: from a measured step to one this many times smaller.
VOUCHED = 4.0
# Share of the tolerance that is aimed at when the next round must be measured again.
AIM = 0.5
# The steps of all points lie on one ladder, so that similar points share a pass.
LADDER_PER_OCTAVE = 8
# From this number of pairs on the lanes hold pairs of one point instead of points.
PAIRS_IN_LANES = 256
ROUNDS = 10
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


def run_splitting(batch: Batch, work: Work, points: Ints, tolerance: float, scheme: Tableau) -> None:
    """Run every point with the longest step whose measured error meets the tolerance."""
    # the layout depends on the system alone, never on how many points there are
    width = 1 if batch.grid.size >= PAIRS_IN_LANES else LANES
    for point in points:
        work.method[point] = "splitting"
    searches = _first_steps(batch, work, points, tolerance, scheme)
    for _ in range(ROUNDS):
        groups: dict[bytes, list[int]] = {}
        for point, search in searches.items():
            groups.setdefault(search.steps(batch.times[point]).tobytes(), []).append(point)
        for members in groups.values():
            steps = searches[members[0]].steps(batch.times[members[0]])
            for start in range(0, len(members), width):
                _pass(batch, work, members[start : start + width], steps, scheme, width)
            for point in members:
                if not _continue(batch, work, point, searches[point], steps, scheme, tolerance):
                    del searches[point]
    for point in searches:
        _miss(work, point, tolerance)


def _miss(work: Work, point: int, tolerance: float) -> None:
    work.fail(
        point,
        TOLERANCE_MISSED,
        f"tolerance = {tolerance:g} missed, error about {work.error[point]:.1e} with {work.steps[point]} steps: "
        "shorten the run or ask for less",
    )


def _first_steps(
    batch: Batch, work: Work, points: Ints, tolerance: float, scheme: Tableau
) -> dict[int, _Search]:
    """Steps of the first round: by the phase of the fastest pair and by the turn of B in a stage."""
    grid = batch.grid
    spins = np.hypot(batch.rho + batch.rhobar - 1.0, 2.0 * np.abs(batch.kappa0))
    most_J = np.sum(np.abs(grid.weight) * spins, axis=1)
    turn = 4.0 * np.abs(batch.g) * most_J * np.max(np.abs(scheme.b))
    fastest = 2.0 * float(np.max(np.abs(grid.energy)))
    fine, coarse = FIRST_PHASES[tolerance >= LOOSE]
    searches = {}
    for point in points:
        # later steps are smaller, and so are those of their checks
        limit = LARGEST_TURN / turn[point] if turn[point] > 0 else batch.times[point, -1]
        step = min(coarse / fastest, limit) if fastest > 0 else limit
        step = _on_ladder(step, coarse / fastest if fastest > 0 else batch.times[point, -1])
        if batch.times[point, -1] > MOST_STEPS * step:
            work.fail(
                point,
                REFUSED,
                f"splitting: over {MOST_STEPS:g} steps for 2 E t = {fastest * batch.times[point, -1]:.1e}: "
                'shorten the run, or use method = "averaged" where g w is small against E',
            )
            continue
        searches[int(point)] = _Search(step * fine / coarse, step)
    return searches


def _on_ladder(step: float, top: float) -> float:
    """Return the largest step not above ``step`` on the geometric ladder below ``top``."""
    rung = np.ceil(np.log2(top / step) * LADDER_PER_OCTAVE - 1e-9)
    return float(top * 2.0 ** (-max(rung, 0.0) / LADDER_PER_OCTAVE))


def _steps_between(times: Floats, longest: float) -> Ints:
    """Numbers of steps (T,) of at most ``longest`` that lead to each sample."""
    # the slack keeps a spacing that is a whole number of steps from one more step by rounding
    return np.ceil(np.diff(times, prepend=0.0) / longest - 1e-9).astype(np.int64)


def _pass(batch: Batch, work: Work, members: list[int], steps: Ints, scheme: Tableau, width: int) -> None:
    """Integrate up to ``width`` points together; what is left over repeats the last point."""
    grid = batch.grid
    points = np.array(members + [members[-1]] * (width - len(members)))
    rows = np.empty((width, *work.rows.shape[1:]))
    free = np.empty((width, work.free.shape[1]))
    deviation = np.empty(width)
    drift = np.empty((width, 2))
    status = np.empty(width, dtype=np.int64)
    integrate(
        scheme.a,
        scheme.b,
        grid.energy,
        grid.weight,
        grid.p_hat,
        grid.theta_hat,
        grid.phi_hat,
        grid.energy_bin,
        grid.quadrant,
        batch.rho[points],
        batch.rhobar[points],
        batch.kappa0[points],
        batch.g[points],
        batch.times[points],
        steps,
        grid.bin_energy.size,
        batch.n_beam,
        rows,
        free,
        deviation,
        drift,
        status,
    )
    used = len(members)
    work.rows[members] = rows[:used]
    work.free[members] = free[:used]
    work.drift[members] = drift[:used]
    work.error[members] = deviation[:used]
    work.steps[members] = steps[0].sum()
    for point in np.array(members)[status[:used] != OK]:
        work.fail(point, NOT_FINITE, "the state is no longer finite: check weights, energies and coupling")


def _continue(
    batch: Batch, work: Work, point: int, search: _Search, steps: Ints, scheme: Tableau, tolerance: float
) -> bool:
    """Judge a round by its deviation; place the next one and return True where there must be one."""
    if work.status[point] != OK:
        return False
    if np.isfinite(search.vouched):
        work.error[point] = search.vouched
        return False
    deviation = float(work.error[point])
    fine, coarse = (float(count) for count in steps.sum(axis=1))
    order = scheme.orders[-1]
    work.error[point] = deviation / ((fine / coarse) ** order - 1.0)
    if work.error[point] <= tolerance:
        return False
    if coarse > CLEARLY * search.deviation_steps and deviation > LOST * search.deviation:
        search.chances = 0 if deviation < SMALL else search.chances - 1
    t_end = float(batch.times[point, -1])
    coarse_step = t_end / coarse
    if search.chances == 0 or t_end / search.step > MOST_STEPS:
        _miss(work, point, tolerance)
        return False
    search.deviation, search.deviation_steps = deviation, coarse
    if deviation >= SMALL:  # too far from the limit of small steps to follow its order
        search.step, search.check_step = 0.5 * search.step, 0.5 * search.check_step
        return True
    # error of the coarser run, deviation and the finer one's share, and where it has fallen to the tolerance
    error = deviation + work.error[point]
    top = search.check_step
    step = _on_ladder(coarse_step * (tolerance / error) ** (1.0 / order), top)
    if step * VOUCHED >= coarse_step:
        search.step = step
        search.vouched = error * (step / coarse_step) ** order
    else:
        search.step = _on_ladder(coarse_step * (AIM * tolerance / error) ** (1.0 / order), top)
        search.check_step = VOUCHED * search.step
    return True
