"""A line that can be drawn over: in a terminal, or in a notebook."""

from __future__ import annotations

import os
from typing import Any, Protocol, TextIO

ERASE = "\r\x1b[2K"
COLUMNS = 80  # of a terminal that does not tell


class Line(Protocol):
    """One line that is drawn again and again."""

    seconds: float

    def draw(self, text: str) -> None:
        """Show this in place of what it showed; nothing removes it."""

    @property
    def columns(self) -> int:
        """Room for text."""


class TerminalLine:
    """The line of a terminal that its cursor is in."""

    seconds = 0.1

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def draw(self, text: str) -> None:
        """Show this in place of what it showed; nothing removes it."""
        print(ERASE + text, end="", file=self._stream, flush=True)

    @property
    def columns(self) -> int:
        """Room for text: a full line would wrap, and then could not be drawn over."""
        try:
            return (os.get_terminal_size(self._stream.fileno()).columns or COLUMNS) - 1
        except OSError:  # also where a stream has no file descriptor
            return COLUMNS - 1


class NotebookLine:
    """An output of a notebook's cell, shown once there is something to show."""

    seconds = 0.5
    columns = COLUMNS

    def __init__(self) -> None:
        self._handle: Any = None

    def draw(self, text: str) -> None:
        """Show this in place of what it showed; nothing removes it."""
        from IPython.display import display  # a notebook has it

        content = {"text/plain": text}
        if self._handle is not None:
            self._handle.update(content, raw=True)
        elif text:
            self._handle = display(content, raw=True, display_id=True)


def drawn_over(stream: TextIO) -> Line | None:
    """Return a line that can be drawn over; None where lines only follow each other."""
    if type(stream).__module__.partition(".")[0] == "ipykernel":
        return NotebookLine()
    return TerminalLine(stream) if is_terminal(stream) else None


def is_terminal(stream: TextIO) -> bool:
    """Whether this is a terminal in which lines can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
