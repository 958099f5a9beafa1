import io
import os
import sys
import time
import types

import pytest

from pairsweep.contract.terminal import ERASE
from pairsweep.sweep import progress as module
from pairsweep.sweep.progress import Progress, doing, duration


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1e-5, "0.01 s"),
        (0.034, "0.03 s"),
        (0.84, "0.8 s"),
        (12.4, "12 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (59.7, "1 min 0 s"),
    ],
)
def test_durations_as_people_say_them(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(12345.0, "12,345/s"), (2.0, "2/s"), (2.5, "2.5/s"), (0.4, "2.5 s each"), (1 / 250, "4 min 10 s each")],
)
def test_slow_points_are_said_in_seconds_each(rate, text):
    assert module._speed(rate) == text


def wait_until(condition):
    while not condition():  # to the timeout of all tests
        time.sleep(0.01)


def drawn(stream, monkeypatch, quiet=False):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("pairsweep.sweep.progress.time.monotonic", lambda: float(next(clock)))
    progress = Progress(quiet, stream)
    progress.begin(100, 20)
    progress.advance(39, 1)
    progress.say("a line")
    progress.say("a line")  # another worker's
    progress.close()
    return stream.getvalue()


def test_a_bar_in_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    text = drawn(Terminal(), monkeypatch)
    assert f"{'━' * 14}{'╌' * 10}  60%  60 of 100 points, 2/s, 20 s left, 1 failed" in text
    assert " 20%  20 of 100 points" in text, "nothing is shown before the first points are done"
    assert text.endswith("\r\x1b[2K")


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (60, " 60%  60 of 100 points, 2/s, 20 s left, 1 failed"),
        (40, " 60%  60 of 100 points, 1 failed"),
        (20, " 60%"),
        (4, ""),
    ],
)
def test_the_bar_never_wraps(monkeypatch, columns, line):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(Terminal, "fileno", lambda self: 2)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 24)))
    assert drawn(Terminal(), monkeypatch).split(ERASE)[2] == line


def test_letters_that_the_terminal_knows(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(Terminal, "encoding", "iso-8859-1")
    assert f"{'#' * 14}{'-' * 10}  60%" in drawn(Terminal(), monkeypatch)


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_plain_lines_elsewhere(monkeypatch, stream):
    monkeypatch.setenv("TERM", "dumb")
    assert drawn(stream(), monkeypatch) == " 60%  60 of 100 points, 4/s, 10 s left, 1 failed\na line\n"


def test_silence_when_asked(monkeypatch):
    assert drawn(Terminal(), monkeypatch, quiet=True) == ""


def test_a_step_is_drawn_in_a_terminal_and_nowhere_else(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(Terminal, "fileno", lambda self: 2)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((6, 24)))
    for stream, quiet, text in [
        (Terminal(), False, f"{ERASE}12345{ERASE}"),
        (Terminal(), True, ""),
        (io.StringIO(), False, ""),
    ]:
        progress = Progress(quiet, stream)
        progress.step("123456789")
        progress.step("")
        assert stream.getvalue() == text


def test_what_takes_long_is_named_and_goes_away_in_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    for stream, text in ((io.StringIO(), "drawing ...\n"), (Terminal(), f"{ERASE}drawing ...{ERASE}")):
        with doing("drawing", stream):
            wait_until(stream.getvalue)
        assert stream.getvalue() == text


def test_what_is_quick_is_not_named(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 60.0)
    stream = Terminal()
    with doing("drawing", stream):
        pass
    assert stream.getvalue() == ""


def test_progress_in_a_notebook_is_one_output(monkeypatch):
    shown = []

    class Handle:
        def update(self, content, raw):
            shown[-1] = content["text/plain"]

    def display(content, raw, display_id):
        shown.append(content["text/plain"])
        return Handle()

    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr("pairsweep.sweep.progress.time.monotonic", iter(map(float, range(100))).__next__)
    progress = Progress(stream=stream)
    progress.begin(100, 0)
    for _ in range(5):
        progress.advance(10, 0)
        assert len(shown) == 1
        assert "points" in shown[0]
    progress.say("a line")
    progress.close()
    assert shown == [""]
    assert stream.getvalue() == "a line\n"


def test_nothing_is_shown_in_a_notebook_where_there_is_nothing_to_say(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=None))
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    progress = Progress(stream=stream)
    progress.close()
    with doing("nothing", stream):
        pass
    assert stream.getvalue() == ""
