"""The matrix M of the linearised pairing equation (the Letter's Eqs. 12-14, any number of pairs)."""

import numpy as np

from pairsweep.kernels.coupling import fill_j0, frequency
from pairsweep.kernels.jit import jit


@jit()
def stability_matrix(energy, weight, p_hat, theta_hat, phi_hat, n, g, out):
    """Fill ``out`` (2N, 2N) with M acting on (Re kappa, Im kappa), MeV.

    Occupations are held fixed; ``n`` (N,) is the EPN. M is the Jacobian of the right-hand side at kappa = 0.
    """
    pairs = energy.size
    out[:, :] = 0.0
    J0 = np.empty(3)
    fill_j0(weight, p_hat, n, J0)
    for p in range(pairs):
        along = p_hat[p, 0] * J0[0] + p_hat[p, 1] * J0[1] + p_hat[p, 2] * J0[2]
        omega = frequency(energy[p], g, along)
        out[p, pairs + p] += omega
        out[pairs + p, p] -= omega
        for q in range(pairs):
            coupling = 4.0 * g * n[p] * weight[q]
            phi_theta = 0.0
            phi_phi = 0.0
            theta_theta = 0.0
            theta_phi = 0.0
            for k in range(3):
                phi_theta += phi_hat[p, k] * theta_hat[q, k]
                phi_phi += phi_hat[p, k] * phi_hat[q, k]
                theta_theta += theta_hat[p, k] * theta_hat[q, k]
                theta_phi += theta_hat[p, k] * phi_hat[q, k]
            out[p, q] += coupling * phi_theta
            out[p, pairs + q] += coupling * phi_phi
            out[pairs + p, q] -= coupling * theta_theta
            out[pairs + p, pairs + q] -= coupling * theta_phi
    return 0


@jit()
def stability_matrices(energy, weight, p_hat, theta_hat, phi_hat, n, g, out):
    """Fill ``out`` (P, 2N, 2N) for P points that share a grid: ``n`` (P, N), ``g`` (P,)."""
    for point in range(n.shape[0]):
        stability_matrix(energy, weight, p_hat, theta_hat, phi_hat, n[point], g[point], out[point])
    return 0
