"""A pattern that only this file knows goes from TOML to a picture and the reference page by one registered line."""

import importlib.util
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import pairsweep as ps
from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field
from pairsweep.physics.patterns import registry
from pairsweep.physics.patterns.base import Edges, Pattern, occupation_field
from pairsweep.points.axes import expand
from pairsweep.points.systems import profile_at
from pairsweep.spec.reader import parse_spec, read_spec

SPEC = """
analyses = ["growth"]
[grid]
kind = "bins"
n_energy = 2
n_theta = 2
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "hemisphere"
up = [0.6, 0.9, 1.0]
down = 0.1
tilt = 0.0
[coupling]
g = [1e-6, 2e-6]
"""


def hemisphere(momenta, up, down, tilt=0.0):
    """Return ``up`` where cos(theta) > tilt, ``down`` elsewhere."""
    rho = np.where(np.cos(momenta.theta) > tilt, up, down)
    return rho, rho


def check(spec):
    if min(spec["up"].values) < max(spec["down"].values):
        raise SpecError("occupation.up", min(spec["up"].values), "lies below down: give at least down")


HEMISPHERE = Pattern(
    name="hemisphere",
    meaning="one occupation above the equator, another below",
    function=hemisphere,
    fields=(
        occupation_field("up", "occupation of the upper hemisphere", symbol=r"\rho_\uparrow"),
        occupation_field("down", "occupation of the lower hemisphere"),
        Field("tilt", "number", "cos(theta) of the border", required=False, default=0.0),
    ),
    linear=True,
    edges=lambda tilt=0.0, **levels: Edges(cos_theta=(tilt,)),
    check=check,
)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(registry.PATTERNS, HEMISPHERE.name, HEMISPHERE)


def test_from_a_file_to_numbers_and_a_picture(tmp_path):
    path = tmp_path / "hemisphere.toml"
    path.write_text(SPEC)
    ds = ps.run(path, store=tmp_path / "out.zarr", scheduler="serial")
    assert (ds.status == 1).all()
    grid = ps.bins(2, 2, 4, 20.0)
    for up in (0.6, 0.9, 1.0):
        rho, rhobar = hemisphere(grid, up, 0.1)
        alone = ps.growth(grid, rho, rhobar=rhobar, g=2e-6)
        assert float(ds.growth_rate.sel(up=up, g=2e-6)) == pytest.approx(float(alone.growth_rate), rel=1e-9)
    figure = ps.plot.growth_map(ds).figure
    assert r"$\rho_\uparrow$" in {
        text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel())
    }
    plt.close(figure)


def test_its_edges_reach_the_analyses():
    sweep = expand(parse_spec(SPEC.replace("tilt = 0.0", "tilt = 0.5")))
    profile = HEMISPHERE.profile(up=0.9, down=0.1, tilt=0.5)
    assert profile.cos_theta_edges == (0.5,)
    assert profile_at(sweep, np.array([[0, 0]])).cos_theta_edges == (0.5,)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("down = 0.1", "down = 0.7", r"occupation\.up = 0\.6: lies below down"),
        ("down = 0.1", "down = 1.1", "occupations lie between 0 and 1"),
        ("down = 0.1", "", r"occupation\.down: is missing"),
        ("down = 0.1", "down = 0.1\ntilted = 1", r"occupation\.tilted: unknown key; did you mean tilt\?"),
        ('"hemisphere"', '"hemispere"', "did you mean hemisphere"),
    ],
)
def test_its_fields_and_checks_are_those_of_the_specification(tmp_path, old, new, message):
    path = tmp_path / "hemisphere.toml"
    path.write_text(SPEC.replace(old, new))
    with pytest.raises(SpecError, match=message):
        read_spec(path)


def test_the_reference_page_has_it():
    place = Path(__file__).resolve().parents[3] / "docs" / "reference.py"
    found = importlib.util.spec_from_file_location("reference_with_a_new_pattern", place)
    reference = importlib.util.module_from_spec(found)
    found.loader.exec_module(reference)
    page = reference.pages()["specification.md"]
    assert '### `pattern = "hemisphere"`' in page
    assert re.search(r"`tilt`.*cos\(theta\) of the border", page)
