"""The quadrant pattern inside a band of energies."""

from __future__ import annotations

import numpy as np

from pairsweep.physics.grid import Grid
from pairsweep.physics.patterns.base import Level, Occupations
from pairsweep.physics.patterns.quadrant import in_first_quadrant


def energy_band(
    grid: Grid,
    e_low: Level,
    e_high: Level,
    rho_high: Level,
    rho_low: Level,
    rhobar_high: Level | None = None,
    rhobar_low: Level | None = None,
    edge_width: Level = 0.0,
) -> Occupations:
    """Return the quadrant pattern inside the band e_low <= E <= e_high (MeV), ``rho_low`` outside.

    With ``edge_width`` > 0 (MeV, at most the width of the band) each edge is a linear ramp of that width, centred on
    the edge; with 0 it is a step.
    """
    depth = np.minimum(grid.energy - e_low, e_high - grid.energy)  # MeV inside the nearer edge
    width = np.asarray(edge_width, dtype=np.float64)
    ramp = np.clip(depth / np.where(width > 0, width, 1.0) + 0.5, 0.0, 1.0)
    share = np.where(width > 0, ramp, depth >= 0) * in_first_quadrant(grid.phi)
    rhobar_high = rho_high if rhobar_high is None else rhobar_high
    rhobar_low = rho_low if rhobar_low is None else rhobar_low
    # in this form the levels themselves come out exactly
    rho = np.asarray((1.0 - share) * rho_low + share * rho_high, dtype=np.float64)
    rhobar = np.asarray((1.0 - share) * rhobar_low + share * rhobar_high, dtype=np.float64)
    return rho, rhobar
