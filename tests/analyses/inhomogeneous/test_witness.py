"""The equation of motion itself as the witness: chains of momenta p_0 + m k, one body density matrices in between.

    i dR/dt = [H, R],  H_mm' = delta_mm' (-sigma.p_m) + sigmabar_mu V^mu_(m-m'),
    V_l = 2 g sum_chains w sum_m tr[sigmabar R_(m+l,m)]

R couples every two momenta of a chain, so that a wave of wave vector k can grow, saturate and make harmonics. Nothing
is shared with the analysis: no poles, no families, no eigenvectors of pairs. The chain is given by its kinetic momenta,
of which the uniform V is no part, so that the homogeneous state is stationary exactly.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pairsweep.analyses.inhomogeneous.occupations import FunctionOccupations, evaluated
from pairsweep.analyses.inhomogeneous.solver import Inhomogeneous, Medium
from pairsweep.physics.grid import beams, bins
from tests.analyses.inhomogeneous.reference import SIGMA, SIGMA_BAR, angles

LINKS = 3
# sigmabar with its index down
LOWERED = np.concatenate([np.eye(2)[None], SIGMA])


def band_matrix(p, s):
    """Projector (2, 2) on the band of energy s |p| of -sigma.p."""
    along = np.einsum("i,iab->ab", p / np.linalg.norm(p), SIGMA)
    return 0.5 * (np.eye(2) - s * along)


class Lattice:
    """Chains (C, LINKS, 3) of kinetic momenta with weights (C,), and the homogeneous state of an occupation."""

    def __init__(self, chains, weight, occupation, g):
        self.chains, self.weight, self.g = chains, weight, g
        size = 2 * LINKS
        self.free = np.zeros((len(chains), size, size), complex)
        self.state = np.zeros_like(self.free)
        for c, chain in enumerate(chains):
            energy, theta, phi = angles(chain)
            rho, rhobar = occupation(energy, theta, phi)
            for m, p in enumerate(chain):
                block = slice(2 * m, 2 * m + 2)
                self.free[c, block, block] = -np.einsum("i,iab->ab", p, SIGMA)
                plus, minus = band_matrix(p, 1), band_matrix(p, -1)
                self.state[c, block, block] = rho[m] * plus + (1 - rhobar[m]) * minus
        # the uniform V of the state is a shift of momentum: canonical momenta are kinetic ones plus V
        self.free -= self.field(self.state, uniform=True)

    def field(self, R, uniform=False):
        """sigmabar_mu V^mu of a state, one (2 LINKS, 2 LINKS) for all chains; its uniform part alone on demand."""
        out = np.zeros(R.shape[1:], complex)
        for shift in (0,) if uniform else range(1 - LINKS, LINKS):
            rows = range(max(0, -shift), min(LINKS, LINKS - shift))
            trace = np.zeros((2, 2), complex)
            for m in rows:
                trace += np.tensordot(
                    self.weight, R[:, 2 * (m + shift) : 2 * (m + shift) + 2, 2 * m : 2 * m + 2], 1
                )
            V = 2 * self.g * np.einsum("iab,ba->i", SIGMA_BAR, trace)
            wave = np.einsum("i,iab->ab", V, LOWERED)
            for m in rows:
                out[2 * (m + shift) : 2 * (m + shift) + 2, 2 * m : 2 * m + 2] = wave
        return out

    def rate(self, R):
        """dR/dt."""
        H = self.free + self.field(R)
        return -1j * (H @ R - R @ H)

    def linear_rate(self, change):
        """d(change)/dt about the homogeneous state, for a change that has not to be Hermitian."""
        H, dH = self.free + self.field(self.state), self.field(change)
        return -1j * (H @ change - change @ H + dH @ self.state - self.state @ dH)

    @property
    def places(self):
        """Mask of R_(m+1,m): what a wave of wave vector k is made of."""
        mask = np.zeros(self.state.shape, bool)
        for m in range(LINKS - 1):
            mask[:, 2 * m + 2 : 2 * m + 4, 2 * m : 2 * m + 2] = True
        return mask

    def operator(self):
        """Matrix of ``linear_rate`` on the changes of wave vector k, times i: its eigenvalues are omega."""
        mask = self.places
        columns = []
        for index in np.argwhere(mask):
            change = np.zeros(self.state.shape, complex)
            change[tuple(index)] = 1.0
            columns.append(1j * self.linear_rate(change)[mask])
        return np.array(columns).T


def occupation(energy, theta, phi):
    """Crossed, without a symmetry."""
    rho = 0.5 + 0.45 * np.tanh(3 * np.cos(phi) + np.cos(theta))
    return rho, 0.5 + 0.45 * np.tanh(3 * np.cos(phi) - 0.5 * np.cos(theta))


def case(seed):
    """A lattice, the analysis of the same momenta (centres of neighbouring links), and k."""
    rng = np.random.default_rng(seed)
    k = 0.25 * rng.normal(size=3)
    start = rng.normal(size=(5, 3))
    start /= np.linalg.norm(start, axis=1)[:, None]
    chains = start[:, None, :] + np.arange(LINKS)[None, :, None] * k
    weight, g = rng.uniform(0.5, 1.0, 5), 0.02
    lattice = Lattice(chains, weight, occupation, g)
    centre = (0.5 * (chains[:, 1:] + chains[:, :-1])).reshape(-1, 3)
    grid = beams(angles(centre)[0], np.repeat(weight, LINKS - 1), *angles(centre)[1:])
    pair, _ = evaluated(occupation, grid.energy, grid.theta, grid.phi)
    functions = FunctionOccupations((occupation,), pair[0][None], pair[1][None])
    medium = Medium(families="all", background="kinetic")
    return lattice, Inhomogeneous(grid, functions, np.array([g]), medium), k


@pytest.mark.parametrize("seed", range(4))
def test_the_homogeneous_state_is_stationary(seed):
    lattice, _, _ = case(seed)
    assert np.abs(lattice.rate(lattice.state)).max() < 1e-14


@pytest.mark.parametrize("seed", range(4))
def test_spectrum_is_that_of_the_analysis(seed):
    lattice, system, k = case(seed)
    omega = np.linalg.eigvals(lattice.operator())
    ours = system.dense_modes(0, k)
    assert omega.size == ours.size
    for one in ours:
        assert np.abs(omega - one).min() < 1e-12
    for one in omega:
        assert np.abs(ours - one).min() < 1e-12


@pytest.mark.parametrize("seed", [0, 1])
def test_a_wave_grows_at_the_rate_of_the_analysis(seed):
    """The nonlinear lattice from a small seed of the fastest mode, over four e-folds; both systems are unstable."""
    lattice, system, k = case(seed)
    found = system.solve(np.array([0]), k[None]).arrays
    growth = float(found["inhomogeneous_growth_rate"][0])
    assert growth > 1e-3
    omega, right = np.linalg.eig(lattice.operator())
    lead = int(np.argmax(omega.imag))
    left = np.linalg.inv(right)[lead]
    mask = lattice.places
    seed = np.zeros(lattice.state.shape, complex)
    seed[mask] = 1e-7 * right[:, lead]
    seed += seed.conj().transpose(0, 2, 1)
    size = lattice.state.size

    def rate(_, y):
        return lattice.rate(y.reshape(lattice.state.shape)).ravel()

    times = np.array([1.0, 5.0]) / growth
    run = solve_ivp(
        rate,
        (0.0, times[-1]),
        (lattice.state + seed).reshape(size),
        method="DOP853",
        t_eval=times,
        rtol=1e-10,
        atol=1e-13,
    )
    amplitude = [abs(left @ y.reshape(lattice.state.shape)[mask]) for y in run.y.T]
    measured = np.log(amplitude[1] / amplitude[0]) / (times[1] - times[0])
    assert measured == pytest.approx(growth, rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_two_by_two_matrices_of_single_momenta_have_the_modes_of_a_grid(seed):
    """The linearised equation of motion of R(p + k/2, p - k/2), 2x2 at each centre of bins, and the certified modes.

    i dR/dt = H(p+) R - R H(p-) + dV f(p-) - f(p+) dV, dV = 2 g sigmabar_mu sum w tr[sigmabar^mu R], f the occupations.
    """
    rng = np.random.default_rng(seed)
    grid, g, k = bins(2, 2, 4), 3e-5, rng.normal(size=3)
    centre = grid.energy[:, None] * grid.p_hat
    plus, minus = centre + 0.5 * k, centre - 0.5 * k

    def state(p):
        rho, rhobar = occupation(*angles(p))
        bands = np.array([[band_matrix(q, s) for q in p] for s in (1, -1)])
        return rho[:, None, None] * bands[0] + (1 - rhobar)[:, None, None] * bands[1]

    H_plus, H_minus = (-np.einsum("ni,iab->nab", p, SIGMA) for p in (plus, minus))
    f_plus, f_minus = state(plus), state(minus)

    def rate(R):
        V = 2 * g * np.einsum("n,iab,nba->i", grid.weight, SIGMA_BAR, R)
        wave = np.einsum("i,iab->ab", V, LOWERED)
        return H_plus @ R - R @ H_minus + wave @ f_minus - f_plus @ wave

    size = 4 * grid.size
    columns = [rate(unit.reshape(grid.size, 2, 2)).ravel() for unit in np.eye(size, dtype=complex)]
    omega = np.linalg.eigvals(np.array(columns).T)
    pair, _ = evaluated(occupation, grid.energy, grid.theta, np.mod(grid.phi, 2 * np.pi))
    functions = FunctionOccupations((occupation,), pair[0][None], pair[1][None])
    system = Inhomogeneous(grid, functions, np.array([g]), Medium(families="all", background="kinetic"))
    found = system.solve(np.array([0]), k[None], size)
    floor = found.arrays["inhomogeneous_growth_floor"][0]
    unstable = omega[omega.imag > floor]
    assert unstable.size == found.arrays["inhomogeneous_n_unstable"][0] > 0
    ours = found.modes[0, : unstable.size]
    for one in unstable:
        assert np.abs(ours - one).min() < 0.02 * floor
    np.testing.assert_allclose(np.sort(omega.real), np.sort(system.dense_modes(0, k).real), atol=1e-9)
