"""One thread that computes points, one after another, whoever asks; it keeps no program from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue

Task = Callable[[], None]


@cache
def _tasks() -> SimpleQueue[Task]:
    tasks: SimpleQueue[Task] = SimpleQueue()
    threading.Thread(target=_work, args=(tasks,), name="pairsweep-view-points", daemon=True).start()
    return tasks


def _work(tasks: SimpleQueue[Task]) -> None:
    while True:
        tasks.get()()


def do(task: Task) -> None:
    """Do something soon; it must not raise."""
    _tasks().put(task)
