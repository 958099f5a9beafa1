"""Any variable against any axis, a line for each value of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.contract.variables import STATISTIC
from pairsweep.dataset.select import axes, axis, free_axes, variable
from pairsweep.dataset.units import STORED, in_unit, unit_words
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, emptiness, groups, number_axis, numeric_axes, one_point_each
from pairsweep.drawing.picture import picture
from pairsweep.drawing.series import (
    MOST_MARKED,
    as_distribution,
    bands,
    failed_marks,
    floor_band,
    joined,
    line_key,
    middle,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 24
WIDEST_LABEL = 24  # letters of a line beside a picture of a column's width
RECIPROCAL = "1/"


def _layers(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    return [{"x": x, **({} if y is None else {"y": y})}]


def _reciprocal(coordinate: xr.DataArray) -> str:
    """Label of the reciprocal of an axis, in powers of MeV."""
    units = str(coordinate.attrs.get("units") or "")
    power = int(units.removeprefix("MeV^")) if units.startswith("MeV^") else int(units == "MeV")
    text = style.unit_text(f"MeV^{-power}" if power not in (0, -1) else "MeV" if power else "")
    return f"1 / {style.symbol(str(coordinate.name))}" + (f" ({text})" if text else "")


@picture("growth-vs", shows=None, layers=_layers, bands=True)
def growth_vs(
    ds: xr.Dataset,
    ax: Axes,
    *,
    x: str | None = None,
    y: str = "growth_rate",
    unit: str = STORED,
    log: bool | None = None,
) -> style.Key:
    """Draw any variable with one value a point against any numeric axis, a line for each value of the others.

    Values of 0 are open and lie on the floor of a logarithmic picture; a gap is a point without a result, and failed
    ones are marked at the foot. Many seeds or samples are their median and bands.

    Parameters
    ----------
    x : str, optional
        A numeric axis, the longest by default; "1/g" and the like is its reciprocal, to see an exp(-1/g).
    y : str
        A variable, growth_rate by default; continuum_growth_rate, frequency, ...
    unit : str
        See `in_unit`.
    log : bool, optional
        Logarithmic y; by default where the values span more than a factor 50.
    """
    values = variable(ds, y)
    if unit != STORED:
        ds = ds.assign({y: in_unit(ds, values, unit)})
    ds = as_distribution(ds, [y], None if x is None else x.removeprefix(RECIPROCAL))
    values = variable(ds, y)
    if set(values.dims) - {*axes(ds), STATISTIC}:
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
    ordered = (
        len(others) == 1 and ds[others[0]].dtype.kind in "iuf"
    )  # a colour bar tells as many apart as there are
    if len(series) > MOST_LINES and not ordered:
        one_point_each(ds, (dim,))  # says how to choose
    spare = {other: 0 for other in axes(ds) if other != dim and other not in others}
    flat = ds[[name for name in (y, "status") if name in ds]].isel(spare).load()
    labels = np.asarray(flat[name].values, dtype=np.float64)
    if over and np.any(labels <= 0):
        raise UsageError("x", x or name, "has values that are not above 0: they have no reciprocal here")
    labels = 1.0 / labels if over else labels
    order = np.argsort(labels, kind="stable")
    field = flat[y]
    positive = field.values[field.values > 0]
    if log is None:
        log = positive.size > 1 and positive.max() > 50 * positive.min() and not (field.values < 0).any()
    log = log and positive.size > 0
    floor = float(positive.min()) / 3 if log else 0.0
    hue = others[0] if len(others) == 1 else None
    palette, bar = style.line_colours(flat, hue, len(series))
    # shapes tell lines apart in grey, too
    marks = style.MARKERS if bar is None and len(series) <= len(style.MARKERS) else style.MARKERS[:1]
    between = joined(labels, axis=name == dim)
    open_ones = False
    handles: list[Any] = []
    data: list[Any] = []
    shaded: list[tuple[Any, Any]] = []
    for i, (here, colour) in enumerate(zip(series, palette, strict=True)):
        one = field.isel({dim: order, **here})
        if STATISTIC in one.dims:
            told = bands(ax, labels[order], one, floor if log else None, color=colour)
            handles = handles or told
        line = middle(one).values.astype(np.float64)
        zero = line == 0
        open_ones |= bool(zero.any())
        height = np.where(zero & log, floor, line)
        if len(series) > MOST_MARKED and between != "none":
            drawn = ax.plot(
                labels[order], height, color=colour, lw=0.4, zorder=2, ls=between, rasterized=True
            )
            data += drawn
            shaded += [] if bar is None or hue is None else [(drawn[0], flat[hue].values[i])]
            continue
        drawn = ax.plot(labels[order], height, color=colour, lw=1.0, alpha=0.6, zorder=2, ls=between)
        look: style.Look = {"ls": "none", "marker": marks[i % len(marks)], "mec": colour, "zorder": 3}
        size = 3.4 if labels.size < 40 else 2.0
        drawn += ax.plot(labels[order][~zero], height[~zero], mfc=colour, ms=size, **look)
        drawn += ax.plot(labels[order][zero], height[zero], mfc="white", ms=size, **look)
        data += drawn
        shaded += [] if bar is None or hue is None else [(each, flat[hue].values[i]) for each in drawn]
    if open_ones and len(series) <= MOST_MARKED:
        handles.append(style.key("0", marker="o", ls="none", mec=style.MUTED, mfc="white"))
    if log:
        ax.set_yscale("log")
        if open_ones:
            handles.append(floor_band(ax, floor))
    if not np.isfinite(field.values).any():
        style.say_empty(ax, emptiness(ds))
    if over:
        ax.set_xlabel(_reciprocal(flat[name]))
    else:
        number_axis(ax, labels[order])
        ax.set_xlabel(style.coordinate_label(flat[name]))
    scale = f", over {unit_words(ds, unit).split()[0]}" if unit in ("g", "mu") else ""
    ax.set_ylabel(style.meaning_label(field, WIDEST_LABEL, scale))
    handles += failed_marks(ax, flat, dim, labels, order)
    if len(others) <= 1:
        return line_key(flat, hue, palette, bar, handles, data, shaded, marks=marks)
    names = [
        style.key(style.group_text(flat, here), ls="-", color=colour, marker=marks[i % len(marks)])
        for i, (here, colour) in enumerate(zip(series, palette, strict=True))
    ]
    title = style.group_title(flat, others)
    return style.Key((*names, *handles), title, below=len(series) > 6, data=tuple(data))
