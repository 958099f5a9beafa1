"""What is recorded of a system while it is stepped: one flat row of numbers per sample time, never a history.

A row holds, in the order of :func:`row_layout`, with n the EPN and kappa of each pair at that time:

    kappa_mean                     sum |kappa| / N
    kappa_energy, kappa_quadrant   the same mean inside an energy bin, inside a quadrant of phi
    rho_quadrant, rhobar_quadrant  mean occupation inside a quadrant
    kappa_beam, rho_beam, ...      |kappa| and the occupations of every pair (beams only)
    spin_occupation                -(1/2) sum w p_hat (n + 1), MeV^3
    spin_pairing                   -(1/2) sum w (2 Re kappa theta_hat + 2 Im kappa phi_hat), MeV^3

An empty bin or quadrant is NaN. rho - rhobar of every pair is conserved, so n alone gives both occupations:
rho = rho(0) + (n - n(0))/2. The two spins add up to -J/2.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.kernels.coupling import fill_j0, frequency
from pairsweep.kernels.jit import jit

QUADRANTS = 4
COMPONENTS = 3


def row_layout(n_energy: int, n_beam: int) -> dict[str, slice]:
    """Place of every observable in a row; ``n_beam`` is 0 for bins, the number of pairs for beams."""
    widths = {
        "kappa_mean": 1,
        "kappa_energy": n_energy,
        "kappa_quadrant": QUADRANTS,
        "rho_quadrant": QUADRANTS,
        "rhobar_quadrant": QUADRANTS,
        "kappa_beam": n_beam,
        "rho_beam": n_beam,
        "rhobar_beam": n_beam,
        "spin_occupation": COMPONENTS,
        "spin_pairing": COMPONENTS,
    }
    layout = {}
    start = 0
    for name, width in widths.items():
        layout[name] = slice(start, start + width)
        start += width
    return layout


def row_size(n_energy: int, n_beam: int) -> int:
    """Length of a row."""
    return 1 + n_energy + 3 * QUADRANTS + 3 * n_beam + 2 * COMPONENTS


class Records(NamedTuple):
    """What :func:`record` fills, for P points.

    Attributes
    ----------
    rows : (P, T, row_size)
        Observables at every sample.
    free : (P, T)
        Mean size of kappa without its forced response (:func:`free_pairing`).
    drift : (P, 2)
        Largest drifts so far of H, relative to sum 2 w |E| |S| at the start, and of any |S|.
    status : (P,) int
        Set to NOT_FINITE where H is not; else left alone.
    """

    rows: np.ndarray
    free: np.ndarray
    drift: np.ndarray
    status: np.ndarray


@jit(apart=True)
def observe(pairs, rho0, rhobar0, state, row):
    """Fill ``row`` (row_size,) with the observables of one point at one time.

    ``rho0``, ``rhobar0`` (N,): initial occupations; ``state`` (3, N): n, Re kappa, Im kappa now.
    """
    weight, p_hat, theta_hat, phi_hat = pairs.weight, pairs.p_hat, pairs.theta_hat, pairs.phi_hat
    energy_bin, quadrant = pairs.energy_bin, pairs.quadrant
    n_energy, n_beam = pairs.n_energy, pairs.n_beam
    at_quadrant = 1 + n_energy
    at_rho = at_quadrant + QUADRANTS
    at_rhobar = at_rho + QUADRANTS
    at_beam = at_rhobar + QUADRANTS
    at_occupation = at_beam + 3 * n_beam
    at_pairing = at_occupation + COMPONENTS
    in_bin = np.zeros(n_energy)
    in_quadrant = np.zeros(QUADRANTS)
    row[:] = 0.0
    for p in range(weight.size):
        re = state[1, p]
        im = state[2, p]
        size = np.sqrt(re * re + im * im)
        # rho(0) + (n - n(0))/2 with n(0) = rho(0) + rhobar(0) - 1
        half = 0.5 * (state[0, p] + 1.0)
        difference = 0.5 * (rho0[p] - rhobar0[p])
        k = energy_bin[p]
        j = quadrant[p]
        in_bin[k] += 1.0
        in_quadrant[j] += 1.0
        row[0] += size
        row[1 + k] += size
        row[at_quadrant + j] += size
        row[at_rho + j] += half + difference
        row[at_rhobar + j] += half - difference
        if n_beam > 0:
            row[at_beam + p] = size
            row[at_beam + n_beam + p] = half + difference
            row[at_beam + 2 * n_beam + p] = half - difference
        for i in range(COMPONENTS):
            row[at_occupation + i] -= weight[p] * p_hat[p, i] * half
            row[at_pairing + i] -= weight[p] * (re * theta_hat[p, i] + im * phi_hat[p, i])
    row[0] /= weight.size
    for k in range(n_energy):
        row[1 + k] = row[1 + k] / in_bin[k] if in_bin[k] > 0.0 else np.nan
    for start in (at_quadrant, at_rho, at_rhobar):
        for j in range(QUADRANTS):
            row[start + j] = row[start + j] / in_quadrant[j] if in_quadrant[j] > 0.0 else np.nan
    return 0


@jit(apart=True)
def invariants(pairs, g, state, spin_length):
    """Fill ``spin_length`` (N,) with |S_p| and return the energy H, MeV^4; ``state`` (3, N) as in :func:`observe`.

    |S|^2 = n^2 + 4 |kappa|^2 and H = sum 2 w E n - 2 g |J|^2; both are conserved exactly by the equations.
    """
    energy, weight = pairs.energy, pairs.weight
    p_hat, theta_hat, phi_hat = pairs.p_hat, pairs.theta_hat, pairs.phi_hat
    H = 0.0
    jx = 0.0
    jy = 0.0
    jz = 0.0
    for p in range(energy.size):
        w = weight[p]
        n = state[0, p]
        along = n + 1.0
        re = 2.0 * state[1, p]
        im = 2.0 * state[2, p]
        H += 2.0 * w * energy[p] * n
        jx += w * (p_hat[p, 0] * along + theta_hat[p, 0] * re + phi_hat[p, 0] * im)
        jy += w * (p_hat[p, 1] * along + theta_hat[p, 1] * re + phi_hat[p, 1] * im)
        jz += w * (p_hat[p, 2] * along + theta_hat[p, 2] * re + phi_hat[p, 2] * im)
        spin_length[p] = np.sqrt(n * n + re * re + im * im)
    return H - 2.0 * g * (jx * jx + jy * jy + jz * jz)


@jit(apart=True)
def free_pairing(pairs, g, state):
    """Return sum |kappa - kf| / N, the mean kappa without its forced response: what grows exponentially.

    J0 = sum w p_hat (n + 1) drives every pair; kf = -2 g n (conj(eps).J0) / (2 E - 4 g p_hat.J0) is the
    constant that this drive alone would leave, and hides the growing mode while it is small.
    """
    energy, p_hat, theta_hat, phi_hat = pairs.energy, pairs.p_hat, pairs.theta_hat, pairs.phi_hat
    J0 = np.empty(COMPONENTS)
    fill_j0(pairs.weight, p_hat, state[0], J0)
    total = 0.0
    for p in range(energy.size):
        along = p_hat[p, 0] * J0[0] + p_hat[p, 1] * J0[1] + p_hat[p, 2] * J0[2]
        theta = theta_hat[p, 0] * J0[0] + theta_hat[p, 1] * J0[1] + theta_hat[p, 2] * J0[2]
        phi = phi_hat[p, 0] * J0[0] + phi_hat[p, 1] * J0[1] + phi_hat[p, 2] * J0[2]
        omega = frequency(energy[p], g, along)
        # a pair that does not rotate has no forced response to take away
        factor = 2.0 * g * state[0, p] / omega if omega != 0.0 else 0.0
        re = state[1, p] + factor * theta
        im = state[2, p] + factor * phi
        total += np.sqrt(re * re + im * im)
    return total / energy.size


@jit()
def record(pairs, rho, rhobar, start, g, states, records):
    """Fill ``records`` from the states of P points at T samples.

    Parameters
    ----------
    pairs : Pairs
    rho, rhobar : (P, N)
        Occupations at t = 0.
    start : (P, 3, N)
        n, Re kappa, Im kappa at t = 0.
    g : (P,) MeV^-2
    states : (P, T, 3, N)
    records : Records
    """
    energy, weight = pairs.energy, pairs.weight
    start_length = np.empty(energy.size)
    length = np.empty(energy.size)
    for point in range(g.size):
        H0 = invariants(pairs, g[point], start[point], start_length)
        scale = 0.0
        for p in range(energy.size):
            scale += 2.0 * weight[p] * abs(energy[p]) * start_length[p]
        drift = records.drift[point]
        for sample in range(states.shape[1]):
            state = states[point, sample]
            observe(pairs, rho[point], rhobar[point], state, records.rows[point, sample])
            records.free[point, sample] = free_pairing(pairs, g[point], state)
            H = invariants(pairs, g[point], state, length)
            if not np.isfinite(H):
                records.status[point] = Status.NOT_FINITE
            off = abs(H - H0)
            drift[0] = max(drift[0], off / scale if scale > 0.0 else off)
            for p in range(energy.size):
                drift[1] = max(drift[1], abs(length[p] - start_length[p]))
    return 0
