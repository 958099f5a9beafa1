"""Maps of the pairing instability in dense neutrino gases.

The names below are loaded when they are used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pairsweep import plot
    from pairsweep.analyses.continuum.single import examine
    from pairsweep.analyses.evolution.single import EvolutionError, evolve
    from pairsweep.analyses.growth.derived import derived
    from pairsweep.analyses.growth.modes import modes, project
    from pairsweep.analyses.growth.single import growth
    from pairsweep.analyses.inhomogeneous.single import inhomogeneous
    from pairsweep.comparison.compare import compare
    from pairsweep.comparison.report import Comparison
    from pairsweep.contract.errors import SpecError, StoreError, UsageError, UserCodeError
    from pairsweep.dataset.onset import boundary
    from pairsweep.dataset.select import select
    from pairsweep.execute import Tls
    from pairsweep.execute.task import ExecuteError
    from pairsweep.physics.grid import Grid, beams, bins, cells
    from pairsweep.physics.patterns.public import energy_band, fermi_dirac, fermi_surface, quadrant
    from pairsweep.spec.reader import read_spec
    from pairsweep.store import verify
    from pairsweep.sweep.combine import combine
    from pairsweep.sweep.pack import Packed, pack, unpack
    from pairsweep.sweep.point import Point, point
    from pairsweep.sweep.refine import refine
    from pairsweep.sweep.results import errors, open_store, reduce, status
    from pairsweep.sweep.run import plan, run
    from pairsweep.sweep.summary import summary
    from pairsweep.sweep.where import Where
    from pairsweep.viewer import view

_MODULES = {"plot": "plot"}
_HOME = {
    "Comparison": "comparison.report",
    "EvolutionError": "analyses.evolution.single",
    "ExecuteError": "execute.task",
    "Grid": "physics.grid",
    "Packed": "sweep.pack",
    "Point": "sweep.point",
    "SpecError": "contract.errors",
    "StoreError": "contract.errors",
    "Tls": "execute",
    "UsageError": "contract.errors",
    "UserCodeError": "contract.errors",
    "Where": "sweep.where",
    "beams": "physics.grid",
    "bins": "physics.grid",
    "boundary": "dataset.onset",
    "cells": "physics.grid",
    "combine": "sweep.combine",
    "compare": "comparison.compare",
    "derived": "analyses.growth.derived",
    "energy_band": "physics.patterns.public",
    "errors": "sweep.results",
    "evolve": "analyses.evolution.single",
    "examine": "analyses.continuum.single",
    "fermi_dirac": "physics.patterns.public",
    "fermi_surface": "physics.patterns.public",
    "growth": "analyses.growth.single",
    "inhomogeneous": "analyses.inhomogeneous.single",
    "modes": "analyses.growth.modes",
    "open_store": "sweep.results",
    "pack": "sweep.pack",
    "project": "analyses.growth.modes",
    "plan": "sweep.run",
    "point": "sweep.point",
    "quadrant": "physics.patterns.public",
    "read_spec": "spec.reader",
    "reduce": "sweep.results",
    "refine": "sweep.refine",
    "run": "sweep.run",
    "select": "dataset.select",
    "status": "sweep.results",
    "summary": "sweep.summary",
    "unpack": "sweep.pack",
    "verify": "store",
    "view": "viewer",
}

__all__ = [
    "Comparison",
    "EvolutionError",
    "ExecuteError",
    "Grid",
    "Packed",
    "Point",
    "SpecError",
    "StoreError",
    "Tls",
    "UsageError",
    "UserCodeError",
    "Where",
    "beams",
    "bins",
    "boundary",
    "cells",
    "combine",
    "compare",
    "derived",
    "energy_band",
    "errors",
    "evolve",
    "examine",
    "fermi_dirac",
    "fermi_surface",
    "growth",
    "inhomogeneous",
    "modes",
    "open_store",
    "pack",
    "plan",
    "plot",
    "point",
    "project",
    "quadrant",
    "read_spec",
    "reduce",
    "refine",
    "run",
    "select",
    "status",
    "summary",
    "unpack",
    "verify",
    "view",
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
