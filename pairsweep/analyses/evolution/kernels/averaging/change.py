"""The change of variables between the true and the averaged state: true = exp(L_chi) averaged.

chi = g chi1 + g^2 chi2 with chi1 = 2i sum c(Omega_b + Omega_d) Z_b.Z_d in the notation of :mod:`averaged_forms`,
which holds chi2.
"""

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.field import scratch
from pairsweep.analyses.evolution.kernels.averaging.forms import Form, add_form, read_z
from pairsweep.analyses.evolution.kernels.averaging.shells import AT_G, AT_L, rates, shell_sums
from pairsweep.kernels.jit import jit

# Above this number of shells only the terms of chi2 linear in kappa are kept: the others cost its cube
MOST_FULL_SHELLS = 12


@jit()
def chi1_vectors(centre, z, J0, g, axis, G):
    """Fill ``axis`` (3,) and ``G`` (shells, 3) of the gradient of g chi1, h = axis.p and f = eps*.G."""
    shells = centre.size
    for k in range(3):
        axis[k] = 0.0
    for a in range(shells):
        omega = 2.0 * centre[a]
        for k in range(3):
            axis[k] -= 8.0 * g / omega * z[a, k].imag
            re = -J0[k] / omega
            im = 0.0
            for b in range(shells):
                plus = 1.0 / (omega + 2.0 * centre[b])
                minus = 1.0 / (2.0 * centre[b] - omega) if b != a else 0.0
                re += (minus - plus) * z[b, k].real
                im += (minus + plus) * z[b, k].imag
            G[a, k] = complex(-4.0 * g * im, 4.0 * g * re)
    return 0


@jit(apart=True)
def generator_rates(shells, g, state, out):
    """Fill ``out`` (B, 3 LANES) with the field of chi = g chi1 + g^2 chi2 at ``state``."""
    count = shells.centre.size
    wide, sums, coefficients = scratch(count)
    z = np.empty((count, 3), dtype=np.complex128)
    J0 = np.empty(3)
    axis = np.empty(3)
    G = np.empty((count, 3), dtype=np.complex128)
    shell_sums(shells, state, wide, sums)
    read_z(shells.background, sums, z, J0)
    chi1_vectors(shells.centre, z, J0, g, axis, G)
    for a in range(count):
        for k in range(3):
            coefficients[a, AT_L + k] = axis[k]
            coefficients[a, AT_G + k] = G[a, k].real
            coefficients[a, AT_G + 3 + k] = G[a, k].imag
    form = Form.CHI2_LINEAR if count > MOST_FULL_SHELLS else Form.CHI2
    add_form(form, shells.centre, shells.background, g * g, sums, coefficients)
    # the flow of chi knows no detuning
    rates(shells, 0.0, coefficients, state, out)
    return 0


@jit(apart=True)
def change_variables(shells, g, sign, state):
    """Turn ``state`` (B, 3 LANES), in place, from averaged to true (sign = 1) or back (sign = -1).

    The flow of sign * chi over unit time, by one step of the classical Runge-Kutta method: its error is of the
    fifth power of :func:`smallness`.
    """
    stage = np.zeros((4, state.shape[0], state.shape[1]))
    point = state.copy()
    for k in range(4):
        generator_rates(shells, g, point, stage[k])
        step = sign if k == 2 else 0.5 * sign
        for b in range(state.shape[0]):
            for i in range(state.shape[1]):
                point[b, i] = state[b, i] + step * stage[k, b, i]
    for b in range(state.shape[0]):
        for i in range(state.shape[1]):
            middle = stage[1, b, i] + stage[2, b, i]
            state[b, i] += sign / 6.0 * (stage[0, b, i] + 2.0 * middle + stage[3, b, i])
    return 0
