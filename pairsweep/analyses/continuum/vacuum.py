"""Growth on a grid with the vacuum's constant taken out: what a continuum without it is compared with.

The empty modes of a grid respond to a static uniform field, which is an artefact of its cutoff: their D(0) is
2 g Delta, Delta = 2 sum w (1 - p p^T)/(2 E). Without it the modes are the zeros of det(1 + 2 g Delta - D), so the field
that the pairs feel is B^-1 dJ in place of dJ, B = 1 + 2 g Delta. Signs where they prove; the certified zeros of the
growth analysis, with residues screened by B^(-1/2); and dense eigenvalues where those have no certificate.
"""

from __future__ import annotations

import numpy as np

from pairsweep.analyses.growth.dense import coupling_of, dense_floor, eigenvalues, matrices_of, points_at_once
from pairsweep.analyses.growth.kernels.general.modes import Status, tolerance_floor
from pairsweep.analyses.growth.kernels.general.solve import screened_growth_of_points
from pairsweep.analyses.growth.kernels.results import point_table
from pairsweep.analyses.growth.solver import CALL_PAIRS, DENSE_PAIRS, GROWTH_TOLERANCE
from pairsweep.physics.grid import Floats, Grid, Ints


def static_vacuum(grid: Grid) -> Floats:
    """Delta of a grid, (3, 3), MeV^2."""
    q = grid.p_hat
    share = grid.weight / grid.energy
    return np.asarray(share.sum() * np.eye(3) - np.einsum("n,ni,nj->ij", share, q, q))


def subtracted_growth(
    grid: Grid, n: Floats, g: Floats, growth_tolerance: float | None = None
) -> tuple[Floats, Floats]:
    """Largest growth and frequency of that mode, (P,) MeV, of P systems on one grid with the vacuum's constant out.

    0 where no mode grows faster than the tolerance (a share of 4 g sum w abs(n)) or what double precision can tell; NaN
    without a certificate where dense eigenvalues are not affordable.
    """
    rates, frequencies = np.zeros(g.size), np.zeros(g.size)
    rows = np.flatnonzero(~_stable_by_signs(grid, n, g))
    if rows.size == 0:
        return rates, frequencies
    rows = _by_dispersion(grid, n, g, growth_tolerance, rows, (rates, frequencies))
    if grid.size > DENSE_PAIRS:
        rates[rows] = frequencies[rows] = np.nan
    else:
        _by_dense(grid, n, g, growth_tolerance, rows, (rates, frequencies))
    return rates, frequencies


def _asked(grid: Grid, n: Floats, g: Floats, growth_tolerance: float | None) -> Floats:
    """Smallest growth that counts, (P,) MeV."""
    return (GROWTH_TOLERANCE if growth_tolerance is None else growth_tolerance) * coupling_of(grid, n, g)


def _by_dispersion(
    grid: Grid, n: Floats, g: Floats, growth_tolerance: float | None, rows: Ints, out: tuple[Floats, Floats]
) -> Ints:
    """Fill in growth and frequency of some rows; return those without a certificate."""
    values, vectors = np.linalg.eigh(np.eye(3) + 2.0 * g[rows, None, None] * static_vacuum(grid))
    root = np.ascontiguousarray((vectors / np.sqrt(values)[:, None, :]) @ vectors.transpose(0, 2, 1))
    part, here = np.ascontiguousarray(n[rows]), np.ascontiguousarray(g[rows])
    floor = tolerance_floor(coupling_of(grid, part, here), coupling_of(grid, part + 1.0, here))
    tolerance = np.maximum(_asked(grid, part, here, growth_tolerance), (1.0 + 1e-9) * floor)
    step = max(1, CALL_PAIRS // grid.size)
    left = [rows[:0]]
    for start in range(0, rows.size, step):
        some = slice(start, start + step)
        found = point_table(here[some].size, 0, 0)
        screened_growth_of_points(
            grid.energy, grid.weight, grid.p_hat, part[some], here[some], tolerance[some], root[some], found
        )
        good = found.status == Status.CERTIFIED
        for whole, column in zip(out, (found.growth_rate, found.frequency), strict=True):
            whole[rows[some][good]] = column[good]
        left.append(rows[some][~good])
    return np.concatenate(left)


def _by_dense(
    grid: Grid, n: Floats, g: Floats, growth_tolerance: float | None, rows: Ints, out: tuple[Floats, Floats]
) -> None:
    """Fill in growth and frequency of some rows from all eigenvalues."""
    delta = static_vacuum(grid)
    floor = np.maximum(_asked(grid, n, g, growth_tolerance), dense_floor(grid, n, g))
    feels = np.concatenate([grid.phi_hat, -grid.theta_hat])
    makes = 2.0 * np.concatenate([grid.theta_hat, grid.phi_hat]) * np.tile(grid.weight, 2)[:, None]
    step = points_at_once(grid)
    for start in range(0, rows.size, step):
        part = rows[start : start + step]
        matrices = matrices_of(grid, n[part], g[part])
        for matrix, row in zip(matrices, part, strict=True):
            less = np.linalg.inv(np.eye(3) + 2.0 * g[row] * delta) - np.eye(3)
            matrix += (2.0 * g[row] * np.tile(n[row], 2)[:, None] * feels) @ less @ makes.T
        found = eigenvalues(matrices)
        fastest = found[np.arange(part.size), found.real.argmax(axis=1)]
        counts = np.where(fastest.real > floor[part], 1.0, 0.0 * fastest.real)  # NaN stays NaN
        out[0][part], out[1][part] = counts * fastest.real, counts * np.abs(fastest.imag)


def _stable_by_signs(grid: Grid, n: Floats, g: Floats) -> Ints:
    """Which systems (P,) one sign of n proves stable: all Omega positive, and no static mode if n < 0."""
    J0 = (n + 1.0) @ (grid.weight[:, None] * grid.p_hat)
    Omega = 2.0 * grid.energy - 4.0 * g[:, None] * (J0 @ grid.p_hat.T)
    positive = (Omega > 0.0).all(axis=1)
    static = np.zeros(g.size)
    delta = static_vacuum(grid)
    outer = np.eye(3) - np.einsum("ni,nj->nij", grid.p_hat, grid.p_hat)
    for row in np.flatnonzero(positive):
        D = np.einsum("n,nij->ij", -4.0 * g[row] * grid.weight * n[row] / Omega[row], outer)
        static[row] = np.linalg.eigvals(np.linalg.solve(np.eye(3) + 2.0 * g[row] * delta, D)).real.max()
    return np.asarray(positive & ((n >= 0.0).all(axis=1) | ((n <= 0.0).all(axis=1) & (static < 1.0))))
