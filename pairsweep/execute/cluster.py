"""Blocks on a dask scheduler: a local cluster of processes, or any address.

The only user of distributed, which is imported when it is needed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import pickle
import uuid
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from pairsweep.execute.blame import POINT_DEATHS, Queue
from pairsweep.execute.pool import PINNED
from pairsweep.execute.task import Ack, Echo, ExecuteError, OnDone, Task, Work

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE = 10  # seconds for a scheduler to answer


@lru_cache(maxsize=4)
def _unpack(payload: bytes) -> Task:
    """Unpickle a task once per worker; the first time, pin its libraries to one thread."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    task: Task = pickle.loads(payload)
    return task


def _perform(payload: bytes, work: Work) -> Ack:
    return _unpack(payload)(work.block, work.only)


def run_blocks(
    client: Client, task: Task, blocks: Iterable[int], on_done: OnDone, window: int | None = None
) -> None:
    """Run ``blocks`` with at most ``window`` in flight (default: two per thread of the cluster).

    Futures are dropped as they come in: what the scheduler still holds, it computes again when a worker dies.
    """
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    payload = pickle.dumps(task)
    queue = Queue(task, blocks, on_done)
    in_flight: dict[Future[Ack], Work] = {}
    arriving = as_completed(loop=client.loop)

    def fill() -> None:
        limit = window or max(4, 2 * sum(client.nthreads().values()))
        while len(in_flight) < limit and (work := queue.next()) is not None:
            key = f"pairsweep-{uuid.uuid4().hex}"
            future = client.submit(_perform, payload, work, key=key, pure=False)
            in_flight[future] = work
            arriving.add(future)

    try:
        fill()
        for future in arriving:
            work = in_flight.pop(future)
            try:
                ack = future.result()
            except KilledWorker as error:
                queue.died(work, str(error).split(". ", maxsplit=1)[0], deaths=POINT_DEATHS)
            else:
                on_done(ack)
            future.release()
            fill()
    finally:
        if in_flight:
            client.cancel(list(in_flight))


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
