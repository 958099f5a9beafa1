"""Splitting stepper of the spin form: eight points in the lanes of one pass, every pair in turn.

With S_p = n p_hat + 2 Re kappa theta_hat + 2 Im kappa phi_hat the equations are (E in MeV, t in 1/MeV)

    dS_p/dt = -2 (E_p p_hat - 2 g Jc) x S_p + 4 g JS x S_p,   Jc = sum_q w_q q_hat,   JS = sum_q w_q S_q.

    A: the first term, a rotation of every pair about a constant vector of its own: one constant matrix.
    B: the second term. sum_p w_p (dS_p/dt) = 4 g JS x JS = 0, so JS stays and B is one rotation by 4 g |JS| t
       about JS, the same matrix for all pairs.

Jc belongs to A because there it costs nothing and B becomes smaller; it vanishes on grids that are symmetric.
Both parts are rotations, so |S_p| is kept to rounding whatever the step, and nothing is ever renormalised.

Every lane does the same operations in the same order, so a point's result does not depend on its neighbours.
"""

import numpy as np

from pairsweep.kernels.jit import jit
from pairsweep.kernels.observables import free_pairing, invariants, observe

LANES = 8
CARTESIAN = 3
OK, NOT_FINITE = 0, 1
# A sample time counts as reached when the sum of the steps is off by no more than this many roundings.
TIME_ROUNDINGS = 8.0


@jit()
def rotation_matrix(x, y, z, out):
    """Fill ``out`` (9,) with the rotation by |v| about v = (x, y, z), row by row: exp([v]x)."""
    square = x * x + y * y + z * z
    angle = np.sqrt(square)
    if angle > 0.0:
        s = np.sin(angle) / angle
        half = np.sin(0.5 * angle)
        k = 2.0 * half * half / square
    else:
        s = 1.0
        k = 0.5
    out[0] = 1.0 - k * (y * y + z * z)
    out[1] = k * x * y - s * z
    out[2] = k * x * z + s * y
    out[3] = k * x * y + s * z
    out[4] = 1.0 - k * (x * x + z * z)
    out[5] = k * y * z - s * x
    out[6] = k * x * z - s * y
    out[7] = k * y * z + s * x
    out[8] = 1.0 - k * (x * x + y * y)
    return 0


@jit()
def fill_rotations(a, energy, p_hat, g, Jc, step, lane, rotations):
    """Fill ``rotations`` (s + 2, N, 9, LANES) at ``lane`` with A(a_i step); the last is A(2 a_1 step).

    The last A of a step and the first of the next are one rotation. ``Jc`` (3,) is sum w p_hat, g in MeV^-2.
    """
    one = np.empty(9)
    for i in range(a.size + 1):
        time = step * (a[i] if i < a.size else 2.0 * a[0])
        for p in range(energy.size):
            rotation_matrix(
                -2.0 * time * (energy[p] * p_hat[p, 0] - 2.0 * g * Jc[0]),
                -2.0 * time * (energy[p] * p_hat[p, 1] - 2.0 * g * Jc[1]),
                -2.0 * time * (energy[p] * p_hat[p, 2] - 2.0 * g * Jc[2]),
                one,
            )
            for k in range(9):
                rotations[i, p, k, lane] = one[k]
    return 0


@jit()
def fill_turn(J, strength, turn):
    """Fill ``turn`` (9, LANES) with B: rotations by ``strength`` (LANES,) times J (3, LANES)."""
    one = np.empty(9)
    for lane in range(LANES):
        rotation_matrix(
            strength[lane] * J[0, lane], strength[lane] * J[1, lane], strength[lane] * J[2, lane], one
        )
        for k in range(9):
            turn[k, lane] = one[k]
    return 0


@jit()
def rotate_pairs(rotations, turn, weight, S, J):
    """Apply ``turn`` (9, LANES), then each pair's ``rotations`` (N, 9, LANES), to S (N, 3, LANES); sum J."""
    J[:, :] = 0.0
    for p in range(weight.size):
        w = weight[p]
        for lane in range(LANES):
            x = turn[0, lane] * S[p, 0, lane] + turn[1, lane] * S[p, 1, lane] + turn[2, lane] * S[p, 2, lane]
            y = turn[3, lane] * S[p, 0, lane] + turn[4, lane] * S[p, 1, lane] + turn[5, lane] * S[p, 2, lane]
            z = turn[6, lane] * S[p, 0, lane] + turn[7, lane] * S[p, 1, lane] + turn[8, lane] * S[p, 2, lane]
            sx = rotations[p, 0, lane] * x + rotations[p, 1, lane] * y + rotations[p, 2, lane] * z
            sy = rotations[p, 3, lane] * x + rotations[p, 4, lane] * y + rotations[p, 5, lane] * z
            sz = rotations[p, 6, lane] * x + rotations[p, 7, lane] * y + rotations[p, 8, lane] * z
            S[p, 0, lane] = sx
            S[p, 1, lane] = sy
            S[p, 2, lane] = sz
            J[0, lane] += w * sx
            J[1, lane] += w * sy
            J[2, lane] += w * sz
    return 0


@jit()
def advance(b, rotations, weight, strength, steps, S):
    """Advance S (N, 3, LANES) by ``steps`` steps; ``strength`` (LANES,) is 4 g times the step, MeV^-3."""
    stages = b.size
    J = np.zeros((CARTESIAN, LANES))
    turn = np.zeros((9, LANES))
    turn[0] = 1.0
    turn[4] = 1.0
    turn[8] = 1.0
    rotate_pairs(rotations[0], turn, weight, S, J)
    for step in range(steps):
        for i in range(stages):
            fill_turn(J, b[i] * strength, turn)
            following = i + 1
            if following == stages and step < steps - 1:
                following = stages + 1
            rotate_pairs(rotations[following], turn, weight, S, J)
    return 0


@jit()
def integrate_lanes(
    a,
    b,
    energy,
    weight,
    p_hat,
    theta_hat,
    phi_hat,
    energy_bin,
    quadrant,
    rho0,
    rhobar0,
    kappa0,
    g,
    times,
    steps,
    steps_check,
    n_energy,
    n_beam,
    rows,
    free,
    deviation,
    drift,
    status,
):
    """Integrate LANES points at once and, beside them, the same points with fewer steps: the error estimate.

    Parameters
    ----------
    a, b : (s + 1,), (s,)
        The scheme (``tableaus.Tableau``).
    energy ... quadrant
        The grid: (N,) MeV, (N,) MeV^3, unit vectors (N, 3), labels (N,).
    rho0, rhobar0, kappa0 : (LANES, N)
        State at t = 0.
    g : (LANES,) MeV^-2
    times : (LANES, T) 1/MeV
        Sample times, in order away from 0 (either sign).
    steps, steps_check : (T,) int
        Numbers of steps that lead to each sample, of the run itself and of the coarser one.
    rows : (LANES, T, R)
        Filled with the observables.
    free : (LANES, T)
        Filled with the mean size of kappa without its forced response (``free_pairing``).
    deviation : (LANES,)
        Filled with the largest difference of any component of any S between the two runs, at the samples.
    drift : (LANES, 2)
        Filled with the drifts of H (relative to sum 2 w E |S|) and of |S|, largest over the samples.
    status : (LANES,) int
        Filled with OK or NOT_FINITE.
    """
    pairs = energy.size
    samples = times.shape[1]
    Jc = np.zeros(CARTESIAN)
    for q in range(pairs):
        for k in range(CARTESIAN):
            Jc[k] += weight[q] * p_hat[q, k]
    S = np.empty((2, pairs, CARTESIAN, LANES))
    n = np.empty(pairs)
    re = np.empty(pairs)
    im = np.empty(pairs)
    length = np.empty(pairs)
    start_length = np.empty((LANES, pairs))
    H0 = np.empty(LANES)
    scale = np.zeros(LANES)
    deviation[:] = 0.0
    drift[:, :] = 0.0
    status[:] = OK
    for lane in range(LANES):
        for p in range(pairs):
            n[p] = rho0[lane, p] + rhobar0[lane, p] - 1.0
            re[p] = kappa0[lane, p].real
            im[p] = kappa0[lane, p].imag
            for k in range(CARTESIAN):
                value = n[p] * p_hat[p, k] + 2.0 * (re[p] * theta_hat[p, k] + im[p] * phi_hat[p, k])
                S[0, p, k, lane] = value
                S[1, p, k, lane] = value
        H0[lane] = invariants(
            energy, weight, p_hat, theta_hat, phi_hat, g[lane], n, re, im, start_length[lane]
        )
        for p in range(pairs):
            scale[lane] += 2.0 * weight[p] * energy[p] * start_length[lane, p]

    reached = np.zeros((2, LANES))
    step = np.zeros((2, LANES))
    rotations = np.zeros((2, a.size + 1, pairs, 9, LANES))
    for sample in range(samples):
        for run in range(2):
            count = steps[sample] if run == 0 else steps_check[sample]
            if count == 0:
                continue
            for lane in range(LANES):
                ahead = reached[run, lane] + count * step[run, lane]
                if abs(ahead - times[lane, sample]) > TIME_ROUNDINGS * np.spacing(abs(times[lane, sample])):
                    step[run, lane] = (times[lane, sample] - reached[run, lane]) / count
                    fill_rotations(a, energy, p_hat, g[lane], Jc, step[run, lane], lane, rotations[run])
                    ahead = times[lane, sample]
                reached[run, lane] = ahead
            advance(b, rotations[run], weight, 4.0 * g * step[run], count, S[run])
        for lane in range(LANES):
            for p in range(pairs):
                n[p] = 0.0
                re[p] = 0.0
                im[p] = 0.0
                for k in range(CARTESIAN):
                    n[p] += p_hat[p, k] * S[0, p, k, lane]
                    re[p] += 0.5 * theta_hat[p, k] * S[0, p, k, lane]
                    im[p] += 0.5 * phi_hat[p, k] * S[0, p, k, lane]
                    deviation[lane] = max(deviation[lane], abs(S[0, p, k, lane] - S[1, p, k, lane]))
            observe(
                weight,
                p_hat,
                theta_hat,
                phi_hat,
                energy_bin,
                quadrant,
                rho0[lane],
                rhobar0[lane],
                n,
                re,
                im,
                n_energy,
                n_beam,
                rows[lane, sample],
            )
            free[lane, sample] = free_pairing(energy, weight, p_hat, theta_hat, phi_hat, g[lane], n, re, im)
            H = invariants(energy, weight, p_hat, theta_hat, phi_hat, g[lane], n, re, im, length)
            drift[lane, 0] = max(
                drift[lane, 0], abs(H - H0[lane]) / scale[lane] if scale[lane] > 0.0 else abs(H - H0[lane])
            )
            for p in range(pairs):
                drift[lane, 1] = max(drift[lane, 1], abs(length[p] - start_length[lane, p]))
            if not np.isfinite(H):
                status[lane] = NOT_FINITE
    return 0
