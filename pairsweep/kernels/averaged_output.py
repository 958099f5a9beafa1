"""From the averaged state to the true one at a sample: change of variables, fast phase, the pairs' own order."""

import numpy as np

from pairsweep.kernels.averaged_map import change_variables, chi1_vectors
from pairsweep.kernels.averaged_shells import linear_gradient, rotate, vector_sums
from pairsweep.kernels.jit import jit

# 2 pi as the sum of two doubles; the splitter of Veltkamp and Dekker, 2^27 + 1
TWO_PI = 6.283185307179586
TWO_PI_REST = 2.4492935982947064e-16
SPLITTER = 134217729.0


@jit()
def exact_product(x, y):
    """Return x y as the sum of two doubles (Dekker)."""
    product = x * y
    t = SPLITTER * x
    x_high = t - (t - x)
    x_low = x - x_high
    t = SPLITTER * y
    y_high = t - (t - y)
    y_low = y - y_high
    return product, ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low


@jit()
def fast_phase(omega, time):
    """Return omega * time modulo 2 pi to rounding, for products up to 2^53: 1e11 turns lose nothing."""
    high, low = exact_product(omega, time)
    turns = np.rint(high / TWO_PI)
    whole, rest = exact_product(turns, TWO_PI)
    return ((high - whole) - rest) + (low - turns * TWO_PI_REST)


@jit()
def first_order_map(shells, g, state, vector, gradient):
    """Turn ``state`` (3, N), in place, from averaged to true by chi1 alone, keeping |S| to rounding.

    ``vector``, ``gradient`` (3, N): scratch.
    """
    geometry, first, centre = shells.geometry, shells.first, shells.centre
    z = np.empty((centre.size, 3), dtype=np.complex128)
    G = np.empty((centre.size, 3), dtype=np.complex128)
    J0 = np.empty(3)
    axis = np.empty(3)
    for q in range(state.shape[1]):
        vector[0, q] = state[0, q]
        vector[1, q] = 2.0 * state[1, q]
        vector[2, q] = 2.0 * state[2, q]
    vector_sums(geometry, shells.weight, first, vector, z, J0)
    J0 += shells.background
    chi1_vectors(centre, z, J0, g, axis, G)
    linear_gradient(geometry, first, axis, G, gradient)
    rotate(gradient, 1.0, state)
    return 0


@jit()
def true_state(shells, g, full, time, state, vector, gradient, true):
    """Fill ``true`` (3, N): n, Re kappa, Im kappa in the pairs' own order, at ``time``.

    ``state`` (3, N), averaged and sorted by shell, is overwritten. ``full``: with chi2, else chi1 alone.
    """
    for a in range(shells.centre.size):
        angle = fast_phase(2.0 * shells.centre[a], time)
        c = np.cos(angle)
        s = np.sin(angle)
        for q in range(shells.first[a], shells.first[a + 1]):
            # kappa exp(-i angle)
            re = state[1, q]
            state[1, q] = c * re + s * state[2, q]
            state[2, q] = c * state[2, q] - s * re
    if full:
        change_variables(shells, g, 1.0, state)
    else:
        first_order_map(shells, g, state, vector, gradient)
    for q in range(state.shape[1]):
        for i in range(3):
            true[i, shells.order[q]] = state[i, q]
    return 0
