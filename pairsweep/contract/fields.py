"""A key of a specification: its type, units, limits, default and meaning, declared once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["integer", "number", "text", "flag"]
Scalar = float | int | str


@dataclass(frozen=True)
class Field:
    """One key of a table.

    ``axis`` says whether a list or a range is allowed and makes an axis; ``required`` is False for a key with
    a default or one that may be left out; ``open_below`` excludes ``minimum`` itself; ``symbol`` is how pictures
    write it, in TeX, and ``label`` how the user wants it written, as a text.
    """

    name: str
    kind: Kind
    meaning: str
    units: str = "1"
    axis: bool = True
    required: bool = True
    default: float | int | str | bool | None = None
    minimum: float | None = None
    maximum: float | None = None
    open_below: bool = False
    choices: tuple[str, ...] = ()
    symbol: str = ""
    label: str = ""


@dataclass(frozen=True)
class Parameter:
    """A physical number (or choice) of the sweep: its values, and whether they span an axis."""

    name: str
    table: str
    field: Field
    values: tuple[Scalar, ...]
    is_axis: bool

    @cached_property
    def column(self) -> NDArray[Any]:
        """Its values as an array, made once: an axis may have millions."""
        import numpy as np  # a check of a file needs none

        column: NDArray[Any] = np.asarray(self.values)
        column.flags.writeable = False
        return column


def plain(value: object) -> Any:
    """Give a label as Python's own number or text: words of numpy's newer arrays are that already."""
    item = getattr(value, "item", None)
    return value if item is None else item()


def option(
    kind: Kind,
    meaning: str,
    units: str = "1",
    *,
    default: Scalar | None = None,
    required: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
    open_below: bool = False,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a field of a frozen dataclass of options: one value for the whole sweep, never an axis."""
    limits: dict[str, Any] = {"minimum": minimum, "maximum": maximum, "open_below": open_below}
    field = Field("", kind, meaning, units, False, required, default, choices=choices, **limits)
    given: dict[str, Any] = {} if required else {"default": default}
    return dataclasses.field(metadata={"field": field}, **given)


@cache
def fields_of(options: type) -> tuple[Field, ...]:
    """Return the keys that a dataclass of options declares, named after its fields."""
    return tuple(
        dataclasses.replace(entry.metadata["field"], name=entry.name) for entry in dataclasses.fields(options)
    )


def describe(field: Field) -> str:
    if field.choices:
        return "one of " + ", ".join(f'"{choice}"' for choice in field.choices)
    noun = {"flag": "true or false", "integer": "a whole number", "number": "a number", "text": "text"}[
        field.kind
    ]
    if field.minimum is not None:
        noun += f" {'above' if field.open_below else 'of at least'} {field.minimum:g}"
    if field.maximum is not None:
        noun += f" and at most {field.maximum:g}"
    return noun + (f" in {field.units}" if field.units != "1" else "")
