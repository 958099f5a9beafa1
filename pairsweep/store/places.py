"""Where a store may lie."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pairsweep.contract.errors import StoreError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def address(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is the address of something elsewhere."""
    return _ADDRESS.match(os.fspath(path)) is not None


def resolve(path: str | os.PathLike[str]) -> Path:
    """Return the real path of a store, ``~`` expanded; refuse names that no store should have."""
    text = os.fspath(path)
    if not text.isprintable() or not text.strip():
        raise StoreError("the store's path", repr(text), "name it with printable characters")
    if address(text):
        raise StoreError(
            text, "is an address, not a folder", "name a folder, and copy the finished store there"
        )
    whole = os.path.expanduser(text)
    if whole.startswith("~"):
        raise StoreError(text, "no such home directory is known", "write the path without ~")
    if os.path.basename(whole.rstrip("/")) in ("", ".", ".."):
        raise StoreError("the store's path", repr(text), "name a folder of its own")
    if os.path.islink(whole) and not os.path.exists(whole):
        there = f"is a link to {os.path.realpath(whole)}, where nothing is"
        raise StoreError(text, there, "mount or make what it links to, or remove the link")
    return Path(os.path.realpath(whole))


def is_there(path: str | os.PathLike[str]) -> bool:
    """Return whether anything is at the path of a store."""
    return resolve(path).exists()
