"""Sweeps on a real SLURM of this machine's own: jobs come and are cancelled, and nobody else gets in."""

import importlib.util
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import xarray as xr

import pairsweep as ps
from pairsweep.execute import ExecuteError, cluster, execute
from pairsweep.machine_code.folders import cache_folder
from tests.execute.test_execute import Count

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
ALLOCATION = ROOT / "scripts" / "slurm" / "one_allocation.sbatch"
POINTS = 240
FUNCTION = """
import os
import time


def slow(energy, theta, phi, x, y):
    time.sleep(float(os.environ.get("PAUSE", "0")))
    return x + 0 * phi, y + 0 * phi
"""
SPEC = """
analyses = ["growth"]
[grid]
kind = "bins"
n_energy = 1
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "custom"
function = "slow.py:slow"
x = { start = 0.5, stop = 1.0, num = 24 }
y = { start = 0.0, stop = 0.4, num = 10 }
[coupling]
g = 1e-6
[cluster]
jobs = 2
memory = "900MB"
walltime = "00:10:00"
skip = ["--mem"]
"""


def load():
    specification = importlib.util.spec_from_file_location(
        "one_machine", ROOT / "scripts" / "slurm" / "one_machine.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def slurm():
    """The environment of a SLURM with two nodes of two cores; in CI it must be there."""
    one_machine = load()
    with ExitStack() as stack:
        try:
            one_machine.check(install="CI" in os.environ or "PAIRSWEEP_INSTALL_SLURM" in os.environ)
            environment = stack.enter_context(one_machine.slurm(cpus=2, nodes=2))
        except one_machine.SlurmError as error:
            if "CI" in os.environ:
                raise
            pytest.skip(f"{error} (scripts/test --slurm installs it)")
        yield environment


def furnish(tmp_path, monkeypatch, environment):
    """Make a folder with a specification that takes some seconds, where and with what its commands run."""
    (tmp_path / "slow.py").write_text(FUNCTION)
    (tmp_path / "spec.toml").write_text(SPEC)
    home = tmp_path / "home"
    home.mkdir()
    here = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    own = {"PATH": here, "PYTHONPATH": str(ROOT), "PAUSE": "0.1", "HOME": str(home)}
    own |= {"PAIRSWEEP_CACHE_DIR": str(cache_folder()), "PAIRSWEEP_INTERFACE": "lo"}
    for name, value in (environment | own).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def site(slurm, monkeypatch, tmp_path):
    return furnish(tmp_path, monkeypatch, slurm)


def said_by(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def until(condition, patience=600):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)


def done_in(store):
    return int((ps.open_store(store).status == 1).sum()) if store.exists() else 0


def begun_by_jobs(store):
    """Return a condition: processes of jobs listen, and more is done than when they were first heard.

    The points that were measured before are in the store from the start.
    """
    before = []

    def begun():
        if listening(of_jobs()):
            before.append(done_in(store))
        return bool(before) and before[-1] > before[0]

    return begun


def of_jobs():
    """The Python processes that jobs of this SLURM run."""
    found = []
    for process in psutil.process_iter():
        try:
            environment, program = process.environ(), process.exe()
        except psutil.Error:
            continue
        ours = environment.get("SLURM_CONF") == os.environ["SLURM_CONF"]
        if ours and "SLURM_JOB_ID" in environment and "python" in program:  # not srun and the like
            found.append(process)
    return found


def listening(processes):
    heard = set()
    for process in processes:
        try:
            links = process.net_connections("inet")
        except psutil.Error:
            continue
        heard |= {link.laddr for link in links if link.status == psutil.CONN_LISTEN}
    return {("127.0.0.1" if ip in ("0.0.0.0", "::") else ip, port) for ip, port in heard}


def speaks_http(where):
    with socket.create_connection(where, timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        try:
            return plain.recv(4) == b"HTTP"
        except ConnectionError:
            return False


def lets_in(where):
    """Whether somebody without a certificate of the run hears a word after the handshake."""
    stranger = ssl.create_default_context()
    stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(where, timeout=10) as plain:
        try:
            with stranger.wrap_socket(plain) as encrypted:
                return encrypted.recv(1) != b""
        except (ssl.SSLError, ConnectionError):
            return False


def check_complete(store, monkeypatch):
    """The store holds what a serial run gives, to the last bit."""
    monkeypatch.setenv("PAUSE", "0")
    expected = ps.run("spec.toml", "serial.zarr", scheduler="serial", quiet=True).load()
    found = ps.open_store(store).load()
    assert (found.status == 1).all()
    xr.testing.assert_identical(found.drop_attrs(), expected.drop_attrs())


def test_a_cancelled_job_costs_only_time_and_strangers_stay_out(site, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 2)
    store, reached = site / "s.zarr", set()
    run = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pairsweep",
            "run",
            "spec.toml",
            "--store",
            str(store),
            "--scheduler",
            "slurm",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        begun = begun_by_jobs(store)
        until(lambda: run.poll() is not None or begun())
        assert run.poll() is None, run.communicate()[1]
        scheduler = listening([psutil.Process(run.pid)])
        for where in scheduler | listening(of_jobs()):
            if not speaks_http(where):  # dask's pages, on loopback
                assert not lets_in(where)
                reached.add(where)
        for where in reached & scheduler:
            address = f"tcp://{where[0]}:{where[1]}"
            with pytest.raises(ExecuteError, match="no dask scheduler answers"):
                execute(Count(), range(2), on_done=lambda ack: None, scheduler=address, insecure=True)
        assert len(reached) > len(reached & scheduler) > 0
        assert list((site / "home").glob(".dask-jobqueue.*"))
        job, *_ = said_by("squeue", "--noheader", "--states=running", "--format=%i")
        subprocess.run(["scancel", job], check=True)
        before = done_in(store)
        said, complaints = run.communicate(timeout=600)
    finally:
        run.kill()
    assert run.returncode == 0, complaints
    assert f"{POINTS} of {POINTS} points computed" in said
    assert before < POINTS
    check_complete(store, monkeypatch)
    until(lambda: not said_by("squeue", "--noheader"))
    assert list((site / "home").glob(".dask-jobqueue.*")) == []


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [1, 2])
def test_one_allocation_is_interrupted_and_goes_on(site, monkeypatch, nodes):
    monkeypatch.setenv("PAUSE", "0.05")
    store = site / "s.zarr"
    submit = ["sbatch", "--parsable", f"--nodes={nodes}", "--ntasks=2", "--time=00:10:00", "--output=%j.txt"]
    (job,) = said_by(*submit, str(ALLOCATION), "spec.toml", str(store))
    # on one node there is nothing to hear: the pool has no sockets
    until(begun_by_jobs(store) if nodes > 1 else lambda: done_in(store))
    encrypted = {where for where in listening(of_jobs()) if not speaks_http(where)}
    assert bool(encrypted) == (nodes > 1)
    assert not any(lets_in(where) for where in encrypted)
    # what SLURM sends two minutes before the end of the walltime
    subprocess.run(["scancel", "--batch", "--signal=INT", job], check=True)
    until(lambda: not said_by("squeue", "--noheader"))
    assert "interrupted; what is done is kept" in (site / f"{job}.txt").read_text()
    assert 0 < done_in(store) < POINTS
    (job,) = said_by(*submit, "--wait", str(ALLOCATION), "spec.toml", str(store))
    assert "points computed" in (site / f"{job}.txt").read_text()
    check_complete(store, monkeypatch)
    assert list(site.glob(f"pairsweep-{job}-*")) == []
    assert store.stat().st_mode == (site / "home").stat().st_mode  # the secrets' modes are not the results'


@pytest.mark.parametrize(
    ("fakes", "interface", "said"),
    [
        ({"openssl": "echo a; echo no entropy >&2; exit 1"}, "lo", "openssl made no certificate: no entropy"),
        ({}, "ib7", "dask's scheduler ended before it began, see .*/pairsweep-7.log"),
        (
            {"srun": "sleep 1; exit 1"},
            "lo",
            "dask's scheduler or all its workers have ended, see .*/pairsweep-7.log",
        ),
    ],
)
def test_an_allocation_that_cannot_go_on_says_so_and_ends(monkeypatch, tmp_path, fakes, interface, said):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    furnish(tmp_path, monkeypatch, {"PATH": os.environ["PATH"]})
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, script in fakes.items():
        (commands / name).write_text(f"#!/bin/sh\n{script}\n")
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
    monkeypatch.setenv("PAIRSWEEP_INTERFACE", interface)
    for name, value in {"JOB_ID": "7", "JOB_NUM_NODES": "2", "NTASKS": "2"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    # as from SLURM: a shell that began with Ctrl-C ignored, like those in the background, could not undo that
    begin = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp('bash', sys.argv[1:])"
    command = [sys.executable, "-c", begin, "bash", str(ALLOCATION), "spec.toml", "s.zarr"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode != 0
    lines = [line for line in ended.stderr.splitlines() if line.startswith("one_allocation: ")]
    assert len(lines) == 1
    assert re.fullmatch(f"one_allocation: {said}", lines[0])
    assert ("interrupted" in ended.stderr) == ("srun" in fakes)
    assert list(tmp_path.glob("pairsweep-7-*")) == []
