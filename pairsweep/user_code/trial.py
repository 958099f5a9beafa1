"""A user's function called for the first time: does it fit, does it answer the same twice, and what does it read?"""

from __future__ import annotations

import inspect
import os
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import SpecError, UserCodeError, suggest
from pairsweep.contract.occupation import first_fault
from pairsweep.machine_code.folders import cache_folder
from pairsweep.user_code.function import PLACE, UserFunction
from pairsweep.user_code.module import Loaded, load_anew

ARGUMENTS = ("energy", "theta", "phi")
CODE = (".py", ".pyc", ".pyi", ".so", ".pyd", ".nbi", ".nbc", ".pth")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """What a first call found: the files that were read, and why the first point fails, "" where it does not."""

    read: tuple[str, ...] = ()
    complaint: str = ""


def try_function(
    function: UserFunction,
    momenta: tuple[Floats, Floats, Floats],
    parameters_of: Callable[[Loaded], Mapping[str, Any]],
) -> Trial:
    """Call a function twice at one point.

    Parameters
    ----------
    function : UserFunction
    momenta : energy, theta, phi of all pairs, (N,) MeV and radians
    parameters_of : what it is called with besides, once it is loaded

    Raises
    ------
    SpecError
        For what no point can be computed with: parameters that do not fit, an answer of another shape, and one that
        differs when asked twice.
    """
    with _traced() as opened:
        try:
            loaded = load_anew(function)
            parameters = parameters_of(loaded)
            check_signature(function, loaded.function, parameters)
            answers = [loaded(*(column.copy() for column in momenta), **parameters) for _ in range(2)]
        except SpecError:
            raise
        except (
            Exception
        ) as error:  # the same may be right at another point: it is said, and recorded by the run
            return Trial(_read(function, opened), raised(function, error))
    first, second = (_pair(function, answer, momenta[0].size) for answer in answers)
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True)):
        cure = "answers differently when asked twice with the same values: seed what is random in it"
        raise SpecError(PLACE, function.reference, cure)
    fault = first_fault(*first)
    if fault is not None:
        return Trial(_read(function, opened), f"{function.reference} returned {fault[1]}")
    return Trial(_read(function, opened))


def raised(function: UserFunction, error: BaseException) -> str:
    """Say on one line what a function raised."""
    if isinstance(error, UserCodeError):
        return error.reason
    return f"{function.reference} raised {type(error).__name__}: {' '.join(str(error).split())}"


def check_signature(
    function: UserFunction, called: Callable[..., Any], parameters: Mapping[str, Any]
) -> None:
    """Refuse parameters that a function does not take, and a function that needs others."""
    try:
        signature = inspect.signature(called)
    except (TypeError, ValueError):
        return
    named = [
        name
        for name, p in signature.parameters.items()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    own = named[len(ARGUMENTS) :]
    for name in parameters:
        if name not in named and not open_ended:
            cure = suggest(name, own) if own else "it takes energy, theta and phi alone"
            raise SpecError(f"occupation.{name}", None, f"is no parameter of {function.reference}: {cure}")
    try:
        signature.bind(*ARGUMENTS, **parameters)
    except TypeError:
        missing = [
            name
            for name, p in list(signature.parameters.items())[len(ARGUMENTS) :]
            if p.default is p.empty and name in named and name not in parameters
        ]
        if missing:
            raise SpecError(
                f"occupation.{missing[0]}", None, f"is missing: {function.reference} needs it"
            ) from None
        raise SpecError(
            PLACE,
            function.reference,
            f"takes {signature}: it is called with (energy, theta, phi, **parameters)",
        ) from None


def _pair(function: UserFunction, answer: Any, size: int) -> tuple[Floats, Floats]:
    """Take an answer apart into two arrays (N,)."""
    try:
        if isinstance(answer, np.ndarray) and answer.ndim == 1:  # two pairs, and one array for both
            raise ValueError("one array")
        rho, rhobar = answer
    except (TypeError, ValueError):
        what = f"returns {type(answer).__name__}: return two arrays, (rho, rhobar)"
        raise SpecError(PLACE, function.reference, what) from None
    found = []
    for name, values in (("rho", rho), ("rhobar", rhobar)):
        try:
            array = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            what = f"returns {name} of type {type(values).__name__}: return an array of numbers"
            raise SpecError(PLACE, function.reference, what) from None
        try:
            found.append(np.broadcast_to(array, (size,)))
        except ValueError:
            what = f"returns {name} of shape {array.shape}: return one number for each of the {size} pairs, like energy"
            raise SpecError(PLACE, function.reference, what) from None
    return found[0], found[1]


_opening = threading.local()


@cache
def _listening() -> None:
    """Hear of every file that this process opens; a hook cannot be taken away again, but it can be deaf."""

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        opened = getattr(_opening, "opened", None)
        if opened is None or event != "open":
            return
        path, _, flags = arguments
        if isinstance(path, str | bytes | os.PathLike) and not flags & (os.O_WRONLY | os.O_RDWR):
            opened.append(os.path.abspath(os.fsdecode(path)))

    sys.addaudithook(hear)


@contextmanager
def _traced() -> Iterator[list[str]]:
    """Collect the files that this thread opens to read."""
    _listening()
    found: list[str] = []
    _opening.opened = found
    try:
        yield found
    finally:
        del _opening.opened


def _read(function: UserFunction, opened: list[str]) -> tuple[str, ...]:
    """Give what was opened and is a user's own, by its path below the function's home or absolute."""
    home = Path(function.home)
    found = []
    for name in dict.fromkeys(opened):
        path = Path(name)
        own = path.is_relative_to(home) or not any(path.is_relative_to(folder) for folder in _not_the_users())
        if path.suffix not in CODE and "__pycache__" not in path.parts and own and path.is_file():
            found.append(os.path.relpath(path, home) if path.is_relative_to(home) else name)
    return tuple(found)


@cache
def _not_the_users() -> tuple[str, ...]:
    """Folders of Python, of packages and of the system: what is read there goes with the machine."""
    folders = [sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()]
    folders += [tempfile.gettempdir(), str(cache_folder()), str(Path(__file__).parents[2])]
    folders += [str(Path.home() / ".cache"), str(Path.home() / ".config")] if os.environ.get("HOME") else []
    return (*folders, "/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/var", "/run")
