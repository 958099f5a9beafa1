"""A Fermi surface in the first quarter of phi, smeared or sharp."""

from __future__ import annotations

import numpy as np

from pairsweep.contract.fields import Field
from pairsweep.physics.grid import Floats
from pairsweep.physics.patterns.base import Edges, HasMomenta, Level, Occupations, Pattern
from pairsweep.physics.patterns.quadrant import LEVELS, PHI_EDGES, in_first_quadrant, whole_quadrants


def fermi_surface(
    momenta: HasMomenta,
    fermi_energy: Level,
    rho_high: Level,
    rho_low: Level,
    rhobar_high: Level | None = None,
    rhobar_low: Level | None = None,
    smearing: Level = 0.0,
) -> Occupations:
    """Return ``rho_high`` times a Fermi function of E in the first quadrant of phi, ``rho_low`` elsewhere.

    The Fermi function falls at ``fermi_energy`` (MeV) over the temperature ``smearing`` (MeV); with 0 it is a step.
    """
    surface, width = (np.asarray(level, dtype=np.float64) for level in (fermi_energy, smearing))
    depth = momenta.energy - surface
    sharp = np.where(depth <= 0, 1.0, 0.0)
    share = np.where(width > 0, _fermi(depth / np.where(width > 0, width, 1.0)), sharp)
    inside = in_first_quadrant(momenta.phi)
    rhobar_high = rho_high if rhobar_high is None else rhobar_high
    rhobar_low = rho_low if rhobar_low is None else rhobar_low
    rho = np.asarray(np.where(inside, share * rho_high, rho_low), dtype=np.float64)
    return rho, np.asarray(np.where(inside, share * rhobar_high, rhobar_low), dtype=np.float64)


def _fermi(x: Floats) -> Floats:
    """1/(exp(x) + 1), without overflow and exact in its tail."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x > 0, small, 1.0) / (1.0 + small))


def _edges(fermi_energy: float, smearing: float = 0.0, **levels: float) -> Edges:
    return Edges(energy=(fermi_energy,) if smearing == 0.0 else (), phi=PHI_EDGES)


PATTERN = Pattern(
    name="fermi_surface",
    meaning="a Fermi function of the energy in the first quarter of phi, one occupation elsewhere",
    function=fermi_surface,
    fields=(
        Field("fermi_energy", "number", "energy of the surface", "MeV", minimum=0.0, symbol=r"E_{\rm F}"),
        Field(
            "smearing",
            "number",
            "temperature that smears the surface; 0 is a step",
            "MeV",
            required=False,
            default=0.0,
            minimum=0.0,
            symbol="T",
        ),
        *LEVELS,
    ),
    linear=False,
    edges=_edges,
    check=whole_quadrants,
)
