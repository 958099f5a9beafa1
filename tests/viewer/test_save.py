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


def recipe(store, variable="growth_rate", frame=None, y="rho_low"):
    ds = ps.open_store(store)
    sides = tuple(side_of(ds, dim) for dim in ("rho_high", y) if dim)
    at = {"n_energy": "2"} | ({} if y else {"rho_low": "0.1"})
    return Recipe.of(Look(variable=variable, frame=frame), sides, at), ds


@pytest.mark.parametrize("variable", ["growth_rate", "mode_kind"])
def test_the_command_makes_the_same_bytes(store, tmp_path, monkeypatch, variable):
    monkeypatch.chdir(tmp_path)
    made, ds = recipe(store, variable)
    words = shlex.split(made.command(str(store)))
    assert main(words[1:]) == 0
    assert (tmp_path / f"{variable}.pdf").read_bytes() == made.file(ds, ".pdf")
    plt.close("all")


@pytest.mark.parametrize(
    ("variable", "frame", "y"),
    [
        ("growth_rate", None, "rho_low"),
        ("growth_rate", (0.65, 1.0, 0.0, 0.4), "rho_low"),
        ("epn_crossing_depth", None, "rho_low"),
        ("epn_crossing_depth", None, ""),
    ],
)
def test_the_lines_of_python_run(store, tmp_path, monkeypatch, variable, frame, y):
    monkeypatch.chdir(tmp_path)
    made, ds = recipe(store, variable, frame, y)
    names = {}
    exec(compile(made.python(ds, str(store)), "lines", "exec"), names)
    expected = ds.sizes["rho_high"] if frame is None else 2
    assert names["ds"].sizes["rho_high"] == expected
    assert made.file(ds, ".png").startswith(b"\x89PNG")
    plt.close("all")


def test_a_frame_is_kept_in_the_picture(store):
    made, ds = recipe(store, frame=(0.65, 1.0, 0.0, 0.4))
    labels = [text.get_text() for text in made.figure(ds).axes[0].get_xticklabels()]
    assert labels == ["0.7", "0.9"]
    assert made.command(str(store)) == ""
    plt.close("all")
