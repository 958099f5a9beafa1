"""From what a user gives to one TOML text: files that include others, mappings, single keys set from outside."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pairsweep.contract.errors import SpecError, shorten
from pairsweep.spec.schema import INCLUDE
from pairsweep.spec.shipped import shipped_sweeps

MAX_SPEC_BYTES = 10**6
MOST_INCLUDES = 10  # deep
Tables = dict[str, Any]


def composed(source: str | Path | Mapping[str, object], overrides: Mapping[str, object]) -> tuple[str, Path]:
    """Give the whole text of a specification, and the folder where it looks for files.

    A file that includes nothing and of which nothing is set stays as it was written; else the text is written anew.
    """
    if isinstance(source, Mapping):
        text, tables, folder = "", dict(source), Path()
    elif isinstance(source, str) and "\n" in source:
        text, tables, folder = source, parse(source, "specification"), Path()
    else:
        try:
            path = Path(source).expanduser()
        except TypeError:
            cure = "give a TOML file or its text, the name of a shipped sweep, or the tables as a mapping"
            raise SpecError("specification", source, cure) from None
        if not path.exists():
            path = shipped_sweeps().get(str(source), path)
        text, folder = read_text(path), path.parent
        tables = parse(text, str(path))
    if isinstance(source, Mapping) or INCLUDE in tables or overrides:
        tables = _with_includes(tables, folder, 0)
        for key, value in overrides.items():
            _set(tables, key, value)
        text = _written(tables)
    return text, folder


def read_text(path: Path) -> str:
    """Read a file of a specification.

    Raises
    ------
    SpecError
        For a file that cannot be read, is too long, or is no UTF-8 text.
    """
    try:
        size = path.stat().st_size
        if size > MAX_SPEC_BYTES:
            raise SpecError(str(path), size, f"a specification has at most {MAX_SPEC_BYTES} bytes")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        cure = (
            f"cannot be read ({error.strerror}); give the path of a TOML file, or the name of a shipped sweep"
        )
        raise SpecError(str(path), None, cure) from None
    except UnicodeDecodeError:
        cure = "is not UTF-8 text; save it as UTF-8, or give the path of a TOML file"
        raise SpecError(str(path), None, cure) from None


def parse(text: str, place: str) -> Tables:
    """Parse TOML.

    Raises
    ------
    SpecError
        Where it is none, with the name of the file.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(place, None, f"is not TOML: {' '.join(str(error).split())}") from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise SpecError(place, None, f"holds a number that cannot be read: {error}") from None


def value_of(text: str) -> object:
    """Read a value given on the command line: TOML, or else a word."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, ValueError):
        return text


def _with_includes(tables: Tables, folder: Path, depth: int) -> Tables:
    """Lay a file's own keys over those of the files it includes, table by table."""
    names = tables.pop(INCLUDE, [])
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SpecError(INCLUDE, names, 'give the name of a file, or a list of names: include = "base.toml"')
    if names and depth == MOST_INCLUDES:
        raise SpecError(INCLUDE, names, f"files include each other more than {MOST_INCLUDES} deep: a circle?")
    whole: Tables = {}
    for name in names:
        path = folder / name
        _lay(whole, _with_includes(parse(read_text(path), str(path)), path.parent, depth + 1))
    _lay(whole, tables)
    return whole


def _lay(whole: Tables, tables: Mapping[str, Any]) -> None:
    for key, value in tables.items():
        if isinstance(value, Mapping) and isinstance(whole.get(key), dict):
            _lay(whole[key], value)
        else:
            whole[key] = dict(value) if isinstance(value, Mapping) else value


def _set(tables: Tables, key: str, value: object) -> None:
    """Set ``table.key``, or a key above the first table."""
    *places, last = key.split(".")
    table = tables
    for place in places:
        table = table.setdefault(place, {})
        if not isinstance(table, dict):
            raise SpecError("--set", key, f"{place} is no table: write TABLE.KEY=VALUE")
    if not last or not all(places):
        raise SpecError("--set", key, "write TABLE.KEY=VALUE")
    table[last] = value


def _written(tables: Tables) -> str:
    import tomli_w  # only what is composed needs it

    try:
        return tomli_w.dumps(_plain(tables))
    except (TypeError, ValueError) as error:
        raise SpecError("specification", None, f"holds what TOML cannot: {error}") from None


def _plain(value: Any) -> Any:
    """Turn numpy's arrays and scalars, tuples and paths into what TOML holds."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, list | tuple | range):
        return [_plain(entry) for entry in value]
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Path):
        return str(value)
    raise SpecError("specification", shorten(value), "give numbers, text, flags, lists and tables")
