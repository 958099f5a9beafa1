"""The change of variables between the true and the averaged state: true = exp(L_chi) averaged.

chi = g chi1 + g^2 chi2 with chi1 = 2i sum c(Omega_b + Omega_d) Z_b.Z_d in the notation of :mod:`averaged_forms`, which
holds chi2.
"""

import numpy as np

from pairsweep.kernels.averaged_forms import FORM_CHI2, add_form, read_z
from pairsweep.kernels.averaged_shells import AT_G, AT_L, COEFFICIENTS, SUMS, rates, shell_sums
from pairsweep.kernels.jit import jit

# Above this number of shells only the terms of chi2 linear in kappa are kept: the others cost its cube
MOST_FULL_SHELLS = 12


@jit()
def chi1_vectors(centre, z, J0, g, axis, G):
    """Fill ``axis`` (3,) and ``G`` (shells, 3) of the gradient of g chi1, h = axis.p and f = eps*.G."""
    shells = centre.size
    axis[:] = 0.0
    for a in range(shells):
        omega = 2.0 * centre[a]
        for k in range(3):
            axis[k] -= 8.0 * g / omega * z[a, k].imag
            total = complex(-J0[k] / omega, 0.0)
            for b in range(shells):
                other = 2.0 * centre[b]
                total -= z[b, k].conjugate() / (omega + other)
                if b != a:
                    total += z[b, k] / (other - omega)
            G[a, k] = complex(-4.0 * g * total.imag, 4.0 * g * total.real)
    return 0


@jit()
def generator_rates(shells, g, state, out):
    """Fill ``out`` (3, N) with the field of chi = g chi1 + g^2 chi2 at ``state``."""
    count = shells.centre.size
    sums = np.zeros((count, SUMS))
    coefficients = np.zeros((count, COEFFICIENTS))
    z = np.empty((count, 3), dtype=np.complex128)
    J0 = np.empty(3)
    shell_sums(shells.geometry, shells.weight, shells.first, state, sums)
    read_z(shells.background, sums, z, J0)
    axis = np.empty(3)
    G = np.empty((count, 3), dtype=np.complex128)
    chi1_vectors(shells.centre, z, J0, g, axis, G)
    for a in range(count):
        for k in range(3):
            coefficients[a, AT_L + k] = axis[k]
            coefficients[a, AT_G + k] = G[a, k].real
            coefficients[a, AT_G + 3 + k] = G[a, k].imag
    linear = count > MOST_FULL_SHELLS
    add_form(FORM_CHI2, linear, shells.centre, shells.background, g * g, sums, coefficients)
    rates(shells.geometry, shells.first, np.zeros(state.shape[1]), coefficients, state, out)
    return 0


@jit()
def change_variables(shells, g, sign, state):
    """Turn ``state`` (3, N), in place, from averaged to true (sign = 1) or back (sign = -1).

    The flow of sign * chi over unit time, by one step of the classical Runge-Kutta method: its error is of the
    fifth power of :func:`smallness`.
    """
    k1 = np.empty_like(state)
    k2 = np.empty_like(state)
    k3 = np.empty_like(state)
    k4 = np.empty_like(state)
    generator_rates(shells, g, state, k1)
    generator_rates(shells, g, state + 0.5 * sign * k1, k2)
    generator_rates(shells, g, state + 0.5 * sign * k2, k3)
    generator_rates(shells, g, state + sign * k3, k4)
    for i in range(3):
        for q in range(state.shape[1]):
            state[i, q] += sign / 6.0 * (k1[i, q] + 2.0 * (k2[i, q] + k3[i, q]) + k4[i, q])
    return 0
