"""Which point takes its process down? Blocks whose worker died are split until a single point is left.

A worker may also die for reasons of its own (a scheduler's limit, an operator), so a block is tried again
before it is split, and a point has to bring down several workers alone before it is called failed. Split
tenfold, a block of a thousand gives its one bad point away after seven deaths; halved, after fourteen.

dask charges a death to all that a worker had not yet answered, so a point that was quick and beside a bad one looks
bad too. Its last chance comes at the end, with nothing else under way.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from pairsweep.execute.task import OnDone, Task, Work

PARTS = 10
BLOCK_DEATHS = 2  # before a block is split for the first time
POINT_DEATHS = 3  # before a point is given up


class Queue:
    """Blocks still to be handed out: those that come back first, then the next of ``blocks``."""

    def __init__(self, task: Task, blocks: Iterable[int], on_done: OnDone) -> None:
        self._task = task
        self._blocks = iter(blocks)
        self._on_done = on_done
        self._back: deque[Work] = deque()
        self._suspects: deque[Work] = deque()
        self._deaths: Counter[Work] = Counter()

    def next(self, alone: bool = True) -> Work | None:
        """Return what to do next, None if there is nothing for now; a suspect only where it would be ``alone``."""
        if self._back:
            return self._back.popleft()
        block = next(self._blocks, None)
        if block is not None:
            return Work(block)
        return self._suspects.popleft() if alone and self._suspects else None

    def back(self, work: Work) -> None:
        """Take back work that nobody began."""
        self._back.append(work)

    def died(self, work: Work, reason: str, deaths: int = 1) -> None:
        """Take back what was being computed where a worker died; ``reason`` says how."""
        self._deaths[work] += deaths
        points = work.only or range(self._task.size(work.block))
        if len(points) == 1:
            if self._deaths[work] < POINT_DEATHS:
                self._suspects.append(work)
            else:
                del self._deaths[work]
                self._on_done(self._task.record_failure(work.block, points[0], reason))
        elif work.only is None and self._deaths[work] < BLOCK_DEATHS:
            self._back.append(work)
        else:
            del self._deaths[work]
            step = -(-len(points) // PARTS)
            parts = [points[i : i + step] for i in range(0, len(points), step)]
            self._back.extend(Work(work.block, part) for part in parts)
