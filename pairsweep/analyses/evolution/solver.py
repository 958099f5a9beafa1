"""Batches of points on one grid: checked, given to a method, judged by their invariants."""

from __future__ import annotations

import numpy as np

from pairsweep.analyses.evolution.averaged import averaging_pays, run_averaged
from pairsweep.analyses.evolution.batch import (
    Complexes,
    EvolutionResult,
    Work,
    checked_batch,
    collect,
    empty_work,
    refuse_bad_points,
)
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.analyses.evolution.reference import run_reference
from pairsweep.analyses.evolution.splitting import run_splitting
from pairsweep.physics.grid import Floats, Grid

# H is a weighted mean of the spins, so its error is at most a few times theirs; |S| is kept to rounding.
ENERGY_DRIFT_TOLERANCES = 10.0
NORM_DRIFT_LIMIT = 1e-9


def evolve_batch(
    grid: Grid,
    rho: Floats,
    rhobar: Floats,
    kappa0: Complexes,
    g: Floats,
    times: Floats,
    *,
    method: str = "auto",
    tolerance: float = 1e-8,
    keep_states: bool = False,
) -> EvolutionResult:
    """Evolve P points that share a grid. A point's result does not depend, in any bit, on its batch.

    Parameters
    ----------
    grid : Grid
    rho, rhobar : (P, N)
        Initial occupations.
    kappa0 : (P, N) complex
    g : (P,) MeV^-2
    times : (T,) or (P, T), 1/MeV
        Ascending from 0 or later.
    method, tolerance : as in ``evolve``
    keep_states : bool
        Whether the result holds the states of all pairs at the samples.

    Raises
    ------
    ValueError
        For a method, tolerance, times or shapes that no point can use. What is wrong with single points
        (occupations outside 0 to 1, a coupling that is not finite) makes those points fail, with a reason.
    """
    batch = checked_batch(grid, rho, rhobar, kappa0, g, times, method, tolerance)
    work = empty_work(batch, keep_states)
    refuse_bad_points(batch, work)
    good = np.flatnonzero(work.status == Status.OK)
    if method == "reference":
        run_reference(batch, work, good)
    elif method == "averaged":
        run_averaged(batch, work, good, final=True)
    else:
        if method == "auto":
            pays = averaging_pays(batch, good)
            left = run_averaged(batch, work, good[pays], final=False)
            good = np.sort(np.concatenate([good[~pays], left]))
        run_splitting(batch, work, good)
    _judge_drift(work, tolerance)
    return collect(batch, work)


def _judge_drift(work: Work, tolerance: float) -> None:
    """Fail the points whose invariants betray the run: their curves would look like any other."""
    limits = {
        "energy_drift": (ENERGY_DRIFT_TOLERANCES * tolerance, "ask for a smaller tolerance"),
        "norm_drift": (max(NORM_DRIFT_LIMIT, tolerance), "ask for a shorter run"),
    }
    kept = (work.drift <= [limit for limit, _ in limits.values()]).all(axis=1)
    for point in np.flatnonzero((work.status == Status.OK) & ~kept):
        for value, (drift, (limit, cure)) in zip(work.drift[point], limits.items(), strict=True):
            if not value <= limit:
                work.fail(point, Status.DRIFTED, drift=drift, value=value, limit=limit, cure=cure)
                break
