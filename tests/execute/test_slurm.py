"""A sweep on a real SLURM of this machine's own: jobs come, one is cancelled, the sweep is complete."""

import importlib.util
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pairsweep.execute import Ack, Site, execute

SCRIPT = Path(__file__).parents[2] / "scripts" / "slurm" / "one_machine.py"


def load():
    specification = importlib.util.spec_from_file_location("one_machine", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Slow:
    def __call__(self, block, only=None):
        time.sleep(0.3)
        return Ack(block, 1, 0, 0.3, "")


def job_numbers(environment):
    listed = subprocess.run(
        ["squeue", "--noheader", "--states=running", "--format=%i"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()


@pytest.mark.slow
def test_a_cancelled_job_costs_only_time(monkeypatch, tmp_path):
    one_machine = load()
    if reason := one_machine.missing():
        pytest.skip(reason)
    monkeypatch.chdir(tmp_path)  # the jobs' logs
    with one_machine.slurm(cpus=2) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PYTHONPATH", str(SCRIPT.parents[2]))
        acks, cancelled = [], []

        def on_done(ack):
            acks.append(ack)
            if len(acks) == 10:
                cancelled.extend(job_numbers(environment)[:1])
                subprocess.run(["scancel", *cancelled], env=environment, check=True)

        site = Site.from_table(
            {"jobs": 2, "memory": "500MB", "walltime": "00:10:00", "interface": "lo", "skip": ["--mem"]}
        )
        execute(Slow(), range(60), on_done=on_done, scheduler="slurm", site=site)
        assert cancelled
        assert sorted(ack.block for ack in acks) == list(range(60))
        end = time.monotonic() + 20
        while job_numbers(environment) and time.monotonic() < end:
            time.sleep(0.5)
        assert job_numbers(environment) == []
