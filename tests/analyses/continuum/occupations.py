"""Occupations and systems for the tests of the continuum analysis."""

from __future__ import annotations

import numpy as np

from pairsweep.analyses.continuum.profile import spectrum, uniform_directions
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Profile, Systems

ENERGY_MAX = 20.0
LEVELS = {"rho_high": 0.9, "rho_low": 0.1}


def quadrant(rho_high=0.9, rho_low=0.1):
    return PATTERNS["quadrant"].profile(rho_high=rho_high, rho_low=rho_low)


def band(edge_width=0.0, e_low=6.0, e_high=14.0):
    return PATTERNS["energy_band"].profile(e_low=e_low, e_high=e_high, edge_width=edge_width, **LEVELS)


def thermal(temperature=4.0, **parameters):
    return PATTERNS["fermi_dirac"].profile(temperature=temperature, **parameters)


def custom(function, **edges):
    """Profile of a function of energy alone for rho = rhobar."""

    def occupation(energy, theta, phi):
        rho = function(energy)
        return rho, rho

    return Profile(occupation, **edges)


def along(profile, n_theta=1, n_phi=4, tolerance=1e-4, energy_max=ENERGY_MAX):
    """Spectrum of a profile along the directions of a grid."""
    return spectrum(profile, uniform_directions(n_theta, n_phi), energy_max, tolerance)


def systems_of(grid, profiles, g):
    """Systems of one profile, or of one each, at couplings ``g`` (P,)."""
    g = np.atleast_1d(np.asarray(g, dtype=float))
    listed = profiles if isinstance(profiles, list) else [profiles] * g.size
    pairs = [p.occupation(grid.energy, grid.theta, grid.phi) for p in listed]
    rho, rhobar = (np.array([np.broadcast_to(pair[i], grid.energy.shape) for pair in pairs]) for i in (0, 1))
    return Systems(grid, rho, rhobar, g, np.full(g.size, ENERGY_MAX), lambda row: listed[row])
