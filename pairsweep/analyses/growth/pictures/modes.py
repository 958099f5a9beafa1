"""Unstable modes in the complex plane."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.dataset.select import variable
from pairsweep.dataset.units import STORED, in_unit
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, emptiness, numeric_axes
from pairsweep.drawing.picture import given, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY_POINTS = 2000  # beyond, points are small, and an image inside a vector file
WIDE = 30.0  # ratio of the largest to the smallest from which on an axis is logarithmic


def _layers(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    if y is not None:
        raise UsageError(
            "y", y, "this picture has no choice of y; give the axis that colours the points as x"
        )
    return given(ds, x, y)


@picture("spectrum", shows=None, layers=_layers)
def spectrum(
    ds: xr.Dataset, ax: Axes, *, x: str | None = None, hue: str | None = None, unit: str = STORED
) -> style.Key:
    """Draw the unstable modes of every point in the complex plane: Re(lambda) along x, abs Im(lambda) along y.

    All modes that the sweep kept (``modes`` in its specification), else the fastest one of each point. Oscillating
    modes at small g sit at twice the energy of one bin; static ones on the real axis.

    Parameters
    ----------
    x, hue : str, optional
        Axis whose labels colour the points, by either name; the longest numeric one by default.
    unit : str
        See `in_unit`.
    """
    every = "mode_growth_rate" in ds
    growth, frequency = (
        in_unit(ds, variable(ds, name), unit).load()
        for name in (("mode_growth_rate", "mode_frequency") if every else ("growth_rate", "frequency"))
    )
    swept = numeric_axes(ds)
    hue = hue or x or (swept[0] if swept else None)
    if hue is None:
        shade = xr.zeros_like(growth)
        palette, bar = style.colours(1), None
    else:
        dim = dim_of(ds, hue)
        shade = (
            xr.DataArray(np.arange(ds.sizes[dim]), dims=dim).broadcast_like(growth).transpose(*growth.dims)
        )
        palette, bar = style.line_colours(ds, hue, ds.sizes[dim])
    handles: list[Any] = []
    data: list[Any] = []
    shaded: list[tuple[Any, Any]] = []
    unstable, static = growth.values > 0, frequency.values == 0
    for name, marker, chosen in (
        ("oscillating", "o", unstable & ~static),
        ("static", "s", unstable & static),
    ):
        if not chosen.any():
            continue
        places = shade.values[chosen].astype(int)
        many = int(chosen.sum()) > MANY_POINTS
        drawn = ax.scatter(
            growth.values[chosen],
            frequency.values[chosen],
            c=[palette[i] for i in places],
            marker=marker,
            s=4 if many else 14,
            lw=0,
            rasterized=many,
        )
        data.append(drawn)
        shaded += [(drawn, ds[hue].values[places])] if bar is not None and hue is not None else []
        handles.append(style.key(name, marker=marker, color=style.MUTED))
    rates = growth.values[growth.values > 0]
    if not rates.size:
        style.say_empty(ax, emptiness(ds, known=bool(growth.notnull().any())))
    elif rates.max() > WIDE * rates.min():
        ax.set_xscale("log")
    ax.set_xlabel(style.with_units(*style.rate_label(ds, "Growth rate", r"\mathrm{Re}\,\lambda", unit)))
    ax.set_ylabel(style.with_units(*style.rate_label(ds, "Frequency", r"|\mathrm{Im}\,\lambda|", unit)))
    highest = float(np.nanmax(frequency.values, initial=0.0))
    top = max(highest, 1.0) if unit == STORED else highest or 1.0
    ax.set_ylim(-0.04 * top, 1.08 * top)
    drawn_key = style.Key(tuple(handles), data=tuple(data), shaded=tuple(shaded))
    if hue is None:
        return drawn_key
    if bar is not None:
        return replace(drawn_key, below=True, colours=bar, colours_label=style.coordinate_label(ds[hue]))
    dim = dim_of(ds, hue)
    names = [
        style.key(style.group_text(ds, {dim: i}), marker="o", color=colour)
        for i, colour in enumerate(palette)
    ]
    return replace(drawn_key, handles=(*names, *handles), title=style.group_title(ds, [dim]))
