"""A worker process of this machine: work comes down a pipe, answers go up, and it ends with the pipe.

What goes up is None once it is ready, a line of text for the user, or the answer to work: an `Ack` or an exception.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import signal
import sys
import traceback
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path

from pairsweep.execute.task import Task, Work, unheard


def _stand_back(memory: int) -> None:
    """Leave Ctrl-C to the parent, and be the one that suffers when memory runs short.

    A point that asks for more than its share gets a MemoryError, which is recorded like any failure; should
    the machine run out all the same, the system kills a worker and not the run.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(2, 1)  # the run's standard output is for its summary
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    if memory:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))


@lru_cache(maxsize=1)
def _unpacked(payload: bytes) -> Task:
    task: Task = pickle.loads(payload)
    return task


def _answer(payload: bytes, work: Work) -> bytes:
    try:
        return pickle.dumps(_unpacked(payload)(work.block, work.only))
    except Exception as error:
        return _passed_on(error, f"in a worker process, at block {work.block}")


def _passed_on(error: Exception, where: str) -> bytes:
    """Pickle an error with its traceback as a note; as plain text if it does not survive that."""
    error.add_note(f"{where}:\n{traceback.format_exc()}")
    try:
        answer = pickle.dumps(error)
        pickle.loads(answer)
    except Exception:
        return pickle.dumps(RuntimeError(f"{where}:\n{traceback.format_exc()}"))
    return answer


def main() -> None:
    """Serve: argv is the pipe and the bytes of memory allowed (0: any)."""
    from threadpoolctl import threadpool_limits

    pipe, memory = (int(argument) for argument in sys.argv[1:3])
    connection = Connection(pipe)
    _stand_back(memory)
    threadpool_limits(1)
    with contextlib.suppress(EOFError, ConnectionError):
        connection.send_bytes(pickle.dumps(None))  # ready
        from pairsweep.kernels.compiling import announced  # brings numba, for which nobody has to wait before

        with announced(lambda line: connection.send_bytes(pickle.dumps(line)), step=unheard):
            while True:
                payload, work = pickle.loads(connection.recv_bytes())
                connection.send_bytes(_answer(payload, work))


if __name__ == "__main__":
    main()
