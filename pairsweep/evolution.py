"""Time evolution of one system, or of a batch that shares a grid: the nonlinear half of the problem.

Three methods. ``splitting`` composes the two exactly solvable parts of the equations (kernels/splitting.py);
``reference`` is scipy's DOP853; ``averaged`` follows the slow motion at small coupling. ``auto`` takes the
cheapest that meets the tolerance, and every result records which it was.

``tolerance`` is the largest error of any component of any spin S_p = n p_hat + 2 Re kappa theta_hat +
2 Im kappa phi_hat over the whole run. It is measured, not assumed: a coarser run goes beside every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import DOP853

from pairsweep.grid import Floats, Grid
from pairsweep.kernels.curves import read_curve
from pairsweep.kernels.lanes import LANES
from pairsweep.kernels.observables import free_pairing, invariants, observe, row_layout, row_size
from pairsweep.kernels.rhs import right_hand_side
from pairsweep.kernels.splitting import LARGEST_TURN, integrate
from pairsweep.kernels.tableaus import ABA1064, Tableau
from pairsweep.vocab import COMPONENTS, INTEGRATORS, LABELS, QUADRANTS, VARIABLES, variables_of

Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

METHODS = ("auto", "splitting", "averaged", "reference")
SMALLEST_TOLERANCE = 1e-12
CURVE_NUMBERS = ("growth_rate_fit", "kappa_max", "time_of_max", "period")

# Reasons of failure: 0 is success, the others are positions in this table.
OK, BAD_INPUT, NOT_FINITE, TOLERANCE_MISSED, DRIFTED, REFUSED = range(6)

# Splitting: the phase of the fastest pair in a step of the first, cheap round, and the ladder of steps.
FIRST_PHASE = 1.6
LADDER_PER_OCTAVE = 4
# From this number of pairs on the lanes hold pairs of one point instead of points.
PAIRS_IN_LANES = 256
CHECK_RATIO = 2.5
ROUNDS = 8
# A smaller step must bring the deviation below this fraction of the one before, else the run is given up.
HOPELESS = 0.7
REFERENCE_SAFETY, REFERENCE_SMALLEST, REFERENCE_CHECK = 1e-4, 1e-13, 10.0
MOST_STEPS = 10**9
# What an order measured between two step sizes may still lose towards smaller steps, and its plausible range.
ORDER_LOSS = 0.5
ORDER_RANGE = (4.0, 6.0)
# H is a weighted mean of the spins, so its error is at most a few times theirs; |S| is kept to rounding.
ENERGY_DRIFT_TOLERANCES = 10.0
NORM_DRIFT_LIMIT = 1e-9


class EvolutionError(RuntimeError):
    """The run of a single system failed; the text says why and what to change."""


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
class _Work:
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
class _Batch:
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


def perturbed_kappa(n_pairs: int, perturbation: float, seed: int) -> Complexes:
    """Initial kappa (N,): Re and Im uniform in [0, perturbation], pairs ordered (energy, theta, phi)."""
    random = np.random.default_rng(seed)
    return np.asarray(perturbation * (random.random(n_pairs) + 1j * random.random(n_pairs)))


def evolve(
    grid: Grid,
    rho: ArrayLike,
    rhobar: ArrayLike,
    g: float,
    *,
    t_end: float | None = None,
    samples: int | None = None,
    times: ArrayLike | None = None,
    perturbation: float = 1e-5,
    seed: int = 0,
    kappa: ArrayLike | None = None,
    method: str = "auto",
    tolerance: float = 1e-8,
) -> xr.Dataset:
    """Evolve one system and return its observables with labels.

    Parameters
    ----------
    grid : Grid
    rho, rhobar : (N,)
        Initial occupations, 0 to 1.
    g : float
        Coupling, MeV^-2.
    t_end, samples : float, int
        ``samples`` equal distances from 0 to ``t_end`` (1/MeV), both ends; or give ``times`` instead.
    times : (T,)
        Sample times, 1/MeV, ascending from 0 or later.
    perturbation, seed : float, int
        Size and seed of the random initial kappa; or give ``kappa`` (N,) itself.
    method : {"auto", "splitting", "averaged", "reference"}
    tolerance : float
        Largest error of any component of any S over the run.

    Returns
    -------
    Dataset
        The evolution variables over time, energy_bin, quadrant, beam and component; its attributes say how
        they were computed.

    Raises
    ------
    ValueError
        For input that cannot be used: place, value, cure.
    EvolutionError
        Where the run failed.
    """
    if times is None:
        times = _sample_times(t_end, samples)
    elif t_end is not None or samples is not None:
        raise ValueError(f"t_end, samples = {t_end}, {samples}: give either these or times")
    if kappa is None:
        if not (np.isfinite(perturbation) and perturbation >= 0):
            raise ValueError(f"perturbation = {perturbation}: give a number of 0 or more")
        kappa = perturbed_kappa(grid.size, perturbation, seed)
    times = np.atleast_1d(np.asarray(times, dtype=np.float64))
    result = evolve_batch(
        grid,
        np.asarray(rho, dtype=np.float64)[None],
        np.asarray(rhobar, dtype=np.float64)[None],
        np.asarray(kappa, dtype=np.complex128)[None],
        np.array([g], dtype=np.float64),
        times,
        method=method,
        tolerance=tolerance,
    )
    reason = result.reasons[0]
    if result.status[0] == BAD_INPUT:
        raise ValueError(reason)
    if reason is not None:
        raise EvolutionError(reason)
    return _labelled(grid, times, result)


def _sample_times(t_end: float | None, samples: int | None) -> Floats:
    if t_end is None or not (np.isfinite(t_end) and t_end > 0):
        raise ValueError(f"t_end = {t_end}: give a positive, finite time in 1/MeV")
    if samples is None or samples < 2:
        raise ValueError(f"samples = {samples}: give at least 2, both ends of the run")
    return np.linspace(0.0, t_end, samples)


def _labelled(grid: Grid, times: Floats, result: EvolutionResult) -> xr.Dataset:
    kind = "bins" if grid.shape is not None else "beams"
    coordinates = {
        "time": times,
        "energy_bin": np.arange(grid.bin_energy.size),
        "quadrant": np.array(QUADRANTS),
        "beam": np.array(grid.names, dtype=str),
        "component": np.array(COMPONENTS),
    }
    data = {
        variable.name: (variable.trailing, result.arrays[variable.name][0], variable.attrs)
        for variable in variables_of(("evolution",), kind)
        if variable.analysis == "evolution"
    }
    used = {dim for dims, _, _ in data.values() for dim in dims}
    coords = {
        name: (name, values, LABELS[name].attrs) for name, values in coordinates.items() if name in used
    }
    if "energy_bin" in used:
        coords["energy"] = ("energy_bin", grid.bin_energy, LABELS["energy"].attrs)
    attrs = {"method": result.method[0], "steps": int(result.steps[0])}
    return xr.Dataset(data, coords, attrs)


def evolve_batch(
    grid: Grid,
    rho: Floats,
    rhobar: Floats,
    kappa0: Complexes,
    g: Floats,
    times: Floats,
    *,
    method: str = "auto",
    tolerance: float = 1e-8,
) -> EvolutionResult:
    """Evolve P points that share a grid. A point's result does not depend, in any bit, on its batch.

    Parameters
    ----------
    grid : Grid
    rho, rhobar : (P, N)
        Initial occupations.
    kappa0 : (P, N) complex
    g : (P,) MeV^-2
    times : (T,) or (P, T), 1/MeV
        Ascending from 0 or later.
    method, tolerance : as in ``evolve``

    Raises
    ------
    ValueError
        For a method, tolerance, times or shapes that no point can use. What is wrong with single points
        (occupations outside 0 to 1, a coupling that is not finite) makes those points fail, with a reason.
    """
    batch = _checked(grid, rho, rhobar, kappa0, g, times, method, tolerance)
    points, samples = batch.times.shape
    n_energy = grid.bin_energy.size
    work = _Work(
        rows=np.full((points, samples, row_size(n_energy, batch.n_beam)), np.nan),
        free=np.full((points, samples), np.nan),
        drift=np.full((points, 2), np.nan),
        error=np.full(points, np.nan),
        steps=np.zeros(points, dtype=np.int64),
        status=np.zeros(points, dtype=np.int8),
        reasons=[None] * points,
        method=[INTEGRATORS[0]] * points,
    )
    _refuse_bad_points(batch, work)
    good = np.flatnonzero(work.status == OK)
    if method == "reference":
        _run_reference(batch, work, good, tolerance)
    else:
        _run_splitting(batch, work, good, tolerance, ABA1064)
    _judge_drift(work, tolerance)
    return _result(batch, work)


def _checked(
    grid: Grid,
    rho: Floats,
    rhobar: Floats,
    kappa0: Complexes,
    g: Floats,
    times: Floats,
    method: str,
    tolerance: float,
) -> _Batch:
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
    if not (np.isfinite(times).all() and (times >= 0).all() and (np.diff(times, axis=1) > 0).all()):
        raise ValueError("times: give finite times that ascend from 0 or later")
    return _Batch(grid, rho, rhobar, kappa0, g, times)


def _refuse_bad_points(batch: _Batch, work: _Work) -> None:
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


def _judge_drift(work: _Work, tolerance: float) -> None:
    """Fail the points whose invariants betray the run: their curves would look like any other."""
    energy_limit = ENERGY_DRIFT_TOLERANCES * tolerance
    norm_limit = max(NORM_DRIFT_LIMIT, tolerance)
    for point in np.flatnonzero(work.status == OK):
        energy, norm = work.drift[point]
        if not energy <= energy_limit:
            work.fail(
                point,
                DRIFTED,
                f"energy_drift = {energy:.1e} above {energy_limit:.1e}: ask for a smaller tolerance",
            )
        elif not norm <= norm_limit:
            work.fail(
                point, DRIFTED, f"norm_drift = {norm:.1e} above {norm_limit:.1e}: ask for a shorter run"
            )


def _result(batch: _Batch, work: _Work) -> EvolutionResult:
    failed = work.status != OK
    work.rows[failed] = np.nan
    arrays: dict[str, NDArray[Any]] = {}
    for name, place in row_layout(batch.grid.bin_energy.size, batch.n_beam).items():
        values = work.rows[:, :, place]
        arrays[name] = values if VARIABLES[name].trailing[1:] else values[:, :, 0]
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


def _steps_between(times: Floats, longest: float) -> Ints:
    """Numbers of steps (T,) of at most ``longest`` that lead to each sample."""
    # the slack keeps a spacing that is a whole number of steps from one more step by rounding
    return np.ceil(np.diff(times, prepend=0.0) / longest - 1e-9).astype(np.int64)


def _below_on_ladder(step: float, t_end: float) -> float:
    """Return the next shorter step on a geometric ladder, so that similar points share a pass."""
    rung = np.floor(np.log2(step / t_end) * LADDER_PER_OCTAVE) / LADDER_PER_OCTAVE
    return float(t_end * 2.0**rung)


def _run_splitting(batch: _Batch, work: _Work, points: Ints, tolerance: float, scheme: Tableau) -> None:
    """Run every point with the longest step whose measured error meets the tolerance.

    Each round runs two step sizes at once; their difference is the error of the coarser one and, with the
    order that two rounds measure, estimates that of the finer. The first, cheap round places the second.
    """
    for point in points:
        work.method[point] = "splitting"
    # the layout depends on the system alone, never on how many points there are
    width = 1 if batch.grid.size >= PAIRS_IN_LANES else LANES
    step = _first_steps(batch, points, scheme)
    earlier: dict[int, tuple[float, float]] = {}
    for _ in range(ROUNDS):
        if not step:
            return
        groups: dict[bytes, list[int]] = {}
        for point, longest in step.items():
            groups.setdefault(_step_pair(batch.times[point], longest, point in earlier).tobytes(), []).append(
                point
            )
        for members in groups.values():
            pair = _step_pair(batch.times[members[0]], step[members[0]], members[0] in earlier)
            for start in range(0, len(members), width):
                _pass(batch, work, members[start : start + width], pair, scheme, width)
            for point in members:
                following = _next_step(batch, work, point, step[point], pair, earlier, tolerance)
                if following is None:
                    del step[point]
                else:
                    step[point] = following
    for point in step:
        work.fail(
            point,
            TOLERANCE_MISSED,
            f"tolerance = {tolerance:g} missed, error about {work.error[point]:.1e}: ask for less or a shorter run",
        )


def _first_steps(batch: _Batch, points: Ints, scheme: Tableau) -> dict[int, float]:
    """Longest step of the first round: by the phase of the fastest pair and by the turn of B in a stage."""
    grid = batch.grid
    spins = np.hypot(batch.rho + batch.rhobar - 1.0, 2.0 * np.abs(batch.kappa0))
    most_J = np.sum(np.abs(grid.weight) * spins, axis=1)
    turn = 4.0 * np.abs(batch.g) * most_J * np.max(np.abs(scheme.b))
    fastest = 2.0 * np.max(np.abs(grid.energy)) + 4.0 * np.abs(batch.g) * np.sum(np.abs(grid.weight))
    steps = {}
    for point in points:
        longest = FIRST_PHASE / max(fastest[point], FIRST_PHASE / LARGEST_TURN * CHECK_RATIO * turn[point])
        steps[int(point)] = _below_on_ladder(longest, batch.times[point, -1])
    return steps


def _step_pair(times: Floats, longest: float, placed: bool) -> Ints:
    """Steps (2, T) of a run and of the coarser run beside it."""
    fine = _steps_between(times, longest)
    ratio = CHECK_RATIO if placed else 2.0
    coarse = _steps_between(times, longest * ratio)
    if np.array_equal(fine, coarse):
        fine = 2 * coarse
    return np.stack([fine, coarse])


def _pass(batch: _Batch, work: _Work, members: list[int], pair: Ints, scheme: Tableau, width: int) -> None:
    """Integrate up to ``width`` points together; what is left over repeats the last point."""
    grid = batch.grid
    points = np.array(members + [members[-1]] * (width - len(members)))
    rows = np.empty((width, *work.rows.shape[1:]))
    free = np.empty((width, work.free.shape[1]))
    deviation = np.empty(width)
    drift = np.empty((width, 2))
    status = np.empty(width, dtype=np.int64)
    integrate(
        scheme.a,
        scheme.b,
        grid.energy,
        grid.weight,
        grid.p_hat,
        grid.theta_hat,
        grid.phi_hat,
        grid.energy_bin,
        grid.quadrant,
        batch.rho[points],
        batch.rhobar[points],
        batch.kappa0[points],
        batch.g[points],
        batch.times[points],
        pair,
        grid.bin_energy.size,
        batch.n_beam,
        rows,
        free,
        deviation,
        drift,
        status,
    )
    used = len(members)
    work.rows[members] = rows[:used]
    work.free[members] = free[:used]
    work.drift[members] = drift[:used]
    work.error[members] = deviation[:used]
    work.steps[members] = pair[0].sum()
    for point in np.array(members)[status[:used] != OK]:
        work.fail(point, NOT_FINITE, "the state is no longer finite: check weights, energies and coupling")


def _next_step(
    batch: _Batch,
    work: _Work,
    point: int,
    step: float,
    pair: Ints,
    earlier: dict[int, tuple[float, float]],
    tolerance: float,
) -> float | None:
    """Turn the deviation of a round into an error estimate; return the next round's step, None when done."""
    if work.status[point] != OK:
        return None
    deviation = float(work.error[point])
    fine, coarse = (float(count) for count in pair.sum(axis=1))
    ratio = fine / coarse
    lowest, highest = ORDER_RANGE
    expected, trusted = highest, lowest  # to place the next step, and to vouch for this one
    if point in earlier:
        before, steps_before = earlier[point]
        if deviation > HOPELESS * before:
            work.error[point] = deviation
            work.fail(
                point,
                TOLERANCE_MISSED,
                f"tolerance = {tolerance:g} missed, error about {deviation:.1e} whatever the step: "
                "the run is too long for double precision, shorten it or ask for less",
            )
            return None
        if 0 < deviation < before and coarse > steps_before:
            measured = float(np.log(before / deviation) / np.log(coarse / steps_before))
            expected = trusted = float(np.clip(measured - ORDER_LOSS, lowest, highest))
    work.error[point] = deviation / (ratio**trusted - 1.0)
    if work.error[point] <= tolerance:
        return None
    earlier[point] = (deviation, coarse)
    # aiming at half the tolerance makes the next round the last one
    shrink = ratio * (0.5 * tolerance / deviation) ** (1.0 / expected) if deviation < 0.1 else 0.5
    shrink = min(shrink, 0.7)
    t_end = float(batch.times[point, -1])
    following = _below_on_ladder(step * shrink, t_end)
    if t_end / following > MOST_STEPS:
        work.fail(
            point,
            TOLERANCE_MISSED,
            f"tolerance = {tolerance:g} needs over {MOST_STEPS:g} steps: shorten the run or ask for less",
        )
        return None
    return following


def _run_reference(batch: _Batch, work: _Work, points: Ints, tolerance: float) -> None:
    """Run scipy's DOP853 from sample to sample; its own control keeps the error of a step, not of the run.

    The error of the run is taken from its difference to a second one at ten times the tolerance.
    """
    for point in points:
        work.method[point] = "reference"
        tight = max(REFERENCE_SAFETY * tolerance, REFERENCE_SMALLEST)
        runs = (_dop853(batch, point, tight), _dop853(batch, point, REFERENCE_CHECK * tight))
        n_energy = batch.grid.bin_energy.size
        rho0, rhobar0, g = batch.rho[point], batch.rhobar[point], batch.g[point]
        grid = batch.grid
        frame = (grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat)
        start = np.empty(grid.size)
        length = np.empty(grid.size)
        kappa0 = batch.kappa0[point]
        n0 = rho0 + rhobar0 - 1.0
        H0 = invariants(grid.energy, *frame, g, n0, kappa0.real, kappa0.imag, start)
        scale = 2.0 * np.sum(grid.weight * np.abs(grid.energy) * start) or 1.0
        work.error[point] = 0.0
        work.drift[point] = 0.0
        for sample, ((n, kappa, count), (n_check, kappa_check, _)) in enumerate(zip(*runs, strict=True)):
            state = (n, kappa.real, kappa.imag)
            row = work.rows[point, sample]
            observe(
                *frame, grid.energy_bin, grid.quadrant, rho0, rhobar0, *state, n_energy, batch.n_beam, row
            )
            work.free[point, sample] = free_pairing(grid.energy, *frame, g, *state)
            H = invariants(grid.energy, *frame, g, *state, length)
            drift = (abs(H - H0) / scale, np.max(np.abs(length - start)))
            work.drift[point] = np.maximum(work.drift[point], drift)
            off = max(np.max(np.abs(n - n_check)), 2 * np.max(np.abs(kappa - kappa_check)))
            work.error[point] = max(work.error[point], 2.0 * off / REFERENCE_CHECK)
            work.steps[point] = count
        if not work.error[point] <= tolerance:
            work.fail(
                int(point),
                TOLERANCE_MISSED,
                f"tolerance = {tolerance:g} missed by the reference, error about {work.error[point]:.1e}: "
                "shorten the run or ask for less",
            )


def _dop853(batch: _Batch, point: int, tolerance: float) -> Iterator[tuple[Floats, Complexes, int]]:
    """Yield (n, kappa, evaluations so far) at every sample time."""
    grid, size = batch.grid, batch.grid.size
    frame = (grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, float(batch.g[point]))
    half = 0.5 * (batch.rho[point] + batch.rhobar[point])

    def rate(_: float, y: Floats) -> Floats:
        out = np.empty(3 * size)
        occupation = half + 0.5 * y[2 * size :]
        kappa, dkappa = y[: 2 * size].view(complex), out[: 2 * size].view(complex)
        right_hand_side(*frame, occupation, occupation, kappa, out[2 * size :], dkappa)
        out[2 * size :] *= 2.0
        return out

    # the occupations enter as their change, so that small ones lose no digits
    y = np.concatenate([batch.kappa0[point].view(np.float64), np.zeros(size)])
    t, count, step = 0.0, 0, None
    for target in batch.times[point]:
        if target > t:
            solver = DOP853(rate, t, y, target, rtol=tolerance, atol=tolerance, first_step=step)
            while solver.status == "running":
                solver.step()
                # the last step of an interval is cut short by its end
                step = solver.h_abs if solver.status == "running" else step
            y, t = solver.y, float(target)
            count += solver.nfev
        yield 2.0 * half - 1.0 + y[2 * size :], y[: 2 * size].view(complex), count
