"""Is every byte still what was written? What is not is named and called pending, so that the next run repairs it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import PENDING
from pairsweep.store import chunks, layout
from pairsweep.store.packed import check_packed, is_packed
from pairsweep.store.places import resolve
from pairsweep.store.store import Store

_MISSING, _OTHER = "missing", "whole, but not what was written last"


@dataclass(frozen=True)
class Damage:
    """A file that is not what was written.

    Attributes
    ----------
    file : relative to the store
    what : what is wrong with it
    block : the block whose points are pending now; None for what was restored on the spot
    slices : where the block lies on each axis
    kept : whether it is as it was, since the store cannot be written here
    """

    file: str
    what: str
    block: int | None = None
    slices: tuple[slice, ...] = ()
    kept: bool = False


def verify(path: str | os.PathLike[str]) -> list[Damage]:
    """Recompute every checksum of a store.

    Metadata and labels are restored from their copies, a ledger from the block's record. The points of any other
    damaged block become pending, and its damaged files are removed: the next run computes them again, and nothing else.
    Where the store cannot be written, is packed, or is of a former format, it is only looked at.

    Raises
    ------
    StoreError : if there is no store at ``path``, or a run is at work on it.
    """
    if is_packed(path):
        return [Damage(member, what, kept=True) for member, what in check_packed(path)]
    root = resolve(path)
    found: list[Damage] = []
    if layout.bookkeeping(root).is_dir():
        with contextlib.suppress(StoreError):  # a place that cannot be written
            found += [Damage(f"{file.relative_to(root)}", what) for file, what in layout.repair(root)]
    store = Store.open(root)
    with store.lock() if store.is_writable else contextlib.nullcontext():
        for block in range(store.template.n_blocks):
            found += _checked(store, block) if store.is_writable else _looked_at(store, block)
    return found


def _looked_at(store: Store, block: int) -> list[Damage]:
    where = store.template.block_slices(block)
    return [
        Damage(f"{file.relative_to(store.path)}", what, block, where, kept=True)
        for file, what in damaged(store, block)
    ]


def _checked(store: Store, block: int) -> list[Damage]:
    """Find what is damaged of a block, and put right what can be without computing."""
    found = dict(damaged(store, block))
    if not found:
        return []
    ledger = store.chunk(store.ledger, block)
    if found.keys() == {ledger} and store.settle(block) is not None:
        # one that is only behind its record is what a killed writer leaves
        what = found[ledger]
        return [] if what in (_MISSING, _OTHER) else [Damage(f"{ledger.relative_to(store.path)}", what)]
    store.forget(block)
    for file in found:
        file.unlink(missing_ok=True)  # no reader of the rest shall stumble over it
    where = store.template.block_slices(block)
    return [Damage(f"{file.relative_to(store.path)}", what, block, where) for file, what in found.items()]


def damaged(store: Store, block: int) -> Iterator[tuple[Path, str]]:
    """Yield the damaged files of a block: those its record names, and any other that is there but not whole."""
    file = layout.record(store.path, store.identity.generation, block)
    settled = bool((store.block_status(block) != PENDING).any())
    try:
        record = store.record(block)
        if record is None and settled:
            yield file, _MISSING
    except chunks.DamagedChunk as error:
        record = None
        yield file, str(error)
    seals = {} if record is None else record.seals
    for plan in store.template.arrays:
        file = store.chunk(plan, block)
        data = chunks.read(file)
        if data is None:
            if plan.name in seals:
                yield file, _MISSING
            continue
        try:
            seal = chunks.seal(data)
        except chunks.DamagedChunk as error:
            yield file, str(error)
        else:
            if seal != seals.get(plan.name, seal):
                yield file, _OTHER
