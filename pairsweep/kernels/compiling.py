"""Says so when kernels have to be compiled: the first use of a version takes seconds, sometimes a minute."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core import event

NOTE = "compiling the numerical code, once for this version; this may take a minute ..."


def on_standard_error(line: str) -> None:
    """Print a line on standard error, whatever that is by now."""
    print(line, file=sys.stderr, flush=True)


class _Once(event.Listener):
    """Says it at the first compilation; code that is loaded from the cache makes no such event."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say, self.said = say, False

    def on_start(self, event: event.Event) -> None:
        if not self.said:
            self.said = True
            self.say(NOTE)

    def on_end(self, event: event.Event) -> None:
        """Nothing to say."""


@contextmanager
def announced(say: Callable[[str], None] = on_standard_error) -> Iterator[None]:
    """Call ``say`` once with a line as soon as something is compiled in this process meanwhile."""
    listener = _Once(say)
    event.register("numba:compile", listener)
    try:
        yield
    finally:
        event.unregister("numba:compile", listener)
