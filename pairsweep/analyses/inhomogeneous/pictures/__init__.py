"""Pictures of modes with a wave vector."""

from pairsweep.analyses.inhomogeneous.pictures.branches import dispersion
from pairsweep.analyses.inhomogeneous.pictures.growth import growth_vs_k, k_map, k_polar

__all__ = ["dispersion", "growth_vs_k", "k_map", "k_polar"]
