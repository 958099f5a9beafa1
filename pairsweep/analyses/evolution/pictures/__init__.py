"""Pictures of runs in time."""

from pairsweep.analyses.evolution.pictures.conservation import conservation
from pairsweep.analyses.evolution.pictures.curves import evolution

__all__ = ["conservation", "evolution"]
