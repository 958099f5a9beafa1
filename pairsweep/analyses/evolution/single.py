"""One system, for notebooks: labels on the way out, exceptions where a batch would record a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pairsweep.analyses.evolution.analysis import EVOLUTION, TIME, perturbed_kappa
from pairsweep.analyses.evolution.batch import Complexes, EvolutionResult
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.analyses.evolution.solver import evolve_batch
from pairsweep.contract.arguments import number, whole
from pairsweep.contract.variables import COMPONENTS, GRID_LABELS, QUADRANTS, Label, Variable
from pairsweep.contract.waiting import interruptible
from pairsweep.kernels.compiling import announced
from pairsweep.physics.arguments import (
    checked_coupling,
    checked_grid,
    checked_occupations,
    checked_times,
    of_pairs,
)
from pairsweep.physics.grid import Floats, Grid

if TYPE_CHECKING:
    import xarray as xr

KEPT = (
    Variable(
        "kappa", "pairing correlation kappa of each pair", trailing=("time", "pair"), dtype="complex128"
    ),
    Variable("rho", "neutrino occupation of each pair", trailing=("time", "pair")),
    Variable("rhobar", "antineutrino occupation of each pair", trailing=("time", "pair")),
)
PAIR_LABELS = (
    Label("pair_energy", "energy of the pair", "MeV"),
    Label("pair_weight", "momentum-space volume of the pair", "MeV^3"),
    Label("pair_theta", "polar angle of the neutrino", "rad"),
    Label("pair_phi", "azimuth of the neutrino", "rad"),
)
# Occupations of a state that another run ended with may lie outside 0 to 1 by its error, and by this.
ROUNDING = 1e-12


class EvolutionError(RuntimeError):
    """The run of a single system failed; the text says why and what to change."""


class _Start(NamedTuple):
    """State that a run begins with, at ``time``."""

    rho: Floats
    rhobar: Floats
    kappa: Complexes
    time: float


@announced()
@interruptible
def evolve(
    grid: Grid,
    rho: ArrayLike | None = None,
    rhobar: ArrayLike | None = None,
    g: float | None = None,
    *,
    t_end: float | None = None,
    samples: int | None = None,
    times: ArrayLike | None = None,
    perturbation: float = 1e-5,
    seed: int = 0,
    kappa: ArrayLike | None = None,
    start: xr.Dataset | None = None,
    keep: Literal["pairs"] | None = None,
    method: str = "auto",
    tolerance: float = 1e-8,
) -> xr.Dataset:
    """Evolve one system and return its observables with labels.

    Parameters
    ----------
    grid : Grid
    rho, rhobar : (N,), (n_energy, n_theta, n_phi) or one number
        Initial occupations, 0 to 1, of the neutrinos of momentum p and of their partners, the antineutrinos of momentum
        -p; ``rhobar`` defaults to ``rho``.
    g : float
        Coupling, MeV^-2.
    t_end, samples : float, int
        ``samples`` equal distances from the start to ``t_end`` (1/MeV), both ends; or give ``times`` instead.
    times : (T,)
        Sample times, 1/MeV, ascending from the start or later.
    perturbation, seed : float, int
        Size and seed of the random initial kappa; or give ``kappa`` (N,) itself.
    start : Dataset
        What an earlier run with ``keep="pairs"`` gave: its last sample is the initial state, in place of ``rho``,
        ``rhobar`` and ``kappa``, and time goes on from there (``start.isel(time=slice(5))`` ends with the fifth).
    keep : "pairs", optional
        Keep complex kappa and both occupations of every pair at the samples: ``kappa``, ``rho``, ``rhobar`` over time
        and pair.
    method : {"auto", "splitting", "averaged", "reference"}
    tolerance : float
        Largest error of any component of any S over the run.

    Returns
    -------
    Dataset
        The evolution variables over time, energy_bin, quadrant, beam and component; its attributes say how
        they were computed.

    Raises
    ------
    ValueError
        For input that cannot be used: place, value, cure.
    EvolutionError
        Where the run failed.
    """
    checked_grid(grid)
    if g is None:
        raise ValueError("g is missing: give the coupling in MeV^-2")
    g = checked_coupling(grid, g, minimum=None)
    tolerance = number("tolerance", tolerance, "an error of any component of S", minimum=0.0, open_below=True)
    if keep not in (None, "pairs"):
        raise ValueError(f'keep = {keep!r}: give "pairs" or nothing')
    if start is not None:
        given = {"rho": rho, "rhobar": rhobar, "kappa": kappa}
        extra = [name for name, values in given.items() if values is not None]
        if extra:
            raise ValueError(f"start and {', '.join(extra)}: give either a start or the state itself")
        state = _final_state(grid, start)
    else:
        state = _initial_state(grid, rho, rhobar, kappa, perturbation, seed)
    if times is None:
        times = _sample_times(state.time, t_end, samples)
    elif t_end is not None or samples is not None:
        raise ValueError(f"t_end, samples = {t_end}, {samples}: give either these or times")
    times = checked_times("times", times)
    result = evolve_batch(
        grid,
        state.rho[None],
        state.rhobar[None],
        state.kappa[None],
        np.array([g], dtype=np.float64),
        times - state.time,
        method=method,
        tolerance=tolerance,
        keep_states=keep == "pairs",
    )
    reason = result.reasons[0]
    if result.status[0] == Status.BAD_INPUT:
        raise ValueError(reason)
    if reason is not None:
        raise EvolutionError(reason)
    labelled = _labelled(grid, times, result)
    return labelled if keep is None else _with_pairs(labelled, grid, state, result)


def _initial_state(
    grid: Grid,
    rho: ArrayLike | None,
    rhobar: ArrayLike | None,
    kappa: ArrayLike | None,
    perturbation: float,
    seed: int,
) -> _Start:
    rho, rhobar = checked_occupations(grid, rho, rhobar)
    if kappa is None:
        what = "the size of the initial kappa"
        size = number("perturbation", perturbation, what, minimum=0.0, maximum=1.0)
        kappa = perturbed_kappa(grid.size, size, whole("seed", seed, "the seed of the initial kappa", 0))
    kappa = of_pairs(grid, "kappa", kappa, np.complex128)
    return _Start(rho, rhobar, kappa, 0.0)


def _final_state(grid: Grid, start: xr.Dataset) -> _Start:
    """Return the state of the last sample; occupations just outside 0 to 1 are brought back."""
    missing = [variable.name for variable in KEPT if variable.name not in start]
    if missing:
        raise ValueError(f'start: {", ".join(missing)} missing: give the result of evolve(..., keep="pairs")')
    if start.sizes["pair"] != grid.size:
        raise ValueError(f"start: {start.sizes['pair']} pairs, the grid has {grid.size}: give its own grid")
    last = start if "time" not in start.dims else start.isel(time=-1)
    off = float(start["error_estimate"]) + ROUNDING
    kappa = np.asarray(last["kappa"].values, dtype=np.complex128)
    return _Start(_inside(last["rho"], off), _inside(last["rhobar"], off), kappa, float(last["time"]))


def _inside(occupation: xr.DataArray, off: float) -> Floats:
    """Bring what is ``off`` by no more back to 0 to 1; what is further off stays, and is refused by name."""
    values = np.asarray(occupation.values, dtype=np.float64)
    inside = np.clip(values, 0.0, 1.0)
    return np.where(np.abs(values - inside) <= off, inside, values)


def _sample_times(start: float, t_end: float | None, samples: int | None) -> Floats:
    if t_end is not None:
        number("t_end", t_end, "the end of the run in 1/MeV")
    if samples is not None:
        whole("samples", samples, "how many samples there are, both ends", 2)
    if t_end is None or not t_end > start:
        after = f" after the start, {start:g}" if start else ""
        raise ValueError(f"t_end = {t_end}: give a positive, finite time in 1/MeV{after}")
    if samples is None or samples < 2:
        raise ValueError(f"samples = {samples}: give at least 2, both ends of the run")
    return np.linspace(start, t_end, samples)


def _labelled(grid: Grid, times: Floats, result: EvolutionResult) -> xr.Dataset:
    import xarray as xr

    labels = {label.name: label for label in (*GRID_LABELS.values(), TIME)}
    coordinates = {
        "time": times,
        "energy_bin": np.arange(grid.bin_energy.size),
        "quadrant": np.array(QUADRANTS),
        "beam": np.array(grid.names, dtype=str),
        "component": np.array(COMPONENTS),
    }
    data = {
        variable.name: (variable.trailing, result.arrays[variable.name][0], variable.attrs)
        for variable in EVOLUTION.variables
        if not variable.kinds or grid.kind in variable.kinds
    }
    used = {dim for dims, _, _ in data.values() for dim in dims}
    coords = {
        name: (name, values, labels[name].attrs) for name, values in coordinates.items() if name in used
    }
    if "energy_bin" in used:
        coords["energy"] = ("energy_bin", grid.bin_energy, labels["energy"].attrs)
    attrs = {"method": result.method[0], "steps": int(result.steps[0])}
    return xr.Dataset(data, coords, attrs)


def _with_pairs(labelled: xr.Dataset, grid: Grid, state: _Start, result: EvolutionResult) -> xr.Dataset:
    """Add the state of every pair; rho - rhobar of a pair is conserved, so n alone gives both."""
    assert result.states is not None, "asked for"
    n, re, im = (result.states[0, :, k] for k in range(3))
    half, difference = 0.5 * (n + 1.0), 0.5 * (state.rho - state.rhobar)
    values = {"kappa": re + 1j * im, "rho": half + difference, "rhobar": half - difference}
    of_pairs = (grid.energy, grid.weight, grid.theta, grid.phi)
    coords = {
        label.name: ("pair", array, label.attrs) for label, array in zip(PAIR_LABELS, of_pairs, strict=True)
    }
    if grid.names:
        coords["pair_name"] = ("pair", np.array(grid.names, dtype=str), {"long_name": "name of the beam"})
    data = {variable.name: (variable.trailing, values[variable.name], variable.attrs) for variable in KEPT}
    return labelled.assign(data).assign_coords(coords)
