"""What occupation patterns share: functions of momentum that return (rho, rhobar).

Parameters may be arrays with a trailing axis of length 1: one call then fills (P, N) occupations of P points.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Level = float | Floats
Occupations = tuple[Floats, Floats]


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
