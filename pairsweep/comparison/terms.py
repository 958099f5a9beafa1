"""The equations taken apart: each term of the linear operator and of the right-hand side as an array of its own.

    i dkappa_p/dt = (2 E_p - 4 g p_hat.J) kappa_p + 2 g n_p conj(eps_p).J
      drho_p/dt   = -4 g Im[(conj(eps_p).J) conj(kappa_p)]
    J = sum_q w_q [q_hat (rho_q + rhobar_q) + eps_q kappa_q + conj(eps_q kappa_q)]

(Eqs. 3-7 and 12-14 of arXiv:2604.25687, docs/physics.md.) Their sums are what the kernels compute, and a test compares
them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairsweep.physics.grid import Floats

Complex = NDArray[np.complex128]
Ints = NDArray[np.int64]


class Term(NamedTuple):
    """One term: its name, what it is, its values, and how large it could be where nothing cancels in it."""

    name: str
    meaning: str
    values: NDArray[Any]
    natural: float


@dataclass(frozen=True, eq=False)
class System:
    """One system as the equations see it: (N,) MeV, (N,) MeV^3, (N, 3), occupations (N,), MeV^-2.

    ``eps`` is theta_hat - i phi_hat, (N, 3).
    """

    energy: Floats
    weight: Floats
    p_hat: Floats
    eps: Complex
    rho: Floats
    rhobar: Floats
    g: float

    @property
    def n(self) -> Floats:
        """EPN, (N,)."""
        return self.rho + self.rhobar - 1.0

    @property
    def j0(self) -> Floats:
        """What the occupations contribute to J, (3,) MeV^3."""
        return np.asarray((self.weight * (self.rho + self.rhobar)) @ self.p_hat)

    def mirrored(self) -> System:
        """The same with phi_hat reversed."""
        return replace(self, eps=self.eps.conj())


def matrix_terms(system: System, rows: Ints) -> list[Term]:
    """Terms of A in dkappa/dt = A kappa + B conj(kappa), for some pairs p: (2, rows, N), A and B, MeV."""
    size = rows.size, system.energy.size
    diagonal = np.zeros((2, *size), np.complex128)
    at = (0, np.arange(rows.size), rows)
    vacuum, refraction, same, conjugate = (diagonal.copy() for _ in range(4))
    vacuum[at] = -2j * system.energy[rows]
    refraction[at] = 4j * system.g * (system.p_hat[rows] @ system.j0)
    strength = -2j * system.g * system.n[rows, None] * system.weight
    eps = system.eps[rows].conj()
    same[0] = strength * (eps @ system.eps.T)
    conjugate[1] = strength * (eps @ system.eps.conj().T)
    filled = float(np.abs(system.weight) @ (system.rho + system.rhobar))
    largest = 4.0 * system.g * float(np.max(np.abs(system.n)) * np.max(np.abs(system.weight)))
    return [
        Term("vacuum", "2 E", vacuum, 2.0 * float(system.energy.max())),
        Term("refraction", "-4 g p_hat.J0", refraction, 4.0 * system.g * filled),
        Term("coupling", "2 g n w conj(eps).eps, to kappa", same, largest),
        Term("conjugate coupling", "2 g n w conj(eps).conj(eps), to conj(kappa)", conjugate, largest),
    ]


def rate_terms(system: System, kappa: Complex) -> dict[str, list[Term]]:
    """Terms of dkappa/dt (complex) and drho/dt (real) at a state, (N,) MeV; drhobar/dt equals drho/dt."""
    g, n = system.g, system.n
    of_kappa = np.asarray(2.0 * ((system.weight * kappa) @ system.eps).real)
    filled = float(np.abs(system.weight) @ (system.rho + system.rhobar))
    paired = 2.0 * float(np.abs(system.weight) @ np.abs(kappa))
    most, highest = float(np.max(np.abs(kappa))), float(np.max(np.abs(n)))
    across = [system.eps.conj() @ J for J in (system.j0, of_kappa)]
    along = [system.p_hat @ J for J in (system.j0, of_kappa)]
    return {
        "dkappa": [
            Term("vacuum", "2 E kappa", -2j * system.energy * kappa, 2.0 * float(system.energy.max()) * most),
            Term("refraction", "-4 g p_hat.J0 kappa", 4j * g * along[0] * kappa, 4.0 * g * filled * most),
            Term(
                "refraction by kappa",
                "-4 g p_hat.(J - J0) kappa",
                4j * g * along[1] * kappa,
                4.0 * g * paired * most,
            ),
            Term("drive", "2 g n conj(eps).J0", -2j * g * n * across[0], 4.0 * g * filled * highest),
            Term("coupling", "2 g n conj(eps).(J - J0)", -2j * g * n * across[1], 4.0 * g * paired * highest),
        ],
        "drho": [
            Term(
                "drive",
                "-4 g Im[conj(eps).J0 conj(kappa)]",
                -4.0 * g * (across[0] * kappa.conj()).imag,
                8.0 * g * filled * most,
            ),
            Term(
                "coupling",
                "-4 g Im[conj(eps).(J - J0) conj(kappa)]",
                -4.0 * g * (across[1] * kappa.conj()).imag,
                8.0 * g * paired * most,
            ),
        ],
    }
