"""Values that show themselves as a small table: as text in a terminal, as HTML in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import NamedTuple

WIDTH = 100  # of a row of text


class Shown(NamedTuple):
    """A title, and rows of a name and what it is."""

    title: str
    rows: tuple[tuple[str, str], ...]


class Displayed:
    """Gives a class its ``repr`` and its table in a notebook, both from ``_shown``."""

    def _shown(self) -> Shown:
        raise NotImplementedError

    def __repr__(self) -> str:
        title, rows = self._shown()
        wide = max((len(name) for name, _ in rows), default=0)
        return "\n".join([title, *(_cut(f"  {name:<{wide}}  {value}") for name, value in rows)])

    def _repr_html_(self) -> str:
        title, rows = self._shown()
        cells = "".join(
            f'<tr><th style="text-align:left">{html.escape(name)}</th>'
            f'<td style="text-align:left">{html.escape(value)}</td></tr>'
            for name, value in rows
        )
        return f"<p>{html.escape(title)}</p><table>{cells}</table>"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


def with_units(text: str, units: str) -> str:
    """Text of a value with its units, if it has any."""
    return text if units in ("", "1") else f"{text} {units}"


def ends(values: Iterable[object]) -> str:
    """First and last of some values, or all if there are few."""
    listed = [f"{v:.6g}" if isinstance(v, float) else str(v) for v in values]
    return ", ".join(listed) if len(listed) <= 4 else f"{listed[0]} ... {listed[-1]} ({len(listed):,} values)"
