"""A terminal, in which a line can be drawn over."""

from __future__ import annotations

import os
from typing import TextIO

ERASE = "\r\x1b[2K"


def is_terminal(stream: TextIO) -> bool:
    """Whether lines can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
