"""A block's points turned into arrays: grids, occupations, and every analysis in compiled batches."""

from __future__ import annotations

import time
import traceback
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep import occupation
from pairsweep.evolution import evolve_batch, perturbed_kappa
from pairsweep.expand import Positions, Sweep
from pairsweep.grid import Floats, Grid, beams, bins
from pairsweep.instability import growth_of_systems
from pairsweep.schema import PATTERNS as PATTERN_FIELDS
from pairsweep.spec import CustomOccupation
from pairsweep.template import DONE, FAILED, BlockResult, Failure, Template
from pairsweep.vocab import INTEGRATORS

# Occupation numbers held at once: a block is solved in slices of this size, whatever its number of points.
SLICE_NUMBERS = 2**21
BINS_PARAMETERS = ("n_energy", "n_theta", "n_phi", "energy_max", "cell_volume")
SEEDED = ("perturbation", "seed")  # parameters that no growth rate depends on
PATTERNS: dict[str, Callable[..., occupation.Occupations]] = {
    "quadrant": occupation.quadrant,
    "energy_band": occupation.energy_band,
    "fermi_dirac": occupation.fermi_dirac,
}


@dataclass(frozen=True)
class PointError:
    """Why a point has no result."""

    reason: str
    traceback: str = ""


@dataclass(frozen=True, eq=False)
class Systems:
    """Points that share a grid: their rows in the block, occupations (P, N) and coupling (P,)."""

    grid: Grid
    rows: NDArray[np.int64]
    rho: Floats
    rhobar: Floats
    g: Floats


def solve_block(
    sweep: Sweep, template: Template, block: int, mask: NDArray[np.bool_] | None = None
) -> BlockResult:
    """Compute one block; only the points of ``mask`` (block's shape) where it is given.

    A point that fails gets status FAILED and a reason; the others are not touched by it.
    """
    started = time.perf_counter()
    slices = template.block_slices(block)
    shape = tuple(s.stop - s.start for s in slices)
    wanted = np.ones(shape, dtype=bool) if mask is None else mask
    offsets = np.argwhere(wanted).reshape(int(wanted.sum()), len(shape))
    positions = offsets + np.array([s.start for s in slices], dtype=np.int64)
    numbers, errors = solve_points(sweep, template, positions)
    arrays = {}
    for plan in template.arrays:
        full = np.full((*shape, *plan.trailing_shape), plan.fill_value, dtype=plan.dtype)
        full[wanted] = numbers[plan.name]
        arrays[plan.name] = full
    failures = tuple(
        Failure(tuple(int(i) for i in positions[row]), error.reason, error.traceback)
        for row, error in sorted(errors.items())
    )
    return BlockResult(arrays, failures, time.perf_counter() - started)


def solve_points(
    sweep: Sweep, template: Template, positions: Positions
) -> tuple[dict[str, NDArray[Any]], dict[int, PointError]]:
    """Compute every variable at ``positions`` (P, dimensions); errors by row.

    A point's numbers do not depend on which others are computed with it.
    """
    numbers = {
        plan.name: np.full((len(positions), *plan.trailing_shape), plan.fill_value, dtype=plan.dtype)
        for plan in template.arrays
    }
    errors: dict[int, PointError] = {}
    if "growth" in sweep.spec.analyses:
        _solve_growth(sweep, positions, numbers, errors)
    if "evolution" in sweep.spec.analyses:
        _solve_evolution(sweep, positions, numbers, errors)
    numbers["status"][:] = DONE
    numbers["status"][list(errors)] = FAILED
    return numbers, errors


def _solve_growth(
    sweep: Sweep, positions: Positions, numbers: dict[str, NDArray[Any]], errors: dict[int, PointError]
) -> None:
    """Growth of each distinct system once, copied to the points that differ only in what it does not see."""
    seen = _dimensions_of(sweep, lambda name, table: name not in SEEDED)
    distinct, copies = np.unique(positions[:, seen], axis=0, return_inverse=True)
    systems_at = np.zeros((len(distinct), positions.shape[1]), dtype=np.int64)
    systems_at[:, seen] = distinct
    copies = copies.reshape(-1)
    failed: dict[int, PointError] = {}
    found: dict[str, NDArray[Any]] = {}
    for systems in _systems(sweep, systems_at, failed):
        options = sweep.spec.growth
        result = growth_of_systems(
            systems.grid,
            systems.rho + systems.rhobar - 1.0,
            systems.g,
            method=options.method,
            growth_tolerance=options.growth_tolerance,
            modes=options.modes,
            details=options.details or options.modes > 0,
        )
        for name, values in result.arrays.items():
            if name not in numbers:
                continue
            if name not in found:
                found[name] = np.zeros((len(distinct), *numbers[name].shape[1:]), dtype=values.dtype)
                if values.dtype.kind == "f":
                    found[name][:] = np.nan
            _fill(found[name], systems.rows, values)
        for row, reason in zip(systems.rows, result.reasons, strict=True):
            if reason is not None:
                failed[int(row)] = PointError(reason)
    for name, values in found.items():
        numbers[name][:] = values[copies]
    if failed:
        for row, system in enumerate(copies):
            if int(system) in failed:
                errors[row] = failed[int(system)]


def _fill(target: NDArray[Any], rows: NDArray[np.int64], values: NDArray[Any]) -> None:
    """Copy points into their rows; a system with fewer bins than the longest leaves the rest as it is."""
    inside: tuple[Any, ...] = (rows, *(slice(size) for size in values.shape[1:]))
    target[inside] = values


def _solve_evolution(
    sweep: Sweep, positions: Positions, numbers: dict[str, NDArray[Any]], errors: dict[int, PointError]
) -> None:
    options = sweep.spec.evolution
    assert options is not None, "the analysis implies its table"
    failed: dict[int, PointError] = {}
    for systems in _systems(sweep, positions, failed):
        if systems.rows.size == 0:
            continue
        at = positions[systems.rows]
        time = np.linspace(0.0, options.t_end, options.samples)
        if options.in_mu:
            scale = 1.0 / (systems.g * sweep.values("energy_max", at) ** 3)
            time = time * scale[:, None]
        result = evolve_batch(
            systems.grid,
            systems.rho,
            systems.rhobar,
            _initial_kappa(sweep, at, systems.grid.size),
            systems.g,
            time,
            method=options.method,
            tolerance=options.tolerance,
        )
        for name, values in result.arrays.items():
            if name in numbers:
                _fill(numbers[name], systems.rows, values)
        numbers["error_estimate"][systems.rows] = result.error_estimate
        taken = [
            INTEGRATORS.index(m) if r is None else 0
            for m, r in zip(result.method, result.reasons, strict=True)
        ]
        numbers["method_taken"][systems.rows] = taken
        for row, reason in zip(systems.rows, result.reasons, strict=True):
            if reason is not None:
                failed[int(row)] = PointError(reason)
    for row, error in failed.items():
        errors.setdefault(row, error)


def _initial_kappa(sweep: Sweep, positions: Positions, pairs: int) -> NDArray[np.complex128]:
    """Random initial kappa (P, N) of each point: by its seed alone, whatever its place in the sweep."""
    sizes = np.broadcast_to(sweep.values("perturbation", positions), len(positions))
    seeds = np.broadcast_to(sweep.values("seed", positions), len(positions))
    kappa = np.empty((len(positions), pairs), dtype=np.complex128)
    for (size, seed), members in _groups(sizes, seeds):
        kappa[members] = perturbed_kappa(pairs, size, seed)
    return kappa


def _groups(sizes: Floats, seeds: NDArray[Any]) -> Iterator[tuple[tuple[float, int], NDArray[np.int64]]]:
    distinct, group = np.unique(
        np.stack([sizes, seeds.astype(np.float64)], axis=1), axis=0, return_inverse=True
    )
    for number, (size, seed) in enumerate(distinct):
        yield (float(size), int(seed)), np.flatnonzero(group.reshape(-1) == number)


def _dimensions_of(sweep: Sweep, wanted: Callable[[str, str], bool]) -> list[int]:
    """Dimensions with a parameter for which ``wanted(name, table)`` holds."""
    return [
        number
        for number, dimension in enumerate(sweep.dimensions)
        if any(wanted(member.name, member.table) for member in dimension.members)
    ]


def _systems(sweep: Sweep, positions: Positions, failed: dict[int, PointError]) -> Iterator[Systems]:
    """Cut positions into groups that share a grid and a pattern, with occupations filled and checked."""
    per_grid = _dimensions_of(
        sweep,
        lambda name, table: (
            (table == "grid" and not name.startswith(("rho_", "rhobar_"))) or name == "pattern"
        ),
    )
    distinct, group = np.unique(positions[:, per_grid], axis=0, return_inverse=True)
    group = group.reshape(-1)
    for number in range(len(distinct)):
        rows = np.flatnonzero(group == number)
        grid = build_grid(sweep, positions[rows[:1]])
        step = max(1, SLICE_NUMBERS // grid.size)
        for start in range(0, rows.size, step):
            part = rows[start : start + step]
            rho, rhobar = _occupations(sweep, grid, positions[part], part, failed)
            good = _checked_occupations(rho, rhobar, part, failed)
            g = np.broadcast_to(sweep.values("g", positions[part]), part.shape)
            yield Systems(grid, part[good], rho[good], rhobar[good], np.array(g[good], dtype=np.float64))


def build_grid(sweep: Sweep, position: Positions) -> Grid:
    """Grid of the system at one position, (1, dimensions)."""

    def value(name: str) -> Any:
        return sweep.values(name, position)[0].item()

    if sweep.spec.kind == "bins":
        return bins(**{name: value(name) for name in BINS_PARAMETERS})
    names = sweep.spec.beams
    energy, weight, theta, phi = (
        [value(f"{key}_{name}") for name in names] for key in ("energy", "weight", "theta", "phi")
    )
    return beams(energy, weight, theta, phi, names=names)


def _occupations(
    sweep: Sweep, grid: Grid, positions: Positions, rows: NDArray[np.int64], failed: dict[int, PointError]
) -> tuple[Floats, Floats]:
    """Occupations (P, N) of points on one grid with one pattern."""

    def column(name: str) -> Floats:
        return np.broadcast_to(sweep.values(name, positions), rows.shape)[:, None]

    spec = sweep.spec
    if spec.kind == "beams":
        rho = np.concatenate([column(f"rho_{name}") for name in spec.beams], axis=1)
        rhobar_names = [
            f"rhobar_{name}" if f"rhobar_{name}" in spec else f"rho_{name}" for name in spec.beams
        ]
        return rho, np.concatenate([column(name) for name in rhobar_names], axis=1)
    pattern = str(sweep.values("pattern", positions)[0])
    if pattern == "custom":
        return _custom_occupations(sweep, grid, positions, rows, failed)
    parameters = {name: column(name) for name in PATTERN_FIELDS[pattern] if name in spec}
    rho, rhobar = PATTERNS[pattern](grid, **parameters)
    shape = (rows.size, grid.size)
    return np.broadcast_to(rho, shape), np.broadcast_to(rhobar, shape)


def _custom_occupations(
    sweep: Sweep, grid: Grid, positions: Positions, rows: NDArray[np.int64], failed: dict[int, PointError]
) -> tuple[Floats, Floats]:
    """Call the user's function once for each combination of its parameters."""
    custom = sweep.spec.custom
    assert custom is not None, "a custom pattern has its source"
    others = {name for pattern in PATTERN_FIELDS.values() for name in pattern} | {"pattern"}
    names = [p.name for p in sweep.spec.parameters if p.table == "occupation" and p.name not in others]
    moving = _dimensions_of(sweep, lambda name, table: name in names)
    distinct, copies = np.unique(positions[:, moving], axis=0, return_inverse=True)
    rho, rhobar = (np.full((rows.size, grid.size), np.nan) for _ in range(2))
    for number in range(len(distinct)):
        members = np.flatnonzero(copies.reshape(-1) == number)
        parameters = {name: sweep.values(name, positions[members[:1]])[0].item() for name in names}
        try:
            function = load_function(custom)
            pair = function(grid.energy.copy(), grid.theta.copy(), grid.phi.copy(), **parameters)
            for target, values in zip((rho, rhobar), pair, strict=True):
                target[members] = np.asarray(values, dtype=np.float64)
        except Exception as error:  # whatever a user's function does is recorded, and the sweep goes on
            reason = f"{custom.reference} raised {type(error).__name__}: {' '.join(str(error).split())}"
            for row in rows[members]:
                failed[int(row)] = PointError(reason, traceback.format_exc())
            rho[members] = np.nan
    return rho, rhobar


@lru_cache(maxsize=8)
def load_function(custom: CustomOccupation) -> Callable[..., Any]:
    """Execute the user's source as a module of its own and return the function."""
    module = types.ModuleType("pairsweep_custom")
    exec(compile(custom.source, custom.reference.split(":")[0], "exec"), module.__dict__)
    function: Callable[..., Any] = getattr(module, custom.function)
    return function


def _checked_occupations(
    rho: Floats, rhobar: Floats, rows: NDArray[np.int64], failed: dict[int, PointError]
) -> NDArray[np.bool_]:
    """Which points have occupations in [0, 1]; the others fail with the first value that is not."""
    inside = (rho >= 0) & (rho <= 1) & (rhobar >= 0) & (rhobar <= 1)
    good = np.asarray(inside.all(axis=1))
    for point in np.flatnonzero(~good):
        if int(rows[point]) in failed:
            continue
        pair = int(np.flatnonzero(~inside[point])[0])
        failed[int(rows[point])] = PointError(
            f"occupation of pair {pair}: rho = {rho[point, pair]:g}, rhobar = {rhobar[point, pair]:g}: "
            "occupations lie between 0 and 1"
        )
    return good
