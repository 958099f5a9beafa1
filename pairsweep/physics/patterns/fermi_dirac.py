"""Thermal occupations with a dipole."""

from __future__ import annotations

import numpy as np

from pairsweep.physics.grid import Grid
from pairsweep.physics.patterns.base import Floats, Level, Occupations


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
