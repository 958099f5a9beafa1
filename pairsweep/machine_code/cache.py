"""numba's cache on disk, with a folder per file of kernels and version, and one process at a time that fills it.

    <cache folder>/kernels-<machine>/<module>-<digest>/<kernel>.nbi, .nbc, and a lock

The machine is everything that code is compiled for: processor, Python, numba, LLVM, NumPy. The digest is that of the
module's source and of all that it imports (`kernels.source`), so code that is found there is the right one, and an
edit makes the folders stale that it reaches and no others. Whoever compiles holds the module's lock, which ends with
the process that holds it, however it ends; others wait for it and then load what it has made.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pickle
import shutil
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite
import numba
import numpy as np
from llvmlite import binding
from numba.core import caching, event
from numba.core.runtime.nrt import rtsys

from pairsweep.machine_code.folders import cache_folders

PREFIX = "kernels-"
PATIENCE = 300.0
"""Seconds to wait for a process that compiles the same module before doing it oneself; it may have been stopped."""
KEPT = 30 * 86400.0
"""Seconds after its last use for which machine code is kept."""
DAY = 86400.0
WAITING = "pairsweep:waiting"
"""Event of this process waiting for another one."""


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@cache
def machine_name() -> str:
    """Name of what code is compiled for, from ``py311-numba0.61.0-znver4-`` and a digest of everything else."""
    settings: Any = numba.config
    processor = settings.CPU_NAME or binding.get_host_cpu_name()
    features = settings.CPU_FEATURES or binding.get_host_cpu_features().flatten()
    python = f"py{sys.version_info.major}{sys.version_info.minor}{sys.abiflags}"
    everything = (
        *(binding.get_process_triple(), processor, features, sys.implementation.cache_tag, numba.__version__),
        *(llvmlite.__version__, binding.llvm_version_info, np.__version__, str(settings.OPT)),
    )
    digest = hashlib.sha256(repr(everything).encode()).hexdigest()[:8]
    return f"{python}-numba{numba.__version__}-{processor}-{digest}"


def machine_folders() -> tuple[Path, ...]:
    """Folders of this machine's code, the writable one last."""
    return tuple(folder / f"{PREFIX}{machine_name()}" for folder in cache_folders())


class Kept(NamedTuple):
    """Machine code on disk: the folder, and how much is in it, bytes."""

    folder: Path
    size: int


def kept() -> Kept:
    """Say where this machine's code is, and how large it is."""
    folder = machine_folders()[-1]
    return Kept(folder, sum(path.stat().st_size for path in folder.glob("*/*") if path.is_file()))


class Origin(NamedTuple):
    """The file that a kernel stands in: the module's name, and the digest of all that its code depends on."""

    module: str
    digest: str

    @property
    def folder(self) -> str:
        """Name of the folder of its machine code."""
        return f"{self.module}-{self.digest}"


class _Lock:
    """A lock between processes, counted within one; where the file system has none, everybody goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        self._count = 0

    def take(self) -> bool:
        """Take the lock; returns whether another process had it meanwhile."""
        self._count += 1
        if self._count > 1:
            return False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            return _wait(self._handle)
        except OSError:
            return False

    def release(self) -> None:
        """Give it back, as often as it was taken."""
        self._count = max(0, self._count - 1)
        if self._count == 0 and self._handle is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(
                    self._handle, fcntl.LOCK_UN
                )  # closing is not enough where a forked child has it too
            os.close(self._handle)
            self._handle = None


def _is_locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(handle: int) -> bool:
    """Lock a file; returns whether that took waiting for another process."""
    if _is_locked(handle):
        return False
    ends = time.monotonic() + PATIENCE
    with event.trigger_event(WAITING):
        while time.monotonic() < ends and not _is_locked(handle):
            time.sleep(0.05)
    return True


@cache
def _lock_of(folder: Path) -> _Lock:
    return _Lock(folder / "lock")


class _Locator(caching._CacheLocator):
    """Tells numba where a kernel's code lies; the folder's name is its stamp already."""

    def __init__(self, function: Callable[..., Any], folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._py_file = function.__code__.co_filename  # numba names it for what cannot be kept

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return self._folder.name

    def get_disambiguator(self) -> str:
        return self._name  # no line number, which changes with any comment above


class Form(NamedTuple):
    """A form of a kernel's code on disk: its name in file names, and how it is written and read."""

    name: str
    reduced: Callable[[Any], Any]
    rebuilt: Callable[[Any, Any], Any]


class _OfKernels(caching.CompileResultCacheImpl):
    """numba's reading and writing of a compiled function, for a place and a form that are known."""

    def __init__(self, function: Callable[..., Any], folder: Path, form: Form) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Locator(function, folder, form.name)
        self._filename_base = self.get_filename_base(function.__qualname__, sys.abiflags)
        self._form = form

    def reduce(self, cres: Any) -> Any:
        return self._form.reduced(cres)

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        return self._form.rebuilt(target_context, payload)


class _Files(caching.IndexDataCacheFile):
    """numba's files with a digest before the code: executing what a full disk or a lost node left would crash."""

    def _save_data(self, name: str, data: Any) -> None:
        content = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(hashlib.sha256(content).digest() + content)

    def _load_data(self, name: str) -> Any:
        content = Path(self._data_path(name)).read_bytes()
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            raise ValueError(f"{name} is damaged")
        return pickle.loads(content[32:])


class _InFolder(caching.FunctionCache):
    """numba's cache of one function in one folder."""

    def __init__(self, function: Callable[..., Any], folder: Path, form: Form) -> None:
        self._name, self._py_func = repr(function), function
        self._impl = _OfKernels(function, folder, form)
        self._cache_path = str(folder)
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, folder.name)
        self.enable()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load with numba's runtime alone: its own way makes it ready to compile, which takes a third of a second."""
        rtsys.initialize(target_context)
        return self._load_overload(sig, target_context)


class KernelCache(caching._Cache):
    """One form of a kernel: read from any of the folders, compiled by one process and kept in the last."""

    def __init__(self, function: Callable[..., Any], origin: Origin, form: Form) -> None:
        self._function, self._origin, self._form = function, origin, form
        self._enabled = True

    @property
    def _folders(self) -> list[Path]:
        return [folder / self._origin.folder for folder in machine_folders()]

    def _in(self, folder: Path) -> _InFolder:
        return _InFolder(self._function, folder, self._form)

    @property
    def cache_path(self) -> str:
        """Folder that it is written to."""
        return str(self._folders[-1])

    def _load(self, sig: Any, target_context: Any) -> Any:
        for folder in self._folders:
            here = self._in(folder)
            try:
                found = here.load_overload(sig, target_context)
            except NotADirectoryError:
                continue  # there can be none, and where it is kept instead is said
            except Exception as error:  # pickle raises anything for bytes that are none
                _complain_of(folder, error)
                with contextlib.suppress(OSError):
                    here.flush()
                continue
            if found is not None:
                _mark_as_used(folder)
                return found
        return None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load the code for a signature, or None and the lock: then it is this process that compiles it."""
        if not self._enabled:
            return None
        found = self._load(sig, target_context)
        if found is None and _lock_of(self._folders[-1]).take():
            found = self._load(sig, target_context)
            if found is not None:
                self.release()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for a signature and let others have it; what cannot be kept is said once."""
        if not self._enabled:
            return
        folder = self._folders[-1]
        try:
            self._in(folder).save_overload(sig, data)
            sweep(folder.parents[1])
        except OSError as error:
            _complain(f"machine code cannot be kept in {folder.parents[1]}: {error.strerror or error}")
        finally:
            self.release()

    def release(self) -> None:
        """Let other processes compile."""
        _lock_of(self._folders[-1]).release()

    def enable(self) -> None:
        """Use the disk."""
        self._enabled = True

    def disable(self) -> None:
        """Leave the disk alone."""
        self._enabled = False

    def flush(self) -> None:
        """Forget the code on disk."""
        self._in(self._folders[-1]).flush()


class _FailedCompilation(event.Listener):
    """Gives back the lock of a kernel that did not compile: numba saves nothing then."""

    def on_start(self, event: event.Event) -> None:
        """Nothing to do."""

    def on_end(self, event: event.Event) -> None:
        kept = getattr(event.data["dispatcher"], "_cache", None)
        # not event.is_failed, which is the wrong way round in numba 0.68
        if event._exc_details is not None and isinstance(kept, KernelCache):
            kept.release()


event.register("numba:compile", _FailedCompilation())


@cache
def _complain(line: str) -> None:
    """Say a line once per process."""
    _say(f"pairsweep: {line}")


_complained: set[Path] = set()
"""Folders of this machine's code in which something could not be read."""


def _complain_of(folder: Path, error: Exception) -> None:
    """Say what cannot be read, one line for all that lies in one place: a full disk spoils many files at once."""
    if folder.parent not in _complained:
        _complained.add(folder.parent)
        where = folder.parent if isinstance(error, OSError) else folder
        _complain(f"machine code in {where} cannot be read ({type(error).__name__}): compiled anew")


@cache
def _mark_as_used(folder: Path) -> None:
    """Note the day of the last use, for `sweep`; one who may only read leaves it."""
    with contextlib.suppress(OSError):
        if time.time() - folder.stat().st_mtime > DAY:
            os.utime(folder)


@cache
def sweep(folder: Path) -> None:
    """Remove the machine code that nobody has used for 30 days; once per process, when it has compiled something."""
    with contextlib.suppress(OSError):
        for kept in folder.glob(f"{PREFIX}*/*"):
            if time.time() - kept.stat().st_mtime > KEPT:
                shutil.rmtree(kept, ignore_errors=True)
        for machine in folder.glob(f"{PREFIX}*"):
            if not any(machine.iterdir()):
                machine.rmdir()
