import io

import pytest

from pairsweep.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.84, "0.8 s"), (12.4, "12 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (59.7, "1 min 0 s")],
)
def test_durations_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def drawn(stream, monkeypatch, **options):
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr("pairsweep.progress.time.monotonic", lambda: float(next(clock)))
    progress = Progress(100, stream=stream, **options)
    progress.begin(100, 20)
    progress.advance(39, 1)
    progress.say("a line")
    progress.close()
    return stream.getvalue()


def test_a_bar_in_a_terminal(monkeypatch):
    text = drawn(Terminal(), monkeypatch)
    assert " 60%  60 of 100 points, 2/s, 20 s left, 1 failed" in text
    assert text.endswith("\r\x1b[2K")


def test_plain_lines_elsewhere(monkeypatch):
    assert drawn(io.StringIO(), monkeypatch) == " 60%  60 of 100 points, 2/s, 20 s left, 1 failed\na line\n"


def test_silence_when_asked(monkeypatch):
    assert drawn(Terminal(), monkeypatch, quiet=True) == ""
