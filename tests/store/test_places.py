"""Where a store is: names that are none, places that cannot be written, how many files, and former generations."""

import errno
import json
import os
import time
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from pairsweep import store as stores
from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import DONE, Coordinate
from pairsweep.store import Store, chunks, layout
from pairsweep.store.store import FORMER_KEPT
from tests.store.test_grow import MORE
from tests.store.test_store import PRINT, assert_complete, fill
from tests.sweeps_for_stores import solve, template


@pytest.fixture
def store(tmp_path):
    return stores.create(tmp_path / "s.zarr", template(), PRINT)


@pytest.mark.parametrize(
    "name", ["s3://bucket/x.zarr", "s3:/bucket/x.zarr", "file:///tmp/x.zarr", "https://a/x"]
)
def test_addresses_are_no_stores(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for use in (
        lambda path: stores.create(path, template(), PRINT),
        Store.open,
        stores.is_there,
        stores.verify,
    ):
        with pytest.raises(
            StoreError, match="is an address, not a folder: name a folder, and copy the finished store"
        ):
            use(name)
    assert list(tmp_path.iterdir()) == []


def test_the_home_directory_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not stores.is_there("~/x.zarr")
    assert stores.create("~/x.zarr", template(), PRINT).path == tmp_path / "x.zarr"
    assert stores.is_there("~/x.zarr")
    with pytest.raises(StoreError, match="no such home directory is known: write the path without ~"):
        Store.open("~nobody-of-this-name/x.zarr")


def files(path):
    return {p: p.stat().st_mtime_ns for p in path.rglob("*") if p.is_file()}


@pytest.fixture
def read_only(store, monkeypatch):
    """A full store whose file system refuses every write, whoever asks."""
    fill(store)
    real_open = os.open

    def refuse(path, flags, *args, **kwargs):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and str(path).startswith(str(store.path)):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return real_open(path, flags, *args, **kwargs)

    def refused(*args):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def no_write(path, mode, **kwargs):
        return not mode & os.W_OK

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "access", no_write)
    monkeypatch.setattr(chunks.Path, "write_bytes", refused)
    return store


def test_a_store_that_cannot_be_written_is_verified_and_read(read_only):
    before = files(read_only.path)
    assert stores.verify(read_only.path) == []
    assert_complete(read_only.path)
    assert read_only.failures() == []
    assert list(read_only.pending()) == []
    assert read_only.counts()["growth"][DONE] == 10
    assert files(read_only.path) == before


def test_damage_in_a_store_that_cannot_be_written_is_only_named(read_only):
    victim = read_only.chunk(read_only.template.arrays[1], 0)
    with open(victim, "ab") as file:
        file.write(b"x")
    before = files(read_only.path)
    (damage,) = stores.verify(read_only.path)
    assert (damage.block, damage.kept) == (0, True)
    assert files(read_only.path) == before


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_what_cannot_be_written_is_one_line(store, monkeypatch, number):
    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    for use in (
        lambda: store.lock().__enter__(),
        lambda: store.write(0, solve(store.template, 0)),
        lambda: stores.grow(store.path, template(MORE), PRINT),
    ):
        with pytest.raises(StoreError, match="it can be read, but not continued: copy it") as refused:
            use()
        assert os.strerror(number) in str(refused.value)


def test_a_store_that_may_not_be_read_says_so(store, monkeypatch):
    def refuse(*args):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(chunks.Path, "read_bytes", refuse)
    with pytest.raises(StoreError, match="permission denied"):
        layout.read_root(store.path)


def test_a_coordinate_costs_few_files(tmp_path):
    store = stores.create(tmp_path / "s.zarr", template(block_shape=(5, 2)), PRINT)
    scalars = [c.name for c in store.template.coordinates if not c.dims]
    for name in scalars:
        assert [p.name for p in (store.path / name).iterdir()] == ["zarr.json"]
    fill(store)
    with store.lock():
        pass
    axes = len(store.template.coordinates) - len(scalars)
    # metadata, labels and results; the root, its copy, the labels' copy, the record and the coordinator's lock
    assert len(files(store.path)) == len(scalars) + 2 * axes + 2 * len(store.template.arrays) + 5


def test_scalars_of_every_kind_come_back(tmp_path):
    values = {"a": 0.1, "b": -0.0, "c": np.int64(2**62), "d": "größer", "e": float("nan"), "f": True}
    sweep = template()
    more = tuple(Coordinate(name, (), np.array(value), {}) for name, value in values.items())
    store = stores.create(tmp_path / "s.zarr", replace(sweep, coordinates=(*sweep.coordinates, *more)), PRINT)
    found = {c.name: c.values for c in Store.open(store.path).template.coordinates}
    data = xr.open_zarr(store.path)
    for name, value in values.items():
        for there in (found[name].item(), data[name].item()):
            assert repr(there) == repr(np.array(value).item())
        assert isinstance(value, str) or data[name].dtype == np.array(value).dtype


def aged(path):
    """Let a day pass since the last growth."""
    document, mark = layout.read_root(path)
    mark["since"] = time.time() - FORMER_KEPT - 1
    document["attributes"][layout.MARK] = json.dumps(mark)
    (path / layout.ROOT).write_bytes(layout.sealed(document))


def test_former_generations_are_removed_by_a_run_a_day_later(store):
    fill(store)
    early, plain = stores.open_dataset(store.path), xr.open_zarr(store.path, chunks=None)
    fill(stores.grow(store.path, template(MORE), PRINT))
    with Store.open(store.path).lock():
        assert layout.generations(store.path) == [0, 1]
    assert (early.status == DONE).all()
    aged(store.path)
    before = len(files(store.path))
    with Store.open(store.path).lock():
        assert layout.generations(store.path) == [1]
    assert len(files(store.path)) < before - 4 * store.template.n_blocks
    assert stores.verify(store.path) == []
    data = xr.open_zarr(store.path).load()
    assert data.rho.values.tolist() == list(MORE)
    assert int((data.status == DONE).sum()) == 2 * len(MORE)
    with pytest.raises(StoreError, match=r"has grown since it was opened, and .* removed: open it again"):
        early.growth_rate.load()
    assert (plain.status != DONE).all()  # whoever reads without us finds nothing done, and nothing wrong


@pytest.fixture
def former(store):
    """A store as format 1 had it: no analyses in its mark, and records without states and checksum."""
    for block in store.pending():
        store.write(block, solve(store.template, block, failing=(0.2,)))
    for block in range(store.template.n_blocks):
        file = layout.record(store.path, 0, block)
        record = json.loads(file.read_bytes())
        del record["states"], record["checksum"]
        record["texts"] = [text[:2] for text in record["texts"]]
        file.write_text(json.dumps(record))
    document, mark = layout.read_root(store.path)
    del mark["analyses"], mark["since"]
    mark |= {"format": 1, "fingerprint": {"kernels": "1"}}
    document["attributes"][layout.MARK] = json.dumps(mark)
    (store.path / layout.ROOT).write_bytes(layout.sealed(document))
    return Store.open(store.path)


def test_a_store_of_format_1_is_read(former):
    before = files(former.path)
    data = stores.open_dataset(former.path).load()
    assert int((data.status == DONE).sum()) == 8
    assert [f.position for f in former.failures()] == [(1, 0), (1, 1)]
    assert {(f.reason, f.analysis) for f in former.failures()} == {("no result", "")}
    assert stores.verify(former.path) == []
    assert files(former.path) == before


def test_a_store_of_format_1_is_not_continued(former):
    before = files(former.path)
    for use in (
        lambda: former.check({"kernels": "1"}),
        lambda: former.lock().__enter__(),
        lambda: former.write(0, solve(template(), 0)),
        lambda: stores.grow(former.path, template(MORE), {"kernels": "1"}),
    ):
        with pytest.raises(
            StoreError, match="numbers would be of two kinds: read it as before, and run into another"
        ):
            use()
    assert files(former.path) == before
