from __future__ import annotations

import numpy as np
import pytest

from pairsweep.contract.errors import UsageError
from pairsweep.drawing.layout import groups, line, plane
from tests.datasets import growth_sweep


@pytest.fixture(scope="module")
def sweep():
    return growth_sweep(
        {
            "n_theta": [1, 2],
            "rho_high": np.linspace(0.4, 1.0, 4),
            "rho_low": [0.0, 0.1, 0.2],
            "g": [1e-7, 1e-6],
        },
        {"n_phi": ("n_theta", [4, 8])},
    )


def test_map_takes_the_two_longest_axes_in_the_order_of_the_spec(sweep):
    flat, x, y = plane(sweep.isel(n_theta=0, g=0), None, None)
    assert (x, y) == ("rho_high", "rho_low")
    assert set(flat["growth_rate"].dims) == {"rho_high", "rho_low"}


def test_any_two_axes_may_be_chosen_also_zipped_ones(sweep):
    flat, x, y = plane(sweep.isel(rho_high=0, g=0), "rho_low", "n_phi")
    assert (x, y) == ("rho_low", "n_phi")
    assert set(flat["growth_rate"].dims) == {"rho_low", "n_theta"}


def test_axes_left_over_are_named_with_both_cures(sweep):
    with pytest.raises(
        UsageError, match=r"n_theta \(2 values\), g \(2 values\).*--select n_theta=1.*--facet n_theta"
    ):
        plane(sweep, "rho_high", "rho_low")


def test_an_axis_cannot_be_both_sides(sweep):
    with pytest.raises(UsageError, match="move together"):
        plane(sweep, "n_theta", "n_phi")


def test_map_of_one_axis_says_what_there_is(sweep):
    one = growth_sweep({"rho_high": [0.4, 0.9]})
    with pytest.raises(UsageError, match="needs two swept axes; the only axis is rho_high"):
        plane(one, None, None)


def test_line_prefers_numbers_of_bins_and_makes_lines_of_the_other_axis():
    ds = growth_sweep({"rho_high": [0.7, 0.8, 0.9, 1.0], "n_energy": [1, 2, 3]})
    assert line(ds, None, ("n_energy",))[1:] == ("n_energy", "rho_high")
    assert line(ds, "rho_high", ("n_energy",))[1:] == ("rho_high", "n_energy")


def test_line_of_words_or_of_one_point_is_refused():
    with pytest.raises(UsageError, match="holds words"):
        line(growth_sweep({"cell_volume": ["midpoint", "exact"]}), "cell_volume")
    with pytest.raises(UsageError, match="single point"):
        line(growth_sweep({}), None)


def test_groups_are_all_combinations(sweep):
    assert groups(sweep, []) == [{}]
    assert groups(sweep, ["n_theta", "g"]) == [{"n_theta": i, "g": j} for i in range(2) for j in range(2)]
