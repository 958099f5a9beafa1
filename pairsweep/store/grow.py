"""Axes get values: a new generation of the arrays is laid out beside the old one, then shown in a single step.

The finished points are copied to their new places, so new values may come in the middle and on several axes at
once. Readers go on seeing the old generation, whole, until the root's metadata is replaced; a Dataset opened before
goes on reading the old chunks after that, as these stay until the next but one growth needs their keys.
A growth that is killed leaves the old generation as it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import PENDING, Failure, Template
from pairsweep.store import chunks, layout
from pairsweep.store.store import Store

Indices = NDArray[np.int64]
_ABSENT = -1


def grow(path: str | os.PathLike[str], template: Template, fingerprint: Mapping[str, str]) -> Store:
    """Give a store the axes of ``template``, keep what is done, and return it open.

    Parameters
    ----------
    template : holds every value of the store's axes, and more; its blocks may have another shape
    fingerprint : must be the store's own

    Raises
    ------
    StoreError : if the store would lose a value or holds another sweep, with what differs; nothing is changed.
    """
    old = Store.open(path)
    old.check(fingerprint)
    with old.lock():
        old = Store.open(path)  # what the holder before us left
        sources = _sources(old, template)
        if "history" in old.attrs:
            template = replace(template, attrs={**template.attrs, "history": old.attrs["history"]})
        identity = layout.Identity(old.identity.id, old.identity.generation + 1)
        new = Store(old.path, template, identity, fingerprint)
        _wipe(old)
        draft = layout.scratch(old.path) / f"generation-{identity.generation}"
        shutil.rmtree(draft, ignore_errors=True)
        with chunks.room(old.path):
            layout.lay_out(draft, template, identity, fingerprint)
            for coordinate in template.coordinates:
                index = (0,) * len(coordinate.dims)
                layout.chunk(draft, coordinate.name, identity.generation, index).rename(
                    _with_parent(layout.chunk(old.path, coordinate.name, identity.generation, index))
                )
            for block in range(template.n_blocks):
                _copy(old, new, block, sources)
            layout.show(draft, old.path)
        shutil.rmtree(draft)
    return Store.open(old.path)


def check_growth(store: Store, template: Template) -> None:
    """Raise `StoreError`, naming what differs, unless `grow` can give a store the axes of ``template``."""
    _sources(store, template)


def _with_parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _wipe(store: Store) -> None:
    """Remove what no reader of the present generation needs: the generation before, or a growth that was killed."""
    names = [entry.name for entry in store.template.coordinates if entry.dims]
    names += [plan.name for plan in store.template.arrays if store.template.axes or plan.trailing]
    for name in names:
        for leftover in layout.chunks_of_others(store.path / name, store.identity.generation):
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()
    current = layout.record(store.path, store.identity.generation, 0).parent
    for folder in current.parent.glob("generation-*"):
        if folder != current:
            shutil.rmtree(folder)


def _labels(template: Template, axis: str) -> list[tuple[object, ...]]:
    """Return the labels along an axis, its own first; the members of a zipped group count together."""
    along = sorted(
        (c for c in template.coordinates if c.dims == (axis,)), key=lambda c: (c.name != axis, c.name)
    )
    return list(zip(*(c.values.tolist() for c in along), strict=True))


def _sources(old: Store, template: Template) -> tuple[Indices, ...]:
    """Return for each axis where its new values were, `_ABSENT` for what is new; refuse a loss or another sweep."""

    def refusal(what: str, cure: str = "name another store") -> StoreError:
        return StoreError(str(old.path), what, cure)

    now_axes = [axis for axis in template.axes if axis not in old.template.axes]
    if now_axes:
        what = f"{', '.join(now_axes)} has one value there and is an axis now"
        raise refusal(what, "name another store: only what is an axis already can get more values")
    if old.template.axes != template.axes:
        raise refusal(f"its axes are {', '.join(old.template.axes)}, not {', '.join(template.axes)}")
    old.check_arrays(template)
    if {c.name: c.dims for c in old.template.coordinates} != {c.name: c.dims for c in template.coordinates}:
        raise refusal("is labelled by other coordinates")
    sources: dict[str, Indices] = {}
    for axis in template.axes:
        before, after = _labels(old.template, axis), _labels(template, axis)
        places = {label: i for i, label in enumerate(before)}
        sources[axis] = np.array([places.get(label, _ABSENT) for label in after], dtype=np.int64)
        kept_labels = set(after)
        lost = [label[0] for label in before if label not in kept_labels]
        if lost:
            what = f"{axis} has {len(lost)} values there that it lacks now, {lost[0]!r} for one"
            raise refusal(what, "keep them, or name another store")
    wanted = {coordinate.name: coordinate.values for coordinate in template.coordinates}
    for coordinate in old.template.coordinates:
        values = wanted[coordinate.name]
        there, here = [], []
        for dim, size in zip(coordinate.dims, coordinate.values.shape, strict=True):
            kept = np.flatnonzero(sources[dim] != _ABSENT) if dim in sources else np.arange(size)
            here.append(kept)
            there.append(sources[dim][kept] if dim in sources else kept)
        longer = any(size > other for size, other in zip(coordinate.values.shape, values.shape, strict=True))
        if longer or not _same(coordinate.values[np.ix_(*there)], values[np.ix_(*here)]):
            raise refusal(f"holds other values of {coordinate.name}")
    return tuple(sources[axis] for axis in template.axes)


def _same(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    one, other = np.asarray(one), np.asarray(other)  # a scalar's label comes as one
    return np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f")


def _copy(old: Store, new: Store, block: int, sources: tuple[Indices, ...]) -> None:
    """Write the block of the new generation from what is settled in the old one; nothing if nothing is.

    A damaged chunk of the old generation leaves its points pending: they are computed again.
    """
    template = new.template
    slices = template.block_slices(block)
    shape = new.block_shape(block)
    wanted = [source[piece] for source, piece in zip(sources, slices, strict=True)]
    arrays: dict[str, NDArray[np.generic]] = {
        plan.name: np.full(shape + plan.trailing_shape, plan.fill_value, dtype=plan.dtype)
        for plan in template.arrays
    }
    failures: list[Failure] = []
    origin = [piece.start for piece in slices]
    for old_block in _blocks_holding(old.template, wanted):
        if (old.block_status(old_block) == PENDING).all():
            continue
        ranges = old.template.block_slices(old_block)
        here = [np.flatnonzero((w >= r.start) & (w < r.stop)) for w, r in zip(wanted, ranges, strict=True)]
        there = [w[h] - r.start for w, h, r in zip(wanted, here, ranges, strict=True)]
        try:
            found = {plan.name: old.read_chunk(plan, old_block) for plan in old.template.arrays}
        except chunks.DamagedChunk:
            continue
        for plan in old.template.arrays:
            inside = tuple(slice(size) for size in plan.trailing_shape)
            place: tuple[Any, ...] = (*np.ix_(*here), *inside)
            arrays[plan.name][place] = found[plan.name][np.ix_(*there)]
        places = [
            {int(t + r.start): int(h + o) for t, h in zip(ts, hs, strict=True)}
            for ts, hs, r, o in zip(there, here, ranges, origin, strict=True)
        ]
        for failure in old.recorded_failures(old_block):
            if all(p in place for p, place in zip(failure.position, places, strict=True)):
                moved = tuple(place[p] for p, place in zip(failure.position, places, strict=True))
                failures.append(replace(failure, position=moved))
    if (arrays[layout.LEDGER] != PENDING).any():
        new.commit(block, arrays, failures, 0.0)


def _blocks_holding(template: Template, wanted: list[Indices]) -> Iterator[int]:
    """Yield the blocks that hold any of the points whose indices along each axis are ``wanted``."""
    along = [
        np.unique(indices[indices != _ABSENT] // step)
        for indices, step in zip(wanted, template.block_shape, strict=True)
    ]
    for index in product(*along):
        yield int(np.ravel_multi_index(index, template.blocks_per_axis)) if index else 0
