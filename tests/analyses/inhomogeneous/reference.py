"""Plain numpy twin of the inhomogeneous analysis: the function W, its eigenvalue form, and the pieces they stand on.

Everything here is the definition, pole by pole and without tricks (spinors, dense matrices), so that the kernels have
something to be compared with that shares no line with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ETA = np.diag([1.0, -1.0, -1.0, -1.0])
SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
SIGMA_BAR = np.concatenate([np.eye(2)[None], -SIGMA])
PAIR, CONJUGATE, NEUTRINO, ANTINEUTRINO = (-1, 1), (1, -1), (1, 1), (-1, -1)
PAIRING = (PAIR, CONJUGATE)
ALL = (PAIR, CONJUGATE, NEUTRINO, ANTINEUTRINO)


def spinor(p, s):
    """Eigenvector u_s of -sigma.p with eigenvalue s |p|."""
    theta, phi = np.arccos(np.clip(p[2] / np.linalg.norm(p), -1, 1)), np.arctan2(p[1], p[0])
    if s > 0:
        return np.array([np.sin(theta / 2), -np.exp(1j * phi) * np.cos(theta / 2)])
    return np.array([np.cos(theta / 2), np.exp(1j * phi) * np.sin(theta / 2)])


def vertex(minus, plus, s, s_prime):
    """v^nu = < u_s(p-) | sigmabar^nu | u_s'(p+) >, (4,)."""
    left, right = spinor(minus, s).conj(), spinor(plus, s_prime)
    return np.array([left @ matrix @ right for matrix in SIGMA_BAR])


def angles(p):
    """Momenta (N, 3) as energy, theta, phi in [0, 2 pi)."""
    energy = np.linalg.norm(p, axis=1)
    return energy, np.arccos(p[:, 2] / energy), np.mod(np.arctan2(p[:, 1], p[:, 0]), 2 * np.pi)


@dataclass
class Poles:
    """All simple poles of W: locations (M,), real strengths 2 g w F (M,), vectors (M, 4), constant W0 (4, 4)."""

    location: np.ndarray
    strength: np.ndarray
    vector: np.ndarray
    constant: np.ndarray

    def matrix(self, omega):
        """W(omega), (4, 4)."""
        weight = self.strength / (omega - self.location)
        return self.constant - np.einsum("m,ma,mb->ab", weight, self.vector, self.vector.conj())

    def modes(self):
        """All omega: the eigenvalues of diag(P) + strength_j v_j^dagger W0^-1 v_i."""
        inverse = np.linalg.inv(self.constant)
        metric = self.vector.conj() @ inverse @ self.vector.T
        return np.linalg.eigvals(np.diag(self.location) + self.strength[:, None] * metric)


def occupations(occupation, p):
    """Evaluate occupation(energy, theta, phi) -> (rho, rhobar) at momenta (N, 3), rhobar in the pair label."""
    return tuple(np.broadcast_to(values, len(p)) for values in occupation(*angles(p)))


def poles(grid, occupation, g, k, families=PAIRING, background="shift", subtracted=False):
    """Poles of W for one wave vector k (3,): the sums of section 2 of the derivation, term by term."""
    centre = grid.energy[:, None] * grid.p_hat
    plus, minus = centre + np.asarray(k) / 2, centre - np.asarray(k) / 2
    rho_plus, rhobar_plus = occupations(occupation, plus)
    rho_minus, rhobar_minus = occupations(occupation, minus)
    rho, rhobar = occupations(occupation, centre)
    drift = 2 * g * (grid.weight * (rho + rhobar)) @ grid.p_hat if background == "shift" else np.zeros(3)
    e_plus, e_minus = np.linalg.norm(plus, axis=1), np.linalg.norm(minus, axis=1)
    v_plus, v_minus = plus @ drift / e_plus, minus @ drift / e_minus
    table = {
        PAIR: (e_plus + e_minus - v_plus - v_minus, -(rho_plus + rhobar_minus - 1)),
        CONJUGATE: (-(e_plus + e_minus) + v_plus + v_minus, rho_minus + rhobar_plus - 1),
        NEUTRINO: (e_plus - e_minus - v_plus + v_minus, rho_minus - rho_plus),
        ANTINEUTRINO: (-(e_plus - e_minus) + v_plus - v_minus, rhobar_plus - rhobar_minus),
    }
    location, strength, vectors = [], [], []
    for family in families:
        pole, factor = table[family]
        location.append(pole)
        strength.append(2 * g * grid.weight * factor)
        vectors += [vertex(minus[i], plus[i], *family) for i in range(grid.size)]
    constant = ETA.copy()
    if subtracted:
        constant[1:, 1:] -= 2 * g * cutoff_constant(centre, grid.weight, np.asarray(k))
    return Poles(np.concatenate(location), np.concatenate(strength), np.array(vectors), constant)


def cutoff_constant(centre, weight, k):
    """Sum of w times the mean of (delta_ij - h_i h_j)/|q| over q from p - k/2 to p + k/2, by quadrature, (3, 3)."""
    nodes, shares = np.polynomial.legendre.leggauss(80)
    total = np.zeros((3, 3))
    for node, share in zip(0.5 * nodes, 0.5 * shares, strict=True):
        q = centre + node * k
        length = np.linalg.norm(q, axis=1)
        h = q / length[:, None]
        total += share * np.einsum("n,nij->ij", weight / length, np.eye(3) - h[:, :, None] * h[:, None, :])
    return total


def fastest(modes):
    """Return growth and abs Re omega of the fastest of these modes."""
    lead = modes[np.argmax(modes.imag)]
    return lead.imag, abs(lead.real)


def quadrant(high=0.9, low=0.1):
    """Occupation of the Letter: high where 0 < phi < pi/2 of the particle's own direction, low elsewhere."""

    def occupation(energy, theta, phi):
        phi = np.mod(phi, 2 * np.pi)
        rho = np.where((phi > 0) & (phi < np.pi / 2), high, low)
        return rho, rho

    return occupation


def smooth(energy, theta, phi):
    """Occupation without any symmetry that could hide a wrong label: that of the function values of section 9."""
    rho = 0.5 + 0.3 * np.cos(theta) * np.exp(-energy / 10)
    return rho, 0.4 + 0.2 * np.sin(theta) * np.cos(phi)
