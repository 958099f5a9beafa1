"""Evolution by averaging, ``method = "averaged"``: points of one grid, each on its own to the last bit.

The fast rotation of every shell of equal energy is averaged out to second order in g, with third-order kicks, and put
back at the samples: the cost does not depend on g. Derivation and figures: docs/averaging.md.
"""

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.change import change_variables
from pairsweep.analyses.evolution.kernels.averaging.field import (
    FIRST,
    RESONANT,
    SECOND,
    averaged_rates,
    scratch,
)
from pairsweep.analyses.evolution.kernels.averaging.forms import three_waves
from pairsweep.analyses.evolution.kernels.averaging.kicks import (
    kick_scratch,
    phase_line,
    third_order_gradient,
)
from pairsweep.analyses.evolution.kernels.averaging.shells import (
    make_shells,
    pack,
    smallness,
    strength_and_width,
    turning_rates,
)
from pairsweep.analyses.evolution.kernels.averaging.step import TINY, copy_state, relative_size
from pairsweep.analyses.evolution.kernels.averaging.trajectory import (
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
    all_finite,
    largest_difference,
    run,
)
from pairsweep.analyses.evolution.kernels.observables import invariants
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES

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
# two of second order, then two and, with more kicks, up to two more of third
ROUNDING = 1e-15  # by which two runs of equal fields differ early on
STEPS_PART = 0.25  # of the tolerance that the steps may take
ATTEMPTS = 6
LEAST_PANELS = 4
MOST_PANELS = 64
# Measured: error of the kicks' quadrature, see kicks_left; error of chi1 alone at the samples over ratio^2
QUADRATURE = 6.0
MAP_SHARE = 0.06


@jit()
def averaged_start(shells, g, n, kappa, state):
    """Fill ``state`` (B, 3 LANES) with the averaged state at t = 0; returns the error of the change of variables.

    The latter is the third order of the change against the seeds it disturbs, a relative error of kappa. ``n``,
    ``kappa`` (N,): the true state.
    """
    values = np.empty((3, n.size))
    for p in range(n.size):
        values[0, p] = n[p]
        values[1, p] = kappa[p].real
        values[2, p] = kappa[p].imag
    true = np.empty_like(state)
    pack(shells.place, values, true)
    copy_state(true, state)
    back = -1.0
    change_variables(shells, g, back, state)
    moved = largest_difference(state, true)
    size = TINY
    for b in range(state.shape[0]):
        for lane in range(LANES):
            size = max(size, 2.0 * np.sqrt(state[b, LANES + lane] ** 2 + state[b, 2 * LANES + lane] ** 2))
    return moved * moved * min(1.0, moved / size)


@jit()
def second_order_size(shells, g, terms, state):
    """Relative rate of change, 1/MeV, that K2 makes at ``state``."""
    wide, sums, coefficients = scratch(shells.centre.size)
    change = np.zeros_like(state)
    out = np.empty_like(state)
    for k in range(2):
        averaged_rates(shells, g, FIRST if k == 0 else terms, state, wide, sums, coefficients, out)
        for b in range(state.shape[0]):
            for i in range(state.shape[1]):
                change[b, i] = out[b, i] - change[b, i]
    return relative_size(shells.first, change, state)


@jit()
def third_order_size(shells, g, phases, state):
    """Relative rate of change, 1/MeV, that K3 makes at ``state``."""
    gradient = np.empty_like(state)
    third_order_gradient(shells, g, phases, state, kick_scratch(shells.centre.size), gradient)
    turning_rates(shells.detuning, 0.0, state, gradient)
    return relative_size(shells.first, gradient, state)


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
    for i in range(figures.size):
        figures[i] = 0.0
    figures[ERROR] = np.nan
    shells = make_shells(
        system.energy, system.weight, system.p_hat, system.theta_hat, system.phi_hat, system.spin, g
    )
    strength = np.empty(shells.centre.size)
    width = strength_and_width(shells, system.spin, strength)
    ratio = smallness(shells.background, strength, shells.centre, g)
    figures[RATIO] = ratio
    if not shells.centre[0] > 0.0:
        return NOT_TURNING
    if not (np.isfinite(ratio) and max(ratio, width) <= MOST_RATIO):
        figures[RATIO] = max(ratio, width)
        return NOT_SMALL
    resonant, near = three_waves(shells.centre, strength, g)
    if near > MOST_RATIO:
        figures[RATIO] = near
        return NEAR_RESONANCE
    t_end = times[-1]
    if 2.0 * shells.centre[-1] * t_end > LONGEST_PHASE:
        return PHASE_LOST
    all_terms = RESONANT if resonant else SECOND
    phases = phase_line(shells.centre, shells.multiples)
    start = np.empty((shells.place.shape[0], 3 * LANES))
    start_error = averaged_start(shells, g, system.rho + system.rhobar - 1.0, kappa0, start)
    if not all_finite(start):
        return NOT_FINITE
    map_error = MAP_SHARE * ratio**2
    full = map_error > 0.1 * tolerance
    if full:
        map_error *= ratio
    step_tolerance = max(STEP_SHARE * tolerance, LEAST_STEP_TOLERANCE)

    checks = np.empty((CHECKS, start.shape[0], start.shape[1]))
    of_run = np.empty(FIGURES)
    state = np.empty_like(start)
    expected = 3.0 * t_end * third_order_size(shells, g, phases, start) if phases > 0 else 0.0
    order = 3 if expected > tolerance else 2
    panels = 0
    steps = 0.0
    storing = panels == 0  # not the literal True, for which numba would compile a second run
    for _ in range(ATTEMPTS):
        terms = FIRST if storing and order == 2 else all_terms
        if order == 3 and not storing:
            panels = enough_panels(panels, expected, tolerance, steps, step_tolerance)
        copy_state(start, state)
        status = run(
            shells,
            system,
            g,
            terms,
            phases,
            panels,
            step_tolerance,
            full,
            0 if storing else times.size,
            times,
            checks,
            storing,
            state,
            rows,
            free,
            states,
            of_run,
        )
        if status != DONE:
            return status
        if storing:
            storing = False
            steps = of_run[STEPS]
            continue
        # linear in what it comes from only while the two runs are near: near 1 they have parted for good
        difference = of_run[DIFFERENCE] / max(1.0 - of_run[DIFFERENCE] / PARTED, TINY)
        fixed = ratio * difference + map_error
        missing = of_run[KICK] if order == 3 else t_end * second_order_size(shells, g, all_terms, start)
        # what the trajectory makes of an early error: the runs differ by the missing order (their steps are the same,
        # so the errors of these do not show) and by rounding
        amplified = max(1.0, difference / (missing + ROUNDING))
        of_steps = amplified * 0.5 * of_run[STEP_ERROR]
        fixed += amplified * start_error + of_steps
        left = 0.0
        if order == 3:
            expected = max(difference, 3.0 * missing)
            left = kicks_left(panels, steps, step_tolerance) * expected
        figures[ERROR] = min(fixed + left, LARGEST_ERROR)
        figures[ENERGY] = of_run[ENERGY_DRIFT]
        figures[NORM] = of_run[NORM_DRIFT]
        figures[STEPS_TAKEN] = of_run[STEPS]
        figures[PANELS] = panels
        figures[ORDER] = order
        if fixed + left <= tolerance:
            return DONE
        if of_steps > STEPS_PART * tolerance and step_tolerance > LEAST_STEP_TOLERANCE:
            # the trajectory makes more of the steps than was provided for: both runs again with smaller ones
            step_tolerance = max(
                0.5 * STEPS_PART * step_tolerance * tolerance / of_steps, LEAST_STEP_TOLERANCE
            )
            panels = 0
            storing = True
            continue
        if order == 2 and phases > 0:
            order = 3
            storing = True
        elif order == 2 or fixed > tolerance or panels >= MOST_PANELS:
            return TOLERANCE_MISSED
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
