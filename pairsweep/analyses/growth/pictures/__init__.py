"""Pictures of growth rates and of the modes behind them."""

from pairsweep.analyses.growth.pictures.lines import growth_vs
from pairsweep.analyses.growth.pictures.maps import growth_map, phase_diagram
from pairsweep.analyses.growth.pictures.modes import spectrum
from pairsweep.analyses.growth.pictures.rates import growth_vs_bins, growth_vs_epn

__all__ = ["growth_map", "growth_vs", "growth_vs_bins", "growth_vs_epn", "phase_diagram", "spectrum"]
