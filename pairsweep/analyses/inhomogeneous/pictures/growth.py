"""Growth rates over wave vectors: lines against k, maps, and the sphere of directions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.analyses.inhomogeneous.analysis import VERDICTS
from pairsweep.contract.errors import UsageError
from pairsweep.dataset.select import variable
from pairsweep.dataset.units import STORED, in_unit
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, emptiness, line, number_axis, one_point_each
from pairsweep.drawing.picture import given, picture
from pairsweep.drawing.plane import ARTEFACT_HATCH, NO_RESULT, cut_to, hatch_cells, swatch
from pairsweep.drawing.series import Lines, as_distribution, middle
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

MANY_LABELS = 60  # along a line, from which on its points are not marked
GROWTH = "inhomogeneous_growth_rate"
DISCRETE = VERDICTS.index("discretisation")


def _rates(ds: xr.Dataset, name: str, unit: str) -> xr.DataArray:
    return in_unit(ds, variable(ds, name), unit).load()


def _label(ds: xr.Dataset, unit: str) -> tuple[str, str]:
    return style.rate_label(ds, "Growth rate", r"\gamma", unit)


def _only_x(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    if y is not None:
        raise UsageError("y", y, "this picture always has the growth rate along y; give x")
    return given(ds, x, y)


@picture("growth-vs-k", shows=2, layers=_only_x, bands=True)
def growth_vs_k(ds: xr.Dataset, ax: Axes, *, x: str | None = None, unit: str = STORED) -> style.Key:
    """Draw the growth rate of modes with a wave number against k, a line per value of one more axis.

    With a search the largest growth found, against whatever axis there is. The dashed line is the ceiling of
    continuous occupations where it is in sight.

    Parameters
    ----------
    x : str, optional
        A numeric axis; k if it is swept.
    unit : str
        See `in_unit`.
    """
    ds = as_distribution(ds, [GROWTH, "inhomogeneous_ceiling"], x)
    flat, x, hue = line(ds, x, preferred=("k",))
    rates = _rates(flat, GROWTH, unit)
    labels, dim = np.asarray(flat[x].values, dtype=np.float64), dim_of(flat, x)
    top = float(rates.max()) if bool((rates > 0).any()) else 0.0
    lines = Lines(flat, dim, labels, [] if hue is None else [hue], marked=labels.size < MANY_LABELS)
    for i, at, look in lines:
        values = lines.values(ax, rates.isel(at), look["color"])
        lines.drawn(i, ax.plot(lines.labels, values, ms=3.0, lw=1.2 if lines.few else 0.4, **look))
    ceiling = middle(_rates(flat, "inhomogeneous_ceiling", unit)).isel({dim: lines.order})
    lowest = ceiling.min([other for other in ceiling.dims if other != dim]).values
    if top > 0.0 and 1e-3 * top < float(np.nanmin(lowest)) < 2.0 * top:
        dashed: style.Look = {"ls": (0, (8, 3)), "color": style.INK, "lw": 0.8}
        ax.plot(lines.labels, lowest, **dashed)
        lines.marks.append(style.key("ceiling of the continuum", **dashed))
    ax.axhline(0.0, color=style.MUTED, lw=0.6, zorder=0)
    if top == 0.0:
        style.say_empty(ax, emptiness(ds, known=bool(rates.notnull().any())))
    else:
        ax.set_ylim(-0.04 * top, 1.08 * top)
    number_axis(ax, lines.labels)
    ax.set_xlabel(style.coordinate_label(flat[x]))
    style.scaled_label(ax, "y", *_label(ds, unit), top)
    lines.failures(ax)
    return lines.key()


def _shared(ds: xr.Dataset, refined: xr.Dataset | None, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"scale": _from_zero(_rates(ds, GROWTH, options.get("unit", STORED)).values)}


def _from_zero(rates: Floats) -> Normalize:
    from matplotlib.colors import Normalize

    return Normalize(0.0, float(np.nanmax(rates)) if (rates > 0).any() else 1.0)


@picture("k-map", shows=2, common=_shared)
def k_map(
    ds: xr.Dataset,
    ax: Axes,
    *,
    x: str | None = None,
    y: str | None = None,
    unit: str = STORED,
    scale: Normalize | None = None,
) -> style.Key:
    """Draw the growth rate over k and an angle of it, or over k and any other axis.

    White is stable, grey without a result. What lies above the ceiling of continuous occupations, and so belongs to the
    grid, is dotted; where all of it does, a note says so.

    Parameters
    ----------
    x, y : str, optional
        Axes; k and the longest other one by default.
    unit : str
        See `in_unit`.
    scale : matplotlib normalisation, optional
        Given to share one between panels.
    """
    import matplotlib as mpl

    if x is None and y != "k" and "k" in ds.dims:
        x = "k"
    cut = cut_to(ds, x, y)
    rates, verdict = (
        cut.field(values)
        for values in (_rates(cut.ds, GROWTH, unit), variable(cut.ds, "inhomogeneous_verdict"))
    )
    cut.cells(ax, np.ma.masked_where(~(rates == 0), rates), cmap=mpl.colors.ListedColormap(["white"]))
    shown = np.ma.masked_where(~(rates > 0), rates)
    norm = scale if scale is not None else _from_zero(rates)
    mesh = cut.cells(ax, shown, cmap=mpl.colormaps[style.SEQUENTIAL], norm=norm)
    unknown = cut.unknown(ax, rates)
    cut.finish(ax)
    unstable = rates > 0
    if not unstable.any():
        style.say_empty(ax, emptiness(ds, known=bool(np.isfinite(rates).any())))
        return style.Key(tuple(unknown), below=True)
    handles = [swatch("stable", "white")] if (rates == 0).any() else []
    artefact = unstable & (verdict == DISCRETE)
    if (artefact == unstable).all():
        handles.append(style.key("all above the ceiling of the continuum", ls="none", marker=""))
    elif artefact.any():
        hatch_cells(ax, cut, artefact, ARTEFACT_HATCH)
        handles.append(swatch("above the ceiling of the continuum", "none", ARTEFACT_HATCH))
    label = style.with_units(*_label(ds, unit))
    return style.Key((*handles, *unknown), below=True, colours=mesh, colours_label=label, data=(mesh,))


@picture("k-polar", shows=2, common=_shared)
def k_polar(
    ds: xr.Dataset,
    ax: Axes,
    *,
    x: str | None = None,
    y: str | None = None,
    unit: str = STORED,
    scale: Normalize | None = None,
) -> style.Key:
    """Draw the growth rate over the direction of k, in equal areas around the z axis.

    The distance from the middle is sqrt(2) sin(theta/2); the circle is the equator. Growth is the same for k and -k, so
    that one half of the directions shows all. Where there is no colour at all nothing was swept.

    Parameters
    ----------
    x, y : str, optional
        The axes of azimuth and polar angle; k_phi and k_theta by default.
    unit : str
        See `in_unit`.
    scale : matplotlib normalisation, optional
        Given to share one between panels.
    """
    import matplotlib as mpl

    azimuth, polar = x or "k_phi", y or "k_theta"
    for name in (azimuth, polar):
        if name not in ds.coords or ds[name].ndim != 1:
            raise UsageError("k-polar", None, f"needs the axes k_theta and k_phi; {name} is none here")
    flat = one_point_each(ds, (dim_of(ds, azimuth), dim_of(ds, polar)))
    phi, theta = (np.asarray(flat[name].values, dtype=np.float64) for name in (azimuth, polar))
    orders = [np.argsort(values, kind="stable") for values in (theta, phi)]
    dims = dim_of(flat, polar), dim_of(flat, azimuth)
    rates = _rates(flat, GROWTH, unit).transpose(*dims).values[np.ix_(*orders)]
    rings = np.clip(style.cell_edges(theta[orders[0]], log=False), 0.0, np.pi)
    spokes = style.cell_edges(phi[orders[1]], log=False)
    # straight sides of wide cells would cut the circle
    fine = np.unique(np.concatenate([np.linspace(a, b, 13) for a, b in itertools.pairwise(spokes)]))
    columns = np.clip(np.searchsorted(spokes, 0.5 * (fine[:-1] + fine[1:])) - 1, 0, phi.size - 1)
    radius = np.sqrt(2.0) * np.sin(0.5 * rings)
    place = radius[:, None] * np.cos(fine), radius[:, None] * np.sin(fine)
    shade = np.where(np.isfinite(rates), 0.0, 1.0)[:, columns]
    ground = mpl.colors.ListedColormap([style.PALE, NO_RESULT])
    ax.pcolormesh(*place, shade, cmap=ground, vmin=0.0, vmax=1.0, shading="flat", rasterized=True)
    mesh = ax.pcolormesh(
        *place,
        np.ma.masked_where(~(rates > 0), rates)[:, columns],
        cmap=mpl.colormaps[style.SEQUENTIAL],
        norm=scale if scale is not None else _from_zero(rates),
        shading="flat",
        rasterized=True,
    )
    handles = [
        style.key("equator", ls="-", color=style.INK, lw=0.8),
        style.key("along $z$", marker="+", mec=style.INK),
    ]
    handles += [swatch("stable", style.PALE)] if (rates == 0).any() else []
    handles += [swatch("no result", NO_RESULT)] if not np.isfinite(rates).all() else []
    circle = np.linspace(0.0, 2.0 * np.pi, 181)
    ax.plot(np.cos(circle), np.sin(circle), color=style.INK, lw=0.8)
    reach = max(1.0, float(radius.max()))
    for text, angle in (("$x$", 0.0), ("$y$", 0.5 * np.pi)):
        ax.annotate(
            text, (1.08 * reach * np.cos(angle), 1.08 * reach * np.sin(angle)), ha="center", va="center"
        )
    ax.plot(0.0, 0.0, "+", color=style.INK, ms=4)
    ax.set(aspect="equal", xlim=(-1.2 * reach, 1.2 * reach), ylim=(-1.2 * reach, 1.2 * reach))
    ax.set_axis_off()
    if not (rates > 0).any():
        style.say_empty(ax, emptiness(ds, known=bool(np.isfinite(rates).any())))
        return style.Key(tuple(handles), below=True)
    label = style.with_units(*_label(ds, unit))
    return style.Key(tuple(handles), colours=mesh, colours_label=label, below=True, data=(mesh,))
