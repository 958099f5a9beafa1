"""What a store holds: its dataset, its states, its failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pairsweep.contract.fields import Scalar, plain
from pairsweep.contract.variables import STATUS_FLAGS
from pairsweep.store import open_dataset, readable

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class LabelledFailure:
    """Why an analysis has no result at a point.

    Attributes
    ----------
    at : the point's values on the axes
    analysis : which one failed; "" where the point took its process down
    reason, traceback : one line, and what Python said where it was a user's function
    """

    at: dict[str, Scalar]
    analysis: str
    reason: str
    traceback: str


@dataclass(frozen=True)
class Progress:
    """How far a sweep is: points by state, and the same for each analysis."""

    points: Mapping[str, int]
    analyses: Mapping[str, Mapping[str, int]]


def status(path: str | Path) -> Progress:
    """Count the points of a store by state, in all and for each analysis.

    Raises
    ------
    StoreError
        If there is no store of a sweep at ``path``.
    """
    with readable(path) as store:
        counts = np.bincount(store.statuses().ravel(), minlength=len(STATUS_FLAGS))
        analyses = store.counts()
    return Progress(
        {name: int(count) for name, count in zip(STATUS_FLAGS, counts, strict=True)},
        {
            analysis: {name: found.get(code, 0) for code, name in enumerate(STATUS_FLAGS)}
            for analysis, found in analyses.items()
        },
    )


def open_store(path: str | Path) -> xr.Dataset:
    """Open the results of a sweep, finished or not, as a lazily loaded Dataset.

    Raises
    ------
    StoreError
        If there is no store of a sweep at ``path``.
    """
    return open_dataset(path)


def open_maps(path: str | Path) -> tuple[xr.Dataset, xr.Dataset | None]:
    """Open a map and, if ``path`` is a refined one, the coarse one it refines and itself."""
    ds = open_dataset(path)
    if "refines" not in ds.attrs:
        return ds, None
    coarse = Path(path).parent / str(ds.attrs["refines"])
    packed = coarse.with_name(f"{coarse.name}.zip")
    return open_dataset(packed if not coarse.exists() and packed.exists() else coarse), ds


def errors(path: str | Path) -> list[LabelledFailure]:
    """List what failed in a store: each point with its labels, and for each analysis that failed there the reason.

    Raises
    ------
    StoreError
        If there is no store of a sweep at ``path``.
    """
    with readable(path) as store:
        template, failures = store.template, store.failures()
    axes = [c for c in template.coordinates if len(c.dims) == 1 and c.dims[0] in template.axes]
    return [
        LabelledFailure(
            {c.name: plain(c.values[failure.position[template.axes.index(c.dims[0])]]) for c in axes},
            failure.analysis,
            failure.reason,
            failure.traceback,
        )
        for failure in failures
    ]
