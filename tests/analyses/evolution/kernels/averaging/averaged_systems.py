"""Systems, brackets and an exact integrator for the tests of the averaged kernels."""

from __future__ import annotations

import numba
import numpy as np

from pairsweep.analyses.evolution import averaged
from pairsweep.analyses.evolution.kernels.averaging.shells import LANES, make_shells, pack, unpack
from pairsweep.analyses.evolution.kernels.averaging.solve import Systems
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.physics.grid import beams, bins
from pairsweep.physics.patterns.quadrant import quadrant
from tests.analyses.evolution.kernels.peer_schemes import ABA1064


class Case:
    """Pairs of random directions and weights in shells of equal energy; energies ascend, one column a pair."""

    def __init__(self, energies, seed):
        rng = np.random.default_rng(seed)
        self.energy = np.sort(np.asarray(energies, dtype=float))
        pairs = self.energy.size
        theta, phi = np.arccos(rng.uniform(-1, 1, pairs)), rng.uniform(0, 2 * np.pi, pairs)
        grid = beams(self.energy, rng.uniform(0.5, 1.5, pairs), theta, phi)
        self.directions = grid.p_hat, grid.theta_hat, grid.phi_hat
        self.p, self.theta, self.phi = (direction.T for direction in self.directions)
        self.weight = grid.weight
        self.pairs = grid.pairs
        self.shells = make_shells(self.pairs, np.ones(pairs), 0.0)
        self.place = self.shells.place

    def pack(self, values):
        """Blocks of a (3, N) array."""
        state = np.empty((self.place.shape[0], 3 * LANES))
        pack(self.place, np.ascontiguousarray(values), state)
        return state

    def unpack(self, state):
        values = np.empty((3, self.energy.size))
        unpack(self.place, state, values)
        return values

    def field(self, kernel, state):
        """What ``kernel(state, out)`` makes of a (3, N) state, as (3, N)."""
        packed = self.pack(state)
        out = np.full_like(packed, np.nan)
        kernel(packed, out)
        return self.unpack(out)


def random_shells(energies, seed=0):
    """A :class:`Case` and a random state (3, N)."""
    case = Case(energies, seed)
    state = np.random.default_rng(seed + 100).normal(size=(3, case.energy.size))
    state[1:] /= 2
    return case, state


def to_spins(case, state):
    """Spins (N, 3) of a state (3, N)."""
    return (state[0] * case.p + 2 * state[1] * case.theta + 2 * state[2] * case.phi).T


def from_spins(case, spins):
    return np.array(
        [(spins.T * case.p).sum(0), (spins.T * case.theta).sum(0) / 2, (spins.T * case.phi).sum(0) / 2]
    )


def field_of_h1(case, state):
    """dS/dt = 4 J x S, the field of H1 = 2 |J|^2, from its definition."""
    spins = to_spins(case, state)
    J = case.weight @ (spins + case.p.T)
    return from_spins(case, 4 * np.cross(J, spins))


def turned(case, state, time):
    """The state after ``time`` under the energies alone: kappa exp(-2 i E t)."""
    kappa = (state[1] + 1j * state[2]) * np.exp(-2j * case.energy * time)
    return np.array([state[0], kappa.real, kappa.imag])


def at_time(case, field, time):
    """The field in the frame that turns with the energies, at ``time``."""
    return lambda state: turned(case, field(turned(case, state, time)), -time)


def slope(function, step):
    """Derivative at 0 of a function of one number, exact for polynomials up to the fourth degree."""
    one, two = (function(k * step) - function(-k * step) for k in (1, 2))
    return (8 * one - two) / (12 * step)


def bracket(first, second):
    """Field of {A, B} from the fields of A and B: the commutator, by differences exact for these polynomials."""

    def field(state):
        a, b = first(state), second(state)
        return slope(lambda s: first(state + s * b), 1e-3) - slope(lambda s: second(state + s * a), 1e-3)

    return field


def mean_over_phases(case, field, state):
    """Mean over a common period of integer energies."""
    count = 16 * int(case.energy[-1]) + 1
    return sum(at_time(case, field, np.pi * k / count)(state) for k in range(count)) / count


def letter(shape, g, t_end, samples=31, seed=0, high=0.9, low=0.1, perturbation=1e-5):
    """The Letter's set-up: grid, rho, rhobar, kappa0 and sample times."""
    grid = bins(*shape)
    rho, rhobar = quadrant(grid, high, low)
    rng = np.random.default_rng(seed)
    kappa = perturbation * (rng.random(grid.size) + 1j * rng.random(grid.size))
    return grid, rho, rhobar, kappa, g, np.linspace(0, t_end, samples)


@numba.njit(error_model="numpy")
def _rotate(x, y, z, S):
    angle = np.sqrt(x * x + y * y + z * z)
    if angle == 0.0:
        return
    s = np.sin(angle) / angle
    c = 2.0 * np.sin(0.5 * angle) ** 2 / angle**2
    cx, cy, cz = y * S[2] - z * S[1], z * S[0] - x * S[2], x * S[1] - y * S[0]
    S[0], S[1], S[2] = (
        S[0] + s * cx + c * (y * cz - z * cy),
        S[1] + s * cy + c * (z * cx - x * cz),
        S[2] + s * cz + c * (x * cy - y * cx),
    )


@numba.njit(error_model="numpy")
def _split(a, b, energy, weight, p, g, S, times, step, out):
    """Compose rotations by the energies and by the interaction; out (T, N, 3)."""
    fixed = np.zeros(3)
    for q in range(energy.size):
        for k in range(3):
            fixed[k] += weight[q] * p[q, k]
    t = 0.0
    for sample in range(times.size):
        count = int(np.ceil((times[sample] - t) / step - 1e-9))
        h = (times[sample] - t) / max(count, 1)
        for _ in range(count):
            for i in range(a.size):
                for q in range(energy.size):
                    f = -2.0 * a[i] * h
                    _rotate(f * energy[q] * p[q, 0], f * energy[q] * p[q, 1], f * energy[q] * p[q, 2], S[q])
                if i < b.size:
                    # with the constant part of J the flow is a product of two rotations
                    J = np.zeros(3)
                    for q in range(energy.size):
                        for k in range(3):
                            J[k] += weight[q] * S[q, k]
                    f = 4.0 * g * b[i] * h
                    for q in range(energy.size):
                        _rotate(f * J[0], f * J[1], f * J[2], S[q])
                        _rotate(f * fixed[0], f * fixed[1], f * fixed[2], S[q])
        t = times[sample]
        out[sample] = S


def exact(grid, rho, rhobar, kappa, g, times, phase=0.7):
    """States (T, 3, N) by splitting, steps of ``phase`` of the fastest pair: 1e-6 off at 1.0, 1e-8 at 0.5."""
    p, theta, phi = grid.p_hat, grid.theta_hat, grid.phi_hat
    S = (rho + rhobar - 1)[:, None] * p + 2 * kappa.real[:, None] * theta + 2 * kappa.imag[:, None] * phi
    out = np.empty((times.size, grid.size, 3))
    a, b = np.ascontiguousarray(ABA1064.a), np.ascontiguousarray(ABA1064.b)
    _split(a, b, grid.energy, grid.weight, p, g, S, times, phase / (2 * grid.energy.max()), out)
    return np.stack([(out * p).sum(2), (out * theta).sum(2) / 2, (out * phi).sum(2) / 2], axis=1)


def spin_error(states, witness):
    """Largest difference of a local component of any S, over all samples."""
    return float((np.abs(states - witness) * np.array([1.0, 2.0, 2.0])[None, :, None]).max())


def systems_of(grid, rho, rhobar, kappa, g, times):
    """Systems of the kernels, of one point or of several."""
    start = np.stack(np.broadcast_arrays(rho + rhobar - 1, kappa.real, kappa.imag), axis=-2)
    start = np.ascontiguousarray(start.reshape(-1, 3, grid.size))
    g = np.atleast_1d(np.asarray(g, dtype=float))
    return Systems(grid.pairs, start, g, np.array(np.broadcast_to(times, (g.size, np.shape(times)[-1]))))


def averaged_runs(system, tolerance):
    """True states (P, T, 3, N) of the method and its runs; a point that it does not apply to ends with its status."""
    systems = systems_of(*system)
    measures = averaged.measured(systems)
    trajectories = averaged.begin(systems, systems.times.shape[1])
    runs = averaged.first_runs(trajectories, measures, tolerance)
    for run, status in zip(runs, measures.status, strict=True):
        run.status = Status(status) if status != Status.OK else run.status
    averaged.settle(trajectories, runs, tolerance)
    return trajectories.true(runs), runs


def trajectory(grid, rho, rhobar, kappa, g, times, terms, panels):
    """States (T, 3, N) of a run of one given order, integrated as well as double precision allows."""
    trajectories = averaged.begin(systems_of(grid, rho, rhobar, kappa, g, times), times.size)
    run = averaged.Run(
        row=0, ratio=0.0, start_error=0.0, map_error=0.0, full=True, all_terms=terms, expected=0.0,
        order=3, step_tolerance=1e-12, panels=panels, storing=False,
    )  # fmt: skip
    trajectories.run([run])
    assert trajectories.outcomes.status[0] == Status.OK
    return trajectories.true([run])[0]
