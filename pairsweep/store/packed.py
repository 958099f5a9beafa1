"""A store as one file: a zip whose members are the store's own files, byte for byte, so that zarr reads it in place.

Beside them the folder ``provenance/`` has what people read without pairsweep, and the SHA-256 of every other member.
Nothing is compressed twice: chunks are compressed already, so members are only stored.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pairsweep.contract.errors import StoreError
from pairsweep.store import layout
from pairsweep.store.places import resolve
from pairsweep.store.store import Store

PROVENANCE = "provenance/"
SUMS = PROVENANCE + "SHA256SUMS"
_PIECE = 2**20


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Return whether a file, and a zip, is at the path of a store."""
    root = resolve(path)
    return root.is_file() and zipfile.is_zipfile(root)


@contextlib.contextmanager
def readable(path: str | os.PathLike[str]) -> Iterator[Store]:
    """Give a store to look at; a packed one without results: ledger, labels and records, in a folder for a while."""
    if not is_packed(path):
        if resolve(path).is_file():
            raise _no_pack(path, "it is no zip, or was cut short")
        yield Store.open(path)
        return
    with opened(path) as archive, tempfile.TemporaryDirectory(prefix="pairsweep-") as folder:
        root, sums = Path(folder), sums_of(archive)
        names = [name for name in sums if name.endswith(layout.ROOT) or name.startswith(f"{layout.LEDGER}/")]
        for name in names:
            extract(archive, name, root, sums[name])
        document, mark = layout.read_root(root)
        metadata = document["consolidated_metadata"]["metadata"]
        for label in document["attributes"]["coordinates"].split():
            if dims := metadata[label].get("dimension_names"):
                name = layout.label_chunk(root, label, dims, mark["generation"]).relative_to(root).as_posix()
                extract(archive, name, root, sums[name])
        make_folders(root)
        yield Store.open(root)


def check_packed(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """Recompute every checksum of a packed store; return the members that are damaged, and how."""
    found = []
    with opened(path) as archive:
        for name, digest in sums_of(archive).items():
            try:
                if digest_of(archive, name) != digest:
                    found.append((name, "not what was written"))
            except (zipfile.BadZipFile, OSError, KeyError) as error:
                found.append((name, "missing" if isinstance(error, KeyError) else "not what was written"))
    return found


@contextlib.contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    root = resolve(path)
    cure = "name a file that pairsweep pack has made"
    if not root.exists():
        raise StoreError(str(path), "there is no file here", cure)
    if root.is_dir():
        raise StoreError(str(path), "is a folder, not a packed store", cure)
    try:
        with zipfile.ZipFile(root) as archive:
            if SUMS not in archive.namelist():
                raise StoreError(str(path), "is not a packed store", cure)
            yield archive
    except zipfile.BadZipFile as error:
        raise _no_pack(path, str(error)) from error


def _no_pack(path: str | os.PathLike[str], why: str) -> StoreError:
    cure = "take a copy that is whole, or name what pairsweep has made"
    return StoreError(str(path), f"is not a packed store, or damaged ({why})", cure)


def sums_of(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the checksums by member; refuse names that would lie outside of a folder."""
    found = {}
    for line in archive.read(SUMS).decode().splitlines():
        digest, _, name = line.partition("  ")
        parts = PurePosixPath(name).parts
        if not parts or name != "/".join(parts) or {"..", "/"} & set(parts) or "\\" in name:
            raise StoreError(str(archive.filename), f"holds the name {name!r}", "take it from who packed it")
        found[name] = digest
    return found


def extract(archive: zipfile.ZipFile, name: str, root: Path, digest: str) -> None:
    data = archive.read(name) if name in archive.NameToInfo else b""
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreError(str(archive.filename), f"{name} is damaged", "take a copy that is whole")
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(data)


def make_folders(root: Path) -> None:
    layout.scratch(root).mkdir(parents=True, exist_ok=True)
    layout.writers(root).mkdir(exist_ok=True)


def digest_of(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as member:
        while piece := member.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
