import io
import sys
import threading
from types import ModuleType

import numba
import pytest

from pairsweep.kernels import compiling
from pairsweep.kernels.jit import jit


@jit()
def leaf(x):
    return x + 1


@jit(apart=True)
def middle(x):
    return leaf(x) * 2


elsewhere = ModuleType("elsewhere")
elsewhere.leaf = leaf


@jit()
def outer(x):
    values = [middle(y) for y in (x, x)]
    return values[0] + elsewhere.leaf(x)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setattr("pairsweep.machine_code.cache.machine_folders", lambda: (tmp_path,))


def test_what_a_kernel_calls_is_found_at_any_depth():
    assert compiling.called_by(outer) == {outer, middle, leaf}
    assert compiling.called_by(leaf) == {leaf}


def test_a_bar_that_moves_and_tells_what_is_compiled(empty):
    said, steps = [], []
    with compiling.announced(said.append, steps.append):
        outer(1)
        outer(2)
    assert said == [compiling.NOTE]
    names = [step.split()[-1] for step in steps if step]
    assert names == ["outer", "middle", "leaf"]
    assert all(step.startswith(f"compiling {__name__.split('.')[-1]} ") for step in steps if step)
    full = [step.count("\u2501") + step.count("#") for step in steps]
    assert steps[-1] == "", "the bar is removed"
    said.clear()
    with compiling.announced(said.append, steps.append):
        outer(3)
    assert said == [], "nothing to compile"
    assert full[0] == 0


def test_numbas_own_compilations_are_not_told(empty):
    said = []
    with compiling.announced(said.append, said.append):
        numba.njit(lambda x: x)(1)
    assert said in ([], [""])


def test_it_is_said_where_the_code_is_when_not_where_it_is_wanted(empty, monkeypatch):
    monkeypatch.setattr(compiling, "why_not_wanted", lambda: "because")
    said = []
    with compiling.announced(said.append, lambda _: None):
        jit()(lambda x: x)(1)
    assert said == [compiling.NOTE, f"machine code is kept in {compiling.cache_folder()}: because"]


def test_a_terminal_is_drawn_on_and_nothing_else(monkeypatch, capsys):
    compiling.draw_on_terminal("a")
    assert capsys.readouterr().err == ""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    compiling.draw_on_terminal("a")
    compiling.draw_on_terminal("")
    assert sys.stderr.getvalue() == compiling.ERASE + "a" + compiling.ERASE


def test_waiting_for_another_process_is_said():
    from numba.core import event

    said = []
    drawn, moves = [], threading.Semaphore(0)

    def draw(line):
        drawn.append(line)
        moves.release()

    with compiling.announced(said.append, draw), event.trigger_event(compiling.WAITING):
        assert all(moves.acquire(timeout=20.0) for _ in range(3))
    assert said == [compiling.OTHERS]
    assert len(set(drawn[:3])) == 3  # the bar moves
    assert {len(line) for line in drawn[:3]} == {len("waiting ") + compiling.BAR}
    assert drawn[-1] == ""
