"""What a variable and a label of a dataset are: name, dimensions, type, units, meaning.

Nobody else types the attributes of a dataset; the reference pages are made from these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


def _always(options: Any) -> bool:
    return True


@dataclass(frozen=True)
class Variable:
    """A result variable.

    ``trailing`` are its dimensions after the axes of the sweep; ``flags`` the meanings of an integer code, from 0
    on; ``kinds`` the kinds of grid that have it, all where empty; ``when`` tells from the options whether it is
    computed, and ``condition`` says the same in words; ``unknown`` is the code where there is no result.
    """

    name: str
    meaning: str
    units: str = "1"
    trailing: tuple[str, ...] = ()
    dtype: str = "float64"
    flags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    when: Callable[[Any], bool] = _always
    condition: str = ""
    unknown: int = 0

    @property
    def attrs(self) -> dict[str, object]:
        """CF attributes; flag values are given as a list, as zarr's JSON metadata keeps them."""
        attrs: dict[str, object] = {"long_name": self.meaning}
        if self.flags:
            attrs["flag_values"] = list(range(len(self.flags)))
            attrs["flag_meanings"] = " ".join(self.flags)
        else:
            attrs["units"] = self.units
        return attrs

    @property
    def fill_value(self) -> float | int:
        """What a cell holds that is pending or has failed: NaN, or for integers ``unknown``."""
        return float("nan") if self.dtype == "float64" else self.unknown


@dataclass(frozen=True)
class Label:
    """A dimension or coordinate that is not a result."""

    name: str
    meaning: str
    units: str = "1"
    attrs: dict[str, object] = field(init=False, hash=False)

    def __post_init__(self) -> None:
        attrs: dict[str, object] = {"long_name": self.meaning}
        if self.units:
            attrs["units"] = self.units
        object.__setattr__(self, "attrs", attrs)


STATUS_FLAGS = ("pending", "done", "failed")
STATUS = Variable("status", "state of the point", dtype="int8", flags=STATUS_FLAGS)
COMPONENTS = ("x", "y", "z")
QUADRANTS = (1, 2, 3, 4)
POINT = "point"
STATISTIC, MEDIAN = "statistic", "median"

# What follows from the grid alone, whichever analysis has it.
GRID_LABELS = {
    label.name: label
    for label in (
        Label("energy_bin", "energy bin, from the lowest"),
        Label("energy", "energy of the bin", "MeV"),
        Label("theta_bin", "bin in cos(theta)"),
        Label("theta", "polar angle of the bin", "rad"),
        Label("phi_bin", "bin in phi"),
        Label("phi", "azimuth of the bin", "rad"),
        Label("quadrant", "phi quadrant"),
        Label("beam", "name of the beam", ""),
        Label("beam_energy", "energy of the beam", "MeV"),
        Label("beam_weight", "phase-space volume of the beam", "MeV^3"),
        Label("beam_theta", "polar angle of the beam", "rad"),
        Label("beam_phi", "azimuth of the beam", "rad"),
        Label("beam_rho", "neutrino occupation given to the beam"),
        Label("beam_rhobar", "antineutrino occupation given to the beam"),
        Label("component", "component of the vector", ""),
        Label(POINT, "point of a refined map"),
        Label(STATISTIC, "statistic over the points of a former axis", ""),
    )
}
