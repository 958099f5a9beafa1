"""Another process that compiles what this one comes to last, so that two cores share the work.

It starts once something has to be compiled here and ends with what it helps. The two meet in the middle: whoever comes
to a kernel first compiles it, and the other waits for it and loads it (``machine_code/cache.py``).
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numba.core import event

from pairsweep.analyses.base import WarmUp
from pairsweep.analyses.registry import ANALYSES
from pairsweep.execute.pool import PINNED
from pairsweep.execute.quota import cores
from pairsweep.physics.grid import bins
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Systems

PATTERN = PATTERNS["quadrant"]
OCCUPATION = {"rho_high": 0.9, "rho_low": 0.1, "rhobar_high": 0.9, "rhobar_low": 0.1}
COUPLING = 1e-6


class Small(NamedTuple):
    """A small system, or some of the same, that an analysis solves for the sake of its code."""

    analysis: str
    warm_up: WarmUp
    points: int


def solve(small: Small) -> None:
    """Solve it: what is not compiled by then is compiled."""
    grid = bins(n_energy=2, n_theta=1, n_phi=4, energy_max=20.0)
    profile = PATTERN.profile(**OCCUPATION)
    rho, rhobar = profile.occupation(grid.energy, grid.theta, grid.phi)

    def each(value: Any) -> Any:
        return np.array([value] * small.points)

    systems = Systems(
        grid=grid,
        rho=each(rho),
        rhobar=each(rhobar),
        g=each(COUPLING),
        energy_max=each(20.0),
        profile=lambda row: profile,
        own={name: each(value) for name, value in small.warm_up.own.items()},
    )
    ANALYSES[small.analysis].solve(systems, small.warm_up.options, *small.warm_up.needed)


class _Helper(event.Listener):
    """Hears that something is compiled here, and then has the other process begin."""

    def __init__(self, work: Sequence[Small]) -> None:
        self._work = tuple(work)
        self._process: subprocess.Popen[bytes] | None = None

    def on_start(self, event: event.Event) -> None:
        work, self._work = self._work, ()
        if not work or cores() < 2:
            return
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
        with contextlib.suppress(OSError):  # it is only a help
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pairsweep.sweep.ahead"],
                env=os.environ | PINNED | {"PYTHONPATH": path},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            assert self._process.stdin is not None
            with self._process.stdin as pipe:
                pipe.write(pickle.dumps(work))

    def on_end(self, event: event.Event) -> None:
        """Nothing to do: it goes on."""

    def end(self) -> None:
        """End it, whatever it does: a kernel that it leaves half compiled leaves no trace."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def ahead(work: Sequence[Small]) -> Iterator[None]:
    """Have another process solve ``work`` in its order meanwhile, if anything is compiled in this one at all.

    Give it in the opposite order to what this process does. Where there is one core alone there is no other process.
    """
    helper = _Helper(work)
    event.register("numba:compile", helper)
    try:
        yield
    finally:
        event.unregister("numba:compile", helper)
        helper.end()


if __name__ == "__main__":
    for each in pickle.load(sys.stdin.buffer):
        solve(Small(*each))
