"""Occupations of the report's sweeps that are no pattern of a specification."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def sector(
    energy: Floats,
    theta: Floats,
    phi: Floats,
    *,
    from_energy: float,
    to_energy: float,
    opening: float,
    filling: float,
    background: float,
) -> tuple[Floats, Floats]:
    """Fill a sector of azimuths in a band of energies.

    Occupation ``filling`` from from_energy to to_energy (MeV) and below the azimuth ``opening`` (degrees), elsewhere
    ``background``.
    """
    inside = (energy >= from_energy) & (energy <= to_energy) & (phi < np.radians(opening))
    rho = np.where(inside, filling, background)
    return rho, rho
