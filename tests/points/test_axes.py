import numpy as np

from pairsweep.points.axes import expand
from pairsweep.spec.reader import parse_spec
from tests.specs import GROWTH, growth


def test_dimensions_come_in_the_order_of_the_file():
    sweep = expand(parse_spec(growth(g="[1e-6, 2e-6]", n_energy="[1, 2, 3]", rho_low="[0.1]")))
    assert sweep.names == ("n_energy", "rho_low", "g")
    assert sweep.shape == (3, 1, 2)
    assert sweep.n_points == 6


def test_a_single_point_has_no_dimension():
    sweep = expand(parse_spec(GROWTH))
    assert (sweep.names, sweep.shape, sweep.n_points) == ((), (), 1)
    assert sweep.point(())["g"] == 1e-6


def test_zipped_axes_share_the_dimension_of_the_first():
    text = 'zip = [["rho_low", "rho_high"]]\n' + growth(
        rho_high="[0.8, 0.9]", rho_low="[0.2, 0.1]", g="[1e-6, 1e-7]"
    )
    sweep = expand(parse_spec(text))
    assert sweep.names == ("rho_low", "g")
    assert sweep.point((1, 0))["rho_high"] == 0.9
    assert sweep.point((1, 0))["rho_low"] == 0.1


def test_values_at_positions():
    sweep = expand(parse_spec(growth(g="[1e-6, 2e-6]", n_energy="[1, 2, 3]")))
    positions = np.array([[2, 0], [0, 1]])
    np.testing.assert_array_equal(sweep.values("n_energy", positions), [3, 1])
    np.testing.assert_array_equal(sweep.values("g", positions), [1e-6, 2e-6])
    np.testing.assert_array_equal(sweep.values("rho_low", positions), [0.1])


def test_large_sweeps_are_not_laid_out():
    axis = "{ start = 0.0, stop = 1.0, num = 30000 }"
    assert expand(parse_spec(growth(rho_high=axis, rho_low=axis))).n_points == 900_000_000


def test_codes_number_combinations_in_the_order_of_their_first_places():
    text = 'zip = [["rho_low", "n_energy", "rho_high"]]\n' + growth(
        rho_low="[0.3, 0.2, 0.1, 0.0]", n_energy="[3, 1, 3, 1]", rho_high="[0.9, 0.9, 0.9, 0.8]"
    )
    sweep = expand(parse_spec(text))
    np.testing.assert_array_equal(sweep.codes(0, frozenset({"n_energy"})), [0, 1, 0, 1])
    np.testing.assert_array_equal(sweep.codes(0, frozenset({"n_energy", "rho_high"})), [0, 1, 0, 2])
    np.testing.assert_array_equal(sweep.codes(0, frozenset({"rho_low"})), [0, 1, 2, 3])


def test_values_over_some_dimensions_come_place_by_place():
    text = 'zip = [["n_energy", "energy_max"]]\n' + growth(
        g="[1e-6, 2e-6]", n_energy="[1, 2, 3]", energy_max="[10.0, 20.0, 30.0]"
    )
    sweep = expand(parse_spec(text))
    dims, shape, rows = sweep.over(("energy_max", "g", "n_theta"))
    assert (dims, shape) == (("n_energy", "g"), (3, 2))
    assert rows[3] == {"energy_max": 20.0, "g": 2e-6, "n_theta": 1}
    assert sweep.over(("n_theta",)) == ((), (), [{"n_theta": 1}])
