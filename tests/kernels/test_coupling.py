"""J0, Omega and residues against numpy, and every place that writes them out anew against this one home."""

import numpy as np
import pytest

from pairsweep.analyses.continuum.kernels.medium import direction_shifts
from pairsweep.analyses.evolution.kernels.averaging.field import Terms, averaged_rates, scratch
from pairsweep.analyses.evolution.kernels.averaging.shells import make_shells, pack, unpack
from pairsweep.analyses.evolution.kernels.equations import interaction_vector
from pairsweep.analyses.evolution.kernels.splitting import fill_rotations
from pairsweep.analyses.growth.kernels.batch.dispersion import fill_poles, share_grid
from pairsweep.analyses.growth.kernels.batch.tables import EPN, OMEGA, POLE_FIELDS, STRENGTH
from pairsweep.analyses.growth.kernels.static import static_coupling
from pairsweep.analyses.inhomogeneous.kernels.poles import PAIR, Momenta
from pairsweep.analyses.inhomogeneous.kernels.poles import fill_poles as inhomogeneous_poles
from pairsweep.kernels.coupling import add_residue, fill_j0, frequency, oscillators
from pairsweep.kernels.lanes import LANES, splat
from pairsweep.physics.grid import bins
from tests.pairwise import random_system

G = 0.05


def system(pairs=7, seed=1):
    """Grid, n, p_hat.J0 and Omega of random pairs, by this home."""
    grid, rho, rhobar, _, _ = random_system(np.random.default_rng(seed), pairs)
    n = rho + rhobar - 1.0
    J0 = np.empty(3)
    fill_j0(grid.weight, grid.p_hat, n, J0)
    along = grid.p_hat @ J0
    omega = np.array([frequency(E, G, a) for E, a in zip(grid.energy, along, strict=True)])
    return grid, n, along, omega


def test_the_definitions(both):
    grid, n, _, omega = system()
    J0 = np.empty(3)
    fill_j0(grid.weight, grid.p_hat, n, J0)
    np.testing.assert_allclose(J0, grid.weight * (n + 1) @ grid.p_hat, rtol=1e-13)
    np.testing.assert_allclose(omega, 2 * grid.energy - 4 * G * grid.p_hat @ J0, rtol=1e-13)
    base, offset, strength = np.empty((3, grid.size))
    scale = oscillators(grid.energy, grid.weight, grid.p_hat, n, G, base, offset, strength)
    np.testing.assert_allclose(base + offset, omega, rtol=1e-13)
    np.testing.assert_allclose(strength, 2 * G * grid.weight * n, rtol=1e-14)
    assert scale == pytest.approx(4 * G * np.sum(grid.weight * (n + 1)))


def test_offsets_cancel_exactly_where_j0_does():
    # opposite beams with equal occupation: J0 = 0 whatever the order of summation
    directions = np.array([[0, 0, 1.0], [0, 0, -1.0]] * 500)
    weight = np.repeat(np.random.default_rng(0).random(500), 2) * 1e3
    base, offset, strength = np.empty((3, 1000))
    oscillators(np.ones(1000), weight, directions, np.full(1000, 0.3), 1e-3, base, offset, strength)
    np.testing.assert_array_equal(offset, 0.0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_residue_is_the_outer_product_of_its_polarisation(both, sign):
    grid, *_ = system(1)
    eps = (grid.theta_hat - 1j * grid.phi_hat)[0]
    residue = np.zeros((9, 1))
    add_residue(0.7, *grid.p_hat[0], sign, 0, residue)
    s, a = residue[[0, 1, 2, 1, 3, 4, 2, 4, 5], 0].reshape(3, 3), residue[6:, 0]
    matrix = s - 1j * np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])
    outer = np.outer(eps, eps.conj())
    # at -Omega it is minus the complex conjugate
    np.testing.assert_allclose(matrix, 0.7 * outer if sign > 0 else -0.7 * outer.conj(), atol=1e-15)


def test_static_side():
    # filled pairs alone: the first Omega to reach 0 is the crossing
    grid, n, _, _ = system(5)
    n = np.abs(n)
    J0 = np.empty(3)
    fill_j0(grid.weight, grid.p_hat, n, J0)
    along = grid.p_hat @ J0
    g = static_coupling(grid.energy, grid.weight, grid.p_hat, n)
    omega = [frequency(E, g, a) for E, a in zip(grid.energy, along, strict=True)]
    assert min(omega) == pytest.approx(0.0, abs=1e-11)


def test_batch_of_growth():
    grid, n, _, omega = system()
    poles = np.zeros((grid.size, POLE_FIELDS, LANES))
    poles[:, EPN] = n[:, None]
    # vectors of lanes have no Python twin that compiled code takes
    fill_poles.py_func(share_grid(grid.energy, grid.weight, grid.p_hat), splat(G), poles)
    np.testing.assert_allclose(poles[:, OMEGA, 0], omega, rtol=1e-13)
    np.testing.assert_allclose(poles[:, STRENGTH, 0], 4 * G * grid.weight * n * omega, rtol=1e-13)


def test_continuum():
    grid = bins(3, 2, 4, 2.0, cell_volume="exact")
    n = np.random.default_rng(2).uniform(-1, 1, grid.size)
    J0 = np.empty(3)
    fill_j0(grid.weight, grid.p_hat, n, J0)
    # an occupation that is constant in every bin: the same sums, with the bins' exact volumes; E^2 n about its centre
    centre = grid.bin_energy[None, :, None]
    cubic = n.reshape(3, 8).T[:, :, None] * np.concatenate(
        [centre**2, 2 * centre, np.ones_like(centre), np.zeros_like(centre)], axis=2
    )
    sphere = grid.p_hat[:8]
    shift = np.empty(8)
    direction_shifts(np.full(8, np.pi / 2), sphere, np.linspace(0, 2, 4), cubic, G, shift)
    np.testing.assert_allclose(shift, G * sphere @ J0, rtol=1e-12)


def test_inhomogeneous_at_no_wave_vector():
    grid, n, _, omega = system()
    J0 = np.empty(3)
    fill_j0(grid.weight, grid.p_hat, n, J0)
    factor = np.zeros((4, grid.size))
    factor[PAIR] = n
    high, low, strength = np.empty((3, 4 * grid.size))
    momenta = Momenta(grid.energy, grid.weight, grid.p_hat, np.zeros(grid.size))
    vector = np.empty((4 * grid.size, 4), complex)
    count, _ = inhomogeneous_poles(momenta, np.zeros(3), 2 * G * J0, factor, G, high, low, strength, vector)
    assert count == grid.size
    np.testing.assert_allclose((high + low)[:count], omega, rtol=1e-13)
    np.testing.assert_allclose(strength[:count], 2 * G * grid.weight * n, rtol=1e-14)


def test_right_hand_side():
    grid, n, along, _ = system()
    J = np.empty(3)
    interaction_vector(grid.pairs, 0.5 * (n + 1), 0.5 * (n + 1), np.zeros(grid.size, complex), J)
    np.testing.assert_allclose(grid.p_hat @ J, along, rtol=1e-13)


def test_splitting():
    # one empty pair (n = 0): J0 is the constant part alone, and A turns by -Omega t about p
    grid, *_ = system(1)
    Jc = grid.weight @ grid.p_hat
    omega = frequency(grid.energy[0], G, grid.p_hat[0] @ Jc)
    rotations = np.zeros((2, 1, 9, LANES))
    step = 0.3
    fill_rotations(np.array([0.5, 0.5]), grid.energy, grid.p_hat, G, Jc, step, 0, False, rotations)
    turned = rotations[1, 0, :, 0].reshape(3, 3) @ grid.theta_hat[0]
    angle = 0.5 * step * omega
    expected = np.cos(angle) * grid.theta_hat[0] - np.sin(angle) * grid.phi_hat[0]
    np.testing.assert_allclose(turned, expected, atol=1e-14)


def test_averaging():
    # a pair with n = 0 feels no drive: its kappa turns by Omega less that of its shell
    grid, n, _, _ = system()
    n[3] = 0.0
    J0 = np.empty(3)
    fill_j0(grid.weight, grid.p_hat, n, J0)
    g = 1e-3
    shells = make_shells(grid.pairs, np.abs(n), g)
    values = np.zeros((3, grid.size))
    values[0], values[1, 3] = n, 1.0
    state, out = np.empty((2, shells.place.shape[0], 3 * LANES))
    pack(shells.place, values, state)
    averaged_rates(shells, g, np.int64(Terms.FIRST), state, *scratch(shells.centre.size), out)
    rates = np.zeros((3, grid.size))
    unpack(shells.place, out, rates)
    shell = np.searchsorted(shells.first, np.argwhere(shells.place == 3)[0, 0], side="right") - 1
    expected = frequency(grid.energy[3], g, grid.p_hat[3] @ J0) - 2 * shells.centre[shell]
    # kappa' = -i Omega kappa
    assert rates[2, 3] == pytest.approx(-expected, rel=1e-11)
    assert rates[1, 3] == pytest.approx(0.0, abs=1e-14)
