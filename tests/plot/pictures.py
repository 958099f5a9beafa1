"""The pictures that the tests compare with reviewed ones.

``python -m tests.plot.pictures tests/baselines`` draws them anew; look at each before it is committed.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr

import pairsweep as ps
from pairsweep.plot import draw
from tests.datasets import evolution_sweep, growth_sweep

DPI = 60


@cache
def occupations() -> xr.Dataset:
    """Map over occupations for two grids and two couplings."""
    return growth_sweep(
        {
            "n_theta": [1, 2],
            "rho_high": np.linspace(0.3, 1.0, 15),
            "rho_low": np.linspace(0, 0.7, 15),
            "g": [1e-7, 1e-6],
        },
        {"n_phi": ("n_theta", [4, 8])},
    )


@cache
def couplings() -> xr.Dataset:
    """Stable, oscillating and static systems over coupling and occupation."""
    return growth_sweep({"rho_high": np.linspace(0.2, 1.0, 17), "g": np.geomspace(1e-5, 1e-2, 19)})


@cache
def ladders() -> xr.Dataset:
    """Number of energy bins for both cell volumes."""
    return growth_sweep({"n_energy": range(1, 8), "cell_volume": ["midpoint", "exact"]})


@cache
def bins_and_occupations() -> xr.Dataset:
    """Several energies, so that whole and single-energy crossing differ."""
    return growth_sweep(
        {"n_energy": range(1, 5), "rho_high": np.linspace(0.4, 1.0, 13), "rho_low": [0.0, 0.2]}
    )


@cache
def judged() -> xr.Dataset:
    """A map with every verdict, put in by hand, and pending points."""
    ds = occupations().isel(n_theta=0, g=1).copy(deep=True)
    unstable = ds["growth_rate"] > 0
    verdict = xr.where(unstable, 1, 0)
    verdict = xr.where(unstable & (ds["rho_high"] > 0.85), 2, verdict)
    verdict = xr.where(~unstable & (ds["rho_high"] < 0.4), 3, verdict)
    ds["verdict"] = (
        xr.where(unstable & (ds["rho_low"] > 0.6), 4, verdict).astype(np.int8).transpose(*unstable.dims)
    )
    pending = (ds["rho_high"] > 0.64) & (ds["rho_high"] < 0.76)
    ds["growth_rate"] = ds["growth_rate"].where(~pending)
    ds["status"] = ds["status"].where(~pending, 0)
    return ds


@cache
def runs() -> xr.Dataset:
    """Evolutions on one to four energy bins."""
    return evolution_sweep([1, 2, 3, 4])


@cache
def seeds() -> xr.Dataset:
    """Thirty runs that differ a little, along a seed."""
    rng = np.random.default_rng(0)
    one = runs().isel(n_energy=0, drop=True)
    ds = xr.concat([one.assign(kappa_mean=one["kappa_mean"] * f) for f in rng.lognormal(0, 0.5, 30)], "seed")
    return ds.assign_coords(seed=np.arange(30))


def _with_wave_numbers(n_energy: Any, **table: Any) -> xr.Dataset:
    tables: dict[str, Any] = {
        "analyses": ["growth", "inhomogeneous"],
        "grid": {"kind": "bins", "n_energy": n_energy, "n_theta": 1, "n_phi": 4, "energy_max": 20.0},
        "occupation": {"pattern": "quadrant", "rho_high": 0.9, "rho_low": 0.1},
        "coupling": {"g": 1e-6},
        "inhomogeneous": table,
    }
    return ps.run(tables, scheduler="serial", quiet=True)


@cache
def waves() -> xr.Dataset:
    """Modes across the occupied direction on one and five energy bins."""
    return _with_wave_numbers(
        [1, 5], k=np.linspace(0.0, 2.0, 11), k_theta=np.pi / 2, k_phi=0.75 * np.pi, modes=3
    )


@cache
def directions() -> xr.Dataset:
    """Modes of one wave number over its directions."""
    return _with_wave_numbers(5, k=1.37, k_theta=[0.2, 0.8, 1.5], k_phi=np.linspace(0.0, 6.0, 8))


DATASETS = {"evolution": runs, "conservation": runs, "k-polar": directions}
DATASETS |= dict.fromkeys(("growth-vs-k", "k-map", "dispersion"), waves)
ONE_LEFT = {"dispersion": {"select": {"n_energy": 5}}}

PICTURES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "growth_vs_epn": ("growth-vs-epn", occupations, {}),
    "growth_vs_epn_energies": ("growth-vs-epn", bins_and_occupations, {}),
    "growth_map": ("growth-map", occupations, {"select": {"g": 1e-6}}),
    "growth_map_verdicts": ("growth-map", judged, {}),
    "map": ("map", judged, {}),
    "histogram": ("histogram", occupations, {"hue": "n_theta"}),
    "evolution_seeds": ("evolution", seeds, {}),
    "growth_map_static": ("growth-map", couplings, {"x": "g"}),
    "growth_vs_bins": ("growth-vs-bins", ladders, {}),
    "growth_vs_coupling": ("growth-vs-bins", couplings, {"x": "g", "y": "g"}),
    "growth_vs": ("growth-vs", couplings, {"x": "1/g", "y": "frequency"}),
    "phase_diagram": ("phase-diagram", couplings, {}),
    "spectrum": ("spectrum", couplings, {}),
    "evolution": ("evolution", runs, {}),
    "evolution_parts": ("evolution", runs, {"select": {"n_energy": 3}}),
    "conservation_drift": ("conservation", runs, {}),
    "growth_vs_k": ("growth-vs-k", waves, {}),
    "k_map": ("k-map", waves, {}),
    "k_polar": ("k-polar", directions, {}),
    "dispersion": ("dispersion", waves, ONE_LEFT["dispersion"]),
    "conservation_spin": ("conservation", runs, {"select": {"n_energy": 1}}),
}


def minor_version() -> str:
    """Version of matplotlib, without the patch level: the next one sets letters a little differently."""
    return ".".join(mpl.__version__.split(".")[:2])


def write(name: str, path: Path) -> None:
    """Draw one of the pictures, small."""
    kind, dataset, options = PICTURES[name]
    draw(kind, dataset(), **options).savefig(path, dpi=DPI, metadata={"Software": None})


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "matplotlib.txt").write_text(f"{minor_version()}\n", encoding="utf-8")
    for name in PICTURES:
        write(name, folder / f"{name}.png")
        print(folder / f"{name}.png")
