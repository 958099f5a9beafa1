"""A block's points turned into arrays: every declared analysis over the distinct systems, answers checked by name."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.base import Analysis, PointFailure, Solution
from pairsweep.contract.template import DONE, FAILED, PENDING, ArrayPlan, BlockResult, Failure, Template
from pairsweep.points.axes import Positions, Sweep
from pairsweep.points.systems import grouped, systems_at

# What every analysis sees of a point, besides its own table.
SHARED = ("grid", "occupation", "coupling")
Failures = dict[int, dict[str, PointFailure]]  # by row, then by analysis
# A block that is written twice costs about this, s.
WORTH_STORING = 0.02


@dataclass(frozen=True, eq=False)
class SolvedPoints:
    """Points that were solved outside of any block.

    Attributes
    ----------
    positions : (P, dimensions)
    numbers : every variable at them, by name
    failures : by row and analysis
    costs : (P,), seconds that each took
    """

    positions: Positions
    numbers: Mapping[str, NDArray[Any]]
    failures: Failures
    costs: NDArray[np.float64]

    @property
    def seconds(self) -> float:
        """Seconds that all took together."""
        return float(self.costs.sum())

    def by_block(self, template: Template) -> Iterator[tuple[int, BlockResult, NDArray[np.bool_]]]:
        """Give what belongs to each block of a template, with a mask (block's shape) of where it does.

        A few quick points of a block that has others are left out: solving them again is quicker than storing them.
        """
        owner = _numbered(
            self.positions // np.array(template.block_shape, np.int64), template.blocks_per_axis
        )
        for block in np.unique(owner).tolist():
            rows = np.flatnonzero(owner == block)
            slices = template.block_slices(block)
            shape = tuple(s.stop - s.start for s in slices)
            seconds = float(self.costs[rows].sum())
            if rows.size < math.prod(shape) and seconds < WORTH_STORING:
                continue
            place = _numbered(self.positions[rows] - np.array([s.start for s in slices], np.int64), shape)
            rows = rows[np.argsort(place)]
            mask = np.isin(np.arange(math.prod(shape)), place).reshape(shape)
            arrays = {}
            for plan in template.arrays:
                if plan.analysis:
                    arrays[plan.name] = np.full(
                        (*shape, *plan.trailing_shape), plan.fill_value, dtype=plan.dtype
                    )
                    arrays[plan.name][mask] = self.numbers[plan.name][rows]
            failed = {
                (row, name): failure
                for row in rows.tolist()
                for name, failure in self.failures.get(row, {}).items()
            }
            states = {name: np.full(shape, PENDING, dtype=np.int8) for name in template.analyses}
            for name, state in states.items():
                state[mask] = [FAILED if (row, name) in failed else DONE for row in rows.tolist()]
            failures = tuple(
                Failure(tuple(self.positions[row].tolist()), failure.reason, failure.traceback, name)
                for (row, name), failure in failed.items()
            )
            yield block, BlockResult(arrays, states, failures, seconds), mask


def joined(solved: Sequence[SolvedPoints]) -> SolvedPoints:
    """Put points of one sweep that were solved apart, at least one, into one."""
    starts = np.cumsum([0, *(len(each.positions) for each in solved)]).tolist()
    return SolvedPoints(
        np.concatenate([each.positions for each in solved]),
        {name: np.concatenate([each.numbers[name] for each in solved]) for name in solved[0].numbers},
        {
            start + row: found
            for start, each in zip(starts, solved, strict=False)
            for row, found in each.failures.items()
        },
        np.concatenate([each.costs for each in solved]),
    )


def _numbered(index: Positions, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Number each index (P, dimensions) within a shape, the last dimension fastest."""
    numbers = np.zeros(len(index), dtype=np.int64)
    for along, size in zip(index.T, shape, strict=True):
        numbers = numbers * size + along
    return numbers


class EngineError(RuntimeError):
    """An analysis did not keep to its declaration: a fault of pairsweep, never of its user."""


def solve_block(
    sweep: Sweep, template: Template, block: int, masks: Mapping[str, NDArray[np.bool_]] | None = None
) -> BlockResult:
    """Compute one block; of each analysis only the points of its mask (block's shape) where masks are given.

    A point that fails has its reasons among the failures; the others are not touched by it.
    """
    started = time.perf_counter()
    slices = template.block_slices(block)
    shape = tuple(s.stop - s.start for s in slices)
    origin = np.array([s.start for s in slices], dtype=np.int64)
    plans = {plan.name: plan for plan in template.arrays}
    arrays: dict[str, NDArray[Any]] = {
        plan.name: np.full((*shape, *plan.trailing_shape), plan.fill_value, dtype=plan.dtype)
        for plan in template.arrays
        if plan.analysis
    }
    states = {name: np.full(shape, PENDING, dtype=np.int8) for name in template.analyses}
    failures = []
    for analysis in sweep.spec.declared():
        mask = np.ones(shape, dtype=bool) if masks is None else masks[analysis.name]
        if not mask.any():
            continue
        positions = np.argwhere(mask).reshape(int(mask.sum()), len(shape)) + origin
        numbers, failed = _analysed(analysis, sweep, positions, plans)
        for name, values in numbers.items():
            arrays[name][mask] = values
        computed = np.full(len(positions), DONE, dtype=np.int8)
        computed[list(failed)] = FAILED
        states[analysis.name][mask] = computed
        failures += [
            Failure(tuple(int(i) for i in positions[row]), failure.reason, failure.traceback, analysis.name)
            for row, failure in sorted(failed.items())
        ]
    return BlockResult(arrays, states, tuple(failures), time.perf_counter() - started)


def solve_points(
    sweep: Sweep, template: Template, positions: Positions
) -> tuple[dict[str, NDArray[Any]], Failures]:
    """Compute every variable at ``positions`` (P, dimensions); failures by row and analysis.

    A point's numbers do not depend on which others are computed with it.
    """
    plans = {plan.name: plan for plan in template.arrays}
    numbers: dict[str, NDArray[Any]] = {}
    failures: Failures = {}
    for analysis in sweep.spec.declared():
        found, failed = _analysed(analysis, sweep, positions, plans)
        numbers |= found
        for row, failure in failed.items():
            failures.setdefault(row, {})[analysis.name] = failure
    numbers["status"] = np.full(len(positions), DONE, dtype=np.int8)
    numbers["status"][list(failures)] = FAILED
    return numbers, failures


def _analysed(
    analysis: Analysis, sweep: Sweep, positions: Positions, plans: dict[str, ArrayPlan]
) -> tuple[dict[str, NDArray[Any]], dict[int, PointFailure]]:
    """Solve each distinct system once, copied to the points that differ only in what the analysis does not see."""
    spec = sweep.spec
    tables = (*SHARED, analysis.name)
    first, copies = grouped(sweep, positions, lambda name, table: table in tables)
    names = [v.name for v in analysis.computed(spec.options[analysis.name], spec.kind)]
    numbers = {name: _filled(plans[name], first.size) for name in names}
    options = [spec.options[name] for name in (analysis.name, *(need.name for need in analysis.needs))]
    own = [field.name for field in analysis.axes if field.name in spec]
    failed: dict[int, PointFailure] = {}
    for rows, systems in systems_at(sweep, positions[first], failed, own):
        if rows.size == 0:
            continue
        solution = analysis.solve(systems, *options)
        check_solution(analysis, solution, [plans[name] for name in names], rows.size)
        for name, values in solution.arrays.items():
            # a system with fewer bins than the longest leaves the rest as it is
            inside: tuple[Any, ...] = (rows, *(slice(size) for size in values.shape[1:]))
            numbers[name][inside] = values
        failed |= {int(rows[row]): failure for row, failure in solution.failures.items()}
    spread = {row: failed[int(system)] for row, system in enumerate(copies) if int(system) in failed}
    return {name: values[copies] for name, values in numbers.items()}, spread


def _filled(plan: ArrayPlan, points: int) -> NDArray[Any]:
    return np.full((points, *plan.trailing_shape), plan.fill_value, dtype=plan.dtype)


def check_solution(analysis: Analysis, solution: Solution, plans: Sequence[ArrayPlan], points: int) -> None:
    """Raise `EngineError`, naming what differs, unless these are exactly the declared results."""
    declared = {plan.name: plan for plan in plans}
    unknown = sorted(solution.arrays.keys() - declared.keys())
    absent = sorted(declared.keys() - solution.arrays.keys())
    if unknown or absent:
        raise EngineError(
            f"{analysis.name} returned {', '.join(unknown) or 'nothing undeclared'} and "
            f"left out {', '.join(absent) or 'nothing declared'}"
        )
    for name, plan in declared.items():
        values = solution.arrays[name]
        longest = (points, *plan.trailing_shape)
        if not isinstance(values, np.ndarray):
            raise EngineError(
                f"{analysis.name} returned {name} as {type(values).__name__}, declared is an array"
            )
        fits = values.ndim == len(longest) and all(n <= m for n, m in zip(values.shape, longest, strict=True))
        if values.dtype != np.dtype(plan.dtype) or not fits or values.shape[0] != points:
            raise EngineError(
                f"{analysis.name} returned {name} as {values.dtype}{values.shape}, declared is {plan.dtype}{longest}"
            )
    beyond = [row for row in solution.failures if not 0 <= row < points]
    if beyond:
        raise EngineError(f"{analysis.name} returned a failure of system {beyond[0]} of {points}")
