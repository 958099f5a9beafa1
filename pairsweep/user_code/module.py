"""A user's function as a real module: by its own name, from its own file, with what lies beside it importable.

Modules of two functions may be called alike, and an edited helper must not hide behind the one that was imported
before. So the modules of a function are in ``sys.modules`` only while it is loaded or called, one function at a time.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import pickle
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numba

from pairsweep.contract.errors import UserCodeError
from pairsweep.machine_code.folders import cache_folder
from pairsweep.user_code.function import SourceFile, UserFunction, file_digest
from pairsweep.user_code.prints import beside_the_bar

MOST_UNPACKED = 32
_lock = threading.RLock()


class _Loader(importlib.machinery.SourceFileLoader):
    """Runs the very bytes that were digested, whatever is compiled beside the file."""

    def __init__(self, module: str, path: str, content: bytes) -> None:
        super().__init__(module, path)
        self._content = content

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self._content, self.path, "exec", dont_inherit=True)
        return code


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of one function before all others of their name."""

    def __init__(self, sources: Sequence[SourceFile], base: Path) -> None:
        self._files = {file.module: file for file in sources}
        self._base = base

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        file = self._files.get(fullname)
        if file is None:
            return None
        place = str(self._base / file.path)
        return importlib.util.spec_from_file_location(
            fullname,
            place,
            loader=_Loader(fullname, place, file.content),
            submodule_search_locations=[os.path.dirname(place)] if place.endswith("__init__.py") else None,
        )


@dataclass
class _Place:
    """Where a function runs: its finder, its folders, and its modules while they are not in ``sys.modules``."""

    names: frozenset[str]
    finder: _Finder
    folders: tuple[str, ...]
    compiled: str
    modules: dict[str, ModuleType] = field(default_factory=dict)
    inside: bool = False

    def mine(self, name: str) -> bool:
        return name in self.names or name.split(".")[0] in self.names


@contextmanager
def _entered(place: _Place) -> Iterator[None]:
    """Put a function's modules in place of others of their names, and its folders behind all others."""
    # machine code that a function keeps must not outlive a helper
    settings: dict[str, Any] = vars(numba.config)
    with _lock:
        if place.inside:
            yield
            return
        place.inside = True
        others = {name: module for name, module in sys.modules.items() if place.mine(name)}
        for name in others:
            del sys.modules[name]
        sys.modules.update(place.modules)
        path, cached = list(sys.path), settings["CACHE_DIR"]
        sys.path.extend(folder for folder in place.folders if folder not in path)
        sys.meta_path.insert(0, place.finder)
        settings["CACHE_DIR"] = place.compiled
        try:
            with beside_the_bar():
                yield
        finally:
            place.inside = False
            settings["CACHE_DIR"] = cached
            sys.meta_path.remove(place.finder)
            for folder in place.folders:
                if folder not in path and folder in sys.path:
                    sys.path.remove(folder)
            place.modules = {name: module for name, module in sys.modules.items() if place.mine(name)}
            for name in place.modules:
                del sys.modules[name]
            sys.modules.update(others)


@dataclass(frozen=True, eq=False)
class Loaded:
    """A function ready to be called, in its own surroundings."""

    function: Callable[..., Any]
    place: _Place

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with _entered(self.place):
            return self.function(*args, **kwargs)

    def entered(self) -> AbstractContextManager[None]:
        """Stay in the function's surroundings for many calls; other threads wait for theirs meanwhile."""
        return _entered(self.place)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its parameters; none where it does not tell."""
        try:
            return tuple(inspect.signature(self.function).parameters)
        except (TypeError, ValueError):
            return ()

    def attribute(self, name: str) -> Callable[..., Any] | None:
        """What the function has as an attribute, to be called like it; None where it has none."""
        found = getattr(self.function, name, None)
        return None if found is None else Loaded(found, self.place)


@lru_cache(maxsize=8)
def load(function: UserFunction) -> Loaded:
    """Import a function's module and return the function.

    Raises
    ------
    UserCodeError
        Where its module has no such function, or a data file that did not travel is not here or another.
    Exception
        Whatever importing the module raises.
    """
    return load_anew(function)


def load_anew(function: UserFunction) -> Loaded:
    """Import a function's module, even if it was before; see `load`."""
    base = _base(function)
    folders = tuple(os.path.normpath(base / root) for root in function.roots)
    # an installed package is imported once, like any other: its compiled parts may not bear a second time
    apart = not function.installed or base != Path(function.home)
    sources = function.sources if apart else ()
    names = frozenset(file.module for file in sources)
    place = _Place(names, _Finder(sources, base), folders, str(_folder(function) / "compiled"))
    if function.pickled:
        with _entered(place):
            return Loaded(pickle.loads(function.pickled), place)
    with _entered(place):
        module = importlib.import_module(function.module)
    found = getattr(module, function.name, None)
    if not callable(found):
        raise UserCodeError(f"{function.reference}: {function.module} has no function {function.name}")
    return Loaded(found, place)


def _folder(function: UserFunction) -> Path:
    return cache_folder() / "user_code" / function.text_digest


def _base(function: UserFunction) -> Path:
    """Folder that the function's paths start from: its home while that holds what was digested, else a copy."""
    _check_left_behind(function)
    home = Path(function.home)
    if all(_is(home / file.path, file.content) for file in function.files):
        return home
    copy = _folder(function) / "files"
    if not copy.is_dir():
        _unpack(function, copy)
    return copy


def _is(path: Path, content: bytes | None) -> bool:
    try:
        return content is None or path.read_bytes() == content
    except OSError:
        return False


def _check_left_behind(function: UserFunction) -> None:
    """Refuse other bytes than those that the specification was read with, in files that do not travel."""
    for file in function.data:
        if file.content is None:
            place = Path(function.home, file.path)
            if not place.is_file():
                raise UserCodeError(f"{place} is not on this machine: put it where every worker sees it")
            if file_digest(place) != file.digest:
                raise UserCodeError(f"{place} has changed since this run began: start it again")


def _unpack(function: UserFunction, copy: Path) -> None:
    """Write what has travelled into a folder of its own, in one step."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=copy.parent, prefix="unpacking-"))
    try:
        for file in function.files:
            target = draft / file.path  # that of an absolute path is where it lies
            if not target.is_relative_to(draft):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.content is None:
                target.symlink_to(Path(function.home, file.path))
            else:
                target.write_bytes(file.content)
        try:
            draft.rename(copy)
        except OSError:
            if not copy.is_dir():  # otherwise another worker was first
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _tidy(copy.parents[1], keep=copy.parent)


def _tidy(folder: Path, keep: Path) -> None:
    """Remove the copies that were made longest ago."""
    found = sorted((path for path in folder.iterdir() if path != keep), key=lambda path: path.stat().st_mtime)
    for path in found[: max(0, len(found) + 1 - MOST_UNPACKED)]:
        shutil.rmtree(path, ignore_errors=True)
