"""The table ``[occupation]``: a named pattern with its keys, or a function of the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pairsweep.contract.errors import SpecError, suggest
from pairsweep.contract.fields import Field, Kind, Parameter
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.spec import schema
from pairsweep.spec.checks import Draw, holds_text, parameters_of, values_of
from pairsweep.spec.model import Spec
from pairsweep.user_code.function import DATA_PLACE, UserFunction, find_function

TABLE = "occupation"
WORDINGS = (
    "units",
    "labels",
)  # of the function's own parameters; as anything but tables they are two of them
LARGEST_WHOLE = 2.0**62


def read_occupation(
    data: Mapping[str, Any], folder: Path, custom: UserFunction | None
) -> tuple[tuple[Parameter, ...], UserFunction | None]:
    """Read the table; return its parameters and the user's function where the pattern is "custom"."""
    known = (*PATTERNS, schema.CUSTOM, schema.TABLE)
    if "pattern" not in data:
        raise SpecError("occupation.pattern", None, f"is missing: choose one of {', '.join(known)}")
    pattern_field = Field("pattern", "text", "occupation pattern", choices=known)
    patterns, _ = values_of("occupation.pattern", data["pattern"], pattern_field)
    if schema.TABLE in patterns:
        cure = 'stands alone: write pattern = "table", and the other patterns in a specification of their own'
        raise SpecError("occupation.pattern", data["pattern"], cure)
    fields: dict[str, Field] = {"pattern": pattern_field}
    for name in patterns:
        if name != schema.CUSTOM:
            fields |= {field.name: field for field in PATTERNS[str(name)].fields}
    if schema.CUSTOM not in patterns:
        for key in schema.CUSTOM_KEYS:
            if key in data:
                raise SpecError(f"occupation.{key}", data[key], 'belongs to pattern = "custom"')
        return parameters_of(TABLE, data, fields.values()), None
    if custom is None:
        custom = find_function(data.get("function"), folder, data_files(data.get("data", [])))
    others = [key for key in schema.CUSTOM_KEYS if key not in WORDINGS or isinstance(data.get(key), Mapping)]
    names = [key for key in data if key not in fields and key not in others]
    units, labels = (_wording(data, key, names) if key in others else {} for key in WORDINGS)
    for key in names:
        kind = _kind(data[key])
        most = LARGEST_WHOLE if kind == "integer" else None
        fields[key] = Field(
            key,
            kind,
            f"parameter {key} of {custom.name}",
            units.get(key, "1"),
            minimum=most and -most,
            maximum=most,
            label=labels.get(key, ""),
        )
    return parameters_of(TABLE, data, fields.values(), others=others), custom


def _wording(data: Mapping[str, Any], key: str, names: Sequence[str]) -> Mapping[str, str]:
    """Read what a function's own parameters are called, or measured in."""
    words: Mapping[str, str] = data[key]
    for name, word in words.items():
        place = f"occupation.{key}.{name}"
        if name not in names:
            raise SpecError(
                place, word, f"{name} is no parameter of the function here; {suggest(name, names)}"
            )
        if not isinstance(word, str):
            raise SpecError(place, word, f'give text: {key} = {{ {name} = "..." }}')
    return words


def check_occupation(spec: Spec) -> None:
    """Refuse what no point of the sweep can make sense of."""
    for name in dict.fromkeys(spec["pattern"].values if "pattern" in spec else ()):
        if name in PATTERNS:
            spec.pattern(str(name)).check(spec)


def data_files(value: object) -> list[str]:
    """Check the key ``data``: the files that a user's function reads."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise SpecError(DATA_PLACE, value, 'give the files that the function reads: data = ["table.npz"]')
    return names


def _kind(value: object) -> Kind:
    """Kind of a user's own parameter, from what stands there: whole numbers stay whole."""
    if holds_text(value):
        return "text"
    if isinstance(value, Draw):
        return "integer" if all(type(value.given.get(end)) is int for end in ("low", "high")) else "number"
    if isinstance(value, dict):
        ends: list[Any] = [value.get(key) for key in ("start", "stop", "num")]
        if not all(type(end) is int for end in ends) or value.get("spacing", "linear") != "linear":
            return "number"
        start, stop, num = ends
        return "integer" if num == 1 or (num > 1 and (stop - start) % (num - 1) == 0) else "number"
    if isinstance(value, np.ndarray):
        return "integer" if value.dtype.kind in "iu" else "number"
    values = value if isinstance(value, list) else [value]
    return "integer" if all(type(each) is int for each in values) else "number"
