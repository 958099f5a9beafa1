"""A checked specification as a frozen value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from pairsweep.analyses.base import Analysis
from pairsweep.analyses.registry import ANALYSES
from pairsweep.contract.display import Displayed, Shown, ends, with_units
from pairsweep.contract.fields import Parameter
from pairsweep.contract.template import Coordinate
from pairsweep.contract.view import Cells
from pairsweep.physics.patterns.base import Pattern
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.table import Table
from pairsweep.user_code.function import UserFunction

DATA = "data "  # how entries of files that a user's function reads begin


@dataclass(frozen=True, repr=False)
class Spec(Displayed):
    """A checked specification.

    Attributes
    ----------
    analyses : names of what is computed, in the order of the registry
    kind : kind of grid
    parameters : every physical value in the order of the file; those with ``is_axis`` span the sweep
    zips : groups of axes that move together
    beams : names of the beams; empty for other grids
    cells : edges of the cells, where the bins are not evenly spaced
    options : options by the name of the analysis, also of those that another one needs
    custom : the user's own occupation function, if there is one
    table : the file of occupations, if the pattern is one
    groups : the pattern of moments of groups of energies, if their numbers stand in the specification
    labels : coordinates of that file along its axes
    folder : where the specification looks for files
    cluster : the table of that name, for whoever starts jobs
    text : the file as it was read
    """

    title: str
    analyses: tuple[str, ...]
    kind: str
    parameters: tuple[Parameter, ...]
    zips: tuple[tuple[str, ...], ...]
    beams: tuple[str, ...]
    cells: Cells | None
    options: Mapping[str, Any]
    custom: UserFunction | None
    table: Table | None
    groups: Pattern | None
    labels: tuple[Coordinate, ...]
    folder: str
    cluster: Mapping[str, object]
    text: str

    def _shown(self) -> Shown:
        rows = [("analyses", ", ".join(self.analyses)), ("grid", self.kind)]
        for parameter in self.parameters:
            text = with_units(ends(parameter.values), parameter.field.units)
            rows.append((parameter.name, text + (" (axis)" if parameter.is_axis else "")))
        rows += [("zip", " with ".join(group)) for group in self.zips]
        return Shown(self.title or "(untitled)", tuple(rows))

    def __getitem__(self, name: str) -> Parameter:
        return self._by_name[name]

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @cached_property
    def _by_name(self) -> Mapping[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    def pattern(self, name: str) -> Pattern:
        """Give the pattern of occupation that goes by a name here."""
        return PATTERNS[name] if self.groups is None else self.groups

    def declared(self) -> Iterator[Analysis]:
        """Yield the declarations of what is computed."""
        return (ANALYSES[name] for name in self.analyses)

    def physics(self) -> dict[str, object]:
        """Everything that decides a number but the values of the axes and the code: entry by entry.

        Options stand there only where they differ from their defaults, so that a new one changes no old entry.
        """
        entries: dict[str, object] = {
            "kind": self.kind,
            "zips": sorted(list(group) for group in self.zips),
            "beams": list(self.beams),
            "custom": None if self.custom is None else [self.custom.name, self.custom.digest],
        }
        if self.cells is not None:
            entries |= {f"grid.{name}": list(edges) for name, edges in self.cells._asdict().items()}
        if self.table is not None:
            entries |= {f"table.{name}": value for name, value in self.table.identity().items()}
            entries[f"{DATA}{self.table.name}"] = self.table.digest
        if self.groups is not None:
            entries["occupation.energy_edges"] = list(self.groups.edges().energy)
        if self.custom is not None:
            entries |= {f"{DATA}{path}": digest for path, digest in self.custom.data_digests().items()}
        for parameter in sorted(self.parameters, key=lambda p: (p.table, p.name)):
            value = "axis" if parameter.is_axis else parameter.values[0]
            entries[f"{parameter.table}.{parameter.name}"] = value
        for name, options in self.options.items():
            for entry in fields(options):
                value = getattr(options, entry.name)
                if value != entry.default:
                    entries[f"{name}.{entry.name}"] = value
        return entries

    @cached_property
    def digest(self) -> str:
        """Hash of everything that decides a number, axis values included; titles do not count."""
        axes = {p.name: _column_digest(p) for p in self.parameters if p.is_axis}
        everything = [list(self.analyses), self.physics(), axes]
        return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:16]


def _column_digest(parameter: Parameter) -> str:
    """Hash of the values of an axis: of their bytes, since there may be millions."""
    column = parameter.column
    if column.dtype.kind in "fi":
        content = column.astype(f"<{column.dtype.kind}8").tobytes()
    else:
        content = json.dumps(parameter.values).encode()
    return hashlib.sha256(content).hexdigest()[:16]


Source = str | Path | Mapping[str, object] | Spec  # a file, TOML text, tables, or what was read before
