"""What goes into a batch and what comes out: checked input, arrays being filled, the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.evolution.analysis import INTEGRATORS, METHODS, VARIABLES
from pairsweep.analyses.evolution.kernels.curves import read_curve
from pairsweep.analyses.evolution.kernels.observables import row_layout, row_size
from pairsweep.physics.grid import Floats, Grid

Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

TRAILING = {variable.name: variable.trailing for variable in VARIABLES}
SMALLEST_TOLERANCE = 1e-12
CURVE_NUMBERS = ("growth_rate_fit", "kappa_max", "time_of_max", "period")

# Kinds of failure; 0 is success.
OK, BAD_INPUT, NOT_FINITE, TOLERANCE_MISSED, DRIFTED, REFUSED = range(6)


@dataclass(frozen=True, eq=False)
class EvolutionResult:
    """What a batch of P points gave.

    Attributes
    ----------
    arrays : (P, ...) by the name of the variable
        The variables of the evolution analysis, dimensions as in the vocabulary; NaN for failed points.
    status : (P,) int8
        0, or the position of the kind of failure in this module's table.
    reasons : (P,)
        One line for every point that failed, else None.
    method : (P,)
        The method that was taken.
    error_estimate : (P,)
        Estimated largest error of any component of any S at the samples.
    steps : (P,) int
        Steps of the run that is reported (evaluations of the right-hand side for ``reference``).
    """

    arrays: Mapping[str, NDArray[Any]]
    status: NDArray[np.int8]
    reasons: tuple[str | None, ...]
    method: tuple[str, ...]
    error_estimate: Floats
    steps: Ints


@dataclass(eq=False)
class Work:
    """Arrays that the methods fill, point by point."""

    rows: Floats
    free: Floats
    drift: Floats
    error: Floats
    steps: Ints
    status: NDArray[np.int8]
    reasons: list[str | None]
    method: list[str]

    def fail(self, point: int | np.intp, status: int, reason: str) -> None:
        self.status[point] = status
        self.reasons[point] = reason


@dataclass(frozen=True, eq=False)
class Batch:
    """Checked input: P points on one grid."""

    grid: Grid
    rho: Floats
    rhobar: Floats
    kappa0: Complexes
    g: Floats
    times: Floats

    @property
    def n_beam(self) -> int:
        return 0 if self.grid.shape is not None else self.grid.size


def checked_batch(
    grid: Grid,
    rho: Floats,
    rhobar: Floats,
    kappa0: Complexes,
    g: Floats,
    times: Floats,
    method: str,
    tolerance: float,
) -> Batch:
    if method not in METHODS:
        raise ValueError(f"method = {method!r}: choose one of {', '.join(METHODS)}")
    if not (np.isfinite(tolerance) and tolerance >= SMALLEST_TOLERANCE):
        raise ValueError(
            f"tolerance = {tolerance}: give at least {SMALLEST_TOLERANCE:g}, double precision holds no less"
        )
    rho, rhobar = np.ascontiguousarray(rho, np.float64), np.ascontiguousarray(rhobar, np.float64)
    kappa0 = np.ascontiguousarray(kappa0, np.complex128)
    g = np.ascontiguousarray(g, np.float64)
    expected = (g.size, grid.size)
    for name, array in (("rho", rho), ("rhobar", rhobar), ("kappa0", kappa0)):
        if array.shape != expected:
            raise ValueError(f"{name}: shape {array.shape}: give (points, pairs) = {expected}")
    times = np.asarray(times, dtype=np.float64)
    if times.ndim not in (1, 2) or times.shape[-1] == 0 or (times.ndim == 2 and len(times) != g.size):
        raise ValueError(f"times: shape {times.shape}: give (samples,) or (points, samples)")
    times = np.ascontiguousarray(np.broadcast_to(times, (g.size, times.shape[-1])))
    ascending = (times >= 0).all() and (np.diff(times, axis=1) > 0).all() and (times[:, -1] > 0).all()
    if not (np.isfinite(times).all() and ascending):
        raise ValueError("times: give finite times that ascend from 0 or later and end after 0")
    return Batch(grid, rho, rhobar, kappa0, g, times)


def empty_work(batch: Batch) -> Work:
    """Arrays for the results of a batch; nothing has failed yet, nothing is known."""
    points, samples = batch.times.shape
    width = row_size(batch.grid.bin_energy.size, batch.n_beam)
    return Work(
        rows=np.full((points, samples, width), np.nan),
        free=np.full((points, samples), np.nan),
        drift=np.full((points, 2), np.nan),
        error=np.full(points, np.nan),
        steps=np.zeros(points, dtype=np.int64),
        status=np.zeros(points, dtype=np.int8),
        reasons=[None] * points,
        method=[INTEGRATORS[0]] * points,
    )


def refuse_bad_points(batch: Batch, work: Work) -> None:
    inside = (batch.rho >= 0) & (batch.rho <= 1) & (batch.rhobar >= 0) & (batch.rhobar <= 1)
    for point in range(batch.g.size):
        if not inside[point].all():
            pair = int(np.flatnonzero(~inside[point])[0])
            rho, rhobar = batch.rho[point, pair], batch.rhobar[point, pair]
            reason = f"occupation of pair {pair}: rho = {rho:g}, rhobar = {rhobar:g}: give values from 0 to 1"
            work.fail(point, BAD_INPUT, reason)
        elif not np.isfinite(batch.kappa0[point]).all():
            work.fail(point, BAD_INPUT, "kappa: not finite: give finite complex numbers")
        elif not np.isfinite(batch.g[point]):
            work.fail(point, BAD_INPUT, f"g = {batch.g[point]}: give a finite coupling in MeV^-2")


def collect(batch: Batch, work: Work) -> EvolutionResult:
    failed = work.status != OK
    work.rows[failed] = np.nan
    arrays: dict[str, NDArray[Any]] = {}
    for name, place in row_layout(batch.grid.bin_energy.size, batch.n_beam).items():
        values = work.rows[:, :, place]
        arrays[name] = values if TRAILING[name][1:] else values[:, :, 0]
    numbers = np.full((batch.g.size, len(CURVE_NUMBERS)), np.nan)
    for point in np.flatnonzero(~failed):
        read_curve(batch.times[point], arrays["kappa_mean"][point], work.free[point], numbers[point])
    arrays |= {name: numbers[:, i] for i, name in enumerate(CURVE_NUMBERS)}
    arrays |= {"energy_drift": work.drift[:, 0], "norm_drift": work.drift[:, 1], "error_estimate": work.error}
    arrays["method_taken"] = np.where(failed, 0, [INTEGRATORS.index(name) for name in work.method]).astype(
        np.int8
    )
    return EvolutionResult(
        arrays, work.status, tuple(work.reasons), tuple(work.method), work.error, work.steps
    )
