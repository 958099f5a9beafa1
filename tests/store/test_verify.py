"""Whatever happens to a file of a store is found, named, and put right by the next run."""

import numpy as np
import pytest
import xarray as xr

from pairsweep import store as stores
from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import DONE
from pairsweep.store import Store, layout
from tests.store.test_store import PRINT, assert_complete, fill
from tests.sweeps_for_stores import solve, template


@pytest.fixture
def store(done):
    return done


def truncate(path, rng):
    path.write_bytes(path.read_bytes()[: int(rng.integers(path.stat().st_size))])


def flip(path, rng):
    data = bytearray(path.read_bytes())
    data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)


def delete(path, rng):
    path.unlink()


def chunk_files(store):
    return {
        store.chunk(plan, block): (plan.name, block)
        for plan in store.template.arrays
        for block in range(store.template.n_blocks)
    }


def test_a_sound_store_has_nothing_to_report(store):
    assert stores.verify(store.path) == []
    assert_complete(store.path)
    store.append_history("a line")
    assert stores.verify(store.path) == []


@pytest.mark.parametrize("harm", [truncate, flip, delete])
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_chunk_is_named_and_its_block_alone_computed_again(store, harm, seed):
    rng = np.random.default_rng(seed)
    files = sorted(f for f, (name, _) in chunk_files(store).items() if name != "status")
    victim = files[rng.integers(len(files))]
    name, block = chunk_files(store)[victim]
    harm(victim, rng)
    (damage,) = stores.verify(store.path)
    assert damage.file == str(victim.relative_to(store.path))
    assert damage.file.startswith(f"{name}/")
    assert damage.slices == store.template.block_slices(block)
    again = Store.open(store.path)
    assert list(again.pending()) == [block]
    fill(again)
    assert stores.verify(store.path) == []
    assert_complete(store.path)


@pytest.mark.parametrize("harm", [truncate, flip, delete])
def test_a_damaged_ledger_is_restored_from_the_record_of_its_block(store, harm):
    harm(store.chunk(store.ledger, 4), np.random.default_rng(1))
    found = stores.verify(store.path)
    assert [damage.file for damage in found] == ([] if harm is delete else ["status/c/2/0"])
    assert {damage.block for damage in found} <= {None}
    assert list(Store.open(store.path).pending()) == []
    assert_complete(store.path)


@pytest.mark.parametrize("harm", [truncate, flip, delete])
def test_a_damaged_record_costs_its_block(store, harm):
    harm(layout.record(store.path, 0, 2), np.random.default_rng(1))
    (damage,) = stores.verify(store.path)
    assert damage.block == 2
    assert list(Store.open(store.path).pending()) == [2]


def test_a_chunk_of_another_block_is_not_taken_for_its_own(store):
    plan = next(p for p in store.template.arrays if p.name == "growth_rate")
    store.chunk(plan, 0).write_bytes(store.chunk(plan, 1).read_bytes())
    (damage,) = stores.verify(store.path)
    assert damage.block == 0
    assert "not what was written" in damage.what


@pytest.mark.parametrize("harm", [truncate, flip, delete])
@pytest.mark.parametrize("file", ["zarr.json", "rho/c/0", "kind/c/0", "energy/c/0/0"])
def test_metadata_and_coordinates_are_mended(store, harm, file):
    before = xr.open_zarr(store.path).load()
    rng = np.random.default_rng(2)
    victim = store.path / file
    content = victim.read_bytes()
    harm(victim, rng)
    found = stores.verify(store.path)
    assert [damage.file for damage in found] == [file]
    assert victim.read_bytes() == content
    xr.testing.assert_identical(xr.open_zarr(store.path).load(), before)
    harm(victim, rng)
    with Store.open(store.path).lock():  # what a run does first
        assert victim.read_bytes() == content


def test_a_damaged_copy_harms_nothing(store):
    before = {copy: copy.read_bytes() for copy in layout.copies(store.path, 0).iterdir()}
    assert len(before) == 2
    for copy in before:
        flip(copy, np.random.default_rng(1))
    stores.verify(store.path)
    assert {copy: copy.read_bytes() for copy in before} == before
    assert_complete(store.path)


def test_verify_keeps_away_from_a_running_sweep(store):
    with store.lock(), pytest.raises(StoreError, match="in use"):
        stores.verify(store.path)


def test_verify_of_no_store(tmp_path):
    with pytest.raises(StoreError, match="no store here"):
        stores.verify(tmp_path / "nothing")


def test_a_half_done_store_is_sound(tmp_path):
    store = stores.create(tmp_path / "h.zarr", template(), PRINT)
    store.write(1, solve(store.template, 1, failing=(0.2,)))
    store.write(0, solve(store.template, 0), store.todo(0, only=range(1)))
    assert stores.verify(store.path) == []
    assert (store.statuses() == DONE).sum() == 2
