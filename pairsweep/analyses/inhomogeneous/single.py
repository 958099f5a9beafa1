"""`ps.inhomogeneous`: modes with a wave vector of one system, labelled as in a sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairsweep.analyses.inhomogeneous.analysis import INHOMOGENEOUS
from pairsweep.analyses.inhomogeneous.directions import angles_of
from pairsweep.analyses.inhomogeneous.occupations import (
    FunctionOccupations,
    Occupations,
    PairOccupations,
    evaluated,
)
from pairsweep.analyses.inhomogeneous.search import largest_growth
from pairsweep.analyses.inhomogeneous.solver import Inhomogeneous, Medium, wave_number_fault
from pairsweep.kernels.compiling import announced
from pairsweep.physics.arguments import checked_coupling, checked_grid, checked_occupations
from pairsweep.physics.grid import Floats, Grid

if TYPE_CHECKING:
    import xarray as xr

# All modes are eigenvalues of a dense matrix of as many rows as there are poles.
MOST_POLES = 8192


@announced()
def inhomogeneous(
    grid: Grid,
    occupation: Callable[[Floats, Floats, Floats], tuple[ArrayLike, ArrayLike]] | tuple[ArrayLike, ArrayLike],
    *,
    g: float,
    k: ArrayLike | None = None,
    families: str = "pair",
    background: str = "shift",
    vacuum: str = "grid",
    growth_tolerance: float | None = None,
    all_modes: bool = False,
) -> xr.Dataset:
    """Growth of modes exp(i k.x - i omega t) of one system, with every unstable omega.

    Parameters
    ----------
    grid : Grid
        The pairs, from ``ps.bins``, ``ps.cells`` or ``ps.beams``: centres p of the momenta p + k/2 and p - k/2.
    occupation : callable, or (rho, rhobar)
        f(energy, theta, phi) -> (rho, rhobar), arrays of one length, MeV and radians (phi from 0 to 2 pi); rhobar in
        the label of its pair, i.e. of the antineutrino of opposite momentum. It is called off the grid and above its
        ``energy_max``. For beams the two arrays (N,): their occupations belong to the pairs.
    g : float
        Coupling, MeV^-2.
    k : (3,) or (K, 3), optional
        Wave vectors, MeV. Left out, the largest growth over all of them is searched.
    families : {"pair", "all"}
        Pairs and their conjugates (the Letter's M at k = 0), or the intraband response too.
    background : {"shift", "kinetic"}
        Refraction at first order, as the Letter's M, or occupations of kinetic momentum, where there is none.
    vacuum : {"grid", "subtracted"}
        With or without the constant that belongs to the cutoff.
    growth_tolerance : float, optional
        Smallest growth that counts, as a fraction of the coupling 2 g sum w abs(F); 1e-6 unless given, or more where
        rounding hides that much.
    all_modes : bool
        Add ``omega``: every mode, stable ones too, by dense eigenvalues. At couplings far below the Letter's these
        cannot tell growth from rounding; the unstable modes can.

    Returns
    -------
    xarray.Dataset
        ``inhomogeneous_growth_rate`` (MeV, 0 where stable), ``inhomogeneous_frequency``, ``inhomogeneous_n_unstable``,
        ``inhomogeneous_ceiling`` and ``inhomogeneous_verdict``; ``omega_unstable`` (wave_mode), complex, MeV, fastest
        first and NaN beyond the last; coordinates ``kx``, ``ky``, ``kz`` along ``wave_vector`` where k has rows. A
        search adds ``k_of_largest``, its angles, and the step of its scan.

    Raises
    ------
    ValueError
        For occupations outside [0, 1] or that cannot be evaluated off the grid, a g that is not positive, wave numbers
        that are not finite or above 2 energy_max, a k/2 that is a momentum of the grid, unknown options, or more
        modes than dense eigenvalues can hold.
    RuntimeError
        Where no growth can be vouched for.

    Notes
    -----
    det W(omega, k) = 0 with W = eta - 2 g sum w F v v^dagger/(omega - P); docs/inhomogeneous.md has the derivation.
    """
    import xarray as xr

    g = checked_coupling(checked_grid(grid), g)
    medium = Medium(families, background, vacuum)
    system = Inhomogeneous(grid, _occupations(grid, occupation), np.array([g]), medium, growth_tolerance)
    extra: dict[str, float] = {}
    if k is None:
        largest = largest_growth(system)
        names = ("k_of_largest", "k_theta_of_largest", "k_phi_of_largest")
        extra = dict(zip(names, angles_of(largest.k), strict=True))
        extra |= {
            "inhomogeneous_unstable_share": largest.unstable_share,
            "inhomogeneous_k_step": largest.step,
        }
        vectors, many = np.nan_to_num(largest.k)[None], False
    else:
        try:
            vectors = np.array(k, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"k = {k!r}: give a wave vector (3,), or many (K, 3), in MeV") from None
        many = vectors.ndim == 2
        vectors = _checked_vectors(np.atleast_2d(vectors), system.energy_max)
    rows = np.zeros(len(vectors), dtype=np.intp)
    found = system.solve(rows, vectors, 2 * 4 * grid.size)
    if found.failures:
        point, failure = next(iter(found.failures.items()))
        raise (ValueError if point in found.unusable else RuntimeError)(failure.reason)
    dims = ("wave_vector",) if many else ()
    variables = {variable.name: variable for variable in INHOMOGENEOUS.variables}

    def placed(values: NDArray[Any]) -> NDArray[Any]:
        return values if many else values[0]

    data = {
        name: xr.Variable(dims, placed(values), variables[name].attrs)
        for name, values in found.arrays.items()
    }
    data |= {name: xr.Variable((), value, variables[name].attrs) for name, value in extra.items()}
    most = max(1, int(found.arrays["inhomogeneous_n_unstable"].max()))
    unstable = np.where(found.modes[:, :most].imag > 0.0, found.modes[:, :most], np.nan)
    meaning = {"long_name": "every unstable omega, fastest first", "units": "MeV"}
    data["omega_unstable"] = xr.Variable((*dims, "wave_mode"), placed(unstable), meaning)
    if all_modes:
        data["omega"] = _every_mode(system, vectors, dims, placed)
    coords: dict[str, Any] = {
        name: xr.Variable(
            dims, placed(vectors[:, i]), {"long_name": f"{name[1]} component of k", "units": "MeV"}
        )
        for i, name in enumerate(("kx", "ky", "kz"))
    }
    return xr.Dataset(data, coords=coords | {"g": g})


def _occupations(grid: Grid, occupation: Any) -> Occupations:
    if callable(occupation):
        phi = np.mod(grid.phi, 2 * np.pi)
        pair, fault = evaluated(occupation, grid.energy, grid.theta, phi)
        if fault is not None:
            raise ValueError(fault.reason)
        return FunctionOccupations((occupation,), pair[0][None], pair[1][None])
    if grid.kind != "beams":
        raise ValueError(
            "occupation: bins need a function of momentum, f(energy, theta, phi) -> (rho, rhobar): it is evaluated at "
            "p + k/2 and p - k/2, off the grid"
        )
    rho, rhobar = checked_occupations(grid, *occupation)
    return PairOccupations(rho[None], rhobar[None])


def _checked_vectors(vectors: Floats, energy_max: float) -> Floats:
    if vectors.ndim != 2 or vectors.shape[1] != 3:
        raise ValueError(f"k has shape {vectors.shape}: give wave vectors of three components, MeV")
    for length in np.linalg.norm(vectors, axis=1):
        fault = wave_number_fault(float(length), energy_max)
        if fault is not None:
            raise ValueError(fault)
    return vectors


def _every_mode(
    system: Inhomogeneous,
    vectors: Floats,
    dims: tuple[str, ...],
    placed: Callable[[NDArray[Any]], NDArray[Any]],
) -> xr.Variable:
    import xarray as xr

    # with all families every beam stands for three centres
    beams = isinstance(system.occupations, PairOccupations)
    poles = system.grid.size * (2 if system.medium.families == "pair" else 12 if beams else 4)
    if poles > MOST_POLES:
        raise ValueError(
            f"all_modes: eigenvalues of a matrix of {poles} rows take too long and too much memory: leave it out, or "
            "take a smaller grid"
        )
    found = [system.dense_modes(0, k) for k in vectors]
    longest = max(modes.size for modes in found)
    values = np.full((len(found), longest), np.nan, dtype=np.complex128)
    for row, modes in zip(values, found, strict=True):
        row[: modes.size] = modes[np.argsort(modes.real)]
    meaning = {"long_name": "every omega, ascending in its real part", "units": "MeV"}
    return xr.Variable((*dims, "every_mode"), placed(values), meaning)
