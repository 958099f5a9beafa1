"""scipy's DOP853 with the compiled right-hand side: slow, and independent of everything else here."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pairsweep.analyses.evolution.batch import TOLERANCE_MISSED, Batch, Complexes, Ints, Work
from pairsweep.analyses.evolution.kernels.equations import right_hand_side
from pairsweep.analyses.evolution.kernels.observables import free_pairing, invariants, observe
from pairsweep.physics.grid import Floats

# Tolerance of a step for one of the run, the least that DOP853 accepts without complaint, and that of the check.
SAFETY, SMALLEST, CHECK = 1e-4, 1e-13, 10.0


def run_reference(batch: Batch, work: Work, points: Ints, tolerance: float) -> None:
    """Run scipy's DOP853 from sample to sample; its own control keeps the error of a step, not of the run.

    The error of the run is taken from its difference to a second one at ten times the tolerance.
    """
    for point in points:
        work.method[point] = "reference"
        tight = max(SAFETY * tolerance, SMALLEST)
        runs = (_dop853(batch, point, tight), _dop853(batch, point, CHECK * tight))
        n_energy = batch.grid.bin_energy.size
        rho0, rhobar0, g = batch.rho[point], batch.rhobar[point], batch.g[point]
        grid = batch.grid
        frame = (grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat)
        start = np.empty(grid.size)
        length = np.empty(grid.size)
        kappa0 = batch.kappa0[point]
        n0 = rho0 + rhobar0 - 1.0
        H0 = invariants(grid.energy, *frame, g, n0, kappa0.real, kappa0.imag, start)
        scale = 2.0 * np.sum(grid.weight * np.abs(grid.energy) * start) or 1.0
        work.error[point] = 0.0
        work.drift[point] = 0.0
        for sample, ((n, kappa, count), (n_check, kappa_check, _)) in enumerate(zip(*runs, strict=True)):
            state = (n, kappa.real, kappa.imag)
            row = work.rows[point, sample]
            observe(
                *frame, grid.energy_bin, grid.quadrant, rho0, rhobar0, *state, n_energy, batch.n_beam, row
            )
            work.free[point, sample] = free_pairing(grid.energy, *frame, g, *state)
            H = invariants(grid.energy, *frame, g, *state, length)
            drift = (abs(H - H0) / scale, np.max(np.abs(length - start)))
            work.drift[point] = np.maximum(work.drift[point], drift)
            off = max(np.max(np.abs(n - n_check)), 2 * np.max(np.abs(kappa - kappa_check)))
            work.error[point] = max(work.error[point], 2.0 * off / CHECK)
            work.steps[point] = count
        if not work.error[point] <= tolerance:
            work.fail(
                int(point),
                TOLERANCE_MISSED,
                f"tolerance = {tolerance:g} missed by the reference, error about {work.error[point]:.1e}: "
                "shorten the run or ask for less",
            )


def _dop853(batch: Batch, point: int, tolerance: float) -> Iterator[tuple[Floats, Complexes, int]]:
    """Yield (n, kappa, evaluations so far) at every sample time."""
    from scipy.integrate import DOP853  # a second to import, and seldom wanted

    grid, size = batch.grid, batch.grid.size
    frame = (grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, float(batch.g[point]))
    half = 0.5 * (batch.rho[point] + batch.rhobar[point])

    def rate(_: float, y: Floats) -> Floats:
        out = np.empty(3 * size)
        occupation = half + 0.5 * y[2 * size :]
        kappa, dkappa = y[: 2 * size].view(complex), out[: 2 * size].view(complex)
        right_hand_side(*frame, occupation, occupation, kappa, out[2 * size :], dkappa)
        out[2 * size :] *= 2.0
        return out

    # the occupations enter as their change, so that small ones lose no digits
    y = np.concatenate([batch.kappa0[point].view(np.float64), np.zeros(size)])
    t, count, step = 0.0, 0, None
    for target in batch.times[point]:
        if target > t:
            solver = DOP853(rate, t, y, target, rtol=tolerance, atol=tolerance, first_step=step)
            while solver.status == "running":
                solver.step()
                # the last step of an interval is cut short by its end
                step = solver.h_abs if solver.status == "running" else step
            y, t = solver.y, float(target)
            count += solver.nfev
        yield 2.0 * half - 1.0 + y[2 * size :], y[: 2 * size].view(complex), count
