"""Maps of the pairing instability in dense neutrino gases.

The names below are loaded when they are used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pairsweep import plot
    from pairsweep.analyses.evolution.single import evolve
    from pairsweep.analyses.growth.derived import derived
    from pairsweep.analyses.growth.modes import modes, project
    from pairsweep.analyses.growth.single import growth
    from pairsweep.analyses.inhomogeneous.single import inhomogeneous
    from pairsweep.contract.errors import SpecError, StoreError, UsageError
    from pairsweep.dataset.onset import boundary
    from pairsweep.physics.grid import Grid, beams, bins
    from pairsweep.physics.patterns.energy_band import energy_band
    from pairsweep.physics.patterns.fermi_dirac import fermi_dirac
    from pairsweep.physics.patterns.quadrant import quadrant
    from pairsweep.spec.reader import read_spec
    from pairsweep.sweep.refine import refine
    from pairsweep.sweep.run import Where, errors, open_store, run
    from pairsweep.sweep.summary import summary

_MODULES = {"plot": "plot"}
_HOME = {
    "Grid": "physics.grid",
    "SpecError": "contract.errors",
    "StoreError": "contract.errors",
    "UsageError": "contract.errors",
    "beams": "physics.grid",
    "bins": "physics.grid",
    "boundary": "dataset.onset",
    "derived": "analyses.growth.derived",
    "energy_band": "physics.patterns.energy_band",
    "errors": "sweep.run",
    "evolve": "analyses.evolution.single",
    "fermi_dirac": "physics.patterns.fermi_dirac",
    "growth": "analyses.growth.single",
    "inhomogeneous": "analyses.inhomogeneous.single",
    "modes": "analyses.growth.modes",
    "open_store": "sweep.run",
    "project": "analyses.growth.modes",
    "Where": "sweep.run",
    "quadrant": "physics.patterns.quadrant",
    "read_spec": "spec.reader",
    "refine": "sweep.refine",
    "run": "sweep.run",
    "summary": "sweep.summary",
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
    "inhomogeneous",
    "modes",
    "open_store",
    "plot",
    "project",
    "quadrant",
    "read_spec",
    "refine",
    "run",
    "summary",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{_MODULES[name]}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
