"""Maps over two axes of a sweep: how fast, where the border is, and which kind of instability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.analyses.growth.derived import growth_in
from pairsweep.analyses.growth.pictures.rates import ARTEFACT, FADED, MISSED, RING, STATIC, growth_label
from pairsweep.contract.errors import UsageError
from pairsweep.contract.template import DONE
from pairsweep.contract.variables import POINT
from pairsweep.dataset.refined import boundary_cells
from pairsweep.dataset.select import code_of, free_axes, variable
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of
from pairsweep.drawing.picture import given, picture
from pairsweep.drawing.plane import NO_RESULT, Plane, cut_to, hatch_cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

UNDETERMINED = "undetermined"
DOTTED: dict[str, str] = {"hatch": "...", "ec": "#6B6B6B"}  # of artefacts, which prints in grey
STILL = 1e-6  # frequency of a static mode among dense eigenvalues, as a share of its growth
PHASES = (("stable", "#F3F3F3"), ("oscillating", "#56B4E9"), ("static", "#B2500C"))


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


def _draw_cells(ax: Axes, cut: Plane, refined: xr.Dataset, color: str) -> None:
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

    cut = cut_to(ds, x, y, continuous=refined is not None)
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
    cut = cut_to(ds, x, y)
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
