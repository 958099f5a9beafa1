"""Labels of axes: as people write them, and good for one point alone."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import pairsweep as ps
from pairsweep.cli.commands import main
from pairsweep.contract.errors import SpecError
from pairsweep.points.axes import expand
from pairsweep.spec.checks import rounded
from pairsweep.spec.reader import parse_spec
from pairsweep.sweep.point import _position
from pairsweep.sweep.run import Where, run_to_store
from tests.specs import GROWTH, growth

ZIPPED = 'zip = [["n_theta", "n_phi"]]\n' + growth(
    n_theta="[1, 2, 4]", n_phi="[4, 8, 8]", rho_high="[0.5, 0.9]"
)


def position(text, **at):
    return _position(expand(parse_spec(text)), at)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ({"n_theta": "2", "n_phi": "4"}, "do not stand together; there is n_theta=2,n_phi=8"),
        ({"n_phi": "8"}, "fits 2 points: choose one of n_theta=2,n_phi=8; n_theta=4,n_phi=8"),
        ({"n_phi": "5"}, "is no value of this axis; nearest: 4"),
        ({}, "names no value of n_theta"),
    ],
)
def test_labels_that_fit_no_point_or_several_are_refused(at, words):
    with pytest.raises(SpecError, match=words):
        position(ZIPPED, rho_high="0.9", **at)


@pytest.mark.parametrize("at", [{"n_theta": "4", "n_phi": "8"}, {"n_theta": "4"}])
def test_labels_that_fit_one_point_find_it(at):
    assert position(ZIPPED, rho_high="0.9", **at) == (2, 1)


def test_a_label_that_is_written_twice_alike_to_nine_digits_takes_the_exact_one():
    assert position(growth(g="[1e-6, 1.0000000001e-6]"), g="1.0000000001e-6") == (1,)
    with pytest.raises(SpecError, match="fits 2 points"):
        position(growth(g="[1e-6, 1.0000000001e-6]"), g="1.00000000005e-6")


def test_words_are_labels_too():
    text = GROWTH.replace("energy_max", 'cell_volume = ["midpoint", "exact"]\nenergy_max')
    assert position(text, cell_volume="exact") == (1,)
    with pytest.raises(SpecError, match="nearest: midpoint, exact"):
        position(text, cell_volume="exakt")


def test_ranges_have_the_labels_that_people_write(tmp_path):
    values = parse_spec(growth(rho_high="{ start = 0.1, stop = 0.9, num = 9 }"))["rho_high"].values
    assert values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    decades = parse_spec(growth(g='{ start = 1e-9, stop = 1e-3, num = 7, spacing = "log" }'))["g"].values
    assert decades == (1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
    ends = parse_spec(growth(rho_high="{ start = 0.12345678901234567, stop = 0.9, num = 3 }"))[
        "rho_high"
    ].values
    assert ends[0] == 0.12345678901234567


def test_a_list_takes_the_place_of_a_range(tmp_path):
    path, store = tmp_path / "spec.toml", tmp_path / "out.zarr"
    path.write_text(growth(rho_high="{ start = 0.6, stop = 0.9, num = 4 }"))
    run_to_store(path, store, Where("serial"), quiet=True)
    path.write_text(growth(rho_high="[0.6, 0.7, 0.8, 0.9, 1.0]"))
    assert run_to_store(path, store, Where("serial"), quiet=True).computed == 1
    assert float(ps.open_store(store).growth_rate.sel(rho_high=0.7)) > 0


@pytest.mark.parametrize(
    "points",
    [
        np.linspace(0, 1, 1001),
        np.linspace(-3, 7, 333),
        np.geomspace(1e-30, 1e30, 5000),
        np.random.default_rng(1).uniform(-1, 1, 5000)
        * 10.0 ** np.random.default_rng(2).integers(-300, 300, 5000),
    ],
)
def test_rounding_is_that_of_decimal_writing(points):
    np.testing.assert_array_equal(rounded(points), [float(f"{value:.15g}") for value in points.tolist()])


def test_values_closer_than_that_stay_apart():
    points = np.linspace(1.0, 1.0 + 1e-14, 20)
    assert np.unique(rounded(points)).size == np.unique(points).size


# --- words -----------------------------------------------------------------------------------------------------


@pytest.fixture
def words(tmp_path):
    """A store with an axis of words on which one point in two fails."""
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n\n\ndef f(energy, theta, phi, level, name):\n"
        "    r = np.where(phi < 1.57, level, 0.1 if name == 'low' else 0.2)\n    return r, r\n"
    )
    text = GROWTH.split("[occupation]")[0].replace(
        "energy_max", 'cell_volume = ["midpoint", "exact"]\nenergy_max'
    )
    text += '[occupation]\npattern = "custom"\nfunction = "mine.py:f"\nname = ["low", "higher"]\nlevel = [0.5, 1.5]\n'
    (tmp_path / "spec.toml").write_text(text + "[coupling]\ng = [1e-6, 2e-6]\n")
    run_to_store(tmp_path / "spec.toml", tmp_path / "out.zarr", Where("serial"), quiet=True)
    return tmp_path / "out.zarr"


def test_failures_on_an_axis_of_words_are_listed(words, capsys):
    failures = ps.errors(words)
    assert len(failures) == 8
    assert failures[0].at == {"cell_volume": "midpoint", "name": "low", "level": 1.5, "g": 1e-6}
    assert main(["show", str(words)]) == 0
    assert "occupations lie between 0 and 1" in capsys.readouterr().out


@pytest.mark.parametrize("picture", ["growth_map", "phase_diagram"])
@pytest.mark.parametrize("sides", [("cell_volume", "g"), ("g", "name"), ("name", "cell_volume")])
def test_maps_have_sides_of_words(words, picture, sides):
    ds = ps.open_store(words).sel(level=0.5)
    others = {"cell_volume": "exact", "name": "low", "g": 1e-6}
    flat = ds.sel({name: value for name, value in others.items() if name not in sides})
    figure = getattr(ps.plot, picture)(flat, x=sides[0], y=sides[1]).figure
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels() + figure.axes[0].get_yticklabels()]
    assert set(map(str, ds[sides[0]].values)) <= set(ticks) or sides[0] == "g"
    plt.close(figure)


def test_words_are_not_refined(words, tmp_path):
    with pytest.raises(SpecError, match="only numbers can be refined"):
        ps.refine(words, ["name"], 0.1)


def test_a_map_does_not_join_points_that_share_a_label(tmp_path):
    (tmp_path / "spec.toml").write_text(ZIPPED)
    run_to_store(tmp_path / "spec.toml", tmp_path / "out.zarr", Where("serial"), quiet=True)
    with pytest.raises(ps.UsageError, match="choose n_theta"):
        ps.plot.growth_map(ps.open_store(tmp_path / "out.zarr"), x="n_phi")
