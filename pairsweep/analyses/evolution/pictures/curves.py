"""Runs in time: how the pairing grows, saturates and comes back, and who carries it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.analyses.evolution.derived import phase_of
from pairsweep.contract.errors import UsageError, suggest
from pairsweep.contract.template import FAILED
from pairsweep.contract.variables import STATISTIC
from pairsweep.dataset.select import axes, free_axes, mu, variable
from pairsweep.drawing import style
from pairsweep.drawing.layout import emptiness, one_point_each
from pairsweep.drawing.picture import given, picture
from pairsweep.drawing.series import as_distribution, bands, envelope, is_fast, line_looks, middle
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# variable -> label of the y axis, whether it grows exponentially (and so belongs on a logarithmic axis)
CURVES = {
    "kappa_mean": (r"Mean pairing $\langle|\,\kappa\,|\rangle$", True),
    "kappa_energy": (r"Pairing per energy bin $\langle|\,\kappa\,|\rangle_j$", True),
    "kappa_quadrant": (r"Pairing per quadrant $\langle|\,\kappa\,|\rangle_i$", True),
    "rho_quadrant": (r"Neutrino occupation $\langle\rho\rangle_i$", False),
    "rhobar_quadrant": (r"Antineutrino occupation $\langle\bar\rho\rangle_i$", False),
    "kappa_beam": (r"Pairing per beam $|\,\kappa\,|$", True),
    "rho_beam": (r"Neutrino occupation $\rho$", False),
    "rhobar_beam": (r"Antineutrino occupation $\bar\rho$", False),
}
DEFAULT_CURVES = ("kappa_mean", "kappa_energy", "rho_quadrant", "kappa_beam", "rho_beam")
MOST_PREDICTED = 8  # lines that have one of linear theory each
MANY_LINES = 60  # beyond, they become an image inside a vector file
TIMES = ("time", "time_mev", "time_mu")


def _layers(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    """By default a panel for each curve that says something of its own."""
    if y is not None:
        return given(ds, x, y)
    told = ["kappa_mean"] if free_axes(ds) else [name for name in DEFAULT_CURVES if _tells(ds, name)]
    return [{**panel, "y": name} for panel in given(ds, x, y) for name in told or ["kappa_mean"]]


def _tells(ds: xr.Dataset, name: str) -> bool:
    """Whether a curve is there and says more than another one: beams more than their mean, bins if several."""
    if name == "kappa_mean":
        return "kappa_beam" not in ds
    return name in ds and not (name == "kappa_energy" and ds.sizes["energy_bin"] == 1)


@picture("evolution", shows=1, layers=_layers, bands=True)
def evolution(
    ds: xr.Dataset,
    ax: Axes,
    *,
    x: str | None = None,
    y: str = "kappa_mean",
    log: bool | None = None,
    prediction: bool = True,
) -> style.Key:
    """Draw a quantity against time, with the growth that linear stability predicts.

    One axis of the sweep may be left: one line for each of its values; of more than 8 seeds or samples the median and
    bands. A quantity per energy bin, quadrant or beam has one line for each of these instead. A curve that turns more
    often than a picture can show is the band it fills, and its mean.

    Parameters
    ----------
    x : str, optional
        "time" (as stored), "time_mev" (1/MeV) or "time_mu" (in units of 1/mu, see `mu`).
    y : str
        A variable of the evolution, "kappa_mean" and so on.
    log : bool, optional
        Logarithmic y; by default for pairing, not for occupations.
    prediction : bool
        Whether to draw exp(growth_rate t) through the linear phase of each pairing curve that has one, if they are
        not more than 8.
    """
    if y not in CURVES:
        raise UsageError("y", y, suggest(y, (name for name in CURVES if name in ds)))
    text, grows = CURVES[y]
    log = grows if log is None else log
    variable(ds, y)
    failed = int((ds["status"] == FAILED).sum()) if "status" in ds else 0
    flat, hue = _cut(as_distribution(ds, [y, "growth_rate"], time=True), y)
    curves = flat[y].load()
    positions: list[dict[str, int]] = [{}] if hue is None else [{hue: i} for i in range(curves.sizes[hue])]
    looks, bar = line_looks(flat, hue if hue in flat.coords else None, len(positions))
    few = len(positions) <= MOST_PREDICTED
    # the mode grows where it lives: of parts of a system only the largest follows it
    parts = hue is not None and hue not in axes(flat)
    followed = [_leading(curves, hue)] if parts and hue is not None else range(len(positions))
    named: list[Any] = []
    rates: set[float] = set()
    told: list[Any] = []
    data: list[Any] = []
    shaded: list[tuple[Any, Any]] = []
    for i, (at, look) in enumerate(zip(positions, looks, strict=True)):
        one = flat if parts else flat.isel(at)
        values = middle(curves.isel(at)).values
        if not np.isfinite(values).any():
            continue
        time, in_mev = times(one, x)
        look |= {"lw": 1.3 if few else 0.7, "rasterized": len(positions) > MANY_LINES}
        drawn, marks = _one_curve(ax, time, curves.isel(at), look, log)
        told = marks or told
        data += drawn
        shaded += [] if bar is None or hue is None else [(each, flat[hue].values[i]) for each in drawn]
        if hue is not None:
            named.append(style.key(_name(flat, hue, i), **look))
        if prediction and few and log and "growth_rate" in one and i in followed:
            rate = float(middle(one["growth_rate"]))
            if rate not in rates and _predict(ax, time, in_mev, values, rate):
                rates.add(rate)  # one line stands for all seeds
    handles = told if bar is not None else [*named, *told]
    if rates:
        handles.append(style.key(r"linear theory $\propto e^{\gamma t}$", ls="--", color=style.INK, lw=0.9))
    if failed and data:
        handles.append(style.key(f"{failed:,} failed: not shown", marker=""))
    if log and bool((curves > 0).any()):
        ax.set_yscale("log")
        ax.set_ylim(_log_floor(curves.values), 2.0 * float(curves.max()))
    if not np.isfinite(curves.values).any():
        style.say_empty(ax, emptiness(ds))
    ax.set_xlabel(time_label(flat, x))
    ax.set_ylabel(text)
    ax.margins(x=0)
    title = _legend_title(flat, hue)
    key = style.Key(tuple(handles), data=tuple(data), shaded=tuple(shaded))
    if bar is not None:
        return replace(key, below=True, colours=bar, colours_label=title or "")
    return replace(key, title=title)


def _cut(ds: xr.Dataset, y: str) -> tuple[xr.Dataset, str | None]:
    """Cut to what one panel shows, and name the dimension that has a line each: of the variable itself, or an axis."""
    inner = [str(dim) for dim in ds[y].dims if dim not in (*axes(ds), "time", STATISTIC)]
    if inner:
        return one_point_each(ds, ()), inner[0]
    left = free_axes(ds)
    hue = left[0] if len(left) == 1 else None
    return one_point_each(ds, left if hue is not None else ()), hue


def _one_curve(
    ax: Axes, time: Floats, curve: xr.DataArray, look: style.Look, log: bool
) -> tuple[list[Any], list[Any]]:
    """Draw a curve, its bands or the range of its fast oscillation; return what was drawn and what a key says of it."""
    values = middle(curve).values
    marks: list[Any] = []
    if STATISTIC in curve.dims:
        floor = _log_floor(curve.values) if log else None
        marks = bands(ax, time, curve, floor, color=look["color"])
    if not is_fast(values, log=log):
        return ax.plot(time, values, **look), marks
    words = "mean and range of fast oscillations"
    drawn = envelope(ax, time, values, log=log, **{**look, "lw": 1.0})
    return drawn, marks or [style.key(words, ls="-", color=style.MUTED)]


def _legend_title(ds: xr.Dataset, hue: str | None) -> str | None:
    if hue is None:
        return None
    words = {"energy_bin": "energy bin", "quadrant": r"$\phi$ quadrant", "beam": "beam"}
    return words[hue] if hue in words else style.group_title(ds, [hue])


def _name(ds: xr.Dataset, hue: str, i: int) -> str:
    if hue == "energy_bin" and "energy" in ds.coords and ds["energy"].dims == ("energy_bin",):
        return f"{style.number(float(ds['energy'][i]))} MeV"
    if hue in ("energy_bin", "quadrant", "beam"):
        return str(ds[hue].values[i]) if hue in ds.coords else str(i + 1)
    return style.group_text(ds, {hue: i})


def times(ds: xr.Dataset, x: str | None) -> tuple[Floats, Floats]:
    """Times to plot along, and the same in 1/MeV."""
    stored = np.asarray(ds["time"].values, dtype=np.float64)
    in_mev = np.asarray(ds["time_mev"].values, dtype=np.float64) if "time_mev" in ds.coords else stored
    if x not in (None, *TIMES):
        raise UsageError("x", x, suggest(x, TIMES))
    if x == "time_mu":
        return in_mev * float(mu(ds)), in_mev
    return (in_mev if x == "time_mev" else stored), in_mev


def time_label(ds: xr.Dataset, x: str | None) -> str:
    if x == "time_mev" or (x != "time_mu" and style.unit_text(ds["time"].attrs.get("units"))):
        return r"Time $t$ (MeV$^{-1}$)"
    return r"Time $t\,gE_{\rm max}^3$" if "energy_max" in ds.coords else r"Time $t\,\mu$"


def _leading(curves: xr.DataArray, dim: str) -> int:
    """Part of the system with the most pairing at any time."""
    peak = curves.max([other for other in curves.dims if other != dim])
    return int(np.argmax(peak.fillna(-1.0).values))


def _predict(ax: Axes, time: Floats, in_mev: Floats, values: Floats, rate: float) -> bool:
    """Draw exp(rate t) through the linear phase, a little longer than that to either side."""
    phase = phase_of(values)
    if phase is None or not rate > 0:
        return False
    level = np.median(np.log(values[phase]) - rate * in_mev[phase])
    curve = level + rate * in_mev
    quiet = np.log(max(float(np.median(values[: phase.start])), 1e-300))
    shown = (curve > quiet - 0.7) & (curve < np.log(values.max()) + 0.7)
    ax.plot(time[shown], np.exp(curve[shown]), "--", color=style.INK, lw=0.9, zorder=3)
    return True


def _log_floor(values: Floats) -> float:
    """Bottom of a logarithmic axis: below the curves, but not at the bottom of a passing zero."""
    positive = values[values > 0]
    return float(0.5 * np.quantile(positive, 0.01))
