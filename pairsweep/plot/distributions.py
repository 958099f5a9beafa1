"""How the values of a variable are distributed over the points of a sweep."""

from __future__ import annotations

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
from pairsweep.drawing.series import line_key

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

    Only points that are done count. Of a dataset that `pairsweep.reduce` made its own histograms are drawn.

    Parameters
    ----------
    variable : str, optional
        One number a point; the largest pairing by default, else the growth rate.
    hue : str, optional
        An axis: a line for each of its labels.
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
    palette, bar = style.line_colours(ds, hue, len(rows))
    data: list[Any] = []
    few = len(rows) <= len(style.COLOURS)
    for i, (row, colour) in enumerate(zip(rows, palette, strict=True)):
        outline = np.concatenate([[0], np.repeat(row, 2), [0]])
        look: style.Look = {"lw": 1.0, "ls": style.LINES[i % len(style.LINES)]} if few else {"lw": 0.5}
        data += ax.plot(np.repeat(edges, 2), outline, color=colour, **look)
    if edges[0] > 0 and edges[-1] > DECADES * edges[0]:
        ax.set_xscale("log")
    else:
        ax.locator_params(axis="x", nbins=4)
        ax.ticklabel_format(axis="x", useOffset=False)
    if not rows.any():
        style.say_empty(ax, emptiness(ds))
    ax.set_ylim(bottom=0)
    ax.set_ylabel("Points in a bin")
    ax.set_xlabel(style.meaning_label(ds[name].assign_attrs(units=counts[along].attrs.get("units")), LETTERS))
    if hue is None:
        return style.Key(data=tuple(data))
    shaded = [] if bar is None else list(zip(data, ds[hue].values, strict=True))
    return line_key(ds, kept[0], palette, bar, [], data, shaded, dashed=few)


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
