"""Which axes a picture shows, and what to say when some are left over."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.contract.template import DONE, FAILED
from pairsweep.dataset.select import axes, axis, free_axes, swept
from pairsweep.drawing import style
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def one_point_each(ds: xr.Dataset, shown: Sequence[str]) -> xr.Dataset:
    """Drop axes of size 1 that the picture does not show.

    Raises
    ------
    UsageError
        Where an axis of several values is not shown, with the two ways out.
    """
    left = [name for name in free_axes(ds) if name not in shown]
    if left:
        counted = ", ".join(f"{name} ({ds.sizes[name]} values)" for name in left)
        example = ",".join(f"{name}={ds[name].values[0]}" for name in left)
        of_each = "" if len(left) == 1 else " of each"
        cure = f"choose one value{of_each} (--select {example}), or a panel for each value of one (--facet {left[0]})"
        raise UsageError(f"axes left over: {counted}", None, cure)
    return ds.isel({name: 0 for name in axes(ds) if name not in shown})


def numeric_axes(ds: xr.Dataset) -> list[str]:
    """Free axes with numbers as labels, longest first (the order of the spec where equally long)."""
    names = [name for name in free_axes(ds) if name in ds.coords and ds[name].dtype.kind in "iuf"]
    return sorted(names, key=lambda name: -ds.sizes[name])


def dim_of(ds: xr.Dataset, name: str) -> str:
    """Dimension along which an axis or a zipped coordinate runs.

    Raises
    ------
    UsageError
        For a coordinate that has the same value at different places: a picture would join them.
    """
    coordinate = axis(ds, name)
    dim = str(coordinate.dims[0])
    if name != dim and len(set(coordinate.values.tolist())) < coordinate.size:
        raise UsageError("axis", name, f"stands for different points by the same value: choose {dim}")
    return dim


def plane(ds: xr.Dataset, x: str | None, y: str | None) -> tuple[xr.Dataset, str, str]:
    """Choose the two axes of a map; by default the two longest, the earlier one of the spec along x.

    Returns
    -------
    The dataset with only these two dimensions, and the names of the coordinates along x and y.
    """
    given = [dim_of(ds, name) for name in (x, y) if name is not None]
    rest = [name for name in numeric_axes(ds) if name not in given]
    rest += [name for name in free_axes(ds) if name not in given and name not in rest]
    rest += [
        name for name in axes(ds) if name not in given and name not in rest
    ]  # axes of one value, at the worst
    wanted = 2 - len(given)
    if len(rest) < wanted:
        raise UsageError("a map", None, f"needs two swept axes; {swept(ds)}")
    chosen = sorted(rest[:wanted], key=axes(ds).index)
    x = x if x is not None else chosen.pop(0)
    y = y if y is not None else chosen.pop(0)
    if dim_of(ds, x) == dim_of(ds, y):
        cure = "is one axis: choose two" if x == y else "move together; choose two different axes"
        raise UsageError(x if x == y else f"{x} and {y}", None, cure)
    return one_point_each(ds, (dim_of(ds, x), dim_of(ds, y))), x, y


def line(ds: xr.Dataset, x: str | None, preferred: Sequence[str] = ()) -> tuple[xr.Dataset, str, str | None]:
    """Choose the axis along x and, where one more is free, the axis that becomes one line each.

    Returns
    -------
    The dataset with at most two dimensions, the coordinate along x, and the dimension of the lines or None.
    """
    numbers = numeric_axes(ds)
    if x is None:
        at_hand = (
            [name for name in preferred if name in numbers and ds.sizes[name] > 2] + numbers + list(axes(ds))
        )
        if not at_hand:
            raise UsageError("this picture", None, "needs a swept axis; the results are a single point")
        x = at_hand[0]
    axis(ds, x, numeric=True)
    dim = dim_of(ds, x)
    others = [name for name in free_axes(ds) if name != dim]
    hue = others[0] if len(others) == 1 else None
    return one_point_each(ds, (dim,) if hue is None else (dim, hue)), x, hue


def emptiness(ds: xr.Dataset, *, known: bool = False) -> str:
    """Say why there is nothing to see; ``known`` if there are results, and all of them are 0."""
    if known:
        return "nothing unstable here"
    if "status" in ds and bool((ds["status"] == FAILED).any()) and not bool((ds["status"] == DONE).any()):
        return "every point failed"
    return "no point is done yet"


def groups(ds: xr.Dataset, names: Sequence[str]) -> list[dict[str, int]]:
    """Positions of every combination of values on these axes."""
    return [
        dict(zip(names, at, strict=True))
        for at in itertools.product(*(range(ds.sizes[name]) for name in names))
    ]


def _few_powers(ax: Axes) -> None:
    """Label 1, 2 and 5 of every power of ten, or powers alone where there are two: all would run into each other."""
    from matplotlib.ticker import LogLocator, NullFormatter

    ax.xaxis.set_minor_formatter(NullFormatter())
    low, high = ax.get_xlim()
    if np.floor(np.log10(high)) <= np.ceil(np.log10(low)):
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(lambda value, _: style.number(float(value)))


def number_axis(ax: Axes, labels: Floats) -> None:
    """Scale and ticks of an axis of labels: logarithmic where they are, every whole number where few."""
    unique = np.unique(labels)
    if style.is_geometric(unique):
        ax.set_xscale("log")
        if unique.size <= 8 and np.all(unique == np.round(unique)) and unique.max() < 1e5:
            ax.set_xticks(unique, [f"{value:.0f}" for value in unique])
            ax.set_xticks([], minor=True)
        elif unique.max() < 100.0 * unique.min():
            _few_powers(ax)
    elif np.all(unique == np.round(unique)) and unique.size <= 16 and np.ptp(unique) <= 20:
        ax.set_xticks(unique, [f"{value:.0f}" for value in unique])
