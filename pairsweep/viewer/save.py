"""What is looked at as a picture, by ``ps.plot``, and as the lines that make it again."""

from __future__ import annotations

import io
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.plot.figure import TIMELESS, draw
from pairsweep.viewer.chart import RATE
from pairsweep.viewer.link import Look
from pairsweep.viewer.plane import Side, labels_of

# the kind of picture that shows a variable over two axes; one of another is drawn by xarray, in the same style
MAPS = {RATE: "growth-map", "verdict": "growth-map", "mode_kind": "phase-diagram"}
CURVES = "growth-vs"


@dataclass(frozen=True)
class Recipe:
    """How a picture is made: a kind of ``ps.plot`` with its axes, or "" for xarray; and what is kept of the data.

    Attributes
    ----------
    select : label, by axis
    ranges : least and largest label that are seen, by axis
    """

    kind: str
    variable: str
    x: str
    y: str
    select: Mapping[str, str]
    ranges: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, look: Look, sides: tuple[Side, ...], at: Mapping[str, str]) -> Recipe:
        """Give the recipe of what is looked at."""
        ranges = {}
        if look.frame is not None:
            for side, low, high in zip(sides, look.frame[::2], look.frame[1::2], strict=False):
                inside = side.at[(side.edges[1:] > low) & (side.edges[:-1] < high)]
                if inside.size and not side.evenly:
                    ranges[side.name] = float(inside[0]), float(inside[-1])
        flat = len(sides) == 2
        kind = (
            (MAPS.get(look.variable, "") if flat else CURVES)
            if all(s.name in at or True for s in sides)
            else ""
        )
        y = sides[1].name if flat else look.variable
        return cls(kind, look.variable, sides[0].name, y, dict(at), ranges)

    def figure(self, ds: xr.Dataset) -> Any:
        """Draw it with matplotlib."""
        from pairsweep.drawing import style

        if self.kind:
            return draw(self.kind, self._ranged(ds), x=self.x, y=self.y, select=self.select)
        kept = self._ranged(self._selected(ds))
        with style.context():
            import matplotlib.pyplot as plt

            figure, ax = plt.subplots(figsize=style.PANEL, layout="constrained")
            sides: dict[str, Any] = {"x": self.x} | ({} if self.y == self.variable else {"y": self.y})
            kept[self.variable].plot(ax=ax, **sides)
            return figure

    def _selected(self, ds: xr.Dataset) -> xr.Dataset:
        """Keep one position of each other dimension; beside the axes of the sweep these may be times or bins."""
        for name, label in self.select.items():
            ds = ds.isel({name: labels_of(ds, name).index(label)})
        return ds

    def _ranged(self, ds: xr.Dataset) -> xr.Dataset:
        for name, (low, high) in self.ranges.items():
            values = ds[name].values
            ds = ds.isel({name: np.flatnonzero((values >= low) & (values <= high))})
        return ds

    def file(self, ds: xr.Dataset, ending: str) -> bytes:
        """Give the bytes of a picture file, ``.png`` or ``.pdf``."""
        import matplotlib.pyplot as plt

        from pairsweep.drawing import style

        if ending not in TIMELESS:
            raise UsageError("the picture", ending, f"choose one of {', '.join(TIMELESS)}")
        figure, written = self.figure(ds), io.BytesIO()
        with style.context():
            figure.savefig(written, format=ending[1:], metadata=TIMELESS[ending])
        plt.close(figure)
        return written.getvalue()

    def command(self, store: str) -> str:
        """The command that makes it again; "" where only Python can."""
        if not self.kind or self.ranges:
            return ""
        words = [
            "pairsweep",
            "plot",
            self.kind,
            store,
            "-o",
            f"{self.variable}.pdf",
            "--x",
            self.x,
            "--y",
            self.y,
        ]
        if self.select:
            words += ["--select", ",".join(f"{name}={label}" for name, label in self.select.items())]
        return shlex.join(words)

    def python(self, ds: xr.Dataset, store: str | None) -> str:
        """The lines of Python that make it again."""
        opened = "ds = ...  # the results" if store is None else f"ds = ps.open_store({store!r})"
        lines = ["import pairsweep as ps", "", opened]
        for name, (low, high) in self.ranges.items():
            lines.append(f"ds = ds.sel({name}=(ds.{name} >= {low!r}) & (ds.{name} <= {high!r}))")
        if self.kind:
            select = f", select={dict(self.select)!r}" if self.select else ""
            lines.append(f"figure = ps.plot.draw({self.kind!r}, ds, x={self.x!r}, y={self.y!r}{select})")
            lines.append(f'ps.plot.save(figure, "{self.variable}.pdf")')
        else:
            where = {name: labels_of(ds, name).index(label) for name, label in self.select.items()}
            at = f".isel({where!r})" if where else ""
            y = "" if self.y == self.variable else f", y={self.y!r}"
            lines.append(f"ds[{self.variable!r}]{at}.plot(x={self.x!r}{y})")
        return "\n".join(lines)
