"""Blocks on a dask scheduler: a local cluster of processes, any address, or jobs of a batch system.

The only user of distributed, which is imported when it is needed. A dask scheduler runs whatever it is sent, so one
that others can reach is used over TLS, or because the user insists.
"""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import logging
import os
import pickle
import signal
import ssl
import sys
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pairsweep.execute.blame import Queue
from pairsweep.execute.pool import PINNED
from pairsweep.execute.site import KINDS, Site
from pairsweep.execute.task import Ack, Echo, ExecuteError, OnDone, Task, Work, unheard

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture
    from distributed.security import Security

PATIENCE = 10  # seconds for a scheduler to answer
LOST = "60s"  # a local worker may take to come back after its death; then dask gives it up
RESTORE = 2  # seconds between two looks whether a local cluster has all its workers
LOOPBACK = "127.0.0.1"
# Blocks leave nothing in a worker that it could put aside: one that pauses for want of memory would never go on.
_NEVER_PAUSE = {f"distributed.worker.memory.{what}": False for what in ("target", "spill", "pause")}
DEATHS = 2  # of workers at a block before the scheduler gives it back
_CONFIG = _NEVER_PAUSE | {
    "distributed.nanny.pre-spawn-environ": PINNED,
    "distributed.scheduler.allowed-failures": DEATHS - 1,
}


@dataclass(frozen=True)
class Tls:
    """Files that prove who we are, and who the others must be."""

    ca: str
    cert: str
    key: str

    def security(self) -> Security:
        """Return them in dask's terms, unencrypted connections refused."""
        from distributed.security import Security

        roles = {
            f"tls_{role}_{part}": getattr(self, part)
            for role in ("client", "scheduler", "worker")
            for part in ("cert", "key")
        }
        return Security(tls_ca_file=self.ca, require_encryption=True, **roles)


@lru_cache(maxsize=4)
def _unpack(payload: bytes) -> Task:
    """Unpickle a task once per worker; the first time, pin its libraries to one thread."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    task: Task = pickle.loads(payload)
    return task


def _perform(payload: bytes, work: Work, topic: str) -> Ack:
    from distributed import get_worker

    from pairsweep.kernels.compiling import announced

    with announced(lambda line: get_worker().log_event(topic, line), step=unheard):
        return _unpack(payload)(work.block, work.only)


def run_blocks(
    client: Client,
    task: Task,
    blocks: Iterable[int],
    on_done: OnDone,
    echo: Echo = unheard,
    window: int | None = None,
) -> None:
    """Run ``blocks`` with at most ``window`` in flight (default: two per thread of the cluster).

    Futures are dropped as they come in: what the scheduler still holds, it computes again when a worker dies.
    """
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    where = client.scheduler.address if client.scheduler else ""
    payload, topic = pickle.dumps(task), f"pairsweep-{uuid.uuid4().hex}"
    queue = Queue(task, blocks, on_done)
    in_flight: dict[DaskFuture[Ack], Work] = {}
    arriving = as_completed(loop=client.loop)

    def fill() -> None:
        limit = window or max(4, 2 * sum(client.nthreads().values()))
        while len(in_flight) < limit and (work := queue.next(alone=not in_flight)) is not None:
            key = f"pairsweep-{uuid.uuid4().hex}"
            future = client.submit(_perform, payload, work, topic, key=key, pure=False)
            in_flight[future] = work
            arriving.add(future)

    client.subscribe_topic(topic, lambda event: echo(event[1]))
    try:
        fill()
        for future in arriving:
            work = in_flight.pop(future)
            try:
                ack = future.result()
            except KilledWorker as error:
                queue.died(work, str(error).split(". ", maxsplit=1)[0], deaths=DEATHS)
            else:
                on_done(ack)
            future.release()
            fill()
    except (CancelledError, OSError) as error:
        if client.status == "running" and not isinstance(error, CancelledError):
            raise
        lost = "lost on the way: what is done is kept, start the same command again"
        raise ExecuteError("--scheduler", where, lost) from error
    finally:
        if client.status == "running":
            client.unsubscribe_topic(topic)
            if in_flight:
                client.cancel(list(in_flight))


@contextlib.contextmanager
def local(workers: int, echo: Echo) -> Iterator[Client]:
    """Give a cluster of ``workers`` processes of one thread, open to this machine alone."""
    import dask.config
    from distributed import Client, LocalCluster
    from tornado.ioloop import PeriodicCallback

    with (
        dask.config.set(_CONFIG | {"distributed.deploy.lost-worker-timeout": LOST}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host=LOOPBACK,
            dashboard_address=f"{LOOPBACK}:0",
            worker_dashboard_address=f"{LOOPBACK}:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        _tell_dashboard(cluster, echo)
        # one that was given up is asked for again
        again = PeriodicCallback(lambda: cluster.scale(workers), RESTORE * 1000)
        cluster.loop.add_callback(again.start)
        try:
            yield client
        finally:
            cluster.loop.add_callback(again.stop)


def check_files(tls: Tls) -> None:
    """Refuse certificates that are not there, or that are none."""
    for file in (tls.ca, tls.cert, tls.key):
        if not os.access(file, os.R_OK):
            raise ExecuteError("--tls", file, "cannot be read: name three files, CA,CERT,KEY")
    try:
        ssl.create_default_context(cafile=tls.ca).load_cert_chain(tls.cert, tls.key)
    except OSError as error:
        files = ",".join((tls.ca, tls.cert, tls.key))
        raise ExecuteError("--tls", files, f"no PEM files CA,CERT,KEY that fit together ({error})") from error


def check_address(where: str, insecure: bool) -> None:
    """Refuse an address that is none, or that others can reach without TLS."""
    parts = urlsplit(where)
    if parts.scheme not in ("tcp", "tls"):
        raise ExecuteError("--scheduler", where, "give tcp://HOST:PORT or tls://HOST:PORT")
    if parts.scheme == "tcp" and not insecure and not _is_loopback(parts.hostname or ""):
        cure = "others could send it code: use tls://, or add --insecure on a network you trust"
        raise ExecuteError("--scheduler", where, cure)


@contextlib.contextmanager
def address(where: str, tls: Tls | None, echo: Echo) -> Iterator[Client]:
    """Give a client of the scheduler at ``where``."""
    from distributed import Client

    try:
        security = tls.security() if tls else None
        client = Client(where, set_as_default=False, timeout=PATIENCE, security=security)
    except (OSError, ValueError, TypeError, RuntimeError, MemoryError) as error:
        # MemoryError: whatever else answers there, dask takes its greeting for the length of a message
        raise ExecuteError("--scheduler", where, f"no dask scheduler answers there ({error})") from error
    with client:
        if not client.nthreads():
            echo(f"{where} has no workers yet: waiting for them")
        yield client


def check_jobs(kind: str, site: Site, tls: Tls | None, insecure: bool) -> None:
    """Refuse jobs that could only be reached without TLS, or for which a package or the interface is missing."""
    if importlib.util.find_spec("dask_jobqueue") is None:
        raise ExecuteError(
            "--scheduler", kind, "jobs need dask-jobqueue: pip install dask-jobqueue cryptography"
        )
    private = site.interface == "lo" or tls is not None or insecure
    if not private and importlib.util.find_spec("cryptography") is None:
        cure = "pip install cryptography for passing certificates, give --tls CA,CERT,KEY"
        raise ExecuteError("--scheduler", kind, f"{cure}, or add --insecure on a network you trust")
    if site.interface:
        from distributed.utils import get_ip_interface

        try:
            get_ip_interface(site.interface)
        except ValueError as error:
            raise ExecuteError("[cluster] interface", site.interface, f"{error}") from error


@contextlib.contextmanager
def jobs(kind: str, site: Site, tls: Tls | None, insecure: bool, echo: Echo) -> Iterator[Client]:
    """Give workers in jobs of a batch system: more while there is work for more, none taken back before the end.

    Workers leave before they are killed.
    """
    import dask.config
    from distributed import Client

    # True: certificates made for this run, passed on through the shared file system
    security: Any = tls.security() if tls else (site.interface != "lo" and not insecure) or None
    lifetime, stagger = site.lifetime
    options: dict[str, Any] = {"dashboard_address": f"{LOOPBACK}:0"}
    if site.interface == "lo":
        options["host"] = LOOPBACK
    elif site.interface:
        options["interface"] = site.interface
    environment = PINNED | {
        f"DASK_{name.upper().replace('.', '__')}": str(value) for name, value in _NEVER_PAUSE.items()
    }
    batch_system, first = _batch_system(kind), Future[None]()
    named = {"queue": site.queue, "account": site.account, "interface": site.interface}
    with dask.config.set(_CONFIG):
        try:
            started = batch_system(
                job_cls=_telling(batch_system.job_cls, first),
                cores=site.cores,
                processes=site.cores,
                memory=site.memory,
                walltime=site.walltime,
                protocol="tls" if security else "tcp",
                security=security,
                scheduler_options=options,
                job_extra_directives=list(site.lines),
                job_directives_skip=list(site.skip),
                job_script_prologue=[f"export {name}={value}" for name, value in environment.items()]
                + list(site.prologue),
                worker_extra_args=[
                    *("--lifetime", f"{lifetime}s", "--lifetime-stagger", f"{stagger}s"),
                    *("--dashboard-address", f"{LOOPBACK}:0"),
                ],
                shared_temp_directory=str(Path.home()),
                silence_logs=logging.CRITICAL,
                **{name: value for name, value in named.items() if value},
            )
        except (OSError, RuntimeError, ValueError) as error:
            cure = f"dask could not start a scheduler for its jobs ({_reason(error)})"
            raise ExecuteError("--scheduler", kind, cure) from error
        with (
            _without_traces(started),
            started as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            _tell_dashboard(cluster, echo)
            _submit(cluster, kind, first)
            # up as there is work, never down before the end: a worker that is retired may have the last blocks in hand
            cluster.adapt(minimum_jobs=site.least_jobs, maximum_jobs=site.jobs, wait_count=sys.maxsize)
            yield client


@contextlib.contextmanager
def _without_traces(cluster: Any) -> Iterator[None]:
    """Remove, at the end, the certificate and the key that dask-jobqueue wrote for the jobs of a cluster.

    It leaves that to the collector of garbage, which a command does not wait for.
    """
    try:
        yield
    finally:
        for part in ("ca_file", "cert", "key"):
            if (file := getattr(cluster, f"_job_{part}", None)) is not None:
                file.close()


def _telling(job: Any, first: Future[None]) -> Any:
    """Return a class of jobs the first of which tells whether it could be submitted; dask itself only logs it."""
    from distributed import Status

    async def start(self: Any) -> None:
        try:
            await job.start(self)
        except Exception as error:
            self.status = Status.failed
            if not first.done():
                first.set_exception(error)
            raise
        if not first.done():
            first.set_result(None)

    return type(job.__name__, (job,), {"start": start})


def _submit(cluster: Any, kind: str, first: Future[None]) -> None:
    cluster.scale(jobs=1)
    try:
        first.result()
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # ValueError: no number of a job in what was answered
        cure = "see queue, account and lines in [cluster], and whether jobs can be submitted from this host"
        raise ExecuteError(
            "--scheduler", kind, f"no job could be submitted ({_reason(error)}): {cure}"
        ) from error


def _reason(error: Exception) -> str:
    """Return on one line what an error says first and, where it quotes a command, what that said last."""
    first, *quoted = f"{error}".strip().splitlines() or [type(error).__name__]
    if not quoted or quoted[-1].endswith(":"):  # a heading of dask's: the command was silent
        return first.rstrip(".")
    return f"{first.rstrip('.')}: {quoted[-1]}"


def _batch_system(kind: str) -> Any:
    handler = signal.getsignal(signal.SIGINT)
    import dask_jobqueue

    # its import makes Ctrl-C a silent exit; only a main thread can have been so changed
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, handler)
    return getattr(dask_jobqueue, KINDS[kind])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tell_dashboard(cluster: Any, echo: Echo) -> None:
    if importlib.util.find_spec("bokeh") is None:
        return
    link = urlsplit(cluster.dashboard_link)
    if (
        link.hostname == urlsplit(cluster.scheduler_address).hostname
    ):  # where the scheduler is, its pages are not
        link = link._replace(netloc=f"{LOOPBACK}:{link.port}")
    echo(f"dashboard at {link.geturl()}")
