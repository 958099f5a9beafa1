"""One level in the first quarter of phi, another elsewhere (the Letter's pattern)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairsweep.physics.grid import Grid
from pairsweep.physics.patterns.base import Floats, Level, Occupations


def in_first_quadrant(phi: Floats) -> NDArray[np.bool_]:
    turn = np.mod(phi, 2 * np.pi)
    return (turn > 0) & (turn < np.pi / 2)


def _two_levels(
    inside: NDArray[np.bool_],
    rho_high: Level,
    rho_low: Level,
    rhobar_high: Level | None,
    rhobar_low: Level | None,
) -> Occupations:
    rho = np.where(inside, rho_high, rho_low).astype(np.float64)
    rhobar = np.where(
        inside,
        rho_high if rhobar_high is None else rhobar_high,
        rho_low if rhobar_low is None else rhobar_low,
    ).astype(np.float64)
    return rho, rhobar


def quadrant(
    grid: Grid,
    rho_high: Level,
    rho_low: Level,
    rhobar_high: Level | None = None,
    rhobar_low: Level | None = None,
) -> Occupations:
    """Return ``rho_high`` where 0 < phi < pi/2, ``rho_low`` elsewhere; rhobar defaults to rho."""
    return _two_levels(in_first_quadrant(grid.phi), rho_high, rho_low, rhobar_high, rhobar_low)
