"""Rows of a file as points along one axis."""

from functools import partial

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pairsweep as ps
from pairsweep.contract.errors import SpecError
from pairsweep.points.axes import expand
from pairsweep.spec import cases
from pairsweep.spec.reader import read_spec
from tests.specs import BEAMS, GROWTH


@pytest.fixture
def study(tmp_path):
    """Write a specification without some keys, and a file of cases."""

    def make(rows, without=("g", "rho_high"), base=GROWTH, file="cases.csv", more=""):
        lines = [line for line in base.splitlines() if line.split(" = ")[0] not in without]
        (tmp_path / "spec.toml").write_text(f'cases = "{file}"\n' + "\n".join(lines) + more)
        if isinstance(rows, xr.Dataset):
            rows.to_netcdf(tmp_path / file)
        elif rows is not None:
            (tmp_path / file).write_text("\n".join(rows) + "\n")
        return tmp_path / "spec.toml"

    return make


ROWS = ["g,rho_high,radius,model", "1e-6,0.9,10.0,a", "2e-6,0.7,20.0,b", "1e-6,0.9,30.0,c"]


def test_each_row_is_a_point_and_other_columns_go_along(study):
    ds = ps.run(study(ROWS), scheduler="serial", quiet=True)
    assert ds.growth_rate.dims == ("case",)
    np.testing.assert_array_equal(ds.case, [0, 1, 2])
    np.testing.assert_array_equal(ds.radius, [10.0, 20.0, 30.0])
    assert ds.model.values.tolist() == ["a", "b", "c"]
    grid = ps.bins(1, 1, 4, 20.0)
    for row, (g, high) in enumerate(((1e-6, 0.9), (2e-6, 0.7), (1e-6, 0.9))):
        alone = ps.growth(grid, ps.quadrant(grid, high, 0.1)[0], g=g).growth_rate
        assert float(ds.growth_rate[row]) == pytest.approx(float(alone), rel=1e-9)


def test_cases_may_differ_in_their_grid_and_cross_other_axes(study):
    rows = ["case,n_energy,n_phi,rho_high", "coarse,1,4,0.9", "fine,3,8,0.9"]
    path = study(rows, without=("n_energy", "n_phi", "rho_high"))
    path.write_text(path.read_text().replace("g = 1e-6", "g = [1e-6, 2e-6]"))
    sweep = expand(read_spec(path))
    assert (sweep.names, sweep.shape) == (("case", "g"), (2, 2))
    ds = ps.run(path, scheduler="serial", quiet=True)
    assert ds.case.values.tolist() == ["coarse", "fine"]
    assert (ds.status == 1).all()


def test_columns_of_beams_and_with_their_table(study):
    rows = ["rho_x,coupling.g,theta_z", "1.0,1e-3,0.0", "0.9,2e-3,0.5"]
    base = (
        BEAMS.replace("rho = 1.0\nrhobar = 0.3", "rhobar = 0.3")
        .replace("theta = 0.0\n", "")
        .replace("g = 1e-3", "")
    )
    spec = read_spec(study(rows, without=(), base=base))
    assert spec["rho_x"].values == (1.0, 0.9)
    assert spec["g"].values == (1e-3, 2e-3)
    assert spec["theta_z"].values == (0.0, 0.5)


def test_columns_reach_a_function_of_ones_own(study, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n\n\ndef f(energy, theta, phi, level, zone):\n    assert type(zone) is int\n"
        "    return 2 * (np.where(phi < 1.57, level, 0.1),)\n"
    )
    base = GROWTH.split("[occupation]")[0] + '[occupation]\npattern = "custom"\nfunction = "mine.py:f"\n'
    path = study(["occupation.level,occupation.zone", "0.6,0", "0.9,1"], (), base + "[coupling]\ng = 1e-6\n")
    ds = ps.run(path, scheduler="serial", quiet=True)
    assert (ds.status == 1).all()
    assert ds.level.dims == ("case",)


def test_a_netcdf_file_of_cases(study):
    ds = xr.Dataset({"g": ("row", [1e-6, 2e-6]), "rho_high": ("row", [0.9, 0.8])})
    assert read_spec(study(ds, file="cases.nc"))["g"].values == (1e-6, 2e-6)


def test_parquet_is_read_where_pandas_can_and_else_the_package_is_named(study, tmp_path):
    path = study(None, file="cases.parquet")
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError:
        (tmp_path / "cases.parquet").write_bytes(b"PAR1")
        with pytest.raises(
            SpecError, match="is parquet, which nothing here reads: pip install pyarrow, or write it as CSV"
        ):
            read_spec(path)
    else:
        pd.DataFrame({"g": [1e-6, 2e-6], "rho_high": [0.9, 0.8]}).to_parquet(tmp_path / "cases.parquet")
        assert read_spec(path)["g"].values == (1e-6, 2e-6)


def test_headings_may_have_units_and_spaces(study):
    spec = read_spec(study([" g (MeV^-2) , rho_high,radius [km]", "1e-6,0.9,10.0", "2e-6,0.8,20.0"]))
    assert spec["g"].values == (1e-6, 2e-6)
    (radius,) = spec.labels
    assert (radius.name, radius.attrs["units"]) == ("radius", "km")


def test_a_file_of_very_many_rows_is_refused_unread(study, tmp_path):
    """Without values its columns are only said to be so long."""
    path = study(None, file="cases.h5")
    with h5py.File(tmp_path / "cases.h5", "w") as file:
        file.create_dataset("row", shape=(10**9,), dtype="i8", chunks=(10**6,)).make_scale()
        file.create_dataset("g", shape=(10**9,), dtype="f8", chunks=(10**6,)).dims[0].attach_scale(
            file["row"]
        )
    with pytest.raises(SpecError, match="has 1,000,000,000 rows or more"):
        read_spec(path)


def test_more_rows_than_an_axis_may_have_are_not_all_read(study, monkeypatch):
    monkeypatch.setattr(cases, "MAX_AXIS", 2)
    monkeypatch.setattr(pd, "read_csv", partial(checked_rows, pd.read_csv))
    with pytest.raises(SpecError, match="has 3 rows or more: give at most 2"):
        read_spec(study([ROWS[0], *ROWS[1:] * 3]))


def checked_rows(read, *args, **options):
    assert options["nrows"] in (1, 3)  # the heading, and as many as there may be
    return read(*args, **options)


def test_a_store_takes_more_rows(study, tmp_path):
    store = tmp_path / "out.zarr"
    ps.run(study(ROWS[:3]), store, scheduler="serial", quiet=True)
    ds = ps.run(study(ROWS), store, scheduler="local", workers=1, quiet=True)
    assert ds.sizes["case"] == 3
    assert (ds.status == 1).all()
    assert ps.point(store, {"case": 2}).at["g"] == 1e-6


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["g,rho_hihg", "1e-6,0.9"], "rho_hihg: is no parameter; did you mean rho_high"),
        (["g,rho_high", "1e-6,0.9", "2e-6,1.5"], r"occupation\.rho_high, row 1 = 1\.5"),
        (["g,rho_high", "1e-6,0.9", ",0.8"], r"coupling\.g, row 1: has no value"),
        (["g,rho_high", "1e-6,0.9", "low,0.8"], r"coupling\.g, row 1 = 'low'"),
        (["g,rho_high", "1e-6,0.9,3,4", "2e-6,0.8"], "cannot be read"),
        (["g,rho_high"], "has no rows"),
        (["radius,mass", "1,2"], "has no column that is a parameter, only radius, mass"),
        (["g,rho_high,g", "1e-6,0.9,1e-6"], "the column g stands twice"),
        (["g (1/erg^2),rho_high", "1e-6,0.9"], "1/erg.2.*is its unit, and g is in MeV"),
        (["pattern,g", "quadrant,1e-6"], r"occupation\.pattern: is also a column"),
        (["g,rho_high,rho_low", "1e-6,0.9,0.1"], r"rho_low: is also a column of cases\.csv"),
        (["case,g,rho_high", "1,1e-6,0.9", "1,2e-6,0.9"], "row 1 = 1: stands twice"),
        (["g,rho_high,growth_rate", "1e-6,0.9,1"], "called like one of the results"),
        (None, "there is no file"),
    ],
)
def test_files_that_cannot_be_are_refused(study, rows, message):
    with pytest.raises(SpecError, match=message):
        read_spec(study(rows))
