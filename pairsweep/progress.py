"""Progress of long work on standard error: a bar in a terminal, a plain line now and then elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TextIO

from pairsweep.kernels.jit import cache_directory

BAR = 24
TERMINAL_SECONDS = 0.1
PLAIN_SECONDS = 10.0


def duration(seconds: float) -> str:
    """Give a time span as people say it: 0.8 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Progress:
    """Points done, rate and remaining time of a run."""

    def __init__(
        self, total: int, before: int = 0, quiet: bool = False, stream: TextIO | None = None
    ) -> None:
        self.total, self.before, self.done, self.failed = total, before, before, 0
        self.quiet = quiet
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self.begin(total, 0)

    def begin(self, total: int, before: int) -> None:
        """Start counting: ``before`` of ``total`` points stood already."""
        self.total, self.before, self.done, self.failed = total, before, before, 0
        self._started = self._drawn = time.monotonic()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if self.quiet:
            return
        self._clear()
        print(line, file=self._stream, flush=True)

    def say_first_compilation(self) -> None:
        """Warn of the seconds that the first use of this version takes."""
        if next(Path(cache_directory()).rglob("*.nbc"), None) is None:
            self.say("compiling the kernels, once for this version ...")

    def advance(self, done: int, failed: int) -> None:
        """Count points, and draw if it is time to."""
        self.done += done + failed
        self.failed += failed
        now = time.monotonic()
        if not self.quiet and now - self._drawn >= (TERMINAL_SECONDS if self._terminal else PLAIN_SECONDS):
            self._drawn = now
            self._draw(now)

    def close(self) -> None:
        """Remove the bar."""
        if not self.quiet:
            self._clear()

    def _draw(self, now: float) -> None:
        rate = (self.done - self.before) / max(now - self._started, 1e-9)
        share = self.done / max(self.total, 1)
        text = f"{self.done:,} of {self.total:,} points"
        if rate > 0:
            text += f", {rate:,.0f}/s, {duration((self.total - self.done) / rate)} left"
        if self.failed:
            text += f", {self.failed} failed"
        if not self._terminal:
            print(f"{share:4.0%}  {text}", file=self._stream, flush=True)
            return
        full = round(share * BAR)
        print(
            f"\r\x1b[2K{'━' * full}{'╌' * (BAR - full)} {share:4.0%}  {text}",
            end="",
            file=self._stream,
            flush=True,
        )

    def _clear(self) -> None:
        if self._terminal:
            print("\r\x1b[2K", end="", file=self._stream, flush=True)
