"""What a user's function prints neither tears the bar nor mixes with what a command has found."""

import io
import sys
from contextlib import redirect_stderr

import pytest

from pairsweep.contract.terminal import ERASE
from pairsweep.user_code.prints import beside_the_bar


class Stream(io.StringIO):
    """Remembers what was written in one piece."""

    def __init__(self, terminal):
        super().__init__()
        self.terminal, self.pieces = terminal, []

    def isatty(self):
        return self.terminal

    def write(self, text):
        self.pieces.append(text)
        return len(text)


@pytest.fixture(params=[True, False])
def error(request, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    return Stream(request.param)


def test_whole_lines_come_over_the_bar(error, capsys):
    over = ERASE if error.terminal else ""
    with redirect_stderr(error), beside_the_bar():
        print("a", "b")
        print("no end", end="")
        print(", but now")
        print("to", "error", file=sys.stderr)
        print("last", end="")
    assert error.pieces == [over + line for line in ("a b\n", "no end, but now\n", "to error\n", "last\n")]
    assert capsys.readouterr().out == ""


def test_a_prompt_is_seen_before_its_line_ends(error):
    over = ERASE if error.terminal else ""
    with redirect_stderr(error), beside_the_bar():
        print("(Pdb) ", end="", flush=True)
        print("answer")
        print("10 %\r", end="", flush=True)
    assert error.pieces == [over + "(Pdb) ", "answer\n", over + "10 %\r", "\n"]


def begun_and_failed():
    with beside_the_bar():
        print("begun", end="")
        raise ValueError("no")


def test_an_exception_ends_the_line_and_gives_the_streams_back(error):
    before = sys.stdout, sys.stderr
    with redirect_stderr(error), pytest.raises(ValueError, match="no"):
        begun_and_failed()
    assert error.pieces[-1].endswith("begun\n")
    assert (sys.stdout, sys.stderr) == before
