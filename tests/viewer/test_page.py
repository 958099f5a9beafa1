"""The page without a browser: what is told when a control changes."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("bokeh")

from bokeh.document import Document
from bokeh.server.callbacks import NextTickCallback

import pairsweep as ps
from pairsweep import store as stores
from pairsweep.contract.errors import UsageError
from pairsweep.viewer.page import NONE, Page
from pairsweep.viewer.point import AbandonedError
from pairsweep.viewer.source import Source
from tests.datasets import evolution_sweep, growth_sweep
from tests.specs import growth
from tests.store.test_store import PRINT, fill
from tests.sweeps_for_stores import template

AXES = {"rho_high": np.linspace(0.4, 0.9, 6), "g": np.geomspace(1e-7, 1e-5, 5), "n_energy": [1, 2]}


@pytest.fixture(scope="module")
def ds():
    return growth_sweep(AXES)


def page(source, **query):
    document = Document()
    arguments = {name: [value.encode()] for name, value in query.items()}
    document._session_context = lambda: SimpleNamespace(request=SimpleNamespace(arguments=arguments))
    return Page(document, source if isinstance(source, Source) else Source(source))


def ticks(shown):
    """Do what waits for the page's own thread."""
    for callback in list(shown._document.callbacks.session_callbacks):
        if isinstance(callback, NextTickCallback):
            callback.callback()


def image(shown):
    return shown._chart._image.data["image"][0]


def test_the_longest_axes_are_shown_first(ds):
    shown = page(ds)
    assert (shown._look.variable, shown._look.x, shown._look.y) == ("growth_rate", "rho_high", "g")
    np.testing.assert_allclose(image(shown), ds.growth_rate.isel(n_energy=0).values.T, rtol=1e-6)


def test_a_slider_turns_another_axis(ds):
    shown = page(ds)
    shown._slid("n_energy", 1)
    np.testing.assert_allclose(image(shown), ds.growth_rate.isel(n_energy=1).values.T, rtol=1e-6)
    assert "at.n_energy=2" in shown._address.value


def test_sides_change_places(ds):
    shown = page(ds)
    shown._chosen("x", "value", "rho_high", "g")
    assert (shown._look.x, shown._look.y) == ("g", "rho_high")
    np.testing.assert_allclose(image(shown), ds.growth_rate.isel(n_energy=0).values, rtol=1e-6)


def test_an_address_brings_everything_back(ds):
    first = page(ds)
    first._chosen("variable", "value", "growth_rate", "mode_kind")
    first._slid("n_energy", 1)
    first._chart.plot.x_range.update(start=0.5, end=0.7)
    first._came_to_rest()
    query = dict(part.split("=") for part in first._address.value.split("&"))
    again = page(ds, **{name: value.replace("%2C", ",") for name, value in query.items()})
    assert again._look == first._look
    assert again._chart.plot.x_range.start == pytest.approx(0.5)
    np.testing.assert_array_equal(image(again), image(first))


def test_an_address_of_something_else_is_no_error(ds):
    shown = page(ds, variable="none", x="none", y="g", **{"at.none": "1", "point.g": "77", "frame": "a"})
    assert (shown._look.variable, shown._look.y) == ("growth_rate", "g")
    assert shown._look.point == {}


def test_a_sweep_of_one_axis_is_a_curve():
    shown = page(growth_sweep({"rho_high": np.linspace(0.4, 0.9, 6)}))
    assert (shown._look.x, shown._look.y) == ("rho_high", NONE)
    assert len(shown._chart._curve.data["y"]) == 6


def test_the_only_axis_of_a_sweep_stays_along_x():
    shown = page(growth_sweep({"rho_high": np.linspace(0.4, 0.9, 6)}), y="rho_high")
    assert (shown._look.x, shown._look.y) == ("rho_high", NONE)
    shown._chosen("y", "value", NONE, "rho_high")
    assert (shown._look.x, shown._look.y) == ("rho_high", NONE)
    assert shown._controls.select_one({"name": "y"}).options == [NONE]


def test_results_without_an_axis_are_refused(ds):
    with pytest.raises(UsageError, match="no variable of numbers over an axis"):
        Source(ds.isel(rho_high=0, g=0, n_energy=0))


def test_a_curve_reaches_around_its_numbers_and_is_logarithmic_only_where_some_are_positive(ds):
    shown = page(ds, y=NONE, x="rho_high", colours="log", **{"at.g": "1e-06"})
    side, rates = shown._chart.plot.y_range, ds.growth_rate.sel(n_energy=1).isel(g=2)
    assert side.start <= rates.where(rates > 0).min()
    assert rates.max() <= side.end
    assert f"{int((rates == 0).sum())} not above 0" in shown._legend.text
    stable = page(ds.assign(growth_rate=0 * ds.growth_rate), y=NONE, x="rho_high", colours="log")
    side = stable._chart.plot.y_range
    assert side.start < 0 < side.end


def test_a_frame_that_a_logarithmic_side_has_no_place_for_is_left_out(ds):
    shown = page(ds, variable="growth_rate", x="rho_high", y="g", frame="0.5,0.7,-1,1")
    side = shown._chart.plot.y_range
    assert (side.start, side.end) == (side.reset_start, side.reset_end)


def test_cases_are_not_joined_by_a_line(ds):
    assert len(page(ds, y=NONE, x="rho_high")._chart.plot.renderers) == 3
    cases = ds.isel(g=0, n_energy=0, drop=True).drop_vars("rho_high").rename(rho_high="case")
    assert len(page(cases)._chart.plot.renderers) == 2


def test_a_single_point_is_shown():
    shown = page(growth_sweep({"rho_high": [0.9]}))
    assert len(shown._chart._curve.data["y"]) == 1


def test_time_is_an_axis_like_any_other():
    shown = page(evolution_sweep([1, 2, 3]), variable="kappa_mean", x="time")
    assert (shown._look.x, shown._look.y) == ("time", "n_energy")
    assert image(shown).shape[0] == 3


def test_a_boundary_lies_between_stable_and_unstable(ds):
    shown = page(ds)
    places = np.concatenate(shown._chart._lines.data["xs"])
    rates = ds.growth_rate.isel(n_energy=0)
    stable = rates.rho_high.values[(rates.values == 0).all(axis=1)]
    assert stable.max() <= places.min()
    assert places.max() <= rates.rho_high.values[(rates.values > 0).all(axis=1)].min()


def test_a_verdict_is_a_veil_over_everything_but_itself(ds):
    flags = {"flag_values": [0, 1], "flag_meanings": "stable discretisation", "long_name": "verdict"}
    judged = ds.assign(verdict=(ds.growth_rate > 0).astype("int8").assign_attrs(flags))
    shown = page(judged)
    np.testing.assert_array_equal(shown._chart._image.data["verdict"][0], image(shown) > 0)
    assert "verdict: discretisation" in shown._legend.text
    shown._chosen("variable", "value", "growth_rate", "verdict")
    assert np.isnan(shown._chart._image.data["verdict"][0]).all()
    assert "verdict: " not in shown._legend.text


def test_a_boundary_of_too_many_pieces_is_left_out_and_said(ds, monkeypatch):
    monkeypatch.setattr("pairsweep.viewer.chart.MOST_EDGES", 1)
    assert "too many pieces" in page(ds)._legend.text


def test_what_is_not_done_has_no_colour(tmp_path):
    store = stores.create(tmp_path / "s.zarr", template(), PRINT)
    source = Source(store.path)
    shown = page(source)
    assert np.isnan(image(shown)).all()
    fill(store)
    shown._follow()
    assert np.isfinite(image(shown)).all()
    assert "no result" not in shown._legend.text


def test_colours_of_a_store_that_fills_are_those_of_a_page_opened_later(ds):
    empty = ds.assign(growth_rate=np.nan * ds.growth_rate)
    source = Source(empty)
    shown = page(source)
    wide = ds.assign(growth_rate=ds.growth_rate * np.geomspace(1e-4, 1, ds.sizes["g"])[:, None])
    source.ds = wide.transpose(*ds.growth_rate.dims)
    shown._refill()
    later = page(source)
    for attribute in ("low", "high", "low_color", "nan_color"):
        assert getattr(shown._chart.mapper, attribute) == getattr(later._chart.mapper, attribute)
    assert type(shown._chart.mapper) is type(later._chart.mapper)
    assert shown._chart.mapper.low_color is not None


def test_a_store_that_grows_gets_its_new_sides(tmp_path):
    store = stores.create(tmp_path / "s.zarr", template(), PRINT)
    fill(store)
    shown = page(Source(store.path))
    fill(stores.grow(store.path, template(rho=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5)), PRINT))
    shown._follow()
    assert sorted(shown._chart.plane.values.shape) == [2, 6]


def test_damage_is_said_and_the_page_lives_on(tmp_path):
    store = stores.create(tmp_path / "s.zarr", template(), PRINT)
    fill(store)
    chunk = store.chunk(store.template.arrays[1], 0)
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:-1])
    shown = page(Source(store.path))
    assert "growth_rate/c/0/0 is damaged" in shown._message.text
    shown._chosen("variable", "value", "growth_rate", "n_unstable")
    assert "is damaged" in shown._message.text  # the boundary is that of growth_rate
    assert np.all(image(shown) == 2)


def test_a_point_is_computed_and_marked(monkeypatch):
    asked = []
    monkeypatch.setattr("pairsweep.viewer.worker.do", asked.append)  # nothing goes on behind other tests
    shown = page(ps.run(growth(rho_high="[0.5, 0.9]", rho_low="[0.1, 0.6]"), scheduler="serial", quiet=True))
    shown._tapped(0.91, 0.09)
    assert shown._look.point == {"rho_high": "0.9", "rho_low": "0.1"}
    assert (shown._chart._point.data["x"], shown._chart._point.data["y"]) == ([0.9], [0.1])
    assert {dim: slider.value for dim, slider in shown._point_sliders.items()} == {
        "rho_high": 1,
        "rho_low": 0,
    }
    assert all("computing" in panel.note for panel in shown._computing.panels)
    assert len(asked) == 1


def test_a_point_of_another_plane_has_no_cross_and_its_name_says_where_it_is(monkeypatch):
    monkeypatch.setattr("pairsweep.viewer.worker.do", lambda task: None)
    swept = ps.run(
        growth(rho_high="[0.5, 0.9]", rho_low="[0.1, 0.6]", n_energy="[1, 2]"), scheduler="serial", quiet=True
    )
    shown = page(swept, x="rho_high", y="rho_low")
    shown._tapped(0.91, 0.09)
    assert shown._chart._point.data["x"] == [0.9]
    assert "n_energy = 1, rho_high = 0.9, rho_low = 0.1" in shown._computing.words.text
    shown._slid("n_energy", 1)
    assert shown._chart._point.data["x"] == []
    shown._slid("n_energy", 0)
    assert shown._chart._point.data["x"] == [0.9]


def test_what_cannot_be_computed_is_said_in_place_of_the_panels(ds, monkeypatch):
    monkeypatch.setattr("pairsweep.viewer.worker.do", lambda task: None)
    shown = page(ds)
    shown._tapped(0.9, 1e-6)
    shown._computing.make_system(shown._computing._asked, ds, shown._place())
    ticks(shown)
    assert "carry no specification" in shown._computing.words.text
    assert not any(panel.box.visible for panel in shown._computing.panels)


def asked(place, monkeypatch):
    """A page on which a point is clicked: its system is made, and its curves are left to the test."""
    ds = ps.run(growth(rho_high="[0.5, 0.9]"), scheduler="serial", quiet=True)
    monkeypatch.setattr("pairsweep.viewer.worker.do", lambda task: None)
    shown = page(ds)
    shown._ask({"rho_high": place})
    shown._computing.make_system(shown._computing._asked, ds, shown._place())
    ticks(shown)
    return shown


def test_a_point_that_is_asked_for_ends_the_one_before(monkeypatch):
    shown = asked(0, monkeypatch)
    system = shown._computing._system
    assert system.wanted()
    shown._ask({"rho_high": 1})
    assert not system.wanted()
    with pytest.raises(AbandonedError):
        _ = system.evolution


def test_another_direction_computes_nothing_but_its_panel(monkeypatch):
    shown = asked(1, monkeypatch)
    for panel in shown._computing.panels:
        panel.say("")
    shown._turned("value", "x", "z")
    assert [panel.name for panel in shown._computing.panels if panel.note] == ["wave_numbers"]
    assert "k_along=z" in shown._address.value


def test_the_head_counts_points_by_their_state(tmp_path):
    store = stores.create(tmp_path / "s.zarr", template(), PRINT)
    shown = page(Source(store.path))
    assert "pending" in shown._summary.text
    fill(store)
    shown._follow()
    assert "pending" not in shown._summary.text
    assert " done" in shown._summary.text


def test_the_dark_is_dark(ds):
    shown = page(ds)
    shown._dark.active = True
    figures = [shown._chart.plot, *(panel.plot for panel in shown._computing.panels)]
    assert {figure.background_fill_color for figure in figures} == {"#16181c"}
