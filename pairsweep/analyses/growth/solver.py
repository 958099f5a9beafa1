"""Growth rates of the pairing instability from the linearised equation, for one system or many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairsweep.analyses.growth.kernels.batch.solve import CERTIFIED as BULK_CERTIFIED
from pairsweep.analyses.growth.kernels.batch.solve import bulk_growth
from pairsweep.analyses.growth.kernels.crossing import epn_crossing
from pairsweep.analyses.growth.kernels.dense import stability_matrices
from pairsweep.analyses.growth.kernels.general.modes import (
    CERTIFIED,
    NOT_CERTIFIED,
    STATUS_TEXT,
    tolerance_floor,
)
from pairsweep.analyses.growth.kernels.general.solve import growth_of_points
from pairsweep.analyses.growth.kernels.static import static_coupling, static_criterion
from pairsweep.contract.vocab import GROWTH_DETAILS, LABELS, VARIABLES
from pairsweep.kernels.compiling import announced
from pairsweep.physics.grid import Floats, Grid

if TYPE_CHECKING:
    import xarray as xr

# Matrices of one LAPACK call together; enough to hide the call, small enough for the cache and for memory.
STACK_BYTES = 2**24
METHODS = ("auto", "dense", "dispersion")
# Smallest growth that counts, as a fraction of the coupling 4 g sum w abs(n).
GROWTH_TOLERANCE = 1e-6
# The batched solver of small systems beats the general one up to here (measured: 7 times at N = 32, equal near 128).
BULK_PAIRS = 64
# Where the general solver has no certificate, dense eigenvalues are affordable up to here (about 3 s).
DENSE_PAIRS = 1024
# Shares of pairs held at once while points are solved.
SHARE_NUMBERS = 2**20
# A dense matrix may take this much memory, bytes, before it is refused.
DENSE_BYTES = 2**33


@dataclass(frozen=True, eq=False)
class GrowthResult:
    """Results of P systems by variable name, leading axis P; ``reasons`` is None where a point succeeded."""

    arrays: dict[str, NDArray[Any]]
    reasons: list[str | None]


@announced()
def growth(
    grid: Grid,
    rho: ArrayLike,
    rhobar: ArrayLike | None = None,
    *,
    g: float,
    method: str = "auto",
    growth_tolerance: float | None = None,
    modes: int = 0,
) -> xr.Dataset:
    """Growth rate of the pairing instability of one system, the shape of its fastest mode and its EPN crossing.

    Parameters
    ----------
    grid : Grid
        The pairs, from ``ps.bins`` or ``ps.beams``.
    rho, rhobar : (N,)
        Occupations of neutrinos and of the paired antineutrinos; ``rhobar`` defaults to ``rho``.
    g : float
        Coupling, MeV^-2.
    method : {"auto", "dense", "dispersion"}
        All eigenvalues of M at O(N^3), or the certified zeros of the dispersion function at O(N). "auto" takes the
        second, and the first where it finds no certificate and the matrix is small enough.
    growth_tolerance : float, optional
        Smallest growth rate that counts, as a fraction of the coupling 4 g sum w abs(n); 1e-6 unless given, or more
        where J0 hides that much. Not used by "dense", which knows its own floor.
    modes : int
        Number of modes in ``mode_growth_rate`` and ``mode_frequency``, fastest first, a conjugate pair once.

    Returns
    -------
    xarray.Dataset
        ``growth_rate`` (MeV, 0 where stable), ``frequency``, ``n_unstable``, ``mode_kind``, ``energy_weight``, the
        crossing measures, ``angular_weight`` (bins), ``participation_ratio``, ``static_criterion``, ``g_static`` and
        the ``modes`` asked for, labelled as in a sweep.

    Raises
    ------
    ValueError
        For occupations outside [0, 1] or of another length than the grid, weights that are all 0, g not positive, an
        unknown method, or more pairs than dense eigenvalues can hold.
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
    if not np.any(grid.weight):
        raise ValueError(
            f"weight: all {grid.size} pairs have weight 0, so nothing couples: give one a weight"
        )
    result = growth_of_systems(
        grid,
        (rho + rhobar - 1.0)[None],
        np.array([float(g)]),
        method=method,
        growth_tolerance=growth_tolerance,
        modes=modes,
        details=True,
    )
    if result.reasons[0] is not None:
        raise RuntimeError(result.reasons[0])
    variables = VARIABLES | GROWTH_DETAILS
    data = {
        name: xr.Variable(variables[name].trailing, values[0], variables[name].attrs)
        for name, values in result.arrays.items()
    }
    coords = {"energy": xr.Variable(("energy_bin",), grid.bin_energy, LABELS["energy"].attrs), "g": g}
    if grid.shape is not None:
        theta, phi = (angle.reshape(grid.shape)[0] for angle in (grid.theta, grid.phi))
        coords["theta"] = xr.Variable(("theta_bin",), theta[:, 0], LABELS["theta"].attrs)
        coords["phi"] = xr.Variable(("phi_bin",), phi[0], LABELS["phi"].attrs)
    return xr.Dataset(data, coords=coords)


def growth_of_systems(
    grid: Grid,
    n: Floats,
    g: Floats,
    *,
    method: str = "auto",
    growth_tolerance: float | None = None,
    modes: int = 0,
    details: bool = False,
) -> GrowthResult:
    """Growth results of P systems on one grid: EPN ``n`` (P, N) and coupling ``g`` (P,).

    A system's numbers do not depend on which others are passed along. Options as for ``growth``; ``details`` adds
    what is in ``vocab.GROWTH_DETAILS``, at a few times the cost for small systems.

    Raises
    ------
    ValueError
        For an unknown method, a tolerance that is not positive, or more pairs than dense eigenvalues can hold.
    """
    if method not in METHODS:
        raise ValueError(f"method = {method!r}: choose one of {', '.join(METHODS)}")
    if growth_tolerance is not None and not (math.isfinite(growth_tolerance) and growth_tolerance > 0):
        raise ValueError(f"growth_tolerance = {growth_tolerance}: give a positive fraction of the coupling")
    memory = dense_bytes(grid.size)
    if method == "dense" and memory > DENSE_BYTES:
        raise ValueError(
            f"method = 'dense': the matrix of {grid.size} pairs takes {memory / 2**30:.0f} GiB: use 'dispersion'"
        )
    systems = _Systems(grid, np.ascontiguousarray(n), np.ascontiguousarray(g), max(modes, 1), details)
    if method == "dense":
        systems.solve_dense(np.arange(g.size))
    else:
        systems.solve_certified(growth_tolerance, method)
    arrays = _crossing_measures(grid, systems.n) | systems.arrays
    if details:
        arrays |= systems.details(modes)
    return GrowthResult(arrays, systems.reasons)


def fastest_mode(
    energy: Floats, weight: Floats, p_hat: Floats, n: Floats, g: float
) -> tuple[float, float, bool]:
    """Growth rate and frequency (MeV) of the fastest mode of pairs in any directions, and whether it is certain."""
    theta, phi = np.arccos(np.clip(p_hat[:, 2], -1.0, 1.0)), np.arctan2(p_hat[:, 1], p_hat[:, 0])
    bin_energy, energy_bin = np.unique(energy, return_inverse=True)
    grid = Grid(energy, weight, theta, phi, energy_bin, bin_energy)
    found = growth_of_systems(grid, n[None], np.array([g]))
    arrays = found.arrays
    return float(arrays["growth_rate"][0]), float(arrays["frequency"][0]), found.reasons[0] is None


def dense_bytes(pairs: int) -> int:
    """Memory that all eigenvalues of a dense M take, bytes: the matrix, LAPACK's copy, eigenvectors."""
    return 8 * (2 * pairs) ** 2 * 4


class _Systems:
    """P systems on one grid while they are solved: outputs by name, and a reason for each that failed."""

    def __init__(self, grid: Grid, n: Floats, g: Floats, modes: int, shares: bool) -> None:
        points = g.size
        self.grid, self.n, self.g = grid, n, g
        self.frame = (grid.energy, grid.weight, grid.p_hat)
        self.arrays: dict[str, NDArray[Any]] = {
            "growth_rate": np.full(points, np.nan),
            "frequency": np.full(points, np.nan),
            "n_unstable": np.zeros(points, np.int32),
            "mode_kind": np.zeros(points, np.int8),
            "energy_weight": np.full((points, grid.bin_energy.size), np.nan),
        }
        self.reasons: list[str | None] = [None] * points
        self.rates = np.full((points, modes), np.nan)
        self.frequencies = np.full((points, modes), np.nan)
        # one number per pair and point: kept only where it is asked for
        self.share: Floats | None = np.full(n.shape, np.nan) if shares else None

    def solve_certified(self, growth_tolerance: float | None, method: str) -> None:
        """Zeros of the dispersion function; small systems in bulk, the rest one by one, dense where that fails."""
        tolerance = self._tolerance(growth_tolerance)
        left = np.arange(self.g.size)
        if method == "auto" and self.grid.size <= BULK_PAIRS and self.share is None and left.size > 0:
            left = self._solve_bulk(tolerance)
        step = max(1, SHARE_NUMBERS // self.grid.size)
        uncertain: list[int] = []
        for start in range(0, left.size, step):
            uncertain += self._solve_modes(left[start : start + step], tolerance)
        if method == "auto" and self.grid.size <= DENSE_PAIRS and uncertain:
            rows = np.array(uncertain)
            # dense eigenvalues must vouch for the same tolerance, or the point stays failed
            vouched = dense_floor(self.grid, self.n[rows], self.g[rows]) <= tolerance[rows]
            self.solve_dense(rows[vouched])

    def _tolerance(self, fraction: float | None) -> Floats:
        coupling = 4.0 * self.g * _volume(self.grid, self.n)
        if fraction is not None:
            return np.asarray(fraction * coupling)
        scale = 4.0 * self.g * _volume(self.grid, self.n + 1.0)
        return np.asarray(np.maximum(GROWTH_TOLERANCE * coupling, tolerance_floor(coupling, scale)))

    def _solve_bulk(self, tolerance: Floats) -> NDArray[np.int64]:
        """Batched solver of small systems; returns the points it did not certify."""
        points = self.g.size
        status = np.empty(points, np.int8)
        results = [self.arrays[name] for name in ("growth_rate", "frequency", "n_unstable", "mode_kind")]
        share = np.empty((points, self.grid.bin_energy.size))
        arguments = (*self.frame, self.n, self.g, tolerance, self.grid.energy_bin, *results, status, share)
        bulk_growth(*arguments)
        good = np.flatnonzero(status == BULK_CERTIFIED)
        rate, frequency = results[0], results[1]
        self.arrays["energy_weight"][good] = share[good]
        self.rates[good, 0] = rate[good]
        self.frequencies[good, 0] = frequency[good]
        return np.flatnonzero(status != BULK_CERTIFIED)

    def _solve_modes(self, rows: NDArray[np.int64], tolerance: Floats) -> list[int]:
        """Find all zeros of some points; notes why others failed, returns those worth another method."""
        names = ("growth_rate", "frequency", "n_unstable", "mode_kind")
        out = [np.empty(rows.size, self.arrays[name].dtype) for name in names]
        share = np.empty((rows.size, self.grid.size))
        fast = [np.empty((rows.size, self.rates.shape[1])) for _ in range(2)]
        status = np.empty(rows.size, np.int64)
        arguments = (*self.frame, self.n[rows], self.g[rows], tolerance[rows], *out, share, *fast, status)
        growth_of_points(*arguments)
        good = status == CERTIFIED
        for name, values in zip(names, out, strict=True):
            self.arrays[name][rows[good]] = values[good]
        self.rates[rows[good]], self.frequencies[rows[good]] = fast[0][good], fast[1][good]
        self._record_share(rows[good], share[good])
        failed = []
        for row, code in zip(rows[~good], status[~good], strict=True):
            self.reasons[row] = STATUS_TEXT[int(code)]
            if code == NOT_CERTIFIED:
                failed.append(int(row))
        return failed

    def solve_dense(self, rows: NDArray[np.int64]) -> None:
        """All eigenvalues of M by LAPACK, a stack of points in each call."""
        pairs = self.grid.size
        floor = dense_floor(self.grid, self.n[rows], self.g[rows])
        frame = (*self.frame, self.grid.theta_hat, self.grid.phi_hat)
        step = max(1, STACK_BYTES // (32 * pairs**2))
        with _blas().limit(limits=1, user_api="blas"):
            for start in range(0, rows.size, step):
                part = rows[start : start + step]
                matrices = np.empty((part.size, 2 * pairs, 2 * pairs))
                stability_matrices(*frame, self.n[part], self.g[part], matrices)
                for offset, (matrix, values) in enumerate(zip(matrices, _eigenvalues(matrices), strict=True)):
                    self._classify(int(part[offset]), matrix, values, floor[start + offset])

    def _classify(self, row: int, matrix: Floats, values: NDArray[np.complex128], floor: float) -> None:
        if not np.isfinite(values).all():
            self.reasons[row] = "the eigenvalues of M did not converge"
            return
        self.reasons[row] = None
        unstable = values[values.real > floor]
        self.arrays["n_unstable"][row] = unstable.size
        self.arrays["growth_rate"][row] = self.arrays["frequency"][row] = 0.0
        self.rates[row] = self.frequencies[row] = 0.0
        if unstable.size == 0:
            return
        upper = unstable[unstable.imag >= 0.0]
        upper = upper[np.argsort(-upper.real)]
        lead = upper[0]
        self.arrays["growth_rate"][row] = lead.real
        self.arrays["frequency"][row] = lead.imag if lead.imag > floor else 0.0
        self.arrays["mode_kind"][row] = 1 if lead.imag > floor else 2
        kept = min(upper.size, self.rates.shape[1])
        self.rates[row, :kept] = upper[:kept].real
        self.frequencies[row, :kept] = upper[:kept].imag
        vectors_of, vectors = np.linalg.eig(matrix)
        equally_fast = (vectors_of.real >= lead.real - floor) & (vectors_of.imag >= 0.0)
        # equal eigenvalues leave their vectors open; the projector on all of them is not
        basis = np.linalg.qr(vectors[:, equally_fast])[0]
        share = (np.abs(basis) ** 2).mean(axis=1)
        self._record_share(np.array([row]), (share[: self.grid.size] + share[self.grid.size :])[None])

    def _record_share(self, rows: NDArray[np.int64], share: Floats) -> None:
        if self.share is not None:
            self.share[rows] = share
        for energy_bin in range(self.grid.bin_energy.size):
            inside = self.grid.energy_bin == energy_bin
            self.arrays["energy_weight"][rows, energy_bin] = share[:, inside].sum(axis=1)

    def details(self, modes: int) -> dict[str, NDArray[Any]]:
        """Shape of the fastest mode by direction, how many pairs take part, and the static side."""
        assert self.share is not None, "details need the share of each pair"
        points = self.g.size
        arrays = {"participation_ratio": 1.0 / np.sum(self.share**2, axis=1)}
        if self.grid.shape is not None:
            arrays["angular_weight"] = self.share.reshape(points, *self.grid.shape).sum(axis=1)
        if modes > 0:
            arrays["mode_growth_rate"], arrays["mode_frequency"] = self.rates, self.frequencies
        systems = list(zip(self.n, self.g, strict=True))
        arrays["static_criterion"] = np.array([static_criterion(*self.frame, n, g) for n, g in systems])
        arrays["g_static"] = np.array([static_coupling(*self.frame, n) for n, _ in systems])
        return arrays


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


def _volume(grid: Grid, n: Floats) -> Floats:
    """Sum w abs(n) of each row, (P,): row by row, where a BLAS product may depend on the other rows in its last bit."""
    return np.asarray((np.abs(n) * np.abs(grid.weight)).sum(axis=1))


def dense_floor(grid: Grid, n: Floats, g: Floats) -> Floats:
    """Smallest growth rate that dense eigenvalues can tell from rounding, MeV, (P,).

    A double eigenvalue moves by the square root of a perturbation, and rounding perturbs M by eps abs(M); the
    coupling 4 g sum w abs(n) is what turns one into the other.
    """
    coupling = 4.0 * g * _volume(grid, n)
    size = 2.0 * grid.energy.max() + coupling
    rounding = np.finfo(float).eps * size * math.sqrt(2 * grid.size)
    return np.asarray(8.0 * np.sqrt(rounding * coupling) + 8.0 * rounding)


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
