"""Where on a machine things are kept that can be made again: machine code, digests of sources."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path


def _user_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def wanted() -> Path | None:
    """Folder asked for: ``PAIRSWEEP_CACHE_DIR``, ``NUMBA_CACHE_DIR`` or the user's own; None for a user without."""
    base = os.environ.get("PAIRSWEEP_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR")
    if base:
        return Path(base)
    try:
        return _user_cache() / "pairsweep"
    except RuntimeError:  # neither HOME nor an entry in the list of users
        return None


def _is_usable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _own() -> Path:
    """One folder per user among the temporary files."""
    return Path(tempfile.gettempdir()) / f"pairsweep-{os.getuid()}"


def _private() -> Path:
    """Return a folder that nobody else can write to, since its code will be executed: `_own` if it is one."""
    folder = _own()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="pairsweep-"))  # somebody else has put something in its place


@cache
def cache_folder() -> Path:
    """Return the writable folder of all that is kept: `wanted` if it can be, else the user's private one."""
    folder = wanted()
    return folder if folder and _is_usable(folder) else _private()


def why_not_wanted() -> str:
    """Say why `cache_folder` is not the one that is `wanted`; nothing where it is."""
    folder = wanted()
    if folder == cache_folder():
        return ""
    reason = f"{folder} cannot be written" if folder else "this user has no home"
    return (
        reason
        if cache_folder() == _own()
        else f"{reason}, and for this process only: {_own()} is not private"
    )


@cache
def cache_folders() -> tuple[Path, ...]:
    """Folders to read from, the writable one last: before it a `wanted` one that somebody else has filled.

    An image, a module or an administrator fills a folder once; whoever uses it may only read it.
    """
    folder = wanted()
    return (cache_folder(),) if folder in (None, cache_folder()) else (Path(str(folder)), cache_folder())
