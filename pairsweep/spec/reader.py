"""A sweep specification: TOML in, checked values out.

Every key may be wrong in a file that a person wrote, so each check names the place, the value and the cure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pairsweep.analyses.base import Analysis
from pairsweep.analyses.registry import ANALYSES, variables
from pairsweep.analyses.registry import labels as labels_of_analyses
from pairsweep.contract.errors import SpecError, suggest
from pairsweep.contract.fields import Field, Parameter, Scalar, fields_of
from pairsweep.contract.template import Coordinate
from pairsweep.contract.variables import GRID_LABELS
from pairsweep.contract.view import Cells
from pairsweep.physics.grid import MAX_PAIRS, NAMED_DIRECTIONS, SHAPE_NAMES, cells, most_pairs
from pairsweep.physics.patterns.groups import CLOSURE, OF_A_GROUP
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.spec import schema
from pairsweep.spec.cases import CASE, Place, places_of, read_cases
from pairsweep.spec.checks import given_options, known_keys, missing, name_of, parameters_of, values_of
from pairsweep.spec.compose import composed, parse
from pairsweep.spec.groups import GROUPS, Groups, read_groups
from pairsweep.spec.model import Source, Spec
from pairsweep.spec.moments import read_moments
from pairsweep.spec.occupation import TABLE, check_occupation, data_files, read_occupation
from pairsweep.spec.sample import SAMPLE, read_sample
from pairsweep.spec.table import TableFile, read_table
from pairsweep.user_code.function import PLACE, UserFunction, from_callable

MAX_POINTS = 10**9
PATTERN_FIELD = Field("pattern", "text", "occupation pattern")


def read_spec(source: Source, overrides: Mapping[str, object] | None = None) -> Spec:
    """Read and check a specification.

    Parameters
    ----------
    source : path, TOML text, mapping or Spec
        A file, a text of several lines, tables as a mapping (with a function itself as ``function``, if you like), or
        what was read before.
    overrides : mapping, optional
        Keys to set, such as ``{"coupling.g": 1e-7}``; a list makes an axis, and ``occupation.function`` may be a
        function itself.

    Raises
    ------
    SpecError
        With the place, the value and the cure.
    """
    if isinstance(source, Spec) and not overrides:
        return source
    custom = source.custom if isinstance(source, Spec) else None
    given, overrides, called = _with_function_named(source, dict(overrides or {}))
    text, folder = composed(given, overrides)
    if isinstance(source, Spec):
        folder = Path(source.folder)
    if called is not None:
        names = data_files(parse(text, "specification")[TABLE].get("data", []))
        custom = from_callable(called, [str(folder.resolve() / Path(name).expanduser()) for name in names])
    if isinstance(given, Mapping) or "\n" in str(given):
        return parse_spec(text, folder=folder, custom=custom)
    try:
        return parse_spec(text, folder=folder, custom=custom, place=str(given))
    except SpecError as error:
        error.found_in(str(given))
        raise


def _with_function_named(
    source: Source, overrides: dict[str, object]
) -> tuple[str | Path | Mapping[str, object], dict[str, object], Callable[..., Any] | None]:
    """Replace a function itself, in a mapping or among the overrides, by its name, and take it along."""
    called = overrides.get(PLACE)
    if callable(called):
        overrides[PLACE] = from_callable(called).reference
        return source.text if isinstance(source, Spec) else source, overrides, called
    if isinstance(source, Spec):
        return source.text, overrides, None
    if isinstance(source, Mapping):
        occupation = source.get(TABLE)
        if isinstance(occupation, Mapping) and callable(occupation.get("function")):
            called = occupation["function"]
            named = {**occupation, "function": from_callable(called).reference}
            return {**source, TABLE: named}, overrides, called
    return source, overrides, None


def parse_spec(
    text: str,
    folder: Path | None = None,
    custom: UserFunction | None = None,
    place: str = "specification",
) -> Spec:
    """Check the text of a specification.

    Parameters
    ----------
    text : str
        TOML.
    folder : Path, optional
        Where ``function = "file.py:f"`` looks for its file; the current folder where left out.
    custom : UserFunction, optional
        Function to use instead of reading that file: how a worker gets one whose file it may not have.
    place : str
        Name of the file, for messages.
    """
    return _checked_spec(parse(text, place), text, folder or Path(), custom)


def _frame(data: dict[str, Any]) -> tuple[str, tuple[str, ...], str]:
    """Title, analyses and kind of grid of a specification whose tables are all there."""
    tables = (*schema.TABLES, *ANALYSES)
    known_keys("", data, (*schema.TOP_LEVEL, *tables))
    title = data.get("title", "")
    if not isinstance(title, str):
        raise SpecError("title", title, "must be text")
    analyses = _analyses(data.get("analyses"))
    for table in tables:
        if not isinstance(data.get(table, {}), dict):
            raise SpecError(table, data[table], f"must be a table: write [{table}]")
    for needed in ("grid", "coupling"):
        if needed not in data:
            raise SpecError(needed, None, f"is missing: add the table [{needed}]")
    kind = data["grid"].get("kind")
    if kind not in schema.KINDS:
        raise SpecError("grid.kind", kind, "choose " + " or ".join(f'"{known}"' for known in schema.KINDS))
    if kind != "beams" and "occupation" not in data:
        raise SpecError("occupation", None, "is missing: add the table [occupation] with a pattern")
    if kind == "beams" and "occupation" in data:
        raise SpecError("occupation", None, "beams carry their own rho and rhobar: remove this table")
    return title, analyses, kind


class _Given(NamedTuple):
    """Occupations that are numbers rather than a formula: of a file, or by groups; and the edges they bring."""

    source: TableFile | None
    groups: Groups | None
    edges: dict[str, tuple[float, ...]]  # that the grid may leave out


def _given_occupation(data: dict[str, Any], kind: str, folder: Path) -> _Given:
    occupation = data.get("occupation", {})
    if occupation.get("pattern") == schema.TABLE:
        source = read_table(occupation, folder)
    elif occupation.get("pattern") == schema.MOMENTS and "file" in occupation:
        source = read_moments(occupation, folder)
        if kind == "cells" and not {"cos_theta_edges", "phi_edges"} <= data["grid"].keys():
            raise SpecError("grid", None, "moments have no directions: give cos_theta_edges and phi_edges")
    elif occupation.get("pattern") == schema.MOMENTS and GROUPS in occupation:
        groups = read_groups(occupation)
        return _Given(None, groups, {"energy_edges": groups.edges})
    else:
        return _Given(None, None, {})
    return _Given(source, None, source.table.edges._asdict())


def _checked_spec(data: dict[str, Any], text: str, folder: Path, custom: UserFunction | None) -> Spec:
    title, analyses, kind = _frame(data)
    parameters: list[Parameter] = []
    groups = data.get("zip", [])
    cases = None
    if "cases" in data:
        cases = read_cases(data["cases"], data, _columns(data, kind, analyses), folder)
        data = cases.tables
        parameters.append(cases.axis)
        groups = [*groups, [CASE, *cases.columns]] if isinstance(groups, list) else groups
    sample = read_sample(data)
    if sample is not None:
        data = sample.tables
        parameters.append(sample.axis)
        groups = [*groups, [SAMPLE, *sample.names]] if isinstance(groups, list) else groups
    beams: tuple[str, ...] = ()
    edges: Cells | None = None
    used: UserFunction | None = None
    source, in_groups, edges_there = _given_occupation(data, kind, folder)
    # Axes come in the order of the file, so its tables are walked in that order.
    for table in data:
        if table == "grid" and kind == "beams":
            beams, found = _beams(data["grid"])
        elif table == "grid" and kind == "cells":
            edges, found = _cells(data["grid"], edges_there)
        elif table == "grid":
            found = parameters_of("grid", data["grid"], schema.GRID.values(), others=("kind",))
        elif table == "occupation" and source is not None:
            found = source.parameters
        elif table == "occupation" and in_groups is not None:
            found = in_groups.parameters
        elif table == "occupation":
            found, used = read_occupation(data["occupation"], folder, custom)
        elif table == "coupling":
            found = parameters_of("coupling", data["coupling"], schema.COUPLING.values())
        elif table in ANALYSES:
            analysis = ANALYSES[table]
            fixed = [field.name for field in fields_of(analysis.options)]
            found = parameters_of(table, data[table], analysis.axes, others=fixed)
        else:
            continue
        _add(parameters, found, analyses)
    options = _options(data, analyses)
    spec = Spec(
        title=title,
        analyses=analyses,
        kind="bins" if kind == "cells" else kind,
        parameters=tuple(parameters),
        zips=_zips(groups, {p.name: p for p in parameters}),
        beams=beams,
        cells=edges,
        options=options,
        custom=used,
        table=None if source is None else source.table,
        groups=None if in_groups is None else in_groups.pattern,
        labels=(
            *_free_labels("occupation.file", () if source is None else source.labels, parameters),
            *_free_labels("cases", () if cases is None else cases.labels, parameters),
        ),
        folder=str(folder.resolve()),
        cluster=data.get("cluster", {}),
        text=text,
    )
    _check_axes(spec)
    _check_size(spec)
    check_occupation(spec)
    for analysis in spec.declared():
        analysis.check(options[analysis.name], spec)
    return spec


def _analyses(names: object) -> tuple[str, ...]:
    if not isinstance(names, list) or not names:
        raise SpecError("analyses", names, f"give a list of any of: {', '.join(ANALYSES)}")
    for name in names:
        if name not in ANALYSES:
            raise SpecError("analyses", name, suggest(name, ANALYSES))
    if len(set(names)) != len(names):
        raise SpecError("analyses", names, "name each analysis once")
    return tuple(name for name in ANALYSES if name in names)


def _options(data: Mapping[str, Any], analyses: Sequence[str]) -> dict[str, Any]:
    """Options of every analysis that is computed, needed by one that is, or has its table in the file."""
    needed = {need.name for name in analyses for need in ANALYSES[name].needs}
    wanted = [a for a in ANALYSES.values() if a.name in (*analyses, *needed) or a.name in data]
    return {analysis.name: _options_of(analysis, data) for analysis in wanted}


def _options_of(analysis: Analysis, data: Mapping[str, Any]) -> Any:
    fields = fields_of(analysis.options)
    if analysis.name not in data and any(field.required for field in analysis.fields):
        raise SpecError(analysis.name, None, f"is missing: the analysis needs the table [{analysis.name}]")
    return analysis.options(**given_options(analysis.name, data.get(analysis.name, {}), fields))


def _add(parameters: list[Parameter], found: Iterable[Parameter], analyses: Sequence[str]) -> None:
    """Add parameters, each by a name of its own: it becomes the name of a coordinate.

    A label such as the time of evolution is free where its analysis is not computed: snapshots have a time too.
    """
    taken = {parameter.name: parameter.table for parameter in parameters}
    own = (label.name for name in analyses for label in ANALYSES[name].labels)
    reserved = {*variables(), *GRID_LABELS, *own}
    for parameter in found:
        place = f"{parameter.table}.{parameter.name}"
        if parameter.name in reserved:
            raise SpecError(place, parameter.name, "is the name of a variable of the results: choose another")
        if parameter.name in taken:
            cure = f"is already given in [{taken[parameter.name]}]: choose another name"
            raise SpecError(place, parameter.name, cure)
        taken[parameter.name] = parameter.table
        parameters.append(parameter)


def _refuse_reserved(place: str, name: str) -> None:
    if name in variables() or name in labels_of_analyses():
        raise SpecError(place, name, "is the name of a variable of the results: choose another")


def _columns(data: Mapping[str, Any], kind: str, analyses: Sequence[str]) -> dict[str, Place]:
    """Give the place of every parameter that a column of cases may be."""
    occupation = data.get("occupation", {})
    names = occupation.get("pattern", list(PATTERNS))
    patterns = [
        PATTERNS[name] for name in (names if isinstance(names, list) else [names]) if name in PATTERNS
    ]
    of_patterns = [PATTERN_FIELD, *(field for pattern in patterns for field in pattern.fields)]
    if GROUPS in occupation:
        of_patterns = [PATTERN_FIELD, CLOSURE]
    tables: dict[str, Iterable[Field]] = {
        "grid": schema.GRID.values() if kind == "bins" else (),
        "beams": schema.BEAM.values(),
        "occupation": () if kind == "beams" else of_patterns,
        "groups": OF_A_GROUP,
        "coupling": schema.COUPLING.values(),
        **{name: ANALYSES[name].axes for name in analyses},
    }
    return places_of(tables, data)


def _free_labels(
    place: str, labels: tuple[Coordinate, ...], parameters: Iterable[Parameter]
) -> tuple[Coordinate, ...]:
    """Refuse coordinates of a file that are called like something of the results."""
    taken = {*variables(), *labels_of_analyses(), *(parameter.name for parameter in parameters)}
    for label in labels:
        if label.name in taken:
            cure = f"its coordinate {label.name} is called like one of the results: rename or drop it there"
            raise SpecError(place, None, cure)
    return labels


def _cells(
    grid: Mapping[str, Any], there: Mapping[str, tuple[float, ...]]
) -> tuple[Cells, tuple[Parameter, ...]]:
    """Read the edges of cells, or take those that are there already; numbers of bins and the cutoff follow."""
    known_keys("grid", grid, ("kind", *schema.CELLS))
    found: dict[str, tuple[float, ...]] = {}
    grid = {**{name: list(edges) for name, edges in there.items()}, **grid}
    for field in schema.CELLS.values():
        if field.name not in grid:
            raise missing("grid", field)
        values, is_list = values_of(f"grid.{field.name}", grid[field.name], field)
        if not is_list:
            raise SpecError(f"grid.{field.name}", grid[field.name], "give a list or a range of edges, rising")
        found[field.name] = tuple(float(value) for value in values)
    try:
        shape = cells(*found.values()).shape
    except ValueError as error:
        raise SpecError("grid", None, str(error)) from None
    assert shape is not None, "cells are bins"
    follow: dict[str, Scalar] = {
        **dict(zip(SHAPE_NAMES, shape, strict=True)),
        "energy_max": found["energy_edges"][-1],
        "cell_volume": "exact",
    }
    fixed = (Parameter(name, "grid", schema.GRID[name], (value,), False) for name, value in follow.items())
    return Cells(**found), tuple(fixed)


def _beams(grid: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[Parameter, ...]]:
    known_keys("grid", grid, ("kind", "beams"))
    beams = grid.get("beams")
    if not isinstance(beams, list) or not beams or not all(isinstance(beam, dict) for beam in beams):
        raise SpecError("grid.beams", None, "is missing: add a table [[grid.beams]] for every beam")
    names: list[str] = []
    parameters: list[Parameter] = []
    for number, beam in enumerate(beams):
        place = f"grid.beams[{number}]"
        known_keys(place, beam, ("name", "direction", *schema.BEAM))
        name = name_of("beam", place, beam, names)
        names.append(name)
        parameters += _beam(place, name, beam)
    weights = [p.values for p in parameters if p.field is schema.BEAM["weight"]]
    if all(value == 0 for values in weights for value in values):
        raise SpecError("grid.beams", None, "every weight is 0: give at least one beam a phase-space volume")
    return tuple(names), tuple(parameters)


def _beam(place: str, name: str, beam: Mapping[str, Any]) -> list[Parameter]:
    data = {key: value for key, value in beam.items() if key != "name"}
    if "direction" in data:
        if "theta" in data or "phi" in data:
            raise SpecError(
                f"{place}.direction", data["direction"], "give either a direction or theta and phi"
            )
        direction = data.pop("direction")
        if direction not in NAMED_DIRECTIONS:
            choices = ", ".join(f'"{d}"' for d in NAMED_DIRECTIONS)
            raise SpecError(
                f"{place}.direction", direction, f"choose one of {choices}, or give theta and phi"
            )
        data["theta"], data["phi"] = NAMED_DIRECTIONS[direction]
    found = []
    for key, value in data.items():
        _refuse_reserved(f"{place}.{key}", f"{key}_{name}")
        values, is_axis = values_of(f"{place}.{key}", value, schema.BEAM[key])
        found.append(Parameter(f"{key}_{name}", "grid", schema.BEAM[key], values, is_axis))
    for field in schema.BEAM.values():
        if field.required and field.name not in data:
            raise missing(place, field)
    return found


def _zips(groups: object, parameters: Mapping[str, Parameter]) -> tuple[tuple[str, ...], ...]:
    if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
        raise SpecError("zip", groups, 'give a list of groups: zip = [["rho_high", "rho_low"]]')
    taken: set[str] = set()
    for group in groups:
        if len(group) < 2:
            raise SpecError("zip", group, "a group has at least two axes")
        for name in group:
            if name not in parameters:
                raise SpecError("zip", name, suggest(name, parameters))
            if not parameters[name].is_axis:
                raise SpecError("zip", name, "is a single value: only lists and ranges move together")
            if name in taken:
                raise SpecError("zip", name, "stands in two groups or twice in one: name it once")
            taken.add(name)
        lengths = {name: len(parameters[name].values) for name in group}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise SpecError("zip", group, f"axes that move together have one length, but {listed}")
    return tuple(tuple(group) for group in groups)


def _check_axes(spec: Spec) -> None:
    """Refuse labels that stand twice: a label names a point."""
    zipped = {name for group in spec.zips for name in group}
    for parameter in spec.parameters:
        if parameter.is_axis and parameter.name not in zipped:
            twice = _repeated(parameter)
            if twice is not None:
                raise SpecError(
                    f"{parameter.table}.{parameter.name}", twice, "stands twice on the axis: list it once"
                )
    for group in spec.zips:
        if _repeated(spec[group[0]]) is not None:
            rows = list(zip(*(spec[name].values for name in group), strict=True))
            if len(set(rows)) != len(rows):
                raise SpecError("zip", list(group), "the same combination stands twice: list it once")
            cure = f"{group[0]} names the dimension and repeats a value: put another axis first"
            raise SpecError("zip", list(group), cure)


def _repeated(parameter: Parameter) -> Scalar | None:
    """Give the first value that stands twice."""
    rising = parameter.column.dtype.kind in "fi" and bool((np.diff(parameter.column) > 0).all())
    if rising:  # as most axes are, however long
        return None
    _, first = np.unique(parameter.column, return_index=True)
    if first.size == parameter.column.size:
        return None
    again = np.ones(parameter.column.size, dtype=bool)
    again[first] = False
    return parameter.values[int(np.flatnonzero(again)[0])]


def _check_size(spec: Spec) -> None:
    followers = {name for group in spec.zips for name in group[1:]}
    points = math.prod(len(p.values) for p in spec.parameters if p.is_axis and p.name not in followers)
    if points > MAX_POINTS:
        raise SpecError("sweep", points, f"at most {MAX_POINTS:.0e} points: shorten or split the axes")
    pairs = most_pairs(spec)
    if pairs > MAX_PAIRS:
        raise SpecError("grid", pairs, f"pairs in one system; at most {MAX_PAIRS:.0e}: use fewer bins")
