"""A sweep specification: TOML in, checked values out.

Every key may be wrong in a file that a person wrote, so each check names the place, the value and the cure.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from pairsweep.contract.errors import SpecError, UsageError, suggest
from pairsweep.contract.fields import Field, Kind, Parameter, Scalar, describe
from pairsweep.contract.vocab import ANALYSES, RESERVED_NAMES
from pairsweep.physics.grid import NAMED_DIRECTIONS
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.spec import schema
from pairsweep.spec.checks import checked, holds_text, known_keys, values_of

__all__ = [
    "CustomOccupation",
    "EvolutionOptions",
    "Scalar",
    "Spec",
    "SpecError",
    "UsageError",
    "parse_spec",
    "read_spec",
]

MAX_POINTS = 10**9
MAX_PAIRS = 10**7
MAX_SPEC_BYTES = 10**6


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
class GrowthOptions:
    """How growth rates are found, and how much is stored of the modes; see the table ``GROWTH`` of the schema."""

    method: str = "auto"
    growth_tolerance: float | None = None
    modes: int = 0
    details: bool = False


@dataclass(frozen=True)
class ContinuumOptions:
    """How far the ladders of energy bins and of angles go."""

    ladder_max: int = 2048
    angle_rungs: int = 0


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
    cluster : the table of that name, for whoever starts jobs
    text : the file as it was read
    """

    title: str
    analyses: tuple[str, ...]
    kind: str
    parameters: tuple[Parameter, ...]
    zips: tuple[tuple[str, ...], ...]
    beams: tuple[str, ...]
    growth: GrowthOptions
    continuum: ContinuumOptions
    evolution: EvolutionOptions | None
    custom: CustomOccupation | None
    cluster: Mapping[str, object]
    text: str

    def __getitem__(self, name: str) -> Parameter:
        return self._by_name[name]

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @property
    def _by_name(self) -> Mapping[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    def physics(self) -> dict[str, object]:
        """Everything that decides a number but the values of the axes: what a resume must find unchanged."""
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
            "growth": list(astuple(self.growth)),
            "continuum": list(astuple(self.continuum)),
            "evolution": None if options is None else list(astuple(options)),
            "custom": None if self.custom is None else [self.custom.function, self.custom.digest],
        }

    @property
    def digest(self) -> str:
        """Hash of everything that decides a number, axis values included; titles do not count."""
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
            raise SpecError(
                str(path), path.stat().st_size, f"a specification has at most {MAX_SPEC_BYTES} bytes"
            )
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise SpecError(
            str(path), None, f"cannot be read ({error.strerror}); give the path of a TOML file"
        ) from None
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

    def __init__(
        self, data: dict[str, Any], text: str, folder: Path, custom: CustomOccupation | None
    ) -> None:
        self.data, self.text, self.folder = data, text, folder
        self.custom = custom
        self.parameters: dict[str, Parameter] = {}

    def read(self) -> Spec:
        known_keys("", self.data, (*schema.TOP_LEVEL, *schema.TABLES))
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
        growth = GrowthOptions(**self._fixed("growth", self.data.get("growth", {}), schema.GROWTH))
        continuum = ContinuumOptions(
            **self._fixed("continuum", self.data.get("continuum", {}), schema.CONTINUUM)
        )
        if "continuum" in analyses and kind == "beams":
            raise SpecError("analyses", "continuum", 'needs kind = "bins": beams have single energies')
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
        spec = Spec(
            title,
            analyses,
            kind,
            tuple(self.parameters.values()),
            zips,
            beams,
            growth,
            continuum,
            evolution,
            self.custom,
            self.data.get("cluster", {}),
            self.text,
        )
        for name in dict.fromkeys(spec["pattern"].values if kind == "bins" else ()):
            if name != schema.CUSTOM:
                PATTERNS[str(name)].check(spec)
        if growth.method == "dense":
            self._check_dense(kind)
        if "continuum" in analyses:
            self._check_ladder(continuum)
        return spec

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
                raise SpecError("analyses", name, suggest(name, ANALYSES))
        if len(set(analyses)) != len(analyses):
            raise SpecError("analyses", analyses, "name each analysis once")
        return tuple(name for name in ANALYSES if name in analyses)

    def _fields(
        self, table: str, data: Mapping[str, Any], fields: Mapping[str, Field], extra: Sequence[str] = ()
    ) -> None:
        known_keys(table, data, (*fields, *extra))
        for key in data:  # the order of the file
            if key in fields and fields[key].axis:
                self._add(table, key, fields[key], data[key])
        for field in fields.values():
            if field.name in data or not field.axis:
                continue
            if field.default is not None:
                self._add(table, field.name, field, field.default)
            elif field.required:
                raise SpecError(
                    f"{table}.{field.name}", None, f"is missing: give {describe(field)} ({field.meaning})"
                )

    def _add(self, table: str, key: str, field: Field, value: object, name: str | None = None) -> None:
        name = name or key
        place = f"{table}.{key}"
        if name in RESERVED_NAMES:
            raise SpecError(place, name, "is the name of a variable of the results: choose another")
        if name in self.parameters:
            raise SpecError(
                place, name, f"is already given in [{self.parameters[name].table}]: choose another name"
            )
        values, is_axis = values_of(place, value, field)
        self.parameters[name] = Parameter(name, table.split(".")[0], field, values, is_axis)

    def _beams(self) -> tuple[str, ...]:
        grid = self.data["grid"]
        known_keys("grid", grid, ("kind", "beams"))
        beams = grid.get("beams")
        if not isinstance(beams, list) or not beams or not all(isinstance(beam, dict) for beam in beams):
            raise SpecError("grid.beams", None, "is missing: add a table [[grid.beams]] for every beam")
        names: list[str] = []
        for number, beam in enumerate(beams):
            table = f"grid.beams[{number}]"
            known_keys(table, beam, ("name", "direction", *schema.BEAM))
            name = beam.get("name")
            if not (isinstance(name, str) and name.isascii() and name.replace("_", "").isalnum()):
                raise SpecError(f"{table}.name", name, "give a name of letters, digits and underscores")
            if name in names:
                raise SpecError(f"{table}.name", name, "is the name of another beam: choose another")
            names.append(name)
            self._beam(table, name, beam)
        if all(value == 0 for name in names for value in self.parameters[f"weight_{name}"].values):
            raise SpecError(
                "grid.beams", None, "every weight is 0: give at least one beam a phase-space volume"
            )
        return tuple(names)

    def _beam(self, table: str, name: str, beam: Mapping[str, Any]) -> None:
        data = dict(beam)
        if "direction" in data:
            if "theta" in data or "phi" in data:
                raise SpecError(
                    f"{table}.direction", data["direction"], "give either a direction or theta and phi"
                )
            direction = data.pop("direction")
            if direction not in schema.DIRECTIONS:
                choices = ", ".join(f'"{d}"' for d in schema.DIRECTIONS)
                raise SpecError(
                    f"{table}.direction", direction, f"choose one of {choices}, or give theta and phi"
                )
            data["theta"], data["phi"] = NAMED_DIRECTIONS[direction]
        for key in data:
            if key != "name":
                self._add(table, key, schema.BEAM[key], data[key], name=f"{key}_{name}")
        for field in schema.BEAM.values():
            if field.required and field.name not in data:
                raise SpecError(
                    f"{table}.{field.name}", None, f"is missing: give {describe(field)} ({field.meaning})"
                )

    def _occupation(self) -> None:
        data = self.data["occupation"]
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
            self._fields("occupation", data, fields)
            return
        if self.custom is None:
            self.custom = _load_custom(data.get("function"), self.folder)
        for key, value in data.items():
            if key not in fields and key != "function":
                kind: Kind = "text" if holds_text(value) else "number"
                fields[key] = Field(key, kind, f"parameter {key} of {self.custom.function}")
        self._fields("occupation", data, fields, extra=("function",))

    def _fixed(self, table: str, data: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
        """Read keys that hold one value for the whole sweep."""
        if table != "evolution":  # the other keys of that table are parameters
            known_keys(table, data, fields)
        fixed: dict[str, Any] = {}
        for field in fields.values():
            place = f"{table}.{field.name}"
            if field.name not in data:
                if field.required:
                    raise SpecError(place, None, f"is missing: give {describe(field)} ({field.meaning})")
                fixed[field.name] = field.default
            elif isinstance(data[field.name], list | dict):
                raise SpecError(place, data[field.name], "is one value for the whole sweep, never an axis")
            else:
                fixed[field.name] = checked(place, data[field.name], field)
        return fixed

    def _evolution(self, kind: str) -> EvolutionOptions:
        data = self.data["evolution"]
        self._fields("evolution", data, schema.EVOLUTION)
        fixed = self._fixed("evolution", data, {n: f for n, f in schema.EVOLUTION.items() if not f.axis})
        if (fixed["t_end"] is None) == (fixed["t_end_mu"] is None):
            raise SpecError(
                "evolution.t_end", fixed["t_end"], "give one of t_end (1/MeV) and t_end_mu (1/mu')"
            )
        in_mu = fixed["t_end"] is None
        if in_mu and kind == "beams":
            raise SpecError(
                "evolution.t_end_mu", fixed["t_end_mu"], "beams have no energy_max: give t_end in 1/MeV"
            )
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
                    raise SpecError("zip", name, suggest(name, self.parameters))
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
                raise SpecError(
                    f"{parameter.table}.{parameter.name}", twice, "stands twice on the axis: list it once"
                )
        for group in zips:
            rows = list(zip(*(self.parameters[name].values for name in group), strict=True))
            if len(set(rows)) != len(rows):
                raise SpecError("zip", list(group), "the same combination stands twice: list it once")
            leader = self.parameters[group[0]].values
            if len(set(leader)) != len(leader):
                raise SpecError(
                    "zip",
                    list(group),
                    f"{group[0]} names the dimension and repeats a value: put another axis first",
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
            raise SpecError(
                "grid", math.prod(largest), f"pairs in one system; at most {MAX_PAIRS:.0e}: use fewer bins"
            )

    def _check_dense(self, kind: str) -> None:
        """Refuse matrices that no memory holds."""
        from pairsweep.analyses.growth.dense import (
            DENSE_BYTES,
            dense_bytes,
        )  # loads the kernels, which a check seldom needs

        if kind != "bins":
            return
        pairs = math.prod(
            max(int(v) for v in self.parameters[n].values) for n in ("n_energy", "n_theta", "n_phi")
        )
        memory = dense_bytes(pairs)
        if memory > DENSE_BYTES:
            cure = f'would take {memory / 2**30:,.0f} GiB for {pairs:,} pairs: use "auto" or "dispersion"'
            raise SpecError("growth.method", "dense", cure)

    def _check_ladder(self, options: ContinuumOptions) -> None:
        """Refuse a ladder whose finest rung is a larger system than is ever solved."""
        directions = [max(int(v) for v in self.parameters[n].values) for n in ("n_theta", "n_phi")]
        finest = max(options.ladder_max, *(int(v) for v in self.parameters["n_energy"].values)) * math.prod(
            directions
        )
        if finest > MAX_PAIRS:
            raise SpecError(
                "continuum.ladder_max", options.ladder_max, f"makes {finest} pairs; at most {MAX_PAIRS:.0e}"
            )
        coarsest = max(int(v) for v in self.parameters["n_energy"].values) * math.prod(directions)
        if coarsest * 4**options.angle_rungs > MAX_PAIRS:
            pairs = coarsest * 4**options.angle_rungs
            raise SpecError(
                "continuum.angle_rungs", options.angle_rungs, f"makes {pairs} pairs; at most {MAX_PAIRS:.0e}"
            )


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
