"""Named occupation patterns: functions of momentum that return (rho, rhobar).

Parameters may be arrays with a trailing axis of length 1: one call then fills (P, N) occupations of P points.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pairsweep.physics.grid import Grid

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
    edge_width: Level = 0.0,
) -> Occupations:
    """Return the quadrant pattern inside the band e_low <= E <= e_high (MeV), ``rho_low`` outside.

    With ``edge_width`` > 0 (MeV, at most the width of the band) each edge is a linear ramp of that width, centred on
    the edge; with 0 it is a step.
    """
    depth = np.minimum(grid.energy - e_low, e_high - grid.energy)  # MeV inside the nearer edge
    width = np.asarray(edge_width, dtype=np.float64)
    ramp = np.clip(depth / np.where(width > 0, width, 1.0) + 0.5, 0.0, 1.0)
    share = np.where(width > 0, ramp, depth >= 0) * _in_first_quadrant(grid.phi)
    rhobar_high = rho_high if rhobar_high is None else rhobar_high
    rhobar_low = rho_low if rhobar_low is None else rhobar_low
    # in this form the levels themselves come out exactly
    rho = np.asarray((1.0 - share) * rho_low + share * rho_high, dtype=np.float64)
    rhobar = np.asarray((1.0 - share) * rhobar_low + share * rhobar_high, dtype=np.float64)
    return rho, rhobar


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


def energy_edges(pattern: str, parameters: Mapping[str, float]) -> tuple[float, ...] | None:
    """Energies (MeV) where a named pattern has a step or a kink; between them it is linear in E.

    None for a pattern that is smooth in E, which has neither and is not linear.

    Raises
    ------
    ValueError
        For a band whose edges are out of order or wider than itself.
    """
    if pattern == "quadrant":
        return ()
    if pattern == "energy_band":
        e_low, e_high = parameters["e_low"], parameters["e_high"]
        width = parameters.get("edge_width", 0.0)
        if not e_low < e_high:
            raise ValueError(
                f"e_low = {e_low:g}, e_high = {e_high:g}: the lower edge lies below the upper one"
            )
        if not 0.0 <= width <= e_high - e_low:
            raise ValueError(
                f"edge_width = {width:g}: between 0 and the width of the band, {e_high - e_low:g} MeV"
            )
        return tuple(sorted({edge + side * 0.5 * width for edge in (e_low, e_high) for side in (-1, 1)}))
    if pattern == "fermi_dirac":
        return None
    raise ValueError(f"pattern = {pattern!r}: only quadrant, energy_band and fermi_dirac have known edges")
