"""What is executed: a task computes and stores one block, and answers with next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pairsweep.contract.errors import UsageError


@dataclass(frozen=True)
class Ack:
    """Acknowledgement of a block: all that travels back.

    ``done`` and ``failed`` count the points that this task computed, which took ``seconds`` on ``host``.
    """

    block: int
    done: int
    failed: int
    seconds: float
    host: str


class Task(Protocol):
    """Computes a block's missing points and stores them; picklable, and harmless when run twice.

    Points of a block are counted with its last axis fastest.
    """

    def __call__(self, block: int, only: range | None = None) -> Ack:
        """Compute and store what is missing of a block, or of the points ``only`` of it."""

    def size(self, block: int) -> int:
        """Return the number of points of a block."""

    def record_failure(self, block: int, point: int, reason: str) -> Ack:
        """Store that a point failed, since it takes its process down."""


@dataclass(frozen=True)
class Work:
    """A block to be computed, or those ``only`` of its points."""

    block: int
    only: range | None = None


OnDone = Callable[[Ack], None]
Echo = Callable[[str], None]


def unheard(line: str) -> None:
    """Tell nobody."""


class ExecuteError(UsageError):
    """A scheduler that cannot be used, or that was lost; names the place, what is there and the cure."""
