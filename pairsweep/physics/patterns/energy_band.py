"""The quadrant pattern inside a band of energies."""

from __future__ import annotations

import numpy as np

from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field
from pairsweep.contract.view import SpecView
from pairsweep.physics.patterns.base import Edges, HasMomenta, Level, Occupations, Pattern
from pairsweep.physics.patterns.quadrant import LEVELS, PHI_EDGES, in_first_quadrant, whole_quadrants


def energy_band(
    momenta: HasMomenta,
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
    depth = np.minimum(momenta.energy - e_low, e_high - momenta.energy)  # MeV inside the nearer edge
    width = np.asarray(edge_width, dtype=np.float64)
    ramp = np.clip(depth / np.where(width > 0, width, 1.0) + 0.5, 0.0, 1.0)
    share = np.where(width > 0, ramp, depth >= 0) * in_first_quadrant(momenta.phi)
    rhobar_high = rho_high if rhobar_high is None else rhobar_high
    rhobar_low = rho_low if rhobar_low is None else rhobar_low
    # in this form the levels themselves come out exactly
    rho = np.asarray((1.0 - share) * rho_low + share * rho_high, dtype=np.float64)
    rhobar = np.asarray((1.0 - share) * rhobar_low + share * rhobar_high, dtype=np.float64)
    return rho, rhobar


def _edges(e_low: float, e_high: float, edge_width: float = 0.0, **levels: float) -> Edges:
    """Both edges of the band, or both ends of each ramp.

    Raises
    ------
    ValueError
        For a band whose edges are out of order or wider than itself.
    """
    if not e_low < e_high:
        raise ValueError(f"e_low = {e_low:g}, e_high = {e_high:g}: the lower edge lies below the upper one")
    if not 0.0 <= edge_width <= e_high - e_low:
        raise ValueError(
            f"edge_width = {edge_width:g}: between 0 and the width of the band, {e_high - e_low:g} MeV"
        )
    ends = {edge + side * 0.5 * edge_width for edge in (e_low, e_high) for side in (-1, 1)}
    return Edges(energy=tuple(sorted(ends)), phi=PHI_EDGES)


def _check(spec: SpecView) -> None:
    """Refuse a band whose edges no point of the sweep can make sense of."""
    low, high = min(spec["e_low"].values), max(spec["e_high"].values)
    if float(low) > float(high):
        raise SpecError("occupation.e_low", low, f"lies above e_high = {high}: give the lower edge first")
    width = min(spec["edge_width"].values)
    if float(width) > float(high) - float(low):
        raise SpecError("occupation.edge_width", width, "is wider than the band: give at most e_high - e_low")
    whole_quadrants(spec)


PATTERN = Pattern(
    name="energy_band",
    meaning="the quadrant pattern inside a band of energies",
    function=energy_band,
    fields=(
        Field("e_low", "number", "lower edge of the band", "MeV", minimum=0.0, symbol=r"E_{\rm low}"),
        Field("e_high", "number", "upper edge of the band", "MeV", minimum=0.0, symbol=r"E_{\rm high}"),
        Field(
            "edge_width",
            "number",
            "width of the linear ramp at each edge of the band; 0 is a step",
            "MeV",
            required=False,
            default=0.0,
            minimum=0.0,
        ),
        *LEVELS,
    ),
    linear=True,
    edges=_edges,
    check=_check,
)
