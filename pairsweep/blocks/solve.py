"""A block's points turned into arrays: grids, occupations, and every analysis in compiled batches.

An analysis is imported where it is run: a sweep of growth rates need not wait for the others.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.growth.solver import fastest_mode, growth_of_systems
from pairsweep.blocks.plan import angle_factors, refinements
from pairsweep.contract.template import DONE, FAILED, BlockResult, Failure, Template
from pairsweep.contract.vocab import ANGLE_LADDER, INTEGRATORS, VARIABLES
from pairsweep.physics.grid import Floats
from pairsweep.points.axes import Positions, Sweep
from pairsweep.points.systems import PointError, build_grid, continuous_at, grouped, systems_at

SEEDED = ("perturbation", "seed")  # parameters that no growth rate depends on


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
    if "continuum" in sweep.spec.analyses:
        _solve_continuum(sweep, positions, numbers, errors)
    numbers["status"][:] = DONE
    numbers["status"][list(errors)] = FAILED
    return numbers, errors


def _solve_growth(
    sweep: Sweep, positions: Positions, numbers: dict[str, NDArray[Any]], errors: dict[int, PointError]
) -> None:
    """Growth of each distinct system once, copied to the points that differ only in what it does not see."""
    first, copies = grouped(sweep, positions, lambda name, table: name not in SEEDED)
    failed: dict[int, PointError] = {}
    found: dict[str, NDArray[Any]] = {}
    for systems in systems_at(sweep, positions[first], failed):
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
                found[name] = np.zeros((first.size, *numbers[name].shape[1:]), dtype=values.dtype)
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
    from pairsweep.analyses.evolution import evolve_batch

    options = sweep.spec.evolution
    assert options is not None, "the analysis implies its table"
    failed: dict[int, PointError] = {}
    for systems in systems_at(sweep, positions, failed):
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
    from pairsweep.analyses.evolution import perturbed_kappa

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


def _solve_continuum(
    sweep: Sweep, positions: Positions, numbers: dict[str, NDArray[Any]], errors: dict[int, PointError]
) -> None:
    """Verdict of each distinct system, copied to the points that differ only in what it does not see."""
    from pairsweep.analyses.continuum.solver import examine

    first, copies = grouped(sweep, positions, lambda name, table: name not in SEEDED)
    known = (*VARIABLES.values(), *ANGLE_LADDER.values())
    names = [v.name for v in known if v.analysis == "continuum" and v.name in numbers]
    for number in range(first.size):
        rows = np.flatnonzero(copies == number)
        at = positions[first[number], None]
        try:
            point = continuous_at(sweep, at)
            grid = build_grid(sweep, at)
            found = examine(
                grid,
                point.occupation,
                energy_max=float(sweep.values("energy_max", at)[0]),
                g=float(sweep.values("g", at)[0]),
                discrete_growth=fastest_mode,
                refinements=refinements(sweep.spec.continuum, grid.bin_energy.size),
                edges=point.edges,
                linear=point.linear,
                angle_factors=angle_factors(sweep.spec.continuum),
            )
        except Exception as error:  # a user's function may do anything; its point fails and the sweep goes on
            for row in rows:
                errors.setdefault(int(row), PointError(" ".join(str(error).split()), traceback.format_exc()))
            continue
        for name in names:
            value = np.asarray(getattr(found, name))
            inside: tuple[Any, ...] = (rows, *(slice(size) for size in value.shape))
            numbers[name][inside] = value
