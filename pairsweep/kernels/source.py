"""What a piece of code is, apart from how it is written: digests of syntax trees, and of all that a module imports.

Stores and machine code belong to a version of the code. A comment, a docstring or a line break makes no new
version; an edit in any file that is imported on the way does. The digests are the same under every Python from
3.11 on, so that a store of one is resumed under another. Only the standard library is imported here: the digests
are on the path of every run.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pairsweep.machine_code.folders import cache_folder

TREE = Path(__file__).parents[2]
"""Folder that this package lies in."""

MACHINERY = ("pairsweep.machine_code", "pairsweep.kernels.compiling")
"""Modules that say how code is compiled and kept, not what it computes: no digest follows them."""

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_LAYOUT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields that follow from the rest (load or store) or that say how something is written (the ``u`` of a string)."""


class Import(NamedTuple):
    """One import statement: ``from module import names`` with its dots, or one ``import module``."""

    level: int
    module: str
    names: tuple[str, ...]


def _tokens(tree: ast.AST) -> Iterator[bytes]:
    """Yield a syntax tree in prefix notation: each node with the number of its fields, each list with its length.

    An empty field is left out, so that one that a later Python adds changes nothing where it is not used.
    """
    # a stack, because a sum of a thousand terms is a thousand deep
    stack: list[Any] = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Constant | ast.MatchSingleton):
            yield _constant(item.value)
        elif isinstance(item, ast.AST):
            fields = list(_fields(item))
            yield b"%s(%d" % (type(item).__name__.encode(), len(fields))
            for name, value in reversed(fields):
                stack += (value, name)
        elif isinstance(item, list):
            yield b"[%d" % len(item)
            stack += reversed(item)
        else:
            yield _constant(item)


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    for name in node._fields:
        value: Any = getattr(node, name, None)
        if name in _LAYOUT:
            continue
        if name == "body" and isinstance(node, _DOCUMENTED):
            value = value[1:] if _is_text(value[0] if value else None) else value
        elif isinstance(node, ast.JoinedStr):
            value = _joined(value)
        if value:
            yield name, value


def _is_text(statement: ast.stmt | None) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _joined(parts: list[Any]) -> list[Any]:
    """Parts of an f-string with neighbouring texts in one and empty ones left out, which differs between versions."""
    joined: list[Any] = []
    for part in parts:
        last = joined[-1] if joined else None
        if not isinstance(part, ast.Constant):
            joined.append(part)
        elif isinstance(last, ast.Constant):
            joined[-1] = ast.Constant(f"{last.value!s}{part.value!s}")
        elif part.value:
            joined.append(part)
    return joined


def _constant(value: object) -> bytes:
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes):
        text = value
    elif isinstance(value, int):  # and bool; hex, because the decimals of a long one are refused
        text = hex(value).encode()
    elif isinstance(value, float):
        text = value.hex().encode()
    elif isinstance(value, complex):
        text = f"{value.real.hex()} {value.imag.hex()}".encode()
    else:  # None, Ellipsis
        text = b""
    return b"%s:%d:%s" % (type(value).__name__.encode(), len(text), text)


def _parse(source: str | bytes) -> ast.Module:
    with warnings.catch_warnings():  # a doubtful escape is reported where the file is imported
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:16]


def syntax_digest(source: str | bytes) -> str:
    """Digest of what a source says, whatever its comments, docstrings and layout, under every Python alike.

    Parameters
    ----------
    source
        Python source; bytes are decoded as Python does it.

    Returns
    -------
    str
        16 hexadecimal digits.

    Raises
    ------
    SyntaxError
        For what this Python cannot parse.
    """
    return _digest(_tokens(_parse(source)))


def _imports(tree: ast.Module) -> Iterator[Import]:
    """Yield the import statements at any depth, but not what only a type checker reads."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            yield from (Import(0, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.level, node.module or "", tuple(alias.name for alias in node.names))
        elif isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            stack += node.orelse
        elif not isinstance(node, ast.expr):
            stack += ast.iter_child_nodes(node)


class Reading(NamedTuple):
    """What is in a file: the digest of what it says, and what it imports."""

    digest: str
    imports: tuple[Import, ...]


def reading(source: bytes) -> Reading:
    """Digest and import statements of a source.

    Raises
    ------
    SyntaxError, ValueError
        For what this Python cannot parse.
    """
    tree = _parse(source)
    return Reading(_digest(_tokens(tree)), tuple(_imports(tree)))


class _Memory:
    """What was found in files, kept on disk under the digest of their bytes: parsing takes 100 times longer.

    A memory that cannot be read or written is only slower, so nothing is said about it.
    """

    FORM = 1
    """Raise it when `_tokens` or `_imports` change."""
    LARGEST = 3000

    def __init__(self) -> None:
        self._known: dict[str, Reading] | None = None
        self._used: dict[str, Reading] = {}
        self._changed = False

    @staticmethod
    def _path() -> Path:
        return cache_folder() / f"sources-{_Memory.FORM}.json"

    def _load(self) -> dict[str, Reading]:
        try:
            entries = json.loads(self._path().read_bytes())
            return {
                key: Reading(
                    digest, tuple(Import(level, module, tuple(names)) for level, module, names in imports)
                )
                for key, (digest, imports) in entries.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def read(self, path: Path) -> Reading:
        """Read a file, or remember it."""
        source = path.read_bytes()
        key = hashlib.sha256(source).hexdigest()
        if self._known is None:
            self._known = self._load()
        if key not in self._known:
            self._known[key] = reading(source)
            self._changed = True
        self._used[key] = self._known[key]
        return self._used[key]

    def save(self) -> None:
        """Keep what is new; of too much only what was used in this process."""
        if self._known is None or not self._changed:
            return
        self._changed = False
        entries = self._known if len(self._known) <= self.LARGEST else self._used
        try:
            handle, name = tempfile.mkstemp(dir=self._path().parent, prefix="sources-")
            with os.fdopen(handle, "w") as file:
                json.dump(entries, file)
            os.replace(name, self._path())
        except OSError:
            pass


_memory = _Memory()


@cache
def _read(path: Path) -> Reading:
    return _memory.read(path)


@cache
def _find(name: str, folder: Path) -> Path | None:
    """File of a module below a folder of sources, or None where there is none."""
    place = folder.joinpath(*name.split("."))
    return next(
        (p for p in (place / "__init__.py", place.with_name(place.name + ".py")) if p.is_file()), None
    )


def _named(name: str, path: Path) -> Iterator[str]:
    """Names of all that a module's import statements may mean: modules, or things in them."""
    own = name.split(".")
    for level, module, names in _read(path).imports:
        base = own[: len(own) - level + (path.name == "__init__.py")] if level else []
        origin = ".".join([*base, *([module] if module else [])])
        yield origin
        yield from (f"{origin}.{each}" for each in names)


def closure(*modules: str, within: tuple[str, ...] = (), folder: Path = TREE) -> tuple[str, ...]:
    """Find modules and everything that they import, at any depth, by reading and without importing.

    Import statements inside functions count, those for type checkers alone do not; neither does a package that
    only lies on the way to an imported module (``a`` of ``from a.b import c``), though Python runs it, nor the
    `MACHINERY`.

    Parameters
    ----------
    *modules
        Dotted names; a name without a dot may be the stem of any file in ``folder``.
    within
        Follow only imports of these modules and of those below them; all that lie in ``folder`` if empty.
    folder
        Where the modules lie: by default where this package does; for a user's own file, the file's folder.

    Returns
    -------
    tuple of str
        Their names, sorted.

    Raises
    ------
    ModuleNotFoundError
        If one of ``modules`` is not in ``folder``.
    SyntaxError
        For a file that this Python cannot parse.
    """
    for name in modules:
        if _find(name, folder) is None:
            raise ModuleNotFoundError(f"no module {name!r} in {folder}")
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _find(name, folder)
        if name in found or path is None:
            continue
        found.add(name)
        waiting += (each for each in _named(name, path) if _is_followed(each, within))
    _memory.save()
    return tuple(sorted(found))


def _is_followed(name: str, within: tuple[str, ...]) -> bool:
    return not _is_below(name, MACHINERY) and (not within or _is_below(name, within))


def _is_below(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


@cache
def code_digest(*modules: str, within: tuple[str, ...] = (), folder: Path = TREE) -> str:
    """Digest of what modules and all that they import say; see `closure` for the parameters and errors.

    Returns
    -------
    str
        16 hexadecimal digits: the same for the same syntax trees under the same names.
    """
    names = closure(*modules, within=within, folder=folder)
    files = ((name, _find(name, folder)) for name in names)
    return _digest(f"{name} {_read(path).digest}".encode() for name, path in files if path)
