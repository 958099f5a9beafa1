"""Results that are no store of the engine are opened, shown and drawn; never continued."""

from __future__ import annotations

import functools
import json
import pickle
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import xarray as xr
import zarr

import pairsweep as ps
from pairsweep.cli.commands import main
from pairsweep.contract.errors import StoreError

# zarr warns of what xarray writes: metadata in one place, words
pytestmark = [
    pytest.mark.filterwarnings("ignore::zarr.errors.ZarrUserWarning"),
    pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning"),
]

TABLES = {
    "analyses": ["growth"],
    "grid": {"kind": "bins", "n_energy": 1, "n_theta": 1, "n_phi": 4, "energy_max": 20.0},
    "occupation": {"pattern": "quadrant", "rho_high": [0.4, 0.7, 1.0], "rho_low": [0.0, 0.1, 0.6]},
    "coupling": {"g": 1e-6},
}


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same results in every way they may lie."""
    folder = tmp_path_factory.mktemp("results")
    ds = ps.run(TABLES, store=folder / "own.zarr", scheduler="serial", quiet=True)
    bare = ds.load().drop_encoding()
    bare.to_netcdf(folder / "plain.nc", engine="h5netcdf")
    bare.to_zarr(folder / "v2.zarr", zarr_format=2)
    bare.to_zarr(folder / "v3.zarr", zarr_format=3)
    with zarr.storage.ZipStore(folder / "plain.zip", mode="w") as archive:
        bare.to_zarr(archive, zarr_format=3)
    ps.pack(folder / "own.zarr", folder / "packed.zarr.zip")
    return folder


@pytest.fixture(scope="module")
def address(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


NAMES = ["own.zarr", "packed.zarr.zip", "plain.nc", "v2.zarr", "v3.zarr", "plain.zip"]


@pytest.mark.filterwarnings("ignore")  # of the packages that read over the network
@pytest.mark.parametrize("name", [*NAMES, *(f"http:{name}" for name in NAMES)])
def test_what_xarray_opens_is_opened_shown_and_drawn(name, folder, request, tmp_path, capsys):
    if name.startswith("http:"):
        pytest.importorskip("aiohttp")
        source = f"{request.getfixturevalue('address')}/{name.removeprefix('http:')}"
    else:
        source = str(folder / name)
    found = ps.open_store(source)
    wanted = ps.open_store(folder / "own.zarr")
    for variable in wanted.data_vars:
        np.testing.assert_array_equal(found[variable].values, wanted[variable].values)
        assert found[variable].dtype == wanted[variable].dtype
    assert main(["show", source]) == 0
    assert "9 done" in capsys.readouterr().out
    if not name.startswith("http:"):
        assert main(["plot", "growth-map", source, "-o", str(tmp_path / "a.png")]) == 0
        assert (tmp_path / "a.png").stat().st_size > 1000


def test_a_dataset_is_results_as_well():
    ds = ps.run(TABLES, scheduler="serial", quiet=True)
    two = xr.concat([ds, ds.assign_coords(g=1e-7)], "g")
    assert ps.open_store(two) is two
    assert "18 done" in str(ps.summary(ps.open_store(two)))
    with pytest.raises(StoreError, match="holds no results"):
        ps.open_store(xr.Dataset({"a": 1}))


@pytest.mark.parametrize("name", ["plain.nc", "v3.zarr", "plain.zip"])
def test_what_is_no_store_is_not_continued(name, folder, tmp_path):
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    with pytest.raises(StoreError):
        ps.run(TABLES, store=folder / name, scheduler="serial", quiet=True)
    assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before


def test_what_cannot_be_read_is_said_in_one_line(tmp_path, capsys):
    (tmp_path / "a.nc").write_bytes(b"no netCDF")
    xr.Dataset({"temperature": ("x", [1.0])}).to_zarr(tmp_path / "b.zarr")
    for source in ("a.nc", "b.zarr", "c.zarr"):
        assert main(["show", str(tmp_path / source)]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert source in said


def test_nothing_is_unpickled(tmp_path):
    """Not even of a zarr of version 2, whose codecs include pickle."""
    array = {
        "zarr_format": 2,
        "shape": [2],
        "chunks": [2],
        "dtype": "|O",
        "fill_value": 0.0,
        "order": "C",
        "compressor": {"id": "pickle", "protocol": 5},
        "filters": [{"id": "vlen-utf8"}],
    }
    folder = tmp_path / "a.zarr" / "growth_rate"
    folder.mkdir(parents=True)
    (folder.parent / ".zgroup").write_text('{"zarr_format": 2}')
    (folder / ".zarray").write_text(json.dumps(array))
    (folder / ".zattrs").write_text('{"_ARRAY_DIMENSIONS": ["g"]}')
    marker = tmp_path / "ran"
    (folder / "0").write_bytes(pickle.dumps(Runs(str(marker))))
    with pytest.raises(StoreError, match="would run code"):
        ps.open_store(tmp_path / "a.zarr").load()
    assert not marker.exists()


class Runs:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_reduced_results_are_stored_and_opened_again(folder, tmp_path):
    found = ps.reduce(folder / "own.zarr", over="rho_low")
    assert found["growth_rate"].dims == ("rho_high", "statistic")
    for name in ("a.nc", "a.zarr"):
        found.to_netcdf(tmp_path / name) if name.endswith("nc") else found.to_zarr(tmp_path / name)
        again = ps.open_store(tmp_path / name)
        np.testing.assert_array_equal(again["growth_rate"].values, found["growth_rate"].values)
        assert main(["plot", "growth-vs", str(tmp_path / name), "-o", str(tmp_path / "a.png")]) == 0
        assert main(["show", str(tmp_path / name)]) == 0


def test_what_a_missing_package_would_read_is_told_its_command(folder, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StoreError, match=r"pip install 'pairsweep\[netcdf\]'"):
        ps.open_store(folder / "plain.nc")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(StoreError, match=r"pip install 'pairsweep\[http\]'"):
        ps.open_store("http://127.0.0.1:9/a.nc")
