"""Writes a store into one file, and brings it back; ``packed.py`` says what that file is."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import DONE, FAILED
from pairsweep.store import layout
from pairsweep.store.packed import (
    PROVENANCE,
    SUMS,
    digest_of,
    extract,
    make_folders,
    opened,
    sums_of,
)
from pairsweep.store.places import resolve
from pairsweep.store.store import Store
from pairsweep.store.verify import damaged

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same store gives the same file, whenever it is packed


def pack(
    path: str | os.PathLike[str],
    target: str | os.PathLike[str],
    provenance: Mapping[str, bytes],
    partial: bool = False,
) -> tuple[Path, int]:
    """Write a store into one file and read it back; return where it is and how many files of the store it holds.

    It is written beside ``target`` and renamed once every byte has been compared, so it is there whole or not at all.

    Parameters
    ----------
    provenance : texts by their names, for the folder of that name
    partial : pack it although points of it are pending or failed

    Raises
    ------
    StoreError
        If something is at ``target`` or it cannot be written, for a store that is damaged or being written, and for one
        with pending or failed points unless ``partial``.
    """
    goal = new_file(target)
    store = finished(path, partial)
    with _still(store), whole_or_absent(goal) as draft:
        _check_sound(store)
        sums = {}
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED, strict_timestamps=True) as archive:
            for file in _files(store):
                sums[file.relative_to(store.path).as_posix()] = _add(archive, store.path, file)
            for name, text in provenance.items():
                sums[PROVENANCE + name] = hashlib.sha256(text).hexdigest()
                archive.writestr(zipfile.ZipInfo(PROVENANCE + name, _EPOCH), text)
            lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
            archive.writestr(zipfile.ZipInfo(SUMS, _EPOCH), lines)
        with zipfile.ZipFile(draft) as archive:
            for name, digest in sums.items():
                if digest_of(archive, name) != digest:
                    raise StoreError(str(goal), f"{name} was not read back as written", "try another disk")
    return goal, len(sums) - len(provenance)


def unpack(path: str | os.PathLike[str], target: str | os.PathLike[str]) -> Path:
    """Bring a packed store back as the folder that it was, byte for byte, with every checksum compared.

    Raises
    ------
    StoreError
        If ``path`` is no packed store or damaged, or something is at ``target``.
    """
    root = resolve(target)
    if root.exists():
        raise StoreError(str(target), "exists already", "name another folder, or remove this one")
    with opened(path) as archive, whole_or_absent(root) as draft:
        sums = sums_of(archive)
        for name in (name for name in sums if not name.startswith(PROVENANCE)):
            extract(archive, name, draft, sums[name])
        make_folders(draft)
        layout.read_root(draft)
    return root


def new_file(target: str | os.PathLike[str]) -> Path:
    """Return where a new file goes; refuse a place that is taken."""
    goal = resolve(target)
    if goal.exists():
        raise StoreError(str(target), "exists already", "name another file, or remove this one")
    if not goal.parent.is_dir():
        raise StoreError(str(target), "its folder does not exist", "make it, or name another file")
    return goal


def finished(path: str | os.PathLike[str], partial: bool) -> Store:
    """Open a store that is to be handed over; refuse one with pending or failed points unless ``partial``."""
    store = Store.open(path)
    status = store.statuses()
    failed = int((status == FAILED).sum())
    pending = int((status != DONE).sum()) - failed
    if not partial and (pending or failed):
        what = f"{pending:,} points are pending and {failed:,} failed"
        cure = "run the sweep to its end" if pending else "try these again with run --retry-failed"
        raise StoreError(str(store.path), what, f"{cure}, or add --partial")
    return store


@contextlib.contextmanager
def whole_or_absent(goal: Path) -> Iterator[Path]:
    """Give a place beside ``goal`` that becomes it at the end; nothing is left if that is not reached."""
    draft = goal.with_name(f".{goal.name}.{uuid.uuid4().hex}.partial")
    try:
        yield draft
        draft.rename(goal)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(str(goal), reason, "name a place that can be written, with room for it") from error
    finally:
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)


def _still(store: Store) -> contextlib.AbstractContextManager[object]:
    """Keep other coordinators out while a store is copied."""
    return store.lock() if store.is_writable else contextlib.nullcontext()


def _check_sound(store: Store) -> None:
    for block in range(store.template.n_blocks):
        for file, what in damaged(store, block):
            found = f"{file.relative_to(store.path)} is damaged ({what})"
            raise StoreError(str(store.path), found, f"pairsweep verify {store.path}, then run again")


def _files(store: Store) -> Iterator[Path]:
    """Yield the files of the generation that readers see, and no lock or litter; the root's metadata first."""
    root, generation, template = store.path, store.identity.generation, store.template
    copies = layout.copies(root, generation)
    wanted = [root / layout.ROOT, copies / layout.ROOT, copies / layout.LABELS]
    names = [c.name for c in template.coordinates] + [plan.name for plan in template.arrays]
    wanted += [root / name / layout.ROOT for name in names]
    wanted += [layout.label_chunk(root, c.name, c.dims, generation) for c in template.coordinates if c.dims]
    for block in range(template.n_blocks):
        wanted += [store.chunk(plan, block) for plan in template.arrays]
        wanted.append(layout.record(root, generation, block))
    yield from (file for file in wanted if file.is_file())


def _add(archive: zipfile.ZipFile, root: Path, file: Path) -> str:
    data = file.read_bytes()
    archive.writestr(zipfile.ZipInfo(file.relative_to(root).as_posix(), _EPOCH), data)
    return hashlib.sha256(data).hexdigest()
