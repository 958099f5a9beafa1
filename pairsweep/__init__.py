"""Maps of the pairing instability in dense neutrino gases.

The names below are loaded when they are used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pairsweep import plot, query
    from pairsweep.checks import SpecError, UsageError
    from pairsweep.evolution import evolve
    from pairsweep.grid import Grid, beams, bins
    from pairsweep.instability import growth
    from pairsweep.occupation import energy_band, fermi_dirac, quadrant
    from pairsweep.query import boundary, derived, summary
    from pairsweep.refinement import refine
    from pairsweep.runner import Where, errors, open_store, run
    from pairsweep.spec import read_spec
    from pairsweep.store import StoreError

_HOME = {
    "Grid": "grid",
    "SpecError": "checks",
    "StoreError": "store",
    "UsageError": "checks",
    "beams": "grid",
    "bins": "grid",
    "boundary": "query",
    "derived": "query",
    "energy_band": "occupation",
    "errors": "runner",
    "evolve": "evolution",
    "fermi_dirac": "occupation",
    "growth": "instability",
    "open_store": "runner",
    "plot": "",
    "Where": "runner",
    "quadrant": "occupation",
    "query": "",
    "read_spec": "spec",
    "refine": "refinement",
    "run": "runner",
    "summary": "query",
}

__all__ = [
    "Grid",
    "SpecError",
    "StoreError",
    "UsageError",
    "Where",
    "beams",
    "bins",
    "boundary",
    "derived",
    "energy_band",
    "errors",
    "evolve",
    "fermi_dirac",
    "growth",
    "open_store",
    "plot",
    "quadrant",
    "query",
    "read_spec",
    "refine",
    "run",
    "summary",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not _HOME[name]:
        return importlib.import_module(f"{__name__}.{name}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
