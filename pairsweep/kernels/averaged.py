"""Evolution by averaging, ``method = "averaged"``: points of one grid, each on its own to the last bit.

The fast rotation of every shell of equal energy is averaged out to second order in g, with third-order kicks, and put
back at the samples: the cost does not depend on g. Derivation and figures: docs/averaging.md.
"""

import numpy as np

from pairsweep.kernels.averaged_field import FIRST, RESONANT, SECOND, averaged_rates, scratch
from pairsweep.kernels.averaged_forms import three_waves
from pairsweep.kernels.averaged_kicks import kick_scratch, phase_line, third_order_gradient
from pairsweep.kernels.averaged_map import change_variables
from pairsweep.kernels.averaged_run import (
    CHECK_COMPARE,
    CHECK_STORE,
    DIFFERENCE,
    DONE,
    ENERGY_DRIFT,
    FIGURES,
    KICK,
    NORM_DRIFT,
    NOT_FINITE,
    STEP_ERROR,
    STEPS,
    TOO_MANY_STEPS,
    System,
    largest_difference,
    run,
)
from pairsweep.kernels.averaged_shells import Shells, smallness, sort_into_shells
from pairsweep.kernels.averaged_step import TINY, relative_size
from pairsweep.kernels.jit import jit
from pairsweep.kernels.observables import invariants

NOT_SMALL = 11
NOT_TURNING = 12
NEAR_RESONANCE = 13
PHASE_LOST = 14
TOLERANCE_MISSED = 15

# What is wrong and what to change; {ratio} and {error} are figures of the point
STATUS_TEXTS = {
    NOT_FINITE: "averaged: the state is no longer finite: check the occupations and the initial kappa",
    TOO_MANY_STEPS: "averaged: too many steps: shorten the run or loosen the tolerance",
    NOT_SMALL: "averaged: g w is not small against E and the energy differences, ratio {ratio:.2g} (at most 0.2): "
    'use method = "splitting"',
    NOT_TURNING: 'averaged: a pair with E = 0 does not turn, nothing to average: use method = "splitting"',
    NEAR_RESONANCE: "averaged: E_a + E_b is close to E_c for three energies, ratio {ratio:.2g} (at most 0.2): "
    'make them equal or use method = "splitting"',
    PHASE_LOST: "averaged: 2 E t exceeds what double precision resolves: shorten the run",
    TOLERANCE_MISSED: "averaged: error estimate {error:.1e} above the tolerance: loosen it, shorten the run or use "
    'method = "splitting"',
}

# Places in the figures of a point
RATIO = 0
ERROR = 1
ENERGY = 2
NORM = 3
STEPS_TAKEN = 4
PANELS = 5
ORDER = 6
POINT_FIGURES = 7

MOST_RATIO = 0.2
LONGEST_PHASE = 2.0**52
# Share of the tolerance that a single step may err by: a run takes 30 to 200 steps, most far below it
STEP_SHARE = 0.05
LEAST_STEP_TOLERANCE = 1e-13
CHECKS = 48
# Difference of two runs at which nothing follows from it any more; the difference that unit spins cannot exceed
PARTED = 0.5
LARGEST_ERROR = 2.0
ATTEMPTS = 3
LEAST_PANELS = 4
MOST_PANELS = 64
# Measured: error of the kicks' quadrature, see kicks_left; error of chi1 alone at the samples over ratio^2
QUADRATURE = 6.0
MAP_SHARE = 0.06


@jit()
def make_shells(energy, weight, p_hat, theta_hat, phi_hat, spin, g):
    """Return the :class:`Shells` of one system; ``spin`` (N,) is |S| of each pair."""
    pairs = energy.size
    order = np.empty(pairs, dtype=np.int64)
    first_all = np.empty(pairs + 1, dtype=np.int64)
    centre_all = np.empty(pairs)
    count = sort_into_shells(energy, weight, spin, g, order, first_all, centre_all)
    first = first_all[: count + 1].copy()
    centre = centre_all[:count].copy()
    geometry = np.empty((9, pairs))
    sorted_weight = np.empty(pairs)
    detuning = np.empty(pairs)
    background = np.zeros(3)
    for a in range(count):
        for q in range(first[a], first[a + 1]):
            p = order[q]
            sorted_weight[q] = weight[p]
            detuning[q] = 2.0 * (energy[p] - centre[a])
            for k in range(3):
                geometry[k, q] = p_hat[p, k]
                geometry[3 + k, q] = theta_hat[p, k]
                geometry[6 + k, q] = phi_hat[p, k]
                background[k] += weight[p] * p_hat[p, k]
    multiples = np.zeros(count, dtype=np.int64)
    return Shells(geometry, sorted_weight, first, centre, detuning, background, order, multiples)


@jit()
def shell_strength(shells, spin):
    """Return sum w |S| of every shell (shells,), MeV^3; ``spin`` (N,) in the pairs' own order."""
    strength = np.zeros(shells.centre.size)
    for a in range(shells.centre.size):
        for q in range(shells.first[a], shells.first[a + 1]):
            strength[a] += shells.weight[q] * spin[shells.order[q]]
    return strength


@jit()
def averaged_start(shells, g, rho, rhobar, kappa0):
    """Return the averaged state (3, N) at t = 0, sorted by shell, and the error of the change of variables.

    The latter is the third order of the change against the seeds it disturbs, a relative error of kappa.
    """
    pairs = rho.size
    state = np.empty((3, pairs))
    for q in range(pairs):
        p = shells.order[q]
        state[0, q] = rho[p] + rhobar[p] - 1.0
        state[1, q] = kappa0[p].real
        state[2, q] = kappa0[p].imag
    true = state.copy()
    change_variables(shells, g, -1.0, state)
    moved = largest_difference(state, true)
    size = TINY
    for q in range(pairs):
        size = max(size, 2.0 * np.sqrt(state[1, q] ** 2 + state[2, q] ** 2))
    return state, moved * moved * min(1.0, moved / size)


@jit()
def second_order_size(shells, g, terms, state):
    """Relative rate of change, 1/MeV, that K2 makes at ``state``."""
    sums, coefficients = scratch(shells.centre.size)
    first_rates = np.empty_like(state)
    all_rates = np.empty_like(state)
    averaged_rates(shells, g, FIRST, state, sums, coefficients, first_rates)
    averaged_rates(shells, g, terms, state, sums, coefficients, all_rates)
    return relative_size(shells.first, all_rates - first_rates, state)


@jit()
def third_order_size(shells, g, phases, state):
    """Relative rate of change, 1/MeV, that K3 makes at ``state``."""
    vectors, shell_vectors = kick_scratch(shells.centre.size, state.shape[1])
    gradient = np.empty_like(state)
    third_order_gradient(shells, g, phases, state, vectors, shell_vectors, gradient)
    change = np.empty_like(state)
    for q in range(state.shape[1]):
        h, re, im = gradient[0, q], gradient[1, q], gradient[2, q]
        change[0, q] = 2.0 * (state[2, q] * re - state[1, q] * im)
        change[1, q] = 0.5 * state[0, q] * im - h * state[2, q]
        change[2, q] = h * state[1, q] - 0.5 * state[0, q] * re
    return relative_size(shells.first, change, state)


@jit()
def kicks_left(panels, steps, step_tolerance):
    """What the quadrature of the kicks leaves of the error of second order, as measured (docs/averaging.md).

    Counted in panels per hundred steps of a run at a step tolerance of 1e-9, which says how fast the state changes.
    """
    resolved = 100.0 * panels / (steps * (step_tolerance / 1e-9) ** 0.125)
    return min(1.0, QUADRATURE / resolved**3)


@jit()
def evolve_point(system, g, kappa0, times, tolerance, rows, free, states, figures):
    """Evolve one system: :func:`run` at the order that ``tolerance`` needs, its error estimated by a companion.

    The companion is of an order less. The difference of the two is its error, measured, with all that the
    trajectory makes of it; the run's own is smaller by the ratio of successive orders (second order) or by what
    the quadrature of the kicks leaves (third).

    Fills ``rows`` (T, R), ``free`` (T,), ``states`` (T or 0, 3, N) as :func:`run` and ``figures``
    (POINT_FIGURES,); returns a status.
    """
    figures[:] = 0.0
    figures[ERROR] = np.nan
    shells = make_shells(
        system.energy, system.weight, system.p_hat, system.theta_hat, system.phi_hat, system.spin, g
    )
    strength = shell_strength(shells, system.spin)
    ratio = smallness(shells.background, strength, shells.centre, shells.detuning, shells.first, g)
    figures[RATIO] = ratio
    if not shells.centre[0] > 0.0:
        return NOT_TURNING
    if not ratio <= MOST_RATIO:
        return NOT_SMALL
    resonant, near = three_waves(shells.centre, strength, g)
    if near > MOST_RATIO:
        figures[RATIO] = near
        return NEAR_RESONANCE
    if 2.0 * shells.centre[-1] * times[-1] > LONGEST_PHASE:
        return PHASE_LOST
    terms = RESONANT if resonant else SECOND
    phases = phase_line(shells.centre, shells.multiples)
    start, start_error = averaged_start(shells, g, system.rho, system.rhobar, kappa0)
    t_end = times[-1]
    map_error = MAP_SHARE * ratio**2
    full = map_error > 0.1 * tolerance
    if full:
        map_error *= ratio
    step_tolerance = max(STEP_SHARE * tolerance, LEAST_STEP_TOLERANCE)

    checks = np.zeros((CHECKS, 3, start.shape[1]))
    no_rows = np.zeros((0, rows.shape[1]))
    no_states = np.zeros((0, 3, start.shape[1]))
    of_companion = np.zeros(FIGURES)
    of_run = np.zeros(FIGURES)
    expected = 3.0 * t_end * third_order_size(shells, g, phases, start) if phases > 0 else 0.0
    for order in range(2, 4):
        if order == 2 and expected > tolerance:
            continue
        lower = FIRST if order == 2 else terms
        state = start.copy()
        status = run(
            shells,
            system,
            g,
            lower,
            phases,
            0,
            step_tolerance,
            False,
            times,
            CHECK_STORE,
            checks,
            state,
            no_rows,
            free,
            no_states,
            of_companion,
        )
        if status != DONE:
            return status
        panels = 0
        for _ in range(ATTEMPTS):
            if order == 3:
                panels = enough_panels(panels, expected, tolerance, of_companion[STEPS], step_tolerance)
            state = start.copy()
            status = run(
                shells,
                system,
                g,
                terms,
                phases,
                panels,
                step_tolerance,
                full,
                times,
                CHECK_COMPARE,
                checks,
                state,
                rows,
                free,
                states,
                of_run,
            )
            if status != DONE:
                return status
            # linear in what it comes from only while the two runs are near: near 1 they have parted for good
            difference = of_run[DIFFERENCE] / max(1.0 - of_run[DIFFERENCE] / PARTED, TINY)
            if order == 2:
                missing = t_end * second_order_size(shells, g, terms, start)
                left = ratio * difference
            else:
                missing = of_run[KICK]
                left = ratio * difference + kicks_left(panels, of_companion[STEPS], step_tolerance) * max(
                    difference, 3.0 * missing
                )
            amplified = max(1.0, difference / missing) if missing > 0.0 else 1.0
            error = left + amplified * (start_error + 0.5 * of_run[STEP_ERROR]) + map_error
            figures[ERROR] = min(error, LARGEST_ERROR)
            figures[ENERGY] = of_run[ENERGY_DRIFT]
            figures[NORM] = of_run[NORM_DRIFT]
            figures[STEPS_TAKEN] = of_run[STEPS]
            figures[PANELS] = panels
            figures[ORDER] = order
            if error <= tolerance:
                return DONE
            if order == 2 or panels >= MOST_PANELS:
                break
            expected = max(expected, difference, 3.0 * missing)
        if order == 2 and phases == 0:
            break
    return TOLERANCE_MISSED


@jit()
def enough_panels(panels, expected, tolerance, steps, step_tolerance):
    """Return how many panels bring an expected error of second order below half the tolerance; at least doubled."""
    per_panel = 0.01 * steps * (step_tolerance / 1e-9) ** 0.125
    wanted = per_panel * (QUADRATURE * 2.0 * expected / tolerance) ** (1.0 / 3.0)
    wanted = min(max(wanted, 2.0 * panels, LEAST_PANELS), MOST_PANELS)
    return int(np.ceil(wanted))


@jit()
def averaged_points(
    energy,
    weight,
    p_hat,
    theta_hat,
    phi_hat,
    energy_bin,
    quadrant,
    rho,
    rhobar,
    kappa0,
    g,
    times,
    tolerance,
    n_energy,
    n_beam,
    rows,
    free,
    states,
    figures,
    status,
):
    """Evolve P points that share a grid; no point's result depends on the others.

    Parameters
    ----------
    energy, weight : (N,) MeV, MeV^3
    p_hat, theta_hat, phi_hat : (N, 3)
    energy_bin, quadrant : (N,) int
        Labels of the pairs.
    rho, rhobar, kappa0 : (P, N)
        State at t = 0; kappa0 complex.
    g : (P,) MeV^-2
    times : (P, T) 1/MeV
        Sample times, ascending from 0 or later.
    tolerance : float
        Largest error wanted of any component of any S at the samples.
    n_energy, n_beam : int
        As in ``observables.observe``.
    rows, free : (P, T, R), (P, T)
        Filled with the observables and the mean size of kappa without its forced response.
    states : (P, T, 3, N) or (P, 0, 3, N)
        Filled with the true n, Re kappa, Im kappa at the samples; empty where nobody wants them.
    figures : (P, POINT_FIGURES)
        Filled with the numbers of a run, places ``RATIO`` ... ``ORDER``.
    status : (P,) int
        Filled with DONE or a reason of ``STATUS_TEXTS``; rows hold a complete run for DONE and TOLERANCE_MISSED only.
    """
    spin = np.empty(energy.size)
    for point in range(g.size):
        n = rho[point] + rhobar[point] - 1.0
        H0 = invariants(
            energy,
            weight,
            p_hat,
            theta_hat,
            phi_hat,
            g[point],
            n,
            kappa0[point].real,
            kappa0[point].imag,
            spin,
        )
        system = System(
            energy,
            weight,
            p_hat,
            theta_hat,
            phi_hat,
            energy_bin,
            quadrant,
            rho[point],
            rhobar[point],
            n_energy,
            n_beam,
            H0,
            spin,
        )
        status[point] = evolve_point(
            system,
            g[point],
            kappa0[point],
            times[point],
            tolerance,
            rows[point],
            free[point],
            states[point],
            figures[point],
        )
    return 0
