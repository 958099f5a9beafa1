"""The one decorator of every kernel, and where its machine code is kept.

numba's own cache notices a change of the file a kernel stands in, but not of the kernels it calls in other
files. So the code of each version of the kernels has a folder of its own, named by a digest of their sources.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


PACKAGE = Path(__file__).parents[1]


def kernel_sources(package: Path = PACKAGE) -> list[Path]:
    """Find the files of all kernels: whatever lies in a folder ``kernels``, at any depth."""
    return sorted(p for p in package.rglob("*.py") if "kernels" in p.relative_to(package).parts[:-1])


def digest_of(package: Path) -> str:
    """Digest of the sources of the kernels of a package."""
    digest = hashlib.sha256()
    for source in kernel_sources(package):
        name = source.relative_to(package).as_posix()
        digest.update(name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def kernel_digest() -> str:
    """Digest of the sources of all kernels: the version that a store and a code cache belong to."""
    return digest_of(PACKAGE)


def _user_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


@cache
def cache_directory() -> str:
    """Folder of this version's machine code: ``PAIRSWEEP_CACHE_DIR``, the user's cache, or a private one."""
    base = os.environ.get("PAIRSWEEP_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR")
    name = f"kernels-{kernel_digest()}-numba{numba.__version__}"
    wanted = (Path(base) if base else _user_cache() / "pairsweep") / name
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK):
            return str(wanted)
    except (OSError, RuntimeError):
        pass
    # A shared temporary folder is no place for code that will be executed: this one is private.
    return tempfile.mkdtemp(prefix="pairsweep-kernels-")


def jit(**options: Any) -> Callable[[F], F]:
    """Compile a kernel without the GIL and keep its machine code on disk.

    ``options`` go to ``numba.njit``; every kernel stays callable uncompiled as ``kernel.py_func``.
    """

    def decorate(function: F) -> F:
        settings: Any = numba.config
        before = settings.CACHE_DIR
        settings.CACHE_DIR = cache_directory()
        try:
            # C callbacks, which nothing here asks for, would cost a tenth of the compilation
            chosen: Any = {"no_cfunc_wrapper": True} | options
            compiled: Any = numba.njit(nogil=True, cache=True, error_model="numpy", **chosen)(function)
        finally:
            settings.CACHE_DIR = before
        return cast(F, compiled)

    return decorate
