"""Worker processes of this machine: quick to start, listening nowhere, each blamed only for its own death.

A block is with one worker at a time and a worker has one block at a time, so when a worker dies it is known
what it was computing. Workers are ``python -m`` processes on a socket pair: a user's script needs no main
guard.
"""

from __future__ import annotations

import math
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType

from pairsweep.execute.blame import Queue
from pairsweep.execute.quota import memory
from pairsweep.execute.task import Ack, Echo, ExecuteError, OnDone, Task, Work, unheard

# One thread each: the processes share the cores, and two BLAS threads are pathological on small matrices.
PINNED = {f"{pool}_NUM_THREADS": "1" for pool in ("OMP", "OPENBLAS", "MKL", "NUMBA")} | {
    "VECLIB_MAXIMUM_THREADS": "1"
}
# A sweep that one worker ends within this many seconds does not pay for the start of others.
HEAD_START = 1.0
_MAX_STILLBORN = 3
_LEAST_MEMORY = 2**30


def _share_of_memory(workers: int) -> int:
    """Return the bytes a worker may allocate, 0 if the machine does not tell."""
    total = memory()
    return max(_LEAST_MEMORY, int(0.9 * total) // workers) if total else 0


class _Worker:
    def __init__(self, memory: int) -> None:
        ours, theirs = socket.socketpair()
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
        with theirs:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "pairsweep.execute.worker",
                    f"{theirs.fileno()}",
                    f"{memory}",
                ],
                env=os.environ | PINNED | {"PYTHONPATH": path},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self.connection = Connection(ours.detach())
        self.work: Work | None = None
        self.ready = False

    def how_it_ended(self) -> str:
        code = self.process.wait()
        if code >= 0:
            return f"its worker process ended with exit code {code}"
        name = signal.Signals(-code).name
        memory = " (out of memory, perhaps)" if -code == signal.SIGKILL else ""
        return f"its worker process was killed by {name}{memory}"

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.connection.close()


@dataclass
class Pool:
    """At most ``count`` worker processes, a context manager that ends them.

    The first is started on entry, the others when it is clear that they are worth it. What workers have to say to
    the user goes to ``echo``, from each of them.
    """

    count: int
    echo: Echo = unheard

    def __enter__(self) -> Pool:
        self._workers: list[_Worker] = []
        self._stillborn = 0
        self._since = math.inf  # when the first worker was ready
        self._hire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def run(self, task: Task, blocks: Iterable[int], on_done: OnDone) -> None:
        """Run ``blocks``; an exception of the task is raised here."""
        payload = pickle.dumps(task)
        queue = Queue(task, blocks, on_done)
        work = queue.next()
        while True:
            while work is not None and (worker := self._free()) is not None:
                try:
                    worker.connection.send_bytes(pickle.dumps((payload, work)))
                    worker.work = work
                    work = queue.next()
                except OSError:
                    self._dismiss(worker)
            busy = {worker.connection: worker for worker in self._workers if worker.work is not None}
            if not busy:
                return
            patience = HEAD_START if work is not None and len(self._workers) < self.count else None
            for connection in wait(list(busy), patience):
                worker = busy[connection]  # type: ignore[index]
                in_hand = worker.work
                assert in_hand is not None
                try:
                    answer = pickle.loads(worker.connection.recv_bytes())
                except (EOFError, OSError):
                    how = self._dismiss(worker)
                    if worker.ready:
                        queue.died(in_hand, how)
                    else:
                        queue.back(in_hand)
                    continue
                if isinstance(answer, BaseException):
                    raise answer
                if isinstance(answer, Ack):
                    worker.work = None
                    on_done(answer)
                elif isinstance(answer, str):
                    self.echo(answer)
                else:
                    worker.ready = True
                    self._since = min(self._since, time.monotonic())
            if work is None:
                work = queue.next()

    def _hire(self) -> _Worker:
        worker = _Worker(_share_of_memory(self.count))
        self._workers.append(worker)
        return worker

    def _free(self) -> _Worker | None:
        for worker in self._workers:
            if worker.work is None:
                return worker
        worth_it = time.monotonic() - self._since >= HEAD_START
        if not self._workers or (worth_it and len(self._workers) < self.count):
            return self._hire()
        return None

    def _dismiss(self, worker: _Worker) -> str:
        """Let a dead worker go and say how it ended; if none even starts, no block is to blame."""
        how = worker.how_it_ended()
        worker.connection.close()
        self._workers.remove(worker)
        self._stillborn = 0 if worker.ready else self._stillborn + 1
        if self._stillborn == _MAX_STILLBORN:
            raise ExecuteError("--scheduler", "local", f"no worker process starts: {how}; try serial")
        return how
