"""Lines and their company: bands of statistics, envelopes of fast oscillations, marks of failed points."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.template import FAILED
from pairsweep.contract.variables import MEDIAN, STATISTIC
from pairsweep.dataset.select import free_axes
from pairsweep.dataset.statistics import statistics
from pairsweep.drawing import style
from pairsweep.drawing.layout import groups, numeric_axes
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
MOST_DASHED = 2 * len(style.LINES)  # lines that their dashes tell apart
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
    """Mark at the foot of the picture where points failed; return what a key says of it.

    ``order`` are the positions along ``dim`` that the labels belong to.
    """
    if "status" not in ds:
        return []
    failed = (ds["status"] == FAILED).any([other for other in ds["status"].dims if other != dim])
    where = labels[failed.values[order]] if dim in failed.dims else labels[:0]
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


def floor_of(values: Floats, log: bool | None) -> float | None:
    """Where a logarithmic picture puts what is exactly 0: a third of the smallest value; None for a linear picture.

    ``log`` None asks for a logarithmic one where the values span more than a factor 50 and none is below 0.
    """
    positive = values[values > 0]
    if log is None:
        log = positive.size > 1 and positive.max() > 50 * positive.min() and not (values < 0).any()
    return float(positive.min()) / 3 if log and positive.size else None


def line_looks(
    ds: xr.Dataset, hue: str | None, count: int, *, marked: bool = False
) -> tuple[list[style.Look], Any]:
    """Colours of lines over the labels of an axis, and a colour bar where they are many.

    Few lines also differ in their dashes, and in their markers if they are ``marked``, so that grey tells them apart.
    """
    palette, bar = style.line_colours(ds, hue, count)
    apart = bar is None and count <= MOST_DASHED
    looks: list[style.Look] = [{"color": colour, "ls": "-"} for colour in palette]
    for i, look in enumerate(looks):
        if apart:
            look["ls"] = style.LINES[i % len(style.LINES)]
        if marked:
            look["marker"] = style.MARKERS[i % len(style.MARKERS)] if apart else "o"
    return looks, bar


class Lines:
    """Lines over the labels of one axis, a line for each place on some others, and what a key says of them.

    Attributes
    ----------
    order : positions along the axis, by rising labels
    labels : the labels in this order
    floor : where 0 lies in a logarithmic picture; None in a linear one
    marks : entries of a key beside those of the lines
    few : whether the points of a line are marked
    """

    def __init__(
        self,
        ds: xr.Dataset,
        dim: str,
        labels: Floats,
        others: Sequence[str],
        *,
        floor: float | None = None,
        marked: bool = False,
    ) -> None:
        self.order = np.argsort(labels, kind="stable")
        self.labels = labels[self.order]
        self.floor = floor
        self.marks: list[Any] = []
        self._ds, self._dim, self._others = ds, dim, tuple(others)
        self._places = groups(ds, others)
        self._hue = others[0] if len(others) == 1 else None
        self.few = len(self._places) <= MOST_MARKED
        self._looks, self._bar = line_looks(ds, self._hue, len(self._places), marked=marked and self.few)
        self._data: list[Any] = []
        self._shaded: list[tuple[Any, Any]] = []

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any], style.Look]]:
        """Give each line's number, where its points lie in a variable by rising labels, and its look."""
        for i, (place, look) in enumerate(zip(self._places, self._looks, strict=True)):
            yield i, {self._dim: self.order, **place}, dict(look)

    def values(self, ax: Axes, one: xr.DataArray, colour: Any) -> Floats:
        """Values of one line; those of statistics are the median, and their bands are drawn."""
        if STATISTIC in one.dims:
            told = bands(ax, self.labels, one, self.floor, color=colour)
            self.marks = self.marks or told
        return middle(one).values.astype(np.float64)

    def drawn(self, i: int, artists: Sequence[Any]) -> None:
        """Take note of what was drawn of a line."""
        self._data += artists
        if self._bar is not None and self._hue is not None:
            self._shaded += [(artist, self._ds[self._hue].values[i]) for artist in artists]

    def failures(self, ax: Axes) -> None:
        """Mark at the foot where points failed."""
        self.marks += failed_marks(ax, self._ds, self._dim, self.labels, self.order)

    def key(self) -> style.Key:
        """What has to stand beside the panel."""
        if len(self._others) <= 1:
            return line_key(self._ds, self._hue, self._looks, self._bar, self.marks, self._data, self._shaded)
        names = [
            style.key(style.group_text(self._ds, place), **look)
            for place, look in zip(self._places, self._looks, strict=True)
        ]
        title = style.group_title(self._ds, self._others)
        return style.Key((*names, *self.marks), title, below=len(names) > 6, data=tuple(self._data))


def line_key(
    ds: xr.Dataset,
    hue: str | None,
    looks: Sequence[style.Look],
    bar: Any,
    marks: Sequence[Any],
    data: Sequence[Any],
    shaded: Sequence[tuple[Any, Any]],
) -> style.Key:
    """Key of lines along one axis: the look of each label, or a colour bar; ``marks`` say what else is drawn."""
    drawn = style.Key(tuple(marks), data=tuple(data), shaded=tuple(shaded))
    if hue is None:
        return drawn
    if bar is not None:
        return replace(drawn, below=True, colours=bar, colours_label=style.coordinate_label(ds[hue]))
    names = [style.key(style.group_text(ds, {hue: i}), **look) for i, look in enumerate(looks)]
    return replace(drawn, handles=(*names, *marks), title=style.group_title(ds, [hue]))
