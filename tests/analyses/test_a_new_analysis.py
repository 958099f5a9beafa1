"""An analysis that only this file knows goes from TOML to numbers, ``show``, a picture and the reference pages."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import pairsweep as ps
from pairsweep.analyses.base import Analysis, Findings, PointFailure, Solution, index_coordinate
from pairsweep.analyses.registry import ANALYSES
from pairsweep.cli.commands import main
from pairsweep.contract.errors import SpecError, UsageError
from pairsweep.contract.fields import Field, option
from pairsweep.contract.variables import Label, Variable
from pairsweep.drawing import style
from pairsweep.drawing.picture import picture
from pairsweep.spec.reader import parse_spec

SPEC = """
title = "Moments of the EPN"
analyses = ["moments_of_epn"]
[grid]
kind = "bins"
n_energy = 2
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = [0.6, 0.9]
rho_low = 0.1
[coupling]
g = 1e-6
[moments_of_epn]
highest = 3
origin = [0.0, 0.5]
"""


@dataclass(frozen=True, kw_only=True)
class MomentOptions:
    highest: int = option("integer", "highest power of the EPN", default=2, minimum=1, maximum=9)


ORDER = Label("moment_order", "power of the EPN")
calls: list[int] = []


def dimensions(options, sweep):
    return (index_coordinate(ORDER, np.arange(1, options.highest + 1)),)


def check(options, spec):
    if options.highest > 8:
        raise SpecError("moments_of_epn.highest", options.highest, "is hopeless: give at most 8")


def solve(systems, options):
    calls.append(systems.size)
    n = systems.n - systems.own["origin"][:, None]
    powers = np.stack([(n**k).sum(axis=1) for k in range(1, options.highest + 1)], axis=1)
    failed = {
        row: PointFailure("too full", seen={"fullest": 0.9}) for row in np.flatnonzero(n.max(axis=1) > 0.75)
    }
    return Solution({"moment_sum": n.sum(axis=1), "moments": powers}, failed)


def findings(ds, unit):
    if "moment_sum" not in ds:
        return Findings()
    largest = float(ds["moment_sum"].max())
    return Findings((f"  moments      at most {largest:.3g}",), {"largest_moment": largest})


@picture("moments", shows=1)
def moments(ds, ax, *, x=None):
    """Draw the sum of the EPN."""
    sums = ds["moment_sum"]
    ax.plot(ds["rho_high"], sums.isel(origin=0) if "origin" in sums.dims else sums)
    return style.Key(())


TOY = Analysis(
    name="moments_of_epn",
    meaning="moments of the EPN over the pairs",
    options=MomentOptions,
    axes=(Field("origin", "number", "what the EPN is measured from", required=False, default=0.0),),
    variables=(
        Variable("moment_sum", "sum of the EPN over the pairs"),
        Variable("moments", "sums of powers of the EPN", trailing=("moment_order",)),
    ),
    labels=(ORDER,),
    dimensions=dimensions,
    check=check,
    solve=solve,
    summary=findings,
    pictures=__name__,
    code=("pairsweep.analyses.base",),
)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(ANALYSES, TOY.name, TOY)
    calls.clear()


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "moments.toml"
    path.write_text(SPEC)
    return path


def test_from_a_file_to_numbers(spec, tmp_path):
    ds = ps.run(spec, store=tmp_path / "out.zarr", scheduler="serial", quiet=True)
    assert ds["moment_sum"].dims == ("rho_high", "origin")
    assert ds["moments"].dims == ("rho_high", "origin", "moment_order")
    assert ds["moment_order"].values.tolist() == [1, 2, 3]
    grid = ps.bins(2, 1, 4, 20.0)
    rho, rhobar = ps.quadrant(grid, 0.6, 0.1)
    n = rho + rhobar - 1.0 - 0.5
    expected = [n.sum(), (n**2).sum(), (n**3).sum()]
    np.testing.assert_array_equal(ds["moments"].sel(rho_high=0.6, origin=0.5), expected)
    assert (ds["moments"].attrs["long_name"], ds["moment_order"].attrs["long_name"]) == (
        "sums of powers of the EPN",
        "power of the EPN",
    )
    assert ds["status"].values.tolist() == [[1, 1], [2, 1]]


def test_others_do_not_see_its_axis(spec, tmp_path, monkeypatch):
    from pairsweep.analyses.growth import solver

    seen = []
    original = solver.growth_of_systems
    monkeypatch.setattr(
        solver, "growth_of_systems", lambda *a, **k: seen.append(len(a[1])) or original(*a, **k)
    )
    spec.write_text(SPEC.replace('["moments_of_epn"]', '["growth", "moments_of_epn"]'))
    ds = ps.run(spec, scheduler="serial", quiet=True)
    assert ds["growth_rate"].dims == ("rho_high", "origin")
    assert max(seen) == 2  # the distinct systems; four points


def test_what_it_found_is_shown(spec, tmp_path, capsys):
    store = str(tmp_path / "out.zarr")
    assert main(["run", str(spec), "--store", store, "--scheduler", "serial", "--quiet"]) == 1
    assert "  moments      at most" in capsys.readouterr().out
    assert main(["point", str(spec), "--at", "rho_high=0.9,origin=0"]) == 1
    said = capsys.readouterr().err
    assert "moments_of_epn: too full" in said
    assert "fullest" in said
    assert ps.summary(ps.open_store(store)).largest_moment < 0.0


def test_its_picture_is_a_kind(spec, tmp_path):
    ds = ps.run(spec, scheduler="serial", quiet=True)
    assert ps.plot.moments(ds).lines
    assert ps.plot.pictures()["moments"] is moments
    plt.close("all")
    store, target = str(tmp_path / "out.zarr"), tmp_path / "moments.png"
    main(["run", str(spec), "--store", store, "--scheduler", "serial", "--quiet"])
    assert main(["plot", "moments", store, "--select", "origin=0", "-o", str(target)]) == 0
    assert target.stat().st_size > 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("highest = 3", "highest = 0", r"moments_of_epn\.highest = 0: give a whole number of at least 1"),
        ("highest = 3", "highest = 9", "is hopeless"),
        ("highest = 3", "highest = [1, 2]", "never an axis"),
        ("highest = 3", "higest = 3", "did you mean highest"),
        ("g = 1e-6", "g = 1e-6\nmoments = 2", "unknown key"),
        ('["moments_of_epn"]', '["moments_of_epm"]', "did you mean moments_of_epn"),
    ],
)
def test_its_table_is_checked(old, new, message):
    with pytest.raises(SpecError, match=message):
        parse_spec(SPEC.replace(old, new))


def test_a_parameter_cannot_be_called_like_its_variables():
    custom = SPEC.replace(
        'pattern = "quadrant"', 'pattern = "custom"\nfunction = "pairsweep.reproduce.patterns:sector"'
    )
    with pytest.raises(UsageError, match="name of a variable"):
        parse_spec(custom.replace("rho_low", "moment_sum"))


def test_the_reference_pages_have_it():
    place = Path(__file__).resolve().parents[2] / "docs" / "reference.py"
    found = importlib.util.spec_from_file_location("reference_with_a_new_analysis", place)
    reference = importlib.util.module_from_spec(found)
    found.loader.exec_module(reference)
    pages = reference.pages()
    assert "`[moments_of_epn]`" in pages["specification.md"]
    assert "highest power of the EPN" in pages["specification.md"]
    assert "what the EPN is measured from" in pages["specification.md"]
    assert "sums of powers of the EPN" in pages["dataset.md"]
    assert "power of the EPN" in pages["dataset.md"]
    assert "`moments`" in pages["command_line.md"]
