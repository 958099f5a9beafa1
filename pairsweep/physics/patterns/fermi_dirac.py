"""Thermal occupations with a dipole."""

from __future__ import annotations

import numpy as np

from pairsweep.contract.fields import Field
from pairsweep.physics.grid import Floats
from pairsweep.physics.patterns.base import HasMomenta, Level, Occupations, Pattern


def fermi_dirac(
    momenta: HasMomenta, temperature: Level, chemical_potential: Level = 0.0, dipole: Level = 0.0
) -> Occupations:
    """Fermi-Dirac occupations: rho with mu (1 + dipole cos theta), rhobar with minus that; MeV.

    Isotropic (dipole = 0) the EPN is negative at every energy, so a thermal gas has no crossing.
    """
    mu = np.asarray(chemical_potential) * (1.0 + np.asarray(dipole) * np.cos(momenta.theta))
    return _fermi((momenta.energy - mu) / temperature), _fermi((momenta.energy + mu) / temperature)


def _fermi(x: Floats) -> Floats:
    """1/(exp(x) + 1), without overflow and exact in its tail."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x > 0, small, 1.0) / (1.0 + small))


PATTERN = Pattern(
    name="fermi_dirac",
    meaning="thermal occupations, with a dipole in the chemical potential",
    function=fermi_dirac,
    fields=(
        Field("temperature", "number", "temperature", "MeV", minimum=0.0, open_below=True, symbol="T"),
        Field(
            "chemical_potential",
            "number",
            "chemical potential of the neutrinos",
            "MeV",
            required=False,
            default=0.0,
            symbol=r"\mu_\nu",
        ),
        Field(
            "dipole", "number", "chemical potential times (1 + dipole cos theta)", required=False, default=0.0
        ),
    ),
    linear=False,
)
