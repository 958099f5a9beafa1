"""Runs the blocks of a sweep on a scheduler."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from pairsweep.execute import cluster
from pairsweep.execute.cluster import Tls
from pairsweep.execute.guard import check_main_guard
from pairsweep.execute.pool import Pool
from pairsweep.execute.quota import cores
from pairsweep.execute.site import KINDS, Site
from pairsweep.execute.task import Ack, Echo, ExecuteError, OnDone, Task, unheard

SCHEDULERS = ("local", "serial", "threads", "dask")


def execute(
    task: Task,
    blocks: Iterable[int],
    *,
    on_done: OnDone,
    scheduler: str = "local",
    workers: int | None = None,
    site: Site | None = None,
    tls: Tls | None = None,
    insecure: bool = False,
    echo: Echo = unheard,
) -> None:
    """Run ``task`` on every block, a bounded number at a time, and report each as it is done.

    Parameters
    ----------
    task : see `Task`; an exception it raises ends the run (a point that fails is data, not an exception)
    blocks : taken one by one as there is room, so they may be generated from a ledger on the way
    on_done : called in this thread with every acknowledgement, in order of completion
    scheduler : "local" (processes of one thread each), "dask" (the same with dask's dashboard), "threads",
        "serial", a dask scheduler's address, or a batch system such as "slurm"
    workers : processes or threads; by default the cores that this process may use, which a container may limit
    site : what the jobs of a batch system are like
    tls : certificates for what leaves this machine; dask's own configuration by default
    insecure : use a scheduler that others can reach without TLS all the same
    echo : told what a user should know, a line at a time; the same by each worker that has to say it

    Raises
    ------
    ExecuteError : the scheduler cannot be used or was lost.
    KeyboardInterrupt : after letting go of the workers; what is stored stays.
    """
    site = site or Site()
    check_scheduler(scheduler, workers, site, tls, insecure)
    count = workers or cores()
    if scheduler == "serial":
        for block in blocks:
            on_done(task(block))
    elif scheduler == "threads":
        _threads(task, blocks, on_done, count)
    elif scheduler == "local":
        with Pool(count, echo) as pool:
            pool.run(task, blocks, on_done)
    elif scheduler == "dask":
        with cluster.local(count, echo) as client:
            cluster.run_blocks(client, task, blocks, on_done, echo)
    elif scheduler in KINDS:
        with cluster.jobs(scheduler, site, tls, insecure, echo) as client:
            cluster.run_blocks(client, task, blocks, on_done, echo, 2 * site.jobs * site.cores)
    else:
        with cluster.address(scheduler, tls, echo) as client:
            cluster.run_blocks(client, task, blocks, on_done, echo)


def check_scheduler(
    scheduler: str,
    workers: int | None,
    site: Site | None = None,
    tls: Tls | None = None,
    insecure: bool = False,
) -> None:
    """Refuse what can be seen to be unusable or unsafe before anything is started or stored; see `execute`."""
    if workers is not None and workers < 1:
        raise ExecuteError("--workers", workers, "give at least 1")
    if tls is not None:
        cluster.check_files(tls)
    if scheduler == "dask":
        check_main_guard()
    elif scheduler in KINDS:
        cluster.check_jobs(scheduler, site or Site(), tls, insecure)
    elif "://" in scheduler:
        cluster.check_address(scheduler, insecure)
    elif scheduler not in SCHEDULERS:
        names = ", ".join((*SCHEDULERS, *KINDS))
        raise ExecuteError("--scheduler", scheduler, f"one of {names}, or tls://HOST:PORT")


def _threads(task: Task, blocks: Iterable[int], on_done: OnDone, workers: int) -> None:
    in_flight: set[Future[Ack]] = set()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="pairsweep")
    try:
        for block in blocks:
            in_flight.add(pool.submit(task, block))
            if len(in_flight) >= 2 * workers:
                ready, in_flight = wait(in_flight, return_when=FIRST_COMPLETED)
                for future in ready:
                    on_done(future.result())
        while in_flight:
            ready, in_flight = wait(in_flight, return_when=FIRST_COMPLETED)
            for future in ready:
                on_done(future.result())
    finally:
        pool.shutdown(cancel_futures=True)
