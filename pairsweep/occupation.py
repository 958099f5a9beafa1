"""Named occupation patterns: functions of momentum that return (rho, rhobar).

Parameters may be arrays with a trailing axis of length 1: one call then fills (P, N) occupations of P points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairsweep.grid import Grid

Floats = NDArray[np.float64]
Level = float | Floats
Occupations = tuple[Floats, Floats]


def _in_first_quadrant(phi: Floats) -> NDArray[np.bool_]:
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
    return _two_levels(_in_first_quadrant(grid.phi), rho_high, rho_low, rhobar_high, rhobar_low)


def energy_band(
    grid: Grid,
    e_low: Level,
    e_high: Level,
    rho_high: Level,
    rho_low: Level,
    rhobar_high: Level | None = None,
    rhobar_low: Level | None = None,
) -> Occupations:
    """Return the quadrant pattern inside the band e_low <= E <= e_high (MeV), ``rho_low`` outside."""
    inside = _in_first_quadrant(grid.phi) & (grid.energy >= e_low) & (grid.energy <= e_high)
    return _two_levels(inside, rho_high, rho_low, rhobar_high, rhobar_low)


def fermi_dirac(
    grid: Grid, temperature: Level, chemical_potential: Level = 0.0, dipole: Level = 0.0
) -> Occupations:
    """Fermi-Dirac occupations: rho with mu (1 + dipole cos theta), rhobar with minus that; MeV.

    Isotropic (dipole = 0) the EPN is negative at every energy, so a thermal gas has no crossing.
    """
    mu = np.asarray(chemical_potential) * (1.0 + np.asarray(dipole) * np.cos(grid.theta))
    return _fermi((grid.energy - mu) / temperature), _fermi((grid.energy + mu) / temperature)


def _fermi(x: Floats) -> Floats:
    """1/(exp(x) + 1), without overflow and exact in its tail."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x > 0, small, 1.0) / (1.0 + small))
