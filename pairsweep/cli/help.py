"""``pairsweep help``: keys, variables, pictures and sweeps by name, from the declarations themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from pairsweep.analyses.registry import ANALYSES, labels, owners
from pairsweep.contract.errors import UsageError, suggest
from pairsweep.contract.fields import Field
from pairsweep.contract.variables import Variable
from pairsweep.drawing.options import FLAGS
from pairsweep.physics.patterns.groups import OF_A_GROUP
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.plot import pictures
from pairsweep.spec import schema
from pairsweep.spec.moments import MOMENT_KEYS
from pairsweep.spec.shipped import shipped_sweeps
from pairsweep.spec.table import TABLE_KEYS

WIDTH = 100
TOPICS = ("spec", "dataset", "pictures", "sweeps")


def tables() -> dict[str, list[Field]]:
    """Return the keys of a specification by table."""
    found = {
        "grid": list(schema.GRID.values()),
        "grid.beams": list(schema.BEAM.values()),
        "coupling": list(schema.COUPLING.values()),
        "sample": list(schema.SAMPLE.values()),
    }
    found |= {f"occupation, pattern {name}": list(pattern.fields) for name, pattern in PATTERNS.items()}
    found |= {
        f"occupation.groups, pattern {schema.MOMENTS}": list(OF_A_GROUP),
        f"occupation, pattern {schema.MOMENTS} with a file": list(MOMENT_KEYS.values()),
        f"occupation, pattern {schema.TABLE}": list(TABLE_KEYS.values()),
        "grid, kind cells": list(schema.CELLS.values()),
    }
    return found | {name: list(analysis.fields) for name, analysis in ANALYSES.items()}


def help_lines(topic: str | None) -> list[str]:
    """Say what a topic or a name is.

    Raises
    ------
    UsageError
        For a name that is nothing here, with the nearest one.
    """
    if topic is None:
        return [f"pairsweep help {' | '.join(TOPICS)} | NAME of a key, variable, picture or sweep"]
    if topic == "spec":
        return _specification()
    if topic == "dataset":
        return [_row(variable.name, variable.meaning, _units(variable.units)) for _, variable in owners()]
    if topic == "pictures":
        kinds = [_row(kind, _first_sentence(picture.__doc__)) for kind, picture in pictures().items()]
        flags = [_row(f"{flag.name} {flag.metavar}", flag.meaning) for flag in FLAGS]
        return [*kinds, "", "options of every kind, where it has what they are about", *flags]
    if topic == "sweeps":
        return [_row(name, _title(path.read_text("utf-8"))) for name, path in shipped_sweeps().items()]
    found = list(_of_name(topic))
    if not found:
        near = suggest(topic, (*TOPICS, *_known()))
        lists = f"pairsweep help {', '.join(TOPICS)} list what there is; commands have --help"
        raise UsageError("help", topic, near if near.startswith("did you mean") else lists)
    return [line for part in found for line in (*part, "")][:-1]


def _specification() -> list[str]:
    """Every key of a specification, by table: words first, then numbers and options."""
    fields, lines = tables(), []
    for table in dict.fromkeys((*schema.WORDS, *fields)):
        words = [_row(key, meaning) for key, meaning in schema.WORDS.get(table, {}).items()]
        lines += ["", _headed(table), *words, *_names(fields.get(table, ()))]
    return lines[1:]


def _headed(table: str) -> str:
    if not table:
        return "above the first table"
    return f"[{table}]" if table.split(",")[0] in (*tables(), "occupation") else table


def _known() -> Iterator[str]:
    for keys in schema.WORDS.values():
        yield from keys
    for fields in tables().values():
        yield from (field.name for field in fields)
    yield from (variable.name for _, variable in owners())
    yield from (*labels(), *ANALYSES, *PATTERNS, *pictures(), *shipped_sweeps())


def _of_name(name: str) -> Iterator[list[str]]:
    key = name.rsplit(".", 1)[-1]
    for table, meanings in schema.WORDS.items():
        if key in meanings and name in (key, f"{table}.{key}", f"{table.split(',')[0]}.{key}"):
            meaning = meanings[key]
            if key == "analyses":
                meaning += f": {', '.join(ANALYSES)}"
            yield [f"key {key}{' of' if table else ','} {_headed(table)}", *_told("meaning", meaning)]
    for table, fields in tables().items():
        for field in fields:
            if field.name == key and name in (key, f"{table}.{key}", f"{table.split(',')[0]}.{key}"):
                yield [f"key {key} of [{table}]", *_field(field)]
    for owner, variable in owners():
        if variable.name == name:
            yield [f"variable {name}" + (f" of {owner}" if owner else ""), *_variable(variable)]
    if name in labels():
        label = labels()[name]
        yield [f"coordinate {name}", *_told("meaning", label.meaning), *_told("units", _units(label.units))]
    if name in ANALYSES:
        analysis = ANALYSES[name]
        computed = ", ".join(variable.name for variable in analysis.variables)
        yield [f"analysis {name}", *_told("meaning", analysis.meaning), *_told("computes", computed)]
        yield [f"table [{name}]", *_names(analysis.fields)]
    if name in PATTERNS:
        pattern = PATTERNS[name]
        yield [f"pattern {name}", *_told("meaning", pattern.meaning), *_names(pattern.fields)]
    if name in pictures():
        picture = pictures()[name]
        yield [
            f"picture {name}",
            *_told("shows", _first_sentence(picture.__doc__)),
            *_told("options", ", ".join(picture.options) + ", and matplotlib's own: pairsweep help pictures"),
        ]
    if name in shipped_sweeps():
        path = shipped_sweeps()[name]
        yield [f"sweep {name}", *_told("file", str(path)), "", *path.read_text("utf-8").splitlines()]


def _field(field: Field) -> Iterator[str]:
    yield from _told("meaning", field.meaning)
    yield from _told("type", field.kind + (", may be an axis" if field.axis else ", one for the sweep"))
    yield from _told("units", _units(field.units))
    yield from _told("limits", _limits(field))
    needed = "must be given" if field.required else "may be left out"
    yield from _told("default", needed if field.default is None else str(field.default))


def _variable(variable: Variable) -> Iterator[str]:
    yield from _told("meaning", variable.meaning)
    yield from _told("units", _units(variable.units))
    yield from _told("type", variable.dtype)
    yield from _told("along", ", ".join(("the axes", *variable.trailing)))
    yield from _told("codes", ", ".join(f"{code} {flag}" for code, flag in enumerate(variable.flags)))
    yield from _told("computed", f"where {variable.condition}" if variable.condition else "")


def _limits(field: Field) -> str:
    if field.choices:
        return ", ".join(field.choices)
    ends = []
    if field.minimum is not None:
        ends.append(f"{'above' if field.open_below else 'at least'} {field.minimum:g}")
    if field.maximum is not None:
        ends.append(f"at most {field.maximum:g}")
    return ", ".join(ends)


def _names(fields: Iterable[Field]) -> list[str]:
    return [_row(field.name, field.meaning, _units(field.units)) for field in fields]


def _units(units: str) -> str:
    return "" if units in ("", "1") else units


def _row(name: str, meaning: str, units: str = "") -> str:
    return textwrap.fill(
        f"  {name:<26} {meaning}{f' ({units})' if units else ''}", WIDTH, subsequent_indent=" " * 29
    )


def _told(what: str, text: str) -> list[str]:
    return [textwrap.fill(f"  {what:<9} {text}", WIDTH, subsequent_indent=" " * 12)] if text else []


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def _title(text: str) -> str:
    titles = [line.partition("=")[2].strip(' "') for line in text.splitlines() if line.startswith("title")]
    return titles[0] if titles else ""
