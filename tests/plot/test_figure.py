from __future__ import annotations

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import pairsweep as ps
from pairsweep import plot
from pairsweep.contract.errors import UsageError
from pairsweep.dataset.onset import boundary
from pairsweep.dataset.statistics import statistics
from pairsweep.plot import draw, pictures, save
from tests.datasets import growth_sweep

from .pictures import DATASETS, ONE_LEFT, couplings, judged, ladders, occupations, runs, seeds


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
        ("evolution", {}, 'add "evolution" to analyses'),
        ("conservation", {}, 'add "evolution" to analyses'),
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


@pytest.mark.parametrize("kind", pictures())
def test_that_every_point_failed_is_said_in_the_picture(kind):
    ds = DATASETS.get(kind, couplings)()
    failed = ds.copy()
    for name, values in ds.data_vars.items():
        failed[name] = values * np.nan if values.dtype.kind == "f" else values * 0
    failed["status"] = xr.full_like(ds["status"], 2)
    axes = draw(kind, failed, **ONE_LEFT.get(kind, {})).axes
    assert any("every point failed" in text.get_text() for ax in axes for text in ax.texts)


def test_failed_seeds_are_counted_beside_the_band():
    ds = seeds().copy(deep=True)
    ds["status"] = ds["status"].where(ds["seed"] != 3, 2)
    ds["kappa_mean"] = ds["kappa_mean"].where(ds["seed"] != 3)
    (legend,) = draw("evolution", ds).legends
    assert "1 failed: not shown" in [text.get_text() for text in legend.get_texts()]


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


def data_lines(ax):
    return [line for line in ax.get_lines() if line.get_linestyle() != "None"]


def test_matplotlibs_keywords_go_where_they_belong():
    ds = couplings()
    ax = plot.growth_map(ds, x="g", cmap="magma", vmin=1e-3, vmax=10.0, norm="log", title="T", xlabel="X")
    (mesh,) = [m for m in ax.collections if m.get_cmap().name == "magma"]
    assert isinstance(mesh.norm, mpl.colors.LogNorm)
    assert (mesh.norm.vmin, mesh.norm.vmax) == (1e-3, 10.0)
    assert (ax.get_title(), ax.get_xlabel()) == ("T", "X")
    ax = plot.growth_vs(ds.isel(rho_high=-1), x="g", c="k", lw=3.0, ylim=(1e-9, 1.0))
    assert {(line.get_color(), line.get_linewidth()) for line in data_lines(ax)} == {("k", 3.0)}
    assert ax.get_ylim() == (1e-9, 1.0)
    ax = plot.growth_vs_epn(ds, s=9.0, figsize=(3.4, None), dpi=77)
    assert 3.0 in {line.get_markersize() for line in ax.get_lines()}
    assert (ax.figure.get_figwidth(), ax.figure.get_dpi()) == (3.4, 77)
    plt.close("all")


def test_other_colours_reach_the_lines_as_well_as_the_bar():
    ds = couplings()
    usual, other = (draw("growth-vs-bins", ds, x="g", **o) for o in ({}, {"cmap": "magma"}))
    first = [figure.axes[0].get_lines()[0].get_color() for figure in (usual, other)]
    assert first[0] != first[1]
    assert other.axes[0].get_lines()[0].get_color() == mpl.colormaps["magma"](0.0)
    points = draw("growth-vs-epn", ds, hue="rho_high", cmap="magma").axes[0].get_lines()
    faces = [line.get_markerfacecolor() for line in points if line.get_marker() == "o"]
    assert mpl.colormaps["magma"](0.92) in [tuple(face) for face in faces]


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("growth-map", {"cmap": "virids"}, "did you mean viridis"),
        ("growth-map", {"norm": "sqrt"}, '"log" or "linear"'),
        ("growth-map", {"vmin": 2.0, "vmax": 1.0}, "the larger one"),
        ("growth-map", {"xscale": "log", "x": "rho_high", "select": {"rho_high": "0.2..1"}}, None),
        ("growth-vs-bins", {"labels": {"rho_hihg": "a"}}, "did you mean rho_high"),
        ("growth-vs-bins", {"x": "g", "hue": "g"}, "those that have: .*growth-vs-epn"),
        ("growth-vs-bins", {"x": "g", "lw": "thick"}, "lw = 'thick'"),
        ("growth-map", {"marker": "x"}, "QuadMesh has no such property"),
        ("phase-diagram", {"vmin": 1.0}, "no colour bar"),
    ],
)
def test_bad_keywords_are_named(kind, options, message):
    if message is None:
        draw(kind, couplings(), **options)
        return
    with pytest.raises(UsageError, match=message):
        draw(kind, couplings(), **options)
    assert plt.get_fignums() == []


def test_a_failed_call_leaves_no_figure():
    with pytest.raises(UsageError):
        plot.growth_map(couplings(), x="rho_hihg")
    assert plt.get_fignums() == []


def test_a_picture_that_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    save(draw("growth-vs-bins", ladders()), path)
    before = path.read_bytes()

    def full(self, draft, **options):
        draft.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mpl.figure.Figure, "savefig", full)
    with pytest.raises(UsageError, match="No space left"):
        save(draw("growth-vs-bins", ladders()), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_parameters_are_written_as_asked():
    figure = draw("growth-map", couplings(), x="g", labels={"rho_high": r"$\rho_0$"})
    assert figure.axes[0].get_ylabel() == r"$\rho_0$"


def test_a_legend_is_inside_where_nothing_makes_room_for_it():
    figure, ax = plt.subplots()
    plot.growth_vs_epn(occupations(), ax)
    figure.canvas.draw()
    box = ax.get_legend().get_window_extent()
    assert figure.bbox.x1 >= box.x1
    plt.close(figure)


def test_narrow_pictures_have_their_key_below_and_cut_nothing_off():
    figure = draw("growth-vs-epn", occupations(), figsize=(3.4, None))
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert box.y1 < figure.axes[0].get_window_extent().y0


def test_many_seeds_are_a_median_and_bands():
    ax = draw("evolution", seeds()).axes[0]
    assert len(ax.get_lines()) <= 2  # the median and linear theory
    assert len(ax.collections) == 2
    few = draw("evolution", seeds().isel(seed=slice(5))).axes[0]
    assert len(few.collections) == 0


def test_failed_points_are_marked():
    ds = ladders().copy(deep=True)
    ds["status"] = ds["status"].where(ds["n_energy"] != 3, 2).astype(np.int8)
    ds["growth_rate"] = ds["growth_rate"].where(ds["n_energy"] != 3)
    (legend,) = draw("growth-vs-bins", ds).legends
    assert "failed" in [text.get_text() for text in legend.get_texts()]
    (legend,) = draw("growth-map", ds, x="n_energy", y="cell_volume").legends
    assert "failed" in [text.get_text() for text in legend.get_texts()]


def test_many_points_are_a_density():
    ds = xr.concat([couplings()] * 70, "rho_low")
    figure = draw("growth-vs-epn", ds)
    assert figure.axes[1].get_ylabel() == "Points per hexagon"


def test_the_grid_is_written_in_one_order():
    ds = growth_sweep({"n_phi": [4, 8], "rho_high": [0.6, 0.9]}, {"n_energy": ("n_phi", [2, 1])})
    (legend,) = draw("growth-vs-bins", ds, x="rho_high").legends
    assert legend.get_title().get_text() == r"$N_E$, $N_\phi$"
    assert [text.get_text() for text in legend.get_texts()][:2] == ["2, 4", "1, 8"]


def test_a_map_shows_verdicts_first_and_any_variable():
    (legend,) = draw("map", judged()).legends
    words = {text.get_text() for text in legend.get_texts()}
    assert {"continuum", "discretisation", "missed", "undetermined", "no result"} <= words
    bar = draw("map", judged(), variable="frequency").axes[1]
    assert "MeV" in bar.get_ylabel()
    with pytest.raises(UsageError, match="did you mean frequency"):
        draw("map", judged(), variable="frequncy")


def test_values_in_no_order_are_not_joined():
    ds = growth_sweep({"rho_high": [0.9, 0.7, 0.8]})
    drawn = ds.rename(rho_high="sample").assign_coords(
        sample=[0, 1, 2], rho_high=("sample", ds["rho_high"].values)
    )
    for case, x, style in ((ds, "rho_high", "-"), (drawn, "sample", "-"), (drawn, "rho_high", "None")):
        assert draw("growth-vs", case, x=x).axes[0].get_lines()[0].get_linestyle() == style


def test_drawn_values_stay_points_along_one_of_them():
    rng = np.random.default_rng(0)
    ds = growth_sweep({"sample": range(30)}, {"rho_high": ("sample", rng.random(30))})
    for kind in ("growth-vs", "growth-vs-bins"):
        for x in ("rho_high", "sample", None):
            assert not draw(kind, ds, x=x).axes[0].collections
    both = growth_sweep(
        {"sample": range(30), "n_energy": [1, 2, 3]}, {"rho_high": ("sample", rng.random(30))}
    )
    assert len(draw("growth-vs", both, x="n_energy").axes[0].collections) == 2


def test_colours_of_large_and_small_numbers_have_their_power_of_ten_in_the_unit():
    ds = growth_sweep({"rho_high": np.linspace(0.3, 1.0, 8), "rho_low": [0.0, 0.1, 0.2]}, g=1e-7)
    for unit, label in (
        ("1/s", r"$10^{18}$ s$^{-1}$"),
        ("MeV", r"$10^{-3}$ MeV"),
        ("mu", r"gE_{\rm max}^3$"),
    ):
        bar = draw("growth-map", ds, unit=unit).axes[1]
        assert label in bar.get_ylabel()


def test_a_histogram_counts_every_done_point():
    ds = couplings()
    (line,) = draw("histogram", ds, bins=7).axes[0].get_lines()
    heights = line.get_ydata()[1:-1:2]
    assert len(heights) == 7
    assert heights.sum() == ds["growth_rate"].size
    reduced = statistics(ds, "rho_high", bins=7)
    (again,) = draw("histogram", reduced).axes[0].get_lines()
    assert np.array_equal(again.get_ydata(), line.get_ydata())
    few = ds.isel(g=slice(0, None, 4))
    each = draw("histogram", few, hue="g").axes[0].get_lines()
    assert sum(line.get_ydata()[1:-1:2].sum() for line in each) == few["growth_rate"].size
    (mesh,) = draw("histogram", ds, hue="g").axes[0].collections  # more labels than lines can tell apart
    assert mesh.get_array().sum() == ds["growth_rate"].size


@pytest.mark.parametrize("kind", ["growth-vs", "growth-vs-bins", "evolution", "histogram"])
def test_few_lines_differ_in_their_dashes(kind):
    ds = runs() if kind == "evolution" else couplings().isel(rho_high=slice(4, None, 4))
    options = {"evolution": {}, "histogram": {"hue": "rho_high"}}.get(kind, {"x": "g"})
    handles = draw(kind, ds, **options).legends[0].legend_handles[:4]
    assert len({str(line._dash_pattern) for line in handles}) == 4


def test_stable_points_look_like_no_grid_and_no_coupling():
    legend = draw("growth-vs-epn", occupations()).legends[0]
    looks = {
        text.get_text(): handle
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
    }
    stable = looks.pop("stable")
    assert stable.get_marker() not in {handle.get_marker() for handle in looks.values()}


@pytest.mark.parametrize(
    "options", [{"variable": "mode_kind"}, {"variable": "groth_rate"}, {"bins": 0}, {"hue": "rho_lwo"}]
)
def test_what_has_no_histogram_is_refused(options):
    with pytest.raises(UsageError):
        draw("histogram", couplings(), **options)


def test_any_axis_becomes_a_band():
    ds = couplings()
    ax = draw("growth-vs-bins", ds, x="g", over="rho_high").axes[0]
    assert len([c for c in ax.collections if c.get_alpha()]) == 2
    median = np.median(ds["growth_rate"].transpose("g", ...).values, axis=1)
    mesh = (
        draw("map", ds.expand_dims(n_phi=[4, 8]), variable="growth_rate", over="rho_high").axes[0].collections
    )
    assert max(float(np.ma.filled(m.get_array(), -1.0).max()) for m in mesh) == pytest.approx(median.max())
    with pytest.raises(UsageError, match="did you mean rho_high"):
        draw("growth-vs-bins", ds, x="g", over="rho_hihg")


def test_few_lines_are_told_apart_without_colour():
    ds = growth_sweep({"rho_high": [0.6, 0.8, 1.0], "g": np.geomspace(2e-5, 5e-4, 9)})
    (legend,) = draw("growth-vs", ds, x="g").legends
    assert len({handle.get_marker() for handle in legend.legend_handles[:3]}) == 3
    (legend,) = draw("growth-vs-bins", ds, x="g").legends
    assert [handle.get_linestyle() for handle in legend.legend_handles[:3]] == ["-", "--", "--"]


def test_numbers_along_a_narrow_logarithmic_axis_do_not_run_into_each_other():
    ax = draw("growth-vs", growth_sweep({"g": np.geomspace(2e-5, 5e-4, 9)}), figsize=(3.4, None)).axes[0]
    ax.figure.draw_without_rendering()
    boxes = [tick.get_window_extent() for tick in ax.get_xticklabels(which="both") if tick.get_text()]
    shown = sorted((box.x0, box.x1) for box in boxes if ax.bbox.x0 <= 0.5 * (box.x0 + box.x1) <= ax.bbox.x1)
    assert len(shown) > 3
    assert all(left[1] < right[0] for left, right in itertools.pairwise(shown))


def test_a_path_in_place_of_results_is_told_how_to_be_opened():
    for call in (
        lambda: ps.plot.growth_map("map.zarr"),
        lambda: draw("growth-map", "map.zarr"),
        lambda: ps.select("map.zarr", {"g": 1e-6}),
        lambda: ps.boundary("map.zarr", "g"),
    ):
        with pytest.raises(UsageError, match="give a Dataset"):
            call()


def test_a_size_that_is_none_is_named():
    with pytest.raises(UsageError, match="figsize"):
        draw("map", couplings(), figsize=(3.4,))


def test_a_map_says_that_its_verdicts_are_without_the_vacuum():
    ds = judged()
    taken_out = ds.assign(subtracted_growth_rate=ds["growth_rate"])
    for results, said in ((ds, False), (taken_out, True)):
        (legend,) = draw("growth-map", results).legends
        labels = [text.get_text() for text in legend.get_texts()]
        assert any("artefact of the grid" in label for label in labels)
        assert any("vacuum taken out" in label for label in labels) is said
