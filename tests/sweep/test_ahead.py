import subprocess

import pytest

from pairsweep.analyses.registry import ANALYSES
from pairsweep.sweep import ahead as module
from pairsweep.sweep.ahead import Small, ahead
from pairsweep.sweep.compile import compile_code

GROWTH = Small("growth", ANALYSES["growth"].warm_up[2], 1)  # dense eigenvalues: little to compile


@pytest.fixture
def started(monkeypatch):
    found = []

    class Process(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            found.append(self)

    monkeypatch.setattr(module.subprocess, "Popen", Process)
    return found


def begin():
    with module.event.trigger_event("numba:compile", data={"dispatcher": None}):
        pass


def test_nobody_is_started_where_nothing_is_compiled(started):
    with ahead([GROWTH]):
        pass
    with ahead([]):
        begin()
    assert started == []


def test_nobody_is_started_where_there_is_one_core(started, monkeypatch):
    monkeypatch.setattr(module, "cores", lambda: 1)
    with ahead([GROWTH]):
        begin()
    assert started == []


@pytest.mark.processes
def test_another_process_compiles_and_ends(started, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "cores", lambda: 2)
    monkeypatch.setenv("PAIRSWEEP_CACHE_DIR", str(tmp_path))
    with ahead([GROWTH]):
        begin()
        begin()
        assert started[0].wait(600) == 0
    assert len(started) == 1
    assert any(
        path.name.startswith("stability_matrices-python") for path in tmp_path.glob("kernels-*/*/*.nbi")
    )


@pytest.mark.processes
def test_it_ends_with_what_it_helps(started, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "cores", lambda: 2)
    monkeypatch.setenv("PAIRSWEEP_CACHE_DIR", str(tmp_path))
    with ahead([GROWTH] * 100):
        begin()
        assert started[0].poll() is None
    assert started[0].returncode is not None


def test_the_last_analysis_comes_first(monkeypatch):
    asked = []
    monkeypatch.setattr("pairsweep.sweep.compile.solve", lambda small: None)
    monkeypatch.setattr("pairsweep.sweep.compile.ahead", lambda work: asked.append(work) or ahead([]))
    compile_code(["growth", "evolution"], quiet=True)
    (work,) = asked
    assert [small.analysis for small in work][:: len(work) - 1] == ["evolution", "growth"]
    first = Small("growth", ANALYSES["growth"].warm_up[0], 1)
    assert first not in work
