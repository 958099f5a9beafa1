"""A run of another code beside ours from its first sample, in one convention after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.evolution.single import EvolutionError, evolve
from pairsweep.comparison.conventions import OURS, Conventions, candidates, changes_of, orders
from pairsweep.comparison.report import Comparand, Difference
from pairsweep.comparison.terms import Complex, System
from pairsweep.comparison.usual import TWO_PI_CUBED, rate_units
from pairsweep.physics.grid import Floats, Grid

COUPLINGS = (
    (2.0, "all couplings have a factor of 2"),
    (0.5, "all couplings have a factor of 1/2"),
    (TWO_PI_CUBED, "all couplings have (2 pi)^3: weights or g with another share of it"),
    (1.0 / TWO_PI_CUBED, "all couplings have 1/(2 pi)^3: weights or g with another share of it"),
)
# Differences of convention looked for at once, beside those of time and coupling: each costs a run.
MOST = 2
# Shortest run in which anything happens, and longest that is made to try another unit of time, in radians of the
# fastest pair.
SHORTEST, LONGEST = 1e-6, 1e7
# Samples that a convention is tried on before the others.
FIRST = 4


@dataclass(frozen=True, eq=False)
class Trial:
    """One way to read their run: ``time`` is their unit of time in 1/MeV, ``coupling`` theirs over ours."""

    conventions: Conventions
    time: float = 1.0
    coupling: float = 1.0
    named: tuple[Difference, ...] = ()


@dataclass(frozen=True, eq=False)
class Run:
    """Samples of a run in our conventions: (T,) 1/MeV, (T, N)."""

    time: Floats
    kappa: Complex
    rho: Floats | None
    rhobar: Floats | None

    def first(self, samples: int) -> Run:
        """Return its beginning."""
        rho, rhobar = (None if v is None else v[:samples] for v in (self.rho, self.rhobar))
        return Run(self.time[:samples], self.kappa[:samples], rho, rhobar)


def compare_trajectory(
    grid: Grid, ours: System, other: Mapping[str, NDArray[Any]], tolerance: float, mu_prime: float | None
) -> tuple[list[Comparand], list[Difference], dict[str, float]]:
    """Compare a run, from its first sample, with ours in the conventions that may be theirs."""
    best: tuple[Trial, dict[str, float]] | None = None
    as_it_is = _distance(grid, ours, _read(grid, other, Trial(OURS)), Trial(OURS), tolerance) or {}
    starts_as_ours = [_starts_as_ours(ours, other, conventions) for conventions in _placings(grid)]
    for trial in _trials(grid, mu_prime):
        if any(starts_as_ours) and not _starts_as_ours(ours, other, trial.conventions):
            continue
        theirs = _read(grid, other, trial)
        if not _possible(theirs):
            continue
        system, beginning = trial.conventions.system(ours), theirs.first(FIRST)
        off = _distance(grid, system, beginning, trial, tolerance)
        if off is not None and max(off.values()) <= tolerance:
            off = _distance(grid, system, theirs, trial, tolerance)
        if off is not None and max(off.values()) <= tolerance:
            best = trial, off
            break
    meanings = {
        "kappa": "pairing correlation",
        "rho": "occupation of neutrinos",
        "rhobar": "of antineutrinos",
    }
    given = ["kappa", *(name for name in ("rho", "rhobar") if np.ndim(other.get(name, 0)) == 2)]
    if best is None:
        agreeing = {name for name, distance in as_it_is.items() if distance <= tolerance}
        return [
            Comparand("trajectory", name, meanings[name], "agrees" if name in agreeing else "unexplained")
            for name in given
        ], [], {"trajectory": max(as_it_is.values())} if as_it_is else {}  # fmt: skip
    trial, off = best
    differences = [*trial.conventions.differences("trajectory"), *trial.named]
    listed = [Comparand("trajectory", name, meanings[name], "agrees", 1.0) for name in given]
    return listed, differences, {"trajectory": max(off.values())}


def _trials(grid: Grid, mu_prime: float | None) -> Iterator[Trial]:
    """Ways to read the run, those with the fewest differences first."""
    units = [
        (value, f"time in {_of_time(unit)}, ours in 1/MeV") for unit, value in rate_units(mu_prime).items()
    ]
    units += [(2.0, "rates are twice ours"), (0.5, "rates are half of ours")]
    numbers: list[tuple[float, float, tuple[Difference, ...]]] = [(1.0, 1.0, ())]
    numbers += [(value, 1.0, (Difference("trajectory", "time unit", text, value),)) for value, text in units]
    numbers += [
        (1.0, value, (Difference("trajectory", "coupling", text, value),)) for value, text in COUPLINGS
    ]
    listed = list(candidates(changes_of(grid, "conjugate", "scale", "turned", "rotating"), MOST))
    for total in range(MOST + 1):
        for count, conventions in listed:
            for time, coupling, named in numbers:
                if count + len(named) == total:
                    yield Trial(conventions, time, coupling, named)


def _placings(grid: Grid) -> list[Conventions]:
    return [OURS, *(Conventions(order=order) for order in orders(grid))]


def _starts_as_ours(ours: System, other: Mapping[str, NDArray[Any]], conventions: Conventions) -> bool:
    """Whether the run starts with our occupations of neutrinos, in this order."""
    rho = other.get("rho")
    return rho is not None and rho.ndim == 2 and np.allclose(conventions.placed(rho[0]), ours.rho, atol=1e-6)


def _of_time(rate: str) -> str:
    return {"1/s": "s", "1/km": "km", "1/cm": "cm"}.get(rate, f"1/{rate}")


def _read(grid: Grid, other: Mapping[str, NDArray[Any]], trial: Trial) -> Run:
    conventions = trial.conventions
    time = (other["time"] - other["time"][0]) * trial.time
    kappa = conventions.kappa(other["kappa"])
    if conventions.rotating:
        kappa = kappa * np.exp(-2j * grid.energy * trial.time * other["time"][:, None])
    occupations: list[Floats | None] = []
    for name in ("rho", "rhobar"):
        values = other.get(name)
        if values is None or values.ndim != 2:
            occupations.append(None)
            continue
        placed = np.asarray(conventions.placed(values), np.float64)
        turned = name == "rhobar" and conventions.partner is not None
        occupations.append(placed[:, conventions.partner] if turned else placed)
    return Run(time, kappa, occupations[0], occupations[1])


def _possible(run: Run) -> bool:
    """Whether the run keeps what every run keeps: rho - rhobar, and n^2 + 4 abs(kappa)^2 of each pair."""
    if run.rho is None or run.rhobar is None:
        return True
    lepton = run.rho - run.rhobar
    length = (run.rho + run.rhobar - 1.0) ** 2 + 4.0 * np.abs(run.kappa) ** 2
    return bool(np.ptp(lepton, axis=0).max() < 1e-3 and np.ptp(length, axis=0).max() < 1e-3)


def _distance(
    grid: Grid, system: System, theirs: Run, trial: Trial, tolerance: float
) -> dict[str, float] | None:
    """Largest distance of kappa, as a share of what it has come to, and of the occupations; None without a run."""
    turns = 2.0 * grid.energy.max() * theirs.time[-1]
    if turns < SHORTEST or (trial.time != 1.0 and turns > LONGEST):
        return None
    rho = system.rho if theirs.rho is None else theirs.rho[0]
    rhobar = system.rhobar if theirs.rhobar is None else theirs.rhobar[0]
    try:
        run = evolve(
            grid,
            rho,
            rhobar,
            system.g * trial.coupling,
            times=theirs.time,
            kappa=theirs.kappa[0],
            keep="pairs",
            tolerance=max(1e-10, 1e-3 * tolerance * float(np.abs(theirs.kappa).max())),
        )
    except (EvolutionError, ValueError):
        return None
    size = np.maximum.accumulate(np.abs(theirs.kappa).max(axis=1))[:, None]
    off = {"kappa": float(np.max(np.abs(run["kappa"].values - theirs.kappa) / np.where(size > 0, size, 1.0)))}
    for name, values in (("rho", theirs.rho), ("rhobar", theirs.rhobar)):
        if values is not None:
            off[name] = float(np.max(np.abs(run[name].values - values)))
    return off
