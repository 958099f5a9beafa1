"""What follows from growth rates: units that papers plot, e-fold times, lines of ``show``."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pairsweep.analyses.base import Findings
from pairsweep.analyses.growth.analysis import METHODS_TAKEN, MODE_KINDS
from pairsweep.contract.errors import StoreError, UsageError, suggest
from pairsweep.dataset.select import largest_value, point_words, variable
from pairsweep.dataset.units import STORED, UNITS, in_unit, unit_words, with_rates_in
from pairsweep.physics.units import HBAR

CROSSINGS = ("crossing", "crossing_bin")
NAMES = {"1/s": "per_s", "1/cm": "per_cm"}


def growth_in(ds: xr.Dataset, unit: str = "mu") -> xr.DataArray:
    """Growth rate in the units that papers plot.

    Parameters
    ----------
    unit : {"MeV", "1/s", "1/cm", "g", "mu", "crossing", "crossing_bin"}
        Those of `in_unit`; or over g sqrt(I+ I-), on the whole EPN crossing strength or on the largest of a single
        energy (NaN where there is no crossing). The two-pair law (Eq. 16) is 2 in the unit "crossing".
    """
    growth = variable(ds, "growth_rate")
    if unit in CROSSINGS:
        strength = variable(ds, "epn_crossing_strength" + unit.removeprefix("crossing"))
        ratio = growth / (ds["g"] * strength.where(strength > 0))
        return ratio.rename(f"growth_over_{unit}").assign_attrs(
            long_name=f"growth rate over g times the {strength.attrs.get('long_name', strength.name)}",
            units="1",
        )
    if unit not in UNITS:
        raise UsageError("unit", unit, suggest(unit, (*UNITS, *CROSSINGS)))
    if unit == STORED:
        return growth
    word = {"1/s": "per second", "1/cm": "per centimetre"}.get(
        unit, f"over {unit_words(ds, unit).split()[0]}"
    )
    return (
        in_unit(ds, growth, unit)
        .rename("growth_" + NAMES.get(unit, f"over_{unit}"))
        .assign_attrs(long_name=f"growth rate {word}")
    )


def efold_time(ds: xr.Dataset) -> xr.DataArray:
    """Time in which the fastest mode grows by e, hbar/growth_rate, in seconds; infinite where stable."""
    growth = variable(ds, "growth_rate")
    time = HBAR / growth.where(growth > 0)
    return (
        time.where(growth != 0, np.inf)
        .rename("efold_time")
        .assign_attrs(long_name="e-fold time of the fastest mode", units="s")
    )


def derived(ds: xr.Dataset, unit: str | None = None) -> xr.Dataset:
    """All derived quantities that these results allow: `growth_in` every unit, and `efold_time`.

    Parameters
    ----------
    unit : {"MeV", "1/s", "1/cm", "g", "mu"}, optional
        Give instead all rates and frequencies of the results, of whichever analysis, in this unit and by their own
        names.
    """
    if unit is not None:
        return with_rates_in(ds, unit)
    found = {"efold_time": efold_time(ds)}
    for each in (*UNITS, *CROSSINGS):
        try:
            quantity = growth_in(ds, each)
        except StoreError:  # what is damaged is not what is absent
            raise
        except UsageError:
            continue
        if each != STORED:
            found[str(quantity.name)] = quantity
    return xr.Dataset(found)


def findings(ds: xr.Dataset, unit: str = STORED) -> Findings:
    """Count kinds of modes and find the largest growth rate of a sweep; lines say it in ``unit``, numbers in MeV."""
    growth = ds["growth_rate"].load() if "growth_rate" in ds else xr.DataArray(np.nan)
    known = np.isfinite(growth.values)
    modes: dict[str, int] = {}
    if "mode_kind" in ds:
        kinds = ds["mode_kind"].values[known]
        modes = {kind: int((kinds == code).sum()) for code, kind in enumerate(MODE_KINDS)}
    unstable = sum(count for kind, count in modes.items() if kind != "stable")
    largest, at = largest_value(ds, growth)
    efold = HBAR / largest if largest > 0 else float("inf")
    lines = []
    if known.any():
        counts = ", ".join(f"{n:,} {kind}" for kind, n in modes.items() if n and kind != "stable")
        lines.append(f"  unstable     {unstable:,} of {known.sum():,}" + (f" ({counts})" if counts else ""))
    if largest > 0:
        most, here = largest_value(ds, in_unit(ds, growth, unit))
        words = f"{most:.6g} {unit_words(ds, unit)}" + (f" at {point_words(here)}" if here else "")
        lines += [f"  largest      growth rate {words}", f"               an e-fold in {efold:.3g} s"]
    lines += _crossings(ds) + _on_dense(ds)
    numbers = {
        "modes": modes,
        "unstable": unstable,
        "largest_growth": largest,
        "largest_efold_seconds": efold,
        "largest_at": at,
    }
    return Findings(tuple(lines), numbers)


def _crossings(ds: xr.Dataset) -> list[str]:
    """One line where some points have no crossing: how many have one, and which of the others is nearest to it."""
    if "epn_crossing_distance" not in ds:
        return []
    distance = ds["epn_crossing_distance"].load()
    known = np.isfinite(distance.values)
    away = known & (distance.values > 0)
    if not away.any():
        return []
    farness, at = largest_value(ds, -distance.where(away))
    nearest = f"nearest of the others {-farness:.4g} away" + (f" at {point_words(at)}" if at else "")
    return [f"  EPN          reaches 0 at {(known & ~away).sum():,} of {known.sum():,}; {nearest}"]


def _on_dense(ds: xr.Dataset) -> list[str]:
    """One line where points rest on dense eigenvalues, whose floor is higher than asked for."""
    if "growth_method_taken" not in ds or "growth_floor" not in ds:
        return []
    dense = ds["growth_method_taken"].values == METHODS_TAKEN.index("dense")
    if not dense.any():
        return []
    floor = ds["growth_floor"].values[dense].max()
    return [f"  dense        {dense.sum():,} rest on dense eigenvalues: 0 there means below {floor:.3g} MeV"]
