"""Batches of points on one grid: checked, given to a method, judged by their invariants."""

from __future__ import annotations

import numpy as np

from pairsweep.analyses.evolution.averaged import averaging_pays, run_averaged
from pairsweep.analyses.evolution.batch import (
    DRIFTED,
    OK,
    Complexes,
    EvolutionResult,
    Work,
    checked_batch,
    collect,
    empty_work,
    refuse_bad_points,
)
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

    Raises
    ------
    ValueError
        For a method, tolerance, times or shapes that no point can use. What is wrong with single points
        (occupations outside 0 to 1, a coupling that is not finite) makes those points fail, with a reason.
    """
    batch = checked_batch(grid, rho, rhobar, kappa0, g, times, method, tolerance)
    work = empty_work(batch)
    refuse_bad_points(batch, work)
    good = np.flatnonzero(work.status == OK)
    if method == "reference":
        run_reference(batch, work, good, tolerance)
    elif method == "averaged":
        run_averaged(batch, work, good, tolerance, final=True)
    else:
        if method == "auto":
            pays = averaging_pays(batch, good, tolerance)
            left = run_averaged(batch, work, good[pays], tolerance, final=False)
            good = np.sort(np.concatenate([good[~pays], left]))
        run_splitting(batch, work, good, tolerance)
    _judge_drift(work, tolerance)
    return collect(batch, work)


def _judge_drift(work: Work, tolerance: float) -> None:
    """Fail the points whose invariants betray the run: their curves would look like any other."""
    energy_limit = ENERGY_DRIFT_TOLERANCES * tolerance
    norm_limit = max(NORM_DRIFT_LIMIT, tolerance)
    for point in np.flatnonzero(work.status == OK):
        energy, norm = work.drift[point]
        if not energy <= energy_limit:
            work.fail(
                point,
                DRIFTED,
                f"energy_drift = {energy:.1e} above {energy_limit:.1e}: ask for a smaller tolerance",
            )
        elif not norm <= norm_limit:
            work.fail(
                point, DRIFTED, f"norm_drift = {norm:.1e} above {norm_limit:.1e}: ask for a shorter run"
            )
