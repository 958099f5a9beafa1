"""Datasets of the contract made without the engine: dense eigenvalues point by point, curves by formula.

They are the slow twin that reading and picturing are tested on; the real engine has its own tests.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from pairsweep.analyses.evolution.analysis import TIME_IN_MU
from pairsweep.analyses.growth.analysis import GROWTH
from pairsweep.analyses.growth.kernels.dense import stability_matrix
from pairsweep.analyses.registry import labels, variables
from pairsweep.contract.variables import COMPONENTS, QUADRANTS, STATUS
from pairsweep.physics.grid import Grid, bins
from pairsweep.physics.patterns.quadrant import quadrant

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
        for name, variable in (("status", STATUS), *((v.name, v) for v in GROWTH.variables))
        if not variable.trailing and not variable.condition
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


def pulses(time: np.ndarray, rate: float, start: float = 1e-3) -> np.ndarray:
    """A bipolar oscillation of height 0.5 that grows at ``rate`` from ``start`` on; flat for rate 0."""
    if rate == 0:
        return np.full(time.shape, start)
    first = np.log(2 * 0.5 / start) / rate
    centre = first * (1 + 2 * np.round((time - first) / (2 * first)))
    return 0.5 / np.cosh(rate * (time - centre))


def evolution_sweep(n_energies: list[int], t_end_mu: float = 14.0, samples: int = 141) -> xr.Dataset:
    """Growth of the Letter's set-up on (N_E, 1, 4) and curves by formula that grow at just that rate.

    Time is in units of 1/mu'. The highest bin carries the mode, the others stay quiet.
    """
    ds = growth_sweep({"n_energy": n_energies})
    mu = 1e-6 * 20.0**3
    time, most = np.linspace(0.0, t_end_mu, samples), max(n_energies)
    shape = (len(n_energies), samples)
    energy = np.full((len(n_energies), most), np.nan)
    kappa_energy = np.full((*shape, most), np.nan)
    for i, n_energy in enumerate(n_energies):
        energy[i, :n_energy] = bins(n_energy, 1, 4).bin_energy
        kappa_energy[i, :, :n_energy] = 1e-3
        kappa_energy[i, :, n_energy - 1] = pulses(time, float(ds["growth_rate"][i]) / mu)
    kappa = np.nanmean(kappa_energy, axis=2)
    moved = 2.4 * kappa[..., None] ** 2
    rho = np.array([0.9, 0.1, 0.1, 0.1]) + moved * np.array([-1.0, 0.3, 0.4, 0.3])
    spin = 1000.0 * np.stack([-1 + moved[..., 0], -1 + moved[..., 0], 0 * kappa], axis=-1)
    beat = 3000.0 * kappa[..., None] * np.cos(20 * time[:, None] + np.array([0.0, 1.0, 2.0]))
    curves = {
        "kappa_mean": kappa,
        "kappa_energy": kappa_energy,
        "kappa_quadrant": kappa[..., None] * np.array([1.5, 1.0, 0.5, 1.0]),
        "rho_quadrant": rho,
        "rhobar_quadrant": rho,
        "spin_occupation": spin,
        "spin_pairing": beat,
        "energy_drift": 1e-9 * np.arange(1.0, len(n_energies) + 1),
        "norm_drift": np.full(len(n_energies), 0.0),
    }
    for name, values in curves.items():
        ds[name] = (("n_energy", *variables()[name].trailing), values, variables()[name].attrs)
    return ds.assign_coords(
        time=("time", time, TIME_IN_MU.attrs),
        time_mev=("time", time / mu, labels()["time_mev"].attrs),
        energy=(("n_energy", "energy_bin"), energy, labels()["energy"].attrs),
        quadrant=("quadrant", list(QUADRANTS)),
        component=("component", list(COMPONENTS)),
    )


def label(
    arrays: Mapping[str, np.ndarray],
    axes: Mapping[str, Any],
    zipped: Mapping[str, tuple[str, Any]],
    scalars: Mapping[str, Any],
    trailing: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Dress arrays with the dimensions, coordinates and declared attributes."""
    coords: dict[str, Any] = {name: ((name,), np.asarray(values)) for name, values in axes.items()}
    coords |= {name: ((dim,), np.asarray(values)) for name, (dim, values) in zipped.items()}
    coords |= dict(scalars)
    coords |= {name: ((name,), np.asarray(values)) for name, values in (trailing or {}).items()}
    ds = xr.Dataset(
        {
            name: ((*axes, *variables()[name].trailing), values, variables()[name].attrs)
            for name, values in arrays.items()
        },
        coords=coords,
        attrs={"title": "A sweep of the tests"},
    )
    for name in ds.coords:
        known = labels().get(str(name))
        ds[name].attrs.update(known.attrs if known else {"units": UNITS.get(str(name), "1")})
    return ds
