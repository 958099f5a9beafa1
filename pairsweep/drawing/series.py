"""Lines and their company: bands of statistics, envelopes of fast oscillations, marks of failed points."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.template import FAILED
from pairsweep.contract.variables import MEDIAN, STATISTIC
from pairsweep.dataset.select import free_axes
from pairsweep.dataset.statistics import statistics
from pairsweep.drawing import style
from pairsweep.drawing.layout import numeric_axes
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# axes whose values have no order and no size of their own: many of them are a distribution
ALIKE = ("seed", "sample")
MOST_ALIKE = 8  # lines along such an axis
BANDS = (
    ("p05", "p95", 0.18, "90 %"),
    ("p16", "p84", 0.34, "68 %"),
)  # ends, opacity, share of the points between
MOST_MARKED = 60  # lines whose points are marked
TURNS = 160  # of a curve in a picture, from which on it is a band
SEEN = 0.01  # share of its range by which a curve has to turn
WINDOWS = 160  # of an envelope


def as_distribution(
    ds: xr.Dataset, names: Sequence[str], x: str | None = None, *, time: bool = False
) -> xr.Dataset:
    """Give statistics instead of an axis whose many values would be one line each, of these variables.

    The axis that runs along the picture stays: that of ``x``, or without one the only one with numbers; none with
    ``time``.
    """
    others = [name for name in numeric_axes(ds) if name not in ALIKE]
    along = ds[x].dims if x in ds.coords else () if others or time else tuple(numeric_axes(ds)[:1])
    for name in free_axes(ds):
        if name in ALIKE and ds.sizes[name] > MOST_ALIKE and name not in along:
            kept = [known for known in (*names, "status") if known in ds]
            return statistics(ds[kept], name)
    return ds


def joined(labels: Floats, *, axis: bool) -> str:
    """Line style between points: drawn values and cases lie in no order, and have nothing to do with each other.

    ``axis`` says whether the labels are those of an axis itself; ``labels`` are in the order of the specification.
    """
    steps = np.diff(labels)
    return "-" if axis or bool((steps >= 0).all() or (steps <= 0).all()) else "none"


def bands(ax: Axes, x: Floats, values: xr.DataArray, floor: float | None, **look: Any) -> list[Any]:
    """Draw the bands of one line of statistics, (x, statistic); return what a key says of them."""
    from matplotlib.patches import Patch

    ink = look.get("color", style.COLOURS[0])
    handles = [style.key("median", ls="-", color=style.MUTED)]
    for low, high, alpha, share in BANDS:
        bottom, top = (values.sel({STATISTIC: end}).values for end in (low, high))
        if floor is not None:
            bottom, top = np.maximum(bottom, floor), np.maximum(top, floor)
        ax.fill_between(x, bottom, top, color=ink, alpha=alpha, lw=0, zorder=1.8)
        handles.append(Patch(color=style.MUTED, alpha=alpha, lw=0, label=f"{share} of the points"))
    return handles


def middle(values: xr.DataArray) -> xr.DataArray:
    """Median of statistics; other values as they are."""
    return values.sel({STATISTIC: MEDIAN}) if STATISTIC in values.dims else values


def is_fast(values: Floats, *, log: bool = False) -> bool:
    """Whether a curve turns more often than a picture can show, and by enough to be seen."""
    known = values[np.isfinite(values) & (values > 0)] if log else values[np.isfinite(values)]
    known = np.log(known) if log else known
    steps = np.diff(known)
    steps = steps[np.abs(steps) > SEEN * np.ptp(known)] if known.size else steps
    return bool(np.count_nonzero(steps[1:] * steps[:-1] < 0) > TURNS)


def envelope(ax: Axes, x: Floats, values: Floats, *, log: bool = False, **look: Any) -> list[Any]:
    """Draw a fast oscillation as the band it fills and the line of its mean, in the logarithm on a log axis."""
    if log:
        x, values = x[values > 0], np.log(values[values > 0])
    edges = np.unique(np.linspace(0, values.size, WINDOWS + 1).astype(np.int64))
    parts = [slice(a, b) for a, b in itertools.pairwise(edges)]
    at = np.array([x[part].mean() for part in parts])
    at[[0, -1]] = x[[0, -1]]
    low, high, mean = (np.array([f(values[part]) for part in parts]) for f in (np.min, np.max, np.mean))
    if log:
        low, high, mean = np.exp(low), np.exp(high), np.exp(mean)
    band = ax.fill_between(at, low, high, color=look.get("color"), alpha=0.25, lw=0, zorder=1.8)
    return [band, *ax.plot(at, mean, **look)]


def failed_marks(ax: Axes, ds: xr.Dataset, dim: str, labels: Floats, order: Any) -> list[Any]:
    """Mark at the foot of the picture where points failed; return what a key says of it."""
    if "status" not in ds:
        return []
    failed = (ds["status"] == FAILED).any([other for other in ds["status"].dims if other != dim])
    where = labels[order][failed.values[order]] if dim in failed.dims else labels[:0]
    if not where.size:
        return []
    look: style.Look = {"marker": "x", "ms": 4.5, "mec": "#B00020", "mew": 1.1, "ls": "none"}
    ax.plot(where, np.full(where.shape, 0.025), transform=ax.get_xaxis_transform(), zorder=4, **look)
    return [style.key("failed", **look)]


def floor_band(ax: Axes, floor: float) -> Any:
    """Draw where a logarithmic picture puts what is exactly 0; return what a key says of it."""
    from matplotlib.patches import Patch

    ax.axhspan(floor / 1.6, floor * 1.6, color=style.PALE, zorder=0)
    ax.set_ylim(bottom=floor / 1.6)
    return Patch(facecolor=style.PALE, edgecolor=style.MUTED, lw=0.4, label="exactly 0")


def line_key(
    ds: xr.Dataset,
    hue: str | None,
    palette: list[Any],
    bar: Any,
    looks: list[Any],
    data: list[Any],
    shaded: list[tuple[Any, Any]],
    *,
    dashed: bool = False,
    marks: Sequence[str] = ("",),
) -> style.Key:
    """Key of lines along one axis: the colour of each label, or a colour bar; ``looks`` say what marks mean.

    Where they are few, lines are told apart by their dashes or by the ``marks`` of their points as well.
    """
    drawn = style.Key(tuple(looks), data=tuple(data), shaded=tuple(shaded))
    if hue is None:
        return drawn
    if bar is not None:
        return replace(drawn, below=True, colours=bar, colours_label=style.coordinate_label(ds[hue]))
    names = [
        style.key(
            style.group_text(ds, {hue: i}),
            ls=style.LINES[i % len(style.LINES)] if dashed else "-",
            color=colour,
            marker=marks[i % len(marks)],
        )
        for i, colour in enumerate(palette)
    ]
    return replace(drawn, handles=(*names, *looks), title=style.group_title(ds, [hue]))
