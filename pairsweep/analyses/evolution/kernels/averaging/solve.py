"""What the averaged method does to points that share a grid, one stage after the other; each point on its own.

The fast rotation of every shell of equal energy is averaged out to second order in g, with third-order kicks, and put
back at the samples: the cost does not depend on g. Derivation and figures: docs/averaging.md. Which points go through
which stage again, and how, is decided between the stages (``evolution/averaged.py``). Shells are made anew in every
stage: that costs less than to keep them.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.change import change_variables
from pairsweep.analyses.evolution.kernels.averaging.forms import three_waves
from pairsweep.analyses.evolution.kernels.averaging.kicks import (
    kick_scratch,
    phase_line,
    third_order_gradient,
)
from pairsweep.analyses.evolution.kernels.averaging.samples import true_state
from pairsweep.analyses.evolution.kernels.averaging.shells import (
    SUMS,
    WIDTH,
    make_shells,
    pack,
    smallness,
    strength_and_width,
    turning_rates,
    unpack,
)
from pairsweep.analyses.evolution.kernels.averaging.step import TINY, relative_size
from pairsweep.analyses.evolution.kernels.averaging.trajectory import Plan, largest_difference, run
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES
from pairsweep.kernels.pairs import Pairs

MOST_RATIO = 0.2
LONGEST_PHASE = 2.0**52
CHECKS = 48  # states of two runs that are compared


class Systems(NamedTuple):
    """P points on one grid.

    Attributes
    ----------
    pairs : Pairs
    start : (P, 3, N)
        n, Re kappa, Im kappa at t = 0.
    g : (P,) MeV^-2
    times : (P, T) 1/MeV
        Sample times, ascending from 0 or later.
    """

    pairs: Pairs
    start: np.ndarray
    g: np.ndarray
    times: np.ndarray


class Measures(NamedTuple):
    """Whether averaging applies, (P,) each.

    Attributes
    ----------
    small : ``shells.smallness``
    width : largest detuning inside a shell over its frequency
    near : the worst of three shells that nearly resonate, ``forms.three_waves``
    resonant : bool, whether three shells do
    status : OK, or why averaging does not apply
    """

    small: np.ndarray
    width: np.ndarray
    near: np.ndarray
    resonant: np.ndarray
    status: np.ndarray


class Phases(NamedTuple):
    """Phases of the third order: their number (P,), 0 where too many, and the multiples of every shell (P, N)."""

    number: np.ndarray
    multiples: np.ndarray


class Plans(NamedTuple):
    """Runs to make, (R,) each: of which point, and the fields of ``trajectory.Plan``."""

    point: np.ndarray
    terms: np.ndarray
    panels: np.ndarray
    step_tolerance: np.ndarray
    storing: np.ndarray


class Outcomes(NamedTuple):
    """``trajectory.Figures`` of the latest run of every point, (P,) each."""

    status: np.ndarray
    steps: np.ndarray
    step_error: np.ndarray
    difference: np.ndarray
    missing: np.ndarray


@jit(apart=True)
def shells_of(systems, point, spin):
    """Return the shells of a point and fill ``spin`` (N,) with its |S|."""
    start = systems.start
    for p in range(spin.size):
        n = start[point, 0, p]
        re = 2.0 * start[point, 1, p]
        im = 2.0 * start[point, 2, p]
        spin[p] = np.sqrt(n * n + re * re + im * im)
    return make_shells(systems.pairs, spin, systems.g[point])


@jit()
def measure(systems, measures):
    """Fill ``measures``."""
    spin = np.empty(systems.start.shape[2])
    for point in range(systems.g.size):
        g = systems.g[point]
        shells = shells_of(systems, point, spin)
        centre = shells.centre
        strength = np.empty(centre.size)
        width = strength_and_width(shells, spin, strength)
        small = smallness(shells.background, strength, centre, g)
        measures.small[point] = small
        measures.width[point] = width
        if not centre[0] > 0.0:
            measures.status[point] = Status.NOT_TURNING
            continue
        if not (np.isfinite(small) and max(small, width) <= MOST_RATIO):
            measures.status[point] = Status.NOT_SMALL
            continue
        resonant, near = three_waves(centre, strength, g)
        measures.resonant[point] = resonant
        measures.near[point] = near
        if near > MOST_RATIO:
            measures.status[point] = Status.NEAR_RESONANCE
        elif 2.0 * centre[-1] * systems.times[point, -1] > LONGEST_PHASE:
            measures.status[point] = Status.PHASE_LOST
        else:
            measures.status[point] = Status.OK
    return 0


@jit()
def average(systems, averaged, error):
    """Fill ``averaged`` (P, 3, N) with the averaged states at t = 0 and ``error`` (P,) with that of their seeds.

    The latter is the third order of the change of variables against the seeds it disturbs, a relative error of kappa.
    """
    spin = np.empty(systems.start.shape[2])
    for point in range(systems.g.size):
        shells = shells_of(systems, point, spin)
        state = np.empty((shells.place.shape[0], WIDTH))
        pack(shells.place, systems.start[point], state)
        back = -1.0
        change_variables(shells, systems.g[point], back, state)
        unpack(shells.place, state, averaged[point])
        moved = largest_difference(averaged[point], systems.start[point])
        size = TINY
        for p in range(spin.size):
            re, im = averaged[point, 1, p], averaged[point, 2, p]
            size = max(size, 2.0 * np.sqrt(re * re + im * im))
        error[point] = moved * moved * min(1.0, moved / size)
    return 0


@jit()
def third_orders(systems, averaged, phases, expected):
    """Fill ``phases`` and ``expected`` (P,), the error that a run of second order makes, 0 where there are no phases.

    It is three times what K3, as it is at the start, would change over the run.
    """
    spin = np.empty(systems.start.shape[2])
    for point in range(systems.g.size):
        shells = shells_of(systems, point, spin)
        count = phase_line(shells.centre, shells.multiples)
        phases.number[point] = count
        for a in range(shells.centre.size):
            phases.multiples[point, a] = shells.multiples[a]
        expected[point] = 0.0
        if count > 0:
            state = np.empty((shells.place.shape[0], WIDTH))
            pack(shells.place, averaged[point], state)
            gradient = np.empty_like(state)
            work = kick_scratch(shells.centre.size)
            third_order_gradient(shells, systems.g[point], count, state, work, gradient)
            turning_rates(shells.detuning, 0.0, state, gradient)
            size = relative_size(shells.first, gradient, state)
            expected[point] = 3.0 * systems.times[point, -1] * size
    return 0


@jit()
def run_points(systems, averaged, plans, phases, window, checks, samples, outcomes):
    """Run the trajectories of ``plans``.

    Parameters
    ----------
    systems : Systems
    averaged : (P, 3, N)
        From :func:`average`.
    plans : Plans
    phases : Phases, or None
        None: all of these runs are without kicks, and no code of kicks is compiled.
    window : (int, int)
        First sample wanted and the one after the last, of runs that do not store.
    checks : (P, CHECKS, 3, N)
        As in ``trajectory.run``: filled by the runs that store, compared with by the others.
    samples : (P, samples of the window, 3, N)
        Filled with the averaged states of those others.
    outcomes : Outcomes
    """
    spin = np.empty(systems.start.shape[2])
    for i in range(plans.point.size):
        point = plans.point[i]
        shells = shells_of(systems, point, spin)
        state = np.empty((shells.place.shape[0], WIDTH))
        pack(shells.place, averaged[point], state)
        storing = plans.storing[i]
        last = window[0] if storing else window[1]
        number = 0
        if phases is not None:
            number = phases.number[point]
            for a in range(shells.centre.size):
                shells.multiples[a] = phases.multiples[point, a]
        tolerance = plans.step_tolerance[i]
        plan = Plan(plans.terms[i], plans.panels[i], number, tolerance, storing, window[0], last)
        g, times = systems.g[point], systems.times[point]
        figures = run(shells, g, plan, phases, state, times, checks[point], samples[point])
        outcomes.status[point] = figures.status
        outcomes.steps[point] = figures.steps
        outcomes.step_error[point] = figures.step_error
        outcomes.difference[point] = figures.difference
        outcomes.missing[point] = figures.missing
    return 0


@jit()
def true_states(systems, full, first, samples):
    """Turn averaged ``samples`` (P, samples, 3, N) into true states, in place.

    ``full`` (P,) bool: whether chi2 takes part in the change of variables; ``first``: the sample they begin with.
    """
    spin = np.empty(systems.start.shape[2])
    wide = np.empty(SUMS * LANES)
    for point in range(systems.g.size):
        shells = shells_of(systems, point, spin)
        state = np.empty((shells.place.shape[0], WIDTH))
        gradient = np.empty_like(state)
        for sample in range(samples.shape[1]):
            pack(shells.place, samples[point, sample], state)
            time = systems.times[point, first + sample]
            true_state(shells, systems.g[point], full[point], time, state, wide, gradient)
            unpack(shells.place, state, samples[point, sample])
    return 0
