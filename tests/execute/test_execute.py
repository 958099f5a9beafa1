"""Every scheduler runs each block once, reports it, and lets go."""

import os
import threading
from dataclasses import dataclass

import pytest

from pairsweep.execute import Ack, ExecuteError, cluster, execute

pytestmark = pytest.mark.processes


@dataclass(frozen=True)
class Count:
    """Answers with its process, and fails where it is told to."""

    broken: int = -1

    def __call__(self, block, only=None):
        if block == self.broken:
            raise ValueError(f"block {block} is broken")
        return Ack(block, 1, 0, 0.0, f"{os.getpid()}")


ALL = ["serial", "threads", "local", "dask"]


@pytest.mark.parametrize("scheduler", ALL)
def test_every_block_once(scheduler):
    acks = []
    execute(Count(), iter(range(40)), on_done=acks.append, scheduler=scheduler, workers=2)
    assert sorted(ack.block for ack in acks) == list(range(40))
    here = str(os.getpid()) in {ack.host for ack in acks}
    assert here == (scheduler in ("serial", "threads"))


@pytest.mark.parametrize("scheduler", ALL)
def test_a_broken_task_ends_the_run_with_its_own_error(scheduler):
    with pytest.raises(ValueError, match="block 3 is broken"):
        execute(Count(broken=3), range(40), on_done=lambda ack: None, scheduler=scheduler, workers=2)


@pytest.mark.parametrize("scheduler", ALL)
def test_an_interrupt_passes_through(scheduler):
    def stop(ack):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(Count(), range(40), on_done=stop, scheduler=scheduler, workers=2)


@pytest.mark.parametrize("scheduler", ["threads", "dask"])
def test_blocks_are_taken_as_there_is_room(scheduler):
    taken = []
    ahead = []

    def blocks():
        for block in range(60):
            taken.append(block)
            yield block

    acks = []

    def on_done(ack):
        acks.append(ack)
        ahead.append(len(taken) - len(acks))

    execute(Count(), blocks(), on_done=on_done, scheduler=scheduler, workers=2)
    assert max(ahead) <= 5
    assert len(acks) == 60


@pytest.mark.parametrize("scheduler", ["loca", "", "http", "tcp://127.0.0.1:1"])
def test_an_unusable_scheduler_is_named(scheduler, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(ExecuteError, match="--scheduler"):
        execute(Count(), range(2), on_done=lambda ack: None, scheduler=scheduler, workers=1)


def test_no_workers_is_no_way_to_run():
    with pytest.raises(ExecuteError, match="--workers"):
        execute(Count(), range(2), on_done=lambda ack: None, workers=0)


def test_nothing_stays_behind():
    before = set(threading.enumerate())  # some of other tests may still be ending
    execute(Count(), range(4), on_done=lambda ack: None, scheduler="threads", workers=2)
    assert set(threading.enumerate()) <= before
