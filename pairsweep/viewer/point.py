"""The system at a point of a sweep, and what the kernels say of it: arrays alone, no browser."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numba.core import event

from pairsweep.analyses.evolution.analysis import EVOLUTION, perturbed_kappa
from pairsweep.analyses.evolution.single import evolve
from pairsweep.analyses.growth.modes import modes, project
from pairsweep.analyses.inhomogeneous.analysis import INHOMOGENEOUS
from pairsweep.analyses.inhomogeneous.single import inhomogeneous
from pairsweep.contract.errors import UsageError
from pairsweep.machine_code.cache import WAITING
from pairsweep.physics.grid import Floats, Grid
from pairsweep.physics.systems import Systems
from pairsweep.points.axes import Sweep, expand
from pairsweep.points.systems import systems_at
from pairsweep.sweep.resume import stored_spec
from pairsweep.viewer.link import DIRECTIONS

PERTURBATION, SEED, SAMPLES, WAVE_NUMBERS = 1e-5, 0, 201, 41
LARGEST_K = 1.0  # of the scan where the sweep names none, as a share of the highest energy
EQUALLY_FAST = 1e-6
MOST_PAIRS = 20_000  # a few seconds for the modes; beyond, nobody would wait for them
LONGEST = 15.0  # seconds that a curve may take; what there is of it by then is shown
COMPILING = ("numba:compile", WAITING)  # events during which nothing is computed
PIECE = 5  # samples that are evolved at a time
TOLERANCE = 1e-6  # of each piece: closer than a drawing shows
DRAWN = ("kappa_mean", "rho_quadrant", "rho_beam")


class AbandonedError(Exception):
    """Nobody wants the point any more."""


def sweep_of(ds: xr.Dataset) -> Sweep:
    """Unfold the specification that a dataset carries.

    Raises
    ------
    UsageError
        For results without one, such as several stores joined, and for a function that is not at hand any more.
    """
    if "specification" not in ds.attrs:
        raise UsageError("these results", None, "carry no specification, so no point of them can be computed")
    return expand(stored_spec(ds))


@dataclass(frozen=True, eq=False)
class System:
    """One system: its grid, occupations and coupling, and the point it belongs to.

    ``wanted`` is asked between pieces of work, which end with an `AbandonedError` if it says no.
    """

    sweep: Sweep
    position: tuple[int, ...]
    systems: Systems
    wanted: Callable[[], bool] = lambda: True

    @classmethod
    def at(
        cls, sweep: Sweep, ds: xr.Dataset, place: Mapping[str, int], wanted: Callable[[], bool] = lambda: True
    ) -> System:
        """Make the system at a position on the axes of a dataset.

        Raises
        ------
        UsageError
            Where the dataset is laid out differently from its specification, for an occupation that is none, and for
            more than `MOST_PAIRS`.
        """
        if any(ds.sizes.get(name, 1) != size for name, size in zip(sweep.names, sweep.shape, strict=True)):
            raise UsageError("these results", None, "are no longer laid out as their specification says")
        position = tuple(place.get(name, 0) for name in sweep.names)
        failed: dict[int, Any] = {}
        found = list(systems_at(sweep, np.array([position], dtype=np.int64).reshape(1, -1), failed))
        if 0 in failed:
            raise UsageError("the occupation", None, failed[0].reason)
        system = cls(sweep, position, found[0][1], wanted)
        if system.grid.size > MOST_PAIRS:
            what = (
                f"is too large to be computed while you look: at most {MOST_PAIRS:,}; pairsweep point does it"
            )
            raise UsageError("the number of pairs", system.grid.size, what)
        return system

    @property
    def grid(self) -> Grid:
        """Its pairs."""
        return self.systems.grid

    @property
    def g(self) -> float:
        """Its coupling, MeV^-2."""
        return float(self.systems.g[0])

    @property
    def n(self) -> Floats:
        """EPN of each pair."""
        return np.asarray(self.systems.n[0])

    @cached_property
    def modes(self) -> xr.Dataset:
        """Its eigenvalues and vectors."""
        return modes(self.grid, self.systems.rho[0], self.systems.rhobar[0], g=self.g)

    @property
    def growth_rate(self) -> float:
        """Of its fastest mode, MeV; 0 where nothing grows faster than rounding."""
        rates = self.modes["growth_rate"].values
        return float(rates[0]) if rates.size and rates[0] > float(self.modes["growth_floor"]) else 0.0

    def fastest_shares(self) -> Floats:
        """Share of each pair in the fastest mode, abs(u)^2 + abs(v)^2, the mean over equally fast ones; 0 if stable."""
        rate = self.growth_rate
        if rate == 0.0:
            return np.zeros(self.grid.size)
        fast = self.modes.isel(mode=self.modes["growth_rate"].values >= (1 - EQUALLY_FAST) * rate)
        shares = np.abs(fast["right"].values) ** 2 + np.abs(fast["right_conjugate"].values) ** 2
        return np.asarray((shares / shares.sum(axis=1)[:, None]).mean(axis=0))

    @cached_property
    def wave_numbers(self) -> Floats:
        """Those of the sweep, MeV, or else up to a share of the highest energy."""
        if "k" in self.sweep.spec and self.sweep.spec["k"].is_axis:
            return np.sort(self.sweep.spec["k"].column.astype(np.float64))
        return np.linspace(0.0, LARGEST_K * float(self.grid.energy.max()), WAVE_NUMBERS)

    def growth_against_k(self, direction: str) -> Floats:
        """Growth rate at each of the wave numbers along a direction, MeV; fewer where time was up.

        NaN where there is none, such as beyond what the occupation allows; what is refused at every k is raised.
        """
        options = self.sweep.spec.options.get(INHOMOGENEOUS.name, INHOMOGENEOUS.options())
        beams = self.grid.kind == "beams"
        occupation: Any = (
            (self.systems.rho[0], self.systems.rhobar[0]) if beams else self.systems.profile(0).occupation
        )
        rates, refused = [], None
        for k in self._in_time(self.wave_numbers):
            try:
                found = inhomogeneous(
                    self.grid,
                    occupation,
                    g=self.g,
                    k=k * np.array(DIRECTIONS[direction]),
                    families=options.families,
                    background=options.background,
                    vacuum=options.vacuum,
                )
            except (ValueError, RuntimeError) as error:
                refused = error
                rates.append(np.nan)
            else:
                rates.append(float(found[f"{INHOMOGENEOUS.name}_growth_rate"]))
        if refused is not None and np.isnan(rates).all():
            raise refused
        return np.array(rates)

    @cached_property
    def evolution(self) -> xr.Dataset:
        """Follow it as long as the sweep says, or else until its fastest mode has grown to saturation and back.

        Of the observables those that are `DRAWN`, and ``kappa_linear``: mean abs(kappa) of the linearised equation from
        the same start. Fewer of the `times` where time was up.
        """
        perturbation = float(self._own("perturbation", PERTURBATION))
        kappa = perturbed_kappa(self.grid.size, perturbation, int(self._own("seed", SEED)))
        state: dict[str, Any] = {"rho": self.systems.rho[0], "rhobar": self.systems.rhobar[0], "kappa": kappa}
        pieces = []
        for first in self._in_time(range(0, self.times.size, PIECE)):
            times = self.times[first : first + PIECE]
            found = evolve(self.grid, g=self.g, times=times, tolerance=TOLERANCE, keep="pairs", **state)
            state = {"start": found}
            pieces.append(found[[name for name in DRAWN if name in found]])
        run = xr.concat(pieces, "time", data_vars="minimal", coords="minimal", compat="override")
        return run.assign(kappa_linear=("time", self._linear(kappa, run["time"].values)))

    def _in_time(self, work: Iterable[Any]) -> Iterator[Any]:
        """Give pieces of work one after another until time is up, the first in any case.

        What compiling takes, once for a version, does not count.
        """
        end, compiling = time.monotonic() + LONGEST, event.TimingListener()
        with contextlib.ExitStack() as stack:
            for kind in COMPILING:
                event.register(kind, compiling)
                stack.callback(event.unregister, kind, compiling)
            for number, piece in enumerate(work):
                if not self.wanted():
                    raise AbandonedError
                if number and time.monotonic() - (compiling.duration if compiling.done else 0.0) > end:
                    return
                yield piece

    def _own(self, name: str, default: float) -> Any:
        spec = self.sweep.spec
        if name not in spec:
            return default
        return self.sweep.values(name, np.array([self.position], dtype=np.int64).reshape(1, -1))[0]

    @cached_property
    def times(self) -> Floats:
        """When its evolution is sampled, 1/MeV."""
        options = self.sweep.spec.options.get(EVOLUTION.name)
        if options is not None:
            end = float(options.time[-1])
            if options.in_mu:
                end /= self.g * float(self.systems.energy_max[0]) ** 3
        elif self.growth_rate:
            end = 3.0 * np.log(1.0 / PERTURBATION) / self.growth_rate
        else:
            end = 20.0 / (self.g * float(np.sum(self.grid.weight)))
        return np.linspace(0.0, end, SAMPLES)

    def _linear(self, kappa: Any, times: Floats) -> Floats:
        """Mean abs(kappa), (T,), of a sum of modes that each grow as exp(lambda t)."""
        amplitudes = project(self.modes, kappa).values
        with np.errstate(over="ignore", invalid="ignore"):
            grown = amplitudes * np.exp(np.outer(times, self.modes["eigenvalue"].values))
            later = self.modes["forced"].values + grown @ self.modes["right"].values
        return np.asarray(np.abs(later).mean(axis=1))
