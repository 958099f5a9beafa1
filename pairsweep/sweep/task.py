"""What travels to a worker: the missing points of one block, computed and stored."""

from __future__ import annotations

import math
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairsweep.blocks.solve import solve_block
from pairsweep.contract.errors import UsageError
from pairsweep.contract.template import FAILED, BlockResult
from pairsweep.contract.variables import POINT
from pairsweep.execute import Ack
from pairsweep.points.axes import Sweep, at_points, expand
from pairsweep.spec.model import Spec
from pairsweep.spec.reader import parse_spec
from pairsweep.store import Store
from pairsweep.user_code.function import UserFunction


@dataclass(frozen=True)
class SolveTask:
    """Computes and stores the missing points of one block.

    ``identity`` tells a store that has grown, or was made anew under its name, from the one that a worker may still
    have open.
    ``failed_alone`` leaves pending points as they are: the specification is not quite the store's.
    """

    store: str
    identity: tuple[str, int]
    text: str
    folder: str
    digest: str
    custom: UserFunction | None
    retry_failed: bool
    failed_alone: bool = False

    @classmethod
    def of(
        cls, store: Store, spec: Spec, retry_failed: bool = False, failed_alone: bool = False
    ) -> SolveTask:
        """Give the task of a store."""
        return cls(
            str(store.path),
            (store.identity.id, store.identity.generation),
            spec.text,
            spec.folder,
            spec.digest,
            spec.custom,
            retry_failed,
            failed_alone,
        )

    def __call__(self, block: int, only: range | None = None) -> Ack:
        """Solve ``block``; ``only`` restricts it to some of its points, the last axis fastest."""
        sweep, store = _opened(self)
        masks = store.todo(block, self.retry_failed, only)
        states = store.states(block)
        failed = {name: mask & (states[name] == FAILED) for name, mask in masks.items()}
        if self.failed_alone:
            masks = dict(failed)
        for analysis in sweep.spec.declared():
            for needed in analysis.needs:  # what it made of a failure is no longer so
                masks[analysis.name] = masks[analysis.name] | failed.get(needed.name, False)
        points = np.any(list(masks.values()), axis=0)
        if not points.any():
            return Ack(block, 0, 0, 0.0, socket.gethostname())
        return _stored(store, block, solve_block(sweep, store.template, block, masks), masks)

    def keep(self, store: Store, block: int, result: BlockResult, where: NDArray[np.bool_]) -> Ack:
        """Store points of a block that were solved before there was a store; those that are missing alone."""
        masks = {name: mask & where for name, mask in store.todo(block, self.retry_failed).items()}
        return _stored(store, block, result, masks)

    def size(self, block: int) -> int:
        """Give the number of points of a block."""
        slices = _opened(self)[1].template.block_slices(block)
        return math.prod(s.stop - s.start for s in slices)

    def record_failure(self, block: int, point: int, reason: str) -> Ack:
        """Record that a point takes its process down, without computing it."""
        _opened(self)[1].record_failure(block, point, reason, self.retry_failed)
        return Ack(block, 0, 1, 0.0, socket.gethostname())


def _stored(store: Store, block: int, result: BlockResult, masks: Mapping[str, NDArray[np.bool_]]) -> Ack:
    """Store the points of ``masks`` and count them."""
    store.write(block, result, masks)
    points = np.any(list(masks.values()), axis=0)
    failed = np.any([result.states[name] == FAILED for name in masks], axis=0) & points
    count = int(failed.sum())
    return Ack(block, int(points.sum()) - count, count, result.seconds, socket.gethostname())


@lru_cache(maxsize=4)
def _opened(task: SolveTask) -> tuple[Sweep, Store]:
    store = Store.open(task.store)
    spec = parse_spec(task.text, folder=Path(task.folder), custom=task.custom)
    if spec.digest != task.digest:
        cure = "a file that it reads has changed since the run began: put it back, or start another store"
        raise UsageError("the specification", None, cure)
    if store.template.axes != (POINT,):
        return expand(spec), store
    places = {c.name: c.values.tolist() for c in store.template.coordinates if c.dims == (POINT,)}
    return at_points(spec, places), store
