from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from pairsweep.analyses.growth.derived import derived, efold_time, growth_in
from pairsweep.analyses.growth.single import growth
from pairsweep.contract.errors import UsageError
from pairsweep.dataset.onset import boundary
from pairsweep.dataset.select import axes, axis, moving_along, mu, select, variable
from pairsweep.physics.grid import bins
from pairsweep.physics.patterns.quadrant import quadrant
from pairsweep.physics.units import HBAR
from pairsweep.sweep.summary import summary as summary_of
from tests.datasets import evolution_sweep, growth_sweep


@pytest.fixture(scope="module")
def sweep() -> xr.Dataset:
    """Two grids zipped under one name, a map of occupations, two couplings."""
    return growth_sweep(
        {
            "n_theta": [1, 1, 2],
            "rho_high": np.linspace(0.4, 1.0, 7),
            "rho_low": [0.0, 0.1, 1 / 3],
            "g": [1e-7, 1e-6],
        },
        {"n_phi": ("n_theta", [4, 8, 4])},
    )


class TestSelect:
    def test_label_becomes_a_scalar_coordinate(self, sweep):
        point = select(sweep, {"g": 1e-6, "rho_high": 0.9})
        assert axes(point) == ("n_theta", "rho_low")
        assert float(point["g"]) == 1e-6
        assert float(point["rho_high"]) == pytest.approx(0.9)

    def test_numbers_may_be_text_and_typed_short(self, sweep):
        assert float(select(sweep, {"rho_low": "0.333"})["rho_low"]) == 1 / 3

    def test_other_number_is_refused_with_its_neighbours(self, sweep):
        with pytest.raises(UsageError, match=r"rho_high = 0\.84: not swept; the nearest: 0\.8, 0\.9"):
            select(sweep, {"rho_high": 0.84})

    def test_repeated_label_of_a_zipped_group_is_narrowed_by_the_other(self, sweep):
        both = select(sweep, {"n_theta": 1})
        assert both["n_phi"].values.tolist() == [4, 8]
        assert select(both, {"n_phi": 8})["growth_rate"].dims == ("rho_high", "rho_low", "g")

    def test_scalar_coordinate_may_be_named_if_it_agrees(self, sweep):
        assert select(sweep, {"energy_max": 20}) is sweep
        with pytest.raises(UsageError, match="nearest: 20"):
            select(sweep, {"energy_max": 10})

    @pytest.mark.parametrize(
        ("wanted", "kept"),
        [
            ("~0.84", 0.8),
            ("0.79..0.9", [0.8, 0.9]),
            ("0.8:", [0.8, 0.9, 1.0]),
            ("..0.4", [0.3, 0.4]),
            ("1..1", [1.0]),
            (slice(0.45, 0.65), [0.5, 0.6]),
            (["0.9", 0.4], [0.4, 0.9]),
            (["0.3..0.45", "~2"], [0.3, 0.4, 1.0]),
        ],
    )
    def test_nearest_ranges_and_several(self, wanted, kept):
        ds = growth_sweep({"rho_high": np.linspace(0.3, 1.0, 8)})
        assert select(ds, {"rho_high": wanted})["rho_high"].values == pytest.approx(kept)

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            ({"rho_high": "0.41..0.49"}, "nothing is swept there; from "),
            ({"rho_high": "0.9..0.3"}, "give a number"),
            ({"rho_high": "~near"}, "give a number"),
            ({"rho_high": ["0.9", "0.84"]}, "nearest"),
            ({"rho_hihg": 0.9}, "did you mean rho_high"),
            ({"g": "small"}, "give a number"),
            ({"growth_rate": 1}, "choose one of n_theta, rho_high, rho_low, g"),
        ],
    )
    def test_what_cannot_be_selected(self, sweep, labels, message):
        with pytest.raises(UsageError, match=message):
            select(sweep, labels)

    def test_words_match_exactly(self):
        ds = growth_sweep({"cell_volume": ["midpoint", "exact"]})
        assert float(select(ds, {"cell_volume": "exact"})["growth_rate"]) == pytest.approx(
            1.7864e-2, rel=1e-4
        )
        with pytest.raises(UsageError, match="did you mean exact"):
            select(ds, {"cell_volume": "exakt"})

    def test_words_are_no_numbers(self):
        ds = growth_sweep({"cell_volume": ["midpoint", "exact"]})
        with pytest.raises(UsageError, match="holds words"):
            axis(ds, "cell_volume", numeric=True)


class TestUnits:
    def test_letters_system(self):
        ds = growth_sweep({})
        assert float(ds["growth_rate"]) == pytest.approx(1.3393454e-2, rel=1e-7)
        assert float(mu(ds)) == pytest.approx(0.008)
        assert float(growth_in(ds, "mu")) == pytest.approx(1.3393454e-2 / 0.008, rel=1e-7)
        assert float(growth_in(ds, "g")) == pytest.approx(1.3393454e4, rel=1e-7)

    def test_units_of_the_crossing_by_hand(self):
        """One energy bin, four directions: w = E^2 dE dcos dphi, I+ of one pair with n = 0.8, I- of three with -0.8."""
        ds = growth_sweep({})
        volume = 10.0**2 * 20.0 * 2.0 * (np.pi / 2)
        strength = np.sqrt(volume * 0.8 * 3 * volume * 0.8)
        assert float(ds["epn_crossing_strength"]) == pytest.approx(strength)
        assert float(growth_in(ds, "crossing")) == pytest.approx(1.3393454e-2 / (1e-6 * strength), rel=1e-7)
        assert float(growth_in(ds, "crossing_bin")) == float(growth_in(ds, "crossing"))

    def test_two_pair_law_is_two_in_units_of_the_crossing(self):
        """Eq. 16 on numbers put in by hand: growth = 2 g sqrt(I+ I-)."""
        ds = growth_sweep({"rho_high": [0.2, 0.9]})
        ds["growth_rate"] = 2 * ds["g"] * ds["epn_crossing_strength"]
        ratio = growth_in(ds, "crossing").values
        assert np.isnan(ratio[0])  # no crossing
        assert ratio[1] == pytest.approx(2)

    def test_beams_of_one_weight_have_a_mu(self):
        ds = growth_sweep({"rho_high": [0.2, 0.9]}).drop_vars("energy_max")
        beams = ds.assign_coords(beam_weight=("beam", [5.0, 5.0]))
        assert float(mu(beams)) == pytest.approx(5e-6)
        with pytest.raises(UsageError, match="one common weight"):
            mu(ds.assign_coords(beam_weight=("beam", [5.0, 4.0])))

    def test_efold_time(self):
        ds = growth_sweep({"rho_high": [0.2, 0.9]})
        time = efold_time(ds)
        assert np.isinf(time[0])
        assert float(time[1]) == pytest.approx(6.582119569e-22 / 1.3393454e-2, rel=1e-7)
        assert time.attrs["units"] == "s"
        assert np.isnan(efold_time(ds.assign(growth_rate=ds["growth_rate"] * np.nan))).all()

    def test_unknown_unit_and_missing_analysis(self):
        ds = growth_sweep({"rho_high": [0.2, 0.9]})
        with pytest.raises(UsageError, match="did you mean crossing"):
            growth_in(ds, "crosing")
        with pytest.raises(UsageError, match='add "evolution" to analyses'):
            variable(ds, "kappa_mean")

    def test_derived_holds_what_is_possible(self):
        ds = growth_sweep({"rho_high": [0.2, 0.9]})
        full = {
            "growth_per_s",
            "growth_per_cm",
            "growth_over_g",
            "growth_over_mu",
            "growth_over_crossing",
            "growth_over_crossing_bin",
            "efold_time",
        }
        assert set(derived(ds).data_vars) == full
        assert set(derived(ds.drop_vars("energy_max")).data_vars) == full - {"growth_over_mu"}
        assert all(quantity.attrs["long_name"] for quantity in derived(ds).data_vars.values())


def along_x(values: np.ndarray, labels: np.ndarray) -> xr.Dataset:
    """Dataset of one or more lines of growth rates over x."""
    lines = np.atleast_2d(values)
    return xr.Dataset(
        {
            "growth_rate": (("line", "x"), lines),
            "status": (("line", "x"), np.ones(lines.shape, dtype=np.int8)),
        },
        coords={"x": ("x", labels, {"units": "MeV"})},
    )


class TestBoundary:
    labels = np.linspace(0.0, 1.0, 11)

    def test_square_root_onset_is_found_exactly(self):
        edge = boundary(along_x(np.sqrt(np.maximum(self.labels - 0.537, 0.0)), self.labels), "x")
        assert edge.values == pytest.approx(np.array([[0.537]]), abs=1e-12)
        assert (edge["bracket_low"].item(), edge["bracket_high"].item()) == pytest.approx((0.5, 0.6))
        assert edge["onset"].item() == 1
        assert edge.attrs["units"] == "MeV"

    def test_labels_in_any_order(self):
        growth = np.sqrt(np.maximum(self.labels - 0.537, 0.0))
        shuffled = np.random.default_rng(1).permutation(self.labels.size)
        edge = boundary(along_x(growth[shuffled], self.labels[shuffled]), "x")
        assert edge.item() == pytest.approx(0.537)

    def test_a_band_has_two_edges_and_a_stable_line_none(self):
        band = np.sqrt(np.maximum((self.labels - 0.22) * (0.77 - self.labels), 0.0))
        edge = boundary(along_x(np.stack([band, 0 * band]), self.labels), "x")
        assert edge.dims == ("line", "edge")
        assert edge["onset"].values.tolist() == [[1, -1], [0, 0]]
        assert edge.values[0] == pytest.approx([0.22, 0.77])
        assert np.isnan(edge.values[1]).all()

    def test_single_unstable_label_gives_the_middle_of_the_bracket(self):
        edge = boundary(along_x(np.where(self.labels == 1.0, 0.3, 0.0), self.labels), "x")
        assert edge.item() == pytest.approx(0.95)

    def test_pending_points_make_no_edge(self):
        growth = np.sqrt(np.maximum(self.labels - 0.537, 0.0))
        growth[6] = np.nan
        assert np.isnan(boundary(along_x(growth, self.labels), "x")).all()

    @given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 1.0, float("nan")]), min_size=2, max_size=30))
    def test_every_edge_lies_in_its_bracket_and_none_is_missing(self, rates):
        labels = np.cumsum(np.arange(1.0, len(rates) + 1))
        edge = boundary(along_x(np.array(rates), labels), "x").isel(line=0)
        expected = sum((a > 0) != (b > 0) for a, b in itertools.pairwise(rates) if a == a and b == b)
        found = edge.values[np.isfinite(edge.values)]
        assert found.size == expected
        assert np.all(np.diff(found) >= 0)
        assert np.all(edge["bracket_low"].values[: found.size] <= found)
        assert np.all(found <= edge["bracket_high"].values[: found.size])

    def test_boundary_along_one_axis_is_that_of_a_bisection(self):
        """For each value of the other axis, within a fiftieth of the bracket of the coarse sweep."""
        coarse = growth_sweep(
            {"rho_low": [0.0, 0.1, 0.2, 0.3], "rho_high": np.linspace(0.4, 1.0, 13)}, n_phi=4
        )
        edge = boundary(coarse, along="rho_high").squeeze("edge")
        assert edge.dims == ("rho_low",)
        grid = bins(1, 1, 4, 20.0)
        for rho_low, found in zip(edge["rho_low"].values, edge.values, strict=True):
            stable, unstable = 0.4, 1.0
            while unstable - stable > 1e-6:
                middle = 0.5 * (stable + unstable)
                rate = growth(grid, *quadrant(grid, rho_high=middle, rho_low=rho_low), g=1e-6)["growth_rate"]
                stable, unstable = (stable, middle) if rate > 0 else (middle, unstable)
            assert found == pytest.approx(unstable, abs=1e-3)

    def test_onset_of_a_real_system_is_found_far_inside_its_bracket(self):
        """Ten times finer labels around the edge of a coarse sweep see it where the coarse one said."""
        coarse = growth_sweep({"rho_high": np.linspace(0.5, 1.0, 11)}, n_phi=4)
        edge = boundary(coarse, "rho_high").item()
        below, above = growth_sweep({"rho_high": [edge - 2e-3, edge + 2e-3]})["growth_rate"].values
        assert below == 0.0
        assert above > 0.0

    def test_crossing_of_the_quadrant_pattern_begins_at_one_half(self, sweep):
        edge = boundary(sweep, "rho_high", of="epn_crossing_strength")
        assert edge.dims == ("n_theta", "rho_low", "g", "edge")
        assert np.all((edge["bracket_low"] <= 0.5 + 1e-12) & (edge["bracket_high"] >= 0.5))

    def test_needs_numbers(self):
        with pytest.raises(UsageError, match="holds words"):
            boundary(growth_sweep({"cell_volume": ["midpoint", "exact"]}), "cell_volume")


class TestSummary:
    def test_counts_and_largest(self, sweep):
        summary = summary_of(sweep)
        assert summary.points == summary.done == sweep["status"].size
        assert (summary.failed, summary.pending) == (0, 0)
        assert summary.unstable == int((sweep["growth_rate"] > 0).sum()) == summary.modes["oscillating"]
        assert summary.largest_growth == float(sweep["growth_rate"].max())
        assert summary.largest_at == {"n_theta": 1, "n_phi": 4, "rho_high": 1.0, "rho_low": 0.0, "g": 1e-6}
        assert summary.largest_efold_seconds == pytest.approx(HBAR / summary.largest_growth)
        assert [(axis.name, axis.size) for axis in summary.axes] == [
            ("n_theta", 3),
            ("rho_high", 7),
            ("rho_low", 3),
            ("g", 2),
        ]

    def test_pending_and_failed_points_are_no_stable_ones(self):
        ds = growth_sweep({"rho_high": np.linspace(0.2, 1.0, 5)})
        ds["status"][:2] = [0, 2]
        ds["growth_rate"][:2] = np.nan
        summary = summary_of(ds)
        assert (summary.pending, summary.failed, summary.done) == (1, 1, 3)
        assert sum(summary.modes.values()) == 3

    def test_nothing_known_yet(self):
        ds = growth_sweep({"rho_high": [0.2, 0.9]})
        summary = summary_of(ds.assign(status=ds["status"] * 0, growth_rate=ds["growth_rate"] * np.nan))
        assert np.isnan(summary.largest_growth)
        assert summary.largest_at == {}

    def test_drifts_of_an_evolution(self):
        summary = summary_of(evolution_sweep([1, 2]))
        assert summary.largest_energy_drift == pytest.approx(2e-9)
        assert summary.largest_norm_drift == 0.0
        assert np.isnan(summary_of(growth_sweep({})).largest_energy_drift)

    def test_verdicts_of_finished_points(self):
        ds = growth_sweep({"rho_high": [0.2, 0.8, 0.9]})
        ds["verdict"] = ("rho_high", np.array([0, 1, 2], dtype=np.int8))
        ds["status"][2] = 0
        assert summary_of(ds).verdicts == {
            "stable": 1,
            "continuum": 1,
            "discretisation": 0,
            "missed": 0,
            "undetermined": 0,
        }


def test_tables_of_beams_are_no_settings():
    """One beam selected, its occupation along the axis that it moves on is not said beside the axis again."""
    ds = growth_sweep({"rho_x": [0.2, 0.9]}).assign_coords(beam_rho=("rho_x", [0.2, 0.9]))
    assert moving_along(ds, "rho_x") == ("rho_x",)
