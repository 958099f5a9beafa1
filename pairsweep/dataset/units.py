"""Rates in the units that people use: as stored, per second, per centimetre, or over the coupling."""

from __future__ import annotations

import xarray as xr

from pairsweep.contract.errors import UsageError, suggest
from pairsweep.dataset.select import mu
from pairsweep.physics.units import HBAR, HBAR_C

STORED = "MeV"
# as the attribute ``units`` says them: a rate over g is a volume of phase space, one over mu a pure number
UNITS = {STORED: "MeV", "1/s": "s^-1", "1/cm": "cm^-1", "g": "MeV^3", "mu": "1"}


def in_unit(ds: xr.Dataset, rates: xr.DataArray, unit: str) -> xr.DataArray:
    """Give rates, frequencies or energies that are stored in MeV in another unit; name and meaning stay.

    Parameters
    ----------
    ds : the results that they are of, for their couplings
    unit : {"MeV", "1/s", "1/cm", "g", "mu"}
        As stored; over hbar; over hbar c; over g (MeV^3); over `mu`.

    Raises
    ------
    UsageError
        For an unknown unit, a quantity that is not in MeV, or beams of several weights, which have no mu.
    """
    if unit not in UNITS:
        raise UsageError("unit", unit, suggest(unit, UNITS))
    if unit == STORED:
        return rates
    if rates.attrs.get("units") != STORED:
        raise UsageError(
            "unit", unit, f"{rates.name} is not in MeV: only rates, frequencies and energies are converted"
        )
    converted: xr.DataArray = rates / _in_mev(ds, unit)
    dims = (*rates.dims, *(dim for dim in converted.dims if dim not in rates.dims))
    return converted.transpose(*dims).rename(rates.name).assign_attrs({**rates.attrs, "units": UNITS[unit]})


def _in_mev(ds: xr.Dataset, unit: str) -> float | xr.DataArray:
    """What one of a unit is in MeV."""
    if unit == "1/s":
        return HBAR
    if unit == "1/cm":
        return HBAR_C
    return ds["g"] if unit == "g" else mu(ds)


def with_rates_in(ds: xr.Dataset, unit: str) -> xr.Dataset:
    """Give all results that are stored in MeV in another unit, by their own names."""
    rates = {name: values for name, values in ds.data_vars.items() if values.attrs.get("units") == STORED}
    return xr.Dataset({name: in_unit(ds, values, unit) for name, values in rates.items()}, attrs=ds.attrs)


def unit_words(ds: xr.Dataset, unit: str) -> str:
    """Write a unit behind a number: 1/s, or mu' where the grid has a cutoff."""
    return {"mu": "mu'" if "energy_max" in ds.coords else "mu", "g": "g MeV^3"}.get(unit, unit)
