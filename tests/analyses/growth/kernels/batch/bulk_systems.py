"""Systems and witnesses that the tests of the bulk kernels share."""

import mpmath
import numpy as np

from pairsweep.analyses.growth.kernels.batch.solve import bulk_growth
from pairsweep.analyses.growth.kernels.dense import stability_matrices
from pairsweep.analyses.growth.kernels.results import point_table


def coupling(grid, n, g):
    """4 g sum w |n| of every point, MeV: no eigenvalue lies farther from a pole."""
    return 4.0 * g * (np.abs(n) * grid.weight).sum(axis=1)


def grow(grid, n, g, tolerance=None, modes=1):
    """Outputs of ``bulk_growth`` by name; the default tolerance is 1e-6 of the coupling."""
    n = np.atleast_2d(np.asarray(n, dtype=float))
    g = np.broadcast_to(np.asarray(g, dtype=float), n.shape[:1]).copy()
    if tolerance is None:
        tolerance = 1e-6 * coupling(grid, n, g) + 1e-300
    out = point_table(g.size, grid.bin_energy.size, modes)
    failed = bulk_growth(
        grid.energy, grid.weight, grid.p_hat, n, g, np.asarray(tolerance), grid.energy_bin, out
    )
    assert failed == (out.status != 0).sum()
    return {**out._asdict(), "energy_weight": out.share}


def dense_matrices(grid, n, g):
    """M of every point, (P, 2N, 2N)."""
    n = np.atleast_2d(np.asarray(n, dtype=float))
    g = np.broadcast_to(np.asarray(g, dtype=float), n.shape[:1]).copy()
    matrices = np.empty((*n.shape[:1], 2 * grid.size, 2 * grid.size))
    stability_matrices(grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, n, g, matrices)
    return matrices


def dense_eigenvalues(grid, n, g):
    """All eigenvalues of M of every point, (P, 2N)."""
    return np.linalg.eigvals(dense_matrices(grid, n, g))


def exact_eigenvalues(grid, n, g, digits=50):
    """All eigenvalues of M of one point, computed with ``digits`` digits and then rounded, (2N,) complex."""
    with mpmath.workdps(digits):
        number = np.vectorize(lambda x: mpmath.mpf(float(x)), otypes=[object])
        hat, theta_hat, phi_hat = (number(vectors) for vectors in (grid.p_hat, grid.theta_hat, grid.phi_hat))
        weight, epn, g = number(grid.weight), number(n), mpmath.mpf(float(g))
        rotation = 2 * number(grid.energy) - 4 * g * (hat @ ((weight * (epn + 1)) @ hat))
        pull = 4 * g * epn[:, None] * weight[None, :]
        upper = np.hstack([pull * (phi_hat @ theta_hat.T), pull * (phi_hat @ phi_hat.T) + np.diag(rotation)])
        lower = np.hstack(
            [pull * (theta_hat @ theta_hat.T) + np.diag(rotation), pull * (theta_hat @ phi_hat.T)]
        )
        values = mpmath.eig(mpmath.matrix(np.vstack([upper, -lower]).tolist()), left=False, right=False)
        return np.array([complex(value) for value in values])
