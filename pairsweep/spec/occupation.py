"""The table ``[occupation]``: a named pattern with its keys, or a function of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field, Kind, Parameter
from pairsweep.contract.view import SpecView
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.spec import schema
from pairsweep.spec.checks import holds_text, parameters_of, values_of
from pairsweep.spec.model import CustomOccupation

TABLE = "occupation"


def read_occupation(
    data: Mapping[str, Any], folder: Path, custom: CustomOccupation | None
) -> tuple[tuple[Parameter, ...], CustomOccupation | None]:
    """Read the table; return its parameters and the user's function where the pattern is "custom"."""
    known = (*PATTERNS, schema.CUSTOM)
    if "pattern" not in data:
        raise SpecError("occupation.pattern", None, f"is missing: choose one of {', '.join(known)}")
    pattern_field = Field("pattern", "text", "occupation pattern", choices=known)
    patterns, _ = values_of("occupation.pattern", data["pattern"], pattern_field)
    fields: dict[str, Field] = {"pattern": pattern_field}
    for name in patterns:
        if name != schema.CUSTOM:
            fields |= {field.name: field for field in PATTERNS[str(name)].fields}
    if schema.CUSTOM not in patterns:
        if "function" in data:
            raise SpecError("occupation.function", data["function"], 'belongs to pattern = "custom"')
        return parameters_of(TABLE, data, fields.values()), None
    if custom is None:
        custom = _load_custom(data.get("function"), folder)
    for key, value in data.items():
        if key not in fields and key != "function":
            kind: Kind = "text" if holds_text(value) else "number"
            fields[key] = Field(key, kind, f"parameter {key} of {custom.function}")
    return parameters_of(TABLE, data, fields.values(), others=("function",)), custom


def check_occupation(spec: SpecView) -> None:
    """Refuse what no point of the sweep can make sense of."""
    for name in dict.fromkeys(spec["pattern"].values if "pattern" in spec else ()):
        if name != schema.CUSTOM:
            PATTERNS[str(name)].check(spec)


def _load_custom(reference: object, folder: Path) -> CustomOccupation:
    """Find the source of ``file.py:f`` (beside the specification) or ``module:f``; nothing is executed."""
    place = "occupation.function"
    if (
        not isinstance(reference, str)
        or reference.count(":") != 1
        or not reference.split(":")[1].isidentifier()
    ):
        raise SpecError(place, reference, 'give "file.py:function" or "module:function"')
    location, function = reference.split(":")
    if location.endswith(".py"):
        path = folder / location
    else:
        import importlib.util

        try:
            found = importlib.util.find_spec(location)
        except (ImportError, ValueError):
            found = None
        if found is None or not found.origin or not found.origin.endswith(".py"):
            raise SpecError(place, reference, f"no Python module {location} is found")
        path = Path(found.origin)
    try:
        source = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise SpecError(place, reference, f"{path} cannot be read as Python source") from None
    return CustomOccupation(reference, function, source)
