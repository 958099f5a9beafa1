"""`ps.modes`: eigenvalues of the linearised equation with right and left vectors, and a run projected onto them.

With x = (kappa, conj(kappa)) the equation is dx/dt = A (x - x_forced). For one eigenvalue lambda and its right and left
vectors (u, v) and (a, b),

    u_q = -i 2 g n_q (conj(eps_q).J)/(lambda + i Omega_q),     v_q = i 2 g n_q (eps_q.J)/(lambda - i Omega_q),
    a_q = w_q (eps_q.Y)/(lambda + i Omega_q),                  b_q = w_q (conj(eps_q).Y)/(lambda - i Omega_q),

where J and Y span the right and the left null space of one 3 x 3 matrix (W of ``kernels.dispersion`` at omega =
i lambda): so vectors cost O(N) once the eigenvalue is known. x_forced is where J0 pulls kappa: kappa_q = -2 g n_q
(conj(eps_q).J)/Omega_q with J = [1 - D(0)]^-1 J0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairsweep.analyses.growth.dense import blas, coupling_of, dense_floor, matrices_of
from pairsweep.analyses.growth.kernels.general.modes import (
    ModeTable,
    Status,
    mode_table,
    tolerance_floor,
    unstable_modes,
)
from pairsweep.analyses.growth.kernels.general.shares import dispersion_matrix
from pairsweep.analyses.growth.solver import DENSE_PAIRS, GROWTH_TOLERANCE
from pairsweep.contract.variables import GRID_LABELS
from pairsweep.contract.waiting import interruptible
from pairsweep.kernels.compiling import announced
from pairsweep.kernels.coupling import oscillators
from pairsweep.physics.arguments import checked_coupling, checked_grid, checked_occupations
from pairsweep.physics.grid import Floats, Grid

if TYPE_CHECKING:
    import xarray as xr

Complex = NDArray[np.complex128]

SPECTRA = ("all", "unstable")
# All eigenvalues are the default up to here: half a second, 2N vectors of 2N numbers.
ALL_PAIRS = 256
# Singular values below this fraction of the largest count as 0.
NULL = 1e-6


@announced()
@interruptible
def modes(
    grid: Grid, rho: ArrayLike, rhobar: ArrayLike | None = None, *, g: float, spectrum: str | None = None
) -> xr.Dataset:
    """Eigenvalues of the linearised equation of one system, with right and left vectors, fastest first.

    Parameters
    ----------
    grid : Grid
        The pairs, from ``ps.bins``, ``ps.cells`` or ``ps.beams``.
    rho, rhobar : (N,), (n_energy, n_theta, n_phi) or one number
        Occupations of the neutrinos of momentum p and of their partners, the antineutrinos of momentum -p; ``rhobar``
        defaults to ``rho``.
    g : float
        Coupling, MeV^-2.
    spectrum : {"all", "unstable"}, optional
        All 2N eigenvalues, by LAPACK, or those that grow, certified, at O(N) each (up to 1024 pairs by LAPACK where
        there is no certificate). Unless given "all" up to 256 pairs.

    Returns
    -------
    xarray.Dataset
        Along ``mode`` the complex ``eigenvalue`` (MeV) with its ``growth_rate`` and ``frequency`` (Re, -Im: kappa turns
        as exp(-i frequency t)); along ``mode`` and ``pair`` the right vector, ``right`` for kappa and
        ``right_conjugate`` for conj(kappa), of length 1, and the left one, ``left`` and ``left_conjugate``, with
        left.right = 1 for the same mode and 0 for others; along ``pair`` the ``forced`` kappa that J0 holds. Below
        ``growth_floor`` (MeV) a growth rate is rounding ("all"), or left out ("unstable").

    Raises
    ------
    ValueError
        For unusable occupations or coupling, an unknown spectrum.
    RuntimeError
        Where more than 1024 pairs have no certificate, or the eigenvectors do not span the space.

    Notes
    -----
    The Letter's Eqs. 12-14 (arXiv:2604.25687). ``ps.project`` gives the amplitudes of a run.
    """
    import xarray as xr

    rho, rhobar = checked_occupations(checked_grid(grid), rho, rhobar)
    g = checked_coupling(grid, g)
    n = rho + rhobar - 1.0
    if spectrum is None:
        spectrum = "all" if grid.size <= ALL_PAIRS else "unstable"
    if spectrum not in SPECTRA:
        raise ValueError(f"spectrum = {spectrum!r}: choose one of {', '.join(SPECTRA)}")
    eigenvalues, right, left, floor = (_all_modes if spectrum == "all" else _unstable_modes)(grid, n, g)
    order = np.lexsort((eigenvalues.imag, -np.abs(eigenvalues.imag), -eigenvalues.real))
    eigenvalues, right, left = eigenvalues[order], right[order], left[order]
    of_pairs = ("mode", "pair")
    size = grid.size
    data = {
        "eigenvalue": ("mode", eigenvalues, _attrs("eigenvalue lambda", "MeV")),
        "growth_rate": ("mode", eigenvalues.real, _attrs("growth rate Re(lambda)", "MeV")),
        "frequency": ("mode", -eigenvalues.imag, _attrs("frequency -Im(lambda)", "MeV")),
        "right": (of_pairs, right[:, :size], _attrs("right vector, kappa")),
        "right_conjugate": (of_pairs, right[:, size:], _attrs("right vector, conj(kappa)")),
        "left": (of_pairs, left[:, :size], _attrs("left vector, kappa")),
        "left_conjugate": (of_pairs, left[:, size:], _attrs("left vector, conj(kappa)")),
        "forced": ("pair", forced_kappa(grid, n, g), _attrs("stationary kappa that J0 holds")),
        "growth_floor": ((), floor, _attrs("growth that is told from rounding", "MeV")),
    }
    coords: dict[str, Any] = {
        f"pair_{name}": ("pair", getattr(grid, name), GRID_LABELS[name].attrs)
        for name in ("energy", "theta", "phi")
    }
    return xr.Dataset(data, coords | {"g": g}, {"spectrum": spectrum})


def project(modes: xr.Dataset, kappa: xr.Dataset | xr.DataArray | ArrayLike) -> xr.DataArray:
    """Amplitudes of the modes in kappa: each grows as exp(lambda t) while kappa is small.

    Parameters
    ----------
    modes : Dataset
        From `modes`.
    kappa : DataArray over ``pair`` and any others, or array (..., N), complex
        Such as ``kappa`` of ``ps.evolve(..., keep="pairs")``, or that run itself.

    Returns
    -------
    DataArray
        Complex, over the other dimensions of ``kappa`` and ``mode``: left.(kappa - forced) of each mode.

    Raises
    ------
    ValueError
        Where ``modes`` are none, or ``kappa`` has another number of pairs or none.
    """
    import xarray as xr

    if not isinstance(modes, xr.Dataset) or "left" not in modes:
        raise ValueError("modes: give what ps.modes has returned")
    if isinstance(kappa, xr.Dataset):
        if "kappa" not in kappa:
            raise ValueError('kappa: this run has no pairs: give one of ps.evolve(..., keep="pairs")')
        kappa = kappa["kappa"]
    if not isinstance(kappa, xr.DataArray):
        values = np.asarray(kappa, dtype=np.complex128)
        kappa = xr.DataArray(values, dims=(*(f"dim_{i}" for i in range(values.ndim - 1)), "pair"))
    pairs = kappa.sizes.get("pair", 0)
    if pairs != modes.sizes["pair"]:
        raise ValueError(f"kappa has {pairs} pairs, the modes {modes.sizes['pair']}: give both of one grid")
    away = kappa.drop_vars([name for name in kappa.coords if kappa[name].dims == ("pair",)]) - modes["forced"]
    found = (modes["left"] * away).sum("pair") + (modes["left_conjugate"] * away.conj()).sum("pair")
    attrs = _attrs("amplitude of the mode")
    return found.transpose(..., "mode").rename("amplitude").assign_attrs(attrs)


def _attrs(meaning: str, units: str = "1") -> dict[str, str]:
    return {"long_name": meaning, "units": units}


def _all_modes(grid: Grid, n: Floats, g: float) -> tuple[Complex, Complex, Complex, float]:
    """All eigenvalues of M, (2N,), right and left vectors in the rows of (2N, 2N), and their floor."""
    size = grid.size
    matrix = matrices_of(grid, n[None], np.array([g]))[0]
    with blas().limit(limits=1, user_api="blas"):
        eigenvalues, vectors = np.linalg.eig(matrix)
        try:
            dual = np.linalg.inv(vectors.astype(np.complex128))
        except np.linalg.LinAlgError:
            raise RuntimeError(
                "the eigenvectors do not span the space: two modes coincide at a threshold: change g a little"
            ) from None
    # from (Re kappa, Im kappa) to (kappa, conj(kappa))
    re, im = vectors[:size].T, vectors[size:].T
    right = np.concatenate([re + 1j * im, re - 1j * im], axis=1)
    left = 0.5 * np.concatenate(
        [dual[:, :size] - 1j * dual[:, size:], dual[:, :size] + 1j * dual[:, size:]], axis=1
    )
    length = np.linalg.norm(right, axis=1)[:, None]
    floor = float(dense_floor(grid, n[None], np.array([g]))[0])
    return eigenvalues.astype(np.complex128), right / length, left * length, floor


def _unstable_modes(grid: Grid, n: Floats, g: float) -> tuple[Complex, Complex, Complex, float]:
    """Unstable modes, certified, both of a conjugate pair; vectors as in ``_all_modes``."""
    size = grid.size
    coupling = float(coupling_of(grid, n[None], np.array([g]))[0])
    scale = float(coupling_of(grid, n[None] + 1.0, np.array([g]))[0])
    floor = max(GROWTH_TOLERANCE * coupling, (1.0 + 1e-9) * float(tolerance_floor(coupling, scale)))
    table = mode_table(2 * size)
    frame = (grid.energy, grid.weight, grid.p_hat)
    status, count, seen = unstable_modes(*frame, n, g, floor, table)
    if status != Status.CERTIFIED:
        if size > DENSE_PAIRS:
            raise RuntimeError(f"{Status(status).text} ({seen}), and {size} pairs are too many for LAPACK")
        eigenvalues, right, left, floor = _all_modes(grid, n, g)
        grows = eigenvalues.real > floor
        return eigenvalues[grows], right[grows], left[grows], floor
    base, offset, strength = np.empty((3, size))
    oscillators(*frame, n, g, base, offset, strength)
    found: list[tuple[complex, Complex, Complex]] = []
    for i in range(count):
        found += _vectors(grid, n, g, (base, offset, strength), table, i)
    if not found:
        return np.empty(0, np.complex128), *np.empty((2, 0, 2 * size), np.complex128), floor
    eigenvalues, right, left = (np.array(part) for part in zip(*found, strict=True))
    return eigenvalues, right, left, floor


def _vectors(
    grid: Grid, n: Floats, g: float, poles: tuple[Floats, Floats, Floats], table: ModeTable, i: int
) -> list[tuple[complex, Complex, Complex]]:
    """Eigenvalue, right and left vector of mode ``i`` and, if it turns, of its conjugate."""
    base, offset, strength = poles
    rate, reference, position = table.rates[i], table.references[i], table.positions[i]
    W = np.empty((3, 3), np.complex128)
    dispersion_matrix(base, offset, strength, grid.p_hat, reference, complex(position, rate), W)
    columns, values, rows = np.linalg.svd(W)
    dimension = max(1, min(int(table.multiplicities[i]), int(np.sum(values <= NULL * max(values[0], 1.0)))))
    J, Y = rows[3 - dimension :].conj(), columns[:, 3 - dimension :].T.conj()
    # lambda + i Omega and lambda - i Omega with lambda = rate - i omega
    below = rate + 1j * ((base - reference) + (offset - position))
    above = rate - 1j * ((base + reference) + (offset + position))
    eps = grid.theta_hat - 1j * grid.phi_hat
    right = np.concatenate([-1j * n * (J @ eps.conj().T) / below, 1j * n * (J @ eps.T) / above], axis=1)
    left = np.concatenate(
        [grid.weight * (Y @ eps.T) / below, grid.weight * (Y @ eps.conj().T) / above], axis=1
    )
    right /= np.linalg.norm(right, axis=1)[:, None]
    left = (
        np.linalg.solve((left @ right.T).T, left) if dimension == 1 else np.linalg.inv(left @ right.T) @ left
    )
    omega = reference + position
    eigenvalue = complex(rate, -omega)
    one = [(eigenvalue, right[k], left[k]) for k in range(dimension)]
    if omega == 0.0:
        return one
    half = grid.size
    swapped = [np.roll(vectors.conj(), half, axis=1) for vectors in (right, left)]
    return one + [(eigenvalue.conjugate(), swapped[0][k], swapped[1][k]) for k in range(dimension)]


def forced_kappa(grid: Grid, n: Floats, g: float) -> Complex:
    """Stationary kappa of the linearised equation, (N,); NaN where a pair that couples has Omega = 0."""
    base, offset, strength = np.empty((3, grid.size))
    oscillators(grid.energy, grid.weight, grid.p_hat, n, g, base, offset, strength)
    with np.errstate(divide="ignore", invalid="ignore"):
        response = np.where(strength != 0.0, -2.0 * g * n / (base + offset), 0.0)
    theta_hat, phi_hat, p_hat = grid.theta_hat, grid.phi_hat, grid.p_hat
    J0 = np.array([math.fsum(grid.weight * p_hat[:, k] * (n + 1.0)) for k in range(3)])
    transverse = theta_hat[:, :, None] * theta_hat[:, None] + phi_hat[:, :, None] * phi_hat[:, None]
    D0 = np.einsum("q,qij->ij", 2.0 * grid.weight * response, transverse)
    if not np.isfinite(D0).all():
        return np.full(grid.size, np.nan + 0j)
    J = np.linalg.solve(np.eye(3) - D0, J0)
    return np.asarray(response * (theta_hat @ J + 1j * (phi_hat @ J)), dtype=np.complex128)
