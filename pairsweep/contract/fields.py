"""A key of a specification: its type, units, limits, default and meaning, declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["integer", "number", "text", "flag"]
Scalar = float | int | str


@dataclass(frozen=True)
class Field:
    """One key of a table.

    ``axis`` says whether a list or a range is allowed and makes an axis; ``required`` is False for a key with
    a default or one that may be left out; ``open_below`` excludes ``minimum`` itself.
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
