"""Checks of single keys and values of a specification, each naming the place, the value and the cure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import SpecError, shorten, suggest
from pairsweep.contract.fields import Field, Parameter, Scalar, describe
from pairsweep.contract.occupation import LIMITS

MAX_AXIS = 10**7  # the labels of one axis are held in memory
EXACT_POWERS = 22  # largest power of ten that a double holds exactly
SPACING = Field("spacing", "text", "how values lie between the ends", choices=("linear", "log"))
NEAR_HALF = 0.13  # what rounding may move a number of 15 digits by, in units of the last one


class Draw(NamedTuple):
    """A parameter that is drawn: what the file says, and its places between the ends, (count,) from 0 to 1."""

    given: Mapping[str, Any]
    places: NDArray[np.float64]


def is_draw(value: object) -> bool:
    """Whether a value of a specification is to be drawn between two ends."""
    return isinstance(value, Mapping) and ("low" in value or "high" in value)


def known_keys(table: str, data: Mapping[str, Any], known: Iterable[str]) -> None:
    known = tuple(known)
    for key in data:
        if key not in known:
            place = f"{table}.{key}" if table else key
            raise SpecError(shorten(place)[1:-1], None, f"unknown key; {suggest(key, known)}")


def missing(place: str, field: Field) -> SpecError:
    """Say that a key is missing."""
    return SpecError(f"{place}.{field.name}", None, f"is missing: give {describe(field)} ({field.meaning})")


def name_of(what: str, place: str, data: Mapping[str, Any], taken: Iterable[str]) -> str:
    """Read the name of one table among its like, such as a beam, which becomes part of the names of its axes."""
    name = data.get("name")
    if not (isinstance(name, str) and name.isascii() and name.replace("_", "").isalnum()):
        raise SpecError(f"{place}.name", name, "give a name of letters, digits and underscores")
    if name in taken:
        raise SpecError(f"{place}.name", name, f"is the name of another {what}: choose another")
    return name


def parameters_of(
    table: str, data: Mapping[str, Any], fields: Iterable[Field], others: Iterable[str] = ()
) -> tuple[Parameter, ...]:
    """Read the keys of a table that may be axes, in the order of the file, then defaults; ``others`` are known too."""
    known = {field.name: field for field in fields}
    known_keys(table, data, (*known, *others))
    found = []
    for key in (*data, *(name for name in known if name not in data)):
        field = known.get(key)
        if field is None:
            continue
        if key in data:
            values, is_axis = values_of(f"{table}.{key}", data[key], field)
            found.append(Parameter(key, table, field, values, is_axis))
        elif field.default is not None:
            found.append(Parameter(key, table, field, (field.default,), False))
        elif field.required:
            raise missing(table, field)
    return tuple(found)


def given_options(table: str, data: Mapping[str, Any], fields: Iterable[Field]) -> dict[str, Scalar]:
    """Read the keys of a table that hold one value for the whole sweep; what is left out has its default."""
    found: dict[str, Scalar] = {}
    for field in fields:
        place = f"{table}.{field.name}"
        if field.name in data and isinstance(data[field.name], list | dict | Draw):
            raise SpecError(place, data[field.name], "is one value for the whole sweep, never an axis")
        if field.name in data:
            found[field.name] = checked(place, data[field.name], field)
        elif field.required:
            raise missing(table, field)
    return found


def holds_text(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return bool(value.dtype.kind not in "iufb")
    return isinstance(value, str) or (isinstance(value, list) and any(isinstance(v, str) for v in value))


def values_of(place: str, value: object, field: Field) -> tuple[tuple[Scalar, ...], bool]:
    """Turn a scalar, a list or a range into checked values; the flag tells whether they span an axis."""
    if isinstance(value, list):
        if not value:
            raise SpecError(place, value, f"an axis needs at least one value: give {describe(field)}")
        if len(value) > MAX_AXIS:
            raise SpecError(place, len(value), f"values on one axis; at most {MAX_AXIS:.0e}")
        return tuple(checked(f"{place}[{i}]", v, field) for i, v in enumerate(value)), True
    if isinstance(value, Draw):
        return _drawn(place, value, field), True
    if isinstance(value, dict):
        return _range(place, value, field), True
    if isinstance(value, np.ndarray):
        return _column(place, value, field), True
    return (checked(place, value, field),), False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _column(place: str, column: NDArray[Any], field: Field) -> tuple[Scalar, ...]:
    """Check a column of a file at once: it may have a million values."""
    if field.kind in ("integer", "number") and column.dtype.kind in "iuf":
        numbers = column.astype(np.float64)
        good = np.isfinite(numbers)
        if field.minimum is not None:
            good &= (numbers > field.minimum) if field.open_below else (numbers >= field.minimum)
        if field.maximum is not None:
            good &= numbers <= field.maximum
        if field.kind == "integer":
            good &= numbers == np.round(numbers)
        if good.all():
            return tuple((numbers.astype(np.int64) if field.kind == "integer" else numbers).tolist())
        row = int(np.flatnonzero(~good)[0])
        if np.isnan(numbers[row]):
            raise SpecError(f"{place}, row {row}", None, f"has no value: give {describe(field)}")
        checked(f"{place}, row {row}", column[row].item(), field)
    elif field.kind in ("integer", "number"):  # words among them
        for row, value in enumerate(column.tolist()):
            if not _is_number(str(value)):
                raise SpecError(f"{place}, row {row}", value, f"give {describe(field)}")
    return tuple(checked(f"{place}, row {row}", value, field) for row, value in enumerate(column.tolist()))


def _drawn(place: str, draw: Draw, field: Field) -> tuple[Scalar, ...]:
    """Values of a parameter between its ends, these included for whole numbers."""
    data = draw.given
    if field.kind not in ("integer", "number"):
        raise SpecError(place, dict(data), "only numbers are drawn: give a list")
    known_keys(place, data, ("low", "high", "spacing"))
    for key in ("low", "high"):
        if key not in data:
            raise SpecError(
                f"{place}.{key}", None, "is missing: a parameter is drawn from { low = ..., high = ... }"
            )
    low, high = (checked(f"{place}.{key}", data[key], field) for key in ("low", "high"))
    assert not isinstance(low, str), "checked as numbers"
    assert not isinstance(high, str), "checked as numbers"
    if low >= high:
        raise SpecError(place, dict(data), "low lies below high: exchange them, or give a single value")
    log = checked(f"{place}.spacing", data.get("spacing", "linear"), SPACING) == "log"
    if log and low <= 0:
        raise SpecError(place, dict(data), "a log spacing needs low and high above 0")
    end = high + 1 if field.kind == "integer" else high  # each whole number is as wide as the others
    values = low * (end / low) ** draw.places if log else low + (end - low) * draw.places
    if field.kind == "integer":
        values = np.floor(values).astype(np.int64)
    return tuple(np.clip(values, low, high).tolist())


def _range(place: str, data: Mapping[str, Any], field: Field) -> tuple[Scalar, ...]:
    if field.kind == "text":
        raise SpecError(place, dict(data), "a range is for numbers: give a list of text")
    known_keys(place, data, ("start", "stop", "num", "spacing"))
    for key in ("start", "stop", "num"):
        if key not in data:
            raise SpecError(
                f"{place}.{key}", None, "is missing: a range is { start = ..., stop = ..., num = ... }"
            )
    ends = [
        float(checked(f"{place}.{key}", data[key], Field(key, "number", f"{key} of the range")))
        for key in ("start", "stop")
    ]
    num = int(checked(f"{place}.num", data["num"], Field("num", "integer", "number of values", minimum=1)))
    if num > MAX_AXIS:
        raise SpecError(f"{place}.num", num, f"at most {MAX_AXIS:.0e} values on one axis")
    spacing = checked(f"{place}.spacing", data.get("spacing", "linear"), SPACING)
    if spacing == "log" and min(ends) <= 0:
        raise SpecError(place, dict(data), "a log range needs start and stop above 0")
    if num > 1 and ends[0] == ends[1]:
        raise SpecError(place, dict(data), "start equals stop: give two ends or a single value")
    points = (np.geomspace if spacing == "log" else np.linspace)(ends[0], ends[1], num)
    if field.kind == "integer":
        if (points != np.round(points)).any():
            raise SpecError(
                place, dict(data), "does not step through whole numbers: choose another num or a list"
            )
        values: list[float | int] = points.astype(np.int64).tolist()
    else:
        values = rounded(points).tolist()
        values[0], values[-1] = ends[0], ends[1] if num > 1 else ends[0]
    for value in (values[0], values[-1]):
        checked(place, value, field)
    return tuple(values)


def rounded(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to 15 significant digits, so that the label of 0.1 + 0.2 is 0.3; not where that makes two the same."""
    size = np.where(points == 0, 1.0, np.abs(points))
    digits = 14 - np.floor(np.log10(size)).astype(np.int64)
    exact = (digits >= 0) & (digits <= EXACT_POWERS)
    power = 10.0 ** np.where(exact, digits, 0)
    scaled = points * power
    whole = np.round(scaled)
    # whole numbers below 2^53 over an exact power of ten are the numbers that their decimals mean
    found = whole / power
    doubtful = ~exact | (np.abs(np.abs(scaled - whole) - 0.5) < NEAR_HALF)
    found[doubtful] = [float(f"{value:.15g}") for value in points[doubtful].tolist()]
    return points if np.unique(found).size < np.unique(points).size else found


def checked(place: str, value: object, field: Field) -> Scalar:
    """Check one value against its field and give it its type."""
    if field.kind == "text":
        if not isinstance(value, str):
            raise SpecError(place, value, f"give {describe(field)}")
        if field.choices and value not in field.choices:
            raise SpecError(place, value, suggest(value, field.choices))
        return value
    if field.kind == "flag":
        if not isinstance(value, bool):
            raise SpecError(place, value, "give true or false")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(place, value, f"give {describe(field)}")
    if field.kind == "integer" and not isinstance(value, int):
        raise SpecError(place, value, f"give {describe(field)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SpecError(place, value, f"give {describe(field)}")
    below = field.minimum is not None and (
        number < field.minimum or (field.open_below and number == field.minimum)
    )
    if below or (field.maximum is not None and number > field.maximum):
        cure = LIMITS if (field.minimum, field.maximum) == (0.0, 1.0) else f"give {describe(field)}"
        raise SpecError(place, value, cure)
    return int(value) if field.kind == "integer" else number
