"""A dataset cut to two axes, as every map draws it: where labels and cells lie, borders, marks and hatching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from pairsweep.contract.fields import plain
from pairsweep.contract.template import FAILED
from pairsweep.drawing import style
from pairsweep.drawing.border import border_lines, border_steps
from pairsweep.drawing.layout import plane
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NO_RESULT = "#C9C9C9"
HATCHING = (("white", 1.8), (style.INK, 0.6))  # colour and width, inches/72, drawn in this order
MANY_CELLS = 400  # beyond, cells become an image inside a vector file
STATIC_HATCH, ARTEFACT_HATCH, FAILED_HATCH = "////", "...", "xxxx"


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a map: where its labels lie, ascending. Words, and few numbers, lie at 0, 1, 2, ..."""

    coordinate: xr.DataArray
    order: Sequence[int]
    at: Floats
    words: bool
    log: bool

    @property
    def edges(self) -> Floats:
        return style.cell_edges(self.at, log=self.log)

    def label(self, ax: Axes, which: Literal["x", "y"]) -> None:
        """Give an axis its scale, ticks, ends and text."""
        tick_axis = ax.xaxis if which == "x" else ax.yaxis
        if self.log:
            ax.set(**{f"{which}scale": "log"})
        if self.words:
            texts = [style.number(plain(self.coordinate.values[i])) for i in self.order]
            tick_axis.set_ticks(self.at, texts)
        ax.set(**{f"{which}lim": (self.edges[0], self.edges[-1])})
        tick_axis.set_label_text(style.coordinate_label(self.coordinate))


def side_of(ds: xr.Dataset, name: str, continuous: bool) -> Side:
    coordinate = ds[name]
    if coordinate.dtype.kind not in "iuf":
        return Side(
            coordinate, range(coordinate.size), np.arange(coordinate.size, dtype=np.float64), True, False
        )
    labels = coordinate.values.astype(np.float64)
    order = np.argsort(labels, kind="stable")
    few = not continuous and labels.size <= (12 if coordinate.dtype.kind in "iu" else 2)
    at = np.arange(labels.size, dtype=np.float64) if few else labels[order]
    return Side(coordinate, order.tolist(), at, few, not few and style.is_geometric(labels[order]))


@dataclass(frozen=True, eq=False)
class Plane:
    """A dataset cut to two sides; ``field(name)`` is (ny, nx), ascending."""

    ds: xr.Dataset
    x: Side
    y: Side

    def field(self, quantity: xr.DataArray) -> Floats:
        dim_x, dim_y = self.x.coordinate.dims[0], self.y.coordinate.dims[0]
        values = quantity.transpose(dim_y, dim_x).values.astype(np.float64)
        return values[np.ix_(self.y.order, self.x.order)]

    def border(self, ax: Axes, values: Floats, **look: Any) -> bool:
        """Draw the border of ``values > 0``: along words or counts a step in each, between two of these none."""
        if self.x.words and self.y.words:
            return False
        if self.x.words:
            lines = [points[:, ::-1] for points in border_steps(self.y.at, self.x.edges, values.T)]
        elif self.y.words:
            lines = border_steps(self.x.at, self.y.edges, values)
        else:
            lines = border_lines(self.x.at, self.y.at, values)
        for points in lines:
            ax.plot(points[:, 0], points[:, 1], **look)
        return bool(lines)

    def marks(self, ax: Axes, mask: Any, **look: Any) -> None:
        rows, columns = np.nonzero(mask)
        ax.plot(self.x.at[columns], self.y.at[rows], ls="none", **look)

    def cells(self, ax: Axes, values: Any, **look: Any) -> Any:
        """Draw a value a cell; masked ones are left as they are."""
        return ax.pcolormesh(
            self.x.edges, self.y.edges, values, shading="flat", rasterized=values.size > MANY_CELLS, **look
        )

    def unknown(self, ax: Axes, values: Floats) -> list[Any]:
        """Show cells without a value: grey, and crossed where the point failed; return what a key says of them."""
        ax.set_facecolor(NO_RESULT)
        missing = ~np.isfinite(values)
        failed = (
            missing & (self.field(self.ds["status"]) == FAILED) if "status" in self.ds else missing & False
        )
        hatch_cells(ax, self, failed, FAILED_HATCH)
        told = [swatch("failed", NO_RESULT, FAILED_HATCH)] if failed.any() else []
        return told + ([swatch("no result", NO_RESULT)] if (missing & ~failed).any() else [])

    def finish(self, ax: Axes) -> None:
        self.x.label(ax, "x")
        self.y.label(ax, "y")


def cut_to(ds: xr.Dataset, x: str | None, y: str | None, continuous: bool = False) -> Plane:
    """Cut to a plane; ``continuous`` sides have places between few labels too."""
    flat, x, y = plane(ds, x, y)
    return Plane(flat.load(), side_of(flat, x, continuous), side_of(flat, y, continuous))


def hatch_cells(ax: Axes, cut: Plane, mask: Any, hatch: str) -> None:
    """Hatch whole cells, dark within a white rim, so that it is seen on every colour and in grey."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    runs = []
    for row in range(mask.shape[0]):
        change = np.flatnonzero(np.diff(np.concatenate([[0], mask[row].astype(np.int8), [0]])))
        for first, last in change.reshape(-1, 2):
            x, y = cut.x.edges[[first, last]], cut.y.edges[[row, row + 1]]
            runs.append(
                Path([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]), (x[0], y[0])], closed=True)
            )
    if runs:
        whole = Path.make_compound_path(*runs)
        for color, width in HATCHING:
            ax.add_patch(
                PathPatch(whole, fc="none", ec=color, hatch=hatch, hatch_linewidth=width, lw=0, zorder=1.6)
            )


def swatch(label: str, colour: Any, hatch: str = "") -> Any:
    """Entry of a legend that stands for cells."""
    from matplotlib.patches import Patch

    return Patch(
        facecolor=colour, edgecolor=style.INK if hatch else style.MUTED, hatch=hatch, lw=0.4, label=label
    )
