"""Pictures of a sweep: each kind is a function from a dataset to matplotlib Axes; none opens or saves.

In a notebook: ``ps.plot.growth_map(ds.sel(g=1e-6, n_theta=1))``. With an own ``ax`` the caller's style is
kept. `draw` composes whole figures, one panel for each value of a facet.
"""

from __future__ import annotations

from pairsweep.plot.compose import KINDS, draw, save
from pairsweep.plot.conservation import conservation
from pairsweep.plot.evolution import evolution
from pairsweep.plot.growth import growth_vs_bins, growth_vs_epn
from pairsweep.plot.maps import growth_map, phase_diagram
from pairsweep.plot.spectrum import spectrum

__all__ = [
    "KINDS",
    "conservation",
    "draw",
    "evolution",
    "growth_map",
    "growth_vs_bins",
    "growth_vs_epn",
    "phase_diagram",
    "save",
    "spectrum",
]
