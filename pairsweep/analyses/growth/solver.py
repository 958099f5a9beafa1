"""Growth rates of many systems on one grid: the cheapest proof first, the dearest last.

Signs of the EPN prove what they can; small systems are solved eight at a time (``kernels.batch``), larger ones one by
one (``kernels.general``), both with a certificate; where neither finds one, dense eigenvalues vouch with a floor of
their own. ``growth_method_taken`` says which it was, and ``growth_floor`` what a growth rate of 0 means.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.growth.analysis import DENSE_BYTES, METHODS, dense_bytes
from pairsweep.analyses.growth.dense import (
    blas,
    coupling_of,
    dense_floor,
    eigenvalues,
    matrices_of,
    points_at_once,
    static_criterion,
)
from pairsweep.analyses.growth.kernels.batch.solve import Status as BulkStatus
from pairsweep.analyses.growth.kernels.batch.solve import bulk_growth
from pairsweep.analyses.growth.kernels.crossing import epn_crossing, epn_extent
from pairsweep.analyses.growth.kernels.general.modes import (
    Status,
    tolerance_floor,
)
from pairsweep.analyses.growth.kernels.general.solve import growth_of_points
from pairsweep.analyses.growth.kernels.results import Diagnosis, ModeKind, PointTable, point_table
from pairsweep.analyses.growth.kernels.signs import UNDECIDED, stable_by_signs
from pairsweep.analyses.growth.kernels.static import static_coupling
from pairsweep.physics.grid import Floats, Grid, Ints

# Smallest growth that counts, as a fraction of the coupling 4 g sum w abs(n).
GROWTH_TOLERANCE = 1e-6
# The batched solver of small systems beats the general one up to here (measured: 7 times at N = 32, equal near 128).
BULK_PAIRS = 64
# Where the general solver has no certificate, dense eigenvalues are affordable up to here (about 3 s).
DENSE_PAIRS = 1024
# A point with a doubt is looked at again at these multiples of its tolerance, unless dense eigenvalues do better.
WIDER = (10.0, 100.0)
# Pairs of the points that one call of a kernel solves: a kernel cannot be interrupted, so a call takes some tenths of
# a second.
CALL_PAIRS = 2**15


class Method(IntEnum):
    """What a growth rate rests on, in the order they are asked."""

    NONE = 0
    SIGNS = 1
    BULK = 2
    DISPERSION = 3
    DENSE = 4


@dataclass(frozen=True, eq=False)
class GrowthResult:
    """Results of P systems by variable name, leading axis P.

    ``reasons`` say why a point has none, None where it has; ``diagnoses`` what the count of zeros saw of a point that
    it did not certify, whether or not another method did.
    """

    arrays: dict[str, NDArray[Any]]
    reasons: list[str | None]
    diagnoses: list[Diagnosis | None]


@dataclass(frozen=True, eq=False)
class _Problem:
    """P systems on one grid and what is asked of them."""

    grid: Grid
    n: Floats
    g: Floats
    coupling: Floats
    floor: Floats  # what double precision can vouch for in the dispersion function, MeV
    asked: float | None  # growth_tolerance as given
    insists: bool  # on this tolerance
    tolerance: Floats  # MeV
    method: str

    def rows(self, rows: Ints) -> tuple[Floats, Floats, Floats]:
        """EPN, coupling constant and tolerance of some points."""
        if rows.size == self.g.size:
            return self.n, self.g, self.tolerance
        return self.n[rows], self.g[rows], self.tolerance[rows]

    @cached_property
    def frame(self) -> tuple[Floats, Floats, Floats]:
        """Energies, weights and directions of the pairs."""
        return self.grid.energy, self.grid.weight, self.grid.p_hat


@dataclass(frozen=True, eq=False)
class _Found:
    """Outputs of P systems while they are solved."""

    growth_rate: Floats
    frequency: Floats
    n_unstable: NDArray[np.int32]
    mode_kind: NDArray[np.int8]
    growth_floor: Floats
    growth_method_taken: NDArray[np.int8]
    energy_weight: Floats
    rates: Floats  # (P, modes)
    frequencies: Floats
    share: Floats | None  # (P, N), only where it is asked for
    reasons: dict[int, str]
    diagnoses: dict[int, Diagnosis]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what every result has, by name."""
        return {
            "growth_rate": self.growth_rate,
            "frequency": self.frequency,
            "n_unstable": self.n_unstable,
            "mode_kind": self.mode_kind,
            "growth_floor": self.growth_floor,
            "growth_method_taken": self.growth_method_taken,
            "energy_weight": self.energy_weight,
        }

    def accept(self, rows: Ints, method: Method, floor: Floats | float) -> None:
        """Note what the results of some points rest on."""
        self.growth_method_taken[rows] = method
        self.growth_floor[rows] = floor
        for row in self.reasons.keys() & set(rows.tolist()) if self.reasons else ():
            del self.reasons[row]


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

    A system's numbers do not depend on which others are passed along. Options as for ``ps.growth``; ``details`` adds
    the variables of ``details = true``, at a few times the cost for small systems.

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
    n, g = np.ascontiguousarray(n), np.ascontiguousarray(g)
    problem = _problem(grid, n, g, method, growth_tolerance)
    found = _solved(problem, _nothing_found(grid, g.size, max(modes, 1), details))
    arrays = _crossing_measures(problem) | found.arrays()
    if details:
        arrays |= _details(problem, found, modes)
    points = range(g.size)
    return GrowthResult(
        arrays, [found.reasons.get(row) for row in points], [found.diagnoses.get(row) for row in points]
    )


def vouched_growth(
    grid: Grid, n: Floats, g: Floats, method: str = "auto", growth_tolerance: float | None = None
) -> Floats:
    """Growth rates alone of P systems on one grid (P,), MeV, as `growth_of_systems`; NaN where it has a reason."""
    n, g = np.ascontiguousarray(n), np.ascontiguousarray(g)
    problem = _problem(grid, n, g, method, growth_tolerance)
    found = _solved(problem, _nothing_found(grid, g.size, 1, False, weights=False))
    rates = found.growth_rate
    rates[list(found.reasons)] = np.nan
    return rates


def fastest_mode(
    energy: Floats,
    weight: Floats,
    p_hat: Floats,
    n: Floats,
    g: float,
    *,
    method: str = "auto",
    growth_tolerance: float | None = None,
) -> tuple[float, float, bool]:
    """Growth rate and frequency (MeV) of the fastest mode of pairs in any directions, and whether it is certain."""
    theta, phi = np.arccos(np.clip(p_hat[:, 2], -1.0, 1.0)), np.arctan2(p_hat[:, 1], p_hat[:, 0])
    bin_energy, energy_bin = np.unique(energy, return_inverse=True)
    grid = Grid(energy, weight, theta, phi, energy_bin, bin_energy)
    found = growth_of_systems(grid, n[None], np.array([g]), method=method, growth_tolerance=growth_tolerance)
    arrays = found.arrays
    return float(arrays["growth_rate"][0]), float(arrays["frequency"][0]), found.reasons[0] is None


def _problem(grid: Grid, n: Floats, g: Floats, method: str, asked: float | None) -> _Problem:
    coupling = coupling_of(grid, n, g)
    # a little above the floor that the kernel computes by another sum
    floor = (1.0 + 1e-9) * np.asarray(tolerance_floor(coupling, coupling_of(grid, n + 1.0, g)))
    wanted = (GROWTH_TOLERANCE if asked is None else asked) * coupling
    # only who insists on the dispersion function and on a tolerance below its floor is refused
    insists = method == "dispersion" and asked is not None
    tolerance = wanted if insists else np.maximum(wanted, floor)
    return _Problem(grid, n, g, coupling, floor, asked, insists, tolerance, method)


def _solved(problem: _Problem, found: _Found) -> _Found:
    """Ask one solver after the other, and give what they found."""
    left = np.arange(problem.g.size)
    for solve in _solvers(problem, found):
        if left.size > 0:
            left = solve(problem, found, left)
    return found


def _nothing_found(grid: Grid, points: int, modes: int, shares: bool, *, weights: bool = True) -> _Found:
    """Room for the results, with the share of each energy bin only if ``weights`` are wanted."""
    return _Found(
        growth_rate=np.full(points, np.nan),
        frequency=np.full(points, np.nan),
        n_unstable=np.zeros(points, np.int32),
        mode_kind=np.zeros(points, np.int8),
        growth_floor=np.full(points, np.nan),
        growth_method_taken=np.zeros(points, np.int8),
        energy_weight=np.full((points, grid.bin_energy.size if weights else 0), np.nan),
        rates=np.full((points, modes), np.nan),
        frequencies=np.full((points, modes), np.nan),
        share=np.full((points, grid.size), np.nan) if shares else None,
        reasons={},
        diagnoses={},
    )


Solver = Callable[[_Problem, _Found, Ints], Ints]


def _solvers(problem: _Problem, found: _Found) -> list[Solver]:
    """List what is asked in turn; each is given what is left, and returns what it leaves to the next."""
    if problem.method == "dense":
        return [_by_dense]
    if problem.method == "dispersion":
        return [_by_signs, _by_dispersion]
    solvers: list[Solver] = [_by_signs]
    if problem.grid.size <= BULK_PAIRS:
        solvers.append(_by_bulk)
    solvers.append(_by_dispersion)
    if problem.grid.size <= DENSE_PAIRS:
        solvers.append(_by_dense)
    return solvers


def _by_signs(problem: _Problem, found: _Found, rows: Ints) -> Ints:
    """Points whose signs prove them stable."""
    n, g, tolerance = problem.rows(rows)
    floor = np.empty(rows.size)
    stable_by_signs(*problem.frame, n, g, tolerance, floor)
    stable = floor != UNDECIDED
    decided = rows[stable]
    found.growth_rate[decided] = found.frequency[decided] = 0.0
    found.rates[decided] = found.frequencies[decided] = 0.0
    found.accept(decided, Method.SIGNS, floor[stable])
    return np.asarray(rows[~stable])


def _by_bulk(problem: _Problem, found: _Found, rows: Ints) -> Ints:
    """Small systems, eight at a time."""
    grid = problem.grid
    n, g, tolerance = problem.rows(rows)
    by_pair = found.share is not None
    group = np.arange(grid.size) if by_pair else grid.energy_bin
    out = point_table(rows.size, grid.size if by_pair else found.energy_weight.shape[1], found.rates.shape[1])
    bulk_growth(*problem.frame, n, g, tolerance, group, out)
    good = out.status == BulkStatus.CERTIFIED
    certified = rows[good]
    _copy(found, certified, out, good)
    if by_pair:
        _record_share(grid, found, certified, out.share[good])
    else:
        found.energy_weight[certified] = out.share[good]
    found.accept(certified, Method.BULK, tolerance[good])
    return np.asarray(rows[~good])


def _by_dispersion(problem: _Problem, found: _Found, rows: Ints) -> Ints:
    """All zeros of the dispersion function, point by point; a doubt is looked at again at a wider tolerance."""
    rows = _in_calls(problem, found, rows, 1.0)
    if problem.insists or rows.size == 0:
        return rows
    refused = [row for row in rows if int(row) not in found.diagnoses]
    for wider in WIDER:
        doubtful = rows[~np.isin(rows, refused)]
        if problem.method == "auto" and problem.grid.size <= DENSE_PAIRS and doubtful.size > 0:
            n, g, tolerance = problem.rows(doubtful)
            doubtful = doubtful[wider * tolerance < dense_floor(problem.grid, n, g)]
        if doubtful.size > 0:
            left = _in_calls(problem, found, doubtful, wider)
            rows = rows[~np.isin(rows, np.setdiff1d(doubtful, left))]
    return rows


def _in_calls(problem: _Problem, found: _Found, rows: Ints, wider: float) -> Ints:
    step = max(1, CALL_PAIRS // problem.grid.size)
    left = [rows[:0]]
    left += [
        _some_by_dispersion(problem, found, rows[i : i + step], wider) for i in range(0, rows.size, step)
    ]
    return np.concatenate(left)


def _some_by_dispersion(problem: _Problem, found: _Found, rows: Ints, wider: float) -> Ints:
    """Solve points at ``wider`` times their tolerance; returns those that are left to another method."""
    n, g, tolerance = problem.rows(rows)
    tolerance = wider * tolerance
    out = point_table(rows.size, problem.grid.size, found.rates.shape[1])
    growth_of_points(*problem.frame, n, g, tolerance, out)
    good = out.status == Status.CERTIFIED
    certified = rows[good]
    _copy(found, certified, out, good)
    _record_share(problem.grid, found, certified, out.share[good])
    found.accept(certified, Method.DISPERSION, np.minimum(tolerance, problem.coupling[rows])[good])
    for row, code, seen in zip(rows[~good], out.status[~good], out.seen[~good], strict=True):
        status = Status(code)
        found.reasons[int(row)] = _reason(problem, int(row), status, wider)
        if status == Status.NOT_CERTIFIED:
            found.diagnoses[int(row)] = Diagnosis(*seen.tolist())
    return np.asarray(rows[~good & (out.status != Status.NOT_FINITE)])


def _by_dense(problem: _Problem, found: _Found, rows: Ints) -> Ints:
    """All eigenvalues of M by LAPACK, a stack of points in each call."""
    n, g, _ = problem.rows(rows)
    floor = dense_floor(problem.grid, n, g)
    step = points_at_once(problem.grid)
    for start in range(0, rows.size, step):
        some = slice(start, start + step)
        matrices = matrices_of(problem.grid, n[some], g[some])
        found_values = eigenvalues(matrices)
        for row, matrix, values, least in zip(rows[some], matrices, found_values, floor[some], strict=True):
            if np.isfinite(values).all():
                _classify(problem.grid, found, int(row), matrix, values, float(least))
                found.accept(np.array([row]), Method.DENSE, least)
            else:
                found.reasons[int(row)] = (
                    f"the eigenvalues of M ({2 * problem.grid.size} rows) did not converge in LAPACK"
                )
    return rows[:0]


def _copy(found: _Found, rows: Ints, out: PointTable, good: NDArray[np.bool_]) -> None:
    """Take over what both kernels return of the points that are certified."""
    found.growth_rate[rows] = out.growth_rate[good]
    found.frequency[rows] = out.frequency[good]
    found.n_unstable[rows] = out.n_unstable[good]
    found.mode_kind[rows] = out.mode_kind[good]
    found.rates[rows] = out.rates[good]
    found.frequencies[rows] = out.frequencies[good]


def _classify(
    grid: Grid, found: _Found, row: int, matrix: Floats, values: NDArray[np.complex128], floor: float
) -> None:
    unstable = values[values.real > floor]
    found.n_unstable[row] = unstable.size
    found.growth_rate[row] = found.frequency[row] = 0.0
    found.rates[row] = found.frequencies[row] = 0.0
    if unstable.size == 0:
        return
    upper = unstable[unstable.imag >= 0.0]
    upper = upper[np.argsort(-upper.real)]
    lead = upper[0]
    found.growth_rate[row] = lead.real
    found.frequency[row] = lead.imag if lead.imag > floor else 0.0
    found.mode_kind[row] = ModeKind.OSCILLATING if lead.imag > floor else ModeKind.STATIC
    kept = min(upper.size, found.rates.shape[1])
    found.rates[row, :kept] = upper[:kept].real
    found.frequencies[row, :kept] = upper[:kept].imag
    with blas().limit(limits=1, user_api="blas"):
        vectors_of, vectors = np.linalg.eig(matrix)
        equally_fast = (vectors_of.real >= lead.real - floor) & (vectors_of.imag >= 0.0)
        # equal eigenvalues leave their vectors open; the projector on all of them is not
        basis = np.linalg.qr(vectors[:, equally_fast])[0]
    share = (np.abs(basis) ** 2).mean(axis=1)
    _record_share(grid, found, np.array([row]), (share[: grid.size] + share[grid.size :])[None])


def _record_share(grid: Grid, found: _Found, rows: Ints, share: Floats) -> None:
    if found.share is not None:
        found.share[rows] = share
    if found.energy_weight.shape[1] == 0:  # not wanted
        return
    # added up in the order of the pairs, whatever the number of points: numpy's sums would differ in their last bit
    bins = grid.bin_energy.size
    place = np.arange(rows.size)[:, None] * bins + grid.energy_bin
    total = np.bincount(place.ravel(), share.ravel(), minlength=rows.size * bins)
    found.energy_weight[rows] = total.reshape(rows.size, bins)


def _reason(problem: _Problem, row: int, status: Status, wider: float) -> str:
    """Why a point has no certificate: with its numbers, and a cure that works."""
    tolerance, coupling = wider * problem.tolerance[row], problem.coupling[row]
    if status == Status.TOLERANCE_TOO_SMALL:
        least = 1.06 * problem.floor[row] / coupling
        return (
            f"growth_tolerance = {problem.asked:g} means {tolerance:.3g} MeV here, below the {problem.floor[row]:.3g} "
            f"MeV that double precision can vouch for: give growth_tolerance = {least:.2g} or more, or method = 'auto'"
        )
    if status == Status.NOT_FINITE:
        return str(status.text)
    if dense_bytes(problem.grid.size) <= DENSE_BYTES:
        floor = dense_floor(problem.grid, problem.n[[row]], problem.g[[row]])[0]
        cure = f"use method = 'dense', which vouches for growth above {floor:.3g} MeV"
    else:
        cure = f"give growth_tolerance = {10.0 * tolerance / coupling:.2g}"
    return f"{status.text} at a tolerance of {tolerance:.3g} MeV ({tolerance / coupling:.2g} of the coupling): {cure}"


def _details(problem: _Problem, found: _Found, modes: int) -> dict[str, NDArray[Any]]:
    """Shape of the fastest mode by direction, how many pairs take part, and the static side."""
    assert found.share is not None, "details need the share of each pair"
    grid = problem.grid
    arrays: dict[str, NDArray[Any]] = {"participation_ratio": 1.0 / np.sum(found.share**2, axis=1)}
    if grid.shape is not None:
        arrays["angular_weight"] = found.share.reshape(problem.g.size, *grid.shape).sum(axis=1)
    if modes > 0:
        arrays["mode_growth_rate"], arrays["mode_frequency"] = found.rates, found.frequencies
    arrays["static_criterion"] = static_criterion(grid, problem.n, problem.g)
    arrays["g_static"] = np.array([static_coupling(*problem.frame, n) for n in problem.n])
    return arrays


def _crossing_measures(problem: _Problem) -> dict[str, NDArray[Any]]:
    grid, n = problem.grid, problem.n
    _, weight, p_hat = problem.frame
    bins = grid.bin_energy.size
    names = ("epn_crossing_strength", "epn_crossing_strength_bin", "epn_crossing_depth", "anisotropy")
    arrays = {name: np.empty(len(n)) for name in names}
    epn_crossing(weight, p_hat, grid.energy_bin, n, np.empty(bins), np.empty(bins), *arrays.values())
    extent = {name: np.empty(len(n)) for name in ("max_epn", "epn_crossing_distance", "epn_crossing_width")}
    epn_extent(weight, n, *extent.values())
    return arrays | extent
