"""Where the numbers come from: a store that may grow meanwhile, or a dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.contract.variables import STATUS, STATUS_FLAGS
from pairsweep.points.axes import Sweep
from pairsweep.sweep.results import open_store
from pairsweep.viewer.plane import shown_variables
from pairsweep.viewer.point import sweep_of

ROOT = "zarr.json"


class Source:
    """Results, opened lazily, that know whether there may be more of them by now.

    Raises
    ------
    UsageError
        For a store that cannot be opened, and for a dataset that has nothing to show.
    """

    def __init__(self, source: str | Path | xr.Dataset) -> None:
        self.path = None if isinstance(source, xr.Dataset) else str(source)
        self._given = source if isinstance(source, xr.Dataset) else None
        self._sweep: Sweep | None = None
        self._seen = self._stamp()
        self.ds = self._open()
        if not shown_variables(self.ds):
            raise UsageError(
                "these results", None, "have no variable of numbers over an axis: give those of a sweep"
            )

    def _open(self) -> xr.Dataset:
        if self._given is not None:
            return self._given
        assert self.path is not None, "one of them is given"
        return open_store(self.path)

    def _stamp(self) -> tuple[int, int]:
        """Tell one root of a store from the next: each is a new file, however soon it comes."""
        root = None if self.path is None else Path(self.path).expanduser() / ROOT
        if root is None or not root.is_file():
            return 0, 0
        found = root.stat()
        return found.st_ino, found.st_mtime_ns

    @property
    def title(self) -> str:
        """What it is about."""
        return str(self.ds.attrs.get("title") or "pairsweep results")

    @property
    def sweep(self) -> Sweep:
        """The sweep behind it; `UsageError` where that is not known."""
        if self._sweep is None:
            self._sweep = sweep_of(self.ds)
        return self._sweep

    def counts(self) -> dict[str, int]:
        """Points by the word of their state; empty where no state is known."""
        if STATUS.name not in self.ds:
            return {}
        # indexed, so that it is read anew: of a variable as a whole xarray keeps the values
        ledger = self.ds[STATUS.name].variable[...].values
        return {state: int(np.sum(ledger == code)) for code, state in enumerate(STATUS_FLAGS)}

    def follow(self) -> bool:
        """Open the store again if it has grown, or was continued; return whether it is laid out in another way."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        before = dict(self.ds.sizes), set(self.ds.variables)
        self.ds, self._seen, self._sweep = self._open(), stamp, None
        return (dict(self.ds.sizes), set(self.ds.variables)) != before
