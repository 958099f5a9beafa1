"""One trajectory of the averaged equations, from the averaged start to the last sample.

Third-order kicks act at the nodes of a composite Gauss quadrature of ``panels`` equal panels: to first order in K3
the end state is an integral over the run of K3 carried along by the flow, so the error of the kicks falls like that
of the quadrature. Between nodes a sample lacks (or has too much of) the K3 of a fraction of a panel; the rotation by
the latest gradient makes up for it.
"""

from collections import namedtuple

import numpy as np

from pairsweep.kernels.averaged_field import averaged_rates, scratch
from pairsweep.kernels.averaged_kicks import kick_scratch, third_order_gradient
from pairsweep.kernels.averaged_output import true_state
from pairsweep.kernels.averaged_shells import rotate
from pairsweep.kernels.averaged_step import dense_state, first_step, prepare_dense, relative_size, step
from pairsweep.kernels.dop853 import ALL_STAGES, DENSE, STAGES
from pairsweep.kernels.jit import jit
from pairsweep.kernels.observables import free_pairing, invariants, observe

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

# What is done with the states at the check times: nothing, kept, compared with those kept
CHECK_OFF = 0
CHECK_STORE = 1
CHECK_COMPARE = 2

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
    """Largest difference of a component of any S between two states (3, N)."""
    worst = 0.0
    for q in range(a.shape[1]):
        worst = max(worst, abs(a[0, q] - b[0, q]), 2.0 * abs(a[1, q] - b[1, q]), 2.0 * abs(a[2, q] - b[2, q]))
    return worst


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
    times,
    check,
    checks,
    state,
    rows,
    free,
    states,
    figures,
):
    """Evolve ``state`` (3, N), averaged and sorted by shell, in place from 0 to ``times[-1]``; returns a status.

    Fills ``rows`` (T or 0, R) and ``free`` (T,) with the observables at ``times`` (T,), ascending, ``states`` (T or 0,
    3, N) with the true n, Re kappa, Im kappa, and ``figures`` (FIGURES,). ``checks`` (M, 3, N) holds averaged states at the times
    k times[-1]/M, k = 1 .. M, handled as ``check`` says. ``panels`` = 0: no kicks.
    """
    pairs = shells.weight.size
    t_end = times[-1]
    samples = max(rows.shape[0], states.shape[0])
    stages = np.zeros((ALL_STAGES, 3, pairs))
    dense = np.zeros((DENSE, 3, pairs))
    point = np.zeros((3, pairs))
    new = np.zeros((3, pairs))
    vector = np.zeros((3, pairs))
    gradient = np.zeros((3, pairs))
    chi_gradient = np.zeros((3, pairs))
    true = np.zeros((3, pairs))
    length = np.zeros(pairs)
    sums, coefficients = scratch(shells.centre.size)
    figures[:] = 0.0
    kicking = panels > 0
    vectors, shell_vectors = kick_scratch(shells.centre.size, pairs if kicking else 0)
    if kicking:
        third_order_gradient(shells, g, phases, state, vectors, shell_vectors, gradient)

    node = 0
    kicked = 0.0  # the time for which the third order has been applied, and its first moment
    moment = 0.0
    t_latest = 0.0
    latest = gradient.copy()
    slope = np.zeros((3, pairs))
    pending = np.zeros((3, pairs))
    checked = 0 if check != CHECK_OFF else checks.shape[0]
    sampled = 0
    t = 0.0
    averaged_rates(shells, g, terms, state, sums, coefficients, stages[0])
    h = first_step(shells.first, stages[0], state, t_end)
    for _ in range(MOST_STEPS):
        to_node = node < GAUSS * panels
        target = t_end
        if to_node:
            target = t_end * (node // GAUSS + GAUSS_NODES[node % GAUSS]) / panels
        left = target - t
        arrives = h >= left
        h_now = left if arrives else min(h, 0.5 * left)
        error = step(shells, g, terms, h_now, state, stages, sums, coefficients, point, new)
        if not np.isfinite(error):
            return NOT_FINITE
        figures[STEPS] += 1.0
        growth = MOST_GROWTH
        if error > 0.0:
            growth = min(MOST_GROWTH, max(LEAST_GROWTH, SAFETY * (step_tolerance / error) ** 0.125))
        if error > step_tolerance:
            h = h_now * min(growth, 1.0)
            continue
        h = max(h, h_now * growth) if h_now < h else h_now * growth
        figures[STEP_ERROR] += error
        t_new = target if arrives else t + h_now

        # samples and checks inside the step
        prepared = False
        for _ in range(samples + checks.shape[0]):
            next_check = t_end * ((checked + 1.0) / checks.shape[0]) if checked < checks.shape[0] else np.inf
            next_sample = times[sampled] if sampled < samples else np.inf
            now = min(next_check, next_sample)
            if now > t_new or (now == t_new and to_node):
                break
            if not prepared:
                prepare_dense(shells, g, terms, h_now, state, new, stages, sums, coefficients, point, dense)
                prepared = True
            dense_state((now - t) / h_now, state, dense, point)
            if kicking:
                lacking = now - kicked
                pending[:, :] = lacking * latest + (0.5 * now * now - moment - t_latest * lacking) * slope
                rotate(pending, 1.0, point)
            if next_check <= next_sample:
                if check == CHECK_STORE:
                    checks[checked] = point
                else:
                    figures[DIFFERENCE] = max(figures[DIFFERENCE], largest_difference(checks[checked], point))
                checked += 1
            else:
                true_state(shells, g, full, now, point, vector, chi_gradient, true)
                if rows.shape[0] > 0:
                    free[sampled] = record(system, g, true, length, rows[sampled], figures)
                if states.shape[0] > 0:
                    states[sampled] = true
                sampled += 1

        state[:, :] = new
        t = t_new
        if arrives and to_node:
            third_order_gradient(shells, g, phases, state, vectors, shell_vectors, gradient)
            weight = t_end * GAUSS_WEIGHTS[node % GAUSS] / panels
            point[:, :] = state
            rotate(gradient, weight, state)
            point -= state
            figures[KICK] += relative_size(shells.first, point, state)
            slope[:, :] = gradient - latest
            slope /= t - t_latest
            t_latest = t
            latest[:, :] = gradient
            kicked += weight
            moment += weight * t
            node += 1
            averaged_rates(shells, g, terms, state, sums, coefficients, stages[0])
        else:
            stages[0] = stages[STAGES]
        if t >= t_end and not to_node:
            # what is not a number stays so to the end; maxima do not see it
            return DONE if np.isfinite(state.sum()) else NOT_FINITE
    return TOO_MANY_STEPS
