"""The averaged field to second order in g, as coefficients per shell (derivation: docs/averaging.md).

K = g K1 + g^2 K2 in the frame that turns with each shell. Cost O(N + 18 n_E^2), whatever g.
"""

from enum import IntEnum

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.forms import (
    Form,
    add_form,
    add_quadratic,
    read_z,
    times_n,
    times_y,
)
from pairsweep.analyses.evolution.kernels.averaging.shells import (
    AT_G,
    AT_L,
    AT_T,
    COEFFICIENTS,
    SUMS,
    linear_gradient,
    rates,
    shell_sums,
    turning_rates,
    vector_sums,
)
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES


class Terms(IntEnum):
    """Which terms a field has."""

    FIRST = 1  # K1
    SECOND = 2  # K1 and K2
    RESONANT = 3  # the three-wave resonances of K2 as well


@jit(forceinline=True)
def averaged_coefficients(centre, background, g, terms, sums, coefficients):
    """Fill ``coefficients`` (shells, COEFFICIENTS) with those of g K1 + g^2 K2; ``terms`` from SECOND on."""
    shells = centre.size
    z = np.empty((shells, 3), dtype=np.complex128)
    J0 = np.empty(3)
    read_z(background, sums, z, J0)
    coefficients[:, :] = 0.0
    for a in range(shells):
        row = coefficients[a]
        for k in range(3):
            row[AT_L + k] = 4.0 * g * J0[k]
            row[AT_G + k] = 4.0 * g * z[a, k].real
            row[AT_G + 3 + k] = 4.0 * g * z[a, k].imag
    gg = g * g
    v = np.empty(3, dtype=np.complex128)
    u = np.empty(3, dtype=np.complex128)
    zc = np.empty(3, dtype=np.complex128)
    J0c = np.empty(3, dtype=np.complex128)
    for k in range(3):
        J0c[k] = J0[k]
    V = np.zeros(3)
    mr = np.empty((3, 3))
    mi = np.empty((3, 3))
    for a in range(shells):
        omega = 2.0 * centre[a]
        row = coefficients[a]
        for k in range(3):
            zc[k] = z[a, k].conjugate()
        times_n(sums[a], J0c, 1.0, v)
        times_y(sums[a], zc, -1.0, u)
        for k in range(3):
            V[k] += (32.0 * u[k].real - 16.0 * v[k].real) / omega
        times_y(sums[a], J0c, 1.0, u)
        for k in range(3):
            term = 16.0 * gg / omega * u[k]
            row[AT_G + k] += term.real
            row[AT_G + 3 + k] += term.imag
        for i in range(3):
            for j in range(3):
                mr[i, j] = J0[i] * J0[j] / omega
                mi[i, j] = 0.0
                # f = eps*.(T p) = 16 g^2/Omega_a (eps*.J0) (Z_a.p)
                row[AT_T + 3 * i + j] += 16.0 * gg / omega * J0[i] * z[a, j].real
                row[AT_T + 9 + 3 * i + j] += 16.0 * gg / omega * J0[i] * z[a, j].imag
        for b in range(shells):
            plus = 1.0 / (omega + 2.0 * centre[b])
            times_n(sums[b], z[a], -1.0, v)
            if b != a:
                minus = 1.0 / (omega - 2.0 * centre[b])
                times_n(sums[b], z[a], 1.0, u)
            else:
                minus = 0.0
            for k in range(3):
                # -8 N_b^T Z_a/(Omega_b + Omega_a) - 8 N_b Z_a/(Omega_b - Omega_a)
                term = -8.0 * gg * plus * v[k]
                if b != a:
                    term += 8.0 * gg * minus * u[k]
                row[AT_G + k] += term.real
                row[AT_G + 3 + k] += term.imag
            for i in range(3):
                for j in range(3):
                    # Re and Im of Z_b* Z_b^T; Z_b Z_b^dagger is its conjugate
                    re = z[b, i].real * z[b, j].real + z[b, i].imag * z[b, j].imag
                    im = z[b, i].real * z[b, j].imag - z[b, i].imag * z[b, j].real
                    mr[i, j] += (plus + minus) * re
                    mi[i, j] += (plus - minus) * im
        add_quadratic(row, mr, mi, -8.0 * gg)
    for a in range(shells):
        for k in range(3):
            coefficients[a, AT_L + k] += gg * V[k]
    if terms == Terms.RESONANT:
        add_form(Form.THREE_WAVE, centre, background, gg, sums, coefficients)
    return 0


@jit(forceinline=True)
def first_order_rates(shells, g, state, wide, sums, vectors, out):
    """Fill ``out`` (B, 3 LANES) with d(state)/dt, MeV, by g K1 alone: a third of the sums, and a linear field."""
    vector_sums(shells, state, wide, sums)
    for a in range(shells.centre.size):
        for k in range(3):
            total = shells.background[k]
            for b in range(shells.centre.size):
                total += sums[b, k]
            vectors[a, k] = 4.0 * g * total
            vectors[a, 3 + k] = 4.0 * g * sums[a, 3 + k]
            vectors[a, 6 + k] = 4.0 * g * sums[a, 6 + k]
    linear_gradient(shells, vectors, out)
    turning_rates(shells.detuning, 1.0, state, out)
    return 0


@jit(apart=True)
def averaged_rates(shells, g, terms, state, wide, sums, coefficients, out):
    """Fill ``out`` (B, 3 LANES) with d(state)/dt, MeV; ``wide``, ``sums``, ``coefficients``: :func:`scratch`."""
    if terms == Terms.FIRST:
        return first_order_rates(shells, g, state, wide, sums, coefficients, out)
    shell_sums(shells, state, wide, sums)
    averaged_coefficients(shells.centre, shells.background, g, terms, sums, coefficients)
    rates(shells, 1.0, coefficients, state, out)
    return 0


@jit()
def scratch(count):
    """Return the scratch arrays (wide, sums, coefficients) of :func:`averaged_rates` for ``count`` shells."""
    return np.zeros(SUMS * LANES), np.zeros((count, SUMS)), np.zeros((count, COEFFICIENTS))
