"""One step of the averaged equations by DOP853, its dense output and its error, relative to each shell's kappa.

Seeds of 1e-5 grow to saturation, so an error of kappa matters in proportion to kappa itself: the error of a step is
the larger of that of n and, over the shells, that of kappa against the largest |kappa| of the shell.
"""

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.dop853 import ALL_STAGES, DENSE, E3, E5, STAGES, A, D
from pairsweep.analyses.evolution.kernels.averaging.field import averaged_rates
from pairsweep.analyses.evolution.kernels.averaging.shells import IM, RE, VECTORISED
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES

# kappa below this is treated as absent: squares of it underflow
TINY = 1e-140


@jit(fastmath=VECTORISED)
def combine(row, h, stages, out):
    """Add h sum_j row[j] stages[j] to ``out`` (M,), skipping zeros; ``stages`` (ALL_STAGES, M)."""
    for j in range(row.size):
        factor = h * row[j]
        if factor != 0.0:
            for i in range(out.size):
                out[i] += factor * stages[j, i]
    return 0


@jit()
def copy_state(source, target):
    """Copy a state (B, 3 LANES); slice assignment costs numba seconds of compilation."""
    for b in range(source.shape[0]):
        for i in range(source.shape[1]):
            target[b, i] = source[b, i]
    return 0


@jit()
def relative_size(first, change, state):
    """Largest size of ``change``: of n, and of kappa against the largest |kappa| of its shell in ``state``."""
    worst = 0.0
    for a in range(first.size - 1):
        scale = TINY
        kappa = 0.0
        for b in range(first[a], first[a + 1]):
            for lane in range(LANES):
                scale = max(scale, state[b, RE + lane] ** 2 + state[b, IM + lane] ** 2)
                kappa = max(kappa, change[b, RE + lane] ** 2 + change[b, IM + lane] ** 2)
                worst = max(worst, abs(change[b, lane]))
        worst = max(worst, np.sqrt(kappa / scale))
    return worst


@jit()
def first_step(first, rate, state, t_end):
    """Return a step that is short against every relative rate of change, 1/MeV."""
    speed = relative_size(first, rate, state)
    return t_end if speed * t_end <= 0.3 else 0.3 / speed


@jit(apart=True)
def step(shells, g, terms, h, state, stages, work, point, new):
    """Fill ``new`` (B, 3 LANES) with the state after a step ``h`` and return the relative error of the step.

    ``stages`` (ALL_STAGES, B, 3 LANES): its row 0 holds the rate at ``state`` on entry; on return row 12 is the rate
    at ``new``. ``work``: ``field.scratch``; ``point`` (B, 3 LANES): scratch.
    """
    wide, sums, coefficients = work
    size = state.size
    flat = stages.reshape((ALL_STAGES, size))
    for i in range(1, STAGES + 1):
        at = point if i < STAGES else new
        copy_state(state, at)
        combine(A[i], h, flat, at.reshape(size))
        averaged_rates(shells, g, terms, at, wide, sums, coefficients, stages[i])
    both = np.zeros(2)
    for k in range(2):
        for b in range(point.shape[0]):
            for i in range(point.shape[1]):
                point[b, i] = 0.0
        combine(E5 if k == 0 else E3, h, flat, point.reshape(size))
        both[k] = relative_size(shells.first, point, state)
    fifth, third = both[0], both[1]
    if fifth == 0.0:
        return 0.0
    return fifth * fifth / np.sqrt(fifth * fifth + 0.01 * third * third)


@jit(apart=True)
def prepare_dense(shells, g, terms, h, state, new, stages, work, point, dense):
    """Fill ``dense`` (DENSE, B, 3 LANES), the vectors of the dense output of the step just taken."""
    wide, sums, coefficients = work
    size = state.size
    flat = stages.reshape((ALL_STAGES, size))
    for i in range(STAGES + 1, ALL_STAGES):
        copy_state(state, point)
        combine(A[i], h, flat, point.reshape(size))
        averaged_rates(shells, g, terms, point, wide, sums, coefficients, stages[i])
    vectors = dense.reshape((DENSE, size))
    start = state.reshape(size)
    end = new.reshape(size)
    for q in range(size):
        change = end[q] - start[q]
        vectors[0, q] = change
        vectors[1, q] = h * flat[0, q] - change
        vectors[2, q] = 2.0 * change - h * (flat[STAGES, q] + flat[0, q])
    for i in range(DENSE - 3):
        row = vectors[3 + i]
        for q in range(size):
            row[q] = 0.0
        combine(D[i], h, flat, row)
    return 0


@jit(apart=True, fastmath=VECTORISED)
def dense_state(x, state, dense, out):
    """Fill ``out`` (B, 3 LANES) with the state at the fraction ``x`` of the step from ``state``."""
    copy_state(state, out)
    factor = 1.0
    for k in range(DENSE):
        factor *= x if k % 2 == 0 else 1.0 - x
        for b in range(state.shape[0]):
            row = dense[k, b]
            at = out[b]
            for i in range(row.size):
                at[i] += factor * row[i]
    return 0
