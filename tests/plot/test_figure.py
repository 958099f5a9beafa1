from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import pairsweep as ps
from pairsweep import plot
from pairsweep.contract.errors import UsageError
from pairsweep.dataset.onset import boundary
from pairsweep.plot import draw, pictures, save
from tests.datasets import growth_sweep

from .pictures import DATASETS, ONE_LEFT, couplings, ladders, occupations, runs


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("growth-mpa", {}, "did you mean growth-map"),
        ("growth-map", {}, r"n_theta \(2 values\), g \(2 values\)"),
        ("growth-map", {"x": "rho_hihg"}, "did you mean rho_high"),
        ("growth-map", {"select": {"g": 2e-6}}, "the nearest: 1e-07, 1e-06"),
        ("growth-map", {"facet": "temperature"}, "choose one of n_theta"),
        ("growth-map", {"facet": "rho_high"}, "too many panels"),
        ("growth-vs-epn", {"x": "anisotropi"}, "did you mean anisotropy"),
        ("growth-vs-epn", {"y": "growth_rate"}, "give x"),
        ("growth-vs-bins", {"y": "furlong", "select": {"g": 1e-6, "n_phi": 4}}, "choose one of MeV"),
        ("evolution", {}, r'analyses = \["evolution"\]'),
        ("conservation", {}, r'analyses = \["evolution"\]'),
        ("spectrum", {"y": "g"}, "give the axis"),
        ("growth-vs-epn", {"unit": "1/s"}, "has no choice of it; those that have: .*growth-map"),
        ("growth-map", {"unit": "furlong", "select": {"g": 1e-6}}, "choose one of MeV, 1/s"),
        ("growth-map", {"untis": "1/s"}, "did you mean unit"),
    ],
)
def test_bad_requests_say_what_to_write(kind, options, message):
    with pytest.raises(UsageError, match=message) as caught:
        draw(kind, occupations(), **options)
    assert "\n" not in str(caught.value)


def test_one_short_axis_left_over_becomes_panels():
    figure = draw("growth-map", occupations(), select={"g": 1e-6})
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == [r"$N_\theta$ = 1, $N_\phi$ = 4", r"$N_\theta$ = 2, $N_\phi$ = 8"]


def test_time_is_no_axis_of_the_sweep():
    figure = draw("evolution", runs(), x="time_mev", y="kappa_mean")
    assert figure.axes[0].get_xlabel().endswith(r"(MeV$^{-1}$)")


def test_points_on_one_spot_are_drawn_once():
    one = couplings()
    many = xr.concat([one] * 12, "rho_high")
    assert many["growth_rate"].size > 2000
    drawn = []
    for ds in (one, many):
        lines = draw("growth-vs-epn", ds).axes[0].get_lines()
        drawn.append({tuple(np.rint(point).tolist()) for line in lines for point in line.get_xydata()})
    markers = sum(line.get_xydata().shape[0] for line in lines)
    assert drawn[1] <= drawn[0]
    assert markers < 1.5 * one["growth_rate"].size


def test_facets_share_one_scale_of_colours():
    figure = draw("growth-map", occupations(), select={"g": 1e-6})
    norms = {ax.collections[1].norm for ax in figure.axes if ax.get_title()}
    assert len(norms) == 1


@pytest.mark.parametrize("kind", pictures())
def test_nothing_done_yet_is_said_in_the_picture(kind):
    ds = DATASETS.get(kind, couplings)()
    pending = ds.copy()
    for name, values in ds.data_vars.items():
        pending[name] = values * np.nan if values.dtype.kind == "f" else values * 0
    texts = [
        text.get_text() for ax in draw(kind, pending, **ONE_LEFT.get(kind, {})).axes for text in ax.texts
    ]
    assert any("no point is done yet" in text for text in texts)


@pytest.mark.parametrize("kind", ["growth-vs-epn", "growth-map", "growth-vs-bins", "spectrum"])
def test_nothing_unstable_is_said_in_the_picture(kind):
    ds = couplings()
    stable = ds.assign(growth_rate=ds["growth_rate"] * 0, mode_kind=ds["mode_kind"] * 0)
    texts = [text.get_text() for ax in draw(kind, stable).axes for text in ax.texts]
    assert "nothing unstable here" in texts


def test_single_point_can_be_drawn_where_it_makes_sense():
    for kind in ("growth-vs-epn", "spectrum"):
        draw(kind, growth_sweep({}))
    with pytest.raises(UsageError, match="two swept axes"):
        draw("growth-map", growth_sweep({}))


def test_words_and_counts_make_a_map():
    ax = draw("growth-map", ladders(), x="n_energy", y="cell_volume").axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["midpoint", "exact"]
    assert [label.get_text() for label in ax.get_xticklabels()] == [str(n) for n in range(1, 8)]


def test_a_notebook_gets_axes_and_keeps_its_own_style():
    ds = couplings()
    with mpl.rc_context({"font.family": ["monospace"]}):
        figure, ax = plt.subplots()
        assert plot.growth_map(ds, ax, x="g") is ax
        assert ax.xaxis.label.get_fontfamily() == ["monospace"]
    fresh = plot.growth_map(ds, x="g")
    assert fresh.xaxis.label.get_fontfamily() == ["STIXGeneral"]
    plt.close(figure)
    plt.close(fresh.figure)
    assert mpl.rcParams["font.family"] != ["STIXGeneral"]


def test_drawing_leaves_no_figure_open_and_the_dataset_as_it_was():
    ds = couplings()
    before = ds.copy(deep=True)
    draw("growth-map", ds)
    assert plt.get_fignums() == []
    assert ds.identical(before)


@pytest.mark.parametrize("ending", [".png", ".pdf", ".svg"])
def test_same_results_same_bytes(ending, tmp_path):
    for name in ("a", "b"):
        save(draw("growth-vs-bins", ladders()), tmp_path / f"{name}{ending}")
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_pictures_are_saved_only_where_they_can_be(tmp_path):
    figure = draw("growth-vs-bins", ladders())
    with pytest.raises(UsageError, match=r"\.png, \.pdf, \.svg"):
        save(figure, tmp_path / "picture.jpeg")
    with pytest.raises(UsageError, match="folder does not exist"):
        save(figure, tmp_path / "nowhere" / "picture.png")
    assert list(tmp_path.iterdir()) == []


def test_many_couplings_take_the_colours_and_not_the_sizes():
    figure = draw("growth-vs-epn", couplings())
    points, bar = figure.axes
    assert {line.get_markersize() for line in points.get_lines() if line.get_marker() == "o"} == {2.2}
    assert bar.get_ylabel() == "$g$ (MeV$^{-2}$)"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["stable", r"two-pair law $2\sqrt{I_+I_-}$"]


def test_of_many_grids_those_of_the_longest_axis_are_told_apart():
    ds = growth_sweep({"n_energy": [1, 2, 3], "n_theta": [1, 2], "n_phi": [4, 8]})
    (legend,) = draw("growth-vs-epn", ds, x="anisotropy").legends
    assert legend.get_title().get_text() == "$N_E$"
    assert [text.get_text() for text in legend.get_texts()] == ["1", "2", "3"]


def test_the_boundary_over_counts_is_a_step_for_each():
    ds = growth_sweep({"n_energy": [1, 2], "rho_high": np.linspace(0.4, 1.0, 13)})
    lines = draw("growth-map", ds).axes[0].get_lines()
    steps = [line.get_xydata() for line in lines if line.get_color() == "#D4145A"]
    edges = boundary(ds, "rho_high").values[:, 0]
    assert [step[:, 0].tolist() for step in steps] == [[-0.5, 0.5], [0.5, 1.5]]
    assert [step[0, 1] for step in steps] == pytest.approx(edges)


def test_a_coupling_of_one_value_is_no_axis_of_the_phase_diagram():
    ds = growth_sweep({"rho_high": [0.4, 0.9, 1.0], "rho_low": [0.0, 0.1, 0.6], "g": [1e-6]})
    assert draw("phase-diagram", ds).axes[0].get_xlabel() == r"$\rho_{\rm high}$"


def test_rates_have_their_power_of_ten_in_the_unit():
    ds = growth_sweep({"rho_high": [0.4, 0.9, 1.0]})
    assert draw("growth-vs-bins", ds, y="MeV").axes[0].get_ylabel() == r"Growth rate $\gamma$ ($10^{-3}$ MeV)"


def test_results_of_single_systems_are_drawn():
    grid = ps.bins(n_energy=1, n_theta=1, n_phi=4, energy_max=20.0)
    system = (grid, *ps.quadrant(grid, rho_high=0.9, rho_low=0.1), 1e-6)
    run = ps.evolve(*system, t_end=20.0, samples=11, tolerance=1e-4)
    assert len(plot.evolution(run, y="rho_quadrant").get_lines()) == 4
    assert plot.spectrum(ps.growth(*system[:3], g=1e-6)).get_xlabel()
    plt.close("all")


@pytest.mark.parametrize("kind", ["growth-map", "growth-vs-bins", "growth-vs", "spectrum"])
def test_rates_are_drawn_in_the_unit_that_is_asked_for(kind):
    ds = couplings()
    options = {"x": "rho_high", "y": "growth_rate"} if kind == "growth-vs" else {}
    figure = draw(kind, ds, unit="1/s", **options)
    texts = " ".join(
        label for ax in figure.axes for label in (ax.get_xlabel(), ax.get_ylabel()) if "rowth" in label
    )
    assert "s$^{-1}$" in texts
    assert "MeV" not in texts
    top = float(ds["growth_rate"].max()) / 6.582119569e-22
    drawn = [
        float(np.nanmax(values))
        for ax in figure.axes
        for values in (
            *(line.get_xydata() for line in ax.get_lines()),
            *(np.asarray(c.get_array(), dtype=float) for c in ax.collections if c.get_array() is not None),
            *(np.asarray(c.get_offsets(), dtype=float) for c in ax.collections),
        )
        if np.size(values)
    ]
    assert any(value >= 0.999 * top for value in drawn)
