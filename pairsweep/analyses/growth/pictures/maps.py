"""Maps over two axes of a sweep: how fast, where the border is, and which kind of instability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.analyses.growth.derived import growth_in
from pairsweep.analyses.growth.pictures.rates import ARTEFACT, MISSED, RING, STATIC, growth_label
from pairsweep.contract.errors import UsageError
from pairsweep.contract.template import DONE
from pairsweep.contract.variables import POINT
from pairsweep.dataset.refined import boundary_cells
from pairsweep.dataset.select import code_of, free_axes, variable
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, emptiness
from pairsweep.drawing.picture import given, picture
from pairsweep.drawing.plane import ARTEFACT_HATCH, STATIC_HATCH, Plane, cut_to, hatch_cells, swatch
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

UNDETERMINED = "undetermined"
CROSS: style.Look = {"marker": "x", "ms": 2.8, "mec": "#E69F00", "mew": 0.6}
STILL = 1e-6  # frequency of a static mode among dense eigenvalues, as a share of its growth
PHASES = (("stable", "#F3F3F3"), ("oscillating", "#56B4E9"), ("static", "#B2500C"))


def growth_norm(ds: xr.Dataset, unit: str) -> Normalize:
    """Scale of the colours of `growth_map`: from 0, or logarithmic where that would leave most rates one colour."""
    from matplotlib.colors import LogNorm, Normalize

    rates = growth_in(ds, unit).values
    rates = rates[rates > 0]
    if not rates.size:
        return Normalize(0.0, 1.0)
    low, high = float(rates.min()), float(rates.max())
    # the square root at a border reaches down to 0: a few such points shall not stretch the scale
    usual = float(np.quantile(rates, 0.05))
    if high > 100 * usual or high > 8 * float(np.median(rates)):
        return LogNorm(max(low, 0.1 * usual), high)
    return Normalize(0.0, high)


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
    return {"scale": growth_norm(ds, options.get("unit", "mu")), "refined": refined}


@picture("growth-map", shows=2, common=_map_options)
def growth_map(
    ds: xr.Dataset,
    ax: Axes,
    *,
    x: str | None = None,
    y: str | None = None,
    unit: str = "mu",
    scale: Normalize | None = None,
    refined: xr.Dataset | None = None,
) -> style.Key:
    """Draw the growth rate over any two axes with the instability boundary and where the crossing begins.

    Static modes are hatched. With the continuum analysis, points whose instability is an artefact of the
    discretisation are dotted, points that the grid calls stable but the continuum does not carry a ring, and
    undetermined ones a small cross: all of it can be told apart in grey. Grey cells have no result.

    Parameters
    ----------
    x, y : str, optional
        Axes, or coordinates along one; the two longest numeric ones by default.
    unit : str
        See `growth_in`.
    scale : matplotlib normalisation, optional
        Given to share one scale between panels.
    refined : xarray.Dataset, optional
        Points of `pairsweep.sweep.refine` over these axes: the boundary is drawn as they bracket it.
    """
    import matplotlib as mpl

    cut = cut_to(ds, x, y, continuous=refined is not None)
    quantity = growth_in(cut.ds, unit)
    growth = cut.field(quantity)
    scale = scale if scale is not None else growth_norm(cut.ds, unit)
    stable = np.ma.masked_where(~(growth == 0), growth)
    cut.cells(ax, stable, cmap=mpl.colors.ListedColormap(["white"]))
    mesh = cut.cells(
        ax, np.ma.masked_where(~(growth > 0), growth), norm=scale, cmap=mpl.colormaps[style.SEQUENTIAL]
    )
    handles = []
    if "mode_kind" in cut.ds:
        static = (cut.field(cut.ds["mode_kind"]) == STATIC) & (growth > 0)
        hatch_cells(ax, cut, static, STATIC_HATCH)
        handles += [swatch("static mode", "none", STATIC_HATCH)] if static.any() else []
    handles += _borders(ax, cut, growth, refined)
    handles += _verdicts(ax, cut)
    unknown = cut.unknown(ax, growth)
    if not (growth > 0).any():
        style.say_empty(ax, emptiness(ds, known=bool(np.isfinite(growth).any())))
    elif (growth == 0).any():
        handles.append(swatch("stable", "white"))
    cut.finish(ax)
    bar = mesh if (growth > 0).any() else None
    label = style.with_units(*growth_label(ds, unit))
    return style.Key(tuple(handles + unknown), below=True, colours=bar, colours_label=label, data=(mesh,))


def _borders(ax: Axes, cut: Plane, growth: Floats, refined: xr.Dataset | None) -> list[Any]:
    """Draw where growth begins and where the EPN begins to change its sign."""
    handles = []
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
    return handles


def _verdicts(ax: Axes, cut: Plane) -> list[Any]:
    """Mark what the continuum says: artefacts are dotted, what the grid misses has a ring, what is open a cross."""
    if "verdict" not in cut.ds:
        return []
    verdicts = cut.ds["verdict"]
    verdict = np.where(cut.field(cut.ds["status"]) == DONE, cut.field(verdicts), -2)
    handles = []
    # then verdicts are on other growth rates than those in the colours
    of = ", vacuum taken out" if "subtracted_growth_rate" in cut.ds else ""
    artefact = verdict == code_of(verdicts, ARTEFACT)
    if artefact.any():
        hatch_cells(ax, cut, artefact, ARTEFACT_HATCH)
        handles.append(swatch("artefact of the grid" + of, "none", ARTEFACT_HATCH))
    for meaning, text, look in (
        (MISSED, "unstable in the continuum only", RING),
        (UNDETERMINED, "undetermined", CROSS),
    ):
        marked = verdict == code_of(verdicts, meaning)
        if marked.any():
            cut.marks(ax, marked, **look)
            handles.append(style.key(text + of, **look))
    return handles


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
    cmap = mpl.colors.ListedColormap([colour for _, colour in PHASES])
    mesh = cut.cells(ax, kind, cmap=cmap, vmin=-0.5, vmax=2.5)
    handles = [swatch(text, colour) for code, (text, colour) in enumerate(PHASES) if (kind == code).any()]
    line: style.Look = {"color": style.INK, "lw": 1.2}
    if cut.border(ax, growth, **line):
        handles.append(style.key("instability boundary", **{**line, "ls": "-"}))
    if vacuum == "grid" and "g_static" in cut.ds and cut.x.coordinate.name == "g":
        threshold = cut.ds["g_static"].max(dim_of(cut.ds, "g"))  # the same at every g
        dashed: style.Look = {"color": style.INK, "lw": 1.2, "ls": (0, (3.5, 2))}
        ax.plot(threshold.where(np.isfinite(threshold)).values[list(cut.y.order)], cut.y.at, **dashed)
        handles.append(style.key(r"static threshold, largest eigenvalue of $D(0)$ is 1", **dashed))
    handles += cut.unknown(ax, growth)
    if np.isnan(growth).all():
        style.say_empty(ax, emptiness(ds))
    cut.finish(ax)
    return style.Key(tuple(handles), below=True, data=(mesh,))
