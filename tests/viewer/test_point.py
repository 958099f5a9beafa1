"""The system at a point: the numbers of the page are those of the sweep."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from numba.core import event

import pairsweep as ps
from pairsweep.analyses.evolution.analysis import perturbed_kappa
from pairsweep.contract.errors import UsageError
from pairsweep.machine_code.cache import WAITING
from pairsweep.viewer.panels import CELL, cells_of, panels
from pairsweep.viewer.point import PIECE, System, sweep_of
from tests.specs import BEAMS, GROWTH, growth

MAP = growth(rho_high="[0.5, 0.9]", n_energy="[1, 3]")


@pytest.fixture(scope="module")
def ds():
    return ps.run(MAP, scheduler="serial", quiet=True)


def test_modes_and_shares_are_those_of_the_sweep(ds):
    sweep = sweep_of(ds)
    for i in range(2):
        for j in range(2):
            system = System.at(sweep, ds, {"rho_high": i, "n_energy": j})
            there = ds.isel(rho_high=i, n_energy=j)
            assert system.growth_rate == pytest.approx(float(there.growth_rate), rel=1e-6)
            shares = np.bincount(system.grid.energy_bin, system.fastest_shares())
            expected = there.energy_weight.values[: shares.size]
            np.testing.assert_allclose(shares, np.nan_to_num(expected), atol=1e-6)


def test_the_linear_prediction_grows_like_the_evolution_until_it_saturates(ds):
    system = System.at(sweep_of(ds), ds, {"rho_high": 1})
    run = system.evolution
    mean, linear = run["kappa_mean"].values, run["kappa_linear"].values
    small = mean < 1e-3
    assert small.sum() > 10
    np.testing.assert_allclose(linear[small], mean[small], rtol=0.05)
    assert linear[-1] > 10 * mean.max()


def test_growth_against_k_begins_with_that_at_rest(ds):
    system = System.at(sweep_of(ds), ds, {"rho_high": 1})
    rates = system.growth_against_k("z")
    assert system.wave_numbers[0] == 0.0
    assert rates[0] == pytest.approx(system.growth_rate, rel=1e-6)
    assert np.isfinite(rates).all()


def test_a_stable_point_has_no_fastest_mode():
    ds = ps.run(growth(rho_high="0.1"), scheduler="serial", quiet=True)
    system = System.at(sweep_of(ds), ds, {})
    assert system.growth_rate == 0.0
    assert not system.fastest_shares().any()
    assert system.evolution["kappa_mean"].max() < 1e-2


def test_beams_have_their_own_occupations():
    ds = ps.run(BEAMS, scheduler="serial", quiet=True)
    system = System.at(sweep_of(ds), ds, {})
    np.testing.assert_allclose(system.n, [0.3, -0.8])
    cells = cells_of(system.grid, system.n)
    assert cells.keys() == set(CELL)
    assert cells["beam"] == ["x", "z"]
    assert system.growth_against_k("x").shape == system.wave_numbers.shape
    assert "rho_beam" in system.evolution


def test_it_is_followed_as_the_sweep_says():
    text = GROWTH.replace('["growth"]', '["growth", "evolution"]') + (
        "[evolution]\nt_end_mu = 3.0\nsamples = 11\nperturbation = 1e-4\nseed = 7\n"
    )
    ds = ps.run(text, scheduler="serial", quiet=True)
    run = System.at(sweep_of(ds), ds, {}).evolution
    assert float(run.time[-1]) == pytest.approx(float(ds.time_mev[-1]))
    assert float(run.kappa_mean[0]) == pytest.approx(float(ds.kappa_mean[0]), rel=1e-12)


def test_what_takes_long_is_cut_off_and_says_so(ds, monkeypatch):
    whole = System.at(sweep_of(ds), ds, {"rho_high": 1})
    assert whole.evolution.time.size == whole.times.size
    monkeypatch.setattr("pairsweep.viewer.point.LONGEST", 0.0)
    cut = System.at(sweep_of(ds), ds, {"rho_high": 1})
    assert cut.growth_against_k("x").size == 1
    np.testing.assert_array_equal(cut.evolution.kappa_mean, whole.evolution.kappa_mean[:PIECE])
    notes = {panel.name: panel.compute(cut)["note"] for panel in panels() if panel.name != "shares"}
    assert {name for name, note in notes.items() if "cut off after" in note} == {
        "wave_numbers",
        "pairing",
        "quadrants",
    }


def test_compiling_is_not_what_takes_long(ds, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("pairsweep.viewer.point.time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr("numba.core.event.timer", lambda: clock[0])
    system = System.at(sweep_of(ds), ds, {"rho_high": 1})
    done = []
    for piece in system._in_time(range(5)):
        done.append(piece)
        if piece == 0:
            with event.trigger_event(WAITING):  # for another process that compiles
                clock[0] += 100.0
        clock[0] += 6.0
    assert done == [0, 1, 2]


def test_pieces_of_an_evolution_are_those_of_the_whole(ds):
    system = System.at(sweep_of(ds), ds, {"rho_high": 1})
    rho, rhobar, kappa = (
        system.systems.rho[0],
        system.systems.rhobar[0],
        perturbed_kappa(system.grid.size, 1e-5, 0),
    )
    whole = ps.evolve(system.grid, rho, rhobar, system.g, times=system.times, kappa=kappa)
    for name in ("kappa_mean", "rho_quadrant"):
        np.testing.assert_allclose(system.evolution[name], whole[name], atol=1e-4)


def test_more_pairs_than_one_would_wait_for_are_refused(ds, monkeypatch):
    monkeypatch.setattr("pairsweep.viewer.point.MOST_PAIRS", 3)
    with pytest.raises(
        UsageError, match="too large to be computed while you look: at most 3; pairsweep point"
    ):
        System.at(sweep_of(ds), ds, {"rho_high": 1})


def test_cells_of_bins_tile_the_grid():
    grid = ps.bins(2, 2, 3)
    cells = cells_of(grid, np.arange(12.0))
    assert sorted(set(cells["left"])) == [0.0, 10.0]
    assert {(a, b) for a, b in zip(cells["bottom"], cells["top"], strict=True)} == {
        (i - 0.5, i + 0.5) for i in range(6)
    }


def test_results_without_a_specification_say_so():
    with pytest.raises(UsageError, match="carry no specification"):
        sweep_of(xr.Dataset({"growth_rate": 1.0}))


def test_results_of_another_shape_say_so(ds):
    with pytest.raises(UsageError, match="no longer laid out"):
        System.at(sweep_of(ds), ds.isel(n_energy=0), {"rho_high": 1})
