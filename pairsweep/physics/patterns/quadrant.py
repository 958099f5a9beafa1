"""One level in the first quarter of phi, another elsewhere (the Letter's pattern)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import SpecError
from pairsweep.contract.variables import QUADRANTS
from pairsweep.contract.view import SpecView
from pairsweep.physics.grid import Floats
from pairsweep.physics.patterns.base import (
    Edges,
    HasMomenta,
    Level,
    Occupations,
    Pattern,
    occupation_field,
)

ROUNDED_EDGE = 1e-4  # how far from its place, as a share of a quarter, an edge of cells may be written
PHI_EDGES = (0.0, np.pi / 2)


def in_first_quadrant(phi: Floats) -> NDArray[np.bool_]:
    """Whether 0 < phi < pi/2."""
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
    momenta: HasMomenta,
    rho_high: Level,
    rho_low: Level,
    rhobar_high: Level | None = None,
    rhobar_low: Level | None = None,
) -> Occupations:
    """Return ``rho_high`` where 0 < phi < pi/2, ``rho_low`` elsewhere; rhobar defaults to rho."""
    return _two_levels(in_first_quadrant(momenta.phi), rho_high, rho_low, rhobar_high, rhobar_low)


def whole_quadrants(spec: SpecView) -> None:
    """Refuse bins in phi that an edge of the pattern cuts."""
    if spec.cells is not None:
        turns = np.mod(np.array(spec.cells.phi_edges) / (np.pi / 2), len(QUADRANTS))
        for quarter in range(len(QUADRANTS)):
            distance = np.abs(turns - quarter)
            if min(distance.min(), (len(QUADRANTS) - distance).min()) > ROUNDED_EDGE:
                cure = f"needs an edge at {quarter * np.pi / 2:.6g}, since the pattern has phi quadrants"
                raise SpecError("grid.phi_edges", None, cure)
        return
    for n_phi in spec["n_phi"].values:
        if int(n_phi) % len(QUADRANTS):
            raise SpecError("grid.n_phi", n_phi, "must be a multiple of 4 for a pattern with phi quadrants")


def _edges(**levels: float) -> Edges:
    return Edges(phi=PHI_EDGES)


LEVELS = (
    occupation_field("rho_high", "neutrino occupation inside the pattern", r"\rho_{\rm high}"),
    occupation_field("rho_low", "neutrino occupation outside the pattern", r"\rho_{\rm low}"),
    occupation_field(
        "rhobar_high",
        "occupation of the partners, antineutrinos of momentum -p, inside the pattern; rho_high where left out",
        r"\bar\rho_{\rm high}",
        required=False,
    ),
    occupation_field(
        "rhobar_low",
        "occupation of the partners, antineutrinos of momentum -p, outside the pattern; rho_low where left out",
        r"\bar\rho_{\rm low}",
        required=False,
    ),
)

PATTERN = Pattern(
    name="quadrant",
    meaning="one occupation in the first quarter of phi, another elsewhere",
    function=quadrant,
    fields=LEVELS,
    linear=True,
    edges=_edges,
    check=whole_quadrants,
)
