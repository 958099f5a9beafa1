"""Reference pages made from the code that reads specifications, labels results and parses commands.

Each function returns Markdown. The pages are part of the tree, so that a clone can be read as it is; a test asks
whether they are fresh, and ``python docs/reference.py`` makes them so. Nothing here needs Sphinx. Usage and signatures
are written here and not by argparse and inspect, whose text is another in each Python.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pairsweep
from pairsweep.analyses.base import Analysis
from pairsweep.analyses.registry import ANALYSES, owners
from pairsweep.cli import commands as cli
from pairsweep.cli import parser as cli_parser
from pairsweep.contract.fields import Field
from pairsweep.contract.variables import GRID_LABELS, STATUS, Variable
from pairsweep.drawing.options import KEYWORDS
from pairsweep.execute import Site
from pairsweep.physics.grid import MAX_PAIRS, NAMED_DIRECTIONS
from pairsweep.physics.patterns.groups import OF_A_GROUP
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.plot import pictures
from pairsweep.points.axes import expand
from pairsweep.spec import reader as spec
from pairsweep.spec import schema
from pairsweep.spec.checks import MAX_AXIS
from pairsweep.spec.moments import MOMENT_KEYS
from pairsweep.spec.table import TABLE_KEYS

Rows = Iterable[tuple[str, ...]]

ROOT = Path(__file__).resolve().parents[1]
SWEEPS = ROOT / "sweeps"
FOLDER = ROOT / "docs" / "reference"
KINDS_OF_VALUE = {"integer": "whole number", "number": "number", "text": "text", "flag": "true or false"}

# Tables whose keys are not called after them: heading, the keys of the schema, and what stands above the list.
SPECIAL_TABLES = {
    "grid": [
        (
            'Table `[grid]` with `kind = "bins"`',
            "GRID",
            "Uniform bins in energy, cos(theta) and phi; a pair sits at the centre of each. "
            "Pairs are ordered (energy, theta, phi), energy slowest.",
        ),
        (
            'Table `[grid]` with `kind = "cells"`',
            "CELLS",
            "Cells between edges in energy, cos(theta) and phi, each a list or a range, with a pair at the centre of "
            "each and its exact volume. They hold for the whole sweep; `n_energy`, `n_theta`, `n_phi` and `energy_max` "
            'follow from them. Edges that are evenly spaced give what bins with `cell_volume = "exact"` give, bit for '
            "bit.",
        ),
        (
            'Tables `[[grid.beams]]`, with `kind = "beams"` in `[grid]`',
            "BEAM",
            "One table for each beam, in the order of the file. `name` is letters, digits and underscores; a key "
            "of a beam that gets several values becomes an axis called after both, such as `rho_x` or `theta_x`. "
            "The dataset has all beams along `beam`, in `beam_energy`, `beam_rho` and so on. "
            "Instead of `theta` and `phi` a "
            f"beam may have `direction`: {', '.join(f'`{d!r}`' for d in NAMED_DIRECTIONS)}.".replace(
                "'", '"'
            ),
        ),
    ],
    "sample": [
        (
            "Table `[sample]`",
            "SAMPLE",
            'A parameter that is given as `{ low = 0.5, high = 1.0 }`, with `spacing = "log"` for equal ratios, is '
            "drawn: one axis `sample`, a point for each draw, with the drawn values as coordinates along it. Whole "
            "numbers include both ends. Each method is a sequence of which the first `count` points are taken: a "
            "larger count keeps those that are there. The first 2, 4, 8, ... points of `sobol` are balanced, those "
            "of `latin_hypercube` lie one in each of as many equal strata of every parameter.",
        ),
    ],
}


def pages() -> dict[str, str]:
    """All generated pages by file name."""
    return {
        "specification.md": specification(),
        "dataset.md": dataset(),
        "command_line.md": command_line(),
        "python.md": python(),
        "sweeps.md": shipped_sweeps(),
        "benchmarks.md": benchmarks(),
    }


# --- the specification ------------------------------------------------------------------------------------


def specification() -> str:
    """Every table and key of a specification, and the rules of axes, ranges and zipped groups."""
    parts = [
        "# Specification",
        "A sweep is described by one TOML file. The tables below are made from the code that checks it.",
        _spec_rules(),
        "## Top level",
        "These keys stand above the first table.",
        _table(
            ("key", "meaning"),
            ((f"`{key}`", meaning + _listed(key)) for key, meaning in schema.TITLE_KEYS.items()),
        ),
    ]
    for table in schema.TABLES:
        parts += _spec_table(table)
    for analysis in ANALYSES.values():
        parts += [f"## Table `[{analysis.name}]`", f"For the analysis `{analysis.name}`: {analysis.meaning}."]
        parts += [_fields(analysis.fields)]
    return _page(parts)


def _listed(key: str) -> str:
    return ": " + ", ".join(f'`"{name}"`' for name in ANALYSES) if key == "analyses" else ""


def _spec_rules() -> str:
    return f"""## Axes, ranges, groups

- Any key marked *axis* may hold a single value, a list, or a range; a list or a range makes an axis of the sweep,
  called after the key. Every combination of the axes is a point.
- A range is `{{ start = 0.5, stop = 1.0, num = 51 }}`: `num` values, both ends included. Add `spacing = "log"` for
  equal ratios instead of equal distances; both ends are then above 0. A range of a whole number must step through
  whole numbers.
- A single value becomes a scalar coordinate of the dataset; a list of one is an axis of length 1.
- Axes stand in the order of the file. No value may stand twice on an axis.
- `zip = [["n_energy", "e_low", "e_high"]]` lets axes of one length move together: one dimension, called after the
  first, with the others as coordinates along it. An axis is in one group at most.
- An axis has at most {MAX_AXIS:,} values, a sweep at most {spec.MAX_POINTS:,} points, a system at most
  {MAX_PAIRS:,} pairs.
- An unknown key, a wrong type or a value outside its limits ends with one line: the place, the value, the cure."""


def _spec_table(table: str) -> list[str]:
    if table == "occupation":
        return _patterns()
    if table == "cluster":
        return _cluster()
    listed = SPECIAL_TABLES.get(table) or [(f"Table `[{table}]`", table.upper(), "")]
    parts = []
    for heading, name, text in listed:
        fields: Mapping[str, Field] | None = getattr(schema, name, None)
        if fields is not None:
            parts += [f"## {heading}", text, _fields(fields.values())]
    return parts


def _patterns() -> list[str]:
    parts = [
        "## Table `[occupation]`",
        "Only for bins; beams carry their own `rho` and `rhobar`. `pattern` chooses one of the patterns below; a list "
        "of patterns is an axis too, and the table then holds the keys of all of them.",
        "**rhobar is the occupation of the antineutrino of momentum -p**, the partner in its pair of the neutrino of "
        "momentum p at (theta, phi). Antineutrinos by their own direction are turned round first: they are read at "
        "(pi - theta, phi + pi). [Occupations of your own](../occupations.md) has an example in which it matters.",
    ]
    for pattern in PATTERNS.values():
        parts += [
            f'### `pattern = "{pattern.name}"`',
            inspect.getdoc(pattern.function) or "",
            _fields(pattern.fields),
        ]
    parts += [f'### `pattern = "{schema.CUSTOM}"`', _CUSTOM]
    parts += [
        f'### `pattern = "{schema.MOMENTS}"` with tables `[[occupation.groups]]`',
        _MOMENTS_OF_GROUPS,
        _fields(OF_A_GROUP),
        f'### `pattern = "{schema.MOMENTS}"` with a file',
        _MOMENTS_OF_FILE,
        _fields(MOMENT_KEYS.values()),
    ]
    return [*parts, f'### `pattern = "{schema.TABLE}"`', _TABLE_OF_FILE, _fields(TABLE_KEYS.values())]


_CUSTOM = """
Your own function: `function = "file.py:f"` (looked for beside the specification) or `"module:f"`. It is
called as `f(energy, theta, phi, **parameters)` with arrays over all pairs (MeV, radians) and returns `(rho,
rhobar)`, each between 0 and 1. Every other key of the table but `data` is passed on as a parameter, whatever
its name, and may be an axis; whole numbers stay whole. Tables `units = { radius = "km" }` and
`labels = { radius = '$r$' }` say what they are measured in and how pictures write them; neither decides a number.

It is a real module: what lies beside it or the specification can be imported, from any folder and under every
scheduler. It is called twice at the first point by `plan` and before anything is stored: what no point can be
computed with is refused then, and what fails there is said.

What it imports from beside it and the files it reads belong to what a store is checked against, and travel to
the workers (data of more than 4 MiB in all stay where they are). Files that it opens in that first call are
found; others are named in `data = ["table.h5"]`, as where a C library opens them. Comments and layout do not
count. Steps of the occupation in energy are declared by `f.energy_edges(**parameters)`, MeV."""


_MOMENTS_OF_GROUPS = """
Moments of groups of energies whose numbers stand in the specification: `energy_edges = [0.0, 5.0, 20.0]` in
`[occupation]` are the edges of the groups, MeV, and a table for each, by rising energy, has its `name` and its
moments. A key that gets several values becomes an axis called after both, such as `flux_factor_soft`. Each group has
`mean_occupation` or `number_density`, and a `flux_factor`; what antineutrinos have is that of neutrinos where it is
left out. Cells whose `energy_edges` are left out have the groups' edges; on another grid the occupation is taken at
the centres. Nothing lies beyond the last group. `closure` is one for all."""


_MOMENTS_OF_FILE = """
Numbers and fluxes of neutrinos in groups of energies, as of a transport with two moments. Other dimensions, units,
`dims`, `units` and `edges` are as for a table. A flux is one number along z (or along `flux_theta` and `flux_phi`),
negative where it points the other way, or has a dimension of three components; that of antineutrinos is their own,
and is turned round in the pair's label. Fluxes are in units of the densities (over c), or per area and time. Edges of
angles are those of `[grid]`; a group is a step in energy, and the closed occupation is taken at the centres of the
angles."""


_TABLE_OF_FILE = """
Occupations that stand in a file, over energy, cos(theta) (or theta) and phi; without an angle they do not
depend on it. Its other dimensions become axes with all their coordinates, and may be chosen from by a key of
their name. The cells have the edges of the file: CF bounds, a variable such as `energy_edges`, or halfway
between even centres; with `kind = "cells"` and no edges in `[grid]` they are the grid, onto any other grid
the numbers in its cells are kept. What the file does not tell, the table does, by the names of its dimensions:

- `dims = { energy = "frequency" }` for dimensions of other names; for plain HDF5, whose dimensions have none, all
  those of `rho` in their order: `dims = ["radius", "energy", "cos_theta", "phi"]`
- `units = { energy = "erg" }` for units
- `edges = { energy = [0, 2, 5, 11, 20] }` for edges, or the name of their variable: `edges = { energy = "grid" }`

CSV has a row for each cell. Its headings may have units, as in `energy (MeV)`; a column that another one decides, such
as the density of a zone, goes along with it. Nothing lies beyond the last energy. The bytes of the file belong to the
digest."""


def _cluster() -> list[str]:
    """Keys of a site: a dataclass of its own, whose docstring says what they mean, some of them together."""
    meanings: dict[str, str] = {}
    for line in (inspect.getdoc(Site) or "").split("-\n", 1)[1].splitlines():
        names, colon, meaning = line.partition(" : ")
        if colon:
            meanings |= dict.fromkeys(names.split(", "), meaning)
    defaults = {field.name: field.default for field in dataclasses.fields(Site)}
    kinds = {int: "whole number", tuple: "list of text"}
    return [
        "## Table `[cluster]`",
        "What the jobs of a batch system are like, for `--scheduler slurm` and its relatives. It decides no number, "
        "so it may change between two runs of one store; it may also stand in a file of its own (`--cluster FILE`).",
        _table(
            ("key", "type", "default", "meaning"),
            (
                (
                    f"`{name}`",
                    kinds.get(type(default), "text"),
                    "may be left out" if default is None else f"`{json.dumps(default)}`",
                    meanings[name],
                )
                for name, default in defaults.items()
            ),
        ),
    ]


def _fields(fields: Iterable[Field]) -> str:
    return _table(
        ("key", "type", "units", "limits", "default", "axis", "meaning"),
        (
            (
                f"`{field.name}`",
                KINDS_OF_VALUE[field.kind],
                _units(field.units),
                _limits(field),
                _default(field),
                "axis" if field.axis else "",
                field.meaning,
            )
            for field in fields
        ),
    )


def _limits(field: Field) -> str:
    if field.choices:
        return ", ".join(f'`"{choice}"`' for choice in field.choices)
    low = high = ""
    if field.minimum is not None:
        low = f"{'>' if field.open_below else '≥'} {field.minimum:g}"
    if field.maximum is not None:
        high = f"≤ {field.maximum:g}"
    return ", ".join(filter(None, (low, high)))


def _default(field: Field) -> str:
    if field.default is None:
        return "**needed**" if field.required else "may be left out"
    return f"`{field.default:g}`" if isinstance(field.default, float) else f"`{json.dumps(field.default)}`"


# --- the dataset ------------------------------------------------------------------------------------------


def dataset() -> str:
    """Every dimension, coordinate and variable of a store, by analysis."""
    parts = [
        "# Dataset",
        _DATASET_RULES,
        "## Dimensions and coordinates",
        "Beside the axes of the sweep, which carry the names, units and meanings of their keys:",
        _table(
            ("name", "units", "meaning"),
            (
                (f"`{label.name}`", _units(label.units), label.meaning)
                for label in (*GRID_LABELS.values(), *(x for a in ANALYSES.values() for x in a.labels))
            ),
        ),
    ]
    parts += ["## In every store", _variables([STATUS])]
    for analysis in ANALYSES.values():
        parts += _analysis_variables(analysis)
    flagged = [variable for _, variable in owners() if variable.flags]
    parts += ["## Codes", _table(("variable", "values"), ((f"`{v.name}`", _flags(v)) for v in flagged))]
    return _page(parts)


def _analysis_variables(analysis: Analysis) -> list[str]:
    """Variables of an analysis: always computed ones first, then each condition with its own."""
    parts = [f'## Variables of `"{analysis.name}"`']
    for condition in dict.fromkeys(v.condition for v in analysis.variables):
        if condition:
            parts.append(f"Where the table `[{analysis.name}]` has `{condition}`:")
        parts.append(_variables([v for v in analysis.variables if v.condition == condition]))
    return parts


_DATASET_RULES = """
A store is a zarr folder (version 3) that `xarray.open_zarr` opens without pairsweep. The tables below are made
from the declarations the code labels its results with.

- The first dimensions of every variable are the axes of the sweep, in the order of the specification; the column
  *more dimensions* lists what follows them.
- Units are the `units` attribute, in MeV and its powers (natural units); the meaning is `long_name`. Codes are small
  integers with the CF attributes `flag_values` and `flag_meanings`.
- A point that is not computed yet has `status` 0 and holds NaN, or 0 for integers: ask `status`, never the NaN.
- Bins of a system with fewer energy bins than the longest are NaN along `energy_bin`.
- The root's attributes hold the title, the whole specification, its digest, versions and the history."""


def _variables(variables: Iterable[Variable]) -> str:
    return _table(
        ("variable", "more dimensions", "units", "type", "grids", "meaning"),
        (
            (
                f"`{v.name}`",
                ", ".join(f"`{dim}`" for dim in v.trailing),
                "code" if v.flags else _units(v.units),
                v.dtype,
                ", ".join(v.kinds) or "all",
                v.meaning,
            )
            for v in variables
        ),
    )


def _flags(variable: Variable) -> str:
    return ", ".join(f"{value} {meaning}" for value, meaning in enumerate(variable.flags))


# --- the command line -------------------------------------------------------------------------------------


def command_line() -> str:
    """Every command with its options, from the parser itself."""
    parts = [
        "# Command line",
        "A summary goes to standard output, progress to standard error.",
        _table(
            ("exit code", "meaning"),
            (
                (str(cli.DONE), "done"),
                (str(cli.SOME_FAILED), "some points failed; they are recorded with their reasons"),
                (
                    str(cli_parser.UNUSABLE),
                    "an unusable specification, store or option: one line says what to change",
                ),
                (str(cli.INTERRUPTED), "interrupted; what is done is kept"),
            ),
        ),
    ]
    for name, command, summary in commands(cli_parser.parser()):
        parts += [
            f"## `{command.prog}`",
            _sentence(summary),
            _code(_usage(command), "sh"),
            _arguments(command),
        ]
        if name == "plot":
            parts += ["The kinds of picture:", _kinds()]
    return _page(parts)


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Yield name, parser and help of every command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            help_of = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield name, command, help_of.get(name, "")


def _usage(command: argparse.ArgumentParser) -> str:
    """The command with what it needs; options are in the table."""
    words = [command.prog]
    for action in command._actions:
        name = action.metavar or action.dest.upper()
        if action.option_strings and action.required:
            words.append(f"{action.option_strings[-1]} {name}")
        elif not action.option_strings:
            several = {"*": f"[{name} ...]", "+": f"{name} [{name} ...]", "?": f"[{name}]"}
            words.append(several.get(str(action.nargs), str(name)))
    return " ".join([*words, "[OPTIONS]"])


def _arguments(command: argparse.ArgumentParser) -> str:
    actions = [a for a in command._actions if not isinstance(a, argparse._HelpAction)]
    rows = []
    for action in actions:
        value = f" {action.metavar or action.dest.upper()}" if action.nargs != 0 else ""
        names = ", ".join(action.option_strings)
        shown = f"{names}{value}" if names else value.strip()
        rows.append((f"`{shown}`", action.help or ""))
    return _table(("argument", "meaning"), rows)


def _kinds() -> str:
    return _table(
        ("kind", "shows"), ((f"`{kind}`", _summary(picture)) for kind, picture in pictures().items())
    )


# --- Python -----------------------------------------------------------------------------------------------

GROUPS = {
    "Sweeps": (
        "run",
        "plan",
        "status",
        "verify",
        "errors",
        "point",
        "Point",
        "refine",
        "read_spec",
        "Where",
        "Tls",
    ),
    "One system": (
        "bins",
        "cells",
        "beams",
        "Grid",
        *PATTERNS,
        "growth",
        "modes",
        "project",
        "evolve",
        "inhomogeneous",
        "compare",
        "Comparison",
    ),
    "Handing results over": ("pack", "unpack", "Packed"),
    "Reading results": (
        "open_store",
        "view",
        "combine",
        "reduce",
        "select",
        "summary",
        "derived",
        "boundary",
    ),
    "Errors": ("UsageError", "SpecError", "StoreError", "ExecuteError", "EvolutionError", "UserCodeError"),
}


def python() -> str:
    """Everything public, by subject, from signatures and docstrings."""
    public = [name for name in pairsweep.__all__ if not inspect.ismodule(getattr(pairsweep, name))]
    listed = {name for names in GROUPS.values() for name in names}
    groups = {title: [name for name in names if name in public] for title, names in GROUPS.items()}
    groups["More"] = [name for name in public if name not in listed]
    parts = [
        "# Python",
        "`import pairsweep as ps` loads none of the heavy packages; they come with the first use.",
    ]
    for title, names in groups.items():
        if names:
            parts.append(f"## {title}")
            parts += [_documented(f"ps.{name}", getattr(pairsweep, name)) for name in names]
    for module in (name for name in pairsweep.__all__ if name not in public):
        parts.append(f"## `ps.{module}`")
        parts += _members(f"ps.{module}", getattr(pairsweep, module))
    parts += [
        "Every kind of picture below takes these keywords of matplotlib beside its own options:",
        _table(("keyword", "what it does"), ((f"`{name}`", told) for name, told in KEYWORDS.items())),
    ]
    parts += [
        _documented(f"ps.plot.{kind.replace('-', '_')}", picture) for kind, picture in pictures().items()
    ]
    return _page(parts)


def _members(path: str, module: object) -> list[str]:
    """Public functions of a module that are not already documented at the top."""
    names = getattr(module, "__all__", None) or [
        name
        for name, member in vars(module).items()
        if not name.startswith("_") and inspect.isfunction(member) and member.__module__ == module.__name__
    ]
    return [
        _documented(f"{path}.{name}", getattr(module, name))
        for name in names
        if name not in pairsweep.__all__ and callable(getattr(module, name))
    ]


def _documented(path: str, member: Callable[..., object]) -> str:
    parts = [
        f"### {path}",
        _code(f"{path}{_signature(member)}", "text"),
        numpydoc(inspect.getdoc(member) or ""),
    ]
    if inspect.isclass(member):
        own = {n: m for n, m in vars(member).items() if not n.startswith("_") and inspect.getdoc(m)}
        items = [
            f"- `.{name}{'' if isinstance(m, property) else _signature(m)}`: {_summary(m)}"
            for name, m in own.items()
            if isinstance(m, property) or inspect.isfunction(m)
        ]
        parts.append("\n".join(items))
    return "\n\n".join(filter(None, parts))


def _signature(member: Callable[..., object]) -> str:
    """Parameters and defaults; types and shapes are in the docstring."""
    if inspect.isclass(member) and issubclass(member, Exception):
        return ""  # raised here, caught there, made by nobody else
    listed: list[str] = []
    for parameter in inspect.signature(member).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not any(text.startswith("*") for text in listed):
            listed.append("*")
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        listed.append(f"{stars}{parameter.name}{default}")
    return f"({', '.join(listed)})"


PROSE = ("Notes", "References", "Examples")


def numpydoc(text: str) -> str:
    """Turn a numpydoc docstring into Markdown: its sections become lists, their entries as they are written."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", text, flags=re.MULTILINE)
    done = [parts[0].strip()]
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        content = body.strip("\n") if title in PROSE else "\n".join(_entries(body))
        done.append(f"**{title}**\n\n{content}")
    return "\n\n".join(done)


def _entries(body: str) -> Iterator[str]:
    """Items of a list: ``name : kind`` at the margin, and below it, further in, what it means."""
    entries: list[tuple[str, list[str]]] = []
    for line in filter(None, body.rstrip().splitlines()):
        if line.startswith(" "):
            entries[-1][1].append(line.strip())
        else:
            entries.append((line, []))
    for head, told in entries:
        name, _, kind = head.partition(" : ")
        meaning = " ".join(told)
        yield f"- **{name}**" + (f" ({kind})" if kind and meaning else "") + f": {meaning or kind}"


# --- the sweeps that come with the package ----------------------------------------------------------------


def shipped_sweeps() -> str:
    """Title, question and number of points of every specification in sweeps/."""
    parts = ["# Shipped sweeps", "Each file in `sweeps/` opens with the question it answers."]
    for path in sorted(SWEEPS.glob("*.toml")):
        text = path.read_text("utf-8")
        comment = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
        sweep = expand(spec.parse_spec(text, folder=SWEEPS))
        axes = ", ".join(f"`{name}` ({size})" for name, size in zip(sweep.names, sweep.shape, strict=True))
        parts += [
            f"## {path.name}",
            f"*{sweep.spec.title}.* {sweep.n_points:,} points: {axes}.",
            "\n".join(line.removeprefix("#").strip() for line in comment),
        ]
    return _page(parts)


# --- benchmarks -------------------------------------------------------------------------------------------


def benchmarks() -> str:
    """What each script of scripts/benchmarks measures, by its own words."""
    parts = ["# Benchmarks", _MEASURING]
    for path in sorted((ROOT / "scripts" / "benchmarks").glob("*.py")):
        told = ast.get_docstring(ast.parse(path.read_text("utf-8")))
        parts += [
            f"## {path.name}",
            _code(f"python scripts/benchmarks/{path.name}", "sh"),
            f"```text\n{told}\n```",
        ]
    return _page(parts)


_MEASURING = """
Speed depends on the machine, so this page quotes no numbers: the scripts measure on yours, side by side with what they
are compared with. Hold the libraries to one thread first: `export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1`. Single
runs are noisy; the scripts print medians or minima. Compare ratios measured in one run, not numbers of different days.

Beside them, `scripts/chaos` tries every promise of the engine against its fault, many times, and
`scripts/continuum/account.py` prints the tables of [the continuum](../continuum.md)."""


# --- Markdown ---------------------------------------------------------------------------------------------


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _code(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


def _table(head: tuple[str, ...], rows: Rows) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _units(units: str) -> str:
    return "" if units in ("", "1") else units


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _summary(member: Callable[..., object]) -> str:
    return (inspect.getdoc(member) or "").split("\n\n")[0].replace("\n", " ")


def write() -> None:
    """Write the pages; one that is as it should be is not touched, so that it is not built again."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        page = FOLDER / name
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
