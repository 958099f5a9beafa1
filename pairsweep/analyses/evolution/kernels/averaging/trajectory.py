"""One trajectory of the averaged equations, from the averaged start to the last sample.

Third-order kicks act at the nodes of a composite Gauss quadrature of ``panels`` equal panels: to first order in K3
the end state is an integral over the run of K3 carried along by the flow, so the error of the kicks falls like that
of the quadrature. Between nodes a sample lacks (or has too much of) the K3 of a fraction of a panel; the rotation by
the latest gradient makes up for it.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.dop853 import ALL_STAGES, DENSE, STAGES
from pairsweep.analyses.evolution.kernels.averaging.field import (
    averaged_rates,
    first_order_rates,
    scratch,
)
from pairsweep.analyses.evolution.kernels.averaging.kicks import (
    KickScratch,
    kick_scratch,
    third_order_gradient,
)
from pairsweep.analyses.evolution.kernels.averaging.shells import rotate, unpack
from pairsweep.analyses.evolution.kernels.averaging.step import (
    copy_state,
    dense_state,
    first_step,
    prepare_dense,
    relative_size,
    step,
)
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.kernels.jit import jit

MOST_STEPS = 100_000
SAFETY = 0.9
LEAST_GROWTH = 0.3
MOST_GROWTH = 6.0

# Gauss-Legendre, nodes and weights on [0, 1]
GAUSS = 3
GAUSS_NODES = np.array([0.5 - np.sqrt(0.15), 0.5, 0.5 + np.sqrt(0.15)])
GAUSS_WEIGHTS = np.array([5.0 / 18.0, 4.0 / 9.0, 5.0 / 18.0])

UNIT_TIME = 1.0


class Plan(NamedTuple):
    """How a trajectory is to be run.

    Attributes
    ----------
    terms : int
        ``field.Terms``.
    panels, phases : int
        Of third-order kicks, panels 0: none; ``kicks.phase_line``.
    step_tolerance : float
        Largest relative error of a step.
    storing : bool
        Whether the checks are filled, else they are compared with.
    first, last : int
        The samples wanted.
    """

    terms: int
    panels: int
    phases: int
    step_tolerance: float
    storing: bool
    first: int
    last: int


class Figures(NamedTuple):
    """What a trajectory says of itself.

    Attributes
    ----------
    status : int
    steps : int
        Steps tried.
    step_error : float
        Sum of their relative errors.
    difference : float
        Largest difference from the checks of any component of any S.
    missing : float
        Relative change over the run by the highest order that is in it: of K2, or of the kicks.
    """

    status: int
    steps: int
    step_error: float
    difference: float
    missing: float


class Kicks(NamedTuple):
    """Third order at the latest kick, (B, 3 LANES): gradient, and its change per time since the one before; scratch."""

    gradient: np.ndarray
    slope: np.ndarray
    work: KickScratch


class Clock(NamedTuple):
    """Time of the latest kick; the time for which the third order has been applied so far, and its first moment."""

    latest: float
    applied: float
    moment: float


@jit()
def largest_difference(a, b):
    """Largest difference of a component of any S between two states (3, N)."""
    worst = 0.0
    for i in range(3):
        for p in range(a.shape[1]):
            worst = max(worst, (1.0 if i == 0 else 2.0) * abs(a[i, p] - b[i, p]))
    return worst


@jit()
def all_finite(state):
    """Whether every number of ``state`` is finite: what is not stays so to the end, and maxima do not see it."""
    total = 0.0
    for b in range(state.shape[0]):
        for i in range(state.shape[1]):
            total += abs(state[b, i])
    return np.isfinite(total)


@jit(apart=True)
def second_order_size(shells, g, rate, state, work, change):
    """Relative rate of change, 1/MeV, that K2 makes at ``state``; ``rate`` is that of the whole field.

    ``work``: ``field.scratch``; ``change`` (B, 3 LANES): scratch.
    """
    wide, sums, coefficients = work
    first_order_rates(shells, g, state, wide, sums, coefficients, change)
    for b in range(state.shape[0]):
        for i in range(state.shape[1]):
            change[b, i] = rate[b, i] - change[b, i]
    return relative_size(shells.first, change, state)


@jit()
def kick(shells, g, phases, weight, t, clock, kicks, state, change):
    """Kick ``state`` (B, 3 LANES) at a node of the quadrature, the time ``t``, of weight ``weight``.

    ``phases``: from ``kicks.phase_line``. Returns the clock after it and the relative size of ``change`` (B, 3 LANES),
    what the kick has changed.
    """
    gradient, slope = kicks.gradient, kicks.slope
    copy_state(gradient, slope)
    third_order_gradient(shells, g, phases, state, kicks.work, gradient)
    copy_state(state, change)
    rotate(gradient, weight, state)
    for b in range(state.shape[0]):
        for i in range(state.shape[1]):
            change[b, i] = state[b, i] - change[b, i]
            slope[b, i] = (gradient[b, i] - slope[b, i]) / (t - clock.latest)
    after = Clock(t, clock.applied + weight, clock.moment + weight * t)
    return after, relative_size(shells.first, change, state)


@jit()
def rotate_by_what_lacks(kicks, clock, now, turn, state):
    """Rotate ``state`` (B, 3 LANES) by the third order that it lacks at ``now``; ``turn`` (B, 3 LANES): scratch."""
    lacking = now - clock.applied
    bend = 0.5 * now * now - clock.moment - clock.latest * lacking
    for b in range(state.shape[0]):
        for i in range(state.shape[1]):
            turn[b, i] = lacking * kicks.gradient[b, i] + bend * kicks.slope[b, i]
    rotate(turn, UNIT_TIME, state)
    return 0


@jit(apart=True)
def run(shells, g, plan, third, state, times, checks, samples):
    """Evolve ``state`` (B, 3 LANES), averaged, in place from 0 to ``times[-1]``; return the :class:`Figures`.

    Parameters
    ----------
    shells : Shells
    g : MeV^-2
    plan : Plan
    third : anything, or None
        None: no kicks, whose code is not even compiled.
    state : (B, 3 LANES)
    times : (T,) 1/MeV
        Sample times, ascending.
    checks : (M, 3, N)
        Averaged states at k times[-1]/M, k = 1 .. M, in the pairs' own order: filled or compared with.
    samples : (plan.last - plan.first or more, 3, N)
        Filled with the averaged states at the samples wanted, in the pairs' own order.
    """
    blocks, width = state.shape
    t_end = times[-1]
    stages = np.zeros((ALL_STAGES, blocks, width))
    dense = np.zeros((DENSE, blocks, width))
    point = np.zeros((blocks, width))
    new = np.zeros((blocks, width))
    spare = np.zeros((blocks, width))
    values = np.zeros((3, checks.shape[2]))
    terms = plan.terms
    work = scratch(shells.centre.size)
    wide, sums, coefficients = work
    steps = 0
    step_error = 0.0
    difference = 0.0
    missing = 0.0
    nodes = 0
    if third is not None:
        nodes = GAUSS * plan.panels
        clock = Clock(0.0, 0.0, 0.0)
        kicks = Kicks(np.zeros_like(state), np.zeros_like(state), kick_scratch(shells.centre.size))
        if nodes > 0:
            third_order_gradient(shells, g, plan.phases, state, kicks.work, kicks.gradient)

    node = 0
    checked = 0
    sampled = plan.first
    t = 0.0
    averaged_rates(shells, g, terms, state, wide, sums, coefficients, stages[0])
    if nodes == 0 and not plan.storing:
        missing = t_end * second_order_size(shells, g, stages[0], state, work, point)
    h = first_step(shells.first, stages[0], state, t_end)
    for _ in range(MOST_STEPS):
        to_node = node < nodes
        target = t_end
        if to_node:
            target = t_end * (node // GAUSS + GAUSS_NODES[node % GAUSS]) / plan.panels
        left = target - t
        arrives = h >= left
        h_now = left if arrives else min(h, 0.5 * left)
        error = step(shells, g, terms, h_now, state, stages, work, point, new)
        if not np.isfinite(error):
            return Figures(Status.NOT_FINITE, steps, step_error, difference, missing)
        steps += 1
        growth = MOST_GROWTH
        if error > 0.0:
            growth = min(MOST_GROWTH, max(LEAST_GROWTH, SAFETY * (plan.step_tolerance / error) ** 0.125))
        if error > plan.step_tolerance:
            h = h_now * min(growth, 1.0)
            continue
        # a step cut short by a node says nothing against the longer one before it
        h = max(h, h_now * growth) if h_now < h else h_now * growth
        step_error += error
        t_new = target if arrives else t + h_now

        prepared = False
        for _ in range(plan.last - plan.first + checks.shape[0]):
            next_check = t_end * ((checked + 1.0) / checks.shape[0]) if checked < checks.shape[0] else np.inf
            next_sample = times[sampled] if sampled < plan.last else np.inf
            now = min(next_check, next_sample)
            if now > t_new or (now == t_new and to_node):
                break
            if not prepared:
                prepare_dense(shells, g, terms, h_now, state, new, stages, work, point, dense)
                prepared = True
            dense_state((now - t) / h_now, state, dense, point)
            if third is not None and nodes > 0:
                rotate_by_what_lacks(kicks, clock, now, spare, point)
            if next_check <= next_sample:
                if plan.storing:
                    unpack(shells.place, point, checks[checked])
                else:
                    unpack(shells.place, point, values)
                    difference = max(difference, largest_difference(checks[checked], values))
                checked += 1
            else:
                unpack(shells.place, point, samples[sampled - plan.first])
                sampled += 1

        copy_state(new, state)
        t = t_new
        fresh = False
        if third is not None:
            fresh = arrives and to_node
            if fresh:
                weight = t_end * GAUSS_WEIGHTS[node % GAUSS] / plan.panels
                clock, size = kick(shells, g, plan.phases, weight, t, clock, kicks, state, point)
                missing += size
                node += 1
                averaged_rates(shells, g, terms, state, wide, sums, coefficients, stages[0])
        if not fresh:
            copy_state(stages[STAGES], stages[0])
        if t >= t_end and not to_node:
            status = Status.OK if all_finite(state) else Status.NOT_FINITE
            return Figures(status, steps, step_error, difference, missing)
    return Figures(Status.TOO_MANY_STEPS, steps, step_error, difference, missing)
