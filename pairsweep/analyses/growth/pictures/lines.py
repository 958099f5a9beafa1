"""Any variable against any axis, a line for each value of the others."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.dataset.select import axis, free_axes, variable
from pairsweep.dataset.units import STORED, in_unit, unit_words
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, groups, number_axis, numeric_axes, one_point_each
from pairsweep.drawing.picture import picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 24
WIDEST_LABEL = 34  # letters of a line beside the picture
RECIPROCAL = "1/"


def _layers(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    return [{"x": x, **({} if y is None else {"y": y})}]


def _reciprocal(coordinate: xr.DataArray) -> str:
    """Label of the reciprocal of an axis, in powers of MeV."""
    units = str(coordinate.attrs.get("units") or "")
    power = int(units.removeprefix("MeV^")) if units.startswith("MeV^") else int(units == "MeV")
    text = style.unit_text(f"MeV^{-power}" if power not in (0, -1) else "MeV" if power else "")
    return f"1 / {style.symbol(str(coordinate.name))}" + (f" ({text})" if text else "")


@picture("growth-vs", shows=None, layers=_layers)
def growth_vs(
    ds: xr.Dataset, ax: Axes, *, x: str | None = None, y: str = "growth_rate", unit: str = STORED
) -> style.Key:
    """Draw any variable with one value a point against any numeric axis, a line for each value of the others.

    Values of 0 are open and lie on the floor of a logarithmic picture; a gap is a point without a result.

    Parameters
    ----------
    x : str, optional
        A numeric axis, the longest by default; "1/g" and the like is its reciprocal, to see an exp(-1/g).
    y : str
        A variable, growth_rate by default; continuum_growth_rate, frequency, ...
    unit : str
        See `in_unit`.
    """
    values = variable(ds, y)
    if unit != STORED:
        values = in_unit(ds, values, unit)
        ds = ds.assign({y: values})
    if set(values.dims) - set(variable(ds, "status").dims):
        raise UsageError("y", y, "has several values a point: choose a variable with one")
    name = x
    if name is None:
        numbers = numeric_axes(ds)
        if not numbers:
            raise UsageError("this picture", None, "needs a swept axis with numbers on it")
        name = numbers[0]
    over = name.startswith(RECIPROCAL)
    name = name.removeprefix(RECIPROCAL)
    axis(ds, name, numeric=True)
    dim = dim_of(ds, name)
    others = [other for other in free_axes(ds) if other != dim]
    series = groups(ds, others)
    if len(series) > MOST_LINES:
        one_point_each(ds, (dim,))  # says how to choose
    flat = ds.isel({other: 0 for other in values.dims if other != dim and other not in others}).load()
    labels = np.asarray(flat[name].values, dtype=np.float64)
    if over and np.any(labels <= 0):
        raise UsageError("x", x or name, "has values that are not above 0: they have no reciprocal here")
    labels = 1.0 / labels if over else labels
    order = np.argsort(labels, kind="stable")
    field = flat[y]
    positive = field.values[field.values > 0]
    log = positive.size > 1 and positive.max() > 50 * positive.min() and not (field.values < 0).any()
    floor = float(positive.min()) / 3 if log else 0.0
    hue = others[0] if len(others) == 1 else None
    palette, bar = style.line_colours(flat, hue, len(series))
    open_ones = False
    for here, colour in zip(series, palette, strict=True):
        line = field.isel({dim: order, **here}).values.astype(np.float64)
        zero = line == 0
        open_ones |= bool(zero.any())
        height = np.where(zero & log, floor, line)
        ax.plot(labels[order], height, "-", color=colour, lw=1.0, alpha=0.6, zorder=2)
        look: style.Look = {"ls": "none", "marker": "o", "mec": colour, "zorder": 3}
        size = 3.4 if labels.size < 40 else 2.0
        ax.plot(labels[order][~zero], height[~zero], mfc=colour, ms=size, **look)
        ax.plot(labels[order][zero], height[zero], mfc="white", ms=size, **look)
    if log:
        ax.set_yscale("log")
        if open_ones:
            ax.axhspan(floor / 1.6, floor * 1.6, color=style.PALE, zorder=0)
            ax.set_ylim(bottom=floor / 1.6)
    if not np.isfinite(field.values).any():
        style.say_empty(ax, "no point is done yet")
    if over:
        ax.set_xlabel(_reciprocal(flat[name]))
    else:
        number_axis(ax, labels[order])
        ax.set_xlabel(style.coordinate_label(flat[name]))
    scale = f", over {unit_words(ds, unit).split()[0]}" if unit in ("g", "mu") else ""
    meaning = "\n".join(textwrap.wrap(str(field.attrs.get("long_name", y)) + scale, WIDEST_LABEL))
    ax.set_ylabel(style.with_units(meaning, field.attrs.get("units")))
    handles = (
        [style.key("0", marker="o", ls="none", mec=style.MUTED, mfc="white")] if open_ones and log else []
    )
    if bar is not None and hue is not None:
        return style.Key(
            tuple(handles), below=True, colours=bar, colours_label=style.coordinate_label(flat[hue])
        )
    if not others:
        return style.Key(tuple(handles))
    names = [
        style.key(style.group_text(flat, here), ls="-", color=colour)
        for here, colour in zip(series, palette, strict=True)
    ]
    return style.Key((*names, *handles), style.group_title(flat, others), below=len(series) > 6)
