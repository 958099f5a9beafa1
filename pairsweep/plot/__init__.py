"""Pictures of a sweep: each kind is a function from a dataset to matplotlib Axes; none opens or saves.

In a notebook: ``ps.plot.growth_map(ds.sel(g=1e-6, n_theta=1))``. With an own ``ax`` the caller's style is
kept. `draw` composes whole figures, one panel for each value of a facet.
"""

from __future__ import annotations

from pairsweep.analyses.evolution.pictures.conservation import conservation
from pairsweep.analyses.evolution.pictures.curves import evolution
from pairsweep.analyses.growth.pictures.maps import growth_map, phase_diagram
from pairsweep.analyses.growth.pictures.modes import spectrum
from pairsweep.analyses.growth.pictures.rates import growth_vs_bins, growth_vs_epn
from pairsweep.plot.figure import KINDS, draw, save

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
