"""Units: what turns a MeV into seconds and centimetres, and the coupling into an interaction strength."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")

HBAR = 6.582119569e-22  # MeV s (CODATA 2018, exact to the digits given)
HBAR_C = 1.973269804e-11  # MeV cm (likewise)


def mu_prime(g: T, energy_max: T) -> T:
    """The Letter's mu' = g' energy_max^3, MeV."""
    return g * energy_max**3  # type: ignore[operator, no-any-return]
