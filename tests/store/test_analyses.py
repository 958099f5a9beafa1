"""A store knows the state of each analysis: added, computed anew, failed and retried each on its own."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from pairsweep import store as stores
from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import (
    DONE,
    FAILED,
    PENDING,
    ArrayPlan,
    BlockResult,
    Coordinate,
    Failure,
    Template,
)
from pairsweep.store import Store, chunks, layout
from tests.store.test_store import fill
from tests.sweeps_for_stores import BOTH, solve, template, true_growth

PRINT = {"spec": "abc", "code.growth": "1"}
PRINT_BOTH = PRINT | {"code.evolution": "1", "evolution.t_end": "10"}
MORE = (0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5)


@pytest.fixture
def growth(tmp_path):
    return stores.create(tmp_path / "s.zarr", template(), PRINT)


@pytest.fixture
def both(tmp_path):
    return stores.create(tmp_path / "s.zarr", template(analyses=BOTH), PRINT_BOTH)


def states(store, analysis):
    found = np.empty(store.template.shape, dtype=np.int8)
    for block in range(store.template.n_blocks):
        found[store.template.block_slices(block)] = store.states(block)[analysis]
    return found


def assert_right(path):
    """Whatever an analysis calls done is what its labels say, and the status is the sum of the states."""
    store = Store.open(path)
    data = xr.open_zarr(path, chunks=None).load()
    truth = true_growth(
        data.rho.values[:, None], np.array([len(text) for text in data.kind.values], dtype=float)
    )
    each = {analysis: states(store, analysis) for analysis in store.analyses}
    done = each["growth"] == DONE
    np.testing.assert_array_equal(data.growth_rate.values[done], truth[done])
    if "evolution" in each:
        done = each["evolution"] == DONE
        np.testing.assert_array_equal(data.kappa_mean.values[done][:, 1], -truth[done])
    assert ((data.status == PENDING) == np.any([s == PENDING for s in each.values()], axis=0)).all()
    assert ((data.status == DONE) == np.all([s == DONE for s in each.values()], axis=0)).all()


def only(store, analysis):
    """Write what one analysis lacks, and nothing of the others."""
    for block in store.pending():
        store.write(block, solve(store.template, block), {analysis: store.todo(block)[analysis]})


def test_each_analysis_is_written_on_its_own(both):
    only(both, "growth")
    assert both.counts() == {
        "growth": {PENDING: 0, DONE: 10, FAILED: 0},
        "evolution": {PENDING: 10, DONE: 0, FAILED: 0},
    }
    assert (both.statuses() == PENDING).all()
    assert not list((both.path / "kappa_mean").glob("c"))
    assert_right(both.path)
    again = Store.open(both.path)
    before = {p: p.stat().st_mtime_ns for p in (both.path / "growth_rate").rglob("*")}
    only(again, "evolution")
    assert {p: p.stat().st_mtime_ns for p in (both.path / "growth_rate").rglob("*")} == before
    assert (again.statuses() == DONE).all()
    assert_right(both.path)
    assert stores.verify(both.path) == []


def test_done_stays_done_for_each_analysis(both):
    only(both, "growth")
    for block in both.pending():
        both.write(block, solve(both.template, block, failing=MORE, late=(0.2,)))
    assert (states(both, "growth") == DONE).all()
    assert (states(both, "evolution") == FAILED).sum() == 2
    assert {(f.position, f.analysis) for f in both.failures()} == {
        ((1, 0), "evolution"),
        ((1, 1), "evolution"),
    }
    assert_right(both.path)


def test_all_failures_of_a_point_are_kept_and_retried_apart(both):
    for block in both.pending():
        both.write(block, solve(both.template, block, failing=(0.2, 0.3), late=(0.2,)))
    assert len(both.failures()) == 6
    assert {f.analysis for f in both.failures() if f.position == (1, 0)} == set(BOTH)
    assert (both.statuses() == FAILED).sum() == 4
    text = json.loads(layout.record(both.path, 0, 0).read_bytes())["texts"]
    assert len(text) == 2
    masks = both.todo(0, retry_failed=True)
    assert masks["growth"].ravel().tolist() == masks["evolution"].ravel().tolist() == [False, True]
    both.write(0, solve(both.template, 0, late=(0.2,)), masks)
    assert {f.analysis for f in both.failures() if f.position == (1, 0)} == {"evolution"}
    assert both.todo(0, retry_failed=True)["growth"].any() == np.False_
    for block in both.pending(retry_failed=True):
        both.write(block, solve(both.template, block), both.todo(block, retry_failed=True))
    assert both.failures() == []
    assert_right(both.path)


def test_a_point_that_ends_its_process_fails_for_what_was_computed(both):
    only(both, "growth")
    both.record_failure(0, 1, "killed")
    assert states(both, "growth")[1, 0] == DONE
    assert states(both, "evolution")[1, 0] == FAILED
    assert both.failures() == [Failure((1, 0), "killed", "")]
    fill(both)
    both.write(0, solve(both.template, 0), both.todo(0, retry_failed=True))
    assert both.failures() == []
    assert_right(both.path)


def test_the_failure_of_a_whole_point_stands_until_every_analysis_has_its_own_or_none(both):
    both.record_failure(0, 0, "killed")
    only_growth = {"growth": both.todo(0, retry_failed=True)["growth"]}
    both.write(0, solve(both.template, 0, failing=(0.1,)), only_growth)
    assert [(f.reason, f.analysis) for f in both.failures()] == [("killed", ""), ("no result", "growth")]
    both.write(0, solve(both.template, 0, late=(0.1,)), both.todo(0, retry_failed=True))
    assert [(f.reason, f.analysis) for f in both.failures()] == [("no result", "evolution")]


class Killed(BaseException):
    pass


def dying(monkeypatch, steps, action):
    """Run ``action``, killed before its ``steps``-th file appears."""
    real, left = chunks.replace, iter(range(steps))

    def counted(*args):
        if next(left, None) is None:
            raise Killed
        real(*args)

    monkeypatch.setattr(chunks, "replace", counted)
    with pytest.raises(Killed):
        action()
    monkeypatch.setattr(chunks, "replace", real)


def test_a_block_whose_record_is_ahead_is_settled_and_not_computed_again(both, monkeypatch):
    result = solve(both.template, 0, late=(0.2,))
    dying(monkeypatch, 6, lambda: both.write(0, result))  # five arrays and the record, not the status
    assert (both.statuses() == PENDING).all()
    assert (both.states(0)["growth"] == PENDING).all()  # nothing is believed before it is looked at
    again = Store.open(both.path)
    assert 0 not in list(again.pending())
    assert again.statuses()[:2, 0].tolist() == [DONE, FAILED]
    assert_right(both.path)
    assert stores.verify(both.path) == []


def test_a_record_ahead_of_damaged_data_is_not_believed(both, monkeypatch):
    dying(monkeypatch, 6, lambda: both.write(0, solve(both.template, 0)))
    victim = both.chunk(both.template.arrays[1], 0)
    victim.write_bytes(victim.read_bytes()[:-1])
    assert 0 in list(Store.open(both.path).pending())
    fill(Store.open(both.path))
    assert_right(both.path)


@pytest.mark.parametrize("steps", range(6))
def test_a_second_analysis_killed_at_any_step_leaves_the_first_as_it_was(both, monkeypatch, steps):
    only(both, "growth")
    masks = {"evolution": both.todo(0)["evolution"]}
    if steps < 4:  # two arrays, the record, the status
        dying(monkeypatch, steps, lambda: both.write(0, solve(both.template, 0), masks))
    assert (states(both, "growth")[2:] == DONE).all()
    assert_right(both.path)
    fill(Store.open(both.path))
    assert (both.statuses() == DONE).all()
    assert_right(both.path)


def test_a_damaged_record_of_a_half_done_block_is_never_half_believed(both, monkeypatch):
    both.write(0, solve(both.template, 0), both.todo(0, only=range(1)))
    record = layout.record(both.path, 0, 0)
    record.write_bytes(record.read_bytes().replace(b'"seconds": 0.5', b'"seconds": 9.5'))
    assert all((each == PENDING).all() for each in both.states(0).values())
    # the new numbers of the other point alone: readers must not find the first one done beside them
    dying(monkeypatch, 1, lambda: both.write(0, solve(both.template, 0), both.todo(0, only=range(1, 2))))
    assert_right(both.path)
    assert (both.block_status(0) == PENDING).all()


def test_an_analysis_is_added_and_the_numbers_of_the_others_stay(growth):
    fill(growth, failing=(0.3,))
    before = xr.open_zarr(growth.path).load()
    was = states(growth, "growth")
    stores.check_growth(growth, template(analyses=BOTH))
    grown = stores.grow(growth.path, template(MORE, analyses=BOTH), PRINT_BOTH)
    after = xr.open_zarr(growth.path).load()
    at = after.sel(rho=before.rho.values)
    for name in ("growth_rate", "n_unstable", "energy_weight"):
        assert at[name].values.tobytes() == before[name].values.tobytes()
    np.testing.assert_array_equal(states(grown, "growth")[after.rho.isin(before.rho)], was)
    assert (states(grown, "evolution") == PENDING).all()
    assert (after.status == PENDING).all()
    assert after.perturbation == 1e-5
    assert [f.analysis for f in grown.failures()] == ["growth", "growth"]
    todo = [grown.todo(block) for block in grown.pending()]
    assert sum(int(each["growth"].sum()) for each in todo) == 4
    assert sum(int(each["evolution"].sum()) for each in todo) == 14
    fill(grown)
    assert_right(growth.path)
    assert stores.verify(growth.path) == []


def test_an_analysis_is_computed_anew_and_the_others_are_left(both):
    fill(both)
    other = {**PRINT_BOTH, "code.evolution": "2"}
    with pytest.raises(
        StoreError, match=r"the code of evolution has changed since: --recompute evolution computes"
    ):
        both.check(other)
    changed = [
        replace(plan, dtype="int32") if plan.name == "method_taken" else plan for plan in both.template.arrays
    ]
    wanted = replace(template(analyses=BOTH), arrays=tuple(changed))
    with pytest.raises(StoreError, match="method_taken int8 there, int32 now"):
        stores.check_growth(both, wanted)
    grown = stores.grow(both.path, wanted, other, recompute=("evolution",))
    assert grown.counts()["growth"] == {PENDING: 0, DONE: 10, FAILED: 0}
    assert grown.counts()["evolution"] == {PENDING: 10, DONE: 0, FAILED: 0}
    data = xr.open_zarr(both.path).load()
    assert data.kappa_mean.isnull().all()
    grown.check(other)
    with pytest.raises(
        StoreError, match="holds no results of continuum: --recompute one of growth, evolution"
    ):
        stores.grow(both.path, wanted, other, recompute=("continuum",))


def test_what_was_computed_anew_may_have_lost_an_array(both):
    fill(both)
    arrays = tuple(plan for plan in both.template.arrays if plan.name != "method_taken")
    stores.grow(
        both.path, replace(template(analyses=BOTH), arrays=arrays), PRINT_BOTH, recompute=("evolution",)
    )
    assert "method_taken" not in xr.open_zarr(both.path)
    layout.remove_former(both.path)
    assert "method_taken" not in xr.open_zarr(both.path, consolidated=False)


def test_several_changed_codes_are_named_with_the_cure_of_each(both):
    with pytest.raises(StoreError, match="--recompute evolution --recompute growth computes it anew"):
        both.check({**PRINT_BOTH, "code.evolution": "2", "code.growth": "2"})
    with pytest.raises(StoreError, match=r"holds another sweep \(spec abc there, x now"):
        both.check({**PRINT_BOTH, "code.evolution": "2", "spec": "x"})
    with pytest.raises(StoreError, match=r"evolution\.t_end 10 there, default now"):
        both.check({name: value for name, value in PRINT_BOTH.items() if name != "evolution.t_end"})


def test_an_analysis_is_never_removed(both):
    fill(both)
    said = "holds results of evolution, which is not asked for now: add evolution to analyses again"
    with pytest.raises(StoreError, match=said):
        both.check(PRINT)
    with pytest.raises(StoreError, match=said):
        stores.check_growth(both, template())
    assert_right(both.path)


def test_an_analysis_with_an_axis_of_its_own_is_refused(growth):
    wanted = template(analyses=BOTH)
    seeds = Template(
        (*wanted.axes, "seed"),
        (*wanted.shape, 2),
        (2, 1, 1),
        (*wanted.coordinates, Coordinate("seed", ("seed",), np.arange(2), {})),
        wanted.arrays,
        {},
    )
    with pytest.raises(StoreError, match="has no axis seed: name another store"):
        stores.check_growth(growth, seeds)


def turned(sweep):
    """The same sweep with its axes in the other order."""
    return replace(sweep, axes=sweep.axes[::-1], shape=sweep.shape[::-1], block_shape=sweep.block_shape[::-1])


@pytest.mark.parametrize("block_shape", [(2, 1), (3, 2)])
def test_axes_in_another_order_are_the_same_sweep(both, block_shape):
    for block in both.pending():
        both.write(block, solve(both.template, block, failing=(0.3,), late=(0.1,)))
    before = xr.open_zarr(both.path).load()
    failures = {(f.position[::-1], f.analysis) for f in both.failures()}
    grown = stores.grow(both.path, turned(template(MORE, block_shape=block_shape, analyses=BOTH)), PRINT_BOTH)
    after = xr.open_zarr(both.path).load()
    assert after.growth_rate.dims == ("kind", "rho")
    assert after.kappa_mean.dims == ("kind", "rho", "time")
    at = after.sel(rho=before.rho.values).transpose(..., "energy_bin", "time")
    for name in ("status", "growth_rate", "energy_weight", "kappa_mean"):
        np.testing.assert_array_equal(at[name], before.transpose("kind", "rho", ...)[name])
    places = {i: MORE.index(rho) for i, rho in enumerate((0.1, 0.2, 0.3, 0.4, 0.5))}
    assert {(f.position, f.analysis) for f in grown.failures()} == {
        ((kind, places[rho]), name) for (kind, rho), name in failures
    }
    assert stores.verify(both.path) == []


def single(analyses):
    arrays = [ArrayPlan("status", (), (), "int8", 0, {})]
    arrays += [ArrayPlan(f"{name}_x", (), (), "float64", np.nan, {}, name) for name in analyses]
    return Template((), (), (), (Coordinate("g", (), np.array(1e-6), {}),), tuple(arrays), {})


def test_a_sweep_of_one_point_gets_an_analysis(tmp_path):
    store = stores.create(tmp_path / "one.zarr", single(("a",)), {})
    done = np.asarray(DONE, np.int8)
    store.write(0, BlockResult({"a_x": np.asarray(1.0)}, {"a": done}, (), 0.0))
    early = xr.open_zarr(store.path, chunks=None)
    grown = stores.grow(store.path, single(("a", "b")), {})
    assert early.status.item() == DONE
    assert grown.statuses().item() == PENDING
    grown.write(
        0, BlockResult({"a_x": np.asarray(9.0), "b_x": np.asarray(2.0)}, {"a": done, "b": done}, (), 0.0)
    )
    data = xr.open_zarr(store.path)
    assert (data.a_x.item(), data.b_x.item(), data.status.item()) == (1.0, 2.0, DONE)
    again = stores.grow(store.path, single(("a", "b")), {}, recompute=("b",))
    assert (xr.open_zarr(store.path).a_x.item(), again.statuses().item()) == (1.0, PENDING)
    assert stores.verify(store.path) == []


def test_every_array_belongs_to_an_analysis(tmp_path):
    arrays = tuple(replace(plan, analysis="") for plan in template().arrays)
    with pytest.raises(ValueError, match="belongs to an analysis"):
        stores.create(tmp_path / "s.zarr", replace(template(), arrays=arrays), {})
