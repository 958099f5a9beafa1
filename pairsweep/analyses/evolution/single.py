"""One system, for notebooks: labels on the way out, exceptions where a batch would record a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairsweep.analyses.evolution.analysis import EVOLUTION, TIME
from pairsweep.analyses.evolution.batch import EvolutionResult
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.analyses.evolution.solver import evolve_batch
from pairsweep.contract.variables import COMPONENTS, GRID_LABELS, QUADRANTS
from pairsweep.kernels.compiling import announced
from pairsweep.physics.grid import Floats, Grid

if TYPE_CHECKING:
    import xarray as xr


class EvolutionError(RuntimeError):
    """The run of a single system failed; the text says why and what to change."""


def perturbed_kappa(n_pairs: int, perturbation: float, seed: int) -> NDArray[np.complex128]:
    """Initial kappa (N,): Re and Im uniform in [0, perturbation], pairs ordered (energy, theta, phi)."""
    random = np.random.default_rng(seed)
    return np.asarray(perturbation * (random.random(n_pairs) + 1j * random.random(n_pairs)))


@announced()
def evolve(
    grid: Grid,
    rho: ArrayLike,
    rhobar: ArrayLike,
    g: float,
    *,
    t_end: float | None = None,
    samples: int | None = None,
    times: ArrayLike | None = None,
    perturbation: float = 1e-5,
    seed: int = 0,
    kappa: ArrayLike | None = None,
    method: str = "auto",
    tolerance: float = 1e-8,
) -> xr.Dataset:
    """Evolve one system and return its observables with labels.

    Parameters
    ----------
    grid : Grid
    rho, rhobar : (N,)
        Initial occupations, 0 to 1.
    g : float
        Coupling, MeV^-2.
    t_end, samples : float, int
        ``samples`` equal distances from 0 to ``t_end`` (1/MeV), both ends; or give ``times`` instead.
    times : (T,)
        Sample times, 1/MeV, ascending from 0 or later.
    perturbation, seed : float, int
        Size and seed of the random initial kappa; or give ``kappa`` (N,) itself.
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
    if times is None:
        times = _sample_times(t_end, samples)
    elif t_end is not None or samples is not None:
        raise ValueError(f"t_end, samples = {t_end}, {samples}: give either these or times")
    if kappa is None:
        if not (np.isfinite(perturbation) and perturbation >= 0):
            raise ValueError(f"perturbation = {perturbation}: give a number of 0 or more")
        kappa = perturbed_kappa(grid.size, perturbation, seed)
    times = np.atleast_1d(np.asarray(times, dtype=np.float64))
    result = evolve_batch(
        grid,
        np.asarray(rho, dtype=np.float64)[None],
        np.asarray(rhobar, dtype=np.float64)[None],
        np.asarray(kappa, dtype=np.complex128)[None],
        np.array([g], dtype=np.float64),
        times,
        method=method,
        tolerance=tolerance,
    )
    reason = result.reasons[0]
    if result.status[0] == Status.BAD_INPUT:
        raise ValueError(reason)
    if reason is not None:
        raise EvolutionError(reason)
    return _labelled(grid, times, result)


def _sample_times(t_end: float | None, samples: int | None) -> Floats:
    if t_end is None or not (np.isfinite(t_end) and t_end > 0):
        raise ValueError(f"t_end = {t_end}: give a positive, finite time in 1/MeV")
    if samples is None or samples < 2:
        raise ValueError(f"samples = {samples}: give at least 2, both ends of the run")
    return np.linspace(0.0, t_end, samples)


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
