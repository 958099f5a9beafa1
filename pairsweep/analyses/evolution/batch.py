"""What goes into a batch and what comes out: checked input, arrays being filled, the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.evolution.analysis import INTEGRATORS, METHODS, VARIABLES
from pairsweep.analyses.evolution.kernels.curves import CurveNumbers, read_curve
from pairsweep.analyses.evolution.kernels.observables import Records, record, row_layout, row_size
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.contract.occupation import first_fault
from pairsweep.kernels.pairs import Pairs
from pairsweep.physics.grid import Floats, Grid

Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

TRAILING = {variable.name: variable.trailing for variable in VARIABLES}
SMALLEST_TOLERANCE, LARGEST_TOLERANCE = 1e-12, 0.1

# States (3, N) of samples that a method holds at once, in numbers: 64 MB, however long the run and large the grid.
STATE_NUMBERS = 2**23


@dataclass(frozen=True, eq=False)
class EvolutionResult:
    """What a batch of P points gave.

    Attributes
    ----------
    arrays : (P, ...) by the name of the variable
        The variables of the evolution analysis, dimensions as declared in ``analysis.py``; NaN for failed points.
    status : (P,) int8
        ``Status`` of every point.
    reasons : (P,)
        One line for every point that failed, else None.
    method : (P,)
        The method that was taken.
    error_estimate : (P,)
        Estimated largest error of any component of any S at the samples.
    steps : (P,) int
        Steps of the run that is reported (evaluations of the right-hand side for ``reference``).
    states : (P, T, 3, N), or None
        n, Re kappa, Im kappa of every pair at the samples, where they were asked for; NaN for failed points.
    """

    arrays: Mapping[str, NDArray[Any]]
    status: NDArray[np.int8]
    reasons: tuple[str | None, ...]
    method: tuple[str, ...]
    error_estimate: Floats
    steps: Ints
    states: Floats | None


@dataclass(eq=False)
class Work:
    """Arrays that the methods fill, point by point, as in ``Records`` and ``EvolutionResult``."""

    rows: Floats
    free: Floats
    drift: Floats
    error: Floats
    steps: Ints
    status: NDArray[np.int8]
    reasons: list[str | None]
    method: list[str]
    states: Floats | None

    def fail(self, point: int | np.intp, status: Status, **numbers: Any) -> None:
        """Note the end of a point that is no success; ``numbers`` are what the text of ``status`` names."""
        self.status[point] = status
        self.reasons[point] = status.text.format(**numbers)

    def miss(self, point: int | np.intp, method: str, tolerance: float) -> None:
        """Note that a run is not as accurate as was asked for, and what would be enough."""
        error, steps = float(self.error[point]), self.steps[point]
        enough = f"give tolerance = {2.0 * error:.1e}, " if 2.0 * error <= LARGEST_TOLERANCE else ""
        numbers = {"tolerance": tolerance, "error": error, "steps": steps, "enough": enough}
        self.fail(point, Status.TOLERANCE_MISSED, method=method, **numbers)


@dataclass(frozen=True, eq=False)
class Batch:
    """Checked input: P points on one grid; ``start`` (P, 3, N) is n, Re kappa, Im kappa at t = 0."""

    pairs: Pairs
    rho: Floats
    rhobar: Floats
    start: Floats
    g: Floats
    times: Floats
    tolerance: float

    @property
    def spins(self) -> Floats:
        """Lengths of the spins, (P, N)."""
        return np.hypot(self.start[:, 0], 2.0 * np.hypot(self.start[:, 1], self.start[:, 2]))

    @property
    def window(self) -> int:
        """Number of samples whose states are held at once, for one point."""
        return max(1, STATE_NUMBERS // (3 * self.pairs.energy.size))

    def record(self, work: Work, points: Sequence[int] | Ints, first: int, states: Floats) -> None:
        """Read the observables of ``points`` off their states (points, samples, 3, N), from sample ``first`` on."""
        at = np.asarray(points)
        samples = states.shape[1]
        records = Records(
            np.empty((at.size, samples, work.rows.shape[2])),
            np.empty((at.size, samples)),
            work.drift[at] if first > 0 else np.zeros((at.size, 2)),
            np.full(at.size, Status.OK, dtype=np.int64),
        )
        record(self.pairs, self.rho[at], self.rhobar[at], self.start[at], self.g[at], states, records)
        work.rows[at, first : first + samples] = records.rows
        work.free[at, first : first + samples] = records.free
        work.drift[at] = records.drift
        if work.states is not None:
            work.states[at, first : first + samples] = states
        for point in at[records.status != Status.OK]:
            work.fail(point, Status.NOT_FINITE)


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
    """Check what no point could use, and bring the rest into the form that kernels take."""
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
    times = np.array(np.broadcast_to(times, (g.size, times.shape[-1])), order="C")
    ascending = (times >= 0).all() and (np.diff(times, axis=1) > 0).all() and (times[:, -1] > 0).all()
    if not (np.isfinite(times).all() and ascending):
        raise ValueError("times: give finite times that ascend from 0 or later and end after 0")
    start = np.stack([rho + rhobar - 1.0, kappa0.real, kappa0.imag], axis=1)
    return Batch(grid.pairs, rho, rhobar, start, g, times, tolerance)


def empty_work(batch: Batch, keep: bool) -> Work:
    """Arrays for the results of a batch; nothing has failed yet, nothing is known. ``keep``: room for states."""
    points, samples = batch.times.shape
    width = row_size(batch.pairs.n_energy, batch.pairs.n_beam)
    return Work(
        rows=np.full((points, samples, width), np.nan),
        free=np.full((points, samples), np.nan),
        drift=np.full((points, 2), np.nan),
        error=np.full(points, np.nan),
        steps=np.zeros(points, dtype=np.int64),
        status=np.zeros(points, dtype=np.int8),
        reasons=[None] * points,
        method=[INTEGRATORS[0]] * points,
        states=np.full((points, samples, *batch.start.shape[1:]), np.nan) if keep else None,
    )


def refuse_bad_points(batch: Batch, work: Work) -> None:
    """Fail the points whose occupations, kappa or coupling no method could use."""
    for point in range(batch.g.size):
        what = None
        fault = first_fault(batch.rho[point], batch.rhobar[point])
        if fault is not None:
            (pair,), values = fault
            what = f"occupation of pair {pair}: {values}"
        elif not np.isfinite(batch.start[point]).all():
            what = "kappa: not finite: give finite complex numbers"
        elif not np.isfinite(batch.g[point]):
            what = f"g = {batch.g[point]}: give a finite coupling in MeV^-2"
        if what is not None:
            work.fail(point, Status.BAD_INPUT, what=what)


def collect(batch: Batch, work: Work) -> EvolutionResult:
    """Name the results; what failed is NaN."""
    failed = work.status != Status.OK
    work.rows[failed] = np.nan
    if work.states is not None:
        work.states[failed] = np.nan
    arrays: dict[str, NDArray[Any]] = {}
    for name, place in row_layout(batch.pairs.n_energy, batch.pairs.n_beam).items():
        values = work.rows[:, :, place]
        arrays[name] = values if TRAILING[name][1:] else values[:, :, 0]
    numbers = np.full((batch.g.size, len(CurveNumbers._fields)), np.nan)
    for point in np.flatnonzero(~failed):
        numbers[point] = read_curve(batch.times[point], arrays["kappa_mean"][point], work.free[point])
    arrays |= {name: numbers[:, i] for i, name in enumerate(CurveNumbers._fields)}
    arrays |= {"energy_drift": work.drift[:, 0], "norm_drift": work.drift[:, 1], "error_estimate": work.error}
    arrays["method_taken"] = np.where(failed, 0, [INTEGRATORS.index(name) for name in work.method]).astype(
        np.int8
    )
    return EvolutionResult(
        arrays, work.status, tuple(work.reasons), tuple(work.method), work.error, work.steps, work.states
    )
