"""What is saved can be made again: by its command, and by its lines of Python."""

import shlex

import matplotlib.pyplot as plt
import pytest

import pairsweep as ps
from pairsweep.cli.commands import main
from pairsweep.viewer.link import Look
from pairsweep.viewer.plane import side_of
from pairsweep.viewer.save import Recipe
from tests.specs import growth


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("save") / "map.zarr"
    text = growth(rho_high="[0.5, 0.7, 0.9]", rho_low="[0.1, 0.3, 0.6]", n_energy="[1, 2]")
    ps.run(text, path, scheduler="serial", quiet=True)
    return path


def recipe(store, variable="growth_rate", frame=None, y="rho_low", **scales):
    ds = ps.open_store(store)
    sides = tuple(
        side_of(ds, dim, scales.get(scale, "auto"))
        for dim, scale in (("rho_high", "x_scale"), (y, "y_scale"))
        if dim
    )
    trailing = {"energy_bin": "0"} if variable == "energy_weight" else {}
    at = {"n_energy": "2"} | ({} if y else {"rho_low": "0.1"}) | trailing
    return Recipe.of(ds, Look(variable=variable, frame=frame, **scales), sides, at), ds


SEEN = (0.65, 1.0, 0.2, 0.4)


@pytest.mark.parametrize(
    ("variable", "frame", "y"),
    [
        ("growth_rate", None, "rho_low"),
        ("growth_rate", SEEN, "rho_low"),
        ("mode_kind", None, "rho_low"),
        ("epn_crossing_depth", SEEN, "rho_low"),
        ("epn_crossing_depth", None, ""),
    ],
)
def test_the_command_makes_the_same_bytes(store, tmp_path, monkeypatch, variable, frame, y):
    monkeypatch.chdir(tmp_path)
    made, ds = recipe(store, variable, frame, y)
    words = shlex.split(made.command(str(store)))
    assert main(words[1:]) == 0
    assert (tmp_path / f"{variable}.pdf").read_bytes() == made.file(ds, ".pdf")
    names = {}
    (tmp_path / f"{variable}.pdf").unlink()
    exec(compile(made.python(ds, str(store)), "lines", "exec"), names)
    assert (tmp_path / f"{variable}.pdf").read_bytes() == made.file(ds, ".pdf")
    plt.close("all")


def test_what_has_several_values_a_point_is_drawn_by_xarray(store):
    made, ds = recipe(store, "energy_weight", SEEN)
    assert made.command(str(store)) == ""
    assert made.file(ds, ".png").startswith(b"\x89PNG")
    exec(compile(made.python(ds, str(store)), "lines", "exec"), {})
    plt.close("all")


def test_a_frame_is_that_of_the_picture(store):
    made, ds = recipe(store, frame=SEEN)
    ax = made.figure(ds).axes[0]
    assert (*ax.get_xlim(), *ax.get_ylim()) == pytest.approx(SEEN)
    plt.close("all")


def test_scales_that_were_chosen_are_those_of_the_picture(store):
    made, ds = recipe(store, y_scale="linear", x_scale="log")
    ax = made.figure(ds).axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    assert made.command(str(store)) == ""  # which can ask for logarithmic ones alone
    made, _ = recipe(store, x_scale="log")
    assert "--log x" in made.command(str(store))
    plt.close("all")


def test_a_logarithmic_scale_is_left_out_where_a_side_has_no_place_for_it(store):
    ds = ps.open_store(store).assign_coords(rho_low=[0.0, 0.3, 0.6])
    look = Look(variable="growth_rate", y_scale="log")
    sides = side_of(ds, "rho_high"), side_of(ds, "rho_low", "log")
    assert Recipe.of(ds, look, sides, {"n_energy": "2"}).scales == {}
