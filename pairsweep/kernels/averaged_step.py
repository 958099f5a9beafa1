"""One step of the averaged equations by DOP853, its dense output and its error, relative to each shell's kappa.

Seeds of 1e-5 grow to saturation, so an error of kappa matters in proportion to kappa itself: the error of a step is
the larger of that of n and, over the shells, that of kappa against the largest |kappa| of the shell.
"""

import numpy as np

from pairsweep.kernels.averaged_field import averaged_rates
from pairsweep.kernels.averaged_shells import VECTORISED
from pairsweep.kernels.dop853 import ALL_STAGES, DENSE, E3, E5, STAGES, A, D
from pairsweep.kernels.jit import jit

# kappa below this is treated as absent: squares of it underflow
TINY = 1e-140


@jit(fastmath=VECTORISED)
def combine(row, count, h, stages, start, out):
    """Fill ``out`` with start + h sum_j row[j] stages[j], j < count, skipping zeros; flat arrays."""
    out[:] = start
    for j in range(count):
        factor = h * row[j]
        if factor != 0.0:
            rate = stages[j]
            for i in range(out.size):
                out[i] += factor * rate[i]
    return 0


@jit(fastmath=VECTORISED)
def relative_size(first, change, state):
    """Largest size of ``change`` (3, N): of n, and of kappa against the largest |kappa| of its shell in ``state``."""
    worst = 0.0
    for a in range(first.size - 1):
        scale = TINY
        kappa = 0.0
        for q in range(first[a], first[a + 1]):
            scale = max(scale, state[1, q] * state[1, q] + state[2, q] * state[2, q])
            kappa = max(kappa, change[1, q] * change[1, q] + change[2, q] * change[2, q])
            worst = max(worst, abs(change[0, q]))
        worst = max(worst, np.sqrt(kappa / scale))
    return worst


@jit()
def first_step(first, rate, state, t_end):
    """Return a step that is short against every relative rate of change, 1/MeV."""
    speed = relative_size(first, rate, state)
    return t_end if speed * t_end <= 0.3 else 0.3 / speed


@jit()
def step(shells, g, terms, h, state, stages, sums, coefficients, point, new):
    """Fill ``new`` (3, N) with the state after a step ``h`` and return the relative error of the step.

    ``stages`` (ALL_STAGES, 3, N): its row 0 holds the rate at ``state`` on entry; on return row 12 is the rate at
    ``new``. ``point`` (3, N): scratch.
    """
    flat = stages.reshape(ALL_STAGES, -1)
    start = state.reshape(-1)
    for i in range(1, STAGES + 1):
        at = point if i < STAGES else new
        combine(A[i], i, h, flat, start, at.reshape(-1))
        averaged_rates(shells, g, terms, at, sums, coefficients, stages[i])
    nothing = np.zeros(start.size)
    combine(E5, STAGES + 1, h, flat, nothing, point.reshape(-1))
    fifth = relative_size(shells.first, point, state)
    combine(E3, STAGES + 1, h, flat, nothing, point.reshape(-1))
    third = relative_size(shells.first, point, state)
    if fifth == 0.0:
        return 0.0
    return fifth * fifth / np.sqrt(fifth * fifth + 0.01 * third * third)


@jit()
def prepare_dense(shells, g, terms, h, state, new, stages, sums, coefficients, point, dense):
    """Fill ``dense`` (DENSE, 3, N), the vectors of the dense output of the step just taken."""
    flat = stages.reshape(ALL_STAGES, -1)
    start = state.reshape(-1)
    for i in range(STAGES + 1, ALL_STAGES):
        combine(A[i], i, h, flat, start, point.reshape(-1))
        averaged_rates(shells, g, terms, point, sums, coefficients, stages[i])
    vectors = dense.reshape(DENSE, -1)
    end = new.reshape(-1)
    for q in range(start.size):
        change = end[q] - start[q]
        vectors[0, q] = change
        vectors[1, q] = h * flat[0, q] - change
        vectors[2, q] = 2.0 * change - h * (flat[STAGES, q] + flat[0, q])
    nothing = np.zeros(start.size)
    for i in range(DENSE - 3):
        combine(D[i], ALL_STAGES, h, flat, nothing, vectors[3 + i])
    return 0


@jit(fastmath=VECTORISED)
def dense_state(x, state, dense, out):
    """Fill ``out`` (3, N) with the state at the fraction ``x`` of the step from ``state``."""
    y = 1.0 - x
    f0 = x
    f1 = f0 * y
    f2 = f1 * x
    f3 = f2 * y
    f4 = f3 * x
    f5 = f4 * y
    f6 = f5 * x
    for i in range(3):
        for q in range(state.shape[1]):
            out[i, q] = (
                state[i, q]
                + f0 * dense[0, i, q]
                + f1 * dense[1, i, q]
                + f2 * dense[2, i, q]
                + f3 * dense[3, i, q]
                + f4 * dense[4, i, q]
                + f5 * dense[5, i, q]
                + f6 * dense[6, i, q]
            )
    return 0
