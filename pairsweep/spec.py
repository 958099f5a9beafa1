"""A sweep specification: TOML in, checked values out.

Every key may be wrong in a file that a person wrote, so each check names the place, the value and the cure.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pairsweep import schema
from pairsweep.grid import NAMED_DIRECTIONS
from pairsweep.schema import Field
from pairsweep.vocab import ANALYSES, RESERVED_NAMES

MAX_POINTS = 10**9
MAX_AXIS = 10**7  # the labels of one axis are held in memory
MAX_PAIRS = 10**7
MAX_SPEC_BYTES = 10**6

Scalar = float | int | str


def shorten(value: object, limit: int = 60) -> str:
    """Print a user's value on one line, whatever it holds."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


class UsageError(Exception):
    """Something a user can put right: the place, the value found there, and the cure, in one line."""

    def __init__(self, place: str, value: object, cure: str) -> None:
        self.place, self.value, self.cure = place, value, cure
        super().__init__(place, value, cure)

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {shorten(self.value)}"
        return f"{self.place}{shown}: {self.cure}"


class SpecError(UsageError):
    """A specification that cannot be used."""


@dataclass(frozen=True)
class Parameter:
    """A physical number (or choice) of the sweep: its values, and whether they span an axis."""

    name: str
    table: str
    field: Field
    values: tuple[Scalar, ...]
    is_axis: bool


@dataclass(frozen=True)
class CustomOccupation:
    """A user's own function f(energy, theta, phi, **parameters) -> (rho, rhobar), as source text.

    The text travels to the workers and its hash is part of the digest.
    """

    reference: str
    function: str
    source: str

    @property
    def digest(self) -> str:
        """Hash of the source."""
        return hashlib.sha256(self.source.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class EvolutionOptions:
    """What is fixed for every point of an evolution sweep; times in 1/MeV, or in 1/mu' where ``in_mu``."""

    t_end: float
    in_mu: bool
    samples: int
    method: str
    tolerance: float


@dataclass(frozen=True)
class Spec:
    """A checked specification.

    Attributes
    ----------
    kind : "bins" or "beams"
    parameters : every physical value in the order of the file; those with ``is_axis`` span the sweep
    zips : groups of axes that move together
    beams : names of the beams; empty for bins
    custom : the user's own occupation function, if there is one
    text : the file as it was read
    """

    title: str
    analyses: tuple[str, ...]
    kind: str
    parameters: tuple[Parameter, ...]
    zips: tuple[tuple[str, ...], ...]
    beams: tuple[str, ...]
    evolution: EvolutionOptions | None
    custom: CustomOccupation | None
    text: str

    def __getitem__(self, name: str) -> Parameter:
        return self._by_name[name]

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @property
    def _by_name(self) -> Mapping[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    def physics(self) -> dict[str, object]:
        """Everything that decides a number, without the values of the axes: what a resume must find unchanged."""
        options = self.evolution
        return {
            "analyses": list(self.analyses),
            "kind": self.kind,
            "parameters": [
                [p.table, p.name, "axis" if p.is_axis else p.values[0]]
                for p in sorted(self.parameters, key=lambda p: (p.table, p.name))
            ],
            "zips": sorted(list(group) for group in self.zips),
            "beams": list(self.beams),
            "evolution": None
            if options is None
            else [options.t_end, options.in_mu, options.samples, options.method, options.tolerance],
            "custom": None if self.custom is None else [self.custom.function, self.custom.digest],
        }

    @property
    def digest(self) -> str:
        """Hash of everything that decides a number, axis values included; titles and comments do not count."""
        everything = [self.physics(), {p.name: list(p.values) for p in self.parameters if p.is_axis}]
        return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:16]


def read_spec(path: str | Path) -> Spec:
    """Read and check a TOML file.

    Raises
    ------
    SpecError
        With the place, the value and the cure.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_SPEC_BYTES:
            raise SpecError(str(path), path.stat().st_size, f"a specification has at most {MAX_SPEC_BYTES} bytes")
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise SpecError(str(path), None, f"cannot be read ({error.strerror}); give the path of a TOML file") from None
    except UnicodeDecodeError:
        raise SpecError(str(path), None, "is not UTF-8 text; give the path of a TOML file") from None
    return parse_spec(text, folder=path.parent)


def parse_spec(text: str, folder: Path | None = None, custom: CustomOccupation | None = None) -> Spec:
    """Check the text of a specification.

    Parameters
    ----------
    text : str
        TOML.
    folder : Path, optional
        Where ``function = "file.py:f"`` looks for its file; the current folder where left out.
    custom : CustomOccupation, optional
        Source to use instead of reading that file: how a worker gets a function whose file it may not have.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError("specification", None, f"is not TOML: {' '.join(str(error).split())}") from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise SpecError("specification", None, f"holds a number that cannot be read: {error}") from None
    return _Reader(data, text, folder or Path(), custom).read()


class _Reader:
    """Walks one parsed file; a class only because every step needs the same few values."""

    def __init__(self, data: dict[str, Any], text: str, folder: Path, custom: CustomOccupation | None) -> None:
        self.data, self.text, self.folder = data, text, folder
        self.custom = custom
        self.parameters: dict[str, Parameter] = {}

    def read(self) -> Spec:
        _known_keys("", self.data, (*schema.TOP_LEVEL, *schema.TABLES))
        title = self._title()
        analyses = self._analyses()
        for table in schema.TABLES:
            if not isinstance(self.data.get(table, {}), dict):
                raise SpecError(table, self.data[table], f"must be a table: write [{table}]")
        for needed in ("grid", "coupling"):
            if needed not in self.data:
                raise SpecError(needed, None, f"is missing: add the table [{needed}]")
        kind = self.data["grid"].get("kind")
        if kind not in ("bins", "beams"):
            raise SpecError("grid.kind", kind, 'choose "bins" or "beams"')
        beams: tuple[str, ...] = ()
        evolution = None
        # Axes come in the order of the file, so its tables are walked in that order.
        for table in self.data:
            if table == "grid" and kind == "bins":
                self._fields("grid", self.data["grid"], schema.GRID, extra=("kind",))
            elif table == "grid":
                beams = self._beams()
            elif table == "occupation" and kind == "bins":
                self._occupation()
            elif table == "occupation":
                raise SpecError("occupation", None, "beams carry their own rho and rhobar: remove this table")
            elif table == "coupling":
                self._fields("coupling", self.data["coupling"], schema.COUPLING)
            elif table == "evolution":
                evolution = self._evolution(kind)
        if kind == "bins" and "occupation" not in self.data:
            raise SpecError("occupation", None, "is missing: add the table [occupation] with a pattern")
        if "evolution" in analyses and evolution is None:
            raise SpecError("evolution", None, "is missing: the analysis needs the table [evolution]")
        zips = self._zips()
        self._check_size(zips)
        self._check_grid(kind)
        return Spec(
            title, analyses, kind, tuple(self.parameters.values()), zips, beams, evolution, self.custom, self.text
        )

    def _title(self) -> str:
        title = self.data.get("title", "")
        if not isinstance(title, str):
            raise SpecError("title", title, "must be text")
        return title

    def _analyses(self) -> tuple[str, ...]:
        analyses = self.data.get("analyses")
        if not isinstance(analyses, list) or not analyses:
            raise SpecError("analyses", analyses, f"give a list of any of: {', '.join(ANALYSES)}")
        for name in analyses:
            if name not in ANALYSES:
                raise SpecError("analyses", name, _suggest(name, ANALYSES))
        if len(set(analyses)) != len(analyses):
            raise SpecError("analyses", analyses, "name each analysis once")
        return tuple(name for name in ANALYSES if name in analyses)

    def _fields(
        self, table: str, data: Mapping[str, Any], fields: Mapping[str, Field], extra: Sequence[str] = ()
    ) -> None:
        _known_keys(table, data, (*fields, *extra))
        for key in data:  # the order of the file
            if key in fields and fields[key].axis:
                self._add(table, key, fields[key], data[key])
        for field in fields.values():
            if field.name in data or not field.axis:
                continue
            if field.default is not None:
                self._add(table, field.name, field, field.default)
            elif field.required:
                raise SpecError(f"{table}.{field.name}", None, f"is missing: give {_wanted(field)} ({field.meaning})")

    def _add(self, table: str, key: str, field: Field, value: object, name: str | None = None) -> None:
        name = name or key
        place = f"{table}.{key}"
        if name in RESERVED_NAMES:
            raise SpecError(place, name, "is the name of a variable of the results: choose another")
        if name in self.parameters:
            raise SpecError(place, name, f"is already given in [{self.parameters[name].table}]: choose another name")
        values, is_axis = _values(place, value, field)
        self.parameters[name] = Parameter(name, table.split("[")[0], field, values, is_axis)

    def _beams(self) -> tuple[str, ...]:
        grid = self.data["grid"]
        _known_keys("grid", grid, ("kind", "beams"))
        beams = grid.get("beams")
        if not isinstance(beams, list) or not beams or not all(isinstance(beam, dict) for beam in beams):
            raise SpecError("grid.beams", None, "is missing: add a table [[grid.beams]] for every beam")
        names: list[str] = []
        for number, beam in enumerate(beams):
            table = f"grid.beams[{number}]"
            _known_keys(table, beam, ("name", "direction", *schema.BEAM))
            name = beam.get("name")
            if not (isinstance(name, str) and name.isascii() and name.replace("_", "").isalnum()):
                raise SpecError(f"{table}.name", name, "give a name of letters, digits and underscores")
            if name in names:
                raise SpecError(f"{table}.name", name, "is the name of another beam: choose another")
            names.append(name)
            self._beam(table, name, beam)
        return tuple(names)

    def _beam(self, table: str, name: str, beam: Mapping[str, Any]) -> None:
        data = dict(beam)
        if "direction" in data:
            if "theta" in data or "phi" in data:
                raise SpecError(f"{table}.direction", data["direction"], "give either a direction or theta and phi")
            direction = data.pop("direction")
            if direction not in schema.DIRECTIONS:
                choices = ", ".join(f'"{d}"' for d in schema.DIRECTIONS)
                raise SpecError(f"{table}.direction", direction, f"choose one of {choices}, or give theta and phi")
            data["theta"], data["phi"] = NAMED_DIRECTIONS[direction]
        for key in data:
            if key != "name":
                self._add(table, key, schema.BEAM[key], data[key], name=f"{key}_{name}")
        for field in schema.BEAM.values():
            if field.required and field.name not in data:
                raise SpecError(f"{table}.{field.name}", None, f"is missing: give {_wanted(field)} ({field.meaning})")

    def _occupation(self) -> None:
        data = self.data["occupation"]
        if "pattern" not in data:
            raise SpecError("occupation.pattern", None, f"is missing: choose one of {', '.join(schema.PATTERNS)}")
        pattern_field = Field("pattern", "text", "occupation pattern", choices=tuple(schema.PATTERNS))
        patterns, _ = _values("occupation.pattern", data["pattern"], pattern_field)
        fields: dict[str, Field] = {"pattern": pattern_field}
        for pattern in patterns:
            fields |= schema.PATTERNS[str(pattern)]
        if "custom" not in patterns:
            if "function" in data:
                raise SpecError("occupation.function", data["function"], 'belongs to pattern = "custom"')
            self._fields("occupation", data, fields)
            return
        if self.custom is None:
            self.custom = _load_custom(data.get("function"), self.folder)
        for key, value in data.items():
            if key not in fields and key != "function":
                kind: schema.Kind = "text" if _holds_text(value) else "number"
                fields[key] = Field(key, kind, f"parameter {key} of {self.custom.function}")
        self._fields("occupation", data, fields, extra=("function",))

    def _evolution(self, kind: str) -> EvolutionOptions:
        data = self.data["evolution"]
        self._fields("evolution", data, schema.EVOLUTION)
        fixed: dict[str, Any] = {}
        for field in schema.EVOLUTION.values():
            place = f"evolution.{field.name}"
            if field.axis:
                continue
            if field.name not in data:
                if field.required:
                    raise SpecError(place, None, f"is missing: give {_wanted(field)} ({field.meaning})")
                fixed[field.name] = field.default
            elif isinstance(data[field.name], list | dict):
                raise SpecError(place, data[field.name], "is one value for the whole sweep, never an axis")
            else:
                fixed[field.name] = _checked(place, data[field.name], field)
        if (fixed["t_end"] is None) == (fixed["t_end_mu"] is None):
            raise SpecError("evolution.t_end", fixed["t_end"], "give one of t_end (1/MeV) and t_end_mu (1/mu')")
        in_mu = fixed["t_end"] is None
        if in_mu and kind == "beams":
            raise SpecError("evolution.t_end_mu", fixed["t_end_mu"], "beams have no energy_max: give t_end in 1/MeV")
        t_end = fixed["t_end_mu"] if in_mu else fixed["t_end"]
        return EvolutionOptions(float(t_end), in_mu, fixed["samples"], fixed["method"], fixed["tolerance"])

    def _zips(self) -> tuple[tuple[str, ...], ...]:
        groups = self.data.get("zip", [])
        if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
            raise SpecError("zip", groups, 'give a list of groups: zip = [["rho_high", "rho_low"]]')
        taken: set[str] = set()
        for group in groups:
            if len(group) < 2:
                raise SpecError("zip", group, "a group has at least two axes")
            for name in group:
                if name not in self.parameters:
                    raise SpecError("zip", name, _suggest(name, self.parameters))
                if not self.parameters[name].is_axis:
                    raise SpecError("zip", name, "is a single value: only lists and ranges move together")
                if name in taken:
                    raise SpecError("zip", name, "stands in two groups or twice in one: name it once")
                taken.add(name)
            lengths = {name: len(self.parameters[name].values) for name in group}
            if len(set(lengths.values())) > 1:
                listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
                raise SpecError("zip", group, f"axes that move together have one length, but {listed}")
        return tuple(tuple(group) for group in groups)

    def _check_size(self, zips: tuple[tuple[str, ...], ...]) -> None:
        followers = {name for group in zips for name in group[1:]}
        for parameter in self.parameters.values():
            repeated = len(set(parameter.values)) != len(parameter.values)
            zipped = any(parameter.name in group for group in zips)
            if parameter.is_axis and repeated and not zipped:
                seen: set[Scalar] = set()
                twice = next(v for v in parameter.values if v in seen or seen.add(v))  # type: ignore[func-returns-value]
                raise SpecError(f"{parameter.table}.{parameter.name}", twice, "stands twice on the axis: list it once")
        for group in zips:
            rows = list(zip(*(self.parameters[name].values for name in group), strict=True))
            if len(set(rows)) != len(rows):
                raise SpecError("zip", list(group), "the same combination stands twice: list it once")
            leader = self.parameters[group[0]].values
            if len(set(leader)) != len(leader):
                raise SpecError(
                    "zip", list(group), f"{group[0]} names the dimension and repeats a value: put another axis first"
                )
        points = math.prod(
            len(p.values) for p in self.parameters.values() if p.is_axis and p.name not in followers
        )
        if points > MAX_POINTS:
            raise SpecError("sweep", points, f"at most {MAX_POINTS:.0e} points: shorten or split the axes")

    def _check_grid(self, kind: str) -> None:
        if kind != "bins":
            return
        largest = [max(int(v) for v in self.parameters[n].values) for n in ("n_energy", "n_theta", "n_phi")]
        if math.prod(largest) > MAX_PAIRS:
            raise SpecError("grid", math.prod(largest), f"pairs in one system; at most {MAX_PAIRS:.0e}: use fewer bins")
        if {"quadrant", "energy_band"} & set(self.parameters["pattern"].values):
            for n_phi in self.parameters["n_phi"].values:
                if int(n_phi) % 4:
                    raise SpecError("grid.n_phi", n_phi, "must be a multiple of 4 for a pattern with phi quadrants")


def _known_keys(table: str, data: Mapping[str, Any], known: Iterable[str]) -> None:
    known = tuple(known)
    for key in data:
        if key not in known:
            place = f"{table}.{key}" if table else key
            raise SpecError(shorten(place)[1:-1], None, f"unknown key; {_suggest(key, known)}")


def _suggest(name: object, known: Iterable[str]) -> str:
    """Name the nearest known name, or all of them, and point out letters that only look right."""
    known = tuple(known)
    odd = [c for c in str(name) if not c.isascii()]
    hint = ""
    if odd:
        hint = f" (it holds {ascii(odd[0])}, {unicodedata.name(odd[0], 'a control character').lower()})"
    near = difflib.get_close_matches(str(name)[:100], known, n=1)
    return (f"did you mean {near[0]}?" if near else f"choose one of {', '.join(known)}") + hint


def _wanted(field: Field) -> str:
    if field.choices:
        return "one of " + ", ".join(f'"{choice}"' for choice in field.choices)
    noun = {"integer": "a whole number", "number": "a number", "text": "text"}[field.kind]
    if field.minimum is not None:
        noun += f" {'above' if field.open_below else 'of at least'} {field.minimum:g}"
    if field.maximum is not None:
        noun += f" and at most {field.maximum:g}"
    return noun + (f" in {field.units}" if field.units != "1" else "")


def _holds_text(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and any(isinstance(v, str) for v in value))


def _values(place: str, value: object, field: Field) -> tuple[tuple[Scalar, ...], bool]:
    """Turn a scalar, a list or a range into checked values; the flag tells whether they span an axis."""
    if isinstance(value, list):
        if not value:
            raise SpecError(place, value, f"an axis needs at least one value: give {_wanted(field)}")
        if len(value) > MAX_AXIS:
            raise SpecError(place, len(value), f"values on one axis; at most {MAX_AXIS:.0e}")
        return tuple(_checked(f"{place}[{i}]", v, field) for i, v in enumerate(value)), True
    if isinstance(value, dict):
        return _range(place, value, field), True
    return (_checked(place, value, field),), False


def _range(place: str, data: Mapping[str, Any], field: Field) -> tuple[Scalar, ...]:
    if field.kind == "text":
        raise SpecError(place, dict(data), "a range is for numbers: give a list of text")
    _known_keys(place, data, ("start", "stop", "num", "spacing"))
    for key in ("start", "stop", "num"):
        if key not in data:
            raise SpecError(f"{place}.{key}", None, "is missing: a range is { start = ..., stop = ..., num = ... }")
    ends = [
        float(_checked(f"{place}.{key}", data[key], Field(key, "number", f"{key} of the range")))
        for key in ("start", "stop")
    ]
    num = int(_checked(f"{place}.num", data["num"], Field("num", "integer", "number of values", minimum=1)))
    if num > MAX_AXIS:
        raise SpecError(f"{place}.num", num, f"at most {MAX_AXIS:.0e} values on one axis")
    spacing = data.get("spacing", "linear")
    if spacing not in ("linear", "log"):
        raise SpecError(f"{place}.spacing", spacing, 'choose "linear" or "log"')
    if spacing == "log" and min(ends) <= 0:
        raise SpecError(place, dict(data), "a log range needs start and stop above 0")
    if num > 1 and ends[0] == ends[1]:
        raise SpecError(place, dict(data), "start equals stop: give two ends or a single value")
    import numpy as np

    points = (np.geomspace if spacing == "log" else np.linspace)(*ends, num)
    values: list[float | int] = points.tolist()
    if field.kind == "integer":
        if any(v != round(v) for v in values):
            raise SpecError(place, dict(data), "does not step through whole numbers: choose another num or a list")
        values = [int(v) for v in values]
    for value in (values[0], values[-1]):
        _checked(place, value, field)
    return tuple(values)


def _checked(place: str, value: object, field: Field) -> Scalar:
    """Check one value against its field and give it its type."""
    if field.kind == "text":
        if not isinstance(value, str):
            raise SpecError(place, value, f"give {_wanted(field)}")
        if field.choices and value not in field.choices:
            raise SpecError(place, value, _suggest(value, field.choices))
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(place, value, f"give {_wanted(field)}")
    if field.kind == "integer" and not isinstance(value, int):
        raise SpecError(place, value, f"give {_wanted(field)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SpecError(place, value, f"give {_wanted(field)}")
    below = field.minimum is not None and (number < field.minimum or (field.open_below and number == field.minimum))
    if below or (field.maximum is not None and number > field.maximum):
        cure = schema.OCCUPATION_LIMITS if (field.minimum, field.maximum) == (0.0, 1.0) else f"give {_wanted(field)}"
        raise SpecError(place, value, cure)
    return int(value) if field.kind == "integer" else number


def _load_custom(reference: object, folder: Path) -> CustomOccupation:
    """Find the source of ``file.py:f`` (beside the specification) or ``module:f``; nothing is executed here."""
    place = "occupation.function"
    if not isinstance(reference, str) or reference.count(":") != 1 or not reference.split(":")[1].isidentifier():
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
