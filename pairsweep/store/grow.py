"""Axes get values, single values become axes, analyses are added or computed anew: a new generation is laid out beside
the old one, then shown in a single step.

What is finished is copied to its new place, so new values may come in the middle and on several axes at once, and axes
may change their order. Readers go on seeing the old generation, whole, until the root's metadata is replaced; a Dataset
opened before goes on reading the old chunks after that. They are removed by the next growth, or by the first run a
day later. A growth that is killed leaves the old generation as it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import PENDING, Coordinate, Failure, States, Template
from pairsweep.store import chunks, layout
from pairsweep.store import record as records
from pairsweep.store.record import Record
from pairsweep.store.store import Store

Indices = NDArray[np.int64]
_ABSENT = -1


@dataclass(frozen=True, eq=False)
class _Move:
    """From an old template to a new one.

    ``was`` is the old one, with an axis of one value for each single value that becomes an axis: its blocks and their
    numbers stay the same. ``order`` says which of its axes each of the new ones was, ``sources`` where along it each
    new value was (`_ABSENT` for a new value), and ``kept`` which analyses' results are carried along.
    """

    was: Template
    order: tuple[int, ...]
    sources: tuple[Indices, ...]
    kept: tuple[str, ...]


def grow(
    path: str | os.PathLike[str],
    template: Template,
    fingerprint: Mapping[str, str],
    recompute: Sequence[str] = (),
    singles: Mapping[str, object] = MappingProxyType({}),
) -> Store:
    """Give a store the axes and analyses of ``template``, keep what is done, and return it open.

    Parameters
    ----------
    template : holds every value of the store's axes and every analysis, and more; its axes may be in another order, and
        its blocks of another shape
    fingerprint : must be the store's own, but for what belongs to new analyses and the code of those in ``recompute``
    recompute : analyses whose results are dropped, to be computed anew
    singles : entries of the fingerprint, TABLE.KEY, that were one value and are an axis now, with that value

    Raises
    ------
    StoreError : if the store would lose a value or an analysis, or holds another sweep, with what differs; nothing is
        changed.
    """
    old = Store.open(path)
    old.check(fingerprint, recompute, singles)
    with old.lock(), chunks.room(old.path):
        old = Store.open(path)  # what the holder before us left
        move = _move(old, template, recompute, singles)
        if "history" in old.attrs:
            template = replace(template, attrs={**template.attrs, "history": old.attrs["history"]})
        generation = layout.next_generation(old.identity.generation, old.template.axes, template.axes)
        identity = layout.Identity(old.identity.id, generation)
        new = Store(old.path, template, identity, fingerprint)
        layout.remove_former(old.path)
        draft = layout.scratch(old.path) / f"generation-{identity.generation}"
        layout.lay_out(draft, template, identity, fingerprint)
        for coordinate in template.coordinates:
            if coordinate.dims:
                name, dims = coordinate.name, coordinate.dims
                place = layout.label_chunk(old.path, name, dims, identity.generation)
                layout.label_chunk(draft, name, dims, identity.generation).rename(_with_parent(place))
        for block in range(old.template.n_blocks):
            old.settle(block)
        for block in range(template.n_blocks):
            _copy(old, new, block, move)
        layout.show(draft, old.path)
        shutil.rmtree(draft)
    return Store.open(old.path)


def check_growth(
    store: Store,
    template: Template,
    recompute: Sequence[str] = (),
    singles: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Raise `StoreError`, naming what differs, unless `grow` can turn a store's template into this one."""
    _move(store, template, recompute, singles)


def _widened(was: Template, template: Template, singles: Mapping[str, object]) -> Template:
    """Give a template an axis of one value for each single value that is an axis in another one."""
    values = {name.rpartition(".")[2]: value for name, value in singles.items()}
    values = {name: value for name, value in values.items() if name in template.axes}
    after = {coordinate.name: coordinate for coordinate in template.coordinates}
    coordinates = [c for c in was.coordinates if c.name not in values]
    for i, before in enumerate(coordinates):
        dims = after[before.name].dims if before.name in after else ()
        new = tuple(name for name in values if name in dims)
        shape = (1,) * len(new) + before.values.shape
        coordinates[i] = replace(before, dims=new + before.dims, values=before.values.reshape(shape))
    for name, value in values.items():
        coordinates.append(Coordinate(name, (name,), np.array([value]), after[name].attrs))
    ones = (1,) * len(values)
    return replace(
        was,
        axes=was.axes + tuple(values),
        shape=was.shape + ones,
        block_shape=was.block_shape + ones,
        coordinates=tuple(coordinates),
    )


def _with_parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _labels(template: Template, axis: str, names: set[str]) -> list[tuple[object, ...]]:
    """Return the labels along an axis, its own first; the members of a zipped group count together."""
    along = sorted(
        (c for c in template.coordinates if c.dims == (axis,) and c.name in names),
        key=lambda c: (c.name != axis, c.name),
    )
    return list(zip(*(c.values.tolist() for c in along), strict=True))


def _stays(was: Template, template: Template, axis: str, names: set[str]) -> bool:
    """Return whether an axis has just the labels it had; it may have millions, which are compared as arrays."""
    before, after = (
        {c.name: c.values for c in t.coordinates if c.dims == (axis,) and c.name in names}
        for t in (was, template)
    )
    return before.keys() == after.keys() and all(same_values(before[n], after[n]) for n in after)


def _move(old: Store, template: Template, recompute: Sequence[str], singles: Mapping[str, object]) -> _Move:
    """Return how to get from the store's template to this one; refuse a loss or another sweep."""
    was = _widened(old.template, template, singles)

    def refusal(what: str, cure: str = "name another store") -> StoreError:
        return StoreError(str(old.path), what, cure)

    for name in recompute:
        if name not in old.analyses:
            raise refusal(f"holds no results of {name}", f"--recompute one of {', '.join(old.analyses)}")
    names = {coordinate.name: coordinate for coordinate in was.coordinates}
    for axis in template.axes:
        if axis not in was.axes:
            there = (
                f"{axis} has one value there and is an axis now" if axis in names else f"has no axis {axis}"
            )
            raise refusal(there)
    for axis in was.axes:
        if axis not in template.axes:
            raise refusal(f"{axis} is an axis there and has one value now", "give all its values as a list")
    common = names.keys() & {coordinate.name for coordinate in template.coordinates}
    sources: dict[str, Indices] = {}
    for axis in template.axes:
        size = template.shape[template.axes.index(axis)]
        if _stays(was, template, axis, common):
            sources[axis] = np.arange(size)
            continue
        before, after = _labels(was, axis, common), _labels(template, axis, common)
        places = {label: i for i, label in enumerate(before)}
        sources[axis] = np.array([places.get(label, _ABSENT) for label in after], dtype=np.int64)
        kept_labels = set(after)
        lost = [label[0] for label in before if label not in kept_labels]
        if lost:
            what = f"{axis} has {len(lost)} values there that it lacks now, {lost[0]!r} for one"
            raise refusal(what, "keep them, or name another store")
    old.check_arrays(template, recompute)
    kept = tuple(name for name in old.analyses if name not in recompute)
    _check_coordinates(old.path, was, template, sources, kept)
    return _Move(
        was,
        tuple(was.axes.index(axis) for axis in template.axes),
        tuple(sources[axis] for axis in template.axes),
        kept,
    )


def _check_coordinates(
    path: Path, was: Template, template: Template, sources: Mapping[str, Indices], kept: Sequence[str]
) -> None:
    """Refuse other labels of what is kept; analyses that are added or computed anew bring their own."""
    here = {coordinate.name: coordinate for coordinate in template.coordinates}
    free = _dimensions(was, None) - _dimensions(was, kept) - set(was.axes)
    for before in was.coordinates:
        after = here.get(before.name)
        if free.intersection(before.dims):
            continue
        if after is None or set(after.dims) != set(before.dims):
            raise StoreError(str(path), "is labelled by other coordinates", "name another store")
        if not _agrees(before, after, sources):
            raise StoreError(str(path), f"holds other values of {before.name}", "name another store")
    if set(template.analyses) <= set(kept) and here.keys() - {c.name for c in was.coordinates}:
        raise StoreError(str(path), "is labelled by other coordinates", "name another store")


def _dimensions(template: Template, analyses: Sequence[str] | None) -> set[str]:
    """Return the dimensions of their own that the arrays of these analyses have, of all for None."""
    plans = (plan for plan in template.arrays if analyses is None or plan.analysis in analyses)
    return {dim for plan in plans for dim in plan.trailing}


def _agrees(before: Coordinate, after: Coordinate, sources: Mapping[str, Indices]) -> bool:
    """Return whether the values of a coordinate are still what they were where they were."""
    old = before.values.transpose([before.dims.index(dim) for dim in after.dims])
    there, here = [], []
    for dim, size in zip(after.dims, old.shape, strict=True):
        kept = np.flatnonzero(sources[dim] != _ABSENT) if dim in sources else np.arange(size)
        here.append(kept)
        there.append(sources[dim][kept] if dim in sources else kept)
    if any(size > other for size, other in zip(old.shape, after.values.shape, strict=True)):
        return False
    return same_values(old[np.ix_(*there)], after.values[np.ix_(*here)])


def same_values(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    """Return whether two arrays of labels are equal; NaN pads some."""
    one, other = np.asarray(one), np.asarray(other)  # a scalar's label comes as one
    return np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f")


def _copy(old: Store, new: Store, block: int, move: _Move) -> None:
    """Write the block of the new generation from what is settled in the old one; nothing if nothing is.

    A damaged chunk of the old generation leaves its analysis pending at these points: they are computed again.
    """
    template, was = new.template, move.was
    slices = template.block_slices(block)
    shape = new.block_shape(block)
    wanted = [source[piece] for source, piece in zip(move.sources, slices, strict=True)]
    plans = [plan for plan in template.arrays if plan.analysis in move.kept]
    arrays: dict[str, NDArray[np.generic]] = {
        plan.name: np.full(shape + plan.trailing_shape, plan.fill_value, dtype=plan.dtype) for plan in plans
    }
    states: dict[str, States] = {name: np.full(shape, PENDING, np.int8) for name in template.analyses}
    failures: list[Failure] = []
    origin = [piece.start for piece in slices]
    seconds = 0.0
    n, known = len(was.axes), len(old.template.axes)
    for old_block in _blocks_holding(was, wanted, move.order):
        record = old.record_in_force(old_block)
        if record is None:
            continue
        seconds = max(seconds, record.seconds)
        extent = was.block_slices(old_block)
        shape_there = tuple(piece.stop - piece.start for piece in extent)
        ranges = [extent[axis] for axis in move.order]
        here = [np.flatnonzero((w >= r.start) & (w < r.stop)) for w, r in zip(wanted, ranges, strict=True)]
        there = [w[h] - r.start for w, h, r in zip(wanted, here, ranges, strict=True)]
        for analysis in move.kept:
            states_there = record.states[analysis].reshape(shape_there).transpose(move.order)
            found = np.asarray(states_there[np.ix_(*there)])
            if (found == PENDING).all():
                continue
            mine = [plan for plan in old.template.arrays if plan.analysis == analysis]
            try:
                values = {plan.name: old.read_chunk(plan, old_block) for plan in mine}
            except chunks.DamagedChunk:
                continue
            states[analysis][np.ix_(*here)] = found
            settled = np.argwhere(found != PENDING).T
            for plan in mine:
                whole = values[plan.name].reshape(shape_there + plan.trailing_shape)
                turned = whole.transpose(*move.order, *range(n, n + len(plan.trailing)))
                inside = tuple(slice(size) for size in plan.trailing_shape)
                place: tuple[Any, ...] = (*(h[i] for h, i in zip(here, settled, strict=True)), *inside)
                arrays[plan.name][place] = turned[tuple(t[i] for t, i in zip(there, settled, strict=True))]
        places = [
            {int(t + r.start): int(h + o) for t, h in zip(ts, hs, strict=True)}
            for ts, hs, r, o in zip(there, here, ranges, origin, strict=True)
        ]
        for failure in record.failures:
            before = failure.position + (0,) * (n - known)
            position = [before[axis] for axis in move.order]
            if all(p in place for p, place in zip(position, places, strict=True)):
                moved = tuple(place[p] for p, place in zip(position, places, strict=True))
                failures.append(replace(failure, position=moved))
    settled_in = {name for name, each in states.items() if (each != PENDING).any()}
    if settled_in:
        carried = {plan.name: arrays[plan.name] for plan in plans if plan.analysis in settled_in}
        standing = records.standing(failures, states, origin)
        new.commit(block, carried, Record({}, states, standing, seconds))


def _blocks_holding(template: Template, wanted: list[Indices], order: Sequence[int]) -> Iterator[int]:
    """Yield the blocks that hold any of the points whose indices along each axis are ``wanted``."""
    along: list[Indices] = [np.empty(0, np.int64)] * len(order)
    for axis, indices in zip(order, wanted, strict=True):
        along[axis] = np.unique(indices[indices != _ABSENT] // template.block_shape[axis])
    for index in product(*along):
        yield int(np.ravel_multi_index(index, template.blocks_per_axis)) if index else 0
