"""Datasets of the contract made without the engine: dense eigenvalues point by point, curves by formula.

They are the slow twin that reading and picturing are tested on; the real engine has its own tests.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

from pairsweep import vocab
from pairsweep.grid import Grid, bins
from pairsweep.kernels.rhs import right_hand_side
from pairsweep.kernels.stability import stability_matrix
from pairsweep.occupation import quadrant

UNITS = {"g": "MeV^-2", "energy_max": "MeV"}


def dense_growth(grid: Grid, n: np.ndarray, g: float) -> dict[str, float]:
    """Growth variables of one system from all eigenvalues of the dense M."""
    matrix = np.empty((2 * grid.size, 2 * grid.size))
    stability_matrix(grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, n, g, matrix)
    values = np.linalg.eigvals(matrix)
    tolerance = 1e-6 * 4 * g * np.sum(grid.weight)
    unstable = values[values.real > tolerance]
    fastest = unstable[np.argmax(unstable.real)] if unstable.size else 0.0
    plus, minus = (np.bincount(grid.energy_bin, grid.weight * np.maximum(s * n, 0.0)) for s in (1, -1))
    return {
        "growth_rate": float(np.real(fastest)),
        "frequency": abs(float(np.imag(fastest))),
        "n_unstable": unstable.size,
        "mode_kind": 0 if not unstable.size else (2 if abs(np.imag(fastest)) < tolerance else 1),
        "epn_crossing_strength": float(np.sqrt(plus.sum() * minus.sum())),
        "epn_crossing_strength_bin": float(np.sqrt(plus * minus).max()),
        "epn_crossing_depth": float(min(plus.sum(), minus.sum()) / max(plus.sum(), minus.sum(), 1e-300)),
        "anisotropy": float(
            np.linalg.norm((grid.weight * n) @ grid.p_hat) / max(np.sum(grid.weight * np.abs(n)), 1e-300)
        ),
    }


def growth_sweep(
    axes: Mapping[str, Any], zipped: Mapping[str, tuple[str, Any]] | None = None, **fixed: Any
) -> xr.Dataset:
    """Growth of the quadrant pattern over any axes; ``zipped``: coordinate -> (its axis, values)."""
    zipped = dict(zipped or {})
    defaults = {"n_energy": 1, "n_theta": 1, "n_phi": 4, "energy_max": 20.0, "cell_volume": "midpoint"}
    scalars = {**defaults, "rho_high": 0.9, "rho_low": 0.1, "g": 1e-6, **fixed}
    shape = tuple(len(values) for values in axes.values())
    arrays = {
        name: np.zeros(shape, dtype=variable.dtype)
        for name, variable in vocab.VARIABLES.items()
        if variable.analysis in ("", "growth") and not variable.trailing
    }
    arrays["status"][...] = 1
    for index in itertools.product(*map(range, shape)):
        point = {
            **scalars,
            **{name: values[i] for (name, values), i in zip(axes.items(), index, strict=True)},
        }
        position = dict(zip(axes, index, strict=True))
        point |= {name: values[position[dim]] for name, (dim, values) in zipped.items()}
        grid = bins(
            *(int(point[k]) for k in ("n_energy", "n_theta", "n_phi")),
            point["energy_max"],
            point["cell_volume"],
        )
        rho, rhobar = quadrant(grid, point["rho_high"], point["rho_low"])
        for name, value in dense_growth(grid, rho + rhobar - 1.0, float(point["g"])).items():
            arrays[name][index] = value
    return label(
        arrays, axes, zipped, {k: v for k, v in scalars.items() if k not in axes and k not in zipped}
    )


def run_curves(
    grid: Grid, rho: np.ndarray, g: float, times: np.ndarray, seed: int = 0
) -> dict[str, np.ndarray]:
    """Evolution variables of one system with rhobar = rho, by a general integrator on the right-hand side."""
    vectors = grid.p_hat, grid.theta_hat, grid.phi_hat
    pairs = grid.size
    drho, dkappa = np.empty(pairs), np.empty(pairs, dtype=np.complex128)

    def slope(_: float, state: np.ndarray) -> np.ndarray:
        kappa = state[pairs : 2 * pairs] + 1j * state[2 * pairs :]
        right_hand_side(
            grid.energy, grid.weight, *vectors, g, state[:pairs], state[:pairs], kappa, drho, dkappa
        )
        return np.concatenate([drho, dkappa.real, dkappa.imag])

    random = np.random.default_rng(seed)
    start = np.concatenate([rho, 1e-5 * random.random(pairs), 1e-5 * random.random(pairs)])
    run = solve_ivp(slope, (0.0, times[-1]), start, "DOP853", times, rtol=1e-9, atol=1e-12)
    rho_t, kappa = run.y[:pairs], run.y[pairs : 2 * pairs] + 1j * run.y[2 * pairs :]
    quadrants = np.stack([grid.quadrant == q for q in range(4)])
    bins_of = np.stack([grid.energy_bin == i for i in range(grid.bin_energy.size)])
    mean = {
        "quadrant": quadrants / quadrants.sum(1, keepdims=True),
        "energy": bins_of / bins_of.sum(1, keepdims=True),
    }
    weight = grid.weight[:, None]
    norms = np.sqrt((2 * rho_t - 1) ** 2 + 4 * np.abs(kappa) ** 2)
    return {
        "kappa_mean": np.abs(kappa).mean(0),
        "kappa_energy": (mean["energy"] @ np.abs(kappa)).T,
        "kappa_quadrant": (mean["quadrant"] @ np.abs(kappa)).T,
        "rho_quadrant": (mean["quadrant"] @ rho_t).T,
        "rhobar_quadrant": (mean["quadrant"] @ rho_t).T,
        "spin_occupation": -0.5 * np.einsum("pt,pk->tk", weight * 2 * rho_t, grid.p_hat),
        "spin_pairing": -0.5
        * (np.einsum("pt,pk->tk", weight * 2 * kappa.real, grid.theta_hat)
           + np.einsum("pt,pk->tk", weight * 2 * kappa.imag, grid.phi_hat)),
        "energy_drift": np.array(1e-9),
        "norm_drift": np.abs(norms - norms[:, :1]).max(),
    }  # fmt: skip


def evolution_sweep(
    n_energies: list[int], t_end_mu: float = 12.0, g: float = 1e-4, samples: int = 241
) -> xr.Dataset:
    """Growth and evolution of the Letter's quadrant pattern on (N_E, 1, 4), time in units of 1/mu'."""
    ds = growth_sweep({"n_energy": n_energies}, g=g)
    mu = g * 20.0**3
    times = np.linspace(0.0, t_end_mu, samples)
    most = max(n_energies)
    curves: dict[str, list[np.ndarray]] = {}
    energy = np.full((len(n_energies), most), np.nan)
    for i, n_energy in enumerate(n_energies):
        grid = bins(n_energy, 1, 4)
        energy[i, :n_energy] = grid.bin_energy
        for name, values in run_curves(grid, quadrant(grid, 0.9, 0.1)[0], g, times / mu).items():
            if name == "kappa_energy":
                values = np.pad(values, ((0, 0), (0, most - n_energy)), constant_values=np.nan)
            curves.setdefault(name, []).append(values)
    for name, values in curves.items():
        known = vocab.VARIABLES[name]
        ds[name] = (("n_energy", *known.trailing), np.array(values), known.attrs)
    return ds.assign_coords(
        time=("time", times, vocab.TIME_IN_MU.attrs),
        time_mev=("time", times / mu, vocab.LABELS["time_mev"].attrs),
        energy=(("n_energy", "energy_bin"), energy, vocab.LABELS["energy"].attrs),
        quadrant=("quadrant", list(vocab.QUADRANTS)),
        component=("component", list(vocab.COMPONENTS)),
    )


def label(
    arrays: Mapping[str, np.ndarray],
    axes: Mapping[str, Any],
    zipped: Mapping[str, tuple[str, Any]],
    scalars: Mapping[str, Any],
    trailing: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Dress arrays with the dimensions, coordinates and attributes of the vocabulary."""
    coords: dict[str, Any] = {name: ((name,), np.asarray(values)) for name, values in axes.items()}
    coords |= {name: ((dim,), np.asarray(values)) for name, (dim, values) in zipped.items()}
    coords |= dict(scalars)
    coords |= {name: ((name,), np.asarray(values)) for name, values in (trailing or {}).items()}
    ds = xr.Dataset(
        {
            name: ((*axes, *vocab.VARIABLES[name].trailing), values, vocab.VARIABLES[name].attrs)
            for name, values in arrays.items()
        },
        coords=coords,
        attrs={"title": "A sweep of the tests"},
    )
    for name in ds.coords:
        known = vocab.LABELS.get(str(name))
        ds[name].attrs.update(known.attrs if known else {"units": UNITS.get(str(name), "1")})
    return ds
