import numpy as np
import pytest

from pairsweep.analyses.evolution.kernels.equations import interaction_vector, right_hand_side
from tests.pairwise import pairwise_rhs, random_system


def derivatives(grid, rho, rhobar, kappa, g):
    drho, dkappa = np.empty(grid.size), np.empty(grid.size, complex)
    assert right_hand_side(grid.pairs, g, rho, rhobar, kappa, drho, dkappa) == 0
    return drho, dkappa


@pytest.mark.parametrize("pairs", [1, 2, 5, 17])
def test_equals_the_pairwise_definition(pairs, both):
    grid, rho, rhobar, kappa, g = random_system(np.random.default_rng(pairs), pairs, g=0.1)
    found = derivatives(grid, rho, rhobar, kappa, g)
    expected = pairwise_rhs(grid, rho, rhobar, kappa, g)
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-13 * pairs)
    np.testing.assert_allclose(found[1], expected[1], rtol=0, atol=1e-13 * pairs)


def test_two_beams_obey_the_letters_equations_8_to_11():
    from pairsweep.physics.grid import beams

    rng = np.random.default_rng(3)
    (rx, rz), (bx, bz) = rng.random((2, 2))
    kx, kz = rng.normal(size=2) + 1j * rng.normal(size=2)
    energy, mu = 1.3, 0.07
    grid = beams([energy] * 2, [1.0] * 2, [np.pi / 2, 0.0], [0.0, 0.0])
    drho, dkappa = derivatives(grid, np.array([rx, rz]), np.array([bx, bz]), np.array([kx, kz]), mu)
    cross = kz * np.conj(kx) + kz * kx
    assert drho[0] == pytest.approx(-4 * mu * ((rz + bz) * kx + cross).imag, abs=1e-14)
    assert drho[1] == pytest.approx(4 * mu * ((rx + bx) * kz - (kx * np.conj(kz) + kx * kz)).imag, abs=1e-14)
    x_rate = 2 * (energy - 2 * mu * (rx + bx) - 2 * mu * (kz + np.conj(kz))) * kx
    x_rate -= 2 * mu * ((rz + bz) - 2 * kx - kz + np.conj(kz)) * (rx + bx - 1)
    z_rate = 2 * (energy - 2 * mu * (rz + bz) + 2 * mu * (kx + np.conj(kx))) * kz
    z_rate -= 2 * mu * (-(rx + bx) - 2 * kz - kx + np.conj(kx)) * (rz + bz - 1)
    assert 1j * dkappa[0] == pytest.approx(x_rate, abs=1e-13)
    assert 1j * dkappa[1] == pytest.approx(z_rate, abs=1e-13)


def test_interaction_vector_is_the_sum_over_spins():
    grid, rho, rhobar, kappa, _ = random_system(np.random.default_rng(8), 6)
    n = rho + rhobar - 1
    spin = (
        n[:, None] * grid.p_hat
        + 2 * kappa.real[:, None] * grid.theta_hat
        + 2 * kappa.imag[:, None] * grid.phi_hat
    )
    J = np.empty(3)
    interaction_vector(grid.pairs, rho, rhobar, kappa, J)
    np.testing.assert_allclose(J, grid.weight @ (spin + grid.p_hat), rtol=1e-13)


def test_energy_and_spin_lengths_do_not_change():
    grid, rho, rhobar, kappa, g = random_system(np.random.default_rng(5), 7, g=0.2)
    drho, dkappa = derivatives(grid, rho, rhobar, kappa, g)
    n = rho + rhobar - 1
    # d|S|^2/dt with |S|^2 = n^2 + 4 |kappa|^2
    np.testing.assert_allclose(2 * n * 2 * drho + 8 * (kappa.conj() * dkappa).real, 0, atol=1e-13)
    J = np.empty(3)
    interaction_vector(grid.pairs, rho, rhobar, kappa, J)
    dJ = np.empty(3)
    interaction_vector(grid.pairs, drho, drho, dkappa, dJ)
    dH = (grid.weight * 2 * grid.energy) @ (2 * drho) - 4 * g * J @ dJ
    assert abs(dH) < 1e-12
