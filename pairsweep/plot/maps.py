"""A map of any variable over two axes; the verdict unless another one is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.contract.template import DONE
from pairsweep.dataset.select import axes, meanings_of
from pairsweep.dataset.select import variable as result
from pairsweep.dataset.units import STORED, in_unit, unit_words
from pairsweep.drawing import style
from pairsweep.drawing.layout import emptiness
from pairsweep.drawing.picture import given, picture
from pairsweep.drawing.plane import Plane, cut_to, hatch_cells, swatch
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

FIRST = ("verdict", "inhomogeneous_verdict", "mode_kind", "growth_rate", "inhomogeneous_growth_rate")
# colour and hatching of the codes of a flag: told apart by colour blind eyes, and in grey
CODES = (
    ("#F3F3F3", ""),
    ("#0072B2", ""),
    ("#F0C257", "..."),
    ("#CC79A7", "\\\\\\\\"),
    ("#A8A8A8", "xxxx"),
    ("#009E73", "++"),
)
DECADES = 100.0  # ratio from which on colours are logarithmic
LETTERS = 28  # of a line beside the colour bar


def _name(ds: xr.Dataset, asked: str | None) -> str:
    if asked is not None:
        result(ds, asked)
        return asked
    found = [name for name in FIRST if name in ds]
    return found[0] if found else str(next(iter(ds.data_vars)))


def _scale(values: Floats) -> Normalize:
    """Scale of the colours: from 0 on, or logarithmic over decades; from end to end where signs differ."""
    from matplotlib.colors import LogNorm, Normalize

    values = values[np.isfinite(values)]
    positive = values[values > 0]
    if not positive.size or (values < 0).any():
        return Normalize(float(values.min(initial=0.0)), float(values.max(initial=0.0)) or 1.0)
    low, high = float(np.quantile(positive, 0.02)), float(positive.max())
    return LogNorm(low, high) if high > DECADES * low else Normalize(0.0, high)


def _shared(ds: xr.Dataset, refined: xr.Dataset | None, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"whole": ds}


@picture("map", shows=2, layers=given, common=_shared)
def any_map(
    ds: xr.Dataset,
    ax: Axes,
    *,
    x: str | None = None,
    y: str | None = None,
    variable: str | None = None,
    unit: str = STORED,
    whole: xr.Dataset | None = None,
) -> style.Key:
    """Draw any variable with one value a point over two axes; codes by colour and hatching, numbers by a colour bar.

    Parameters
    ----------
    x, y : str, optional
        Axes, or coordinates along one; the two longest numeric ones by default.
    variable : str, optional
        The verdict by default, else the kind of the fastest mode or the growth rate.
    unit : str
        See `in_unit`; of rates and frequencies.
    whole : xarray.Dataset, optional
        What the scale of the colours is made for, so that panels share one.
    """
    name = _name(ds, variable)
    if set(ds[name].dims) - set(axes(ds)):
        raise UsageError("variable", name, "has several values a point: choose one with one")
    whole = ds if whole is None else whole
    if unit != STORED:
        ds, whole = (each.assign({name: in_unit(each, each[name], unit)}) for each in (ds, whole))
    cut = cut_to(ds, x, y)
    values = cut.field(cut.ds[name])
    if "status" in cut.ds and cut.ds[name].dtype.kind != "f":
        values = np.where(cut.field(cut.ds["status"]) == DONE, values, np.nan)
    codes = meanings_of(cut.ds[name])
    over = f", over {unit_words(ds, unit).split()[0]}" if unit in ("g", "mu") else ""
    key = _codes(ax, cut, values, codes) if codes else _numbers(ax, cut, values, whole[name], over)
    unknown = cut.unknown(ax, values)
    if not np.isfinite(values).any():
        style.say_empty(ax, emptiness(ds))
    cut.finish(ax)
    return replace(key, handles=(*key.handles, *unknown), below=True)


def _codes(ax: Axes, cut: Plane, values: Floats, meanings: Sequence[str]) -> style.Key:
    from matplotlib.colors import ListedColormap

    looks = [CODES[code % len(CODES)] for code in range(len(meanings))]
    colours = ListedColormap([colour for colour, _ in looks])
    mesh = cut.cells(ax, np.ma.masked_invalid(values), cmap=colours, vmin=-0.5, vmax=len(meanings) - 0.5)
    handles = []
    for code, (meaning, (colour, hatch)) in enumerate(zip(meanings, looks, strict=True)):
        here = values == code
        if here.any():
            if hatch:
                hatch_cells(ax, cut, here, hatch)
            handles.append(swatch(meaning, colour, hatch))
    return style.Key(tuple(handles), data=(mesh,))


def _numbers(ax: Axes, cut: Plane, values: Floats, whole: xr.DataArray, over: str) -> style.Key:
    import matplotlib as mpl

    norm = _scale(whole.values.astype(np.float64).ravel())
    apart = isinstance(norm, mpl.colors.LogNorm)  # 0 has no place among its colours
    none = np.ma.masked_where(~(values == 0) | (not apart), values)
    cut.cells(ax, none, cmap=mpl.colors.ListedColormap(["white"]))
    shown = np.ma.masked_where(~np.isfinite(values) | ~none.mask, values)
    mesh = cut.cells(ax, shown, norm=norm, cmap=mpl.colormaps[style.SEQUENTIAL])
    return style.Key(
        (swatch("0", "white"),) if not none.mask.all() else (),
        colours=mesh,
        colours_label=style.meaning_label(whole, LETTERS, over),
        data=(mesh,),
    )
