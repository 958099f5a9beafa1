"""Parameters drawn between two ends."""

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.contract.errors import SpecError
from pairsweep.points.axes import expand
from pairsweep.spec.reader import read_spec
from pairsweep.spec.sample import METHODS, latin_hypercube
from tests.specs import BEAMS, GROWTH, changed, growth

DRAWN = {"rho_high": "{ low = 0.5, high = 1.0 }", "g": '{ low = 1e-8, high = 1e-5, spacing = "log" }'}


def sampled(sample="count = 8", base=GROWTH, **changes):
    return changed(base, **(changes or DRAWN)) + f"\n[sample]\n{sample}\n"


@pytest.mark.parametrize("method", METHODS)
def test_a_larger_count_keeps_the_first_points_bit_for_bit(method):
    all_points = METHODS[method](1000, 3, 7)
    for count in (1, 2, 7, 64, 200, 999):
        np.testing.assert_array_equal(METHODS[method](count, 3, 7), all_points[:count])
    assert (all_points >= 0).all()
    assert (all_points < 1).all()
    assert not np.array_equal(METHODS[method](1000, 3, 8), all_points)


@pytest.mark.parametrize("method", METHODS)
def test_values_too_are_the_same_bits_whatever_the_count(method):
    few, many = (read_spec(sampled(f'count = {count}\nmethod = "{method}"\nseed = 3')) for count in (37, 500))
    for name in ("rho_high", "g"):
        assert few[name].values == many[name].values[:37]


def test_a_hypercube_of_two_to_the_n_has_one_point_in_each_stratum_of_every_parameter():
    for count in (1, 2, 8, 128):
        points = latin_hypercube(count, 5, 1)
        strata = np.sort(np.floor(points * count), axis=0)
        np.testing.assert_array_equal(strata, np.arange(count)[:, None].repeat(5, axis=1))
    # and not the same order in two of them
    assert abs(np.corrcoef(latin_hypercube(1024, 2, 0).T)[0, 1]) < 0.1


def test_means_of_draws_are_those_of_the_spacing():
    spec = read_spec(sampled("count = 4096"))
    assert np.mean(spec["rho_high"].values) == pytest.approx(0.75, abs=1e-3)
    assert np.mean(np.log10(spec["g"].values)) == pytest.approx(-6.5, abs=1e-3)
    assert min(spec["g"].values) >= 1e-8
    assert max(spec["g"].values) <= 1e-5


def test_whole_numbers_include_both_ends_alike():
    spec = read_spec(sampled("count = 4000", n_energy="{ low = 1, high = 4 }"))
    found, counts = np.unique(spec["n_energy"].values, return_counts=True)
    assert found.tolist() == [1, 2, 3, 4]
    assert all(isinstance(value, int) for value in spec["n_energy"].values)
    np.testing.assert_allclose(counts, 1000, atol=5)


def test_one_axis_with_the_drawn_values_along_it_beside_other_axes():
    ds = ps.run(sampled(base=growth(rho_low="[0.0, 0.2]")), scheduler="serial", quiet=True)
    assert ds["growth_rate"].dims == ("sample", "rho_low")
    np.testing.assert_array_equal(ds["sample"], np.arange(8))
    assert ds["g"].dims == ds["rho_high"].dims == ("sample",)
    assert ds["g"].attrs["units"] == "MeV^-2"
    grid = ps.bins(1, 1, 4, 20.0)
    for at in (0, 5):
        here = ds.isel(sample=at, rho_low=1)
        alone = ps.growth(grid, *ps.quadrant(grid, float(here["rho_high"]), 0.2), g=float(here["g"]))
        assert float(here["growth_rate"]) == pytest.approx(float(alone["growth_rate"]), rel=1e-9)


def test_a_grown_count_computes_only_the_new_points(tmp_path):
    store = tmp_path / "s.zarr"
    few = ps.run(sampled("count = 5"), store=store, scheduler="serial", quiet=True).load()
    told = ps.plan(sampled("count = 12"))
    assert told.template.n_points == 12
    many = ps.run(sampled("count = 12"), store=store, scheduler="serial", quiet=True).load()
    assert many.sizes["sample"] == 12
    for name in ("growth_rate", "rho_high", "g"):
        np.testing.assert_array_equal(many[name][:5], few[name])
    assert (many["status"] == 1).all()


def test_parameters_of_beams_are_drawn():
    spec = read_spec(
        sampled("count = 3", base=BEAMS.replace("rho = 0.1", "rho = { low = 0.0, high = 0.2 }"), g="1e-3")
    )
    assert expand(spec).names == ("sample",)
    assert len(set(spec["rho_z"].values)) == 3


def test_parameters_of_a_function_of_ones_own_are_drawn_and_whole_ones_stay_whole(tmp_path):
    (tmp_path / "mine.py").write_text(
        "def f(energy, theta, phi, level, n):\n    return 0 * energy + level, 0 * energy\n"
    )
    own = 'pattern = "custom"\nfunction = "mine.py:f"\nn = { low = 1, high = 3 }\nlevel = { low = 0.1, high = 0.2 }'
    base = GROWTH.replace('pattern = "quadrant"\nrho_high = 0.9\nrho_low = 0.1', own)
    (tmp_path / "spec.toml").write_text(sampled("count = 4", base=base, g="1e-6"))
    spec = read_spec(tmp_path / "spec.toml")
    assert all(isinstance(value, int) for value in spec["n"].values)
    assert all(0.1 <= value <= 0.2 for value in spec["level"].values)


def test_parameters_of_an_analysis_are_drawn():
    waves = '[inhomogeneous]\nk_direction = "x"\nk = { low = 0.0, high = 2.0 }\n'
    spec = read_spec(sampled("count = 4", g="1e-6", analyses='["inhomogeneous"]') + waves)
    assert expand(spec).names == ("sample",)


def test_draws_are_set_from_outside():
    spec = read_spec(GROWTH, {"sample": {"count": 3}, "occupation.rho_high": {"low": 0.5, "high": 1.0}})
    assert len(spec["rho_high"].values) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (sampled(rho_high="{ low = 1.0, high = 0.5 }"), "low lies below high"),
        (sampled(rho_high="{ low = 0.5, high = 0.5 }"), "low lies below high"),
        (sampled(g='{ low = 0.0, high = 1e-5, spacing = "log" }'), "g.low = 0.0: give a number"),
        (sampled(rho_high='{ low = 0.0, high = 1.0, spacing = "log" }'), "needs low and high above 0"),
        (sampled(rho_high='{ low = 0.0, high = 1.0, spacing = "lgo" }'), "did you mean log"),
        (
            sampled(rho_high="{ low = 0.5, high = 1.2 }"),
            "rho_high.high = 1.2: occupations lie between 0 and 1",
        ),
        (sampled(rho_high="{ lwo = 0.5, high = 1.0 }"), "unknown key; did you mean low"),
        (sampled(rho_high="{ low = 0.5 }"), "rho_high.high: is missing"),
        (sampled(rho_high="{ low = 0.5, high = 1.0, start = 0.5, num = 3 }"), "start"),
        (sampled(n_phi="{ low = 3.5, high = 8 }"), "n_phi.low = 3.5: give a whole number"),
        (sampled(pattern="{ low = 0.5, high = 1.0 }"), "only numbers are drawn"),
        (sampled('count = 8\nmethod = "sobl"'), "sample.method = 'sobl': did you mean sobol"),
        (sampled("method = 'sobol'"), "sample.count: is missing"),
        (sampled("count = 0"), "sample.count = 0"),
        (sampled("count = 2.5"), "sample.count = 2.5: give a whole number"),
        (sampled("count = 100000000"), "at most 1e[+]07"),
        (sampled("count = 10000000"), "numbers to draw"),
        (sampled("count = [8, 16]"), "never an axis"),
        (sampled("count = 8\nseed = -1"), "sample.seed = -1"),
        (sampled("cuont = 8"), "did you mean count"),
        (GROWTH + "[sample]\ncount = 8\n", "nothing is drawn: give some parameter as"),
        (changed(GROWTH, **DRAWN), "occupation.rho_high: is drawn between two ends: say how often"),
        (
            'zip = [["rho_high", "rho_low"]]\n' + sampled(base=growth(rho_low="[0.1, 0.2]")),
            "axes that move together have one length",
        ),
        (
            sampled(
                base=growth(rho_low="{ start = 0.0, stop = 0.1, num = 200000 }"),
                rho_high=DRAWN["rho_high"],
                g="1e-6",
            ).replace("count = 8", "count = 10000"),
            "at most 1e[+]09 points",
        ),
        (
            sampled("count = 4", analyses='["evolution"]')
            + "[evolution]\nt_end = { low = 1.0, high = 2.0 }\nperturbation = 1e-5\n",
            "never an axis",
        ),
        ("sample = 8\n" + GROWTH, r"write \[sample\]"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(text, message):
    with pytest.raises(SpecError, match=message) as caught:
        read_spec(text)
    assert "\n" not in str(caught.value)


def test_a_column_of_cases_is_not_drawn_as_well(tmp_path):
    (tmp_path / "cases.csv").write_text("rho_high\n0.9\n")
    (tmp_path / "spec.toml").write_text('cases = "cases.csv"\n' + sampled())
    with pytest.raises(SpecError, match=r"is also a column of cases\.csv"):
        read_spec(tmp_path / "spec.toml")
