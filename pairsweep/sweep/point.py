"""One point again, in the foreground."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.base import PointFailure
from pairsweep.blocks.layout import make_template
from pairsweep.blocks.solve import solve_points
from pairsweep.contract.display import Displayed, Shown
from pairsweep.contract.errors import SpecError, shorten
from pairsweep.contract.fields import Parameter, Scalar
from pairsweep.contract.waiting import interruptibly
from pairsweep.kernels.compiling import announced
from pairsweep.points.axes import Dimension, Sweep, expand
from pairsweep.spec.model import Source
from pairsweep.spec.reader import read_spec
from pairsweep.store import is_packed, readable
from pairsweep.sweep.resume import stored_spec

MOST_LISTED = 5  # points that a refusal names


@dataclass(frozen=True, repr=False)
class Point(Displayed):
    """One point of a sweep, computed alone.

    Attributes
    ----------
    at : every parameter's value
    results : arrays by variable, without the axes of the sweep
    failures : by the analysis that failed; none where the point succeeded
    """

    at: Mapping[str, Scalar]
    results: Mapping[str, object]
    failures: Mapping[str, PointFailure]

    def _shown(self) -> Shown:
        at = ", ".join(f"{name} = {shorten(value)}" for name, value in self.at.items())
        rows = [(name, _in_short(value)) for name, value in self.results.items()]
        rows += [(f"{analysis} failed", failure.reason) for analysis, failure in self.failures.items()]
        return Shown(at, tuple(rows))


def _in_short(value: object) -> str:
    array = np.asarray(value)
    if array.ndim == 0 and array.dtype.kind == "f":
        return f"{array.item():.6g}"
    return str(array.item()) if array.ndim == 0 else f"array {array.shape}"


@announced()
def point(
    source: Source, at: Mapping[str, object] | None = None, overrides: Mapping[str, object] | None = None
) -> Point:
    """Compute one point of a specification or a store in the foreground.

    Parameters
    ----------
    source : path, TOML text, mapping or Spec
        A specification as of `run`, or a store, packed or not.
    at : mapping
        The value on each axis; axes with a single value may be left out.
    overrides : mapping
        Keys of the specification to change, such as ``{"growth.method": "dense"}``.

    Raises
    ------
    SpecError
        For a label that is on no axis, or that fits several points.
    """
    if _is_store(source):
        with readable(source) as store:
            spec = stored_spec(store, overrides)
    else:
        spec = read_spec(source, overrides)
    sweep = expand(spec)
    position = _position(sweep, {name: str(value) for name, value in (at or {}).items()})
    template = make_template(sweep, (1,) * len(sweep.shape))
    where = np.array([position], dtype=np.int64).reshape(1, len(position))
    solve = partial(solve_points, sweep, template, where)
    # a user's own function stays in this thread
    numbers, failures = solve() if spec.custom is not None else interruptibly(solve)
    results = {name: values[0] for name, values in numbers.items()}
    return Point(sweep.point(position), results, failures.get(0, {}))


def _is_store(source: Source) -> TypeGuard[str | Path]:
    if not isinstance(source, str | Path) or "\n" in str(source):
        return False
    return Path(source).is_dir() or (Path(source).is_file() and is_packed(source))


def _position(sweep: Sweep, at: Mapping[str, str]) -> tuple[int, ...]:
    """Find the one position with these labels; where axes move together all that are named must fit."""
    known = {m.name for dimension in sweep.dimensions for m in dimension.members}
    for name in at:
        if name not in known:
            raise SpecError(
                "--at", name, f"is not an axis of this sweep; its axes are {', '.join(sorted(known))}"
            )
    return tuple(_along(dimension, at) for dimension in sweep.dimensions)


def _along(dimension: Dimension, at: Mapping[str, str]) -> int:
    """Find the one index along a dimension whose labels are all those that are named."""
    named = [member for member in dimension.members if member.name in at]
    if not named:
        if dimension.size == 1:
            return 0
        raise SpecError("--at", None, f"names no value of {dimension.name}: add {dimension.name}=VALUE")
    fits = np.ones(dimension.size, dtype=bool)
    for member in named:
        fits &= _matching(member, at[member.name])
    found = np.flatnonzero(fits)
    asked = ",".join(f"{member.name}={at[member.name]}" for member in named)
    if not found.size:
        places = np.flatnonzero(_matching(named[0], at[named[0].name]))
        cure = f"do not stand together; there is {_listed(dimension, places)}"
        raise SpecError("--at", asked, cure)
    if found.size > 1:
        raise SpecError("--at", asked, f"fits {found.size} points: choose one of {_listed(dimension, found)}")
    return int(found[0])


def _listed(dimension: Dimension, places: NDArray[np.int64]) -> str:
    """List some places of a dimension by all of its labels."""
    texts = [
        ",".join(f"{m.name}={m.values[place]}" for m in dimension.members) for place in places[:MOST_LISTED]
    ]
    return "; ".join(texts) + (" ..." if places.size > MOST_LISTED else "")


def _matching(member: Parameter, wanted: str) -> NDArray[np.bool_]:
    """Tell where an axis has a value given as text: as it is printed, or to nine digits; refuse one that it lacks."""
    column = member.column
    try:
        number = float(wanted)
    except ValueError:
        number = math.nan
    if column.dtype.kind not in "iuf":
        fits = column == wanted
    else:
        fits = column == number
        if not fits.any():
            fits = np.abs(column - number) <= 1e-9 * abs(number)
    if not fits.any():
        far = np.arange(column.size, dtype=np.float64)
        if column.dtype.kind in "iuf" and math.isfinite(number):
            far = np.abs(column - number)
        near = ", ".join(str(member.values[i]) for i in np.argsort(far, kind="stable")[:3])
        raise SpecError("--at", f"{member.name}={wanted}", f"is no value of this axis; nearest: {near}")
    return np.asarray(fits)
