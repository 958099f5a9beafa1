"""Worker processes die, misbehave and come back; the run goes on."""

import itertools
import os
import signal
import sys
import time
import types
from dataclasses import dataclass

import numpy as np
import pytest

from pairsweep.execute import Ack, ExecuteError, Pool, execute, pool
from pairsweep.kernels.compiling import NOTE
from pairsweep.kernels.jit import jit

pytestmark = pytest.mark.processes


@dataclass(frozen=True)
class Deadly:
    """Blocks of 30 points, one of which ends its process in a way of its own."""

    how: str

    def __call__(self, block, only=None):
        points = only or range(30)
        if block == 3 and 17 in points:
            if self.how == "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            elif self.how == "exit":
                os._exit(7)
            elif self.how == "memory":
                return Ack(block, int(np.ones(10**14).sum()), 0, 0.0, "")
        return Ack(block, len(points), 0, 0.0, str(os.getpid()))

    def size(self, block):
        return 30

    def record_failure(self, block, point, reason):
        return Ack(block, 0, 1, 0.0, f"{block} {point} {reason}")


@pytest.mark.parametrize(("how", "said"), [("segfault", "killed by SIGSEGV"), ("exit", "exit code 7")])
def test_the_point_that_kills_its_process_is_named(how, said):
    acks = []
    execute(Deadly(how), range(6), on_done=acks.append, workers=2)
    assert sum(ack.done for ack in acks) == 6 * 30 - 1
    (buried,) = [ack.host for ack in acks if ack.failed]
    assert buried.startswith("3 17 ")
    assert said in buried


def test_too_much_memory_is_an_error_not_a_death():
    with pytest.raises(MemoryError):
        execute(Deadly("memory"), range(6), on_done=lambda ack: None, workers=2)


class Sleepy(Deadly):
    def __call__(self, block, only=None):
        time.sleep(0.05)
        return Ack(block, 30, 0, 0.0, str(os.getpid()))


def test_killed_workers_cost_nothing_but_time():
    acks = []

    def shoot(ack):
        acks.append(ack)
        if len(acks) % 10 == 5:
            os.kill(int(ack.host), signal.SIGKILL)

    execute(Sleepy(""), range(40), on_done=shoot, workers=2)
    assert sorted(ack.block for ack in acks) == list(range(40))
    assert len({ack.host for ack in acks}) >= 4


def test_a_short_run_does_with_one_worker(monkeypatch):
    monkeypatch.setattr(pool, "HEAD_START", 300.0)
    acks = []
    execute(Deadly(""), range(20), on_done=acks.append, workers=2)
    assert len({ack.host for ack in acks}) == 1


def test_a_longer_run_uses_them_all(monkeypatch):
    monkeypatch.setattr(pool, "HEAD_START", 0.2)
    acks = []

    def until_both_work():
        for block in itertools.count():
            if len({ack.host for ack in acks}) == 2:
                return
            yield block

    execute(Sleepy(""), until_both_work(), on_done=acks.append, workers=2)


class Compiling(Deadly):
    def __call__(self, block, only=None):
        jit()(eval("lambda x: x + 1", {"__name__": "of no file, and so never on disk"}))(block)
        return super().__call__(block)


def test_a_worker_says_once_that_it_compiles():
    acks, said = [], []
    with Pool(1, echo=said.append) as crew:
        crew.run(Deadly(""), range(2), acks.append)
        assert said == []
        crew.run(Compiling(""), range(2), acks.append)
    assert len(acks) == 4
    assert said == [NOTE]


class Unknown(Deadly):
    """A task whose module the workers do not have."""


def test_a_task_that_workers_cannot_take_is_an_error_and_no_death(monkeypatch):
    stranger = types.ModuleType("a_module_of_this_process_alone")
    stranger.Unknown = Unknown
    monkeypatch.setitem(sys.modules, stranger.__name__, stranger)
    monkeypatch.setattr(Unknown, "__module__", stranger.__name__)
    with pytest.raises(ModuleNotFoundError, match="a_module_of_this_process_alone"):
        execute(Unknown(""), range(3), on_done=lambda ack: None, workers=1)


def test_a_pool_serves_one_run_after_another():
    acks = []
    with Pool(1) as crew:
        crew.run(Deadly(""), range(3), acks.append)
        crew.run(Sleepy(""), range(3, 5), acks.append)
    assert [ack.block for ack in acks] == list(range(5))
    assert len({ack.host for ack in acks}) == 1


def test_workers_end_with_the_pool():
    with Pool(2) as crew:
        crew.run(Deadly(""), range(3), lambda ack: None)
        processes = [worker.process for worker in crew._workers]
    assert processes
    assert all(process.returncode is not None for process in processes)


def test_workers_that_cannot_start_are_reported(monkeypatch, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(broken))
    with pytest.raises(ExecuteError, match="no worker process starts"), Pool(1) as crew:
        crew.run(Deadly(""), range(3), lambda ack: None)
