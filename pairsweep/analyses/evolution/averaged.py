"""The averaged method on a batch: the slow motion alone, at a cost that does not depend on the coupling.

A point is run twice: at the order that the tolerance needs, and by a companion of an order less. The difference of the
two is the companion's error, measured, with all that the trajectory makes of it; the run's own is smaller by the ratio
of successive orders (second order) or by what the quadrature of the kicks leaves (third).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.evolution.batch import STATE_NUMBERS, Batch, Ints, Work
from pairsweep.analyses.evolution.kernels.averaging.field import Terms
from pairsweep.analyses.evolution.kernels.averaging.solve import (
    CHECKS,
    LONGEST_PHASE,
    MOST_RATIO,
    Measures,
    Outcomes,
    Phases,
    Plans,
    Systems,
    average,
    measure,
    run_points,
    third_orders,
    true_states,
)
from pairsweep.analyses.evolution.kernels.averaging.step import TINY
from pairsweep.analyses.evolution.kernels.averaging.trajectory import Figures
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.physics.grid import Floats

# Measured on the Letter's grids, with the small ratio r of the averaging (``smallness``): second order meets
# tolerances above about 3 r^2, third order above 0.1 r^2; beyond these phases 2 E t each is faster than splitting.
SECOND_ORDER, SECOND_ORDER_PHASE = 3.0, 1e4
THIRD_ORDER, THIRD_ORDER_PHASE = 0.1, 1e5

# From this ratio of the tolerance to r^2 on the second order is tried without asking what the third would do
CLEARLY_SECOND = 1e3
# Share of the tolerance that a single step may err by: a run takes 30 to 200 steps, most far below it
STEP_SHARE = 0.05
LEAST_STEP_TOLERANCE = 1e-13
# Difference of two runs at which nothing follows from it any more; the difference that unit spins cannot exceed
PARTED = 0.5
LARGEST_ERROR = 2.0
ROUNDING = 1e-15  # by which two runs of equal fields differ early on
STEPS_PART = 0.25  # of the tolerance that the steps may take
# two of second order, then two and, with more kicks, up to two more of third
ATTEMPTS = 6
LEAST_PANELS = 4
MOST_PANELS = 64
# Measured: error of the kicks' quadrature, see _kicks_left; error of chi1 alone at the samples over ratio^2
QUADRATURE = 6.0
MAP_SHARE = 0.06


def _systems(batch: Batch, points: Ints) -> Systems:
    return Systems(batch.pairs, batch.start[points], batch.g[points], batch.times[points])


def measured(systems: Systems) -> Measures:
    """Whether averaging applies to each system."""
    points = systems.g.size
    small, width, near = np.zeros((3, points))
    resonant = np.zeros(points, dtype=np.bool_)
    measures = Measures(small, width, near, resonant, np.zeros(points, dtype=np.int64))
    measure(systems, measures)
    return measures


def averaging_pays(batch: Batch, points: Ints) -> NDArray[np.bool_]:
    """Return which points the averaged method is expected to solve to the tolerance faster than splitting."""
    measures = measured(_systems(batch, points))
    phase = 2.0 * np.max(batch.pairs.energy) * batch.times[points, -1]
    square = np.maximum(measures.small, measures.width) ** 2
    second = (batch.tolerance >= SECOND_ORDER * square) & (phase >= SECOND_ORDER_PHASE)
    third = (batch.tolerance >= THIRD_ORDER * square) & (phase >= THIRD_ORDER_PHASE)
    return np.asarray(second | third)


@dataclass(eq=False)
class Run:
    """What is decided of a point between its runs.

    ``row`` is its place among the systems, ``ratio`` the smallness, a pure number.
    ``expected``: error that the second order is expected to leave, ``map_error``: that of the change of variables.
    """

    row: int
    ratio: float
    start_error: float
    map_error: float
    full: bool
    all_terms: Terms
    expected: float
    order: int
    step_tolerance: float
    panels: int = 0
    companion_steps: float = 0.0
    storing: bool = True
    error: float = np.nan
    steps: int = 0
    status: Status | None = None

    @property
    def terms(self) -> Terms:
        """Terms of the next run."""
        return Terms.FIRST if self.storing and self.order == 2 else self.all_terms


def run_averaged(batch: Batch, work: Work, points: Ints, *, final: bool) -> Ints:
    """Run the averaged equations; return the points that need another method.

    With ``final`` these have failed, with the number that says why; without, nothing of them is kept.
    """
    numbers = 3 * batch.pairs.energy.size * (CHECKS + batch.times.shape[1])
    together = max(1, STATE_NUMBERS // numbers)
    left = [np.empty(0, dtype=np.int64)]
    for first in range(0, points.size, together):
        part = points[first : first + together]
        measures = measured(_systems(batch, part))
        for row in np.flatnonzero(measures.status != Status.OK) if final else ():
            status = Status(int(measures.status[row]))
            near = measures.near[row]
            ratio = near if status == Status.NEAR_RESONANCE else max(measures.small[row], measures.width[row])
            work.method[part[row]] = "averaged"
            longest = 0.95 * LONGEST_PHASE / (2.0 * float(np.max(batch.pairs.energy)))
            work.fail(part[row], status, ratio=ratio, most=MOST_RATIO, phase=LONGEST_PHASE, longest=longest)
        good = np.flatnonzero(measures.status == Status.OK)
        measures = Measures(*(values[good] for values in measures))
        done = _run_systems(batch, work, part[good], _systems(batch, part[good]), measures, final)
        left.append(np.setdiff1d(part, done))
    return np.concatenate(left)


def _run_systems(
    batch: Batch, work: Work, points: Ints, systems: Systems, measures: Measures, final: bool
) -> Ints:
    """Run systems that averaging applies to until each meets the tolerance or none will; return which do."""
    trajectories = begin(systems, min(batch.times.shape[1], batch.window))
    runs = first_runs(trajectories, measures, batch.tolerance)
    settle(trajectories, runs, batch.tolerance)
    done = [run for run in runs if run.status == Status.OK]
    rows = np.array([run.row for run in done], dtype=np.int64)
    for first in range(0, batch.times.shape[1], trajectories.window) if done else ():
        if first > 0:  # one large system, whose states are not all held at once
            trajectories.run(done, first)
        batch.record(work, points[rows], first, trajectories.true(done, first))
    for run in runs:
        point, status = points[run.row], run.status
        assert status is not None, "settled"
        if status == Status.OK or final:
            work.method[point] = "averaged"
            work.error[point] = run.error
            work.steps[point] = run.steps
            if status == Status.TOLERANCE_MISSED:
                work.miss(point, "averaging", batch.tolerance)
            elif status != Status.OK:
                work.fail(point, status, steps=run.steps, tolerance=batch.tolerance)
    return points[rows]


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Averaged states of P systems: ``averaged`` (P, 3, N) at t = 0, ``states`` (P, window, 3, N) at the samples."""

    systems: Systems
    averaged: Floats
    start_error: Floats
    checks: Floats
    states: Floats
    outcomes: Outcomes

    @property
    def window(self) -> int:
        """Number of samples held at once."""
        return int(self.states.shape[1])

    @cached_property
    def third(self) -> tuple[Phases, Floats]:
        """Phases of the third order, and the error (P,) that second order is expected to make; see `third_orders`."""
        points = self.systems.g.size
        multiples = np.zeros((points, self.averaged.shape[2]), dtype=np.int64)
        phases, expected = Phases(np.zeros(points, dtype=np.int64), multiples), np.zeros(points)
        third_orders(self.systems, self.averaged, phases, expected)
        return phases, expected

    def run(self, runs: Sequence[Run], first: int = 0) -> None:
        """Make the next run of each of ``runs``; those that do not store give the states from sample ``first`` on."""
        window = (first, min(first + self.window, self.systems.times.shape[1]))
        for third in (False, True):
            some = [run for run in runs if (run.order == 3) == third]
            if some:
                plans = Plans(
                    np.array([run.row for run in some], dtype=np.int64),
                    np.array([run.terms for run in some], dtype=np.int64),
                    np.array([run.panels for run in some], dtype=np.int64),
                    np.array([run.step_tolerance for run in some]),
                    np.array([run.storing for run in some], dtype=np.bool_),
                )
                phases = self.third[0] if third else None  # companions too: one version of the code
                arrays = (self.checks, self.states, self.outcomes)
                run_points(self.systems, self.averaged, plans, phases, window, *arrays)

    def true(self, runs: Sequence[Run], first: int = 0) -> Floats:
        """Return the true states (runs, samples, 3, N) from sample ``first`` on."""
        rows = np.array([run.row for run in runs], dtype=np.int64)
        systems = Systems(self.systems.pairs, *(values[rows] for values in self.systems[1:]))
        states = self.states[rows, : self.systems.times.shape[1] - first]
        true_states(systems, np.array([run.full for run in runs], dtype=np.bool_), first, states)
        return states


def begin(systems: Systems, window: int) -> Trajectories:
    """Average the initial states; make room for ``window`` samples."""
    points, state = systems.g.size, systems.start.shape[1:]
    trajectories = Trajectories(
        systems,
        averaged=np.empty((points, *state)),
        start_error=np.empty(points),
        checks=np.empty((points, CHECKS, *state)),
        states=np.empty((points, window, *state)),
        outcomes=Outcomes(*np.zeros((2, points), dtype=np.int64), *np.zeros((3, points))),
    )
    average(systems, trajectories.averaged, trajectories.start_error)
    return trajectories


def first_runs(trajectories: Trajectories, measures: Measures, tolerance: float) -> list[Run]:
    """Return the order and the first step tolerance of every system."""
    runs = []
    for row in range(trajectories.start_error.size):
        ratio = float(measures.small[row])
        clearly = tolerance >= CLEARLY_SECOND * (ratio * ratio)
        expected = 0.0 if clearly else float(trajectories.third[1][row])
        map_error = MAP_SHARE * (ratio * ratio)
        full = map_error > 0.1 * tolerance
        start_error = float(trajectories.start_error[row])
        runs.append(
            Run(
                row=row,
                ratio=ratio,
                start_error=start_error,
                map_error=map_error * ratio if full else map_error,
                full=full,
                all_terms=Terms.RESONANT if measures.resonant[row] else Terms.SECOND,
                expected=expected,
                order=3 if expected > tolerance else 2,
                step_tolerance=max(STEP_SHARE * tolerance, LEAST_STEP_TOLERANCE),
                status=None if np.isfinite(start_error) else Status.NOT_FINITE,
            )
        )
    return runs


def settle(trajectories: Trajectories, runs: list[Run], tolerance: float) -> None:
    """Run every system until its error is below the tolerance or nothing will bring it there."""
    for _ in range(ATTEMPTS):
        going = [run for run in runs if run.status is None]
        if not going:
            break
        trajectories.run(going)
        figures = list(zip(*(values.tolist() for values in trajectories.outcomes), strict=True))
        for run in going:
            _judge(run, Figures(*figures[run.row]), trajectories, tolerance)
    for run in runs:
        if run.status is None:
            run.status = Status.TOLERANCE_MISSED


def _judge(run: Run, figures: Figures, trajectories: Trajectories, tolerance: float) -> None:
    """Estimate the error of a run from its difference to the companion; end the point, or plan its next run."""
    if figures.status != Status.OK:
        run.status, run.steps = Status(figures.status), figures.steps
        return
    if run.storing:
        run.storing = False
        run.companion_steps = float(figures.steps)
        if run.order == 3:
            run.panels = _enough_panels(run, tolerance)
        return
    # linear in what it comes from only while the two runs are near: near 1 they have parted for good
    difference = figures.difference / max(1.0 - figures.difference / PARTED, TINY)
    # what the trajectory makes of an early error: the runs differ by the missing order (their steps are the same, so
    # the errors of these do not show) and by rounding
    amplified = max(1.0, difference / (figures.missing + ROUNDING))
    of_steps = amplified * 0.5 * figures.step_error
    fixed = run.ratio * difference + run.map_error
    fixed += amplified * run.start_error + of_steps
    left = 0.0
    if run.order == 3:
        run.expected = max(difference, 3.0 * figures.missing)
        left = _kicks_left(run) * run.expected
    run.error = min(fixed + left, LARGEST_ERROR)
    run.steps = figures.steps
    if fixed + left <= tolerance:
        run.status = Status.OK
    elif of_steps > STEPS_PART * tolerance and run.step_tolerance > LEAST_STEP_TOLERANCE:
        # the trajectory makes more of the steps than was provided for: both runs again with smaller ones
        smaller = 0.5 * STEPS_PART * run.step_tolerance * tolerance / of_steps
        run.step_tolerance = max(smaller, LEAST_STEP_TOLERANCE)
        run.panels = 0
        run.storing = True
    elif run.order == 2 and trajectories.third[0].number[run.row] > 0:
        run.order = 3
        run.expected = float(trajectories.third[1][run.row])
        run.storing = True
    elif run.order == 2 or fixed > tolerance or run.panels >= MOST_PANELS:
        run.status = Status.TOLERANCE_MISSED
    else:
        run.panels = _enough_panels(run, tolerance)


def _kicks_left(run: Run) -> float:
    """What the quadrature of the kicks leaves of the error of second order, as measured (docs/averaging.md).

    Counted in panels per hundred steps of a run at a step tolerance of 1e-9, which says how fast the state changes.
    """
    resolved: float = 100.0 * run.panels / (run.companion_steps * (run.step_tolerance / 1e-9) ** 0.125)
    return min(1.0, QUADRATURE / (resolved * (resolved * resolved)))


def _enough_panels(run: Run, tolerance: float) -> int:
    """Return how many panels bring the expected error of second order below half the tolerance; at least doubled."""
    per_panel = 0.01 * run.companion_steps * (run.step_tolerance / 1e-9) ** 0.125
    wanted = per_panel * (QUADRATURE * 2.0 * run.expected / tolerance) ** (1.0 / 3.0)
    return int(np.ceil(min(max(wanted, 2.0 * run.panels, LEAST_PANELS), MOST_PANELS)))
