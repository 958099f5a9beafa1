"""What a run keeps and what it does not: drifts of the exact invariants, and the spin budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.analyses.evolution.pictures.curves import time_label, times
from pairsweep.contract.errors import UsageError, suggest
from pairsweep.contract.template import FAILED
from pairsweep.dataset.select import free_axes, variable
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, emptiness, line, number_axis, one_point_each
from pairsweep.drawing.picture import given, picture
from pairsweep.drawing.series import envelope, is_fast

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRIFTS = {
    "energy_drift": r"energy, $|H-H_0|\,/\sum 2wE|\,S\,|$",
    "norm_drift": r"norm $|\,S\,|$ of any pair",
}
SPIN = {
    "spin_occupation": "Spin of the occupations",
    "spin_pairing": "Spin of the pairing",
    "spin_total": "Spin, both parts",
}
MANY_POINTS = 500  # beyond, they are small, and an image inside a vector file
ROUNDING = 2.0**-53


def _layers(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    if y is None and not free_axes(ds):
        return [{**panel, "y": name} for panel in given(ds, x, y) for name in SPIN]
    return given(ds, x, y)


@picture("conservation", shows=1, layers=_layers)
def conservation(ds: xr.Dataset, ax: Axes, *, x: str | None = None, y: str | None = None) -> style.Key:
    """Draw the drifts of the exact invariants, or one part of the spin budget.

    Parameters
    ----------
    x : str, optional
        For drifts a numeric axis; every point of the sweep in its order where several axes are left. For spins the
        times of `evolution`.
    y : {"drift", "spin_occupation", "spin_pairing", "spin_total"}, optional
        "drift": largest relative drift of the energy and of any abs(S) over the run, one point per run.
        Spins: x, y, z components against time of the part of the occupations, of the pairing, and of their
        sum, which is not conserved. Default: "spin_total" for a single run, "drift" for a sweep.
    """
    if y is None:
        y = "drift" if free_axes(ds) else "spin_total"
    if y == "drift":
        return _drift(ds, ax, x)
    if y in SPIN:
        return _spin(ds, ax, x, y)
    raise UsageError("y", y, suggest(y, ("drift", *SPIN)))


def _spin(ds: xr.Dataset, ax: Axes, x: str | None, y: str) -> style.Key:
    from matplotlib.patches import Patch

    flat = one_point_each(ds, ())
    parts = [variable(flat, name).load() for name in ("spin_occupation", "spin_pairing")]
    curves = parts[0] + parts[1] if y == "spin_total" else parts[y == "spin_pairing"]
    time, _ = times(flat, x)
    handles, data = [], []
    fast = any(is_fast(values) for values in curves.transpose("component", ...).values)
    for i, component in enumerate(curves["component"].values):
        look: style.Look = {"color": style.COLOURS[i], "lw": 1.0, "ls": style.LINES[i]}
        values = curves.isel(component=i).values
        if fast:
            data += envelope(ax, time, values, **look)
        else:
            data += ax.plot(time, values, **look)
        handles.append(style.key(f"${component}$", **look))
    if fast:
        handles.append(Patch(color=style.MUTED, alpha=0.25, lw=0, label="range of fast\noscillations"))
    top = float(np.nanmax(np.abs([part.values for part in parts]), initial=0.0))
    ax.set_xlabel(time_label(flat, x))
    style.scaled_label(ax, "y", SPIN[y], str(parts[0].attrs.get("units", "")), top)
    ax.margins(x=0)
    return style.Key(tuple(handles), "component", data=tuple(data))


def _drift(ds: xr.Dataset, ax: Axes, x: str | None) -> style.Key:
    known = [name for name in DRIFTS if name in ds]
    if not known:
        variable(ds, "energy_drift")
    if x is None and len(free_axes(ds)) != 1:
        flat, places, label = ds, np.arange(ds[known[0]].size, dtype=np.float64), "Point of the sweep"
    else:
        flat, x, hue = line(ds, x)
        flat = flat.transpose(..., dim_of(flat, x))
        places = np.tile(flat[x].values.astype(np.float64), 1 if hue is None else flat.sizes[hue])
        label = style.coordinate_label(flat[x])
        number_axis(ax, places)
    handles, data = [], []
    shown = np.zeros(places.shape, dtype=bool)
    size = 4.0 if places.size <= MANY_POINTS else 2.0
    for i, name in enumerate(known):
        values = flat[name].values.ravel()
        # an exact 0 has no place on a logarithmic axis: it is put at the rounding unit
        data += ax.plot(
            places,
            np.maximum(values, ROUNDING),
            style.MARKERS[i],
            ms=size - 0.25 * size * i,
            color=style.COLOURS[i],
            mew=0,
            rasterized=places.size > MANY_POINTS,
        )
        handles.append(style.key(DRIFTS[name], marker=style.MARKERS[i], color=style.COLOURS[i]))
        shown |= np.isfinite(values)
    if shown.any():
        ax.set_yscale("log")
        rounding: style.Look = {"color": style.MUTED, "lw": 0.8, "ls": ":"}
        ax.axhline(ROUNDING, **rounding)
        handles.append(style.key("rounding unit, or exactly 0", **rounding))
    else:
        style.say_empty(ax, emptiness(ds))
    ax.set_xlabel(label)
    ax.set_ylabel("Largest drift over the run")
    if "status" in flat and (failed := (flat["status"] == FAILED).values.ravel()).any():
        look: style.Look = {"marker": "x", "ms": 4.5, "mec": "#B00020", "mew": 1.1, "ls": "none"}
        ax.plot(places[failed], np.full(failed.sum(), 0.025), transform=ax.get_xaxis_transform(), **look)
        handles.append(style.key("failed", **look))
    return style.Key(tuple(handles), below=True, data=tuple(data))
