"""One point again, in the foreground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pairsweep.analyses.base import PointFailure
from pairsweep.blocks.layout import make_template
from pairsweep.blocks.solve import solve_points
from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Scalar
from pairsweep.kernels.compiling import announced
from pairsweep.points.axes import Sweep, expand
from pairsweep.spec.reader import read_spec
from pairsweep.store import Store
from pairsweep.sweep.resume import stored_spec


@dataclass(frozen=True)
class Point:
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


@announced()
def point(
    source: str | Path, at: Mapping[str, object] | None = None, overrides: Mapping[str, object] | None = None
) -> Point:
    """Compute one point of a specification or a store in the foreground.

    Parameters
    ----------
    source : path
        A TOML file or a store.
    at : mapping
        The value on each axis; axes with a single value may be left out.
    overrides : mapping
        Keys of the specification to change, such as ``{"growth.method": "dense"}``.

    Raises
    ------
    SpecError
        For a label that is on no axis, or that fits several points.
    """
    is_store = Path(source).is_dir()
    spec = stored_spec(Store.open(source), overrides) if is_store else read_spec(source, overrides)
    sweep = expand(spec)
    position = _position(sweep, {name: str(value) for name, value in (at or {}).items()})
    template = make_template(sweep, (1,) * len(sweep.shape))
    where = np.array([position], dtype=np.int64).reshape(1, len(position))
    numbers, failures = solve_points(sweep, template, where)
    results = {name: values[0] for name, values in numbers.items()}
    return Point(sweep.point(position), results, failures.get(0, {}))


def _position(sweep: Sweep, at: Mapping[str, str]) -> tuple[int, ...]:
    position = []
    known = {m.name for dimension in sweep.dimensions for m in dimension.members}
    for name in at:
        if name not in known:
            raise SpecError(
                "--at", name, f"is not an axis of this sweep; its axes are {', '.join(sorted(known))}"
            )
    for dimension in sweep.dimensions:
        found = None
        for member in dimension.members:
            if member.name in at:
                found = _nearest(member.name, member.values, at[member.name])
        if found is None and dimension.size > 1:
            raise SpecError("--at", None, f"names no value of {dimension.name}: add {dimension.name}=VALUE")
        position.append(found or 0)
    return tuple(position)


def _nearest(name: str, values: tuple[Scalar, ...], wanted: str) -> int:
    """Find the index of a value given as text; numbers to nine digits, as they are printed."""
    for index, value in enumerate(values):
        if str(value) == wanted:
            return index
    try:
        number = float(wanted)
    except ValueError:
        number = float("nan")
    for index, value in enumerate(values):
        if not isinstance(value, str) and abs(value - number) <= 1e-9 * abs(number):
            return index
    near = sorted(values, key=lambda v: 0.0 if isinstance(v, str) or number != number else abs(v - number))[
        :3
    ]
    raise SpecError(
        "--at", f"{name}={wanted}", f"is no value of this axis; nearest: {', '.join(map(str, near))}"
    )
