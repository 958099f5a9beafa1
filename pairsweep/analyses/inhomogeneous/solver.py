"""Growth of modes with a wave vector k, for many systems on one grid: arrays in, arrays by name out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.base import PointFailure
from pairsweep.analyses.inhomogeneous.analysis import BACKGROUNDS, FAMILIES, VACUA
from pairsweep.analyses.inhomogeneous.ceiling import continuum_ceiling
from pairsweep.analyses.inhomogeneous.cutoff import cutoff_constant
from pairsweep.analyses.inhomogeneous.dense import Poles, dense_modes, poles_of
from pairsweep.analyses.inhomogeneous.kernels.modes import Points, Results, Status, modes_of_points
from pairsweep.analyses.inhomogeneous.kernels.poles import Momenta
from pairsweep.analyses.inhomogeneous.occupations import FunctionOccupations, Occupations, Rows
from pairsweep.analyses.inhomogeneous.uncertified import settle
from pairsweep.physics.grid import Floats, Grid

ETA = np.diag([1.0, -1.0, -1.0, -1.0])
STABLE, POSSIBLE, DISCRETISATION, UNDETERMINED = range(4)
# Numbers of one table of occupations held at once while points are solved.
TABLE_NUMBERS = 2**18


@dataclass(frozen=True)
class Medium:
    """What of the gas takes part: the options ``families``, ``background`` and ``vacuum``."""

    families: str = "pair"
    background: str = "shift"
    vacuum: str = "grid"

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("families", self.families, FAMILIES),
            ("background", self.background, BACKGROUNDS),
            ("vacuum", self.vacuum, VACUA),
        ):
            if value not in allowed:
                raise ValueError(f"{name} = {value!r}: choose one of {', '.join(allowed)}")


@dataclass(frozen=True, eq=False)
class InhomogeneousResult:
    """Results of P points by variable name, leading axis P, and failures by point.

    ``modes`` (P, K) are the fastest omega (MeV), 0 beyond the last; ``unusable`` are the failed points whose k or
    occupation is at fault.
    """

    arrays: dict[str, NDArray[Any]]
    modes: NDArray[np.complex128]
    failures: dict[int, PointFailure]
    unusable: frozenset[int]


class Inhomogeneous:
    """P systems on one grid whose modes can be asked for at any wave vectors."""

    def __init__(
        self,
        grid: Grid,
        occupations: Occupations,
        g: Floats,
        medium: Medium,
        growth_tolerance: float | None = None,
    ) -> None:
        if growth_tolerance is not None and not (math.isfinite(growth_tolerance) and growth_tolerance > 0):
            raise ValueError(
                f"growth_tolerance = {growth_tolerance}: give a positive fraction of the coupling"
            )
        self.grid, self.occupations, self.g, self.medium = grid, occupations, g, medium
        self.fraction = math.nan if growth_tolerance is None else growth_tolerance
        self.centre = grid.energy[:, None] * grid.p_hat
        filled = grid.weight * (occupations.rho + occupations.rhobar)
        shifts = medium.background == "shift"
        self.drift = 2.0 * g[:, None] * (filled @ grid.p_hat) * shifts
        self.scale = 4.0 * g * np.abs(filled).sum(axis=1) * shifts

    def solve(self, rows: Rows, k: Floats, modes: int = 1) -> InhomogeneousResult:
        """Modes of systems ``rows`` (P,) at wave vectors ``k`` (P, 3), MeV; the ``modes`` fastest are kept.

        A point's numbers do not depend on which others are passed along.
        """
        points = rows.size
        arrays: dict[str, NDArray[Any]] = {
            "inhomogeneous_growth_rate": np.empty(points),
            "inhomogeneous_frequency": np.empty(points),
            "inhomogeneous_n_unstable": np.empty(points, np.int32),
            "inhomogeneous_growth_floor": np.empty(points),
        }
        status = np.empty(points, np.int64)
        fastest = np.empty((points, max(modes, 1), 2))
        everything: tuple[NDArray[Any], ...] = (*arrays.values(), status, fastest)
        failures: dict[int, PointFailure] = {}
        faults = getattr(self.occupations, "faults", {})
        step = max(1, TABLE_NUMBERS // self.grid.size)
        for start in range(0, points, step):
            part = slice(start, min(start + step, points))
            momenta, table = self._table(rows[part], k[part])
            out = Results(*(values[part] for values in everything))
            modes_of_points(momenta, table, out)
            for i in np.flatnonzero(status[part] != Status.CERTIFIED):
                one, row = start + int(i), int(rows[start + i])
                alone = Points(*(values[i : i + 1] for values in table))
                found = Results(*(values[one : one + 1] for values in everything))
                failure = settle(momenta, alone, found, self.grid.size)
                if failure is not None:
                    failures[one] = faults.get(row, failure) if status[one] == Status.NOT_FINITE else failure
        arrays["inhomogeneous_ceiling"] = continuum_ceiling(
            self.g[rows], np.linalg.norm(k, axis=1), self.energy_max
        )
        arrays["inhomogeneous_verdict"] = self._verdicts(arrays)
        arrays["inhomogeneous_resolution"] = self._resolution(k, arrays["inhomogeneous_growth_rate"])
        unusable = frozenset(i for i in failures if status[i] == Status.NOT_FINITE)
        return InhomogeneousResult(arrays, fastest[..., 0] + 1j * fastest[..., 1], failures, unusable)

    def on(self, grid: Grid, row: int) -> Inhomogeneous:
        """One of the systems over another grid."""
        assert isinstance(self.occupations, FunctionOccupations), "beams have no other grid"
        momenta = grid.energy[None], grid.theta[None], np.mod(grid.phi, 2 * np.pi)[None]
        pair = self.occupations.at(np.array([row]), *momenta)
        alone = FunctionOccupations((self.occupations.functions[row],), *pair)
        fraction = None if math.isnan(self.fraction) else self.fraction
        return Inhomogeneous(grid, alone, self.g[[row]], self.medium, fraction)

    @property
    def energy_max(self) -> float:
        """Energy up to which the momenta of the grid reach, MeV: its highest edge, or the highest beam."""
        edges = self.grid.edges
        return float(self.grid.energy.max() if edges is None else edges.energy[-1])

    def dense_modes(self, row: int, k: Floats) -> NDArray[np.complex128]:
        """All omega of one system at one wave vector (3,) by LAPACK, O(N^3)."""
        return dense_modes(*self.poles(row, k))

    def poles(self, row: int, k: Floats) -> Poles:
        """Locations (M,), strengths (M,) and vectors (M, 4) of the poles of one system, MeV, and W0."""
        return poles_of(*self._table(np.array([row]), k[None]), 0)

    def pole_bands(self, rows: Rows, k: Floats) -> tuple[Floats, Floats]:
        """Lowest and highest pole |p+| + |p-| - V.(h+ + h-) of the pairs of each energy bin, (P, n_energy) MeV."""
        grid = self.grid
        energies, shifts = [], []
        for sign in (1, -1):
            momentum = self.centre + sign * 0.5 * k[:, None, :]
            length = np.linalg.norm(momentum, axis=2)
            along = (momentum * self.drift[rows][:, None, :]).sum(axis=2)
            energies.append(length)
            shifts.append(along / np.where(length > 0.0, length, 1.0))
        pole = sum(energies) - sum(shifts)
        low = np.full((rows.size, grid.bin_energy.size), np.inf)
        high = np.full(low.shape, -np.inf)
        for energy in range(grid.bin_energy.size):
            members = pole[:, grid.energy_bin == energy]
            low[:, energy], high[:, energy] = members.min(axis=1), members.max(axis=1)
        return low, high

    def matrix(self, row: int, k: Floats, omega: complex) -> NDArray[np.complex128]:
        """W(omega, k) of one system, (4, 4)."""
        location, strength, vector, constant = self.poles(row, k)
        weight = strength / (omega - location)
        return np.asarray(constant - (weight[:, None] * vector).T @ vector.conj())

    def _table(self, rows: Rows, k: Floats) -> tuple[Momenta, Points]:
        grid = self.grid
        half_shift, factor = self._factors(rows, k)
        copies = half_shift.size // grid.size
        constant = np.broadcast_to(ETA, (rows.size, 4, 4)).copy()
        if self.medium.vacuum == "subtracted":
            constant[:, 1:, 1:] -= 2.0 * self.g[rows, None, None] * cutoff_constant(grid, k)
        momenta = Momenta(
            np.tile(grid.energy, copies),
            np.tile(grid.weight, copies),
            np.tile(grid.p_hat, (copies, 1)),
            half_shift,
        )
        per_point = (k, self.drift[rows], self.scale[rows], factor, self.g[rows], constant)
        fraction = np.full(rows.size, self.fraction)
        return momenta, Points(*(np.ascontiguousarray(values) for values in (*per_point, fraction)))

    def _factors(self, rows: Rows, k: Floats) -> tuple[Floats, Floats]:
        """Which centre each momentum stands for (M,), and F of the four families (P, 4, M); M = N, or 3 N for beams."""
        occupations, pairs = self.occupations, self.grid.size
        everything = self.medium.families == "all"
        if isinstance(occupations, FunctionOccupations):
            both = [self.centre + sign * 0.5 * k[:, None, :] for sign in (1, -1)]
            (rho_plus, rhobar_plus), (rho_minus, rhobar_minus) = (
                occupations.at(rows, *_spherical(momentum)) for momentum in both
            )
            factor = np.zeros((rows.size, 4, pairs))
            factor[:, 0] = 1.0 - rho_plus - rhobar_minus
            factor[:, 1] = rho_minus + rhobar_plus - 1.0
            if everything:
                factor[:, 2] = rho_minus - rho_plus
                factor[:, 3] = rhobar_plus - rhobar_minus
            return np.zeros(pairs), factor
        rho, rhobar = occupations.rho[rows], occupations.rhobar[rows]
        if not everything:
            n = rho + rhobar - 1.0
            factor = np.zeros((rows.size, 4, pairs))
            factor[:, 0], factor[:, 1] = -n, n
            return np.zeros(pairs), factor
        # every beam is p+ of one centre and p- of another: each conserves the current by itself
        vacuum, nothing = np.ones_like(rho), np.zeros_like(rho)
        families = (
            (-rho, -rhobar, vacuum),
            (rhobar, rho, -vacuum),
            (-rho, rho, nothing),
            (rhobar, -rhobar, nothing),
        )
        factor = np.stack([np.concatenate(centres, axis=1) for centres in families], axis=1)
        return np.repeat([-1.0, 1.0, 0.0], pairs), factor

    def _verdicts(self, arrays: dict[str, NDArray[Any]]) -> NDArray[np.int8]:
        growth = arrays["inhomogeneous_growth_rate"]
        unstable = POSSIBLE if self.medium.families == "pair" else UNDETERMINED
        verdict = np.where(growth > 0.0, unstable, STABLE)
        if self.medium.families == "pair":
            verdict = np.where(growth > arrays["inhomogeneous_ceiling"], DISCRETISATION, verdict)
        return np.where(np.isnan(growth), UNDETERMINED, verdict).astype(np.int8)

    def _resolution(self, k: Floats, growth: Floats) -> Floats:
        """Twice the widest energy bin, or |k| times the widest step in angle, over the growth: to be well below 1."""
        edges = self.grid.edges
        step = np.full(growth.shape, np.nan)
        if edges is not None:
            angles = np.diff(np.arccos(np.clip(edges.cos_theta, -1.0, 1.0))), np.diff(edges.phi)
            widest = max(np.abs(angle).max() for angle in angles)
            step = np.maximum(2.0 * np.diff(edges.energy).max(), np.linalg.norm(k, axis=1) * widest)
        return np.where(growth > 0.0, step / np.where(growth > 0.0, growth, 1.0), np.nan)


def _spherical(momentum: Floats) -> tuple[Floats, Floats, Floats]:
    """Energy, theta, phi in [0, 2 pi) of momenta (..., 3)."""
    energy = np.sqrt((momentum**2).sum(axis=-1))
    cos_theta = np.clip(momentum[..., 2] / np.where(energy > 0.0, energy, 1.0), -1.0, 1.0)
    phi = np.arctan2(momentum[..., 1], momentum[..., 0])
    return energy, np.arccos(cos_theta), np.where(phi < 0.0, phi + 2.0 * np.pi, phi)


def wave_number_fault(k: float, energy_max: float) -> str | None:
    """Why a wave number is out of range, or None."""
    if not math.isfinite(k) or k < 0.0:
        return f"k = {k}: give a wave number of at least 0, in MeV"
    if k > 2.0 * energy_max:
        return (
            f"k = {k:g}: above 2 energy_max = {2 * energy_max:g} MeV, every momentum p + k/2 or p - k/2 lies beyond "
            "the grid, where the occupation is only continued: lower k or raise energy_max"
        )
    return None
