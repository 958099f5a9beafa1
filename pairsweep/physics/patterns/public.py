"""`ps.quadrant` and its like: patterns called by hand, their parameters checked against what they declare."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

from pairsweep.contract.arguments import choice, number
from pairsweep.contract.errors import shorten
from pairsweep.contract.fields import Field
from pairsweep.contract.occupation import LIMITS
from pairsweep.physics.patterns import energy_band as band
from pairsweep.physics.patterns import fermi_dirac as thermal
from pairsweep.physics.patterns import fermi_surface as surface
from pairsweep.physics.patterns import quadrant as quarter
from pairsweep.physics.patterns.base import Occupations, Pattern

F = TypeVar("F", bound=Callable[..., Occupations])


def by_hand(function: F, pattern: Pattern) -> F:
    """Return the function of a pattern for calls with a grid and single numbers.

    The result refuses, as a ValueError with name, value and cure, what a specification would refuse.
    """
    fields = {field.name: field for field in pattern.fields}
    names = signature(function)

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Occupations:
        given = names.bind(*args, **kwargs).arguments
        momenta, *_ = given.values()
        if not all(hasattr(momenta, name) for name in ("energy", "theta", "phi")):
            kind = type(momenta).__name__
            raise ValueError(
                f"grid is of type {kind}: give the pairs first, from ps.bins, ps.cells or ps.beams"
            )
        for name, value in given.items():
            if name in fields and value is not None:
                _check(fields[name], value)
        return function(*args, **kwargs)

    return checked  # type: ignore[return-value]


def _check(field: Field, value: Any) -> None:
    if field.kind == "text":
        choice(field.name, value, field.choices)
    elif (
        (field.minimum, field.maximum) == (0.0, 1.0)
        and isinstance(value, int | float)
        and not 0 <= value <= 1
    ):
        raise ValueError(f"{field.name} = {shorten(value)}: {LIMITS}")
    elif getattr(value, "shape", ()) == ():  # arrays are for those who call it for many systems
        what = "a number" if field.units == "1" else f"a number in {field.units}"
        limits: dict[str, Any] = {
            "minimum": field.minimum,
            "maximum": field.maximum,
            "open_below": field.open_below,
        }
        number(field.name, value, what, **limits)


quadrant = by_hand(quarter.quadrant, quarter.PATTERN)
energy_band = by_hand(band.energy_band, band.PATTERN)
fermi_dirac = by_hand(thermal.fermi_dirac, thermal.PATTERN)
fermi_surface = by_hand(surface.fermi_surface, surface.PATTERN)
