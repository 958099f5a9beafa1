"""Unstable modes in the complex plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.dataset.select import variable
from pairsweep.dataset.units import STORED, in_unit
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, numeric_axes
from pairsweep.drawing.picture import given, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 30.0  # ratio of the largest to the smallest from which on an axis is logarithmic


def _layers(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    if y is not None:
        raise UsageError(
            "y", y, "this picture has no choice of y; give the axis that colours the points as x"
        )
    return given(ds, x, y)


@picture("spectrum", shows=None, layers=_layers)
def spectrum(ds: xr.Dataset, ax: Axes, *, x: str | None = None, unit: str = STORED) -> style.Key:
    """Draw the unstable modes of every point in the complex plane: Re(lambda) along x, abs Im(lambda) along y.

    All modes that the sweep kept (``modes`` in its specification), else the fastest one of each point. Oscillating
    modes at small g sit at twice the energy of one bin; static ones on the real axis.

    Parameters
    ----------
    x : str, optional
        Axis whose labels colour the points; the longest numeric one by default.
    unit : str
        See `in_unit`.
    """
    every = "mode_growth_rate" in ds
    growth, frequency = (
        in_unit(ds, variable(ds, name), unit).load()
        for name in (("mode_growth_rate", "mode_frequency") if every else ("growth_rate", "frequency"))
    )
    swept = numeric_axes(ds)
    hue = x if x is not None else (swept[0] if swept else None)
    if hue is None:
        shade = xr.zeros_like(growth)
        palette, bar = style.colours(1), None
    else:
        dim = dim_of(ds, hue)
        shade = (
            xr.DataArray(np.arange(ds.sizes[dim]), dims=dim).broadcast_like(growth).transpose(*growth.dims)
        )
        palette, bar = style.line_colours(ds, hue, ds.sizes[dim])
    handles = []
    unstable, static = growth.values > 0, frequency.values == 0
    for name, marker, chosen in (
        ("oscillating", "o", unstable & ~static),
        ("static", "s", unstable & static),
    ):
        if not chosen.any():
            continue
        ax.scatter(
            growth.values[chosen],
            frequency.values[chosen],
            c=[palette[i] for i in shade.values[chosen].astype(int)],
            marker=marker,
            s=14,
            lw=0,
            rasterized=int(chosen.sum()) > 2000,
        )
        handles.append(style.key(name, marker=marker, color=style.MUTED))
    rates = growth.values[growth.values > 0]
    if not rates.size:
        style.say_empty(ax, "nothing unstable here" if growth.notnull().any() else "no point is done yet")
    elif rates.max() > WIDE * rates.min():
        ax.set_xscale("log")
    ax.set_xlabel(style.with_units(*style.rate_label(ds, "Growth rate", r"\mathrm{Re}\,\lambda", unit)))
    ax.set_ylabel(style.with_units(*style.rate_label(ds, "Frequency", r"|\mathrm{Im}\,\lambda|", unit)))
    highest = float(np.nanmax(frequency.values, initial=0.0))
    top = max(highest, 1.0) if unit == STORED else highest or 1.0
    ax.set_ylim(-0.04 * top, 1.08 * top)
    if hue is None:
        return style.Key(tuple(handles))
    if bar is not None:
        label = style.coordinate_label(ds[hue])
        return style.Key(tuple(handles), below=True, colours=bar, colours_label=label)
    dim = dim_of(ds, hue)
    names = [
        style.key(style.group_text(ds, {dim: i}), marker="o", color=colour)
        for i, colour in enumerate(palette)
    ]
    return style.Key((*names, *handles), style.group_title(ds, [dim]))
