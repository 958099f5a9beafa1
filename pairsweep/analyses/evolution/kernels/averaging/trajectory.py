"""One trajectory of the averaged equations, from the averaged start to the last sample.

Third-order kicks act at the nodes of a composite Gauss quadrature of ``panels`` equal panels: to first order in K3
the end state is an integral over the run of K3 carried along by the flow, so the error of the kicks falls like that
of the quadrature. Between nodes a sample lacks (or has too much of) the K3 of a fraction of a panel; the rotation by
the latest gradient makes up for it.
"""

from collections import namedtuple

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.dop853 import ALL_STAGES, DENSE, STAGES
from pairsweep.analyses.evolution.kernels.averaging.field import averaged_rates, scratch
from pairsweep.analyses.evolution.kernels.averaging.kicks import kick_scratch, third_order_gradient
from pairsweep.analyses.evolution.kernels.averaging.samples import true_state
from pairsweep.analyses.evolution.kernels.averaging.shells import rotate
from pairsweep.analyses.evolution.kernels.averaging.step import (
    copy_state,
    dense_state,
    first_step,
    prepare_dense,
    relative_size,
    step,
)
from pairsweep.analyses.evolution.kernels.observables import free_pairing, invariants, observe
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES

DONE = 0
TOO_MANY_STEPS = 4
NOT_FINITE = 5

MOST_STEPS = 100_000
SAFETY = 0.9
LEAST_GROWTH = 0.3
MOST_GROWTH = 6.0

# Gauss-Legendre, nodes and weights on [0, 1]
GAUSS = 3
GAUSS_NODES = np.array([0.5 - np.sqrt(0.15), 0.5, 0.5 + np.sqrt(0.15)])
GAUSS_WEIGHTS = np.array([5.0 / 18.0, 4.0 / 9.0, 5.0 / 18.0])

UNIT_TIME = 1.0

# Places in ``figures``
STEPS = 0
STEP_ERROR = 1
DIFFERENCE = 2
ENERGY_DRIFT = 3
NORM_DRIFT = 4
KICK = 5
FIGURES = 6

# One system in the pairs' own order: energy, weight (N,), directions (N, 3), energy_bin, quadrant (N,) int, rho, rhobar
# (N,) at the start, the scalars n_energy and n_beam of observables.observe, H0 (MeV^4) and spin (N,) at the start
System = namedtuple(
    "System",
    "energy weight p_hat theta_hat phi_hat energy_bin quadrant rho rhobar n_energy n_beam H0 spin",
)


@jit()
def largest_difference(a, b):
    """Largest difference of a component of any S between two states (B, 3 LANES)."""
    worst = 0.0
    for k in range(a.shape[0]):
        for i in range(a.shape[1]):
            worst = max(worst, (1.0 if i < LANES else 2.0) * abs(a[k, i] - b[k, i]))
    return worst


@jit()
def all_finite(state):
    """Whether every number of ``state`` is finite: what is not stays so to the end, and maxima do not see it."""
    total = 0.0
    for b in range(state.shape[0]):
        for i in range(state.shape[1]):
            total += abs(state[b, i])
    return np.isfinite(total)


@jit()
def record(system, g, true, length, row, figures):
    """Fill ``row`` with the observables of ``true`` (3, N), in the pairs' own order, and follow the two drifts.

    Returns the mean size of kappa without its forced response.
    """
    observe(
        system.weight,
        system.p_hat,
        system.theta_hat,
        system.phi_hat,
        system.energy_bin,
        system.quadrant,
        system.rho,
        system.rhobar,
        true[0],
        true[1],
        true[2],
        system.n_energy,
        system.n_beam,
        row,
    )
    H = invariants(
        system.energy,
        system.weight,
        system.p_hat,
        system.theta_hat,
        system.phi_hat,
        g,
        true[0],
        true[1],
        true[2],
        length,
    )
    scale = 0.0
    for p in range(system.energy.size):
        scale += 2.0 * system.weight[p] * system.energy[p] * system.spin[p]
        figures[NORM_DRIFT] = max(figures[NORM_DRIFT], abs(length[p] - system.spin[p]))
    if scale > 0.0:
        figures[ENERGY_DRIFT] = max(figures[ENERGY_DRIFT], abs(H - system.H0) / scale)
    return free_pairing(
        system.energy,
        system.weight,
        system.p_hat,
        system.theta_hat,
        system.phi_hat,
        g,
        true[0],
        true[1],
        true[2],
    )


@jit()
def run(
    shells,
    system,
    g,
    terms,
    phases,
    panels,
    step_tolerance,
    full,
    samples,
    times,
    checks,
    storing,
    state,
    rows,
    free,
    states,
    figures,
):
    """Evolve ``state`` (B, 3 LANES), averaged, in place from 0 to ``times[-1]``; returns a status.

    Fills ``rows`` (T, R) and ``free`` (T,) with the observables at the first ``samples`` of ``times`` (T,),
    ascending, ``states`` (T or 0, 3, N) with the true n, Re kappa, Im kappa, and ``figures`` (FIGURES,). ``checks``
    (M, B, 3 LANES) holds averaged states at k times[-1]/M, k = 1 .. M: filled when ``storing``, else compared with.
    ``panels`` = 0: no kicks.
    """
    blocks, width = state.shape
    t_end = times[-1]
    stages = np.zeros((ALL_STAGES, blocks, width))
    dense = np.zeros((DENSE, blocks, width))
    point = np.zeros((blocks, width))
    new = np.zeros((blocks, width))
    spare = np.zeros((blocks, width))
    gradient = np.zeros((blocks, width))  # of the third order, at the latest kick
    slope = np.zeros((blocks, width))  # its change between the last two kicks, per time
    true = np.zeros((3, system.energy.size))
    length = np.zeros(system.energy.size)
    work = scratch(shells.centre.size)
    kick_work = kick_scratch(shells.centre.size)
    wide, sums, coefficients = work
    for i in range(figures.size):
        figures[i] = 0.0
    nodes = GAUSS * panels
    if nodes > 0:
        third_order_gradient(shells, g, phases, state, kick_work, gradient)

    node = 0
    kicked = 0.0  # the time for which the third order has been applied, and its first moment
    moment = 0.0
    t_kick = 0.0
    checked = 0
    sampled = 0
    t = 0.0
    averaged_rates(shells, g, terms, state, wide, sums, coefficients, stages[0])
    h = first_step(shells.first, stages[0], state, t_end)
    for _ in range(MOST_STEPS):
        to_node = node < nodes
        target = t_end
        if to_node:
            target = t_end * (node // GAUSS + GAUSS_NODES[node % GAUSS]) / panels
        left = target - t
        arrives = h >= left
        h_now = left if arrives else min(h, 0.5 * left)
        error = step(shells, g, terms, h_now, state, stages, work, point, new)
        if not np.isfinite(error):
            return NOT_FINITE
        figures[STEPS] += 1.0
        growth = MOST_GROWTH
        if error > 0.0:
            growth = min(MOST_GROWTH, max(LEAST_GROWTH, SAFETY * (step_tolerance / error) ** 0.125))
        if error > step_tolerance:
            h = h_now * min(growth, 1.0)
            continue
        # a step cut short by a node says nothing against the longer one before it
        h = max(h, h_now * growth) if h_now < h else h_now * growth
        figures[STEP_ERROR] += error
        t_new = target if arrives else t + h_now

        prepared = False
        for _ in range(samples + checks.shape[0]):
            next_check = t_end * ((checked + 1.0) / checks.shape[0]) if checked < checks.shape[0] else np.inf
            next_sample = times[sampled] if sampled < samples else np.inf
            now = min(next_check, next_sample)
            if now > t_new or (now == t_new and to_node):
                break
            if not prepared:
                prepare_dense(shells, g, terms, h_now, state, new, stages, work, point, dense)
                prepared = True
            dense_state((now - t) / h_now, state, dense, point)
            if nodes > 0:
                lacking = now - kicked
                bend = 0.5 * now * now - moment - t_kick * lacking
                for b in range(blocks):
                    for i in range(width):
                        spare[b, i] = lacking * gradient[b, i] + bend * slope[b, i]
                rotate(spare, UNIT_TIME, point)
            if next_check <= next_sample:
                if storing:
                    copy_state(point, checks[checked])
                else:
                    figures[DIFFERENCE] = max(figures[DIFFERENCE], largest_difference(checks[checked], point))
                checked += 1
            else:
                true_state(shells, g, full, now, point, wide, spare, true)
                free[sampled] = record(system, g, true, length, rows[sampled], figures)
                if states.shape[0] > 0:
                    for i in range(3):
                        for p in range(true.shape[1]):
                            states[sampled, i, p] = true[i, p]
                sampled += 1

        copy_state(new, state)
        t = t_new
        if arrives and to_node:
            copy_state(gradient, slope)
            third_order_gradient(shells, g, phases, state, kick_work, gradient)
            weight = t_end * GAUSS_WEIGHTS[node % GAUSS] / panels
            copy_state(state, point)
            rotate(gradient, weight, state)
            for b in range(blocks):
                for i in range(width):
                    point[b, i] = state[b, i] - point[b, i]
                    slope[b, i] = (gradient[b, i] - slope[b, i]) / (t - t_kick)
            figures[KICK] += relative_size(shells.first, point, state)
            t_kick = t
            kicked += weight
            moment += weight * t
            node += 1
            averaged_rates(shells, g, terms, state, wide, sums, coefficients, stages[0])
        else:
            copy_state(stages[STAGES], stages[0])
        if t >= t_end and not to_node:
            return DONE if all_finite(state) else NOT_FINITE
    return TOO_MANY_STEPS
