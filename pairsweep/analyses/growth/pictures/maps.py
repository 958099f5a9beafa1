"""Maps over two axes of a sweep: how fast, where the border is, and which kind of instability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.analyses.growth.derived import growth_in
from pairsweep.analyses.growth.pictures.rates import ARTEFACT, FADED, MISSED, RING, STATIC, growth_label
from pairsweep.contract.errors import UsageError
from pairsweep.contract.fields import plain
from pairsweep.contract.template import DONE
from pairsweep.contract.variables import POINT
from pairsweep.dataset.refined import boundary_cells
from pairsweep.dataset.select import code_of, free_axes, variable
from pairsweep.drawing import style
from pairsweep.drawing.border import border_lines, border_steps
from pairsweep.drawing.layout import dim_of, plane
from pairsweep.drawing.picture import given, picture
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

UNDETERMINED = "undetermined"
NO_RESULT = "#C9C9C9"
DOTTED: dict[str, str] = {"hatch": "...", "ec": "#6B6B6B"}  # of artefacts, which prints in grey
STILL = 1e-6  # frequency of a static mode among dense eigenvalues, as a share of its growth
PHASES = (("stable", "#F3F3F3"), ("oscillating", "#56B4E9"), ("static", "#B2500C"))


@dataclass(frozen=True, eq=False)
class _Side:
    """One side of a map: where its labels lie, ascending. Words, and few numbers, lie at 0, 1, 2, ..."""

    coordinate: xr.DataArray
    order: Sequence[int]
    at: Floats
    words: bool
    log: bool

    @property
    def edges(self) -> Floats:
        return style.cell_edges(self.at, log=self.log)


def _side(ds: xr.Dataset, name: str, continuous: bool) -> _Side:
    coordinate = ds[name]
    if coordinate.dtype.kind not in "iuf":
        return _Side(
            coordinate, range(coordinate.size), np.arange(coordinate.size, dtype=np.float64), True, False
        )
    labels = coordinate.values.astype(np.float64)
    order = np.argsort(labels, kind="stable")
    few = not continuous and labels.size <= (12 if coordinate.dtype.kind in "iu" else 2)
    at = np.arange(labels.size, dtype=np.float64) if few else labels[order]
    return _Side(coordinate, order.tolist(), at, few, not few and style.is_geometric(labels[order]))


@dataclass(frozen=True, eq=False)
class _Plane:
    """A dataset cut to two sides; ``field(name)`` is (ny, nx), ascending."""

    ds: xr.Dataset
    x: _Side
    y: _Side

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

    def finish(self, ax: Axes) -> None:
        for side, which in ((self.x, "x"), (self.y, "y")):
            tick_axis = ax.xaxis if which == "x" else ax.yaxis
            if side.log:
                ax.set(**{f"{which}scale": "log"})
            if side.words:
                texts = [style.number(plain(side.coordinate.values[i])) for i in side.order]
                tick_axis.set_ticks(side.at, texts)
            ax.set(**{f"{which}lim": (side.edges[0], side.edges[-1])})
            tick_axis.set_label_text(style.coordinate_label(side.coordinate))


def _cut(ds: xr.Dataset, x: str | None, y: str | None, continuous: bool = False) -> _Plane:
    """Cut to a plane; ``continuous`` sides have places between few labels too."""
    flat, x, y = plane(ds, x, y)
    return _Plane(flat.load(), _side(flat, x, continuous), _side(flat, y, continuous))


def growth_norm(ds: xr.Dataset, unit: str) -> Normalize:
    """Scale of the colours of `growth_map`: from 0, or logarithmic where rates span more than two decades."""
    from matplotlib.colors import LogNorm, Normalize

    rates = growth_in(ds, unit).values
    rates = rates[rates > 0]
    if not rates.size:
        return Normalize(0.0, 1.0)
    low, high = float(rates.min()), float(rates.max())
    # the square root at a border reaches down to 0: a few such points shall not stretch the scale
    usual = float(np.quantile(rates, 0.05))
    return LogNorm(max(low, 1e-6 * high), high) if high > 100 * usual else Normalize(0.0, high)


def _draw_cells(ax: Axes, cut: _Plane, refined: xr.Dataset, color: str) -> None:
    """Draw the cells that the refined points bracket the boundary with; those at the cut's place on other axes."""
    from matplotlib.collections import PolyCollection

    along = tuple(refined.attrs["refined_along"])
    sides = [str(side.coordinate.name) for side in (cut.x, cut.y)]
    if sorted(along) != sorted(sides):
        raise UsageError(
            "refined map", ", ".join(along), f"is refined along these axes, not along {', '.join(sides)}"
        )
    here = np.ones(refined.sizes[POINT], dtype=bool)
    for name, label in cut.ds.coords.items():
        if label.ndim == 0 and name in refined.coords and refined[name].dims == (POINT,):
            here &= refined[name].values == label.item()
    x, y = (along.index(side) for side in sides)
    corners = [
        [(low[x], low[y]), (high[x], low[y]), (high[x], high[y]), (low[x], high[y])]
        for low, high in boundary_cells(cut.ds, refined.isel({POINT: here}), along)
    ]
    ax.add_collection(PolyCollection(corners, facecolors=color, edgecolors=color, linewidths=0.8))


def _map_options(ds: xr.Dataset, refined: xr.Dataset | None, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"norm": growth_norm(ds, options.get("unit", "mu")), "refined": refined}


@picture("growth-map", shows=2, common=_map_options)
def growth_map(
    ds: xr.Dataset,
    ax: Axes,
    *,
    x: str | None = None,
    y: str | None = None,
    unit: str = "mu",
    norm: Normalize | None = None,
    refined: xr.Dataset | None = None,
) -> style.Key:
    """Draw the growth rate over any two axes with the instability boundary and where the crossing begins.

    Static modes are hatched. With the continuum analysis, points whose instability is an artefact of the
    discretisation are faded and dotted, points that the grid calls stable but the continuum does not carry a ring, and
    undetermined ones a small cross: all of it can be told apart in grey. Grey cells have no result.

    Parameters
    ----------
    x, y : str, optional
        Axes, or coordinates along one; the two longest numeric ones by default.
    unit : str
        See `growth_in`.
    norm : matplotlib normalisation, optional
        Given to share one scale between panels.
    refined : xarray.Dataset, optional
        Points of `pairsweep.sweep.refine` over these axes: the boundary is drawn as they bracket it.
    """
    import matplotlib as mpl

    cut = _cut(ds, x, y, continuous=refined is not None)
    quantity = growth_in(cut.ds, unit)
    growth = cut.field(quantity)
    verdicts = cut.ds["verdict"] if "verdict" in cut.ds else xr.full_like(quantity, -2)
    verdict = cut.field(verdicts)
    verdict = np.where(cut.field(cut.ds["status"]) == DONE, verdict, -2) if "status" in cut.ds else verdict
    artefact = verdict == code_of(verdicts, ARTEFACT)
    scale = norm if norm is not None else growth_norm(cut.ds, unit)
    ax.set_facecolor(NO_RESULT)
    cells: style.Look = {"shading": "flat", "rasterized": growth.size > 400}
    stable = np.ma.masked_where(~(growth == 0), growth)
    ax.pcolormesh(cut.x.edges, cut.y.edges, stable, cmap=mpl.colors.ListedColormap(["white"]), **cells)
    rates = np.ma.masked_where(~(growth > 0), growth)
    mesh = ax.pcolormesh(cut.x.edges, cut.y.edges, rates, norm=scale, cmap=style.SEQUENTIAL, **cells)
    faded = np.ma.masked_where(~artefact, np.ones(growth.shape))
    ax.pcolormesh(
        cut.x.edges, cut.y.edges, faded, cmap=mpl.colors.ListedColormap(["white"]), alpha=1 - FADED, **cells
    )
    if artefact.any():
        hatch_cells(ax, cut.x.edges, cut.y.edges, artefact, **DOTTED)
    handles = []
    static = (
        (cut.field(cut.ds["mode_kind"]) == STATIC) & (growth > 0) if "mode_kind" in cut.ds else growth < 0
    )
    if static.any():
        hatch_cells(ax, cut.x.edges, cut.y.edges, static)
        handles.append(
            mpl.patches.Patch(facecolor="none", edgecolor=style.MUTED, hatch="////", label="static mode")
        )
    line: style.Look = {"color": "#D4145A", "lw": 1.2, "solid_capstyle": "round"}
    if refined is not None:
        _draw_cells(ax, cut, refined, line["color"])
        handles.append(style.key("instability boundary, refined", **{**line, "ls": "-"}))
    elif cut.border(ax, growth, **line):
        handles.append(style.key("instability boundary", **{**line, "ls": "-"}))
    if "epn_crossing_strength" in cut.ds:
        dashed: style.Look = {"color": style.INK, "lw": 1.0, "ls": (0, (3.5, 2))}
        if cut.border(ax, cut.field(cut.ds["epn_crossing_strength"]), **dashed):
            handles.append(style.key("EPN crossing begins", **dashed))
    for meaning, text, look in (
        (MISSED, "unstable in the continuum only", RING),
        (UNDETERMINED, "undetermined", {"marker": "x", "ms": 2.8, "mec": "#E69F00", "mew": 0.6}),
    ):
        marked = verdict == code_of(verdicts, meaning)
        if marked.any():
            cut.marks(ax, marked, **look)
            handles.append(style.key(text, **look))
    if artefact.any():
        handles.append(
            mpl.patches.Patch(
                facecolor="#B5C9BF",
                edgecolor=DOTTED["ec"],
                hatch=DOTTED["hatch"],
                label="artefact of the grid",
            )
        )
    if np.isnan(growth).any():
        handles.append(mpl.patches.Patch(facecolor=NO_RESULT, edgecolor="none", label="no result"))
    if not (growth > 0).any():
        style.say_empty(ax, "nothing unstable here" if np.isfinite(growth).any() else "no point is done yet")
    elif (growth == 0).any():
        handles.append(mpl.patches.Patch(facecolor="white", edgecolor=style.MUTED, lw=0.4, label="stable"))
    cut.finish(ax)
    bar = mesh if (growth > 0).any() else None
    label = style.with_units(*growth_label(ds, unit))
    return style.Key(tuple(handles), below=True, colours=bar, colours_label=label)


def hatch_cells(
    ax: Axes, x_edges: Floats, y_edges: Floats, mask: Any, *, hatch: str = "////", ec: str = "white"
) -> None:
    """Hatch whole cells, by one patch made of the runs of cells in each row."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    runs = []
    for row in range(mask.shape[0]):
        change = np.flatnonzero(np.diff(np.concatenate([[0], mask[row].astype(np.int8), [0]])))
        for first, last in change.reshape(-1, 2):
            x, y = x_edges[[first, last]], y_edges[[row, row + 1]]
            runs.append(
                Path([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]), (x[0], y[0])], closed=True)
            )
    patch = PathPatch(Path.make_compound_path(*runs), fc="none", ec=ec, hatch=hatch, lw=0, zorder=1.6)
    ax.add_patch(patch)


def _vacua(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    """Panels of a phase diagram: a second one where growth without the vacuum's constant is known."""
    first = given(ds, x, y)
    return first + ([{**first[0], "vacuum": "subtracted"}] if "subtracted_growth_rate" in ds else [])


@picture("phase-diagram", shows=2, layers=_vacua)
def phase_diagram(
    ds: xr.Dataset, ax: Axes, *, x: str | None = None, y: str | None = None, vacuum: str = "grid"
) -> style.Key:
    """Draw which kind of mode is fastest over two axes: stable, an oscillating pair mode, or a static one.

    With ``vacuum`` = "subtracted" it is the grid without the constant that belongs to its cutoff; results of the
    continuum analysis with that option have it, and get both panels.

    By default g is along x. Where the results have ``g_static``, the coupling at which the first static mode
    sets in, its curve is drawn as well.
    """
    import matplotlib as mpl

    if x is None and y != "g" and "g" in free_axes(ds):
        x = "g"
    cut = _cut(ds, x, y)
    if vacuum == "subtracted":
        growth = cut.field(variable(cut.ds, "subtracted_growth_rate"))
        static = cut.field(variable(cut.ds, "subtracted_frequency")) <= STILL * growth
        kind = np.where(growth > 0, np.where(static, STATIC, STATIC - 1), 0)
        ax.set_title("vacuum taken out")
    else:
        growth, kind = cut.field(variable(cut.ds, "growth_rate")), cut.field(variable(cut.ds, "mode_kind"))
    kind = np.ma.masked_where(~np.isfinite(growth), kind)
    ax.set_facecolor(NO_RESULT)
    cmap = mpl.colors.ListedColormap([colour for _, colour in PHASES])
    ax.pcolormesh(cut.x.edges, cut.y.edges, kind, cmap=cmap, vmin=-0.5, vmax=2.5, rasterized=kind.size > 400)
    cut.border(ax, growth, color=style.INK, lw=1.2)
    handles = [
        mpl.patches.Patch(facecolor=colour, edgecolor=style.MUTED, lw=0.4, label=text)
        for code, (text, colour) in enumerate(PHASES)
        if (kind == code).any()
    ]
    if vacuum == "grid" and "g_static" in cut.ds and cut.x.coordinate.name == "g":
        threshold = cut.ds["g_static"].max(dim_of(cut.ds, "g"))  # the same at every g
        dashed: style.Look = {"color": style.INK, "lw": 1.2, "ls": (0, (3.5, 2))}
        ax.plot(threshold.where(np.isfinite(threshold)).values[list(cut.y.order)], cut.y.at, **dashed)
        handles.append(style.key(r"static threshold, largest eigenvalue of $D(0)$ is 1", **dashed))
    if np.isnan(growth).any():
        handles.append(mpl.patches.Patch(facecolor=NO_RESULT, edgecolor="none", label="no result"))
    if np.isnan(growth).all():
        style.say_empty(ax, "no point is done yet")
    cut.finish(ax)
    return style.Key(tuple(handles), below=True)
