"""Growth rates of the pairing instability from the linearised equation, for one system or many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairsweep.grid import Floats, Grid
from pairsweep.kernels.crossing import epn_crossing
from pairsweep.kernels.stability import stability_matrices
from pairsweep.vocab import LABELS, VARIABLES

if TYPE_CHECKING:
    import xarray as xr

# Matrices of one LAPACK call together; enough to hide the call, small enough for the cache and for memory.
STACK_BYTES = 2**24


@dataclass(frozen=True, eq=False)
class GrowthResult:
    """Results of P systems by variable name, leading axis P; ``reasons`` is None where a point succeeded."""

    arrays: dict[str, NDArray[Any]]
    reasons: list[str | None]


def growth(grid: Grid, rho: ArrayLike, rhobar: ArrayLike | None = None, *, g: float) -> xr.Dataset:
    """Growth rate of the pairing instability of one system, with the measures of its EPN crossing.

    Parameters
    ----------
    grid : Grid
        The pairs, from ``ps.bins`` or ``ps.beams``.
    rho, rhobar : (N,)
        Occupations of neutrinos and of the paired antineutrinos; ``rhobar`` defaults to ``rho``.
    g : float
        Coupling, MeV^-2.

    Returns
    -------
    xarray.Dataset
        ``growth_rate`` (MeV, 0 where stable), ``frequency``, ``n_unstable``, ``mode_kind``, ``energy_weight``
        and the crossing measures, labelled as in a sweep.

    Raises
    ------
    ValueError
        For occupations outside [0, 1] or of another length than the grid, or g not positive.
    RuntimeError
        Where no growth rate can be vouched for.

    Notes
    -----
    The Letter's Eqs. 12-14 (arXiv:2604.25687): the largest Re(lambda) over the eigenvalues of M.
    """
    import xarray as xr

    rho = np.asarray(rho, dtype=np.float64)
    rhobar = rho if rhobar is None else np.asarray(rhobar, dtype=np.float64)
    for name, values in (("rho", rho), ("rhobar", rhobar)):
        if values.shape != (grid.size,):
            raise ValueError(
                f"{name} has shape {values.shape}: give one occupation for each of {grid.size} pairs"
            )
        if not np.all((values >= 0) & (values <= 1)):
            raise ValueError(f"{name}: occupations lie between 0 and 1")
    if not (math.isfinite(g) and g > 0):
        raise ValueError(f"g = {g}: give a positive coupling in MeV^-2")
    result = growth_of_systems(grid, (rho + rhobar - 1.0)[None], np.array([float(g)]))
    if result.reasons[0] is not None:
        raise RuntimeError(result.reasons[0])
    data = {
        name: xr.Variable(VARIABLES[name].trailing, values[0], VARIABLES[name].attrs)
        for name, values in result.arrays.items()
    }
    energy = xr.Variable(("energy_bin",), grid.bin_energy, LABELS["energy"].attrs)
    return xr.Dataset(data, coords={"energy": energy, "g": g})


def growth_of_systems(grid: Grid, n: Floats, g: Floats) -> GrowthResult:
    """Growth results of P systems on one grid: EPN ``n`` (P, N) and coupling ``g`` (P,).

    A system's numbers do not depend on which others are passed along.
    """
    arrays = _crossing_measures(grid, n)
    modes, reasons = _dense_modes(grid, n, g)
    return GrowthResult(arrays | modes, reasons)


def _crossing_measures(grid: Grid, n: Floats) -> dict[str, NDArray[Any]]:
    bins = grid.bin_energy.size
    names = ("epn_crossing_strength", "epn_crossing_strength_bin", "epn_crossing_depth", "anisotropy")
    arrays = {name: np.empty(len(n)) for name in names}
    epn_crossing(
        grid.weight, grid.p_hat, grid.energy_bin, n, np.empty(bins), np.empty(bins), *arrays.values()
    )
    return dict(arrays)


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def dense_floor(grid: Grid, n: Floats, g: Floats) -> Floats:
    """Smallest growth rate that dense eigenvalues can tell from rounding, MeV, (P,).

    A double eigenvalue moves by the square root of a perturbation, and rounding perturbs M by eps abs(M); the
    coupling 4 g sum w abs(n) is what turns one into the other.
    """
    coupling = 4.0 * g * (np.abs(n) @ grid.weight)
    size = 2.0 * grid.energy.max() + coupling
    rounding = np.finfo(float).eps * size * math.sqrt(2 * grid.size)
    return np.asarray(8.0 * np.sqrt(rounding * coupling) + 8.0 * rounding)


def _dense_modes(grid: Grid, n: Floats, g: Floats) -> tuple[dict[str, NDArray[Any]], list[str | None]]:
    """All eigenvalues of M by LAPACK, a stack of points in each call."""
    points, pairs = n.shape
    arrays: dict[str, NDArray[Any]] = {
        "growth_rate": np.full(points, np.nan),
        "frequency": np.full(points, np.nan),
        "n_unstable": np.zeros(points, np.int32),
        "mode_kind": np.zeros(points, np.int8),
        "energy_weight": np.full((points, grid.bin_energy.size), np.nan),
    }
    reasons: list[str | None] = [None] * points
    floor = dense_floor(grid, n, g)
    frame = (grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat)
    step = max(1, STACK_BYTES // (32 * pairs**2))
    with _blas().limit(limits=1, user_api="blas"):
        for start in range(0, points, step):
            part = slice(start, start + step)
            matrices = np.empty((len(n[part]), 2 * pairs, 2 * pairs))
            stability_matrices(*frame, n[part], g[part], matrices)
            for offset, (matrix, values) in enumerate(zip(matrices, _eigenvalues(matrices), strict=True)):
                point = start + offset
                if not np.isfinite(values).all():
                    reasons[point] = "the eigenvalues of M did not converge"
                    continue
                _classify(grid, matrix, values, floor[point], point, arrays)
    return arrays, reasons


def _eigenvalues(matrices: Floats) -> NDArray[np.complex128]:
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


def _classify(
    grid: Grid,
    matrix: Floats,
    values: NDArray[np.complex128],
    floor: float,
    point: int,
    arrays: dict[str, NDArray[Any]],
) -> None:
    unstable = values[values.real > floor]
    arrays["n_unstable"][point] = unstable.size
    arrays["growth_rate"][point] = arrays["frequency"][point] = 0.0
    if unstable.size == 0:
        return
    fastest = unstable[unstable.real >= unstable.real.max() - floor]
    lead = fastest[np.argmax(fastest.real)]
    arrays["growth_rate"][point] = lead.real
    arrays["frequency"][point] = abs(lead.imag)
    arrays["mode_kind"][point] = 1 if abs(lead.imag) > floor else 2
    vectors_of, vectors = np.linalg.eig(matrix)
    equally_fast = (vectors_of.real >= lead.real - floor) & (vectors_of.imag >= 0.0)
    # equal eigenvalues leave their vectors open; the projector on all of them is not
    basis = np.linalg.qr(vectors[:, equally_fast])[0]
    share = (np.abs(basis) ** 2).mean(axis=1)
    per_pair = share[: grid.size] + share[grid.size :]
    arrays["energy_weight"][point] = np.bincount(grid.energy_bin, per_pair, grid.bin_energy.size)
