"""A variable cut to a plane, and what of it a screen can show: arrays alone, no browser."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pairsweep.analyses.growth.analysis import GROWTH
from pairsweep.contract.errors import UsageError
from pairsweep.contract.fields import plain
from pairsweep.contract.template import DONE
from pairsweep.contract.variables import STATUS
from pairsweep.dataset.select import axes
from pairsweep.drawing.style import cell_edges, is_geometric
from pairsweep.physics.grid import Floats
from pairsweep.viewer.link import Look

RATE, VERDICT = GROWTH.variables[0].name, "verdict"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
ROUNDING = 1e-6
FEW = 12  # so many counts stand side by side, each as wide as the others


@dataclass(frozen=True, eq=False)
class Side:
    """A side of a plane: its labels in ascending order, and where they lie.

    Attributes
    ----------
    name, label : its dimension, and what stands along it
    order : position in the dataset of each label
    at : (n,) where each lies: at its number, or at 0, 1, 2, ... for words and for few counts
    texts : of the labels
    evenly : whether they lie at 0, 1, 2, ...
    log : whether the side is logarithmic
    """

    name: str
    label: str
    order: NDArray[np.intp]
    at: Floats
    texts: tuple[str, ...]
    evenly: bool
    log: bool

    @cached_property
    def edges(self) -> Floats:
        """Edges of the cells, (n + 1,)."""
        return np.asarray(cell_edges(self.at, log=self.log), dtype=np.float64)

    def nearest(self, place: float) -> int:
        """Number of the label, counted along the side, in whose cell a place lies."""
        return int(np.clip(np.searchsorted(self.edges, place) - 1, 0, self.at.size - 1))


@dataclass(frozen=True, eq=False)
class Raster:
    """A picture of a part of a plane: ``values`` (h, w) between the corners, evenly spaced on the screen."""

    values: NDArray[np.float32]
    x0: float
    x1: float
    y0: float
    y1: float


def label_text(value: object) -> str:
    """Print a label so that it can be found again."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def labels_of(ds: xr.Dataset, dim: str) -> list[str]:
    """Texts of the labels along a dimension; of one without labels their numbers."""
    if dim in ds.coords:
        return [label_text(plain(value)) for value in ds[dim].values]
    return [str(number) for number in range(ds.sizes[dim])]


def title_of(ds: xr.Dataset, name: str) -> str:
    """Name and units of a variable or dimension, MeV^-2 with a raised -2."""
    units = str(ds[name].attrs.get("units", "1")) if name in ds.variables else "1"
    raised = re.sub(r"\^(-?\d+)", lambda power: power[1].translate(_RAISED), units)
    return name if units in ("", "1") else f"{name} ({raised})"


def shown_variables(ds: xr.Dataset) -> list[str]:
    """Variables that a map can show, those over the axes alone first."""
    names = [
        str(name) for name, values in ds.data_vars.items() if values.dtype.kind in "iufb" and values.ndim
    ]
    return sorted(names, key=lambda name: (ds[name].ndim, names.index(name)))


def dimensions_of(ds: xr.Dataset, variable: str) -> list[str]:
    """Dimensions of a variable that have more than one value: first the axes of the sweep."""
    of_sweep = axes(ds)
    found = [str(dim) for dim in ds[variable].dims if ds.sizes[dim] > 1]
    return sorted(found, key=lambda dim: dim not in of_sweep)


def usual_sides(ds: xr.Dataset, dims: Sequence[str]) -> list[str]:
    """Of some dimensions the two to begin with: the longest axes of the sweep, in their order."""
    of_sweep = axes(ds)
    longest = sorted(dims, key=lambda dim: (dim not in of_sweep, -ds.sizes[dim]))[:2]
    return [dim for dim in dims if dim in longest]


def side_of(ds: xr.Dataset, dim: str, scale: str = "auto") -> Side:
    """Lay out a dimension as a side; ``scale`` "auto" is logarithmic where the labels are."""
    values = ds[dim].values if dim in ds.coords else np.arange(ds.sizes[dim])
    texts = labels_of(ds, dim)
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        order = np.arange(values.size)
        return Side(dim, title_of(ds, dim), order, order.astype(np.float64), tuple(texts), True, False)
    numbers = values.astype(np.float64)
    order = np.argsort(numbers, kind="stable")
    numbers = numbers[order]
    few = scale == "auto" and values.dtype.kind in "iu" and values.size <= FEW
    few |= np.unique(numbers).size < numbers.size or numbers.size == 1
    log = not few and bool(numbers[0] > 0) and (scale == "log" or (scale == "auto" and is_geometric(numbers)))
    at = np.arange(numbers.size, dtype=np.float64) if few else numbers
    return Side(dim, title_of(ds, dim), order, at, tuple(texts[i] for i in order), few, log)


def cut(ds: xr.Dataset, variable: str, sides: Sequence[Side], at: Mapping[str, int]) -> Floats:
    """Read a variable over one side, (nx,), or two, (ny, nx), at positions on its other dimensions.

    Reads nothing else from disk. A variable without one of the sides is the same all along it.
    """
    values = ds[variable].variable
    names = [side.name for side in sides]
    # indexed in any case: of a variable as a whole xarray would keep the values, and a store may get more of them
    flat = values[tuple(slice(None) if dim in names else at.get(str(dim), 0) for dim in values.dims)]
    along = [side for side in reversed(sides) if side.name in flat.dims]
    # turned in memory: turned on disk it would be read point by point
    turned = flat.load().transpose(*(side.name for side in along))
    numbers = turned.values.astype(np.float64)
    numbers = numbers[np.ix_(*(side.order for side in along))] if along else numbers
    return np.broadcast_to(
        numbers.reshape([side.at.size if side in along else 1 for side in reversed(sides)]),
        [side.at.size for side in reversed(sides)],
    )


@dataclass(frozen=True, eq=False)
class Plane:
    """What a chart shows: one side or two, its numbers, and those of growth and verdict where they are known.

    ``unread`` says why these are not, where that is damage.
    """

    sides: tuple[Side, ...]
    values: Floats
    rate: Floats | None
    verdict: Floats | None
    flags: tuple[str, ...]
    unread: str = ""

    @classmethod
    def of(cls, ds: xr.Dataset, look: Look, sides: tuple[Side, ...], at: Mapping[str, int]) -> Plane:
        """Read it from a dataset; points that are not done have no number."""
        damaged: list[str] = []

        def known(name: str) -> Floats | None:
            if name not in ds or not set(ds[name].dims) <= {*at, *(side.name for side in sides)}:
                return None
            try:
                return cut(ds, name, sides, at)
            except UsageError as error:
                damaged.append(str(error))
                return None

        values = cut(ds, look.variable, sides, at)
        flags = tuple(str(ds[look.variable].attrs.get("flag_meanings", "")).split())
        done = known(STATUS.name)
        if (
            done is not None
            and look.variable != STATUS.name
            and (flags or ds[look.variable].dtype.kind in "iu")
        ):
            values = np.where(done == DONE, values, np.nan)
        verdict = None if look.variable == VERDICT else known(VERDICT)  # a veil over itself says nothing
        if verdict is not None:
            verdict = np.where(done == DONE, verdict, -1.0) if done is not None else verdict
        rate = values if look.variable == RATE else known(RATE)
        return cls(sides, values, rate, verdict, flags, "; ".join(damaged))


def rasterise(
    values: Floats,
    x: Side,
    y: Side,
    frame: tuple[float, float, float, float],
    pixels: tuple[int, int],
    codes: bool = False,
) -> Raster:
    """Picture what lies in a frame with at most so many pixels.

    Where several points share a pixel it shows the largest of them, so that a thin unstable strip stays to be
    seen; of ``codes`` the one in its middle. Where points are fewer than pixels and lie evenly, each is one pixel.
    """
    columns, x0, x1 = _pixels(x, frame[0], frame[1], pixels[0])
    rows, y0, y1 = _pixels(y, frame[2], frame[3], pixels[1])
    picture = values
    for axis, (first, last) in ((0, rows), (1, columns)):
        if codes or np.all(last - first <= 1):
            picture = np.take(picture, (first + last - 1) // 2, axis=axis)
        else:
            picture = _largest(picture, first, last, axis)
    return Raster(picture.astype(np.float32), x0, x1, y0, y1)


def _pixels(
    side: Side, low: float, high: float, most: int
) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], float, float]:
    """First label and the one after the last of each pixel, and where the pixels begin and end."""
    edges = side.edges
    low, high = max(low, edges[0]), min(high, edges[-1])
    if not low < high:
        low, high = edges[0], edges[-1]
    begin = int(np.searchsorted(edges, low, side="right") - 1)
    end = int(np.searchsorted(edges, high, side="left"))
    screen = np.log(edges) if side.log else edges
    widths = np.diff(screen[begin : end + 1])
    if end - begin <= most and np.ptp(widths) <= 1e-3 * widths.mean():
        first = np.arange(begin, end)
        return (first, first + 1), float(edges[begin]), float(edges[end])
    ends = np.linspace(np.log(low) if side.log else low, np.log(high) if side.log else high, most + 1)
    if end - begin <= most:
        first = np.searchsorted(screen, 0.5 * (ends[:-1] + ends[1:]), side="right") - 1
        return (first, first + 1), low, high
    rounding = ROUNDING * (ends[1] - ends[0])  # where edges of pixels and cells coincide
    first = np.clip(np.searchsorted(screen, ends[:-1] + rounding, side="right") - 1, begin, end - 1)
    return (first, np.maximum(np.append(first[1:], end), first + 1)), low, high


def _largest(values: Floats, first: NDArray[np.intp], last: NDArray[np.intp], axis: int) -> Floats:
    """Largest of the numbers from ``first`` to before ``last``, which follow on each other; NaN where there is none."""
    inside = np.take(values, np.arange(first[0], last[-1]), axis=axis)
    return np.asarray(np.fmax.reduceat(inside, first - first[0], axis=axis))
