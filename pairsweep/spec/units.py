"""Units of what stands in a file: read there or given in the specification, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from pairsweep.contract.errors import SpecError, suggest

if TYPE_CHECKING:
    import xarray as xr

H_MEV_S = 4.135667696e-21
ENERGIES = {
    "MeV": 1.0,
    "keV": 1e-3,
    "eV": 1e-6,
    "GeV": 1e3,
    "erg": 624150.9074460763,
    "J": 6.241509074460763e12,
    "Hz": H_MEV_S,
    "1/s": H_MEV_S,
    "s-1": H_MEV_S,
    "s^-1": H_MEV_S,
}
ANGLES = dict.fromkeys(("deg", "degree", "degrees"), np.pi / 180) | dict.fromkeys(
    ("rad", "radian", "radians"), 1.0
)
DENSITIES = {
    **dict.fromkeys(("1/cm^3", "cm^-3", "cm-3", "cm**-3", "1/cm**3", "1/ccm", "1/cm3"), 1.0),
    **dict.fromkeys(("1/m^3", "m^-3", "m-3", "m**-3", "1/m**3", "1/m3"), 1e-6),
    **dict.fromkeys(("1/fm^3", "fm^-3", "fm-3", "fm**-3"), 1e39),
}


def unit_among(
    ds: xr.Dataset, names: tuple[str, ...], given: Mapping[str, str], known: Mapping[str, float]
) -> float:
    """Factor of a unit that goes by any of these names.

    Given in the specification, or an attribute of the last of them that has one; never guessed.
    """
    first = names[0]
    unit = next((given[name] for name in names if name in given), None)
    if unit is None:
        told = [ds[name].attrs["units"] for name in names if name in ds and "units" in ds[name].attrs]
        if not told:
            cure = f'{first} has no units: give units = {{ {first} = "..." }}, one of {", ".join(known)}'
            raise SpecError("occupation.units", None, cure)
        unit = told[-1]
    if unit not in known:
        raise SpecError(f"occupation.units.{first}", unit, suggest(unit, known))
    return known[str(unit)]


def unit_of(ds: xr.Dataset, name: str, given: Mapping[str, str], known: Mapping[str, float]) -> float:
    """Factor of the unit of a variable, given in the specification or in the file."""
    return unit_among(ds, (name,), given, known)


def refuse_densities(ds: xr.Dataset, names: Iterable[str], quantity: str) -> None:
    """Refuse numbers in a volume that are said to be occupations."""
    for name in names:
        unit = ds[name].attrs.get("units")
        if quantity == "occupation" and unit in DENSITIES:
            cure = f'{name} is in {unit}, and occupations have no unit: give quantity = "number_density"'
            raise SpecError("occupation.quantity", quantity, cure)


def density_unit(ds: xr.Dataset, name: str, other: str, given: Mapping[str, str]) -> float:
    """1/cm^3 for one of the numbers of neutrinos, which those of antineutrinos share."""
    unit, unit_bar = (unit_of(ds, each, given, DENSITIES) for each in (name, other))
    if unit != unit_bar:
        raise SpecError(
            f"occupation.units.{other}", None, f"differs from that of {name}: convert one of them"
        )
    return unit
