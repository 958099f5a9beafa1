"""Axes get values: what is done moves along, readers never notice, a killed growth leaves no trace."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from pairsweep import store as stores
from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import DONE, FAILED, PENDING, ArrayPlan, BlockResult, Coordinate, Template
from pairsweep.store import Store
from tests.store.test_store import PRINT, assert_complete, fill
from tests.sweeps_for_stores import solve, template

RHO = (0.1, 0.2, 0.3, 0.4, 0.5)
MORE = (0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7)
KINDS = ("both", "midpoint", "exact")


@pytest.fixture
def store(pending):
    return pending


def assert_labelled(data):
    """Whatever is done, is what its labels say."""
    number = np.array([len(text) for text in data.kind.values], dtype=float)
    truth = data.rho.values[:, None] + 10.0 * number
    done = data.status.values == DONE
    np.testing.assert_array_equal(data.growth_rate.values[done], truth[done])
    assert np.isnan(data.growth_rate.values[data.status.values == PENDING]).all()


@pytest.mark.parametrize("block_shape", [(2, 1), (3, 2), (8, 3), (1, 1)])
def test_values_in_the_middle_of_two_axes(store, block_shape):
    fill(store)
    grown = stores.grow(store.path, template(MORE, KINDS, block_shape), PRINT)
    data = xr.open_zarr(store.path).load()
    assert data.rho.values.tolist() == list(MORE)
    assert data.kind.values.tolist() == list(KINDS)
    was = data.rho.isin(RHO) & data.kind.isin(["midpoint", "exact"])
    np.testing.assert_array_equal(data.status == DONE, was)
    assert_labelled(data)
    np.testing.assert_array_equal(data.rho_twice, 2 * data.rho)
    assert sum(int(grown.todo(b)["growth"].sum()) for b in grown.pending()) == int((~was).sum())
    fill(grown)
    assert_complete(store.path)


def test_failures_move_along(store):
    fill(store, failing=(0.2, 0.5))
    before = {(RHO[f.position[0]], ("midpoint", "exact")[f.position[1]], f.reason) for f in store.failures()}
    grown = stores.grow(store.path, template(MORE, KINDS, (3, 2)), PRINT)
    assert {(MORE[f.position[0]], KINDS[f.position[1]], f.reason) for f in grown.failures()} == before
    assert (grown.statuses() == FAILED).sum() == 4


def test_a_half_done_store_grows_again_and_again(store):
    rho = list(RHO)
    rng = np.random.default_rng(3)
    for generation in range(7):
        pending = list(store.pending())
        for block in pending[::2]:
            store.write(block, solve(store.template, block, failing=(0.3,)), store.todo(block))
        before = xr.open_zarr(store.path).load()
        rho.insert(int(rng.integers(len(rho))), 1.0 + generation)
        store = stores.grow(store.path, template(tuple(rho), block_shape=(1 + generation % 3, 1)), PRINT)
        after = xr.open_zarr(store.path).load()
        assert_labelled(after)
        same = after.sel(rho=before.rho.values)
        np.testing.assert_array_equal(same.status, before.status)
        np.testing.assert_array_equal(same.growth_rate, before.growth_rate)
    fill(store)
    for block in store.pending(retry_failed=True):
        store.write(block, solve(store.template, block), store.todo(block, retry_failed=True))
    assert_complete(store.path)


def test_a_reader_of_the_old_axes_reads_on(store):
    fill(store)
    early = xr.open_zarr(store.path, chunks=None)  # lazy: nothing read yet
    grown = stores.grow(store.path, template(MORE, KINDS, (3, 2)), PRINT)
    fill(grown)
    early = early.load()
    assert early.rho.size == len(RHO)
    assert (early.status == DONE).all()
    assert_labelled(early)
    assert_complete(store.path)


def test_readers_that_ignore_consolidated_metadata_see_the_new_axes(store):
    stores.grow(store.path, template(MORE), PRINT)
    assert xr.open_zarr(store.path, consolidated=False).rho.values.tolist() == list(MORE)


def test_a_late_writer_of_the_old_axes_is_refused(store):
    stores.grow(store.path, template(MORE), PRINT)
    with pytest.raises(StoreError, match="grown"):
        store.write(0, solve(store.template, 0))


def test_only_one_generation_is_kept_besides(store):
    for n in range(6, 10):
        fill(store)
        store = stores.grow(store.path, template(tuple(np.arange(1, n + 1) / 10)), PRINT)
    files = [p for p in (store.path / "growth_rate").rglob("*") if p.is_file()]
    assert len(files) <= 1 + 2 * store.template.n_blocks


def test_history_and_new_attributes(store):
    store.append_history("first")
    stores.grow(store.path, template(MORE), PRINT)
    attrs = xr.open_zarr(store.path).attrs
    assert attrs["history"].endswith("first")


def test_bins_may_become_more(tmp_path):
    def bins(counts, longest):
        values = np.array([[e if e < n else np.nan for e in range(longest)] for n in counts], dtype=float)
        coordinates = (
            Coordinate("n_energy", ("n_energy",), np.array(counts), {}),
            Coordinate("energy_bin", ("energy_bin",), np.arange(longest), {}),
            Coordinate("energy", ("n_energy", "energy_bin"), values, {}),
        )
        arrays = (
            ArrayPlan("status", (), (), "int8", 0, {}),
            ArrayPlan("energy_weight", ("energy_bin",), (longest,), "float64", np.nan, {}, "growth"),
        )
        return Template(("n_energy",), (len(counts),), (1,), coordinates, arrays, {})

    store = stores.create(tmp_path / "s.zarr", bins((1, 2), 2), {})
    weights = {1: [1.0, np.nan], 2: [0.5, 0.5]}
    for block in range(2):
        result = {"energy_weight": np.array([weights[block + 1]])}
        store.write(block, BlockResult(result, {"growth": np.ones(1, np.int8)}, (), 0.0))
    grown = stores.grow(store.path, bins((1, 2, 4), 4), {})
    data = xr.open_zarr(grown.path).load()
    np.testing.assert_array_equal(data.energy_weight[1], [0.5, 0.5, np.nan, np.nan])
    np.testing.assert_array_equal(data.status, [1, 1, 0])
    with pytest.raises(StoreError, match="energy_weight float64 4 there, float64 3 now"):
        stores.grow(store.path, bins((1, 2, 4), 3), {})
    with pytest.raises(StoreError, match="n_energy has 1 values there that it lacks now, 4 for one"):
        stores.grow(store.path, bins((1, 2), 2), {})


def zipped(first, second):
    coordinates = (
        Coordinate("a", ("a",), np.array(first), {}),
        Coordinate("b", ("a",), np.array(second), {}),
    )
    arrays = (
        ArrayPlan("status", (), (), "int8", 0, {}),
        ArrayPlan("x", (), (), "float64", np.nan, {}, "growth"),
    )
    return Template(("a",), (len(first),), (2,), coordinates, arrays, {})


def test_a_zipped_group_is_known_by_all_its_members(tmp_path):
    store = stores.create(tmp_path / "s.zarr", zipped([1.0, 1.0], [1.0, 2.0]), {})
    store.write(0, BlockResult({"x": np.zeros(2)}, {"growth": np.array([1, 2], np.int8)}, (), 0.0))
    grown = stores.grow(store.path, zipped([1.0, 1.0, 1.0], [1.0, 3.0, 2.0]), {})
    assert grown.statuses().tolist() == [1, 0, 2]
    with pytest.raises(StoreError, match="a has 1 values there that it lacks"):
        stores.grow(store.path, zipped([1.0, 1.0, 1.0], [1.0, 3.0, 4.0]), {})


def test_what_is_no_growth_is_refused_before_any_write(store):
    fill(store)
    before = {p: p.stat().st_mtime_ns for p in store.path.rglob("*") if "engine" not in str(p)}
    wider = template(MORE)
    scalar_to_axis = Template(
        ("rho", "kind", "g"),
        (5, 2, 2),
        (2, 1, 1),
        (*(c for c in template().coordinates if c.name != "g"), Coordinate("g", ("g",), np.ones(2), {})),
        wider.arrays,
        {},
    )
    single = tuple(
        ArrayPlan(
            p.name,
            p.trailing,
            p.trailing_shape,
            "float32" if p.name == "growth_rate" else p.dtype,
            p.fill_value,
            {},
            p.analysis,
        )
        for p in wider.arrays
    )
    cases = {
        "0.5 for one": template(RHO[:-1]),
        "other values of g": template(MORE, g=2e-6),
        "g has one value there and is an axis now: name another": scalar_to_axis,
        "growth_rate float64 there, float32 now": Template(
            wider.axes, wider.shape, (2, 1), wider.coordinates, single, {}
        ),
        "results": Template(wider.axes, wider.shape, (2, 1), wider.coordinates, wider.arrays[:-1], {}),
        "labelled by other": Template(
            wider.axes, wider.shape, (2, 1), wider.coordinates[:-1], wider.arrays, {}
        ),
    }
    for said, other in cases.items():
        with pytest.raises(StoreError, match=said):
            stores.grow(store.path, other, PRINT)
    with pytest.raises(StoreError, match="kernels"):
        stores.grow(store.path, wider, PRINT | {"kernels": "2"})
    assert {p: p.stat().st_mtime_ns for p in store.path.rglob("*") if "engine" not in str(p)} == before


def test_a_damaged_chunk_is_not_carried_over(store):
    fill(store)
    chunk = store.chunk(next(p for p in store.template.arrays if p.name == "growth_rate"), 0)
    chunk.write_bytes(chunk.read_bytes()[:-1])
    grown = stores.grow(store.path, template(MORE), PRINT)
    assert (grown.statuses() == DONE).sum() == 8
    fill(grown)
    assert_complete(store.path)


GROWER = """
import os, sys
from pairsweep import store as stores
from pairsweep.store import chunks, layout
from tests.store.test_grow import KINDS, MORE, PRINT
from tests.sweeps_for_stores import template
steps = int(sys.argv[2])
def counted(call):
    def wrapped(*args, **kwargs):
        global steps
        steps -= 1
        if steps == 0: os._exit(9)
        return call(*args, **kwargs)
    return wrapped
chunks.replace = counted(chunks.replace)
layout.show = counted(layout.show)
layout.repair = counted(layout.repair)
layout.lay_out = counted(layout.lay_out)
stores.grow(sys.argv[1], template(MORE, KINDS, (3, 2)), PRINT)
"""


@pytest.mark.processes
@pytest.mark.parametrize("step", [2, 20, 33, 34, 36])
def test_a_killed_growth_leaves_one_generation_whole(store, step):
    fill(store)
    child = subprocess.run([sys.executable, "-c", GROWER, str(store.path), str(step)], check=False)
    assert child.returncode == 9
    again = Store.open(store.path)
    data = xr.open_zarr(store.path).load()
    assert_labelled(data)
    assert int((data.status == DONE).sum()) == 10
    assert data.rho.size in (len(RHO), len(MORE))
    with again.lock():
        pass
    fill(again)
    assert_complete(store.path)
    grown = stores.grow(store.path, template(MORE, KINDS, (3, 2)), PRINT)
    fill(grown)
    assert_complete(store.path)
