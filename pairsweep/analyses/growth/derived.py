"""What follows from growth rates: units that papers plot, e-fold times, lines of ``show``."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pairsweep.analyses.base import Findings
from pairsweep.analyses.growth.analysis import METHODS_TAKEN, MODE_KINDS
from pairsweep.contract.errors import StoreError, UsageError, suggest
from pairsweep.dataset.select import axes, mu, point_words, variable
from pairsweep.physics.units import HBAR


def growth_in(ds: xr.Dataset, unit: str = "mu") -> xr.DataArray:
    """Growth rate in the units that papers plot.

    Parameters
    ----------
    unit : {"MeV", "g", "mu", "crossing", "crossing_bin"}
        As stored; over g (MeV^3); over `mu`; over g sqrt(I+ I-), on the whole EPN crossing strength or on the
        largest of a single energy (NaN where there is no crossing). The two-pair law (Eq. 16) is 2 in the
        unit "crossing".
    """
    growth = variable(ds, "growth_rate")
    if unit == "MeV":
        return growth
    if unit == "mu":
        scale = mu(ds)
        symbol = "mu'" if "energy_max" in ds.coords else "mu"
        return (
            (growth / scale)
            .rename("growth_over_mu")
            .assign_attrs(long_name=f"growth rate over {symbol}", units="1")
        )
    if unit == "g":
        return (
            (growth / ds["g"])
            .rename("growth_over_g")
            .assign_attrs(long_name="growth rate over g", units="MeV^3")
        )
    if unit in ("crossing", "crossing_bin"):
        strength = variable(ds, "epn_crossing_strength" + unit.removeprefix("crossing"))
        ratio = growth / (ds["g"] * strength.where(strength > 0))
        return ratio.rename(f"growth_over_{unit}").assign_attrs(
            long_name=f"growth rate over g times the {strength.attrs.get('long_name', strength.name)}",
            units="1",
        )
    raise UsageError("unit", unit, suggest(unit, ("MeV", "g", "mu", "crossing", "crossing_bin")))


def efold_time(ds: xr.Dataset) -> xr.DataArray:
    """Time in which the fastest mode grows by e, hbar/growth_rate, in seconds; infinite where stable."""
    growth = variable(ds, "growth_rate")
    time = HBAR / growth.where(growth > 0)
    return (
        time.where(growth != 0, np.inf)
        .rename("efold_time")
        .assign_attrs(long_name="e-fold time of the fastest mode", units="s")
    )


def derived(ds: xr.Dataset) -> xr.Dataset:
    """All derived quantities that these results allow: `growth_in` every unit, and `efold_time`."""
    found = {"efold_time": efold_time(ds)}
    for unit in ("g", "mu", "crossing", "crossing_bin"):
        try:
            quantity = growth_in(ds, unit)
        except StoreError:  # what is damaged is not what is absent
            raise
        except UsageError:
            continue
        found[str(quantity.name)] = quantity
    return xr.Dataset(found)


def findings(ds: xr.Dataset) -> Findings:
    """Count kinds of modes and find the largest growth rate of a sweep."""
    growth = ds["growth_rate"].load() if "growth_rate" in ds else xr.DataArray(np.nan)
    known = np.isfinite(growth.values)
    modes: dict[str, int] = {}
    if "mode_kind" in ds:
        kinds = ds["mode_kind"].values[known]
        modes = {kind: int((kinds == code).sum()) for code, kind in enumerate(MODE_KINDS)}
    unstable = sum(count for kind, count in modes.items() if kind != "stable")
    largest, at = float("nan"), dict[str, object]()
    if known.any():
        where = np.unravel_index(np.nanargmax(growth.values), growth.shape)
        largest = float(growth.values[where])
        # not by isel, which brings all of dask.array for one number
        place = dict(zip(growth.dims, where, strict=True))
        names = set(axes(ds))
        at = {
            str(name): np.asarray(label.values[tuple(place[dim] for dim in label.dims)]).item()
            for name, label in growth.coords.items()
            if set(label.dims) & names
        }
    efold = HBAR / largest if largest > 0 else float("inf")
    lines = []
    if known.any():
        counts = ", ".join(f"{n:,} {kind}" for kind, n in modes.items() if n and kind != "stable")
        lines.append(f"  unstable     {unstable:,} of {known.sum():,}" + (f" ({counts})" if counts else ""))
    if largest > 0:
        lines.append(
            f"  largest      growth rate {largest:.6g} MeV" + (f" at {point_words(at)}" if at else "")
        )
        lines.append(f"               an e-fold in {efold:.3g} s")
    lines += _on_dense(ds)
    numbers = {
        "modes": modes,
        "unstable": unstable,
        "largest_growth": largest,
        "largest_efold_seconds": efold,
        "largest_at": at,
    }
    return Findings(tuple(lines), numbers)


def _on_dense(ds: xr.Dataset) -> list[str]:
    """One line where points rest on dense eigenvalues, whose floor is higher than asked for."""
    if "growth_method_taken" not in ds or "growth_floor" not in ds:
        return []
    dense = ds["growth_method_taken"].values == METHODS_TAKEN.index("dense")
    if not dense.any():
        return []
    floor = ds["growth_floor"].values[dense].max()
    return [f"  dense        {dense.sum():,} rest on dense eigenvalues: 0 there means below {floor:.3g} MeV"]
