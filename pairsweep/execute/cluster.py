"""Blocks on a dask scheduler: a local cluster of processes, or any address.

The only user of distributed, which is imported when it is needed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pickle
import uuid
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from pairsweep.execute.task import Ack, Echo, ExecuteError, OnDone, Task

if TYPE_CHECKING:
    from distributed import Client

# one thread each: several processes share the cores, and two BLAS threads are pathological on small matrices
PINNED = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMBA_NUM_THREADS",
    ),
    "1",
)


PATIENCE = 10  # seconds for a scheduler to answer


@lru_cache(maxsize=4)
def _unpack(payload: bytes) -> Task:
    """Unpickle a task once per worker; the first time, pin its libraries to one thread."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    task: Task = pickle.loads(payload)
    return task


def _perform(payload: bytes, block: int) -> Ack:
    return _unpack(payload)(block)


def run_blocks(
    client: Client, task: Task, blocks: Iterable[int], on_done: OnDone, window: int | None = None
) -> None:
    """Run ``blocks`` with at most ``window`` in flight (default: two per thread of the cluster).

    Futures are dropped as they come in: what the scheduler still holds, it computes again when a worker dies.
    """
    from distributed import as_completed

    payload = pickle.dumps(task)
    run = uuid.uuid4().hex[:8]
    waiting = iter(blocks)
    in_flight = as_completed(loop=client.loop)

    def submit() -> bool:
        block = next(waiting, None)
        if block is None:
            return False
        in_flight.add(client.submit(_perform, payload, block, key=f"{run}-{block}", pure=False))
        return True

    def room() -> int:
        return window or max(4, 2 * sum(client.nthreads().values()))

    limit = room()
    while in_flight.count() < limit and submit():
        pass
    for future in in_flight:
        ack = future.result()
        future.release()
        on_done(ack)
        limit = room()
        while in_flight.count() < limit and submit():
            pass


@contextlib.contextmanager
def local(workers: int, echo: Echo) -> Iterator[Client]:
    """Give a cluster of ``workers`` processes of one thread, open to this machine alone."""
    import dask.config
    from distributed import Client, LocalCluster

    drawable = importlib.util.find_spec("bokeh") is not None
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": PINNED}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        if drawable:
            echo(f"dashboard at {cluster.dashboard_link}")
        yield client


@contextlib.contextmanager
def address(where: str) -> Iterator[Client]:
    """Give a client of the scheduler at ``where``."""
    from distributed import Client

    try:
        client = Client(where, set_as_default=False, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise ExecuteError("--scheduler", where, f"no dask scheduler answers there ({error})") from error
    with client:
        yield client


def cores() -> int:
    """Number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
