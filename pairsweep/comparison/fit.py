"""Which few numbers turn our terms into theirs: all equal, one for all, one for the couplings, or one for each term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairsweep.comparison.terms import Ints, Term
from pairsweep.physics.grid import Floats

# A term that is smaller than this many tolerances, beside the others of its entry, cannot be told.
VISIBLE = 1e3
# What a sum that should cancel leaves, as a share of what is summed.
CANCELLED = 1e-12
# Entries in which our terms are all smaller than this share of the largest coupling count less.
FLOOR = 1e-4
# Numbers that differ by more than this are in other units, and compared in theirs.
OTHER_UNITS = 500.0
# Singular values below this share of the largest: terms that cannot be told from each other.
TOGETHER = 1e-8


@dataclass(frozen=True, eq=False)
class Part:
    """Our terms of one quantity, and theirs in our convention: arrays of one shape."""

    name: str
    terms: list[Term]
    theirs: NDArray[Any]

    def scaled(self) -> tuple[Floats, Floats]:
        """Terms (M, K) and theirs (M,), real, each entry in units of what its terms come to."""
        columns = [_present(term).ravel() for term in self.terms]
        couplings = [term.natural for term in self.terms if term.name != "vacuum"]
        size = np.abs(columns).sum(axis=0) + FLOOR * max(couplings, default=0.0)
        size = np.where(size > 0, size, 1.0)
        values = np.stack([*columns, self.theirs.ravel()], axis=1) / size[:, None]
        real = np.concatenate([values.real, values.imag]) if np.iscomplexobj(values) else values
        return np.ascontiguousarray(real[:, :-1]), np.ascontiguousarray(real[:, -1])


def _present(term: Term) -> NDArray[Any]:
    return term.values if np.max(np.abs(term.values)) > CANCELLED * term.natural else 0.0 * term.values


@dataclass(frozen=True, eq=False)
class Fit:
    """Factors by (part, term), theirs over ours, and how well they are known; what is left over by part.

    A factor is NaN where a term cannot be told; what is left over is a share of the size of the terms.
    """

    factors: Mapping[tuple[str, str], float]
    errors: Mapping[tuple[str, str], float]
    left_over: Mapping[str, float]


class _Stack(NamedTuple):
    """Terms of all parts side by side, each in its own columns, (M, K), theirs, (M,), and where each part stands.

    Theirs are ``unit`` times these values.
    """

    keys: list[tuple[str, str]]
    rows: Floats
    values: Floats
    spans: dict[str, slice]
    unit: float

    def left_over(self, factors: Floats) -> dict[str, float]:
        """What is left over of each part."""
        off = np.abs(self.values - self.rows @ factors)
        return {name: float(off[span].max()) for name, span in self.spans.items()}


def best_fit(parts: list[Part], tolerance: float) -> Fit | None:
    """Return the fit with the fewest numbers that leaves nothing over, or None.

    Tried are: no number at all, one for everything, one for the vacuum and one for all couplings, one for each term.
    """
    stack = _stacked(parts)
    seen = np.max(np.abs(stack.rows), axis=0) > VISIBLE * tolerance
    equations = int(np.count_nonzero(np.any(stack.rows, axis=1) | (stack.values != 0)))
    of_vacuum = np.array([name == "vacuum" for _, name in stack.keys])
    every = np.arange(len(stack.keys))
    if seen.any() and equations > np.count_nonzero(seen) and _solved(stack, every, seen, tolerance) is None:
        return None  # the others are cases of this one
    if stack.unit == 1.0 and max(stack.left_over(np.ones(len(every))).values()) <= tolerance:
        return _fit(stack, np.ones(len(every)), seen, tolerance)
    for groups in (0 * every, np.where(of_vacuum, 0, 1), every):
        if 0 < np.unique(groups[seen]).size < equations:
            found = _solved(stack, groups, seen, tolerance)
            if found is not None:
                return found
    return None


def _solved(stack: _Stack, groups: Ints, seen: NDArray[np.bool_], tolerance: float) -> Fit | None:
    """One factor for each group of terms, as near to 1 as the equations leave it; None where something is left over."""
    wanted = np.unique(groups[seen])
    columns = np.stack([stack.rows[:, seen & (groups == group)].sum(axis=1) for group in wanted], axis=1)
    length = np.linalg.norm(columns, axis=0)
    rest = stack.values - stack.rows.sum(axis=1)
    left, singular, right = np.linalg.svd(columns / length, full_matrices=False)
    kept = singular > TOGETHER * singular[0]
    away = (right[kept].T @ ((left[:, kept].T @ rest) / singular[kept])) / length
    together = np.any(np.abs(right[~kept]) > 1e-3, axis=0) & (np.abs(away) > tolerance)
    factors, told = np.ones(len(stack.keys)), seen.copy()
    for group, change, unknown in zip(wanted, away, together, strict=True):
        members = seen & (groups == group)
        factors[members] += change
        told[members] &= not unknown
    if max(stack.left_over(factors).values()) > tolerance:
        return None
    return _fit(stack, factors, told, tolerance)


def _fit(stack: _Stack, factors: Floats, told: NDArray[np.bool_], tolerance: float) -> Fit:
    errors = tolerance / np.maximum(np.max(np.abs(stack.rows), axis=0), tolerance)
    return Fit(
        dict(zip(stack.keys, np.where(told, stack.unit * factors, np.nan).tolist(), strict=True)),
        dict(zip(stack.keys, errors.tolist(), strict=True)),
        stack.left_over(factors),
    )


def _stacked(parts: list[Part]) -> _Stack:
    scaled = [part.scaled() for part in parts]
    rows = np.zeros((sum(values.size for _, values in scaled), sum(terms.shape[1] for terms, _ in scaled)))
    spans, down, across = {}, 0, 0
    for part, (terms, values) in zip(parts, scaled, strict=True):
        spans[part.name] = slice(down, down + values.size)
        rows[spans[part.name], across : across + terms.shape[1]] = terms
        down, across = down + values.size, across + terms.shape[1]
    keys = [(part.name, term.name) for part in parts for term in part.terms]
    values = np.concatenate([values for _, values in scaled])
    ours = np.linalg.norm(rows.sum(axis=1))
    unit = float(np.linalg.norm(values) / ours) if ours else 1.0
    if unit == 0.0 or 1.0 / OTHER_UNITS < unit < OTHER_UNITS:
        unit = 1.0
    return _Stack(keys, rows, values / unit, spans, unit)


def left_over(part: Part, factors: Mapping[tuple[str, str], float]) -> float:
    """Return what is left over of a part, with factors found elsewhere; those not told count as 1."""
    stack = _stacked([part])
    numbers = np.array([factors[key] for key in stack.keys])
    return stack.left_over(np.where(np.isnan(numbers), stack.unit, numbers) / stack.unit)[part.name]


def untouched(part: Part, tolerance: float) -> dict[str, bool]:
    """Whether all entries that a term is seen in agree as they are, for each term."""
    terms, values = part.scaled()
    off = np.abs(values - terms.sum(axis=1))
    seen = np.abs(terms) > VISIBLE * tolerance
    if off.size > part.theirs.size:  # real and imaginary parts: an entry agrees if both do
        off = off.reshape(2, -1).max(axis=0)
        seen = np.any(seen.reshape(2, -1, len(part.terms)), axis=0)
    return {
        term.name: bool(seen[:, k].any() and np.max(off[seen[:, k]]) <= tolerance)
        for k, term in enumerate(part.terms)
    }
