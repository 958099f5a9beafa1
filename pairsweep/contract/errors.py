"""What a user can put right: one line with the place, the value found there, and the cure."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

MOST_NAMES = 40  # in a line


def shorten(value: object, limit: int = 60) -> str:
    """Print a user's value on one line, whatever it holds."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


class UsageError(Exception):
    """Something a user can put right: the place, the value found there, and the cure, in one line."""

    def __init__(self, place: str, value: object, cure: str) -> None:
        self.place, self.value, self.cure = place, value, cure
        super().__init__(place, value, cure)

    def found_in(self, file: str) -> None:
        """Name the file that the place is in."""
        if not self.place.startswith(file):
            self.place = f"{file}: {self.place}"

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {shorten(self.value)}"
        return f"{self.place}{shown}: {self.cure}"


class SpecError(UsageError):
    """A specification that cannot be used."""


class StoreError(UsageError):
    """A store that cannot be made, opened, continued or written: the place, what is there and the cure."""

    def __str__(self) -> str:
        text = f"{self.place}: {self.value}: {self.cure}"
        return text if text.isprintable() else ascii(text)[1:-1]


class UserCodeError(Exception):
    """What a function of the user's own did wrong: it fails its point, and the sweep goes on."""

    def __init__(self, reason: str, traceback: str = "") -> None:
        self.reason, self.traceback = reason, traceback
        super().__init__(reason, traceback)

    def __str__(self) -> str:
        return self.reason


def suggest(name: object, known: Iterable[str]) -> str:
    """Name the nearest known name, or all of few, and point out letters that only look right."""
    known = tuple(dict.fromkeys(known))
    odd = [c for c in str(name) if not c.isascii()]
    hint = ""
    if odd:
        hint = f" (it holds {odd[0]!a}, {unicodedata.name(odd[0], 'a control character').lower()})"
    near = difflib.get_close_matches(str(name)[:100], known, n=1)
    listed = ", ".join(known[:MOST_NAMES]) + (", ..." if len(known) > MOST_NAMES else "")
    return (f"did you mean {near[0]}?" if near else f"choose one of {listed}") + hint
