#!/usr/bin/env python3
"""Time per trajectory at equal true error: this package against general integrators, side by side in one run.

    python scripts/benchmarks/evolution.py [--rows 1,2,3,4,5] [--repeats 3] [--coupling 1e-6]

Every method runs down a ladder of its own tolerances. A row of the table gives its least time whose true error is
within 1e-4 or 1e-8: in n and 2 |kappa| of any pair of the first point at 31 samples, against splitting as tight as
rounding allows. Ours count everything a user waits for: choice of the step, error estimate, observables. Times are
process times, the least of the repeats, of one thread. Below, how the true error compares with the tolerance asked for,
over all tolerances that a method met. Peers: scipy's DOP853 with the compiled right-hand side, DOP853 compiled
throughout, and, where they are installed (pip install 'pairsweep[bench]'), heyoka (scalar and a batch of eight, what it
fits in a register) and diffrax (Dopri8 on a batch of eight).
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import time
from collections.abc import Callable, Iterator

# one thread, diffrax's compiler included
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np
from numba import njit
from scipy.integrate import solve_ivp

from pairsweep.analyses.evolution.kernels.averaging.dop853 import E3, E5, STAGES, A
from pairsweep.analyses.evolution.kernels.schemes import ABA1086
from pairsweep.analyses.evolution.kernels.splitting import advance
from pairsweep.analyses.evolution.single import perturbed_kappa
from pairsweep.analyses.evolution.solver import evolve_batch
from pairsweep.kernels.lanes import LANES, aligned_zeros
from pairsweep.physics.grid import Grid, bins
from pairsweep.physics.patterns.quadrant import quadrant

ROWS = (
    ((1, 1, 4), 1200.0),
    ((1, 1, 32), 1500.0),
    ((1, 8, 8), 1500.0),
    ((3, 1, 4), 1500.0),
    ((4, 16, 16), 300.0),
)
TARGETS = (1e-4, 1e-8)
# Tolerance of the truth, which is good to a tenth of it: 1e-9 at g = 1e-6; turns, and rounding, go like 1/g
REFERENCE = 1e-15
OURS = ("splitting", "averaged")
SAMPLES = 31
# Beyond these numbers of pairs a peer takes minutes: heyoka to compile, scipy and diffrax to run.
MOST_HEYOKA, MOST_SCIPY = 100, 40
# Points of a sweep that are solved together: a block of it has hundreds
BATCH, MOST_BATCHED = 64, 100
FMA_PER_PAIR_AND_STAGE = 21

Curves = np.ndarray  # (T, 2, N): n and 2 |kappa| of every pair


@dataclasses.dataclass(frozen=True)
class Case:
    """One row: the grid with its pairs recorded one by one, the initial states of many seeds, the sample times."""

    grid: Grid
    rho: np.ndarray
    kappa0: np.ndarray
    g: float
    times: np.ndarray

    @property
    def frame(self) -> tuple[np.ndarray, ...]:
        grid = self.grid
        return grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat


def make_case(shape: tuple[int, int, int], t_end: float, g: float) -> Case:
    """Quadrant 0.9 / 0.1, the Letter's; time is scaled so that g t stays."""
    grid = bins(*shape)
    rho, _ = quadrant(grid, 0.9, 0.1)
    as_beams = dataclasses.replace(grid, shape=None, names=tuple(map(str, range(grid.size))))
    seeds = range(BATCH if grid.size <= MOST_BATCHED else LANES)
    kappa0 = np.stack([perturbed_kappa(grid.size, 1e-5, seed) for seed in seeds])
    return Case(as_beams, rho, kappa0, g, np.linspace(0, t_end * 1e-6 / g, SAMPLES))


def ours(case: Case, method: str, tolerance: float) -> tuple[float, Curves | None]:
    """Seconds per trajectory of a batch, and the curves of the first."""
    points = len(case.kappa0)
    rho = np.repeat(case.rho[None], points, axis=0)
    started = time.process_time()
    result = evolve_batch(
        case.grid,
        rho,
        rho,
        case.kappa0,
        np.full(points, case.g),
        case.times,
        method=method,
        tolerance=tolerance,
    )
    seconds = (time.process_time() - started) / points
    if result.status.any():
        return seconds, None
    n = 2.0 * result.arrays["rho_beam"][0] - 1.0
    return seconds, np.stack([n, 2.0 * result.arrays["kappa_beam"][0]], axis=1)


def reference(case: Case) -> Curves:
    """Curves by splitting, as tight as rounding allows."""
    _, truth = ours(case, "splitting", max(1e-9, REFERENCE / case.g))
    assert truth is not None, "the reference has to exist"
    return truth


def curves(n: np.ndarray, kappa: np.ndarray) -> Curves:
    """Curves of (T, N) arrays."""
    return np.stack([n, 2.0 * np.abs(kappa)], axis=1)


@njit(nogil=True, error_model="numpy", fastmath=True)
def rate(energy, weight, p_hat, theta_hat, phi_hat, g, y, out):
    """Rate of y = (n, Re kappa, Im kappa) flat, without allocations: the package's right-hand side, made lean."""
    size = energy.size
    jx, jy, jz = 0.0, 0.0, 0.0
    for q in range(size):
        n, re, im = y[q] + 1.0, 2.0 * y[size + q], 2.0 * y[2 * size + q]
        jx += weight[q] * (p_hat[q, 0] * n + theta_hat[q, 0] * re + phi_hat[q, 0] * im)
        jy += weight[q] * (p_hat[q, 1] * n + theta_hat[q, 1] * re + phi_hat[q, 1] * im)
        jz += weight[q] * (p_hat[q, 2] * n + theta_hat[q, 2] * re + phi_hat[q, 2] * im)
    for p in range(size):
        along = p_hat[p, 0] * jx + p_hat[p, 1] * jy + p_hat[p, 2] * jz
        u = theta_hat[p, 0] * jx + theta_hat[p, 1] * jy + theta_hat[p, 2] * jz
        v = phi_hat[p, 0] * jx + phi_hat[p, 1] * jy + phi_hat[p, 2] * jz
        omega = 2.0 * energy[p] - 4.0 * g * along
        n, re, im = y[p], y[size + p], y[2 * size + p]
        out[p] = -8.0 * g * (v * re - u * im)
        out[size + p] = omega * im + 2.0 * g * n * v
        out[2 * size + p] = -omega * re - 2.0 * g * n * u


def initial(case: Case) -> np.ndarray:
    """Return y at t = 0 of the first seed."""
    return np.concatenate([2.0 * case.rho - 1.0, case.kappa0[0].real, case.kappa0[0].imag])


def split_curves(y: np.ndarray) -> Curves:
    """Curves of y (T, 3 N)."""
    n, re, im = np.split(y, 3, axis=1)
    return curves(n, re + 1j * im)


def scipy_dop853(case: Case, tolerance: float) -> tuple[float, Curves]:
    """scipy's driver, compiled right-hand side."""
    frame, g = case.frame, case.g

    def fun(_: float, y: np.ndarray) -> np.ndarray:
        out = np.empty_like(y)
        rate(*frame, g, y, out)
        return out

    started = time.process_time()
    span = (0.0, case.times[-1])
    run = solve_ivp(fun, span, initial(case), "DOP853", t_eval=case.times, rtol=tolerance, atol=tolerance)
    return time.process_time() - started, split_curves(run.y.T)


@njit(nogil=True, error_model="numpy", fastmath={"contract"})
def dop853(energy, weight, p_hat, theta_hat, phi_hat, g, y, times, tolerance, out):
    """DOP853 compiled throughout, stopping at every sample."""
    k = np.empty((STAGES + 1, y.size))
    new = np.empty(y.size)
    h = 0.01 / np.max(energy)
    t = 0.0
    rate(energy, weight, p_hat, theta_hat, phi_hat, g, y, k[0])
    for sample in range(times.size):
        while t < times[sample]:
            step = min(h, times[sample] - t)
            for i in range(1, STAGES + 1):
                for c in range(y.size):
                    new[c] = y[c]
                for j in range(i):
                    factor = step * A[i, j]
                    if factor != 0.0:
                        for c in range(y.size):
                            new[c] += factor * k[j, c]
                rate(energy, weight, p_hat, theta_hat, phi_hat, g, new, k[i])
            third = 0.0
            fifth = 0.0
            for c in range(y.size):
                e3 = 0.0
                e5 = 0.0
                for j in range(STAGES + 1):
                    e3 += E3[j] * k[j, c]
                    e5 += E5[j] * k[j, c]
                scale = tolerance * (1.0 + max(abs(y[c]), abs(new[c])))
                third += (step * e3 / scale) ** 2
                fifth += (step * e5 / scale) ** 2
            error = fifth / np.sqrt((fifth + 0.01 * third) * y.size) if fifth > 0.0 else 0.0
            if error < 1.0:
                t = times[sample] if step < h or t + step >= times[sample] else t + step
                y[:] = new
                k[0] = k[STAGES]
            if error >= 1.0 or step == h:
                h = step * min(6.0, max(0.3, 0.9 * max(error, 1e-10) ** -0.125))
        out[sample] = y


def compiled_dop853(case: Case, tolerance: float) -> tuple[float, Curves]:
    """Time of the compiled integrator."""
    out = np.zeros((SAMPLES, 3 * case.grid.size))
    started = time.process_time()
    dop853(*case.frame, case.g, initial(case), case.times, tolerance, out)
    return time.process_time() - started, split_curves(out)


def start_spins(case: Case) -> np.ndarray:
    """Spins (batch, N, 3) at t = 0."""
    grid = case.grid
    n = 2.0 * case.rho[None, :, None] - 1.0
    re, im = 2.0 * case.kappa0.real[..., None], 2.0 * case.kappa0.imag[..., None]
    return n * grid.p_hat + re * grid.theta_hat + im * grid.phi_hat


def spin_curves(case: Case, S: np.ndarray) -> Curves:
    """Curves of spins (T, N, 3)."""
    n = np.einsum("tpk,pk->tp", S, case.grid.p_hat)
    re = np.einsum("tpk,pk->tp", S, case.grid.theta_hat)
    im = np.einsum("tpk,pk->tp", S, case.grid.phi_hat)
    return curves(n, 0.5 * (re + 1j * im))


def diffrax_peer(case: Case) -> dict[str, Callable[[Case, float], tuple[float, Curves]]]:
    """Dopri8 on a batch of eight, compiled for it; none where it is not installed."""
    try:
        import diffrax
        import jax
    except ImportError:
        return {}
    jax.config.update("jax_enable_x64", True)
    grid, jnp = case.grid, jax.numpy

    def rate(_: object, S: object, __: object) -> object:
        J = jnp.sum(grid.weight[:, None] * (S + grid.p_hat), axis=0)
        return -2.0 * jnp.cross(grid.energy[:, None] * grid.p_hat - 2.0 * case.g * J, S)

    @jax.jit
    def solve(starts: object, tolerance: float) -> object:
        def one(S: object) -> object:
            return diffrax.diffeqsolve(
                diffrax.ODETerm(rate),
                diffrax.Dopri8(),
                t0=0.0,
                t1=case.times[-1],
                dt0=0.01 / grid.energy.max(),
                y0=S,
                saveat=diffrax.SaveAt(ts=case.times),
                stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
                max_steps=None,
            ).ys

        return jax.vmap(one)(starts)

    starts = start_spins(case)[:LANES]

    def peer(_: Case, tolerance: float) -> tuple[float, Curves]:
        started = time.process_time()
        S = np.asarray(solve(starts, tolerance))
        return (time.process_time() - started) / len(starts), spin_curves(case, S[0])

    solve(starts, 1e-4).block_until_ready()
    return {"diffrax, Dopri8": peer}


def heyoka_system(case: Case) -> list:
    """Equations of the spin form."""
    import heyoka

    grid, g = case.grid, case.g
    S = np.array(heyoka.make_vars(*[f"s{i}" for i in range(3 * grid.size)])).reshape(grid.size, 3)
    J = [
        heyoka.sum([float(w) * (S[p, k] + float(grid.p_hat[p, k])) for p, w in enumerate(grid.weight)])
        for k in range(3)
    ]
    system = []
    for p in range(grid.size):
        v = [-2.0 * (float(grid.energy[p] * grid.p_hat[p, k]) - 2.0 * g * J[k]) for k in range(3)]
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            system.append((S[p, k], v[i] * S[p, j] - v[j] * S[p, i]))
    return system


def heyoka_peers(case: Case) -> dict[str, Callable[[Case, float], tuple[float, Curves]]]:
    """Scalar and batch integrators of heyoka; none where it is not installed or would compile for minutes."""
    try:
        import heyoka
    except ImportError:
        return {}
    if case.grid.size > MOST_HEYOKA:
        return {}
    system, spins = heyoka_system(case), start_spins(case)[:LANES].reshape(LANES, -1)
    compact = case.grid.size > 8

    def observed(y: np.ndarray) -> Curves:
        return spin_curves(case, y.reshape(SAMPLES, case.grid.size, 3))

    def scalar(_: Case, tolerance: float) -> tuple[float, Curves]:
        solver = heyoka.taylor_adaptive(system, spins[0].copy(), tol=tolerance, compact_mode=compact)
        started = time.process_time()
        y = solver.propagate_grid(case.times)[-1]
        return time.process_time() - started, observed(y)

    def batch(_: Case, tolerance: float) -> tuple[float, Curves]:
        start = np.ascontiguousarray(spins.T)
        solver = heyoka.taylor_adaptive_batch(system, start, tol=tolerance, compact_mode=compact)
        grid = np.ascontiguousarray(np.repeat(case.times[:, None], LANES, axis=1))
        started = time.process_time()
        y = solver.propagate_grid(grid)[-1]
        return (time.process_time() - started) / LANES, observed(y[..., 0])

    return {"heyoka, batch of 8": batch, "heyoka": scalar}


def peers_of(case: Case) -> dict[str, Callable[[Case, float], tuple[float, Curves | None]]]:
    """All that are installed and end within minutes."""
    peers: dict[str, Callable[[Case, float], tuple[float, Curves | None]]] = heyoka_peers(case)
    peers["DOP853, compiled"] = compiled_dop853
    if case.grid.size <= MOST_SCIPY:
        peers |= diffrax_peer(case)
        peers["DOP853, scipy"] = scipy_dop853
    return peers


def ladder(name: str) -> Iterator[float]:
    """Tolerances to try, from loose to tight: three to a decade, one where a run takes seconds."""
    seconds_each = "scipy" in name or "diffrax" in name
    lowest = 8 if name in OURS else 13 if seconds_each else 14
    per_decade = 1 if seconds_each else 3
    yield from 10.0 ** (-np.arange(3 * per_decade, lowest * per_decade + 1) / per_decade)


def least_times(
    case: Case, methods: dict[str, Callable[[Case, float], tuple[float, Curves | None]]], repeats: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Least seconds per trajectory of each method within each target, infinite where it never is; errors/tolerance."""
    truth = reference(case)
    found: dict[str, list[float]] = {}
    kept: dict[str, list[float]] = {}
    for name, method in methods.items():
        found[name] = [np.inf] * len(TARGETS)
        for tolerance in ladder(name):
            seconds, got = method(case, tolerance)
            if got is None:
                continue
            error = np.max(np.abs(got - truth))
            kept.setdefault(name, []).append(error / tolerance)
            reached = [i for i, target in enumerate(TARGETS) if error <= target and seconds < found[name][i]]
            if reached:
                seconds = min(seconds, *(method(case, tolerance)[0] for _ in range(repeats - 1)), np.inf)
            for i in reached:
                found[name][i] = seconds
            if error <= TARGETS[-1] and name not in OURS:
                break
    return found, kept


def stage_cost(pairs: int) -> float:
    """Nanoseconds for one pair of one point in one stage of the splitting kernel."""
    scheme, steps = ABA1086, max(10, 20_000 // pairs)
    pairs_in_lanes = pairs >= 256
    blocks = pairs // LANES if pairs_in_lanes else pairs
    shapes = (scheme.stages, blocks, 9, LANES), (blocks, LANES), (scheme.stages, LANES), (blocks, 3, LANES)
    rotations, weight, strength, S = (aligned_zeros(math.prod(shape)).reshape(shape) for shape in shapes)
    rotations[:, :, [0, 4, 8]] = 1.0
    weight[:] = 1.0
    strength[:] = 1e-3 / pairs
    best = np.inf
    for _ in range(5):
        S[:] = 0.5
        started = time.process_time()
        advance(scheme.b, rotations, weight, strength, steps, pairs_in_lanes, S)
        best = min(best, time.process_time() - started)
    return best * 1e9 / (steps * scheme.stages * blocks * LANES)


def main() -> None:
    """Print one table for each row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="1,2,3,4,5")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--coupling", type=float, default=1e-6, help="MeV^-2; g t stays")
    parser.add_argument("--no-peers", action="store_true", help="only our own methods")
    arguments = parser.parse_args()
    for number in map(int, arguments.rows.split(",")):
        shape, t_end = ROWS[number - 1]
        case = make_case(shape, t_end, arguments.coupling)
        peers = {} if arguments.no_peers else peers_of(case)
        mine = {name: lambda c, t, name=name: ours(c, name, t) for name in OURS}
        warm = dataclasses.replace(case, times=case.times[:2] * 1e-3)
        for method in (*mine.values(), compiled_dop853):
            method(warm, 1e-3)
        found, kept = least_times(case, mine | peers, arguments.repeats)
        cost = stage_cost(case.grid.size)
        print(f"\n{shape}, T = {case.times[-1]:g}/MeV, g = {case.g:g} MeV^-2")
        print(f"splitting: {cost:.2f} ns for a pair and stage, {FMA_PER_PAIR_AND_STAGE / cost:.0f} FMA/ns")
        print(f"{'ms per trajectory at a true error of':38s}" + "".join(f"{t:>16.0e}" for t in TARGETS))
        fastest = [min((found[name][i] for name in peers), default=np.nan) for i in range(len(TARGETS))]
        for name, seconds in found.items():
            cells = [f"{1e3 * s:9.3f} x{f / s:<6.2f}" for s, f in zip(seconds, fastest, strict=True)]
            print(f"{name:38s}" + "".join(cells), flush=True)
        for name in OURS:
            if name in kept:
                low, high = min(kept[name]), max(kept[name])
                print(f"{name}: true error / tolerance from {low:.1e} to {high:.1e}", flush=True)


if __name__ == "__main__":
    main()
