import numpy as np
import pytest

from pairsweep.blocks import layout
from pairsweep.blocks.layout import make_template
from pairsweep.blocks.plan import (
    BLOCK_POINTS,
    BLOCK_SECONDS,
    MIN_BLOCKS,
    WRITE_SECONDS,
    make_plan,
    system_sizes,
)
from pairsweep.points.axes import expand
from pairsweep.points.systems import build_grid
from pairsweep.spec.reader import parse_spec
from tests.specs import BEAMS, GROWTH, changed, growth

FINE = "{ start = 0.5, stop = 1.0, num = 100 }"
MAP = growth(n_energy="[1, 2, 4]", rho_high=FINE, rho_low="{ start = 0.0, stop = 0.5, num = 70 }")


def plan(text, seconds):
    sweep = expand(parse_spec(text))
    return make_plan(sweep, {size.pairs: seconds for size in system_sizes(sweep)})


def coordinates(text):
    template = make_template(expand(parse_spec(text)), ())
    return {c.name: c for c in template.coordinates}


def test_system_sizes_count_points():
    sizes = system_sizes(expand(parse_spec(MAP)))
    assert [(s.pairs, s.points) for s in sizes] == [(4, 7000), (8, 7000), (16, 7000)]
    assert [(s.fixed, s.at.tolist()) for s in sizes] == [((0,), [[0]]), ((0,), [[1]]), ((0,), [[2]])]
    (beams,) = system_sizes(expand(parse_spec(BEAMS)))
    assert (beams.pairs, beams.points) == (2, 1)


def test_sizes_know_all_their_places():
    cases = 'zip = [["rho_high", "n_energy"]]\n' + growth(
        rho_high="[0.6, 0.7, 0.8, 0.9]", n_energy="[1, 3, 1, 2]", n_phi="[4, 8, 12]"
    )
    sweep = expand(parse_spec(cases))
    seen = np.zeros(sweep.shape, int)
    for size in system_sizes(sweep):
        for place in size.at:
            pairs = [int(sweep.values(name, place[None])[0]) for name in ("n_energy", "n_theta", "n_phi")]
            assert np.prod(pairs) == size.pairs
            seen[tuple(place)] += 1
        assert len(size.at) == size.points
    assert (seen == 1).all()


@pytest.mark.parametrize("seconds", [1e-7, 1e-4, 1e-2, 1.0, 1e3])
def test_blocks_cover_every_point_once_within_the_limits(seconds):
    template = plan(MAP, seconds).template
    counts = np.zeros(template.shape, int)
    for block in range(template.n_blocks):
        part = counts[template.block_slices(block)]
        part += 1
        assert part.size * seconds <= BLOCK_SECONDS or part.size == 1
        assert part.size <= BLOCK_POINTS
        assert part.shape[0] == 1  # one system size in each block
    assert (counts == 1).all()


def test_seconds_are_the_sum_over_points_and_the_files_of_blocks():
    found = plan(MAP, 1e-3)
    assert found.seconds == pytest.approx(21.0 + WRITE_SECONDS * found.template.n_blocks)


def test_scalars_are_scalar_coordinates_and_lists_of_one_are_dimensions():
    found = coordinates(growth(g="[1e-6]"))
    assert found["g"].dims == ("g",)
    assert found["rho_low"].dims == ()
    assert found["rho_low"].values == 0.1
    assert found["pattern"].values == "quadrant"
    assert found["g"].attrs["units"] == "MeV^-2"
    assert "units" not in found["pattern"].attrs


def test_energies_are_padded_beyond_the_last_bin():
    found = coordinates(growth(n_energy="[1, 2]", energy_max="[10.0, 20.0]"))["energy"]
    assert found.dims == ("n_energy", "energy_max", "energy_bin")
    np.testing.assert_array_equal(found.values, [[[5, np.nan], [10, np.nan]], [[2.5, 7.5], [5, 15]]])


def test_energies_of_beams_that_move():
    found = coordinates(changed(BEAMS.replace("energy = 1.0", "energy = [1.0, 2.0]", 1)))["energy"]
    assert found.dims == ("energy_x", "energy_bin")
    np.testing.assert_array_equal(found.values, [[1, np.nan], [1, 2]])


def test_beams_have_one_table_for_each_quantity():
    """One coordinate for each beam and quantity would be a file, and a second of opening, for every few beams."""
    found = coordinates(changed(BEAMS.replace("rho = 1.0", "rho = [0.8, 0.9, 1.0]", 1), g="[1e-3, 1e-4]"))
    tables = {f"beam_{quantity}" for quantity in ("energy", "weight", "theta", "phi", "rho", "rhobar")}
    assert found.keys() - tables == {"rho_x", "g", "beam", "energy_bin", "energy"}
    np.testing.assert_array_equal(found["beam"].values, ["x", "z"])
    assert found["beam_weight"].dims == ("beam",)
    np.testing.assert_allclose(found["beam_theta"].values, [np.pi / 2, 0.0])
    assert found["beam_rho"].dims == ("rho_x", "beam")
    np.testing.assert_array_equal(found["beam_rho"].values, [[0.8, 0.1], [0.9, 0.1], [1.0, 0.1]])
    np.testing.assert_array_equal(
        found["beam_rhobar"].values, [0.3, 0.1]
    )  # as many as neutrinos where none are given


def test_a_table_of_beams_is_not_written_out_at_all_places_of_long_axes(monkeypatch):
    text = BEAMS.replace("rho = 1.0", "rho = [0.8, 0.9, 0.8]", 1).replace(
        "rhobar = 0.3", "rhobar = [0.1, 0.2, 0.3]"
    )
    monkeypatch.setattr(layout, "LARGEST_TABLE", 5)
    found = coordinates('zip = [["rhobar_x", "rho_x"]]\n' + text.lstrip())
    assert found["beam_rho"].dims == ("beam",)
    np.testing.assert_array_equal(found["beam_rho"].values, [np.nan, 0.1])
    assert found["rho_x"].dims == ("rhobar_x",)


def test_a_thousand_beams_have_no_more_coordinates_than_two():
    def described(count):
        beam = '[[grid.beams]]\nname = "b{0}"\ndirection = "x"\nenergy = 1.0\nweight = 1.0\nrho = 0.5\n'
        beams = "".join(beam.format(i) for i in range(count))
        return f'analyses = ["growth"]\n[grid]\nkind = "beams"\n{beams}[coupling]\ng = [1e-6, 1e-5]\n'

    two, thousand = (expand(parse_spec(described(count))) for count in (2, 1000))
    assert len(make_template(thousand, (1,)).coordinates) == len(make_template(two, (1,)).coordinates)
    grid = build_grid(thousand, np.zeros((1, 1), dtype=np.int64))
    assert (grid.size, grid.names[999]) == (1000, "b999")


def test_time_in_units_of_mu():
    text = (
        growth(analyses='["evolution"]', g="[1e-6, 1e-7]")
        + "\n[evolution]\nt_end_mu = 8.0\nsamples = 3\nperturbation = 0"
    )
    found = coordinates(text)
    np.testing.assert_array_equal(found["time"].values, [0, 4, 8])
    assert found["time_mev"].dims == ("g", "time")
    np.testing.assert_allclose(found["time_mev"].values, [[0, 500, 1000], [0, 5000, 10000]])


def test_every_variable_has_units_or_flags():
    for array in make_template(expand(parse_spec(GROWTH)), ()).arrays:
        assert "units" in array.attrs or "flag_values" in array.attrs
        assert array.attrs["long_name"]


def test_many_cases_on_one_axis_are_cut_like_a_plane():
    """Also where the grid changes from case to case: a block of one case each would be a file each."""
    rows = 4000
    cases = ", ".join(str(1 + i % 3) for i in range(rows))
    text = 'zip = [["rho_high", "n_energy"]]\n' + growth(
        rho_high=f"{{ start = 0.5, stop = 1.0, num = {rows} }}", n_energy=f"[{cases}]"
    )
    costs = dict.fromkeys((4, 8, 12), 1e-5)
    plan = make_plan(expand(parse_spec(text)), costs)
    assert plan.template.n_blocks == MIN_BLOCKS
    plane = growth(
        rho_high="{ start = 0.5, stop = 1.0, num = 40 }", rho_low="{ start = 0.0, stop = 0.4, num = 100 }"
    )
    assert make_plan(expand(parse_spec(plane)), costs).template.n_blocks <= 2 * MIN_BLOCKS
