"""The store: made whole, written by blocks, resumed by its ledger."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
import zarr

from pairsweep import store as stores
from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import DONE, FAILED, PENDING, BlockResult, Coordinate, Template
from pairsweep.store import Lock, Store, chunks, layout
from tests.sweeps_for_stores import ARRAYS, labels, solve, template, true_growth

PRINT = {"spec": "abc", "kernels": "1"}


@pytest.fixture
def sweep():
    return template()


@pytest.fixture
def store(pending):
    return pending


def fill(store, failing=()):
    for block in store.pending():
        store.write(block, solve(store.template, block, failing))


def assert_complete(path):
    """Every point done, and equal to what its own labels say."""
    with xr.open_zarr(path, chunks=None) as data:
        assert (data.status == DONE).all()
        number = np.array([len(text) for text in data.kind.values], dtype=float)
        np.testing.assert_array_equal(data.growth_rate, true_growth(data.rho.values[:, None], number))
        np.testing.assert_array_equal(data.energy_weight[..., 2], data.growth_rate)


def test_a_new_store_is_pending_and_labelled(store, sweep):
    data = xr.open_zarr(store.path)  # any warning is an error here
    assert set(data.coords) == {c.name for c in sweep.coordinates}
    assert data.status.dtype == np.int8
    assert (data.status == PENDING).all()
    assert data.growth_rate.isnull().all()
    assert "_FillValue" not in data.status.attrs
    assert data.status.attrs["flag_values"] == [0, 1, 2]
    assert data.kind.values.tolist() == ["midpoint", "exact"]
    assert data.pattern.item() == "quadrant"
    assert data.energy.dims == ("rho", "energy_bin")
    assert data.g.attrs == {"units": "MeV^-2"}
    assert data.attrs["title"] == "test"


def test_every_chunk_of_a_full_store_is_read_by_zarr(store):
    fill(store)
    assert_complete(store.path)


def test_chunks_are_what_zarr_writes(store, tmp_path):
    fill(store)
    group = zarr.open_group(store.path, mode="r")
    for name in ("growth_rate", "status", "n_unstable", "energy_weight"):
        ours = group[name]
        theirs = zarr.create_array(
            tmp_path / "theirs",
            shape=ours.shape,
            chunks=ours.chunks,
            dtype=ours.dtype,
            fill_value=ours.fill_value,
            compressors=ours.compressors,
            config={"write_empty_chunks": True},
            overwrite=True,
        )
        theirs[...] = ours[...]
        for chunk in (tmp_path / "theirs" / "c").rglob("*"):
            if chunk.is_file():
                assert (
                    chunk.read_bytes()
                    == (
                        store.path / name / "c" / chunk.relative_to(chunk.parents[len(ours.shape) - 1])
                    ).read_bytes()
                )


def test_a_store_without_consolidated_metadata_opens_without_a_warning(store):
    fill(store)
    xr.testing.assert_identical(
        xr.open_zarr(store.path, consolidated=False).drop_attrs(deep=False).load(),
        xr.open_zarr(store.path).drop_attrs(deep=False).load(),
    )


def test_it_survives_netcdf_attributes(store):
    for value in xr.open_zarr(store.path).attrs.values():
        assert isinstance(value, str | int | float | list)


def test_the_template_comes_back(store, sweep):
    again = Store.open(store.path).template
    assert (again.axes, again.shape, again.block_shape) == (sweep.axes, sweep.shape, sweep.block_shape)
    assert dict(again.attrs) == dict(sweep.attrs)
    for mine, theirs in zip(
        sorted(sweep.coordinates, key=lambda c: c.name),
        sorted(again.coordinates, key=lambda c: c.name),
        strict=True,
    ):
        assert (mine.name, mine.dims) == (theirs.name, theirs.dims)
        assert np.array_equal(mine.values, theirs.values)
    by_name = {plan.name: plan for plan in again.arrays}
    for plan in ARRAYS:
        assert by_name[plan.name].dtype == plan.dtype
        assert by_name[plan.name].trailing_shape == plan.trailing_shape
        np.testing.assert_equal(by_name[plan.name].fill_value, plan.fill_value)


@pytest.mark.parametrize("trailing", [False, True])
def test_a_sweep_of_one_point(tmp_path, trailing):
    arrays = ARRAYS if trailing else ARRAYS[:2]
    single = Template((), (), (), (Coordinate("g", (), np.array(1e-6), {}),), arrays, {})
    store = stores.create(tmp_path / "one.zarr", single, PRINT)
    assert list(store.pending()) == [0]
    arrays = {
        "growth_rate": np.asarray(3.0),
        "n_unstable": np.asarray(2, np.int32),
        "energy_weight": np.arange(3.0),
    }
    store.write(0, BlockResult(arrays, {"growth": np.asarray(DONE, np.int8)}, (), 0.0))
    assert list(Store.open(store.path).pending()) == []
    data = xr.open_zarr(store.path).load()
    assert data.growth_rate.item() == 3.0
    assert data.growth_rate.dims == ()


def test_resume_computes_what_is_missing(store):
    store.write(0, solve(store.template, 0))
    store.write(3, solve(store.template, 3))
    again = Store.open(store.path)
    assert list(again.pending()) == [1, 2, 4, 5]
    fill(again)
    assert list(again.pending()) == []
    assert_complete(store.path)


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_empty_is_not_missing(store, value):
    for block in store.pending():
        result = solve(store.template, block)
        arrays = {
            name: np.full_like(values, value if values.dtype.kind == "f" else 0)
            for name, values in result.arrays.items()
        }
        store.write(block, BlockResult(arrays, result.states, (), 0.0))
    assert list(Store.open(store.path).pending()) == []
    data = xr.open_zarr(store.path).load()
    assert (data.status == DONE).all()
    np.testing.assert_array_equal(data.growth_rate, np.full(data.growth_rate.shape, value))
    assert (data.n_unstable == 0).all()


def test_writing_twice_changes_nothing(store):
    def files():
        return {p: p.read_bytes() for p in store.path.rglob("*") if p.is_file() and "engine" not in str(p)}

    fill(store)
    before = files()
    for block in range(store.template.n_blocks):
        store.write(block, solve(store.template, block))
    assert files() == before


def test_done_stays_done_whoever_comes_late(store):
    fill(store)
    wrong = solve(store.template, 0, failing=(0.1, 0.2))
    store.write(0, wrong)
    assert_complete(store.path)


def test_a_part_of_a_block_leaves_the_rest_alone(store):
    first = store.todo(0, only=range(1))
    assert first["growth"].sum() == 1
    store.write(0, solve(store.template, 0), first)
    assert store.block_status(0).ravel().tolist() == [DONE, PENDING]
    assert np.isnan(xr.open_zarr(store.path).growth_rate.values[1, 0])
    store.write(0, solve(store.template, 0), store.todo(0))
    fill(store)
    assert_complete(store.path)


def test_failures_are_kept_with_their_reasons_and_retried(store):
    fill(store, failing=(0.2, 0.5))
    again = Store.open(store.path)
    assert list(again.pending()) == []
    assert sorted(f.position for f in again.failures()) == [(1, 0), (1, 1), (4, 0), (4, 1)]
    assert {f.reason for f in again.failures()} == {"no result"}
    assert (again.statuses() == FAILED).sum() == 4
    retry = list(again.pending(retry_failed=True))
    assert retry == [0, 1, 4, 5]
    mask = again.todo(0, retry_failed=True)
    assert mask["growth"].ravel().tolist() == [False, True]
    again.write(0, solve(again.template, 0), mask)
    assert sorted(f.position for f in again.failures()) == [(1, 1), (4, 0), (4, 1)]
    for block in retry:
        again.write(block, solve(again.template, block), again.todo(block, retry_failed=True))
    assert again.failures() == []
    assert_complete(store.path)


def test_an_equal_fingerprint_passes_and_another_is_named(store):
    Store.open(store.path).check(dict(PRINT))
    with pytest.raises(StoreError, match="kernels 1 there, 2 now"):
        store.check(PRINT | {"kernels": "2"})
    with pytest.raises(StoreError, match="dtype default there, f4 now"):
        store.check(PRINT | {"dtype": "f4"})


def test_other_results_and_other_types_are_named(store, sweep):
    store.check_arrays(sweep)
    arrays = [replace(plan, dtype="float32") if plan.trailing else plan for plan in sweep.arrays[1:]]
    with pytest.raises(
        StoreError, match=r"energy_weight float64 3 there, float32 3 now; status int8 there, absent"
    ):
        store.check_arrays(replace(sweep, arrays=tuple(arrays)))


def test_chunks_that_are_no_blocks_are_refused(store):
    document, _ = layout.read_root(store.path)
    growth = document["consolidated_metadata"]["metadata"]["growth_rate"]
    growth["chunk_grid"]["configuration"]["chunk_shape"] = [5, 1]
    (store.path / layout.ROOT).write_bytes(layout.sealed(document))
    with pytest.raises(StoreError, match=r"growth_rate is cut into chunks of \(5, 1\), status into \(2, 1\)"):
        Store.open(store.path)


def test_history_grows_and_the_rest_of_the_root_stays(store, sweep):
    store.append_history("one")
    store.append_history("two")
    attrs = xr.open_zarr(store.path).attrs
    assert [line.split(" ", 1)[1] for line in attrs["history"].splitlines()] == ["one", "two"]
    assert attrs["title"] == "test"
    fill(store)  # a history line is no other store
    assert_complete(store.path)


def test_what_is_not_ours_is_refused_and_untouched(tmp_path, sweep):
    other = tmp_path / "data"
    other.mkdir()
    (other / "precious").write_text("x")
    for use in (lambda: stores.create(other, sweep, PRINT), lambda: Store.open(other)):
        with pytest.raises(StoreError):
            use()
    assert [p.name for p in tmp_path.rglob("*")] == ["data", "precious"]
    zarr.create_group(tmp_path / "z.zarr")
    with pytest.raises(StoreError, match="not a pairsweep store"):
        Store.open(tmp_path / "z.zarr")
    with pytest.raises(StoreError, match="no store here"):
        Store.open(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["..", ".", "", "/", "a\nb", "a\x1b[31mb", "x/..", "a\x00b", "a\udc80"])
def test_hostile_names_of_stores(tmp_path, sweep, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as refused:
        stores.create(name, sweep, PRINT)
    assert str(refused.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def test_hostile_names_of_arrays(tmp_path, sweep):
    for name in ("../out", "a/b", "", ".", "zarr.json", "a b"):
        bad = Template(
            sweep.axes,
            sweep.shape,
            sweep.block_shape,
            (*sweep.coordinates, Coordinate(name, (), np.array(1.0), {})),
            sweep.arrays,
            {},
        )
        with pytest.raises(StoreError, match="array name"):
            stores.create(tmp_path / "s.zarr", bad, PRINT)
    assert list(tmp_path.iterdir()) == []


def test_links_out_of_a_store_are_refused(store, tmp_path):
    target = tmp_path / "victim"
    (store.path / "growth_rate").rename(target)
    (store.path / "growth_rate").symlink_to(target)
    with pytest.raises(StoreError, match="symbolic link"):
        Store.open(store.path)


def test_dangling_links_are_not_followed(tmp_path, sweep):
    (tmp_path / "link.zarr").symlink_to(tmp_path / "elsewhere")
    for use in (lambda path: stores.create(path, sweep, PRINT), Store.open, stores.verify, stores.is_there):
        with pytest.raises(StoreError, match=r"is a link to .*elsewhere, where nothing is: mount or make"):
            use(tmp_path / "link.zarr")
    assert not (tmp_path / "elsewhere").exists()


def test_a_late_writer_of_another_store_is_refused(store, sweep, tmp_path):
    store.path.rename(tmp_path / "moved")
    with pytest.raises(StoreError, match="removed"):
        store.write(0, solve(sweep, 0))
    stores.create(store.path, sweep, PRINT)
    with pytest.raises(StoreError, match="replaced"):
        store.write(0, solve(sweep, 0))


def test_a_damaged_ledger_is_pending_until_it_is_restored_from_its_record(store):
    fill(store)
    ledger = layout.chunk(store.path, "status", 0, (0, 0))
    ledger.write_bytes(ledger.read_bytes()[:-1])
    assert (store.states(0)["growth"] == PENDING).all()
    assert list(Store.open(store.path).pending()) == []
    assert_complete(store.path)


def test_a_damaged_ledger_without_its_record_is_pending(store):
    fill(store)
    ledger = layout.chunk(store.path, "status", 0, (0, 0))
    ledger.write_bytes(ledger.read_bytes()[:-1])
    record = layout.record(store.path, 0, 0)
    record.write_bytes(record.read_bytes().replace(b"seconds", b"sekonds"))
    assert list(Store.open(store.path).pending()) == [0]
    fill(Store.open(store.path))
    assert_complete(store.path)


def test_results_of_another_shape_or_dtype_are_refused(store):
    result = solve(store.template, 0)
    short = dict(result.arrays) | {"growth_rate": result.arrays["growth_rate"][:1]}
    single = dict(result.arrays) | {"growth_rate": result.arrays["growth_rate"].astype(np.float32)}
    unsure = {"growth": np.zeros_like(result.states["growth"])}
    for arrays, states in ((short, result.states), (single, result.states), (result.arrays, unsure)):
        with pytest.raises(ValueError, match="block 0"):
            store.write(0, BlockResult(arrays, states, (), 0.0))
    assert (store.block_status(0) == PENDING).all()


def test_a_disk_full_from_the_start_is_no_traceback(store, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Lock, "_write", full)
    with pytest.raises(StoreError, match="make room"), store.lock():
        pass


@pytest.mark.processes
def test_no_room_leaves_nothing_falsely_done(store):
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from pairsweep.store import Store, StoreError\n"
        "from tests.sweeps_for_stores import solve\n"
        "s = Store.open(sys.argv[1])\n"
        "try: s.write(0, solve(s.template, 0))\n"
        "except StoreError as e: print(e)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(store.path)], capture_output=True, text=True, check=True
    ).stdout
    assert "make room" in told
    assert len(told.splitlines()) == 1
    assert (store.block_status(0) == PENDING).all()
    assert list(layout.scratch(store.path).iterdir()) == []
    fill(store)
    assert_complete(store.path)


WRITER = """
import sys
from pairsweep.store import Store
from tests.sweeps_for_stores import solve
s = Store.open(sys.argv[1])
print("ready", flush=True)
while True:
    for block in range(s.template.n_blocks):
        s.write(block, solve(s.template, block, failing=(0.1, 0.2, 0.3, 0.4, 0.5)))
"""


@pytest.mark.processes
def test_a_killed_writer_tears_nothing(tmp_path):
    sweep = template(rho=tuple(np.arange(1, 2001) / 4096), block_shape=(1000, 1))
    store = stores.create(tmp_path / "s.zarr", sweep, PRINT)
    pause = np.random.default_rng(5)
    for _ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(store.path)], stdout=subprocess.PIPE)
        with writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(pause.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
        data = xr.open_zarr(store.path).load()  # a torn chunk does not decode
        settled = data.status != PENDING
        rho, number = data.rho.values[:, None], np.array([len(k) for k in data.kind.values], dtype=float)
        truth = np.where(data.status == DONE, true_growth(rho, number), np.nan)
        np.testing.assert_array_equal(data.growth_rate.values[settled], truth[settled.values])
    with store.lock():
        assert list(layout.scratch(store.path).iterdir()) == []
    fill(Store.open(store.path), failing=())


def test_chunks_refuse_every_kind_of_damage():
    values = np.random.default_rng(1).random((4, 3))
    data = chunks.encode(values, (4, 3), np.nan)
    assert np.array_equal(chunks.decode(data, (4, 3), "float64"), values)
    flipped = [
        bytes(b ^ (1 << bit) if i == at else b for i, b in enumerate(data))
        for at in range(len(data))
        for bit in (0, 7)
    ]
    for bad in (b"", data[:-1], data[1:], data + b"x", data[: len(data) // 2], *flipped):
        with pytest.raises(chunks.DamagedChunk):
            chunks.decode(bad, (4, 3), "float64")
    with pytest.raises(chunks.DamagedChunk):
        chunks.decode(data, (4, 4), "float64")


def test_a_failed_create_leaves_nothing(tmp_path, sweep):
    unwritable = tmp_path / "file"
    unwritable.write_text("")
    with pytest.raises(StoreError):
        stores.create(unwritable / "s.zarr", sweep, PRINT)
    assert list(tmp_path.iterdir()) == [unwritable]


def test_the_record_of_a_block(store):
    store.write(2, solve(store.template, 2, failing=(0.3,)))
    record = json.loads(layout.record(store.path, 0, 2).read_bytes())
    assert record["seconds"] == 0.5
    assert record["host"] == os.uname().nodename
    assert set(record["seals"]) == {plan.name for plan in ARRAYS}
    assert record["states"]["growth"] == 1 or isinstance(record["states"]["growth"], str)
    assert labels(store.template, 2)[0].size == 2
