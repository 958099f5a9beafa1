"""Fill the cache of machine code before the first sweep: for an image, a node type, a class room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from pairsweep.analyses.base import Analysis, WarmUp
from pairsweep.analyses.registry import ANALYSES
from pairsweep.contract.errors import UsageError
from pairsweep.kernels.compiling import announced
from pairsweep.machine_code.cache import Kept, kept
from pairsweep.physics.grid import bins
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Systems
from pairsweep.sweep.progress import Progress

PATTERN = PATTERNS["quadrant"]
OCCUPATION = {"rho_high": 0.9, "rho_low": 0.1, "rhobar_high": 0.9, "rhobar_low": 0.1}
COUPLING = 1e-6


class Compiled(NamedTuple):
    """What has been compiled, and where it is."""

    analyses: tuple[str, ...]
    kept: Kept


def compile_code(names: Iterable[str] = (), quiet: bool = False) -> Compiled:
    """Compile all code of analyses, unless it is in the cache already.

    Parameters
    ----------
    names
        Analyses; all where there are none.
    quiet
        Show no progress.

    Raises
    ------
    UsageError
        For an unknown analysis.
    """
    chosen = tuple(dict.fromkeys(names)) or tuple(ANALYSES)
    for name in chosen:
        if name not in ANALYSES:
            raise UsageError("compile", name, f"choose from {', '.join(ANALYSES)}")
    progress = Progress(quiet)
    with announced(progress.say, progress.step):
        for name in chosen:
            for warm_up in ANALYSES[name].warm_up:
                for points in (1, 2):  # one system may have code of its own
                    _solve(ANALYSES[name], warm_up, points)
    return Compiled(chosen, kept())


def _solve(analysis: Analysis, warm_up: WarmUp, points: int) -> None:
    grid = bins(n_energy=2, n_theta=1, n_phi=4, energy_max=20.0)
    profile = PATTERN.profile(**OCCUPATION)
    rho, rhobar = profile.occupation(grid.energy, grid.theta, grid.phi)

    def each(value: Any) -> Any:
        return np.array([value] * points)

    systems = Systems(
        grid=grid,
        rho=each(rho),
        rhobar=each(rhobar),
        g=each(COUPLING),
        energy_max=each(20.0),
        profile=lambda row: profile,
        own={name: each(value) for name, value in warm_up.own.items()},
    )
    analysis.solve(systems, warm_up.options, *warm_up.needed)
