"""Numbers that codes usually differ by, and what they stand for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import product

from pairsweep.physics.units import HBAR

HBAR_C_KM = 197.3269804e-18  # MeV km: 197.3269804 MeV fm (CODATA 2018)
TWO_PI_CUBED = (2.0 * math.pi) ** 3
# Constants are written with a few digits: two codes' hbar agree to this.
CONSTANTS = 1e-3

USUAL = {
    -1.0: "the opposite sign",
    2.0: "a factor of 2",
    0.5: "a factor of 1/2",
    -2.0: "a factor of 2 and the opposite sign",
    -0.5: "a factor of 1/2 and the opposite sign",
    4.0: "a factor of 4",
    0.25: "a factor of 1/4",
    math.sqrt(2.0): "a factor of sqrt(2)",
    math.sqrt(0.5): "a factor of 1/sqrt(2)",
    TWO_PI_CUBED: "(2 pi)^3: weights or g with another share of it",
    1.0 / TWO_PI_CUBED: "1/(2 pi)^3: weights or g with another share of it",
    4.0 * math.pi: "4 pi: an integral over directions in place of their mean",
    0.25 / math.pi: "1/(4 pi): a mean over directions in place of their integral",
    2.0 * math.pi: "2 pi",
    0.5 / math.pi: "1/(2 pi)",
}


def rate_units(mu_prime: float | None) -> dict[str, float]:
    """Value of a rate of 1 MeV in other units."""
    units = {"1/s": 1.0 / HBAR, "1/km": 1.0 / HBAR_C_KM, "1/cm": 1e-5 / HBAR_C_KM, "eV": 1e6, "GeV": 1e-3}
    return units if mu_prime is None else units | {"mu'": 1.0 / mu_prime}


def usual(factor: float, tolerance: float) -> str | None:
    """What a factor stands for; None for a number that means nothing."""
    return nearest(factor, USUAL.items(), max(tolerance, 1e-6))


def unit_of(factor: float, mu_prime: float | None) -> str | None:
    """Name the unit of rates that a factor for all terms stands for, perhaps with a plain factor of 2 or a sign."""
    extras = {
        1.0: "",
        -1.0: ", with the opposite sign",
        2.0: ", and twice as large",
        0.5: ", and half as large",
    }
    named = (
        (value * extra, f"rates in {unit}, ours in MeV{words}")
        for (unit, value), (extra, words) in product(rate_units(mu_prime).items(), extras.items())
    )
    return nearest(factor, named, CONSTANTS)


def nearest(factor: float, named: Iterable[tuple[float, str]], tolerance: float) -> str | None:
    """Text of the first number that equals the factor to a relative tolerance."""
    return next((text for value, text in named if abs(factor - value) <= tolerance * abs(value)), None)
