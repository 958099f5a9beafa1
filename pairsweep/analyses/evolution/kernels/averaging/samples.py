"""From the averaged state to the true one at a sample: change of variables, fast phase, the pairs' own order."""

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.change import change_variables, chi1_vectors
from pairsweep.analyses.evolution.kernels.averaging.shells import (
    IM,
    RE,
    VECTOR,
    linear_gradient,
    rotate,
    vector_sums,
)
from pairsweep.kernels.exact import two_product
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES

# 2 pi as the sum of two doubles
TWO_PI = 6.283185307179586
TWO_PI_REST = 2.4492935982947064e-16


@jit()
def fast_phase(omega, time):
    """Return omega * time modulo 2 pi to rounding, for products up to 2^53: 1e11 turns lose nothing."""
    high, low = two_product(omega, time)
    turns = np.rint(high / TWO_PI)
    whole, rest = two_product(turns, TWO_PI)
    return ((high - whole) - rest) + (low - turns * TWO_PI_REST)


@jit(apart=True)
def first_order_map(shells, g, state, wide, gradient):
    """Turn ``state`` (B, 3 LANES), in place, from averaged to true by chi1 alone, keeping |S| to rounding.

    ``wide`` (VECTOR * LANES or more,), ``gradient`` (B, 3 LANES): scratch.
    """
    count = shells.centre.size
    sums = np.empty((count, VECTOR))
    z = np.empty((count, 3), dtype=np.complex128)
    G = np.empty((count, 3), dtype=np.complex128)
    J0 = np.empty(3)
    axis = np.empty(3)
    vector_sums(shells, state, wide, sums)
    for k in range(3):
        J0[k] = shells.background[k]
        for a in range(count):
            J0[k] += sums[a, k]
            z[a, k] = complex(sums[a, 3 + k], sums[a, 6 + k])
    chi1_vectors(shells.centre, z, J0, g, axis, G)
    for a in range(count):
        for k in range(3):
            sums[a, k] = axis[k]
            sums[a, 3 + k] = G[a, k].real
            sums[a, 6 + k] = G[a, k].imag
    linear_gradient(shells, sums, gradient)
    whole = 1.0
    rotate(gradient, whole, state)
    return 0


@jit(apart=True)
def true_state(shells, g, full, time, state, wide, gradient):
    """Turn ``state`` (B, 3 LANES), in place, from averaged to true at ``time``. ``full``: with chi2, else chi1 alone.

    ``wide``, ``gradient``: scratch of :func:`first_order_map`.
    """
    for a in range(shells.centre.size):
        angle = fast_phase(2.0 * shells.centre[a], time)
        c = np.cos(angle)
        s = np.sin(angle)
        for b in range(shells.first[a], shells.first[a + 1]):
            x = state[b]
            for lane in range(LANES):
                # kappa exp(-i angle)
                re = x[RE + lane]
                x[RE + lane] = c * re + s * x[IM + lane]
                x[IM + lane] = c * x[IM + lane] - s * re
    if full:
        forward = 1.0
        change_variables(shells, g, forward, state)
    else:
        first_order_map(shells, g, state, wide, gradient)
    return 0
