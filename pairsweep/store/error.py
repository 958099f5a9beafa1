"""The error of every store operation."""

from __future__ import annotations

from pairsweep.spec import UsageError


class StoreError(UsageError):
    """A store that cannot be made, opened, continued or written: the place, what is there and the cure."""

    def __str__(self) -> str:
        text = f"{self.place}: {self.value}: {self.cure}"
        return text if text.isprintable() else ascii(text)[1:-1]
