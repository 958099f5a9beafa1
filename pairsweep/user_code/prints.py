"""What a user's function prints: whole lines on standard error, beside the bar that may be drawn there."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

from pairsweep.contract.terminal import ERASE, is_terminal


class _Lines(io.TextIOBase):
    """Passes lines on when they are whole, or when it is told to; the first thing on a line removes a bar."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._held = ""
        self._erase = ERASE if is_terminal(stream) else ""
        self._inside = False  # of a line

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        lines, newline, self._held = (self._held + text).rpartition("\n")
        if newline:
            self._pass_on(lines + newline)
        return len(text)

    def flush(self) -> None:
        held, self._held = self._held, ""
        if held:
            self._pass_on(held)

    def end(self) -> None:
        """End the line that was begun."""
        if self._held or self._inside:
            self.write("\n")

    def _pass_on(self, text: str) -> None:
        # in one piece: another process may be drawing the bar
        self._stream.write(text if self._inside else self._erase + text)
        self._stream.flush()
        self._inside = not text.endswith("\n")


@contextmanager
def beside_the_bar() -> Iterator[None]:
    """Let what is printed to standard output and standard error come as whole lines on standard error.

    Wherever the function is called: standard output is for what a command has found.
    """
    lines = _Lines(sys.stderr)
    with redirect_stdout(lines), redirect_stderr(lines):
        try:
            yield
        finally:
            lines.end()
