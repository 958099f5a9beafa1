"""What leaves this machine is encrypted or refused; what stays listens on loopback."""

import contextlib
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
import time
from dataclasses import replace
from urllib.parse import urlsplit

import dask.config
import psutil
import pytest
from distributed import LocalCluster

from pairsweep.execute import Ack, ExecuteError, Site, Tls, check_scheduler, cluster, execute
from pairsweep.kernels.compiling import NOTE
from pairsweep.kernels.jit import jit
from tests.execute.test_execute import Count

pytestmark = pytest.mark.processes


def nothing(ack):
    pass


@pytest.mark.parametrize("where", ["tcp://10.0.0.1:8786", "tcp://example.org:8786", "tcp://[2001:db8::1]:1"])
def test_a_scheduler_without_tls_is_refused_at_once(where):
    with pytest.raises(ExecuteError, match="--insecure"):
        execute(Count(), range(2), on_done=nothing, scheduler=where)
    cluster.check_address(where, insecure=True)
    cluster.check_address(where.replace("tcp", "tls"), insecure=False)


def test_what_answers_may_be_no_scheduler(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 2)

    class Web(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Web) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(ExecuteError, match="no dask scheduler answers"):
                execute(
                    Count(),
                    range(2),
                    on_done=nothing,
                    scheduler=f"tcp://127.0.0.1:{server.server_address[1]}",
                )
        finally:
            server.shutdown()
            thread.join()


def test_jobs_without_tls_are_refused(monkeypatch):
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda name: name == "dask_jobqueue" or None)
    with pytest.raises(ExecuteError, match="--insecure"):
        execute(Count(), range(2), on_done=nothing, scheduler="slurm", site=Site())


def listening(process):
    found = set()
    for member in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            links = member.net_connections("inet")
            found |= {link.laddr.ip for link in links if link.status == psutil.CONN_LISTEN}
    return found


@pytest.mark.parametrize(
    ("scheduler", "expected"), [("local", set()), ("threads", set()), ("dask", {"127.0.0.1"})]
)
def test_nothing_listens_to_the_world(scheduler, expected):
    heard = []
    execute(
        Count(),
        range(6),
        scheduler=scheduler,
        workers=2,
        on_done=lambda ack: heard.append(listening(psutil.Process())),
    )
    assert set().union(*heard) == expected


class Settings(Count):
    def __call__(self, block, only=None):
        memory = dask.config.get("distributed.worker.memory")
        found = [memory[what] for what in ("target", "spill", "pause")]
        return Ack(block, 1, 0, 0.0, f"{found} {os.environ['NUMBA_NUM_THREADS']}")


def test_workers_of_dask_never_pause_and_have_one_thread():
    acks = []
    execute(Settings(), range(2), on_done=acks.append, scheduler="dask", workers=1)
    assert {ack.host for ack in acks} == {"[False, False, False] 1"}


class Slowly(Count):
    def __call__(self, block, only=None):
        time.sleep(0.1)
        return super().__call__(block)

    def size(self, block):
        return 1


def test_a_worker_that_dask_gives_up_is_replaced(monkeypatch):
    acks = []

    def kill_the_first(ack):
        acks.append(ack)
        if len(acks) == 1:
            os.kill(int(ack.host), signal.SIGKILL)

    monkeypatch.setattr(cluster, "LOST", "1ms")  # less than the nanny needs to start another process
    execute(Slowly(), range(6), on_done=kill_the_first, scheduler="dask", workers=1)
    assert sorted(ack.block for ack in acks) == list(range(6))
    assert len({ack.host for ack in acks}) >= 2


class Compiling(Count):
    def __call__(self, block, only=None):
        jit()(eval("lambda x: x + 1", {"__name__": "of no file, and so never on disk"}))(block)
        return super().__call__(block)


def test_workers_say_that_they_compile():
    acks, said = [], []
    execute(Compiling(), range(3), on_done=acks.append, scheduler="dask", workers=1, echo=said.append)
    assert len(acks) == 3
    assert NOTE in said


def test_a_scheduler_without_workers_is_waited_for_aloud():
    heard, acks = [], []
    with LocalCluster(n_workers=0, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as running:

        def echo(line):
            heard.append(line)
            running.scale(1)

        execute(Count(), range(3), on_done=acks.append, scheduler=running.scheduler_address, echo=echo)
    assert len(acks) == 3
    assert heard == [f"{running.scheduler_address} has no workers yet: waiting for them"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "echo 'sbatch: error: invalid partition: nope' >&2; exit 1",
            "exit code: sbatch: error: invalid partition: nope",
        ),
        ("exit 1", "Command exited with non-zero exit code"),
        ("echo welcome", "Could not parse job id from submission command output: welcome"),
        ("", "Could not parse job id from submission command output"),
    ],
)
def test_jobs_that_cannot_be_submitted_are_an_error(tmp_path, monkeypatch, script, said):
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    fake = tmp_path / "sbatch"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    site = Site.from_table({"interface": "lo", "queue": "nope"})
    with pytest.raises(ExecuteError, match=rf"no job could be submitted \(.*{said}\): see queue") as raised:
        execute(Count(), range(2), on_done=nothing, scheduler="slurm", site=site)
    assert "\n" not in str(raised.value)


def test_a_batch_system_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    site = Site.from_table({"interface": "lo"})
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(ExecuteError, match=r"no job could be submitted .*qsub"):
        execute(Count(), range(2), on_done=nothing, scheduler="pbs", site=site)


def test_certificates_that_are_not_there_are_named(tmp_path):
    there = tmp_path / "cert.pem"
    there.write_text("")
    tls = Tls(str(there), "nothing.pem", str(there))
    with pytest.raises(ExecuteError, match=r"--tls = 'nothing\.pem': cannot be read"):
        execute(Count(), range(2), on_done=nothing, scheduler="tls://10.0.0.1:8786", tls=tls)


@pytest.mark.parametrize("scheduler", ["slurm", "tls://10.0.0.1:8786"])
def test_certificates_that_are_none_are_refused_before_anything_starts(tmp_path, certificate, scheduler):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for tls in (replace(certificate, ca=str(empty)), replace(certificate, key=str(empty))):
        with pytest.raises(ExecuteError, match=r"--tls = .*: no PEM files CA,CERT,KEY that fit"):
            check_scheduler(scheduler, None, Site(), tls)
    check_scheduler(scheduler, None, Site(), certificate)


def test_an_interface_that_is_not_here_is_refused_before_anything_starts():
    with pytest.raises(ExecuteError, match=r"\[cluster\] interface = 'ib7': .*'lo'"):
        check_scheduler("slurm", None, Site.from_table({"interface": "ib7"}))
    check_scheduler("slurm", None, Site.from_table({"interface": "lo"}))


def test_a_scheduler_for_jobs_that_does_not_start_is_an_error(monkeypatch):
    def fail(**options):
        raise RuntimeError("Cluster failed to start: no port")

    fail.job_cls = type("Job", (), {})
    monkeypatch.setattr(cluster, "_batch_system", lambda kind: fail)
    with pytest.raises(
        ExecuteError, match=r"'slurm': dask could not start .* \(Cluster failed to start: no port\)"
    ):
        execute(
            Count(), range(2), on_done=nothing, scheduler="slurm", site=Site.from_table({"interface": "lo"})
        )


def test_nor_do_those_in_jobs(monkeypatch):
    site = Site.from_table({"interface": "lo", "lines": ["--constraint=fast"], "prologue": ["module load x"]})
    monkeypatch.setattr(cluster, "_submit", lambda *args: None)
    with cluster.jobs("slurm", site, None, insecure=False, echo=nothing) as client:
        lines = client.cluster.job_script().splitlines()
    assert "export DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE=False" in lines
    assert "export NUMBA_NUM_THREADS=1" in lines
    assert "#SBATCH --constraint=fast" in lines
    assert lines.index("module load x") < len(lines) - 1  # the last one starts the workers
    assert "--lifetime 3240s" in lines[-1]


def test_certificates_for_jobs_go_with_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cluster, "_submit", lambda *args: None)
    said = []
    with cluster.jobs("slurm", Site(), None, insecure=False, echo=said.append) as client:
        still_known = client.cluster  # the collector of garbage has nothing to do with it
        assert len(list(tmp_path.glob(".dask-jobqueue.*"))) == 3
        (line,) = said
        link = urlsplit(line.removeprefix("dashboard at "))
        socket.create_connection((link.hostname, link.port), timeout=60).close()
    assert list(tmp_path.glob(".dask-jobqueue.*")) == []
    assert still_known.status.name == "closed"


def test_an_address(tmp_path):
    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as running:
        acks = []
        execute(Count(), range(20), on_done=acks.append, scheduler=running.scheduler_address)
    assert sorted(ack.block for ack in acks) == list(range(20))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-keyout",
            folder / "key.pem",
            "-out",
            folder / "cert.pem",
        ],
        check=True,
        capture_output=True,
    )
    return Tls(str(folder / "cert.pem"), str(folder / "cert.pem"), str(folder / "key.pem"))


def test_an_address_over_tls(certificate, monkeypatch):
    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        host="tls://127.0.0.1",
        dashboard_address=None,
        protocol="tls://",
        security=certificate.security(),
    ) as running:
        acks = []
        execute(Count(), range(5), on_done=acks.append, scheduler=running.scheduler_address, tls=certificate)
        assert running.scheduler_address.startswith("tls://")
        monkeypatch.setattr(cluster, "PATIENCE", 0.5)
        with pytest.raises(ExecuteError, match="no dask scheduler answers"):
            execute(Count(), range(5), on_done=nothing, scheduler=running.scheduler_address)
    assert len(acks) == 5


class Deadly(Count):
    def __call__(self, block, only=None):
        points = only or range(4)
        if block == 2 and 3 in points:
            os._exit(1)
        return Ack(block, len(points), 0, 0.0, "")

    def size(self, block):
        return 4

    def record_failure(self, block, point, reason):
        return Ack(block, 0, 1, 0.0, f"{block} {point}")


def test_a_deadly_point_on_dask_is_named():
    acks = []
    execute(Deadly(), range(5), on_done=acks.append, scheduler="dask", workers=2)
    assert [ack.host for ack in acks if ack.failed] == ["2 3"]
    assert sum(ack.done for ack in acks) == 19


def test_a_lost_scheduler_is_an_error_that_says_how_to_go_on():
    running = LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)
    with pytest.raises(ExecuteError, match="start the same command again"):
        execute(
            Count(),
            range(2000),
            scheduler=running.scheduler_address,
            on_done=lambda ack: running.close() if ack.block == 20 else None,
        )
