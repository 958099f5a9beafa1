"""Is every byte still what was written? What is not is named and called pending, so that the next run repairs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pairsweep.contract.template import PENDING
from pairsweep.store import chunks, layout
from pairsweep.store.store import Store, resolve


@dataclass(frozen=True)
class Damage:
    """A file that is not what was written.

    Attributes
    ----------
    file : relative to the store
    what : what is wrong with it
    block : the block it belongs to; None for metadata and coordinates, which are repaired on the spot
    slices : where the block lies on each axis
    """

    file: str
    what: str
    block: int | None = None
    slices: tuple[slice, ...] = ()


def verify(path: str | os.PathLike[str]) -> list[Damage]:
    """Recompute every checksum of a store.

    Metadata and coordinates are restored from their copies. The points of a damaged block become pending, and its
    damaged files are removed: the next run computes them again, and nothing else.

    Raises
    ------
    StoreError : if there is no store at ``path``, or a run is at work on it.
    """
    root = resolve(path)
    found: list[Damage] = []
    if layout.bookkeeping(root).is_dir():
        found += [Damage(f"{file.relative_to(root)}", what) for file, what in layout.repair(root)]
    store = Store.open(root)
    with store.lock():
        for block in range(store.template.n_blocks):
            damaged = dict(_damaged(store, block))
            if damaged:
                store.forget(block)
            for file, what in damaged.items():
                # no reader of the rest shall stumble over it
                file.unlink(missing_ok=True)
                where = store.template.block_slices(block)
                found.append(Damage(f"{file.relative_to(root)}", what, block, where))
    return found


def _damaged(store: Store, block: int) -> Iterator[tuple[Path, str]]:
    """Yield the damaged files of a block. Where nothing is settled none need be there, but those that are be whole."""
    settled = bool((store.block_status(block) != PENDING).any())
    seals = store.seals(block)
    if settled and seals is None:
        yield layout.record(store.path, store.identity.generation, block), "missing or not a record"
    for plan in store.template.arrays:
        file = store.chunk(plan, block)
        data = chunks.read(file)
        if data is None:
            if settled:
                yield file, "missing"
            continue
        try:
            seal = chunks.seal(data)
        except chunks.DamagedChunk as error:
            yield file, str(error)
        else:
            if settled and seals is not None and seal != seals.get(plan.name):
                yield file, "whole, but not what was written last"
