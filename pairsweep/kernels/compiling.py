"""Says so when kernels have to be compiled: the first use of a version takes seconds, sometimes a minute."""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, ModuleType

from numba.core import event

from pairsweep.machine_code.cache import WAITING
from pairsweep.machine_code.folders import cache_folder, why_not_wanted
from pairsweep.machine_code.kernel import Compiled, Kernel

NOTE = "compiling the numerical code, once for this version; this may take a minute ..."
OTHERS = "another process compiles the numerical code: waiting for it ..."
BAR, MOVING = 24, 6
BEAT = 0.2  # seconds
ERASE = "\r\x1b[2K"
SURROUNDINGS = 400
"""What a kernel costs whatever its length, in bytes of bytecode."""

Say = Callable[[str], None]


def on_standard_error(line: str) -> None:
    """Print a line on standard error, whatever that is by now."""
    print(line, file=sys.stderr, flush=True)


def draw_on_terminal(line: str) -> None:
    """Draw a line over the last one where standard error is a terminal; an empty one removes it."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        print(ERASE + line, end="", file=sys.stderr, flush=True)


def _letters() -> tuple[str, str]:
    """Letters of a bar that standard error can write: of what is filled, and of what is empty."""
    return ("━", "╌") if "utf" in (sys.stderr.encoding or "utf").lower() else ("#", "-")


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def called_by(kernel: Compiled) -> set[Compiled]:
    """Find a kernel and all that it calls at any depth, by the names in it."""
    found: set[Compiled] = set()
    waiting: list[Compiled] = [kernel]
    while waiting:
        each = waiting.pop()
        if each in found:
            continue
        found.add(each)
        names = set(_names(each.py_func.__code__))
        values = [each.py_func.__globals__.get(name) for name in names]
        values += [getattr(v, name, None) for v in values if isinstance(v, ModuleType) for name in names]
        waiting += (value for value in values if isinstance(value, Kernel))
    return found


def _family(kernel: Compiled) -> str:
    """Name the analysis that a kernel belongs to, or its module."""
    parts = kernel.py_func.__module__.split(".")
    return parts[parts.index("analyses") + 1] if "analyses" in parts[:-1] else parts[-1]


class _Compilation(event.Listener):
    """Tells of each kernel that is compiled; code that is loaded from the cache makes no such event."""

    def __init__(self, say: Say, step: Say) -> None:
        self._say, self._step = say, step
        self._said = False
        # what the outermost kernel that is being compiled calls, itself included
        self._below: list[Compiled] = []
        self._depth = 0

    def on_start(self, event: event.Event) -> None:
        kernel = event.data["dispatcher"]
        self._depth += 1
        if not isinstance(kernel, Compiled):
            return  # numba's own, within one of ours
        if not self._said:
            self._said = True
            self._say(NOTE)
            if reason := why_not_wanted():
                self._say(f"machine code is kept in {cache_folder()}: {reason}")
        if not self._below:
            self._depth = 1
            self._below = sorted(called_by(kernel), key=lambda k: k.py_func.__qualname__)
        self._draw(kernel)

    def on_end(self, event: event.Event) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._below = []
            self._step("")

    def _draw(self, kernel: Compiled) -> None:
        costs = {each: len(each.py_func.__code__.co_code) + SURROUNDINGS for each in self._below}
        done = sum(cost for each, cost in costs.items() if each.is_compiled)
        full = done * BAR // max(1, sum(costs.values()))
        filled, empty = _letters()
        self._step(
            f"compiling {_family(kernel)} {filled * full}{empty * (BAR - full)} {kernel.py_func.__name__}"
        )


class _Wait(event.Listener):
    """Tells that another process compiles what is needed here, and moves a bar until it has."""

    def __init__(self, say: Say, step: Say) -> None:
        self._say, self._step = say, step
        self._said = False
        self._over = threading.Event()
        self._mover: threading.Thread | None = None

    def on_start(self, event: event.Event) -> None:
        if not self._said:
            self._said = True
            self._say(OTHERS)
        self._over.clear()
        self._mover = threading.Thread(target=self._move, daemon=True)
        self._mover.start()

    def on_end(self, event: event.Event) -> None:
        if self._mover is not None:
            self._over.set()
            self._mover.join()
            self._step("")

    def _move(self) -> None:
        filled, empty = _letters()
        for beat in itertools.count():
            if self._over.wait(BEAT):
                return
            place = BAR - MOVING - abs(beat % (2 * (BAR - MOVING)) - (BAR - MOVING))
            self._step(f"waiting {place * empty}{MOVING * filled}{(BAR - MOVING - place) * empty}")


@contextmanager
def announced(say: Say = on_standard_error, step: Say = draw_on_terminal) -> Iterator[None]:
    """Tell of what is compiled in this process meanwhile.

    Parameters
    ----------
    say
        Called with a line once something is compiled, or waited for.
    step
        Called with what is being compiled and a bar, to be drawn over what it was called with before.
    """
    listeners = {"numba:compile": _Compilation(say, step), WAITING: _Wait(say, step)}
    for kind, listener in listeners.items():
        event.register(kind, listener)
    try:
        yield
    finally:
        for kind, listener in listeners.items():
            event.unregister(kind, listener)
