"""The analysis in the house: what a specification may say, what a store holds, what is refused, what is drawn."""

import json
import re

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.analyses.inhomogeneous.directions import angles_of, unit_vectors
from pairsweep.analyses.inhomogeneous.ladder import finer
from pairsweep.analyses.registry import ANALYSES
from pairsweep.contract.errors import SpecError, UsageError
from pairsweep.spec.reader import parse_spec
from tests import specs
from tests.analyses.inhomogeneous import reference

DIAGONAL = {"k_theta": np.pi / 2, "k_phi": 0.75 * np.pi}


def toml(value):
    """One value as TOML."""
    if isinstance(value, bool | str):
        return json.dumps(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    return repr(value)


def spec(text=None, **table):
    """A specification with these keys in its table, the quadrant on (5,1,4) unless given."""
    text = QUADRANT if text is None else text
    return text + "\n[inhomogeneous]\n" + "\n".join(f"{key} = {toml(value)}" for key, value in table.items())


def run(text, folder):
    """Results of a specification."""
    file = folder / "spec.toml"
    file.write_text(text)
    return ps.run(file, store=folder / "k.zarr", scheduler="serial").load()


QUADRANT = specs.growth(analyses='["inhomogeneous"]', n_energy=5)
BOTH = '["growth", "inhomogeneous"]'


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    base = specs.growth(analyses=BOTH, n_energy="[1, 5]")
    text = spec(base, k=[0.0, 0.8, 1.37, 1.9], **DIAGONAL, modes=3, ladder_max=10)
    return run(text, tmp_path_factory.mktemp("sweep"))


@pytest.fixture(scope="module")
def directions(tmp_path_factory):
    text = spec(k=1.37, k_theta=[0.2, 0.8, 1.5], k_phi=np.linspace(0, 6.0, 8).tolist())
    return run(text, tmp_path_factory.mktemp("directions"))


def test_a_sweep_has_the_numbers_of_the_twin(sweep):
    for n_energy in (1, 5):
        for k in sweep["k"].values:
            at = sweep.sel(n_energy=n_energy, k=k)
            vector = k * unit_vectors(DIAGONAL["k_theta"], DIAGONAL["k_phi"])
            modes = reference.poles(ps.bins(n_energy, 1, 4), reference.quadrant(), 1e-6, vector).modes()
            growth = max(modes.imag.max(), 0.0)
            assert float(at["inhomogeneous_growth_rate"]) == pytest.approx(growth, rel=1e-9, abs=1e-10)
            assert int(at["inhomogeneous_n_unstable"]) == (modes.imag > 1e-8).sum()


def test_without_a_wave_number_it_is_growth(sweep):
    still = sweep.sel(k=0.0)
    np.testing.assert_allclose(still["inhomogeneous_growth_rate"], still["growth_rate"], rtol=1e-11)
    np.testing.assert_array_equal(still["inhomogeneous_n_unstable"], still["n_unstable"])


def test_modes_and_bands(sweep):
    at = sweep.sel(n_energy=5, k=1.37)
    assert float(at["inhomogeneous_mode_growth_rate"][0]) == float(at["inhomogeneous_growth_rate"])
    assert abs(float(at["inhomogeneous_mode_frequency"][0])) == float(at["inhomogeneous_frequency"])
    low, high = at["inhomogeneous_pole_low"], at["inhomogeneous_pole_high"]
    assert bool((low < high).all())
    # the unstable mode lies among the poles of its bin
    assert float(low[4]) < float(at["inhomogeneous_frequency"]) < float(high[4])
    alone = sweep.sel(n_energy=1, k=1.37)
    assert bool(alone["inhomogeneous_pole_low"][1:].isnull().all())


def test_the_ladder_goes_on_at_the_same_k(sweep):
    assert sweep["k_ladder"].values.tolist() == [1, 2, 4, 8]
    rungs = sweep.sel(n_energy=5, k=1.37)["inhomogeneous_ladder_growth"].values
    assert rungs[0] == pytest.approx(float(sweep.sel(n_energy=5, k=1.37)["inhomogeneous_growth_rate"]))
    vector = 1.37 * unit_vectors(DIAGONAL["k_theta"], DIAGONAL["k_phi"])
    finer = reference.poles(ps.bins(10, 1, 4), reference.quadrant(), 1e-6, vector).modes()
    assert rungs[1] == pytest.approx(finer.imag.max(), rel=1e-8)
    assert np.isnan(rungs[2:]).all()


@pytest.mark.parametrize("cell_volume", ["midpoint", "exact"])
def test_finer_bins_are_those_of_a_finer_grid(cell_volume):
    grid = ps.bins(3, 2, 4, cell_volume=cell_volume)
    for factor in (1, 2, 5):
        split, made = finer(grid, factor), ps.bins(3 * factor, 2, 4, cell_volume=cell_volume)
        for name in ("energy", "weight", "theta", "phi", "energy_bin", "bin_energy"):
            np.testing.assert_allclose(getattr(split, name), getattr(made, name), rtol=1e-13, err_msg=name)


def test_beams_keep_their_occupation(tmp_path):
    base = specs.changed(specs.BEAMS, analyses=BOTH)
    ds = run(spec(base, k=[0.0, 0.01], k_direction=["x", "y"]), tmp_path)
    assert dict(ds["inhomogeneous_growth_rate"].sizes) == {"k": 2, "k_direction": 2}
    still = ds.sel(k=0.0)
    np.testing.assert_allclose(still["inhomogeneous_growth_rate"], still["growth_rate"], rtol=1e-9)
    assert float(ds["inhomogeneous_growth_rate"].sel(k=0.0, k_direction="x")) > 1e-4


def test_search_finds_the_largest_growth(tmp_path):
    ds = run(spec(search=True), tmp_path)
    assert float(ds["inhomogeneous_growth_rate"]) >= 9.15e-3
    assert 1.3 < float(ds["k_of_largest"]) < 1.5
    assert float(ds["k_phi_of_largest"]) % np.pi == pytest.approx(0.75 * np.pi, abs=0.15)
    assert 0.0 < float(ds["inhomogeneous_unstable_share"]) < 1.0
    told = "\n".join(ANALYSES["inhomogeneous"].summary(ds, "MeV").lines)
    assert re.search(
        r"found at k = 1\.\d+ MeV, k_theta = 1\.57\d*, k_phi = \d.*may have been missed", told
    ), told
    assert float(ds["inhomogeneous_k_step"]) > 0.0


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"k": -1.0, "k_direction": "z"}, "inhomogeneous.k = -1.0: "),
        ({"k": float("nan"), "k_direction": "z"}, "inhomogeneous.k = nan: "),
        ({"k": 41.0, "k_direction": "z"}, "inhomogeneous.k = 41.0: is above 2 energy_max = 40"),
        ({}, "inhomogeneous.k: is missing: give a wave number in MeV, or search = true"),
        ({"k": 1.0}, "inhomogeneous.k_theta: is missing: give k_theta and k_phi in radians"),
        ({"k": 1.0, "k_phi": 0.1}, "inhomogeneous.k_theta: is missing"),
        ({"k": 1.0, "search": True}, "inhomogeneous.k: search = true finds k"),
        ({"search": True, "k_direction": "x"}, "inhomogeneous.k_direction: search = true finds k"),
        (
            {"k": 1.0, "k_direction": "x", "k_theta": 1.0},
            "inhomogeneous.k_direction = 'x': the direction of k is given twice",
        ),
        ({"k": 1.0, "k_direction": "w"}, "inhomogeneous.k_direction = 'w': "),
        (
            {"k": 1.0, "k_direction": "z", "growth_tolerance": 1e-12},
            "inhomogeneous.growth_tolerance = 1e-12: ",
        ),
        (
            {"k": 1.0, "k_direction": "z", "ladder_max": 3},
            "inhomogeneous.ladder_max = 3: is below n_energy = 5",
        ),
        ({"k": 1.0, "k_direction": "z", "families": "both"}, "inhomogeneous.families = 'both': "),
    ],
)
def test_refused_in_one_line(table, line):
    with pytest.raises(SpecError) as caught:
        parse_spec(spec(**table))
    text = str(caught.value)
    assert text.startswith(line), text
    assert "\n" not in text


def test_a_function_that_holds_on_the_grid_only_fails_its_points(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "def f(energy, theta, phi):\n"
        "    if np.any(energy > 20.0):\n"
        "        raise KeyError('not in the table')\n"
        "    return 0.5 + 0 * energy, 0.5 + 0 * energy\n"
    )
    before, after = QUADRANT.split("[occupation]")
    after = after[after.index("[coupling]") :]
    custom = f'{before}[occupation]\npattern = "custom"\nfunction = "mine.py:f"\n{after}'
    ds = run(spec(custom, k=[0.0, 20.0], k_direction="z"), tmp_path)
    assert ds["status"].values.tolist() == [1, 2]
    reason = next(iter(ps.errors(tmp_path / "k.zarr"))).reason
    assert "KeyError: 'not in the table'" in reason
    assert "off the grid" in reason


class TestSingle:
    def test_every_unstable_mode(self):
        k = 1.37 * np.array([-1.0, 1.0, 0.0]) / np.sqrt(2)
        ds = ps.inhomogeneous(ps.bins(5, 1, 4), reference.quadrant(), g=1e-6, k=k, all_modes=True)
        dense = reference.poles(ps.bins(5, 1, 4), reference.quadrant(), 1e-6, k).modes()
        unstable = dense[dense.imag > 1e-8]
        assert int(ds["inhomogeneous_n_unstable"]) == unstable.size == ds.sizes["wave_mode"]
        np.testing.assert_allclose(
            np.sort(ds["omega_unstable"].values.imag), np.sort(unstable.imag), rtol=1e-8
        )
        every = ds["omega"].values
        assert every.size == dense.size
        np.testing.assert_allclose(np.sort(every.real), np.sort(dense.real), atol=1e-10)

    def test_many_wave_vectors(self):
        k = np.array([[0.0, 0.0, 0.0], [0.3, 0.1, 0.0]])
        ds = ps.inhomogeneous(ps.bins(1, 1, 4), reference.quadrant(), g=1e-6, k=k)
        assert ds["inhomogeneous_growth_rate"].dims == ("wave_vector",)
        np.testing.assert_array_equal(ds["kx"], k[:, 0])

    @pytest.mark.parametrize(
        ("n_energy", "growth", "k"),
        [
            (4, 1.0776e-2, 1.2),
            (5, 9.15e-3, 1.39),
            (8, 6.23e-3, 1.64),
            (16, 3.33e-3, 1.89),
            (32, 1.72e-3, 1.97),
        ],
    )
    def test_search(self, n_energy, growth, k):
        """The narrow islands of many energy bins are found by two beams in tune."""
        ds = ps.inhomogeneous(ps.bins(n_energy, 1, 4), reference.quadrant(), g=1e-6)
        assert float(ds["inhomogeneous_growth_rate"]) >= growth
        assert float(ds["k_of_largest"]) == pytest.approx(k, abs=0.05)

    @pytest.mark.parametrize(
        ("changes", "line"),
        [
            ({"g": 0.0}, r"g = 0.0: give a coupling in MeV\^-2 above 0"),
            ({"k": [0.0, 0.0, 41.0]}, "k = 41: above 2 energy_max"),
            ({"k": [0.0, np.nan, 1.0]}, "k = nan: give a wave number"),
            ({"k": [1.0, 2.0]}, "k has shape"),
            ({"background": "none"}, "background = 'none': choose one of shift, kinetic"),
            ({"growth_tolerance": 1e-14}, "growth_tolerance = 1e-14: below what double precision"),
        ],
    )
    def test_refused_in_one_line(self, changes, line):
        given = {"g": 1e-6, "k": [0.0, 0.0, 1.0]} | changes
        with pytest.raises((ValueError, RuntimeError), match=line):
            ps.inhomogeneous(ps.bins(1, 1, 4), reference.quadrant(), **given)

    def test_a_focus_on_the_grid(self):
        grid = ps.bins(1, 1, 4)
        with pytest.raises(ValueError, match="half of it is the momentum of pair"):
            ps.inhomogeneous(grid, reference.quadrant(), g=1e-6, k=20.0 * grid.p_hat[0])

    def test_occupations_off_the_grid(self):
        def too_much(energy, theta, phi):
            return np.where(energy > 10.0, 1.5, 0.5), 0.5

        with pytest.raises(ValueError, match="occupations lie between 0 and 1"):
            ps.inhomogeneous(ps.bins(1, 1, 4), too_much, g=1e-6, k=[0.0, 0.0, 1.0])


def test_angles_and_back():
    rng = np.random.default_rng(0)
    for vector in rng.normal(size=(20, 3)):
        length, theta, phi = angles_of(vector)
        np.testing.assert_allclose(length * unit_vectors(theta, phi), vector, atol=1e-14)


def test_show_says_what_was_found(sweep):
    found = ANALYSES["inhomogeneous"].summary(sweep, "MeV")
    text = "\n".join(found.lines)
    assert "of 8 points unstable" in text
    assert "largest growth 0.01339 MeV at n_energy = 1, k = 0\n" in text
    assert "discretisation (by the ceiling" in text
    assert "grid too coarse" in text


class TestPictures:
    def test_growth_against_k_has_a_line_per_bin_number(self, sweep):
        ax = ps.plot.growth_vs_k(sweep)
        curves = [line for line in ax.get_lines() if len(line.get_xdata()) == 4]
        assert len(curves) == 2
        np.testing.assert_array_equal(
            curves[1].get_ydata(), sweep["inhomogeneous_growth_rate"].sel(n_energy=5)
        )

    def test_map_over_k(self, sweep):
        ax = ps.plot.k_map(sweep)
        assert ax.get_xlabel() == "$k$ (MeV)"
        drawn = ax.collections[1].get_array()
        assert drawn.count() == int((sweep["inhomogeneous_growth_rate"] > 0).sum())

    def test_branches_lie_in_the_band(self, sweep):
        ax = ps.plot.dispersion(sweep.sel(n_energy=5))
        points = ax.collections[-1].get_offsets()
        assert len(points) > 0
        low, high = ax.get_ylim()
        assert np.all((points[:, 1] > low) & (points[:, 1] < high))
        # bins that a shorter ladder of energies has not are NaN
        ps.plot.dispersion(sweep.sel(n_energy=1))
        with pytest.raises(UsageError, match="choose a value of n_energy"):
            ps.plot.dispersion(sweep)

    def test_directions_in_equal_areas(self, directions):
        ax = ps.plot.k_polar(directions)
        drawn = max(mesh.get_array().max() for mesh in ax.collections)
        assert drawn == float(directions["inhomogeneous_growth_rate"].max())
        with pytest.raises(UsageError, match="k_theta and k_phi"):
            ps.plot.k_polar(directions.isel(k_phi=0))
