"""Progress of long work: a bar in a terminal or a notebook, a plain line now and then elsewhere, or nothing."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from pairsweep.contract.terminal import drawn_over

BAR = 24
FIRST_PLAIN_SECONDS = 2.0
PLAIN_SECONDS = 10.0
PATIENCE_SECONDS = 2.0
MEASURING = "measuring some points"


def duration(seconds: float) -> str:
    """Give a time span as people say it: 0.02 s, 0.8 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 0.1:
        return f"{max(seconds, 0.01):.2f} s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _speed(rate: float) -> str:
    """Points a second, or seconds a point where they are slow."""
    if rate >= 10:
        return f"{rate:,.0f}/s"
    return f"{rate:.2g}/s" if rate >= 1 else f"{duration(1.0 / rate)} each"


@contextmanager
def doing(what: str, stream: TextIO | None = None) -> Iterator[None]:
    """Say what is being done where it takes a while; a line that can be drawn over goes away at the end."""
    stream = stream or sys.stderr
    line = drawn_over(stream)
    drawn = threading.Event()

    def say() -> None:
        drawn.set()
        if line is None:
            print(f"{what} ...", file=stream, flush=True)
        else:
            line.draw(f"{what} ...")

    timer = threading.Timer(PATIENCE_SECONDS, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if line is not None and drawn.is_set():
            line.draw("")


class Progress:
    """Points done, rate and remaining time of a run."""

    def __init__(self, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.quiet = quiet
        self._said = set[str]()
        self._stream = stream or sys.stderr
        self._line = drawn_over(self._stream)

    def begin(self, total: int, before: int) -> None:
        """Start counting: ``before`` of ``total`` points stood already."""
        self.total, self.before, self.done, self.failed = total, before, before, 0
        self._started = time.monotonic()
        self._due = self._started + (0.0 if self._line else FIRST_PLAIN_SECONDS)
        if self._line and before < total:
            self._draw_if_due()

    def say(self, line: str) -> None:
        """Print a line above the bar; once, however many workers have it to say."""
        if self.quiet or line in self._said:
            return
        self._said.add(line)
        self._clear()
        print(line, file=self._stream, flush=True)

    def step(self, line: str) -> None:
        """Draw a line where the bar is going to be; an empty one removes it."""
        if self._line and not self.quiet:
            self._line.draw(line[: self._line.columns])

    def advance(self, done: int, failed: int) -> None:
        """Count points, and draw if it is time to."""
        self.done += done + failed
        self.failed += failed
        self._draw_if_due()

    def close(self) -> None:
        """Remove the bar."""
        if not self.quiet:
            self._clear()

    def _draw_if_due(self) -> None:
        now = time.monotonic()
        if self.quiet or now < self._due:
            return
        self._due = now + (self._line.seconds if self._line else PLAIN_SECONDS)
        share, bar, count, speed, failed = self._parts(now)
        if self._line is None:
            print(f"{share}  {count}{speed}{failed}", file=self._stream, flush=True)
            return
        shorter = (
            f"{bar} {share}  {count}{speed}{failed}",
            f"{share}  {count}{speed}{failed}",
            f"{share}  {count}{failed}",
            share,
        )
        self._line.draw(next((text for text in shorter if len(text) <= self._line.columns), ""))

    def _parts(self, now: float) -> tuple[str, str, str, str, str]:
        rate = (self.done - self.before) / max(now - self._started, 1e-9)
        share = self.done / max(self.total, 1)
        full = round(share * BAR)
        filled, empty = "━╌" if "utf" in (self._stream.encoding or "utf").lower() else "#-"
        return (
            f"{share:4.0%}",
            filled * full + empty * (BAR - full),
            f"{self.done:,} of {self.total:,} points",
            f", {_speed(rate)}, {duration((self.total - self.done) / rate)} left" if rate > 0 else "",
            f", {self.failed} failed" if self.failed else "",
        )

    def _clear(self) -> None:
        if self._line:
            self._line.draw("")
