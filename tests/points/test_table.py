"""Occupations from a file, from the specification to results on the labels of the file."""

import h5py
import numpy as np
import pytest
import xarray as xr

import pairsweep as ps
from pairsweep.analyses.growth.kernels.dense import stability_matrix
from pairsweep.cli.commands import main
from pairsweep.contract.errors import SpecError, StoreError
from pairsweep.physics.grid import bins, cells
from pairsweep.physics.patterns.quadrant import quadrant
from pairsweep.physics.units import HBAR_C
from pairsweep.points.axes import expand
from pairsweep.points.systems import build_grid, profile_at, systems_at
from pairsweep.spec.reader import read_spec

SPEC = """
analyses = ["growth"]
[grid]
kind = "{kind}"
{grid}
[occupation]
pattern = "table"
file = "{file}"
{keys}
[coupling]
g = {g}
"""
BINS = 'n_energy = 3\nn_theta = 2\nn_phi = 4\nenergy_max = 20.0\ncell_volume = "exact"'
EDGES = (
    np.array([0.0, 2.0, 5.0, 11.0, 14.0, 20.0]),
    np.array([-1.0, -0.3, 0.4, 1.0]),
    np.concatenate([[0.0], np.sort(np.random.default_rng(7).uniform(0.2, 6.0, 7)), [2 * np.pi]]),
)


def snapshot(rho, rhobar, edges=EDGES, dims=("radius",), **coords):
    """A dataset of tables with edges of their own."""
    names = ("energy", "cos_theta", "phi")
    centres = {name: (name, 0.5 * (e[1:] + e[:-1])) for name, e in zip(names, edges, strict=True)}
    ds = xr.Dataset(
        {"rho": ((*dims, *names), rho), "rhobar": ((*dims, *names), rhobar)},
        coords={**centres, **coords},
    )
    for name, e in zip(names, edges, strict=True):
        ds[f"{name}_edges"] = (f"{name}_edge", e)
    ds.energy.attrs["units"] = "MeV"
    ds.phi.attrs["units"] = "rad"
    return ds


def tables(count=4, seed=3):
    return np.random.default_rng(seed).uniform(0, 1, (2, count, 5, 3, 8))


def flipped(values, own, target):
    """Values of cells at the opposite direction of each cell of another grid, by looking each one up."""
    cosine, phi = (np.arange(len(e) - 1) for e in own[1:])
    found = np.empty((values.shape[0], len(target[1]) - 1, len(target[2]) - 1))
    for i, c in enumerate(0.5 * (target[1][1:] + target[1][:-1])):
        for j, p in enumerate(0.5 * (target[2][1:] + target[2][:-1])):
            row = cosine[np.searchsorted(own[1], -c, side="right") - 1]
            column = phi[np.searchsorted(own[2], np.mod(p + np.pi, 2 * np.pi), side="right") - 1]
            found[:, i, j] = values[:, row, column]
    return found


@pytest.fixture
def write(tmp_path):
    """Write a dataset and a specification of it."""

    def make(ds, file="snapshot.nc", keys='rhobar_direction = "pair"', kind="cells", grid="", g="1e-5"):
        if file.endswith(".nc"):
            ds.to_netcdf(tmp_path / file)
        elif file.endswith(".zarr"):
            ds.to_zarr(tmp_path / file, consolidated=False)
        path = tmp_path / "spec.toml"
        path.write_text(SPEC.format(file=file, keys=keys, kind=kind, grid=grid, g=g))
        return path

    return make


def first_systems(path, rows=1):
    sweep = expand(read_spec(path))
    positions = np.zeros((rows, len(sweep.shape)), dtype=np.int64)
    positions[:, 0] = np.arange(rows)
    failed = {}
    (_, systems), *_ = list(systems_at(sweep, positions, failed))
    assert not failed
    return systems


@pytest.mark.parametrize("file", ["snapshot.nc", "snapshot.zarr"])
def test_a_snapshot_has_the_eigenvalues_of_the_dense_matrix_and_its_own_labels(write, file):
    """Random occupations on uneven cells; the witness is M itself."""
    rho, rhobar = tables()
    ds = snapshot(rho, rhobar, radius=[10.0, 20.0, 30.0, 40.0], density=("radius", [4.0, 3.0, 2.0, 1.0]))
    ds.radius.attrs |= {"units": "km", "long_name": "distance from the centre"}
    found = ps.run(write(ds, file), scheduler="serial", quiet=True)
    assert found.growth_rate.dims == ("radius",)
    assert found.radius.attrs["units"] == "km"
    np.testing.assert_array_equal(found.density.sel(radius=20.0), 3.0)
    grid = cells(*EDGES)
    for at in range(4):
        n = (rho[at] + rhobar[at] - 1.0).ravel()
        matrix = np.empty((2 * n.size, 2 * n.size))
        stability_matrix(grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, n, 1e-5, matrix)
        fastest = np.linalg.eigvals(matrix).real.max()
        assert float(found.growth_rate[at]) == pytest.approx(fastest, rel=1e-6)


def test_a_table_of_the_quadrant_pattern_is_that_pattern(write):
    grid = bins(3, 2, 4, 20.0, "exact")
    rho, rhobar = (np.reshape(v, (1, 3, 2, 4)) for v in quadrant(grid, 0.9, 0.1))
    path = write(snapshot(rho, rhobar, grid.edges), kind="bins", grid=BINS)
    of_table = ps.run(path, scheduler="serial", quiet=True)
    text = path.read_text()
    named = (
        text.split("[occupation]")[0] + "[occupation]\npattern = 'quadrant'\nrho_high = 0.9\nrho_low = 0.1\n"
    )
    named += "[coupling]\ng = 1e-5\n"
    of_pattern = ps.run(named, scheduler="serial", quiet=True)
    assert float(of_table.growth_rate[0]) == float(of_pattern.growth_rate)


def test_antineutrinos_fly_the_other_way(write):
    """An anisotropic table; a wrong flip or none, or transposed angles, give another one."""
    rho, rhobar = tables(1)
    own = first_systems(write(snapshot(rho, rhobar), keys='rhobar_direction = "own"'))
    grid = cells(*EDGES)
    np.testing.assert_array_equal(own.rho[0], rho[0].ravel())
    # what the antineutrinos carry along any axis is what the pairs' labels carry against it
    for along in grid.p_hat[:8]:
        cosine = np.multiply.outer(np.ones(5), np.reshape(grid.p_hat[:24] @ along, (3, 8)))
        content = np.reshape(grid.weight, (5, 3, 8)) * rhobar[0]
        theirs = (content * cosine).sum()
        pair = (grid.weight * own.rhobar[0] * (grid.p_hat @ along)).sum()
        assert pair == pytest.approx(-theirs, rel=0.2, abs=0.05 * content.sum())
    content = (np.reshape(grid.weight, (5, 3, 8)) * rhobar[0]).sum()
    assert (grid.weight * own.rhobar[0]).sum() == pytest.approx(content, rel=1e-12)


def test_symmetric_cells_are_flipped_exactly(write):
    edges = (EDGES[0], np.array([-1.0, -0.2, 0.2, 1.0]), np.linspace(0, 2 * np.pi, 9))
    rho, rhobar = tables(1)
    own = first_systems(write(snapshot(rho, rhobar, edges), keys=""))
    np.testing.assert_array_equal(own.rhobar[0].reshape(5, 3, 8), flipped(rhobar[0], edges, edges))


def test_other_cells_keep_the_numbers_and_the_limits(write):
    rho, rhobar = tables(2)
    path = write(
        snapshot(rho, rhobar),
        grid="energy_edges = [0.0, 3.3, 9.0, 25.0]\ncos_theta_edges = [-1.0, 0.1, 1.0]\n"
        "phi_edges = [-1.0, 0.5, 3.0, 5.283185307179586]",
    )
    systems = first_systems(path, 2)
    old, new = cells(*EDGES), systems.grid
    for at in range(2):
        for values, table in ((systems.rho[at], rho[at]), (systems.rhobar[at], rhobar[at])):
            assert (new.weight * values).sum() == pytest.approx((old.weight * table.ravel()).sum(), rel=1e-12)
            assert values.min() >= 0
            assert values.max() <= table.max()


def test_the_profile_is_the_table_and_nothing_beyond(write):
    rho, rhobar = tables(1)
    path = write(snapshot(rho, rhobar), keys="")
    sweep = expand(read_spec(path))
    profile = profile_at(sweep, np.zeros((1, 1), dtype=np.int64))
    grid = build_grid(sweep, np.zeros((1, 1), dtype=np.int64))
    mine, theirs = profile.occupation(grid.energy, grid.theta, grid.phi)
    np.testing.assert_array_equal(mine, rho[0].ravel())
    np.testing.assert_array_equal(theirs.reshape(5, 3, 8), flipped(rhobar[0], EDGES, EDGES))
    assert profile.energy_edges == tuple(EDGES[0])
    beyond = profile.occupation(np.array([20.1, 1e3]), np.ones(2), np.ones(2))
    np.testing.assert_array_equal(beyond, np.zeros((2, 2)))


def test_numbers_of_neutrinos_become_occupations(write):
    """A gas filled to f has f (4 pi (E2^3 - E1^3)/3)/(2 pi hbar c)^3 of them in a volume."""
    edges = EDGES[0]
    shell = (edges[1:] ** 3 - edges[:-1] ** 3) / 3
    per_cm3 = 0.25 * 4 * np.pi * shell / (2 * np.pi * HBAR_C) ** 3
    ds = xr.Dataset(
        {"n": ("frequency", 1e6 * per_cm3), "nbar": ("frequency", 5e5 * per_cm3)},
        coords={"frequency": ("frequency", np.arange(5.0), {"units": "Hz"})},
    )
    ds["frequency_edges"] = ("edge", edges / 4.135667696e-21)
    ds.n.attrs["units"] = ds.nbar.attrs["units"] = "1/m^3"
    keys = 'rho = "n"\nrhobar = "nbar"\nquantity = "number_density"\ndims = { energy = "frequency" }'
    systems = first_systems_of_scalar(write(ds, keys=keys))
    np.testing.assert_allclose(systems.rho, 0.25, rtol=1e-6)
    np.testing.assert_allclose(systems.rhobar, 0.125, rtol=1e-6)
    assert systems.grid.shape == (5, 1, 1)


def first_systems_of_scalar(path):
    sweep = expand(read_spec(path))
    (_, systems), *_ = list(systems_at(sweep, np.zeros((1, len(sweep.shape)), dtype=np.int64), {}))
    return systems


def test_comma_separated_values(tmp_path, write):
    rows = ["zone,energy,rho,rhobar"]
    cells_of_csv = [(zone, i) for zone in range(3) for i in range(3)]
    rows += [f"{zone},{2.5 + 5 * i},{0.1 * (zone + 1)},{0.05 * i}" for zone, i in cells_of_csv]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    path = write(None, "t.csv", 'units = { energy = "MeV" }')
    spec = read_spec(path)
    assert spec["zone"].values == (0, 1, 2)
    assert spec.cells.energy_edges == (0.0, 5.0, 10.0, 15.0)
    np.testing.assert_allclose(first_systems(path, 3).rho, np.repeat([[0.1], [0.2], [0.3]], 3, axis=1))


def test_headings_of_csv_may_have_units_and_columns_may_go_along(tmp_path, write):
    """The density is decided by the zone, so that it is no axis; centres that are uneven need edges."""
    rows = ["zone,density (g/cm^3),energy [keV],rho,rhobar"]
    centres = (1000.0, 4000.0, 13000.0)
    rows += [f"{zone},{6e10 / (zone + 1)},{e},{0.2 * zone},0.5" for zone in range(3) for e in centres]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    spec = read_spec(write(None, "t.csv", "edges = { energy = [0, 2000, 6000, 20000] }"))
    assert spec.cells.energy_edges == (0.0, 2.0, 6.0, 20.0)
    (density,) = spec.labels
    assert (density.dims, density.attrs["units"]) == (("zone",), "g/cm^3")
    np.testing.assert_array_equal(density.values, 6e10 / np.array([1.0, 2.0, 3.0]))


def test_plain_hdf5_has_its_dimensions_named_in_order(tmp_path, write):
    rho, rhobar = tables()
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        file["f"], file["fbar"], file["radius"] = rho, rhobar, [10.0, 20.0, 30.0, 40.0]
        file["grid(erg)"] = EDGES[0] / 624150.9074460763
        for name, edges in zip(("cos_theta_edges", "phi_edges"), EDGES[1:], strict=True):
            file[name] = edges
    keys = """rho = "f"
rhobar = "fbar"
rhobar_direction = "pair"
dims = ["radius", "energy", "cos_theta", "phi"]
edges = { energy = "grid(erg)" }
units = { energy = "erg", phi = "rad" }"""
    path = write(None, "plain.h5", keys)
    plain, named = (first_systems(each, 4) for each in (path, write(snapshot(rho, rhobar))))
    np.testing.assert_array_equal(plain.rho, named.rho)
    np.testing.assert_array_equal(plain.rhobar, named.rhobar)
    np.testing.assert_allclose(plain.grid.energy, named.grid.energy, rtol=1e-14)
    write(None, "plain.h5", keys)
    assert read_spec(path)["radius"].values == (10.0, 20.0, 30.0, 40.0)


def test_edges_may_have_units_of_their_own(write):
    """Those of a variable of edges count before those of the centres."""
    ds = snapshot(*tables())
    ds["energy_edges"] = ("energy_edge", 1e3 * EDGES[0], {"units": "keV"})
    np.testing.assert_allclose(read_spec(write(ds)).cells.energy_edges, EDGES[0], rtol=1e-14)


def test_units_belong_to_the_digest(write):
    """Onto a grid of its own, where the edges of the file stand in no other place."""
    ds = without_units(snapshot(*tables()), "energy")
    digests = {
        read_spec(write(ds, keys=f'units = {{ energy = "{unit}" }}', kind="bins", grid=BINS)).digest
        for unit in ("MeV", "keV", "GeV")
    }
    assert len(digests) == 3


def test_coordinates_go_along_with_chosen_labels_and_with_axes_that_move_together(write):
    rho, rhobar = (np.stack([each, each], axis=1) for each in tables())
    lapse = np.arange(8.0).reshape(4, 2)
    ds = snapshot(
        rho, rhobar, dims=("radius", "side"), radius=[1.0, 2.0, 3.0, 4.0], lapse=(("radius", "side"), lapse)
    )
    path = write(ds, keys="radius = [4.0, 2.0]")
    chosen = ps.run(path, scheduler="serial", quiet=True)
    np.testing.assert_array_equal(chosen.lapse, lapse[[3, 1]])
    path.write_text('zip = [["radius", "side"]]\n' + path.read_text())
    together = ps.run(path, scheduler="serial", quiet=True)
    assert together.lapse.dims == ("radius",)
    np.testing.assert_array_equal(together.lapse, [lapse[3, 0], lapse[1, 1]])


def test_a_place_without_values_fails_alone(write):
    rho, rhobar = tables()
    rho[1, 0, 0, 0], rho[2, 1, 1, 1] = np.nan, 1.2
    found = ps.run(write(snapshot(rho, rhobar, radius=[1.0, 2.0, 3.0, 4.0])), scheduler="serial", quiet=True)
    np.testing.assert_array_equal(found.status, [1, 2, 2, 1])


def test_labels_may_be_chosen(write):
    rho, rhobar = tables()
    path = write(
        snapshot(rho, rhobar, radius=[1.0, 2.0, 3.0, 4.0]),
        keys='radius = [2.0, 4.0]\nrhobar_direction = "pair"',
    )
    np.testing.assert_array_equal(first_systems(path, 2).rho[1], rho[3].ravel())
    with pytest.raises(SpecError, match="is no label of the table"):
        read_spec(write(snapshot(rho, rhobar, radius=[1.0, 2.0, 3.0, 4.0]), keys="radius = 2.5"))


def test_a_changed_file_is_refused(write, tmp_path):
    rho, rhobar = tables()
    path = write(snapshot(rho, rhobar))
    ps.run(path, tmp_path / "out.zarr", scheduler="local", workers=1, quiet=True)
    assert ps.point(tmp_path / "out.zarr", {"radius": 2}).failures == {}
    write(snapshot(0.5 * rho, rhobar))
    with pytest.raises(StoreError, match=r"data snapshot\.nc"):
        ps.run(path, tmp_path / "out.zarr", scheduler="serial", quiet=True)


@pytest.mark.parametrize(
    ("change", "keys", "message"),
    [
        (lambda ds: ds.drop_vars("rho"), "", "is no variable of snapshot.nc; did you mean rhobar"),
        (lambda ds: ds, 'rho = "rhi"', "did you mean rho"),
        (lambda ds: ds.rename(energy="frequency"), "", r"dims = \{ energy ="),
        (lambda ds: ds, 'dims = { energy = "e" }', "is no dimension of rho"),
        (lambda ds: ds, 'dims = { enrgy = "energy" }', "did you mean energy"),
        (
            lambda ds: without_units(ds, "energy"),
            "",
            r'energy has no units: give units = \{ energy = "..." \}',
        ),
        (lambda ds: ds, 'units = { energy = "furlong" }', "choose one of MeV"),
        (lambda ds: ds.drop_vars("energy_edges"), "", "the centres of energy are not even"),
        (lambda ds: ds.assign(energy_edges=("energy_edge", EDGES[0][::-1])), "", "does not lie above"),
        (lambda ds: ds.isel(cos_theta=slice(2)).drop_vars("cos_theta_edges"), "", "from -1 to 1"),
        (lambda ds: with_gap(ds, 0.5), "", "leave a gap or overlap between cells 1 and 2"),
        (lambda ds: with_gap(ds, -0.5), "", "leave a gap or overlap between cells 1 and 2"),
        (lambda ds: ds.drop_vars("rhobar"), "", "is no variable of snapshot.nc; did you mean rho"),
        (lambda ds: ds.assign(rhobar=ds.rhobar.isel(phi=0)), "", "has other dimensions than rho"),
        (lambda ds: ds, 'quantity = "number_density"', "rho has no units"),
        (lambda ds: ds, 'quantity = "density"', "did you mean number_density"),
        (
            lambda ds: in_volume(ds),
            "",
            'rho is in 1/cm.3, and occupations have no unit: give quantity = "number_density"',
        ),
        (lambda ds: ds, "radus = 3", "unknown key; did you mean radius"),
        (lambda ds: ds, 'units = { enery = "MeV" }', r"units\.enery: unknown key; did you mean energy"),
        (lambda ds: ds, 'units = { energy = "erg" }', r"reach 1.25e\+07 MeV: give the unit"),
        (lambda ds: ds, "edges = { energy = [0.0, 20.0] }", "give 6 edges of its 5 cells"),
        (lambda ds: ds, 'edges = { energy = "phi" }', r"has the shape \(8,\): 6 edges"),
        (lambda ds: ds, 'dims = ["radius", "energy", "cos_theta"]', "rho has 4 dimensions"),
        (
            lambda ds: ds.assign(phi_edges=("e", EDGES[2][1:])),
            "",
            r"phi_edges has the shape \(8,\), and phi has 8 cells",
        ),
        (lambda ds: ds.assign_coords(radius=[1.0, np.nan, 2.0, 3.0]), "", "has a label that is no number"),
        (lambda ds: ds.isel(radius=[]), "", "radius is empty"),
        (lambda ds: ds.assign_coords(radius=[1.0, 1.0, 2.0, 3.0]), "", "a label of radius stands twice"),
        (lambda ds: ds.assign_coords(growth_rate=("radius", np.ones(4))), "", "rename or drop it"),
    ],
)
def test_files_that_cannot_be_are_refused(write, change, keys, message):
    with pytest.raises(SpecError, match=message):
        read_spec(write(change(snapshot(*tables())), keys=keys))


def without_units(ds, name):
    ds[name].attrs.clear()
    return ds


def in_volume(ds):
    ds.rho.attrs["units"] = "1/cm^3"
    return ds


def with_gap(ds, size):
    bounds = np.stack([EDGES[0][:-1], EDGES[0][1:]], axis=1)
    bounds[2, 0] += size
    ds["energy_limits"] = (("energy", "side"), bounds)
    ds.energy.attrs["bounds"] = "energy_limits"
    return ds


def test_a_missing_file_and_one_that_is_none(write, tmp_path):
    path = write(snapshot(*tables()))
    path.write_text(path.read_text().replace("snapshot.nc", "snapshots.nc"))
    with pytest.raises(SpecError, match="there is no file"):
        read_spec(path)
    (tmp_path / "snapshots.nc").write_text("nothing of the kind")
    with pytest.raises(SpecError, match="cannot be read"):
        read_spec(path)
    text = SPEC.format(file="snapshots.nc", keys="", kind="bins", grid=BINS, g=1e-6)
    path.write_text(text.replace('"table"', '["table", "quadrant"]'))
    with pytest.raises(SpecError, match="stands alone"):
        read_spec(path)


# --- files as they are on disk ---------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["scipy", "h5netcdf"])
def test_old_and_new_netcdf_are_the_same_table(write, tmp_path, engine):
    rho, rhobar = tables()
    ds = snapshot(rho, rhobar, radius=[1.0, 2.0, 3.0, 4.0])
    path = write(ds)
    (tmp_path / "snapshot.nc").unlink()
    ds.to_netcdf(tmp_path / "snapshot.nc", engine=engine)
    magic = (tmp_path / "snapshot.nc").read_bytes()[:4]
    assert magic == (b"CDF\x02" if engine == "scipy" else b"\x89HDF")
    systems = first_systems(path, 4)
    np.testing.assert_array_equal(systems.rho, rho.reshape(4, -1))
    np.testing.assert_array_equal(systems.rhobar, rhobar.reshape(4, -1))


def test_hdf5_without_its_reader_names_the_package(write, monkeypatch):
    ds = snapshot(*tables())
    path = write(ds)
    (path.parent / "snapshot.nc").unlink()
    ds.to_netcdf(path.parent / "snapshot.nc", engine="h5netcdf")

    def nothing(*_, **__):
        raise ValueError("found the following matches with the input file in xarray's IO backends: ...")

    monkeypatch.setattr("pairsweep.spec.files.find_spec", lambda name: None)
    monkeypatch.setattr(xr, "open_dataset", nothing)
    with pytest.raises(
        SpecError, match="is netCDF-4 and HDF5, which nothing here reads: pip install h5netcdf"
    ):
        read_spec(path)


def test_a_file_larger_than_memory_is_read_place_by_place(write, tmp_path):
    """256 GB of which one place is written; the others hold the fill value, which xarray takes for a missing one."""
    h5netcdf = pytest.importorskip("h5netcdf")
    sizes = {"zone": 2_000_000, "energy": 20, "cos_theta": 20, "phi": 20}
    path = write(snapshot(*tables()), keys="zone = [3, 1999999]")
    (tmp_path / "snapshot.nc").unlink()
    with h5netcdf.File(tmp_path / "snapshot.nc", "w") as file:
        file.dimensions = sizes | {f"{name}_edge": 21 for name in ("energy", "cos_theta", "phi")}
        for name, value in (("rho", 0.25), ("rhobar", 0.5)):
            file.create_variable(name, tuple(sizes), "f8", chunks=(1, 20, 20, 20), fillvalue=-1.0)
            file[name][3] = np.full((20, 20, 20), value)
        ends = {"energy": (0.0, 20.0), "cos_theta": (-1.0, 1.0), "phi": (0.0, 2 * np.pi)}
        for name, (first, last) in ends.items():
            file.create_variable(f"{name}_edges", (f"{name}_edge",), "f8", data=np.linspace(first, last, 21))
    path.write_text(path.read_text().replace("zone =", 'units = { energy = "MeV", phi = "rad" }\nzone ='))
    sweep = expand(read_spec(path))
    failed = {}
    (_, systems), *_ = list(systems_at(sweep, np.array([[0], [1]]), failed))
    assert list(failed) == [1]
    np.testing.assert_array_equal(systems.rho, np.full((1, 8000), 0.25))
    assert (tmp_path / "snapshot.nc").stat().st_size < 2**24


def test_no_more_places_are_read_at_once_than_a_slice_holds(write, monkeypatch):
    from pairsweep.physics.table import Table
    from pairsweep.points import systems

    read = []
    at = Table._at
    monkeypatch.setattr(Table, "_at", lambda *args: read.append(at(*args)) or read[-1])
    monkeypatch.setattr(systems, "SLICE_NUMBERS", 3 * 120)
    sweep = expand(read_spec(write(snapshot(*tables(10)))))
    slices = [rows.size for rows, _ in systems_at(sweep, np.arange(10)[:, None], {})]
    assert slices == [3, 3, 3, 1]
    assert [len(values) for values in read] == [size for size in slices for _ in ("rho", "rhobar")]


def test_a_file_that_changes_during_a_run_fails_what_is_left(write):
    rho, rhobar = tables()
    path = write(snapshot(rho, rhobar))
    spec = read_spec(path)
    write(snapshot(0.5 * rho, rhobar, note=("radius", np.arange(4.0))))
    sweep = expand(spec)
    failed = {}
    list(systems_at(sweep, np.arange(4)[:, None], failed))
    assert len(failed) == 4
    assert all(
        "snapshot.nc has changed since this run began" in failure.reason for failure in failed.values()
    )
    assert len(failed) == 4


def test_a_file_may_be_written_while_its_specification_is_held(write):
    """As by the simulation that makes it: HDF5 refuses to write a file that is open."""
    path = write(snapshot(*tables()))
    spec = read_spec(path)
    spec.table.report()
    first_systems(path)
    write(snapshot(*tables(seed=4)))


def test_a_snapshot_may_have_a_time_of_its_own(write):
    rho, rhobar = tables(2)
    path = write(snapshot(rho, rhobar, dims=("time",), time=[0.5, 1.5]))
    ds = ps.run(path, scheduler="serial", quiet=True)
    assert ds.growth_rate.dims == ("time",)
    assert ps.summary(ds).done == 2
    path.write_text(
        path.read_text().replace('["growth"]', '["growth", "evolution"]') + "[evolution]\nt_end = 1.0\n"
    )
    with pytest.raises(SpecError, match="is the name of a variable of the results"):
        read_spec(path)


def test_an_occupation_above_one_fails_its_place_alone(write):
    rho, rhobar = tables()
    rho[2, 4, 1, 3] = 1.25
    ds = ps.run(write(snapshot(rho, rhobar, radius=[1.0, 2.0, 3.0, 4.0])), scheduler="serial", quiet=True)
    assert ds.status.values.tolist() == [1, 1, 2, 1]


# --- what is said of a file ------------------------------------------------------------------------------------


def beam_along_x(count=2):
    """Neutrinos and antineutrinos that both fly along +x, each in its own direction."""
    edges = (np.array([0.0, 10.0, 20.0]), np.linspace(-1, 1, 5), np.linspace(0, 2 * np.pi, 9))
    grid = cells(*edges)
    forward = np.maximum(grid.p_hat[:, 0], 0.0).reshape(2, 4, 8)
    return snapshot(*(np.broadcast_to(level * forward, (count, 2, 4, 8)) for level in (0.9, 0.6)), edges)


def fluxes(path):
    """Flux factors along x of both kinds, as the report says them."""
    lines = read_spec(path).table.report()
    return [float(line.split("flux factor (")[1].split(",")[0]) for line in lines if "flux factor" in line]


def test_sums_show_which_way_both_kinds_fly(write):
    assert min(fluxes(write(beam_along_x(), keys=""))) > 0.4
    # antineutrinos said to stand in the pair's label fly the other way
    mine, theirs = fluxes(write(beam_along_x(), keys='rhobar_direction = "pair"'))
    assert mine > 0.4
    assert theirs < -0.4


def test_sums_show_exchanged_angles(write):
    """As of one who takes the stride of phi for that of cos(theta)."""
    ds = beam_along_x()
    shape = ds.rho.shape
    wrong = ds.assign(rho=(ds.rho.dims, ds.rho.values.swapaxes(2, 3).reshape(shape)))
    assert abs(fluxes(write(wrong, keys=""))[0]) < 0.3


def test_plan_reports_the_sums(write, capsys):
    rho, rhobar = tables()
    rho[1, 0, 0, 0] = np.nan
    assert main(["plan", str(write(snapshot(rho, rhobar)))]) == 0
    out = capsys.readouterr().out
    assert "5 x 3 x 8 cells at 4 places" in out
    assert "1 of the 4 places have cells without a value" in out
    assert "a crossing at 3 of the 4 places" in out
    grid = cells(*EDGES)
    density = (
        min((grid.weight * table.ravel()).sum() for table in rhobar[[0, 2, 3]]) / (2 * np.pi * HBAR_C) ** 3
    )
    assert f"antineutrinos {density:.4g} to" in out
