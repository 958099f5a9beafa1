"""The continuum of cells and of tables: steps at the edges of a file, means over cells of directions, failures."""

import numpy as np
import pytest
import xarray as xr

import pairsweep as ps
from pairsweep.analyses.continuum.analysis import ContinuumOptions, Verdict
from pairsweep.analyses.continuum.solver import solve
from pairsweep.analyses.growth.analysis import GrowthOptions
from pairsweep.physics.grid import cells
from pairsweep.physics.patterns.energy_band import energy_band
from pairsweep.points.axes import expand
from pairsweep.points.systems import profile_at, systems_at
from pairsweep.spec.reader import read_spec

EDGES = (
    np.array([0.0, 3.0, 6.0, 9.0, 14.0, 16.0, 20.0]),
    np.array([-1.0, 0.2, 1.0]),
    np.linspace(0.0, 2.0 * np.pi, 5),
)
FORWARD = np.array([-1.0, 0.1, 0.7, 0.9, 1.0])  # cells of a file that are not symmetric about 0
COMPARED = ("growth_rate", "verdict", "continuum_growth_rate", "continuum_frequency", "cutoff_shift")


def write(folder, rho, rhobar, edges=EDGES):
    """Write occupations (radius, energy, cos_theta, phi) as a zarr store and return its path."""
    names = ("energy", "cos_theta", "phi")
    centres = {name: (name, 0.5 * (e[1:] + e[:-1])) for name, e in zip(names, edges, strict=True)}
    ds = xr.Dataset(
        {"rho": (("radius", *names), rho), "rhobar": (("radius", *names), rhobar)}, coords=centres
    )
    for name, e in zip(names, edges, strict=True):
        ds[f"{name}_edges"] = (f"{name}_edge", e)
    ds.energy.attrs["units"], ds.phi.attrs["units"] = "MeV", "rad"
    ds.to_zarr(folder / "table.zarr", consolidated=False)
    return folder / "table.zarr"


def spec(occupation, grid=None, continuum=None, g=(1e-4, 3e-4)):
    return {
        "analyses": ["growth", "continuum"],
        "grid": grid or {"kind": "cells"},
        "occupation": occupation,
        "coupling": {"g": list(g)},
        "continuum": continuum or {},
    }


def table(path, direction="pair"):
    return {"pattern": "table", "file": str(path), "rhobar_direction": direction}


@pytest.mark.parametrize(
    ("continuum", "close"),
    [({}, 1e-9), ({"vacuum": "subtracted"}, 1e-9), ({"angles": "continuous"}, 1e-5)],
)
def test_a_table_of_a_band_is_that_band(tmp_path, continuum, close):
    """Its energy edges and its angular edges are the pattern's discontinuities, of which it has a few more."""
    levels = {"e_low": 6.0, "e_high": 14.0, "rho_high": 0.9, "rho_low": 0.1}
    rho, rhobar = (np.reshape(v, (1, 6, 2, 4)) for v in energy_band(cells(*EDGES), **levels))
    of_table = ps.run(
        spec(table(write(tmp_path, rho, rhobar)), continuum=continuum), scheduler="serial", quiet=True
    ).isel(radius=0)
    edges = {name: list(map(float, e)) for name, e in zip(cells(*EDGES).edges._fields, EDGES, strict=True)}
    grid = {"kind": "cells"} | {f"{name}_edges": e for name, e in edges.items()}
    of_pattern = ps.run(
        spec({"pattern": "energy_band"} | levels, grid, continuum), scheduler="serial", quiet=True
    )
    assert float(of_pattern.continuum_growth_rate[1]) > 0.1
    for name in COMPARED:
        np.testing.assert_allclose(of_table[name], of_pattern[name], rtol=close, err_msg=name)


def systems_of(specification):
    sweep = expand(read_spec(specification))
    positions = np.zeros((1, len(sweep.shape)), dtype=np.int64)
    (_, systems), *_ = list(systems_at(sweep, positions, {}))
    return systems


@pytest.mark.parametrize("shape", [None, (6, 1, 3)])
def test_what_is_seen_along_a_direction_is_what_its_cells_hold(tmp_path, shape):
    """Cells of a file that differ from those of the grid, or that are flipped onto others, are averaged for both."""
    random = np.random.default_rng(5)
    edges = (EDGES[0], FORWARD, np.array([0.0, 1.0, 2.5, 2.0 * np.pi]))
    path = write(tmp_path, *random.uniform(0, 1, (2, 1, 6, 4, 3)), edges)
    grid = None
    if shape is not None:
        grid = {"kind": "cells", "energy_edges": EDGES[0].tolist(), "cos_theta_edges": [-1.0, 1.0]}
        grid["phi_edges"] = np.linspace(0.0, 2.0 * np.pi, shape[2] + 1).tolist()
    systems = systems_of(spec(table(path, "own"), grid))
    here = systems.grid
    along = systems.profile(0).along(here)
    for seen, held in zip(
        along.occupation(here.energy, here.theta, here.phi), (systems.rho, systems.rhobar), strict=True
    ):
        np.testing.assert_allclose(seen, held[0], rtol=1e-12)
    at_points = systems.profile(0).occupation(here.energy, here.theta, here.phi)
    assert np.abs(at_points[1] - systems.rhobar[0]).max() > 0.1
    assert along.energy_edges == tuple(EDGES[0])


def test_the_continuum_of_a_random_table_is_where_its_cells_converge(tmp_path):
    """A ladder that divides the cells starts at the grid and comes to the root: the same occupation."""
    random = np.random.default_rng(11)
    edges = (EDGES[0], np.array([-1.0, 1.0]), np.array([0.0, 1.0, 2.5, 4.0, 2.0 * np.pi]))
    rho = np.where(random.uniform(size=(1, 6, 1, 4)) > 0.5, 0.95, 0.05)
    systems = systems_of(spec(table(write(tmp_path, rho, rho, edges)), g=[4e-4]))
    found = solve(systems, ContinuumOptions(ladder_max=6 * 64), GrowthOptions()).arrays
    own = float(ps.growth(systems.grid, systems.rho[0], systems.rhobar[0], g=4e-4).growth_rate)
    root, ladder = found["continuum_growth_rate"][0], found["ladder_growth"][0]
    assert ladder[0] == pytest.approx(own, rel=1e-9)
    assert abs(ladder[0] - root) > 0.05 * root
    assert ladder[-1] == pytest.approx(root, rel=5e-3)


def test_a_table_is_integrated_over_its_own_directions(tmp_path):
    """Finer and finer directions converge to the integral between the edges of both kinds of particle."""
    random = np.random.default_rng(2)
    edges = (np.array([0.0, 9.0, 13.0, 20.0]), FORWARD, np.array([0.0, 2.0 * np.pi]))
    rho = np.where(random.uniform(size=(1, 3, 4, 1)) > 0.4, 1.0, 0.0)
    rho[0, 1], rho[0, 2] = 1.0, 0.0
    path = write(tmp_path, rho, 0.9 * rho, edges)
    whole = spec(table(path, "own"), continuum={"angles": "continuous"}, g=[3e-4])
    (true,) = solve(systems_of(whole), ContinuumOptions(angles="continuous"), GrowthOptions()).arrays[
        "continuum_growth_rate"
    ]
    assert true > 0.1
    away = []
    for count in (8, 16, 32):
        grid = {"kind": "cells", "energy_edges": edges[0].tolist()}
        grid["cos_theta_edges"] = np.linspace(-1.0, 1.0, count + 1).tolist()
        grid["phi_edges"] = np.linspace(0.0, 2.0 * np.pi, count + 1).tolist()
        systems = systems_of(spec(table(path, "own"), grid, g=[3e-4]))
        away.append(
            abs(solve(systems, ContinuumOptions(), GrowthOptions()).arrays["continuum_growth_rate"][0] - true)
        )
    assert away[2] < 0.3 * away[0]
    assert away[2] < 0.02 * true


def test_moments_are_smooth_in_angle_and_even_in_energy():
    """A mean without flux is the isotropic gas of one level; with flux, directions converge to the integral."""
    moments = {"pattern": "moments", "mean_occupation": 0.9, "flux_factor": 0.05, "flux_theta": 0.7}
    grid = {"kind": "bins", "n_energy": 2, "n_theta": 16, "n_phi": 16, "energy_max": 20.0}
    sweep = expand(read_spec(spec(moments | {"flux_factor": 0.0}, grid)))
    still = profile_at(sweep, np.zeros((1, 1), dtype=np.int64))
    rho, rhobar = still.occupation(np.array([1.0, 19.0]), np.array([0.3, 2.0]), np.array([0.1, 4.0]))
    np.testing.assert_allclose([rho, rhobar], 0.9, rtol=1e-12)
    low = moments | {"mean_occupation": 0.05, "flux_factor": 0.6, "closure": "minerbo"}
    rates = []
    for angles in ("grid", "continuous"):
        found = solve(systems_of(spec(low, grid, g=[4e-4])), ContinuumOptions(angles=angles), GrowthOptions())
        assert not found.failures
        rates.append(found.arrays["continuum_growth_rate"][0])
    assert rates[1] > 1.0
    assert rates[0] == pytest.approx(rates[1], rel=0.02)


def test_a_point_without_an_occupation_has_no_verdict():
    moments = {"pattern": "moments", "mean_occupation": 0.9, "flux_factor": [0.05, 0.7], "closure": "minerbo"}
    grid = {"kind": "bins", "n_energy": 2, "n_theta": 2, "n_phi": 4, "energy_max": 20.0}
    found = ps.run(spec(moments, grid, g=[1e-6]), scheduler="serial", quiet=True)
    assert found.status.values.ravel().tolist() == [1, 2]
    assert found.verdict.values.ravel()[1] == Verdict.UNDETERMINED
