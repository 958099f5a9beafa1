"""The definition to test against: the Letter's Eqs. 3-7 as they are printed, one pairwise sum for each pair."""

import numpy as np


def random_system(rng, pairs, g=1e-3):
    """Pairs anywhere in momentum space with any occupations and correlations."""
    from pairsweep.physics.grid import beams

    grid = beams(
        energy=rng.uniform(0.5, 2.0, pairs),
        weight=rng.uniform(0.1, 1.0, pairs),
        theta=np.arccos(rng.uniform(-1, 1, pairs)),
        phi=rng.uniform(0, 2 * np.pi, pairs),
    )
    rho, rhobar = rng.random((2, pairs))
    kappa = rng.normal(size=pairs) + 1j * rng.normal(size=pairs)
    return grid, rho, rhobar, kappa, g


def frame(grid):
    """Arguments that most kernels share."""
    return grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat


def pairwise_rhs(grid, rho, rhobar, kappa, g):
    """Eqs. 6 and 7 with the Hamiltonian of Eqs. 3-5; rhobar carries the label of its pair.

    The antineutrino of pair q moves along -q, so rhobar_{-q} of the Letter is rhobar of the pair at -q: the sums
    over (rho_q - rhobar_{-q})(1 -+ p.q) turn into sums over pairs of rho (1 -+ p.q) - rhobar (1 +- p.q).
    """
    p_hat = grid.p_hat
    eps = grid.theta_hat - 1j * grid.phi_hat
    drho, dkappa = np.empty(grid.size), np.empty(grid.size, complex)
    for p in range(grid.size):
        nu, anti, pairing = grid.energy[p], -grid.energy[p], 0j
        for q in range(grid.size):
            w = grid.weight[q]
            cos = p_hat[p] @ p_hat[q]
            correlation = eps[q] * kappa[q] + np.conj(eps[q] * kappa[q])
            along = p_hat[p] @ correlation
            nu += 2 * g * w * (rho[q] * (1 - cos) - rhobar[q] * (1 + cos) - along)
            anti += 2 * g * w * (rho[q] * (1 + cos) - rhobar[q] * (1 - cos) + along)
            direction = p_hat[q] * (rho[q] + rhobar[q]) + correlation
            pairing += -2 * g * w * (np.conj(eps[p]) @ direction)
        drho[p] = 2 * (pairing * np.conj(kappa[p])).imag
        dkappa[p] = -1j * ((nu - anti) * kappa[p] - (rho[p] + rhobar[p] - 1) * pairing)
    return drho, dkappa
