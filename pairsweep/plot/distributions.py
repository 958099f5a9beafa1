"""How the values of a variable are distributed over the points of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.contract.template import DONE
from pairsweep.dataset.select import axes, meanings_of
from pairsweep.dataset.select import variable as result
from pairsweep.dataset.statistics import BINS, DECADES, histogram
from pairsweep.dataset.units import STORED, in_unit
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, emptiness
from pairsweep.drawing.picture import picture
from pairsweep.drawing.plane import MANY_CELLS, Side, side_of
from pairsweep.drawing.series import MOST_DASHED, line_key, line_looks
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIRST = ("kappa_max", "growth_rate", "inhomogeneous_growth_rate", "continuum_growth_rate")
LETTERS = 40  # of a line below the axis
COUNTS = "_histogram"  # what `pairsweep.reduce` calls them


@picture("histogram", shows=None)
def distribution(
    ds: xr.Dataset,
    ax: Axes,
    *,
    variable: str | None = None,
    hue: str | None = None,
    bins: int = BINS,
    unit: str = STORED,
) -> style.Key:
    """Draw how many points of the sweep have which value of a variable, a line for each label of one axis.

    More labels than lines can tell apart become rows of a map, their numbers its colours. Only points that are done
    count. Of a dataset that `pairsweep.reduce` made its own histograms are drawn.

    Parameters
    ----------
    variable : str, optional
        One number a point; the largest pairing by default, else the growth rate.
    hue : str, optional
        An axis: a line, or a row, for each of its labels.
    bins : int
        How many.
    unit : str
        See `in_unit`.
    """
    name = variable or next((known for known in FIRST if known in ds or known + COUNTS in ds), "growth_rate")
    counts = ds[name + COUNTS] if name + COUNTS in ds else _counted(ds, name, hue, bins, unit)
    along = f"{name}_bin"
    kept = [] if hue is None else [dim_of(ds, hue)]
    counts = counts.sum([dim for dim in counts.dims if dim not in (*kept, along)]).transpose(*kept, along)
    edges = np.append(counts[f"{name}_low"].values, counts[f"{name}_high"].values[-1])
    rows = np.atleast_2d(counts.values)
    log = bool(edges[0] > 0 and edges[-1] > DECADES * edges[0])
    if log:
        ax.set_xscale("log")
    if hue is not None and len(rows) > MOST_DASHED:
        key = _as_map(ax, side_of(ds, hue, False), edges, rows)
    else:
        key = _as_lines(ax, ds, kept, edges, rows)
        ax.set_ylim(bottom=0)
        ax.locator_params(axis="y", integer=True)
        ax.set_ylabel("Points in a bin")
    if not log:
        ax.locator_params(axis="x", nbins=4)
        ax.ticklabel_format(axis="x", useOffset=False)
    if not rows.any():
        style.say_empty(ax, emptiness(ds))
    ax.set_xlabel(style.meaning_label(ds[name].assign_attrs(units=counts[along].attrs.get("units")), LETTERS))
    return key


def _as_lines(ax: Axes, ds: xr.Dataset, kept: Sequence[str], edges: Floats, rows: Floats) -> style.Key:
    """Draw an outline for each row, which no other hides."""
    hue = kept[0] if kept else None
    looks, _ = line_looks(ds, hue, len(rows))
    data: list[Any] = []
    for row, look in zip(rows, looks, strict=True):
        outline = np.concatenate([[0], np.repeat(row, 2), [0]])
        data += ax.plot(np.repeat(edges, 2), outline, lw=1.0, **look)
    return line_key(ds, hue, looks, None, [], data, [])


def _as_map(ax: Axes, side: Side, edges: Floats, rows: Floats) -> style.Key:
    """Draw a row of cells for each label, white where there is no point."""
    from matplotlib.colors import Normalize

    shown = np.ma.masked_equal(rows[list(side.order)], 0)
    norm = Normalize(0.0, max(float(rows.max()), 1.0))
    mesh = ax.pcolormesh(
        edges, side.edges, shown, cmap=style.steps(), norm=norm, rasterized=rows.size > MANY_CELLS
    )
    side.label(ax, "y")
    return style.Key(below=True, colours=mesh, colours_label="Points in a bin", data=(mesh,))


def _counted(ds: xr.Dataset, name: str, hue: str | None, bins: int, unit: str) -> xr.DataArray:
    """Counts over all points, for each label of an axis if one is told apart."""
    values = result(ds, name)
    if set(values.dims) - set(axes(ds)) or meanings_of(values):
        raise UsageError("variable", name, "choose one with one number a point")
    if not (isinstance(bins, int) and bins > 0):
        raise UsageError("bins", bins, "give a whole number above 0")
    numbers = in_unit(ds, values, unit) if unit != STORED else values
    if "status" in ds:
        numbers = numbers.where(ds["status"] == DONE)
    kept = [] if hue is None else [dim_of(ds, hue)]
    numbers = numbers.load().transpose(*kept, ...)
    size = [numbers.sizes[dim] for dim in kept]
    flat = xr.DataArray(
        numbers.values.reshape(*size, -1), dims=(*kept, "points"), name=name, attrs=numbers.attrs
    )
    return histogram(flat.astype(np.float64), bins)
