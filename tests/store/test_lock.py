"""One coordinator, found dead or alive."""

import errno
import json
import os
import signal
import subprocess
import sys

import pytest

from pairsweep.contract.errors import StoreError
from pairsweep.store import Lock, lock

HOLDER = """
import sys, time
from pathlib import Path
from pairsweep.store import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(900)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "coordinator"


def holder(path):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


@pytest.mark.processes
def test_two_coordinators(path):
    with holder(path) as process:
        with pytest.raises(StoreError, match=f"process {process.pid} on {os.uname().nodename}"):
            Lock(path).__enter__()
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Lock(path):
            assert json.loads(path.read_bytes())["pid"] == os.getpid()
    assert not path.exists()


def test_two_threads_of_one_process(path):
    with Lock(path), pytest.raises(StoreError, match="in use"):
        Lock(path).__enter__()
    with Lock(path):
        pass


def test_a_lock_of_another_host_counts_until_it_falls_silent(path):
    content = json.dumps({"host": "elsewhere", "pid": 1, "token": "t"})
    path.write_text(content)
    with pytest.raises(StoreError, match="process 1 on elsewhere"):
        Lock(path).__enter__()
    assert path.read_text() == content
    silent = path.stat().st_mtime - lock.STALE - 1
    os.utime(path, (silent, silent))
    with Lock(path) as mine:
        mine.check()
    assert [p.name for p in path.parent.iterdir()] == ["coordinator.flock"]


def test_a_sleeper_learns_that_it_was_replaced(path):
    with Lock(path) as sleeper:
        path.write_text(json.dumps({"host": "elsewhere", "pid": 1, "token": "t"}))
        with pytest.raises(StoreError, match="taken over"):
            sleeper.check()
    assert path.exists()  # it is not ours to remove


def test_rubbish_in_the_lock_file_is_no_holder(path):
    path.write_bytes(b"\xff{")
    with Lock(path) as mine:
        mine.check()


def test_only_one_writes_a_block(tmp_path):
    with (
        lock.only_writer(tmp_path, 3),
        pytest.raises(StoreError, match="block 3 is being written by another process"),
        lock.only_writer(tmp_path, 3, patience=0.02),
    ):
        pass
    with lock.only_writer(tmp_path, 3), lock.only_writer(tmp_path, 4, patience=0.0):
        pass


def test_the_file_of_a_block_goes_with_its_lock(tmp_path):
    with lock.only_writer(tmp_path, 3):
        lock.clear(tmp_path)  # it is held
        assert [path.name for path in tmp_path.iterdir()] == ["3"]
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "5").touch()  # of a writer that was killed
    lock.clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_whoever_waits_for_a_file_that_is_removed_locks_the_one_that_is_there(tmp_path, monkeypatch):
    real = lock._flock

    def removed_meanwhile(handle):
        monkeypatch.setattr(lock, "_flock", real)
        (tmp_path / "3").unlink()
        return real(handle)

    monkeypatch.setattr(lock, "_flock", removed_meanwhile)
    with (
        lock.only_writer(tmp_path, 3),
        pytest.raises(StoreError),
        lock.only_writer(tmp_path, 3, patience=0.02),
    ):
        pass


def test_a_lock_dated_ahead_says_how_to_take_it_over(path):
    path.write_text(json.dumps({"host": "elsewhere", "pid": 1, "token": "t"}))
    ahead = path.stat().st_mtime + 7200
    os.utime(path, (ahead, ahead))
    with pytest.raises(StoreError, match=f"elsewhere, with a date 7200 s ahead .* remove {path}"):
        Lock(path).__enter__()
    path.unlink()
    with Lock(path):
        pass


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_leaves_the_heartbeat(path, monkeypatch, number):
    def refuse(handle, operation):
        raise OSError(number, "no locks here")

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with lock.only_writer(path.parent, 3):
        pass
    monkeypatch.setattr(lock.socket, "gethostname", lambda: "first")
    with Lock(path):
        monkeypatch.setattr(lock.socket, "gethostname", lambda: "second")
        with pytest.raises(StoreError, match="on first"):
            Lock(path).__enter__()
