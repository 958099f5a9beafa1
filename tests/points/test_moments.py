"""Moments from a file: the moments of what a point is computed with are those of the file, in both directions."""

import numpy as np
import pytest
import xarray as xr

import pairsweep as ps
from pairsweep.contract.errors import SpecError
from pairsweep.physics.grid import cells
from pairsweep.physics.patterns.moments import moments
from pairsweep.physics.units import HBAR_C
from pairsweep.points.axes import expand
from pairsweep.points.systems import build_grid, profile_at, systems_at
from pairsweep.spec.reader import read_spec

SPEC = """
analyses = ["growth"]
[grid]
{grid}
[occupation]
pattern = "moments"
file = "{file}"
{keys}
[coupling]
g = 1e-5
"""
ENERGIES = np.array([0.0, 3.0, 8.0, 21.0])
TURN = "phi_edges = {{ start = 0, stop = 6.283185307179586, num = {} }}"
FINE = 'kind = "cells"\ncos_theta_edges = { start = -1, stop = 1, num = 101 }\n' + TURN.format(121)
COARSE = 'kind = "cells"\ncos_theta_edges = [-1, -0.2, 0.5, 1]\n' + TURN.format(5)
VOLUME = 4 * np.pi * np.diff(ENERGIES**3) / 3 / (2 * np.pi * HBAR_C) ** 3  # states in 1 cm^3 and a group


def random_moments(zones=3, seed=5):
    """Mean occupations, and fluxes over them with any direction, which occupations can have."""
    rng = np.random.default_rng(seed)
    mean = rng.uniform(0.05, 0.6, (2, zones, 3))
    factor = rng.uniform(0.05, 0.9, (2, zones, 3, 1)) * (1 - mean[..., None])
    direction = rng.normal(size=(2, zones, 3, 3))
    return mean, factor * direction / np.linalg.norm(direction, axis=-1, keepdims=True)


def file_of(mean, factor, units="1/cm^3", flux_units="1/cm^3", per=1.0):
    dims = ("zone", "energy")
    ds = xr.Dataset(coords={"energy": ("energy", 0.5 * (ENERGIES[1:] + ENERGIES[:-1]), {"units": "MeV"})})
    ds["energy_edges"] = ("energy_edge", ENERGIES)
    for name, n, f in zip(("", "_bar"), mean, factor, strict=True):
        ds[f"density{name}"] = (dims, n * VOLUME, {"units": units})
        flux = n * VOLUME * f if f.ndim == n.ndim else n[..., None] * VOLUME[:, None] * f
        ds[f"flux{name}"] = ((*dims, "axis")[: flux.ndim], per * flux, {"units": flux_units})
    return ds.assign_coords(radius=("zone", np.arange(mean.shape[1]) * 10.0))


@pytest.fixture
def write(tmp_path):
    def make(ds, keys="", grid=FINE, file="m1.nc"):
        ds.to_netcdf(tmp_path / file)
        path = tmp_path / "spec.toml"
        path.write_text(SPEC.format(grid=grid, keys=keys, file=file))
        return path

    return make


def systems_of(path):
    sweep = expand(read_spec(path))
    failed = {}
    (_, systems), *_ = list(systems_at(sweep, sweep.places(range(len(sweep.shape))), failed))
    return systems, failed


def moments_of(systems, values, sign):
    """Mean occupation (P, groups) and flux over it (P, groups, 3) by sums over the grid."""
    grid = systems.grid
    weight = grid.weight.reshape(grid.shape[0], -1)
    share = weight / weight.sum(axis=1, keepdims=True)
    values = values.reshape(len(values), grid.shape[0], -1)
    p_hat = grid.p_hat.reshape(grid.shape[0], -1, 3)
    mean = (share * values).sum(axis=2)
    return mean, sign * np.einsum("ea,pea,eai->pei", share, values, p_hat) / mean[..., None]


@pytest.mark.parametrize("closure", ["fermionic", "minerbo"])
@pytest.mark.parametrize(
    ("flux_units", "per"), [("1/cm^3", 1.0), ("1/cm^2/s", 2.99792458e10), ("1/m^3", 1e6)]
)
def test_numbers_and_fluxes_come_back_each_in_its_own_direction(write, closure, flux_units, per):
    mean, factor = random_moments()
    if closure == "minerbo":
        mean = 0.2 * mean  # a classical occupation rises above 1 where it flows fast
    path = write(file_of(mean, factor, flux_units=flux_units, per=per), f'closure = "{closure}"')
    systems, failed = systems_of(path)
    good = [row for row in range(3) if row not in failed]
    assert len(good) > 1
    for values, n, f, sign in (
        (systems.rho, mean[0], factor[0], 1),
        (systems.rhobar, mean[1], factor[1], -1),
    ):
        found, flux = moments_of(systems, values, sign)
        np.testing.assert_allclose(found, n[good], rtol=3e-3)
        np.testing.assert_allclose(flux, f[good], atol=2e-3)


def test_a_group_has_the_pattern_of_its_moments_and_results_go_back_by_label(write):
    mean, factor = random_moments()
    theta = np.arccos(factor[..., 2] / np.linalg.norm(factor, axis=-1))
    phi = np.arctan2(factor[..., 1], factor[..., 0])
    path = write(file_of(mean, factor), grid=COARSE)
    systems, _ = systems_of(path)
    grid = systems.grid
    for zone in range(3):
        for group in range(3):
            inside = grid.energy_bin == group
            for kind, values, sign in ((0, systems.rho, 1), (1, systems.rhobar, -1)):
                at = (
                    mean[kind, zone, group],
                    np.linalg.norm(factor[kind, zone, group]),
                    theta[kind, zone, group],
                    phi[kind, zone, group],
                )
                wanted = moments(grid, *at)[0 if sign == 1 else 1]
                np.testing.assert_allclose(values[zone][inside], wanted[inside], rtol=1e-9)
    ds = ps.run(path, scheduler="serial", quiet=True)
    assert ds["growth_rate"].dims == ("zone",)
    np.testing.assert_array_equal(ds["radius"], [0.0, 10.0, 20.0])
    np.testing.assert_array_equal(ds["max_epn"], (systems.rho + systems.rhobar - 1.0).max(axis=1))


def groups_of(mean, factor, closure="fermionic", grid=COARSE, head="", numbers=False):
    """The specification of moments of one zone as tables of groups."""
    lines = [f'closure = "{closure}"', f"energy_edges = {ENERGIES.tolist()}"]
    for group, name in enumerate(("soft", "middle", "hard")):
        lines += ["[[occupation.groups]]", f'name = "{name}"']
        for bar, n, f in zip(("", "_bar"), mean, factor, strict=True):
            key, value = ("number_density", n * VOLUME) if numbers else ("mean_occupation", n)
            lines += [f"{key}{bar} = {value[group]}", f"flux_factor{bar} = {f[group]}"]
        lines.append("flux_theta = 0.0")
    text = SPEC.format(grid=grid, keys="\n".join(lines), file="")
    return head + text.replace('file = ""\n', "")


@pytest.mark.parametrize("closure", ["fermionic", "minerbo"])
@pytest.mark.parametrize("numbers", [False, True])
def test_groups_in_the_specification_are_those_of_a_file(write, closure, numbers):
    mean, _ = random_moments(zones=1)
    factor = 0.4 * (1 - mean)
    of_file, _ = systems_of(write(file_of(0.5 * mean, factor), f'closure = "{closure}"', COARSE))
    spec = read_spec(groups_of(0.5 * mean[:, 0], factor[:, 0], closure, numbers=numbers))
    sweep = expand(spec)
    position = np.zeros((1, 0), dtype=np.int64)
    (_, systems), *_ = list(systems_at(sweep, position, {}))
    np.testing.assert_array_equal(systems.grid.edges.energy, ENERGIES)
    np.testing.assert_allclose(systems.rho, of_file.rho, rtol=1e-9)
    np.testing.assert_allclose(systems.rhobar, of_file.rhobar, rtol=1e-9)
    profile = profile_at(sweep, position)
    assert profile.energy_edges == tuple(ENERGIES)
    rho, _ = profile.occupation(np.array([1.0, 20.9, 21.1]), np.full(3, 0.3), np.zeros(3))
    assert rho[0] > 0
    assert rho[1] > 0
    assert rho[2] == 0


def test_every_number_of_a_group_may_be_an_axis_a_column_or_drawn(tmp_path):
    mean, factor = np.full((2, 3), 0.3), np.full((2, 3), 0.2)
    text = groups_of(mean, factor).replace("mean_occupation = 0.3", "mean_occupation = [0.2, 0.3, 0.4]", 1)
    ds = ps.run(text, scheduler="serial", quiet=True)
    assert ds.growth_rate.dims == ("mean_occupation_soft",)
    np.testing.assert_array_equal(ds.mean_occupation_soft, [0.2, 0.3, 0.4])
    drawn = groups_of(mean, factor).replace("flux_factor = 0.2", "flux_factor = { low = 0.1, high = 0.3 }", 1)
    spec = read_spec(drawn + "[sample]\ncount = 4\n")
    assert len(spec["flux_factor_soft"].values) == 4
    (tmp_path / "cases.csv").write_text("mean_occupation_hard,closure\n0.1,minerbo\n0.2,fermionic\n")
    listed = groups_of(mean, factor, head='cases = "cases.csv"\n').replace('closure = "fermionic"\n', "")
    before, _, last = listed.rpartition("mean_occupation = 0.3\n")
    (tmp_path / "spec.toml").write_text(before + last)
    spec = read_spec(tmp_path / "spec.toml")
    assert spec["mean_occupation_hard"].values == (0.1, 0.2)
    assert spec["closure"].values == ("minerbo", "fermionic")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[0.0, 3.0, 8.0, 21.0]", "[0.0, 3.0, 21.0]", "give 4 edges of the 3 groups"),
        ("[0.0, 3.0, 8.0, 21.0]", "[0.0, 3.0, 2.0, 21.0]", r"energy_edges\[2\] = 2.0: does not lie above"),
        ('"soft"', '"hard"', "is the name of another group"),
        ('"soft"', '"bar"', "is of antineutrinos"),
        ('"soft"', '"so ft"', "letters, digits and underscores"),
        (
            "mean_occupation = 0.3\n",
            "",
            r"groups\[0\].mean_occupation: is missing: give it or number_density",
        ),
        ("mean_occupation = 0.3", "mean_occupation = 0.3\nnumber_density = 1e30", "give one of them"),
        ("flux_factor = 0.2\n", "", "flux_factor: is missing"),
        ("mean_occupation", "mean_ocupation", "did you mean mean_occupation"),
        ("mean_occupation = 0.3", "number_density = 1e34", "the group soft has 5.9.*e.31 states"),
        ("mean_occupation = 0.3", "mean_occupation = 1.3", "occupations lie between 0 and 1"),
        ("cos_theta_edges", "energy_edges = [0, 9]\ncos_edges", "unknown key"),
    ],
)
def test_groups_that_cannot_be_are_refused(old, new, message):
    text = groups_of(np.full((2, 3), 0.3), np.full((2, 3), 0.2))
    assert old in text
    with pytest.raises(SpecError, match=message):
        read_spec(text.replace(old, new, 1))


def test_edges_of_groups_belong_to_the_digest():
    """Onto a grid of its own, where they stand in no other place."""
    grid = 'kind = "bins"\nn_energy = 7\nn_theta = 4\nn_phi = 4\nenergy_max = 30.0'
    text = groups_of(np.full((2, 3), 0.3), np.full((2, 3), 0.2), grid=grid)
    assert read_spec(text).digest != read_spec(text.replace("8.0, 21.0", "9.0, 21.0")).digest


def test_one_number_is_a_flux_along_z_or_along_given_angles(write):
    mean, _ = random_moments()
    factor = np.full((2, 3, 3), 0.2)
    factor[1] *= -1.0  # antineutrinos fly inwards
    ds = file_of(mean, factor)
    systems, _ = systems_of(write(ds))
    for values, sign, along in ((systems.rho, 1, 0.2), (systems.rhobar, -1, -0.2)):
        np.testing.assert_allclose(moments_of(systems, values, sign)[1][..., 2], along, atol=2e-3)
    ds["polar"] = ("zone", [90.0, 90.0, 90.0], {"units": "deg"})
    ds["azimuth"] = ("zone", [0.0, 90.0, 180.0], {"units": "deg"})
    systems, _ = systems_of(write(ds, 'flux_theta = "polar"\nflux_phi = "azimuth"'))
    along = 0.2 * np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0]])
    np.testing.assert_allclose(moments_of(systems, systems.rho, 1)[1], along[:, None].repeat(3, 1), atol=2e-3)


def test_mean_occupations_and_flux_factors_need_no_units(write):
    mean, factor = random_moments()
    numbers, _ = systems_of(write(file_of(mean, factor), grid=COARSE))
    ds = file_of(mean, factor)
    for name, n, f in zip(("", "_bar"), mean, factor, strict=True):
        ds[f"density{name}"] = (("zone", "energy"), n)
        ds[f"flux{name}"] = (("zone", "energy", "axis"), f)
    means, _ = systems_of(write(ds, 'quantity = "occupation"\nflux_quantity = "flux_factor"', COARSE))
    np.testing.assert_allclose(means.rho, numbers.rho, rtol=1e-10)
    np.testing.assert_allclose(means.rhobar, numbers.rhobar, rtol=1e-10)


def test_other_energies_keep_the_numbers(write):
    mean, factor = random_moments()
    path = write(
        file_of(mean, factor),
        grid='kind = "bins"\nn_energy = 7\nn_theta = 4\nn_phi = 4\nenergy_max = 30.0\ncell_volume = "exact"',
    )
    systems, _ = systems_of(path)
    own, _ = systems_of(
        write(
            file_of(mean, factor),
            grid=COARSE.replace("[-1, -0.2, 0.5, 1]", "[-1, -0.5, 0, 0.5, 1]"),
        )
    )
    np.testing.assert_allclose(systems.rho @ systems.grid.weight, own.rho @ own.grid.weight, rtol=1e-12)
    np.testing.assert_allclose(systems.rhobar @ systems.grid.weight, own.rhobar @ own.grid.weight, rtol=1e-12)


def test_the_profile_is_what_the_grid_samples(write):
    path = write(file_of(*random_moments()), grid=COARSE)
    sweep = expand(read_spec(path))
    systems, _ = systems_of(path)
    profile = profile_at(sweep, np.array([[1]]))
    grid = build_grid(sweep, np.array([[1]]))
    rho, rhobar = profile.occupation(grid.energy, grid.theta, grid.phi)
    np.testing.assert_allclose(rho, systems.rho[1], rtol=1e-12)
    np.testing.assert_allclose(rhobar, systems.rhobar[1], rtol=1e-12)
    assert profile.energy_edges == tuple(ENERGIES)
    above = profile.occupation(np.array([22.0]), np.array([1.0]), np.array([0.0]))
    assert above[0] == above[1] == 0.0


def test_zones_without_moments_or_with_impossible_ones_fail_alone(write):
    mean, factor = random_moments()
    mean[0, 0, 1] = np.nan
    factor[1, 2] *= 5.0
    path = write(file_of(mean, factor), grid=COARSE)
    ds = ps.run(path, scheduler="serial", quiet=True)
    assert ds["status"].values.tolist() == [2, 1, 2]
    _, failed = systems_of(path)
    assert {
        row: failure.reason
        for row, failure in failed.items()
        if "that no occupation has" not in failure.reason
    } == {}


def test_an_empty_group_has_no_flux(write):
    mean, factor = random_moments()
    mean[0, 0] = 0.0
    systems, failed = systems_of(write(file_of(mean, factor), grid=COARSE))
    assert not failed
    np.testing.assert_array_equal(systems.rho[0], 0.0)


@pytest.mark.parametrize(
    ("change", "keys", "grid", "message"),
    [
        ({}, 'density = "densty"', COARSE, "did you mean density"),
        ({}, 'flux = "flx"', COARSE, "did you mean flux"),
        ({}, 'closure = "levermore"', COARSE, "choose one of fermionic, minerbo"),
        ({}, "mean_occupation = 0.3", COARSE, "unknown key"),
        ({}, 'dims = { energy = "enrgy" }', COARSE, "did you mean energy"),
        ({}, "", 'kind = "cells"', "moments have no directions: give cos_theta_edges and phi_edges"),
        ({"density": {"units": ""}}, "", COARSE, "density"),
        ({"density_bar": {"units": "1/m^3"}}, "", COARSE, "differs from that of density"),
        ({"flux_bar": {"units": "1/m^3"}}, "", COARSE, "differs from that of flux"),
        ({"flux": {"units": "erg"}}, "", COARSE, "units.flux = 'erg'"),
        ({}, 'flux_theta = "radius"', COARSE, "has its own direction"),
    ],
)
def test_what_a_file_lacks_is_said_in_one_line(write, change, keys, grid, message):
    ds = file_of(*random_moments())
    for name, attrs in change.items():
        ds[name].attrs = attrs
    ds["radius"] = ("zone", np.zeros(3))
    with pytest.raises(SpecError, match=message) as caught:
        read_spec(write(ds.reset_coords(), keys, grid))
    assert "\n" not in str(caught.value)


def test_more_components_than_three_are_refused(write):
    ds = file_of(*random_moments()).pad(axis=(0, 1), constant_values=0.0)
    with pytest.raises(SpecError, match="one of three components"):
        read_spec(write(ds, grid=COARSE))


def test_the_report_shows_where_the_fluxes_point(write):
    mean, factor = np.full((2, 1, 3), 0.3), np.zeros((2, 1, 3, 3))
    factor[0, ..., 0], factor[1, ..., 2] = 0.25, -0.25
    lines = read_spec(write(file_of(mean, factor), grid=COARSE)).table.report()
    assert "flux factor (0.250, 0.000, 0.000)" in lines[1].replace("-0.000", "0.000")
    assert "flux factor (0.000, 0.000, -0.250)" in lines[2].replace("-0.000", "0.000")


def test_what_the_flux_is_belongs_to_the_digest(write):
    ds = file_of(*random_moments())
    digests = {
        read_spec(write(ds, f'closure = "{closure}"', COARSE)).digest for closure in ("minerbo", "fermionic")
    }
    assert len(digests) == 2


def test_cells_are_the_grid_of_edges_from_both(write):
    spec = read_spec(write(file_of(*random_moments()), grid=COARSE))
    grid = cells(*spec.cells)
    np.testing.assert_array_equal(grid.edges[0], ENERGIES)
    assert grid.shape == (3, 3, 4)
