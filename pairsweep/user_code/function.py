"""A user's function as a value that travels: its file, what that imports from beside it, and the files it reads.

Nothing is executed here. Code counts by its syntax, so that a comment makes no other function; data count by their
bytes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import os
import site
import sys
import sysconfig
import textwrap
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from pairsweep.contract.errors import SpecError, shorten
from pairsweep.kernels.source import Import, reading, syntax_digest

PLACE = "occupation.function"
DATA_PLACE = "occupation.data"
TRAVELLING_BYTES = 2**22
"""Data files of more than this in all stay where they are, and workers look for them there."""
MOST_FILES = 10_000
ENGINE = __name__.split(".")[0]
ALONE = "this process alone"
PROCESS = uuid.uuid4().hex
_given: dict[str, UserFunction] = {}
"""Functions of this process that stand in no file, by their digests."""


@dataclass(frozen=True)
class SourceFile:
    """A Python file: the module it is, where it lies below the function's home, and its bytes."""

    module: str
    path: str
    content: bytes
    digest: str


@dataclass(frozen=True)
class DataFile:
    """A file that the function reads: below its home or absolute, with its bytes where they travel along."""

    path: str
    digest: str
    content: bytes | None


@dataclass(frozen=True)
class UserFunction:
    """A user's own function, as it stands in a file.

    Attributes
    ----------
    reference : what the specification says: ``file.py:f`` or ``module:f``
    name : name of the function
    module : name of the module that has it
    home : folder that the files' paths start from
    roots : folders below ``home`` whose modules it may import, the first one first
    sources : its file and all that this imports from below the roots, at any depth
    data : the files that it reads
    installed : whether it belongs to an installed package, which is imported like any other
    pickled : a function that stands in no file, as of a notebook, with all that it uses
    identity : digest of such a function, where it can be told apart from an edited one in another process
    source : text of such a function where it can be had, for those who read the store; nothing is made from it
    """

    reference: str
    name: str
    module: str
    home: str
    roots: tuple[str, ...]
    sources: tuple[SourceFile, ...]
    data: tuple[DataFile, ...] = ()
    installed: bool = False
    pickled: bytes = b""
    identity: str = ""
    source: str = ""

    @cached_property
    def digest(self) -> str:
        """Digest of what the code says, 16 hexadecimal digits, wherever it lies."""
        parts = [self.name, self.module, self.identity]
        parts += [f"{file.module} {file.digest}" for file in sorted(self.sources, key=lambda f: f.module)]
        return _digest("\n".join(parts).encode())

    @cached_property
    def text_digest(self) -> str:
        """Digest of every byte of code and data, and of where they lie."""
        parts = [self.reference, self.home, _digest(self.pickled)]
        parts += [f"{file.path} {_digest(file.content)}" for file in self.sources]
        parts += [f"{file.path} {file.digest}" for file in self.data]
        return _digest("\n".join(parts).encode())

    @property
    def files(self) -> tuple[SourceFile | DataFile, ...]:
        """Everything that it consists of."""
        return (*self.sources, *self.data)

    def data_digests(self) -> dict[str, str]:
        """Digest of every data file by its path."""
        return {file.path: file.digest for file in self.data}

    @property
    def unknown(self) -> bool:
        """Whether it cannot be told from another in another process."""
        return self.identity.startswith(ALONE)

    @property
    def spec_folder(self) -> Path:
        """Folder of the specification that named it."""
        return Path(os.path.normpath(Path(self.home, self.roots[-1])))

    @property
    def record(self) -> str:
        """All of it but bytes of data, as JSON: what a store keeps."""
        entries = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "pickled"}
        sources = [
            [file.module, file.path, file.content.decode("utf-8", "surrogateescape")] for file in self.sources
        ]
        data = [[file.path, file.digest] for file in self.data]
        return json.dumps(entries | {"sources": sources, "data": data})

    def reads(self, paths: Iterable[str | Path]) -> UserFunction:
        """Give the same function with more files that it is known to read, by paths below its home or absolute."""
        known = {file.path for file in self.data}
        wanted = [path for path in dict.fromkeys(map(str, paths)) if path not in known]
        if not wanted:
            return self
        return replace(
            self, data=_travelling([*self.data, *(_data_file(self.home, path) for path in wanted)])
        )


def find_function(reference: object, folder: Path, data: Sequence[str] = ()) -> UserFunction:
    """Find ``file.py:f``, beside the specification, or ``module:f``, there or wherever Python finds it.

    Parameters
    ----------
    reference : what the specification says
    folder : that of the specification
    data : files that the function reads, or folders of them, from ``folder`` on

    Raises
    ------
    SpecError
        For what is not there, cannot be read or is no Python, and for a helper that is called like a module of Python's
        own.
    """
    if (
        not isinstance(reference, str)
        or reference.count(":") != 1
        or not reference.split(":")[1].isidentifier()
    ):
        raise SpecError(PLACE, reference, 'give "file.py:function" or "module:function"')
    location, name = reference.split(":")
    folder = folder.resolve()
    installed = False
    if location.endswith(".py"):
        path = (folder / location).resolve()
        module, root = _free_name(path.stem), path.parent
    else:
        module, root, path = _find_module(location, reference, folder)
        installed = root in _installed()
    roots = [root] if installed else [root, folder]
    home = Path(os.path.commonpath(roots))
    sources = tuple(_walk(reference, module, path, roots, module.split(".")[0] if installed else "", home))
    below = tuple(dict.fromkeys(os.path.relpath(each, home) for each in roots))
    files = [_data_file(str(home), found) for entry in data for found in _expanded(home, folder, entry)]
    return UserFunction(reference, name, module, str(home), below, sources, _travelling(files), installed)


def from_record(text: str) -> UserFunction:
    """Give the function that a store keeps; one that came without a file is known in the process that gave it.

    Raises
    ------
    SpecError
        For such a function in another process.
    """
    entries = json.loads(text)
    sources = []
    for module, path, content in entries.pop("sources"):
        data = content.encode("utf-8", "surrogateescape")
        sources.append(SourceFile(module, path, data, reading(data).digest))
    files = tuple(DataFile(path, digest, None) for path, digest in entries.pop("data"))
    roots = tuple(entries.pop("roots"))
    kept = UserFunction(**entries, roots=roots, sources=tuple(sources), data=files)
    if not kept.identity:
        return kept
    if kept.digest not in _given:
        cure = "stood in no file: give it again by ps.run(..., store), or put it into a file and name another store"
        raise SpecError(PLACE, kept.reference, cure)
    return _given[kept.digest].reads(file.path for file in files)


def texts(record: str) -> dict[str, str]:
    """Give the code that a store keeps, by the paths of its files below the function's home; nothing is run."""
    entries = json.loads(record)
    kept = {str(path): str(content) for _, path, content in entries["sources"]}
    if entries.get("source"):
        kept[f"{entries['name']}.py"] = str(entries["source"])
    return kept


def from_callable(called: Callable[..., Any], data: Sequence[str] = ()) -> UserFunction:
    """Take a function of a running program: from its file where it is imported from one, else by value.

    By value it is digested by its source and by what it uses of its surroundings. Where that cannot be had (no source,
    values that have no stable form) the digest is good for this process alone, so that another one never takes an
    edited function for the same.
    """
    module = sys.modules.get(getattr(called, "__module__", None) or "")
    name = getattr(called, "__name__", type(called).__name__)
    file = getattr(module, "__file__", None)
    if (
        module is not None
        and file
        and module.__name__ != "__main__"
        and getattr(module, name, None) is called
    ):
        return find_function(f"{Path(file).name}:{name}", Path(file).parent, data)
    import cloudpickle

    home = Path.cwd()
    said = name if name.isidentifier() else "function"
    files = [_data_file(str(home), found) for entry in data for found in _expanded(home, home, entry)]
    try:
        pickled = cloudpickle.dumps(called)
    except Exception as error:  # whatever its surroundings raise when they are pickled
        cure = f"holds what cannot travel to workers ({error}): make it inside the function, or put that into a file"
        raise SpecError(PLACE, said, cure) from None
    given = UserFunction(
        reference=f"__main__:{said}",
        name=said,
        module="__main__",
        home=str(home),
        roots=(".",),
        sources=(),
        data=_travelling(files),
        pickled=pickled,
        identity=_identity(called, set()) or f"{ALONE} {PROCESS} {_digest(pickled)}",
        source=_source(called),
    )
    _given[given.digest] = given
    return given


def _source(called: Callable[..., Any]) -> str:
    try:
        return textwrap.dedent(inspect.getsource(called))
    except (OSError, TypeError):
        return ""


def _identity(value: Any, seen: set[int]) -> str | None:
    """Digest of a value that is the same in every process, None where there is none."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if isinstance(value, ModuleType):
        return _module_identity(value)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return f"{value.dtype.str}{value.shape}{_digest(np.ascontiguousarray(value).tobytes())}"
    if id(value) in seen:
        return "seen"
    seen.add(id(value))
    parts: list[str | None]
    if isinstance(value, list | tuple):
        parts = [_identity(item, seen) for item in value]
    elif isinstance(value, dict):
        parts = [_identity(item, seen) for pair in value.items() for item in pair]
    elif inspect.isfunction(value):
        parts = _function_parts(value, seen)
    elif isinstance(value, type) or inspect.isbuiltin(value):
        home = sys.modules.get(value.__module__ or "")
        parts = [value.__qualname__, None if home is None else _module_identity(home)]
    else:
        parts = [None]
    return None if None in parts else _digest(f"{type(value).__name__} {parts}".encode())


def _function_parts(function: FunctionType, seen: set[int]) -> list[str | None]:
    home = sys.modules.get(function.__module__ or "")
    if (
        home is not None
        and getattr(home, function.__name__, None) is function
        and home.__name__ != "__main__"
    ):
        return [function.__qualname__, _module_identity(home)]
    try:
        source = syntax_digest(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return [None]
    names = set(_names_of(function.__code__))
    surroundings = {name: value for name, value in function.__globals__.items() if name in names}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    surroundings |= {name: cell.cell_contents for name, cell in cells}
    parts = [source, _identity((function.__defaults__, function.__kwdefaults__), seen)]
    if function.__name__ == "<lambda>":  # several may share a line
        parts.append(_digest(function.__code__.co_code + repr(function.__code__.co_consts).encode()))
    return [
        *parts,
        *sorted(surroundings),
        *(_identity(surroundings[name], seen) for name in sorted(surroundings)),
    ]


def _module_identity(module: ModuleType) -> str | None:
    """Name of an installed module, digest of a user's own with all that it imports from beside it."""
    file = getattr(module, "__file__", None)
    if file is None:
        return module.__name__ if module.__name__ in sys.builtin_module_names else None
    path = Path(file).resolve()
    if path.suffix != ".py" or module.__name__.split(".")[0] == ENGINE:
        return module.__name__
    if module.__name__ == "__main__":
        return None
    root = path.parents[module.__name__.count(".") + (path.name == "__init__.py")]
    if root in _installed():
        return module.__name__
    try:
        sources = list(_walk(module.__name__, module.__name__, path, [root], "", root))
    except SpecError:
        return None
    return _digest(str(sorted((file.module, file.digest) for file in sources)).encode())


def _names_of(code: CodeType) -> Iterator[str]:
    """Yield the names that a function uses, those in functions inside it too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of(constant)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _free_name(stem: str) -> str:
    """Name a file as a module, but not like one that Python or the engine has already."""
    taken = stem in sys.stdlib_module_names or stem == ENGINE
    return f"user_{stem}" if taken else stem


def _find_module(location: str, reference: str, folder: Path) -> tuple[str, Path, Path]:
    """Name of a module, the folder that its top lies in, and its file; nothing is imported on the way."""
    beside = _file_of(location, folder)
    if beside is not None:
        return location, folder, beside
    missing = SpecError(
        PLACE, reference, f"no Python module {location} is found: give a file beside the specification"
    )
    try:
        top = importlib.util.find_spec(location.split(".")[0])
    except (ImportError, ValueError):
        raise missing from None
    if top is None or not top.origin or not top.origin.endswith(".py"):
        raise missing
    origin = Path(top.origin).resolve()
    root = origin.parents[1] if origin.name == "__init__.py" else origin.parent
    path = _file_of(location, root)
    if path is None:
        raise missing
    return location, root, path


def _file_of(name: str, root: Path) -> Path | None:
    place = root.joinpath(*name.split("."))
    return next(
        (p for p in (place / "__init__.py", place.with_name(f"{place.name}.py")) if p.is_file()), None
    )


@lru_cache(maxsize=1)
def _installed() -> frozenset[Path]:
    """Folders of installed packages, of which only the named one is followed."""
    folders = [*site.getsitepackages(), site.getusersitepackages()]
    folders += [sysconfig.get_path(kind) for kind in ("purelib", "platlib", "stdlib", "platstdlib")]
    return frozenset(Path(folder).resolve() for folder in folders if folder)


def _walk(
    reference: str, module: str, path: Path, roots: Sequence[Path], within: str, home: Path
) -> Iterator[SourceFile]:
    """Yield a file and all that it imports from below the roots, with the packages on the way."""
    waiting = [(module, path)]
    seen: set[Path] = set()
    while waiting:
        name, file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        try:
            content = file.read_bytes()
        except OSError as error:
            raise SpecError(PLACE, reference, f"{file} cannot be read ({error.strerror})") from None
        try:
            read = reading(content)
        except (SyntaxError, ValueError, RecursionError) as error:
            line = getattr(error, "lineno", None)
            where = f"{file}, line {line}" if line else str(file)
            raise SpecError(
                PLACE, reference, f"{where}: is no Python: {getattr(error, 'msg', error)}"
            ) from None
        yield SourceFile(name, os.path.relpath(file, home), content, read.digest)
        for imported in read.imports:
            for wanted in _names(imported, name, file):
                if not within or wanted.split(".")[0] == within:
                    waiting += _found(wanted, roots, reference)


def _names(imported: Import, module: str, file: Path) -> Iterator[str]:
    """Names of the modules that an import statement may mean."""
    own = module.split(".")
    base = own[: len(own) - imported.level + (file.name == "__init__.py")] if imported.level else []
    origin = ".".join([*base, *([imported.module] if imported.module else [])])
    if origin:
        yield origin
    yield from (f"{origin}.{name}" if origin else name for name in imported.names)


def _found(name: str, roots: Sequence[Path], reference: str) -> Iterator[tuple[str, Path]]:
    """Yield a module and the packages on the way to it, from the first root that has its top."""
    parts = name.split(".")
    if parts[0] == ENGINE:  # also where it lies beside the specification, as in a checkout of it
        return
    for root in roots:
        if _file_of(parts[0], root) is None and not (root / parts[0]).is_dir():
            continue
        found = [
            (prefix, file)
            for i in range(len(parts))
            if (file := _file_of(prefix := ".".join(parts[: i + 1]), root))
        ]
        if found and parts[0] in sys.stdlib_module_names:
            cure = "is called like a module of Python's own, which would be imported in its place: rename it"
            raise SpecError(PLACE, reference, f"{found[0][1].name} {cure}")
        yield from found
        return


def _expanded(home: Path, folder: Path, entry: str) -> Iterator[str]:
    """Yield the files of an entry of ``data``: below ``home`` where they lie there, absolute elsewhere."""
    path = folder / Path(entry).expanduser()
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.is_file())
        if not found or len(found) > MOST_FILES:
            raise SpecError(
                DATA_PLACE,
                entry,
                f"holds {len(found)} files: name a file, or a folder of at most {MOST_FILES}",
            )
    elif path.is_file():
        found = [path]
    else:
        raise SpecError(DATA_PLACE, entry, f"is not there: {shorten(str(path), 200)[1:-1]} is no file")
    for file in found:
        yield _short(home, file)


def _short(home: Path, file: Path) -> str:
    real = Path(os.path.abspath(file))
    return os.path.relpath(real, home) if real.is_relative_to(home) else str(real)


def _data_file(home: str, path: str) -> DataFile:
    place = Path(home, path)
    try:
        digest = file_digest(place)
        content = place.read_bytes() if place.stat().st_size <= TRAVELLING_BYTES else None
    except OSError as error:
        raise SpecError(DATA_PLACE, path, f"cannot be read ({error.strerror})") from None
    return DataFile(path, digest, content)


def file_digest(path: Path) -> str:
    """Digest of a file's bytes, 16 hexadecimal digits; read again only where the file has changed."""
    status = path.stat()
    return _file_digest(str(path), status.st_size, status.st_mtime_ns, status.st_ino)


def bytes_digest(path: Path) -> str:
    """Digest of a file, or of all files of a folder with their names."""
    if path.is_file():
        return file_digest(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return _digest("\n".join(f"{file.relative_to(path)} {file_digest(file)}" for file in files).encode())


@lru_cache(maxsize=1024)
def _file_digest(path: str, size: int, changed: int, inode: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _travelling(files: Iterable[DataFile]) -> tuple[DataFile, ...]:
    """Leave the bytes behind where they are too many in all, or lie elsewhere than below the home."""
    found = tuple({file.path: file for file in files}.values())
    total = sum(len(file.content) for file in found if file.content is not None)
    return tuple(
        replace(file, content=None) if total > TRAVELLING_BYTES or os.path.isabs(file.path) else file
        for file in found
    )
