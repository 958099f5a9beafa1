"""Sweeps that come with the package, reached by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def shipped_sweeps() -> dict[str, Path]:
    """Return the specifications that come with the package by name: inside it, or beside it in a checkout."""
    package = Path(str(files("pairsweep")))
    folders = (package.parent / "sweeps", package / "sweeps")
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
