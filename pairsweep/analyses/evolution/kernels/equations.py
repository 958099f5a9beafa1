"""Right-hand side of the extended quantum kinetic equations (Eqs. 3-7 of arXiv:2604.25687).

All interaction goes through one real vector J, so a right-hand side costs O(N), not O(N^2).
"""

import numpy as np

from pairsweep.kernels.coupling import frequency
from pairsweep.kernels.jit import jit


@jit()
def interaction_vector(pairs, rho, rhobar, kappa, out):
    """Fill ``out`` (3,) with J = sum_q w_q [q (rho + rhobar) + 2 theta Re kappa + 2 phi Im kappa], MeV^3."""
    weight, p_hat, theta_hat, phi_hat = pairs.weight, pairs.p_hat, pairs.theta_hat, pairs.phi_hat
    for k in range(3):
        total = 0.0
        for q in range(weight.size):
            total += weight[q] * (
                p_hat[q, k] * (rho[q] + rhobar[q])
                + 2.0 * theta_hat[q, k] * kappa[q].real
                + 2.0 * phi_hat[q, k] * kappa[q].imag
            )
        out[k] = total
    return 0


@jit()
def right_hand_side(pairs, g, rho, rhobar, kappa, drho, dkappa):
    """Fill ``drho`` and ``dkappa`` (N,) with the time derivatives, MeV; d rhobar/dt equals d rho/dt.

    i dkappa/dt = (2 E - 4 g p.J) kappa + 2 g n (conj(eps).J),  drho/dt = -4 g Im[(conj(eps).J) conj(kappa)]
    with n = rho + rhobar - 1 and eps = theta_hat - i phi_hat.
    """
    energy, p_hat, theta_hat, phi_hat = pairs.energy, pairs.p_hat, pairs.theta_hat, pairs.phi_hat
    J = np.empty(3)
    interaction_vector(pairs, rho, rhobar, kappa, J)
    for p in range(energy.size):
        along = p_hat[p, 0] * J[0] + p_hat[p, 1] * J[1] + p_hat[p, 2] * J[2]
        across = complex(
            theta_hat[p, 0] * J[0] + theta_hat[p, 1] * J[1] + theta_hat[p, 2] * J[2],
            phi_hat[p, 0] * J[0] + phi_hat[p, 1] * J[1] + phi_hat[p, 2] * J[2],
        )
        n = rho[p] + rhobar[p] - 1.0
        dkappa[p] = -1j * (frequency(energy[p], g, along) * kappa[p] + 2.0 * g * n * across)
        drho[p] = -4.0 * g * (across * kappa[p].conjugate()).imag
    return 0
