"""All eigenvalues of the dense matrix M by LAPACK, and what their rounding leaves to be told."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.growth.kernels.dense import stability_matrices
from pairsweep.analyses.growth.kernels.static import static_matrix
from pairsweep.physics.grid import Floats, Grid

# Matrices of one LAPACK call together; enough to hide the call, small enough for the cache and for memory.
STACK_BYTES = 2**24
CACHED_NUMBERS = 2**15  # of many points that are summed together


def coupling_of(grid: Grid, n: Floats, g: Floats) -> Floats:
    """Coupling 4 g sum w abs(n) of each row of ``n``, MeV, (P,): no eigenvalue lies farther from a pole.

    Row by row, where a BLAS product may depend on the other rows in its last bit.
    """
    weight = np.abs(grid.weight)
    sums = np.empty(len(n))
    step = max(1, CACHED_NUMBERS // weight.size)
    for start in range(0, len(n), step):
        rows = slice(start, start + step)
        sums[rows] = (np.abs(n[rows]) * weight).sum(axis=1)
    return np.asarray(4.0 * g * sums)


def dense_floor(grid: Grid, n: Floats, g: Floats) -> Floats:
    """Smallest growth rate that dense eigenvalues can tell from rounding, MeV, (P,).

    A double eigenvalue moves by the square root of a perturbation, and rounding perturbs M by eps abs(M); the
    coupling 4 g sum w abs(n) is what turns one into the other.
    """
    coupling = coupling_of(grid, n, g)
    # Omega = 2E - 4 g p.J0: the second part may be the larger one
    size = 2.0 * grid.energy.max() + coupling + coupling_of(grid, n + 1.0, g)
    rounding = np.finfo(float).eps * size * math.sqrt(2 * grid.size)
    return np.asarray(8.0 * np.sqrt(rounding * coupling) + 8.0 * rounding)


def matrices_of(grid: Grid, n: Floats, g: Floats) -> Floats:
    """M of P systems on one grid, (P, 2N, 2N), MeV, acting on (Re kappa, Im kappa)."""
    matrices = np.empty((g.size, 2 * grid.size, 2 * grid.size))
    stability_matrices(
        grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat,
        np.ascontiguousarray(n), np.ascontiguousarray(g), matrices,
    )  # fmt: skip
    return matrices


def static_criterion(grid: Grid, n: Floats, g: Floats) -> Floats:
    """Largest eigenvalue of D(0) of P systems, (P,); NaN where a pair with w n != 0 has Omega = 0."""
    criteria = np.full(g.size, np.nan)
    numbers = np.empty(6)
    for point in range(g.size):
        static_matrix(grid.energy, grid.weight, grid.p_hat, n[point], g[point], numbers)
        if np.isfinite(numbers).all():
            criteria[point] = np.linalg.eigvalsh(numbers[[[0, 1, 2], [1, 3, 4], [2, 4, 5]]])[-1]
    return criteria


def points_at_once(grid: Grid) -> int:
    """Return how many matrices one stack holds."""
    return max(1, STACK_BYTES // (32 * grid.size**2))


def eigenvalues(matrices: Floats) -> NDArray[np.complex128]:
    """Eigenvalues of a stack of matrices, (P, 2N); NaN in the rows where LAPACK did not converge."""
    with blas().limit(limits=1, user_api="blas"):
        try:
            return np.asarray(np.linalg.eigvals(matrices), dtype=np.complex128)
        except np.linalg.LinAlgError:
            pass
        # one of the stack failed: find out which
        values = np.full(matrices.shape[:2], np.nan, dtype=np.complex128)
        for row, matrix in zip(values, matrices, strict=True):
            try:
                row[:] = np.linalg.eigvals(matrix)
            except np.linalg.LinAlgError:
                continue
        return values


@cache
def blas() -> Any:
    """Return the control of BLAS threads: one, for numbers that do not depend on the machine's load."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
