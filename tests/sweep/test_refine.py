import numpy as np
import pytest
import xarray as xr

import pairsweep as ps
from pairsweep.dataset.refined import boundary_cells
from pairsweep.spec.reader import parse_spec
from pairsweep.sweep.refine import refine, refined_path
from pairsweep.sweep.run import run_to_store
from pairsweep.sweep.where import Where
from tests.specs import growth

SERIAL = Where("serial")
COARSE = growth(
    rho_high="{ start = 0.3, stop = 1.0, num = 8 }",
    rho_low="{ start = 0.0, stop = 0.7, num = 8 }",
    g="[1e-6, 1e-2]",
)
ALONG = ["rho_high", "rho_low"]
WIDTH = 0.0125


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    path = tmp_path_factory.mktemp("refine") / "map.zarr"
    run_to_store(parse_spec(COARSE), path, SERIAL, quiet=True)
    return path, refine(path, ALONG, WIDTH, where=SERIAL, quiet=True)


def test_the_boundary_is_that_of_the_full_map(maps):
    """Every cell of the full grid in which stability changes lies in a cell that the refinement kept."""
    path, _ = maps
    full = COARSE.replace("stop = 1.0, num = 8", "stop = 1.0, num = 57").replace(
        "stop = 0.7, num = 8", "stop = 0.7, num = 57"
    )
    unstable = ps.run(parse_spec(full), scheduler="serial", quiet=True).growth_rate > 0
    coarse, refined = ps.open_store(path), ps.open_store(refined_path(path))
    for g in (1e-6, 1e-2):
        cells = boundary_cells(coarse.sel(g=g), refined.isel(point=np.flatnonzero(refined.g == g)), ALONG)
        low, high = np.array([c[0] for c in cells]), np.array([c[1] for c in cells])
        assert (high - low <= WIDTH * (1 + 1e-9)).all()
        here = unstable.sel(g=g).values
        corners = np.stack([here[:-1, :-1], here[1:, :-1], here[:-1, 1:], here[1:, 1:]])
        changing = np.argwhere(corners.any(axis=0) & ~corners.all(axis=0))
        centres = np.array([0.3, 0.0]) + (changing + 0.5) * WIDTH
        near = ((centres[:, None] > low - WIDTH) & (centres[:, None] < high + WIDTH)).all(axis=2).any(axis=1)
        assert near.all()


def test_it_takes_few_points(maps):
    _, done = maps
    assert done.full == 2 * 57 * 57
    assert done.computed == done.points < 0.25 * done.full  # the share falls with the width
    assert done.island == pytest.approx({"rho_high": 0.1, "rho_low": 0.1})


def test_the_refined_store_has_the_same_variables_and_coordinates(maps):
    path, done = maps
    coarse, refined = xr.open_zarr(path), xr.open_zarr(done.path)
    assert set(refined.data_vars) == set(coarse.data_vars)
    assert set(refined.coords) == {*coarse.coords, "point"}
    assert refined.growth_rate.dims == ("point",)
    assert refined.rho_high.dims == ("point",)
    assert refined.attrs["refines"] == path.name
    assert (refined.status == 1).all()
    at = refined.isel(point=7)
    grid = ps.bins(1, 1, 4)
    single = ps.growth(grid, *ps.quadrant(grid, float(at.rho_high), float(at.rho_low)), g=float(at.g))
    assert float(at.growth_rate) == pytest.approx(float(single.growth_rate), rel=1e-12)  # another solver


def test_again_computes_nothing_and_finer_goes_on(maps, tmp_path):
    path, done = maps
    again = refine(path, ALONG, WIDTH, where=SERIAL, quiet=True)
    assert (again.computed, again.points, again.cells) == (0, done.points, done.cells)
    target = tmp_path / "own.zarr"
    first = refine(path, ["rho_low"], 0.05, target, SERIAL, quiet=True)
    finer = refine(path, ["rho_low"], 0.0125, target, SERIAL, quiet=True)
    assert 0 < finer.computed == finer.points - first.points


def test_an_interrupted_refinement_goes_on_where_it_stopped(maps, tmp_path, monkeypatch):
    from pairsweep.sweep import refine as module

    path, done = maps
    rounds = []
    original = module.compute

    def stops_in_the_third_round(*arguments):
        rounds.append(arguments)
        if len(rounds) == 3:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(module, "compute", stops_in_the_third_round)
    target = tmp_path / "own.zarr"
    with pytest.raises(KeyboardInterrupt):
        refine(path, ALONG, WIDTH, target, SERIAL, quiet=True)
    whole = refine(path, ALONG, WIDTH, target, SERIAL, quiet=True)
    assert (whole.points, whole.cells) == (done.points, done.cells)


@pytest.mark.parametrize(
    ("along", "to", "words"),
    [
        (["rho"], 1e-3, "not an axis"),
        (["n_phi"], 1e-3, "not an axis"),
        (["rho_high", "rho_high"], 1e-3, "once"),
        (["rho_high"], 0.0, "told apart"),
        (["rho_high"], 1e-18, "told apart"),
        (["rho_high"], float("nan"), "told apart"),
        (["rho_high"], [1e-3, 1e-3], "one for each axis"),
    ],
)
def test_unusable_requests_are_refused_before_anything_is_written(maps, tmp_path, along, to, words):
    target = tmp_path / "own.zarr"
    with pytest.raises(ps.SpecError, match=words):
        refine(maps[0], along, to, target, quiet=True)
    assert not target.exists()


@pytest.mark.parametrize(
    ("changes", "along", "words"),
    [
        ({"n_energy": "[1, 2]"}, "n_energy", "only numbers"),
        ({"cell_volume": '["midpoint", "exact"]'}, "cell_volume", "only numbers"),
        ({"rho_high": "[0.9]"}, "rho_high", "single value"),
        ({"rho_high": "[0.8, 0.9]", "rho_low": "[0.1, 0.2]"}, "rho_high", "moves together"),
    ],
)
def test_axes_without_values_between_their_values_are_refused(tmp_path, changes, along, words):
    text = growth(**{k: v for k, v in changes.items() if k != "cell_volume"})
    if "cell_volume" in changes:
        text = text.replace("[occupation]", f"cell_volume = {changes['cell_volume']}\n[occupation]")
    if "rho_low" in changes:
        text = 'zip = [["rho_high", "rho_low"]]\n' + text
    run_to_store(parse_spec(text), tmp_path / "map.zarr", SERIAL, quiet=True)
    with pytest.raises(ps.SpecError, match=words):
        refine(tmp_path / "map.zarr", [along], 1e-3, quiet=True)


def test_a_map_that_is_not_finished_is_refused(tmp_path, monkeypatch):
    from pairsweep.sweep import run as runner

    monkeypatch.setattr(runner, "execute", lambda *a, **k: None)
    run_to_store(parse_spec(COARSE), tmp_path / "map.zarr", SERIAL, quiet=True)
    with pytest.raises(ps.StoreError, match="not finished"):
        refine(tmp_path / "map.zarr", ALONG, 1e-2, quiet=True)


def test_the_boundary_of_any_variable_may_be_refined(tmp_path):
    """The continuum's own threshold lies elsewhere than the grid's, and a code has a boundary between any two."""
    text = growth(
        analyses='["growth", "continuum"]',
        n_energy="10",
        rho_high="[0.8, 0.9]",
        g='{ start = 1e-5, stop = 4e-4, num = 5, spacing = "log" }',
    )
    store = tmp_path / "map.zarr"
    run_to_store(parse_spec(text), store, SERIAL, quiet=True)
    found = {}
    for by in ("continuum_growth_rate", "growth_rate", "verdict"):
        target = tmp_path / f"{by}.zarr"
        found[by] = refine(store, ["g"], 4e-6, target, SERIAL, quiet=True, by=by)
        refined = ps.open_store(target)
        assert refined.attrs["refined_by"] == by
        above = refined[by] > 0
        assert above.any()
        assert not above.all()
    assert found["verdict"].cells >= max(found["continuum_growth_rate"].cells, found["growth_rate"].cells)
    # ten bins miss the continuum's root at first
    continuum, grid = (float(ps.open_store(tmp_path / f"{by}.zarr").g.median()) for by in list(found)[:2])
    assert continuum < grid
    with pytest.raises(ps.SpecError, match="--by"):
        refine(store, ["g"], 1e-6, tmp_path / "no.zarr", SERIAL, quiet=True, by="growth_rat")
