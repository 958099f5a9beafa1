"""A result handed over: with its specification and function, to readers with and without pairsweep."""

import json
import zipfile
from importlib import util

import numpy as np
import pytest
import xarray as xr

import pairsweep as ps
from pairsweep.cli.commands import main
from pairsweep.cli.parser import UNUSABLE
from tests.specs import growth

MAP = growth(rho_high="[0.5, 0.9]", rho_low="[0.1, 0.6]")
OWN = MAP.replace('pattern = "quadrant"\nrho_high = [0.5, 0.9]\nrho_low = [0.1, 0.6]', "").replace(
    "[occupation]", '[occupation]\npattern = "custom"\nfunction = "own.py:f"\na = [0.2, 0.9]'
)
CODE = "import helper\n\n\ndef f(energy, theta, phi, a):\n    return helper.half(a, phi), 0.1 + 0.0 * phi\n"
HELPER = "import numpy as np\n\n\ndef half(a, phi):\n    return np.where(phi < 1.6, a, 0.0)\n"


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "map.zarr"
    ps.run(MAP, path, scheduler="serial", quiet=True)
    return path


def test_every_command_reads_it(store, tmp_path, capsys):
    packed = str(tmp_path / "map.zarr.zip")
    assert main(["pack", str(store), "-o", packed]) == 0
    assert "4 points" in capsys.readouterr().out
    assert main(["show", packed]) == 0
    assert "unstable     1 of 4" in capsys.readouterr().out
    assert main(["status", packed]) == 0
    assert capsys.readouterr().out == "4 of 4 points done, 0 failed, 0 pending\n"
    assert main(["verify", packed]) == 0
    assert main(["plot", "growth-map", packed, "-o", str(tmp_path / "a.png")]) == 0
    assert main(["point", packed, "--at", "rho_high=0.9,rho_low=0.1"]) == 0
    assert ps.errors(packed) == []
    capsys.readouterr()
    spec = tmp_path / "map.toml"
    spec.write_text(MAP)
    assert main(["run", str(spec), "--store", packed]) == UNUSABLE
    assert "stays as it is: pairsweep unpack" in capsys.readouterr().err
    assert main(["unpack", packed]) == UNUSABLE  # map.zarr is still there
    assert main(["unpack", packed, "-o", str(tmp_path / "again.zarr")]) == 0
    assert main(["run", str(spec), "--store", str(tmp_path / "again.zarr")]) == 0
    assert "all 4 points were there already" in capsys.readouterr().out


def test_specification_and_function_travel_along(tmp_path):
    (tmp_path / "own.toml").write_text(OWN)
    (tmp_path / "own.py").write_text(CODE)
    (tmp_path / "helper.py").write_text(HELPER)
    ps.run(tmp_path / "own.toml", tmp_path / "own.zarr", scheduler="serial", quiet=True)
    packed = ps.pack(tmp_path / "own.zarr", tmp_path / "own.zarr.zip")
    assert (packed.points, packed.size) == (2, packed.path.stat().st_size)
    with zipfile.ZipFile(packed.path) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist() if "provenance" in name}
    assert texts["provenance/specification.toml"] == OWN
    assert texts["provenance/function/own.py"] == CODE
    assert texts["provenance/function/helper.py"] == HELPER
    assert "code.growth" in json.loads(texts["provenance/fingerprint.json"])
    assert "2 of 2 points are done" in texts["provenance/README.txt"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["-o", "map.tar"], "end it with .zip"),
        (["-o", "map.nc"], "or ask for --netcdf"),
        (["-o", "map.zarr.zip", "--netcdf"], "end it with .nc or .nc4"),
        (["-o", "none/map.zarr.zip"], "its folder does not exist"),
    ],
)
def test_other_names_are_refused_in_one_line(store, tmp_path, monkeypatch, capsys, words, why):
    monkeypatch.chdir(tmp_path)
    assert main(["pack", str(store), *words]) == UNUSABLE
    err = capsys.readouterr().err
    assert why in err
    assert err.count("\n") == 1


def test_netcdf_says_units_and_codes_as_cf_asks(store, tmp_path):
    pytest.importorskip("h5py")
    pytest.importorskip("h5netcdf")
    target = tmp_path / "map.nc"
    assert main(["pack", str(store), "-o", str(target), "--netcdf"]) == 0
    with xr.open_dataset(target, engine="h5netcdf") as data:
        ours = ps.open_store(store)
        assert data.attrs["Conventions"] == "CF-1.11"
        assert "code.growth" in json.loads(data.attrs["fingerprint"])
        assert set(data.coords) == set(ours.coords)
        for name, variable in data.variables.items():
            np.testing.assert_array_equal(variable.values, ours[name].values)
            assert variable.attrs["long_name"]
            if "flag_values" in variable.attrs:
                assert variable.attrs["flag_values"].dtype == variable.dtype
                assert len(variable.attrs["flag_meanings"].split()) == variable.attrs["flag_values"].size
            elif variable.dtype.kind == "f":
                assert variable.attrs["units"]
        assert data.status.dtype == np.int8
    assert main(["pack", str(store), "-o", str(target), "--netcdf"]) == UNUSABLE


def test_netcdf_without_its_extra_says_what_to_install(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    assert main(["pack", str(store), "-o", str(tmp_path / "map.nc"), "--netcdf"]) == UNUSABLE
    assert "pip install h5netcdf" in capsys.readouterr().err
