"""Any variable against any axis, a line for each value of the others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.contract.variables import STATISTIC
from pairsweep.dataset.select import axes, axis, free_axes, variable
from pairsweep.dataset.units import STORED, in_unit, unit_words
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, emptiness, number_axis, numeric_axes, one_point_each
from pairsweep.drawing.picture import picture
from pairsweep.drawing.series import Lines, as_distribution, floor_band, floor_of, joined
from pairsweep.physics.grid import Floats

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
    name = _along(ds, x)
    over = name.startswith(RECIPROCAL)
    name = name.removeprefix(RECIPROCAL)
    axis(ds, name, numeric=True)
    dim = dim_of(ds, name)
    flat, others = _cut(ds, dim, y)
    labels = np.asarray(flat[name].values, dtype=np.float64)
    if over and np.any(labels <= 0):
        raise UsageError("x", x, "has values that are not above 0: they have no reciprocal here")
    labels = 1.0 / labels if over else labels
    field = flat[y]
    between = joined(labels, axis=name == dim)
    lines = Lines(flat, dim, labels, others, floor=floor_of(field.values, log), marked=True)
    zeros = False
    for i, at, look in lines:
        heights = lines.values(ax, field.isel(at), look["color"])
        zeros |= bool((heights == 0).any())
        lines.drawn(i, _one_line(ax, lines, heights, look if between == "-" else {**look, "ls": between}))
    if zeros and lines.few:
        lines.marks.append(style.key("0", marker="o", mec=style.MUTED, mfc="white"))
    if lines.floor is not None:
        ax.set_yscale("log")
        if zeros:
            lines.marks.append(floor_band(ax, lines.floor))
    if not np.isfinite(field.values).any():
        style.say_empty(ax, emptiness(ds))
    if over:
        ax.set_xlabel(_reciprocal(flat[name]))
    else:
        number_axis(ax, lines.labels)
        ax.set_xlabel(style.coordinate_label(flat[name]))
    scale = f", over {unit_words(ds, unit).split()[0]}" if unit in ("g", "mu") else ""
    ax.set_ylabel(style.meaning_label(field, WIDEST_LABEL, scale))
    lines.failures(ax)
    return lines.key()


def _along(ds: xr.Dataset, x: str | None) -> str:
    """The axis along x: the longest with numbers on it where none is asked for."""
    if x is not None:
        return x
    numbers = numeric_axes(ds)
    if not numbers:
        raise UsageError("this picture", None, "needs a swept axis with numbers on it")
    return numbers[0]


def _cut(ds: xr.Dataset, dim: str, y: str) -> tuple[xr.Dataset, list[str]]:
    """The variable over one axis and those that become lines, and the names of these; refuses too many lines."""
    others = [other for other in free_axes(ds) if other != dim]
    # a colour bar tells as many apart as there are
    ordered = len(others) == 1 and ds[others[0]].dtype.kind in "iuf"
    if math.prod(ds.sizes[other] for other in others) > MOST_LINES and not ordered:
        one_point_each(ds, (dim,))  # says how to choose
    spare = {other: 0 for other in axes(ds) if other != dim and other not in others}
    return ds[[name for name in (y, "status") if name in ds]].isel(spare).load(), others


def _one_line(ax: Axes, lines: Lines, values: Floats, look: style.Look) -> list[Any]:
    """Draw one line, its points marked if it is one of few: open ones are 0."""
    zero, marker = values == 0, look.pop("marker", "")
    height = values if lines.floor is None else np.where(zero, lines.floor, values)
    if not lines.few and look["ls"] != "none":
        return ax.plot(lines.labels, height, lw=0.4, zorder=2, rasterized=True, **look)
    drawn = ax.plot(lines.labels, height, lw=1.0, alpha=0.6, zorder=2, **look)
    size = 3.4 if lines.labels.size < 40 else 2.0
    points: style.Look = {
        "ls": "none",
        "marker": marker or "o",
        "mec": look["color"],
        "zorder": 3,
        "ms": size,
    }
    drawn += ax.plot(lines.labels[~zero], height[~zero], mfc=look["color"], **points)
    return drawn + ax.plot(lines.labels[zero], height[zero], mfc="white", **points)
