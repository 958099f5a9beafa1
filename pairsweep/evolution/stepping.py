"""The splitting method with steps chosen by measurement.

Each round runs two step sizes at once. Their difference is the error of the coarser run; by the order of the
scheme in h alone, the lowest that its error can have, it vouches for the finer one. The first round is cheap and
places the second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pairsweep.evolution.batch import NOT_FINITE, OK, TOLERANCE_MISSED, Batch, Ints, Work
from pairsweep.grid import Floats
from pairsweep.kernels.lanes import LANES
from pairsweep.kernels.splitting import LARGEST_TURN, integrate
from pairsweep.kernels.tableaus import Tableau

# Phase of the fastest pair in a step of the first round, and the ratio of its two steps.
FIRST_PHASE, FIRST_RATIO = 2.7, 4.0 / 3.0
# Ratio of the two steps of every other round.
RATIO = 2.5
# Share of the tolerance that is aimed at, so that the second round is usually the last.
AIM = 0.7
LADDER_PER_OCTAVE = 4
# By how much a step may be cut from one round to the next.
LEAST_CUT, MOST_CUT = 2.0 ** (1 / LADDER_PER_OCTAVE), 16.0
# From this number of pairs on the lanes hold pairs of one point instead of points.
PAIRS_IN_LANES = 256
ROUNDS = 10
MOST_STEPS = 10**9
# A run is lost when a clearly smaller step does not bring the deviation below this fraction of the one before:
# at once where it is small (rounding), after three times where it is not (the step may still be far too long).
LOST, SMALL, CHANCES = 0.7, 0.03, 3


@dataclass(eq=False)
class _Search:
    """State of the search for one point's step: the step now, the last deviation, and chances left."""

    longest: float
    deviation: float = np.inf
    chances: int = CHANCES
    placed: bool = False


def run_splitting(batch: Batch, work: Work, points: Ints, tolerance: float, scheme: Tableau) -> None:
    """Run every point with the longest step whose measured error meets the tolerance."""
    # the layout depends on the system alone, never on how many points there are
    width = 1 if batch.grid.size >= PAIRS_IN_LANES else LANES
    searches = _first_steps(batch, points, scheme)
    for point in searches:
        work.method[point] = "splitting"
    for _ in range(ROUNDS):
        groups: dict[bytes, list[int]] = {}
        for point, search in searches.items():
            groups.setdefault(_step_pair(batch.times[point], search).tobytes(), []).append(point)
        for members in groups.values():
            pair = _step_pair(batch.times[members[0]], searches[members[0]])
            for start in range(0, len(members), width):
                _pass(batch, work, members[start : start + width], pair, scheme, width)
            for point in members:
                if not _continue(batch, work, point, searches[point], pair, scheme, tolerance):
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


def _first_steps(batch: Batch, points: Ints, scheme: Tableau) -> dict[int, _Search]:
    """Longest step of the first round: by the phase of the fastest pair and by the turn of B in a stage."""
    grid = batch.grid
    spins = np.hypot(batch.rho + batch.rhobar - 1.0, 2.0 * np.abs(batch.kappa0))
    most_J = np.sum(np.abs(grid.weight) * spins, axis=1)
    turn = 4.0 * np.abs(batch.g) * most_J * np.max(np.abs(scheme.b))
    fastest = 2.0 * np.max(np.abs(grid.energy)) + 4.0 * np.abs(batch.g) * np.sum(np.abs(grid.weight))
    searches = {}
    for point in points:
        # the coarser run of a pair, with up to RATIO times the step, has to keep the limit too
        rate = max(fastest[point] / FIRST_PHASE, RATIO * turn[point] / LARGEST_TURN)
        t_end = batch.times[point, -1]
        searches[int(point)] = _Search(_below_on_ladder(1.0 / rate if rate > 0 else t_end, t_end))
    return searches


def _below_on_ladder(step: float, t_end: float) -> float:
    """Return the next shorter step on a geometric ladder, so that similar points share a pass."""
    rung = np.floor(np.log2(step / t_end) * LADDER_PER_OCTAVE) / LADDER_PER_OCTAVE
    return float(t_end * 2.0**rung)


def _steps_between(times: Floats, longest: float) -> Ints:
    """Numbers of steps (T,) of at most ``longest`` that lead to each sample."""
    # the slack keeps a spacing that is a whole number of steps from one more step by rounding
    return np.ceil(np.diff(times, prepend=0.0) / longest - 1e-9).astype(np.int64)


def _step_pair(times: Floats, search: _Search) -> Ints:
    """Steps (2, T) of a run and of the coarser run beside it."""
    fine = _steps_between(times, search.longest)
    coarse = _steps_between(times, search.longest * (RATIO if search.placed else FIRST_RATIO))
    return np.stack([2 * coarse if np.array_equal(fine, coarse) else fine, coarse])


def _pass(batch: Batch, work: Work, members: list[int], pair: Ints, scheme: Tableau, width: int) -> None:
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
        pair,
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
    work.steps[members] = pair[0].sum()
    for point in np.array(members)[status[:used] != OK]:
        work.fail(point, NOT_FINITE, "the state is no longer finite: check weights, energies and coupling")


def _continue(
    batch: Batch, work: Work, point: int, search: _Search, pair: Ints, scheme: Tableau, tolerance: float
) -> bool:
    """Turn the deviation of a round into an error estimate; return whether another round must follow."""
    if work.status[point] != OK:
        return False
    deviation = float(work.error[point])
    fine, coarse = (float(count) for count in pair.sum(axis=1))
    order = scheme.orders[-1]
    vouched = (fine / coarse) ** order - 1.0
    work.error[point] = deviation / vouched
    if work.error[point] <= tolerance:
        return False
    if deviation > LOST * search.deviation:
        search.chances = 0 if deviation < SMALL else search.chances - 1
    if search.chances == 0:
        _miss(work, point, tolerance)
        return False
    t_end = float(batch.times[point, -1])
    # the step at which a pair of ratio RATIO would deviate just as much as the tolerance allows
    wanted = AIM * tolerance * (RATIO**order - 1.0)
    step = t_end / coarse * (wanted / deviation) ** (1.0 / order) / RATIO
    if deviation >= SMALL:  # too far from the limit of small steps to follow its order
        step = 0.5 * search.longest
    search.longest = _below_on_ladder(
        min(max(step, search.longest / MOST_CUT), search.longest / LEAST_CUT), t_end
    )
    search.deviation = deviation
    search.placed = True
    if t_end / search.longest > MOST_STEPS:
        _miss(work, point, tolerance)
        return False
    return True
