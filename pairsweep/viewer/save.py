"""What is looked at as a picture, by ``ps.plot``, and as the lines that make it again."""

from __future__ import annotations

import ast
import io
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.dataset.select import axes
from pairsweep.plot.figure import TIMELESS, draw
from pairsweep.viewer.link import Look
from pairsweep.viewer.plane import RATE, Side, labels_of

# The kind of picture of a variable over two axes. Over times or bins there is none: xarray draws it, in the same style.
MAPS, OTHER_MAPS, CURVES = {RATE: "growth-map", "mode_kind": "phase-diagram"}, "map", "growth-vs"
Ends = tuple[float, float]


@dataclass(frozen=True)
class Recipe:
    """How a picture is made.

    Attributes
    ----------
    kind : of ``ps.plot``; "" for xarray
    variable, x, y : what is drawn, along which; y is the variable itself where it is a curve
    select : label, by the axes that are no side
    ends : least and largest place that is seen, by "x" and "y"
    scales : "linear" or "log" where that was chosen, by "x" and "y"
    """

    kind: str
    variable: str
    x: str
    y: str
    select: Mapping[str, str]
    ends: Mapping[str, Ends]
    scales: Mapping[str, str]

    @classmethod
    def of(cls, ds: xr.Dataset, look: Look, sides: tuple[Side, ...], at: Mapping[str, str]) -> Recipe:
        """Give the recipe of what is looked at."""
        variable, flat = look.variable, len(sides) == 2
        kind = ""
        if set(ds[variable].dims) <= set(axes(ds)):
            kind = MAPS.get(variable, OTHER_MAPS) if flat else CURVES
        ends = {}
        if look.frame is not None:
            seen = zip("xy", sides, (look.frame[:2], look.frame[2:]), strict=False)
            ends = {which: ends for which, side, ends in seen if not side.evenly}
        chosen = zip("xy", (look.x_scale, look.y_scale), sides, strict=False)
        scales = {
            which: scale
            for which, scale, side in chosen
            if not side.evenly and (scale == "linear" or (scale == "log" and side.log))
        }
        return cls(kind, variable, sides[0].name, sides[1].name if flat else variable, dict(at), ends, scales)

    @property
    def _options(self) -> dict[str, Any]:
        """Keywords of ``ps.plot.draw`` beside the sides and the selection."""
        options: dict[str, Any] = {"variable": self.variable} if self.kind == OTHER_MAPS else {}
        return options | self._limits

    @property
    def _limits(self) -> dict[str, Any]:
        scales = {f"{which}scale": scale for which, scale in self.scales.items()}
        return scales | {f"{which}lim": ends for which, ends in self.ends.items()}

    @property
    def _sides(self) -> dict[str, str]:
        """Keywords of xarray's plot."""
        return {"x": self.x} | ({} if self.y == self.variable else {"y": self.y})

    def _positions(self, ds: xr.Dataset) -> dict[str, int]:
        return {name: labels_of(ds, name).index(label) for name, label in self.select.items()}

    def _labels(self, ds: xr.Dataset) -> dict[str, Any]:
        """The selection in numbers, where labels are numbers."""
        return {
            name: ast.literal_eval(label) if name in ds.coords and ds[name].dtype.kind in "iuf" else label
            for name, label in self.select.items()
        }

    def figure(self, ds: xr.Dataset) -> Any:
        """Draw it with matplotlib."""
        if self.kind:
            return draw(self.kind, ds, x=self.x, y=self.y, select=self.select, **self._options)
        from pairsweep.drawing import style

        with style.context():
            import matplotlib.pyplot as plt

            figure, ax = plt.subplots(figsize=style.PANEL, layout="constrained")
            looks: dict[str, Any] = {**self._sides, **self._limits}
            ds[self.variable].isel(self._positions(ds)).plot(ax=ax, **looks)
            return figure

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
        if not self.kind or "linear" in self.scales.values():
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
        if self.kind == OTHER_MAPS:
            words += ["--variable", self.variable]
        if self.select:
            words += ["--select", ",".join(f"{name}={label}" for name, label in self.select.items())]
        if self.scales:
            words += ["--log", ",".join(self.scales)]
        if self.ends:
            ranges = (f"{which}={low!r}..{high!r}" for which, (low, high) in self.ends.items())
            words += ["--range", ",".join(ranges)]
        return shlex.join(words)

    def python(self, ds: xr.Dataset, store: str | None) -> str:
        """The lines of Python that make it again."""
        opened = "ds = ...  # the results" if store is None else f"ds = ps.open_store({store!r})"
        lines = ["import pairsweep as ps", "", opened]
        if self.kind:
            given: dict[str, Any] = {"x": self.x, "y": self.y}
            given |= ({"select": self._labels(ds)} if self.select else {}) | self._options
            lines.append(f"figure = ps.plot.draw({self.kind!r}, ds, {_keywords(given)})")
            lines.append(f'ps.plot.save(figure, "{self.variable}.pdf")')
        else:
            at = f".isel({self._positions(ds)!r})" if self.select else ""
            lines.append(f"ds[{self.variable!r}]{at}.plot({_keywords({**self._sides, **self._limits})})")
        return "\n".join(lines)


def _keywords(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in given.items())
