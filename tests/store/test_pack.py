"""A store as one file: read in place, brought back byte for byte, whole or not there."""

import errno
import hashlib
import zipfile

import numpy as np
import pytest
import xarray as xr
import zarr

from pairsweep import store as stores
from pairsweep.contract.errors import StoreError
from pairsweep.store import Store, packing
from pairsweep.store.packed import SUMS
from tests.store.test_store import PRINT, assert_complete, fill
from tests.sweeps_for_stores import template

README = {"README.txt": b"what it is\n"}


@pytest.fixture
def store(done):
    return done


@pytest.fixture
def packed(store, tmp_path):
    return stores.pack(store.path, tmp_path / "s.zarr.zip", README)[0]


def tree(path):
    """Bytes of every file; a lock that nobody holds is none of the store's."""
    files = (file for file in path.rglob("*") if file.is_file() and file.suffix != ".flock")
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


def beside(path):
    return {entry.name for entry in path.iterdir()}


def test_it_comes_back_byte_for_byte(store, packed, tmp_path):
    again = stores.unpack(packed, tmp_path / "again.zarr")
    assert tree(again) == tree(store.path)
    assert stores.verify(again) == []
    assert_complete(again)


def test_zarr_reads_it_in_place(packed):
    with xr.open_zarr(zarr.storage.ZipStore(packed, mode="r"), chunks=None) as data:
        assert_complete(packed_as := zarr.storage.ZipStore(packed, mode="r"))
        packed_as.close()
        xr.testing.assert_identical(data.load(), stores.open_dataset(packed).load())


def test_it_holds_checksums_of_all_else(packed):
    with zipfile.ZipFile(packed) as archive:
        lines = archive.read(SUMS).decode().splitlines()
        sums = dict(reversed(line.split("  ")) for line in lines)
        assert sums.keys() == set(archive.namelist()) - {SUMS}
        for name, digest in sums.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest
        assert archive.read("provenance/README.txt") == b"what it is\n"
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_the_same_store_is_the_same_file(store, packed, tmp_path):
    again, _ = stores.pack(store.path, tmp_path / "again.zarr.zip", README)
    assert again.read_bytes() == packed.read_bytes()


def test_only_what_readers_see_is_packed(store, tmp_path):
    more = template(rho=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5))
    grown = stores.grow(store.path, more, PRINT)
    fill(grown)
    packed, _ = stores.pack(grown.path, tmp_path / "s.zarr.zip", {})
    again = stores.unpack(packed, tmp_path / "again.zarr")
    assert_complete(again)
    assert stores.verify(again) == []
    assert len(tree(again)) < len(tree(grown.path))  # the former generation stays behind


def test_what_is_not_done_is_packed_only_when_asked_for(tmp_path):
    store = stores.create(tmp_path / "s.zarr", template(), PRINT)
    fill(store, failing=(0.1,))
    store.forget(1)
    target = tmp_path / "s.zarr.zip"
    with pytest.raises(StoreError, match=r"\d points are pending and \d failed: run the sweep to its end"):
        stores.pack(store.path, target, {})
    assert not target.exists()
    packed, _ = stores.pack(store.path, target, {}, partial=True)
    with stores.readable(packed) as seen:
        assert np.array_equal(seen.statuses(), store.statuses())
        assert seen.failures() == store.failures()
        assert seen.counts() == store.counts()
    again = Store.open(stores.unpack(packed, tmp_path / "again.zarr"))
    fill(again)
    assert not list(again.pending())


def test_a_packed_store_is_not_written_to(packed):
    for use in (
        Store.open,
        lambda path: stores.create(path, template(), PRINT),
        lambda path: stores.pack(path, f"{path}.zip", {}),
    ):
        with pytest.raises(StoreError):
            use(packed)
    with pytest.raises(StoreError, match=r"stays as it is: pairsweep unpack .*s\.zarr\.zip"):
        Store.open(packed)


def test_a_damaged_store_is_not_packed(store, tmp_path):
    chunk = store.chunk(store.template.arrays[1], 0)
    chunk.write_bytes(chunk.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"growth_rate/c/0/0 is damaged .*: pairsweep verify"):
        stores.pack(store.path, tmp_path / "s.zarr.zip", {})
    assert "s.zarr.zip" not in beside(tmp_path)


def test_nobody_packs_what_is_being_written(store, tmp_path):
    with store.lock(), pytest.raises(StoreError, match="in use by process"):
        stores.pack(store.path, tmp_path / "s.zarr.zip", {})


@pytest.mark.parametrize("what", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_nothing_is_left_of_what_was_cut_off(store, tmp_path, monkeypatch, what):
    before = beside(tmp_path)

    def cut_off(*_):
        raise what

    monkeypatch.setattr(packing, "digest_of", cut_off)
    with pytest.raises((KeyboardInterrupt, StoreError), match=r"No space left on device: name a place|^$"):
        stores.pack(store.path, tmp_path / "s.zarr.zip", {})
    assert beside(tmp_path) == before


def test_what_is_not_read_back_as_written_is_not_kept(store, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "digest_of", lambda archive, name: "another")
    with pytest.raises(StoreError, match=r"zarr\.json was not read back as written"):
        stores.pack(store.path, tmp_path / "s.zarr.zip", {})
    assert "s.zarr.zip" not in beside(tmp_path)


def test_places_that_are_taken_or_missing_are_refused(store, packed, tmp_path):
    with pytest.raises(StoreError, match="exists already: name another file"):
        stores.pack(store.path, packed, {})
    with pytest.raises(StoreError, match="its folder does not exist"):
        stores.pack(store.path, tmp_path / "none" / "s.zarr.zip", {})
    with pytest.raises(StoreError, match="exists already: name another folder"):
        stores.unpack(packed, store.path)


def flip(packed, name):
    """Change a byte in the middle of a member."""
    with zipfile.ZipFile(packed) as archive:
        info = archive.getinfo(name)
    data = bytearray(packed.read_bytes())
    data[info.header_offset + 30 + len(name) + info.file_size // 2] ^= 1
    packed.write_bytes(data)


def test_damage_is_found_and_named(packed, tmp_path):
    flip(packed, "growth_rate/c/0/0")
    (damage,) = stores.verify(packed)
    assert (damage.file, damage.what, damage.kept) == ("growth_rate/c/0/0", "not what was written", True)
    with pytest.raises(StoreError, match="growth_rate/c/0/0 is damaged: take a copy that is whole"):
        stores.open_dataset(packed).growth_rate.load()
    with pytest.raises(StoreError, match="damaged"):
        stores.unpack(packed, tmp_path / "again.zarr")
    assert "again.zarr" not in beside(tmp_path)


def test_a_file_cut_short_is_refused_in_one_line(packed, tmp_path):
    packed.write_bytes(packed.read_bytes()[:-100])
    for use in (
        stores.open_dataset,
        stores.verify,
        lambda path: stores.unpack(path, tmp_path / "again.zarr"),
    ):
        with pytest.raises(StoreError, match="is not a p"):
            use(packed)


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "a//b", "a\\b"])
def test_nothing_is_unpacked_outside_of_its_folder(tmp_path, name):
    evil = tmp_path / "evil.zarr.zip"
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr(name, b"x")
        archive.writestr(SUMS, f"{hashlib.sha256(b'x').hexdigest()}  {name}\n")
    with pytest.raises(StoreError, match="holds the name"):
        stores.unpack(evil, tmp_path / "folder")
    assert beside(tmp_path) == {"evil.zarr.zip"}


def test_other_files_are_no_packed_stores(store, tmp_path):
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", b"a")
    text = tmp_path / "text.zip"
    text.write_text("no zip")
    for path, why in (
        (other, "is not a packed store"),
        (text, "is not a packed store"),
        (store.path, "is a folder"),
        (tmp_path / "none.zip", "there is no file here"),
    ):
        with pytest.raises(StoreError, match=why):
            stores.unpack(path, tmp_path / "folder")
