"""A store of a sweep: created whole, written block by block, resumed by its ledger.

Order of a write: data chunks, then the block's record (checksums, host, seconds, failures), then its chunk of
``status``. So whatever moment a writer dies at, a point that the ledger calls done has its data.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import DONE, FAILED, PENDING, ArrayPlan, BlockResult, Failure, Template
from pairsweep.store import chunks, layout
from pairsweep.store.lock import Lock, only_writer

if TYPE_CHECKING:
    import xarray

Mask = NDArray[np.bool_]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def resolve(path: str | os.PathLike[str]) -> Path:
    """Return the real path of a store; refuse names that no store should have."""
    text = os.fspath(path)
    if not text.isprintable() or not text.strip():
        raise StoreError("the store's path", repr(text), "name it with printable characters")
    if os.path.basename(text.rstrip("/")) in ("", ".", ".."):
        raise StoreError("the store's path", repr(text), "name a folder of its own")
    return Path(os.path.realpath(text))


def create(path: str | os.PathLike[str], template: Template, fingerprint: Mapping[str, str]) -> Store:
    """Create a store with every point pending and return it open.

    It is built beside ``path`` and renamed, so it is there whole or not at all. Of two who try one succeeds.

    Raises
    ------
    StoreError : if something is at ``path``, or it cannot be written there.
    """
    root = resolve(path)
    if os.path.lexists(path):
        raise StoreError(str(path), "exists already", "name another store, or remove this one")
    ledger = [plan for plan in template.arrays if plan.name == layout.LEDGER]
    if len(ledger) != 1 or ledger[0].trailing or np.dtype(ledger[0].dtype) != np.int8:
        raise ValueError(f"a template needs one int8 array {layout.LEDGER!r} over the axes")
    draft = root.with_name(f".{root.name}.{uuid.uuid4().hex}.partial")
    try:
        try:
            draft.mkdir(parents=True)
            layout.lay_out(draft, template, layout.new_identity(), fingerprint)
            draft.rename(root)
        finally:
            if draft.exists():
                shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(str(root), reason, "name a place that can be written, with room for it") from error
    return Store.open(root)


def open_dataset(path: str | os.PathLike[str]) -> xarray.Dataset:
    """Open the results of a store, lazily: nothing but coordinates is read until it is used.

    Damaged coordinates are repaired; a damaged chunk of results is a `StoreError` when it is read.
    """
    import xarray as xr

    from pairsweep.store.reading import SealedStore

    root = Store.open(path).path
    data: xarray.Dataset = xr.open_zarr(SealedStore(root, read_only=True), chunks=None)
    for coordinate in data.coords.values():  # so that they can be read where the dataset is shown
        coordinate.load()
    return data


class Store:
    """An open store. Cheap to open; plain enough to travel to a worker.

    Attributes
    ----------
    path : where it is
    template : what it holds, with the block shape it was created with
    fingerprint : what its numbers depend on (digest of the spec, versions, ...), as given when it was created
    attrs : attributes of the root
    """

    def __init__(
        self, path: Path, template: Template, identity: layout.Identity, fingerprint: Mapping[str, str]
    ) -> None:
        self.path = path
        self.template = template
        self.identity = identity
        self.fingerprint: dict[str, str] = dict(fingerprint)
        self._root_stamp = self._stamp()
        (self.ledger,) = (plan for plan in template.arrays if plan.name == layout.LEDGER)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Store:
        """Open a store; raise `StoreError` if there is none of ours at ``path``."""
        root = resolve(path)
        if not layout.is_intact(chunks.read(root / layout.ROOT) or b""):
            with contextlib.suppress(OSError):
                layout.repair(root)
        document, mark = layout.read_root(root)
        try:
            template = layout.read_template(root, document, mark["generation"])
        except chunks.DamagedChunk:
            try:
                layout.repair(root)
                template = layout.read_template(root, document, mark["generation"])
            except OSError as error:
                found = f"its labels are damaged, and it cannot be written ({error.strerror})"
                raise StoreError(str(root), found, "run pairsweep verify where it can be") from error
            except chunks.DamagedChunk as error:
                found = f"its labels are damaged, and their copy as well ({error})"
                raise StoreError(
                    str(root), found, "put back a copy of yours, or run into another store"
                ) from error
        return cls(root, template, layout.Identity(mark["id"], mark["generation"]), mark["fingerprint"])

    @property
    def attrs(self) -> Mapping[str, object]:
        """Attributes of the root."""
        return self.template.attrs

    def check(self, fingerprint: Mapping[str, str]) -> None:
        """Raise `StoreError`, naming what differs, unless the store was made with this fingerprint."""
        names = sorted(self.fingerprint.keys() | fingerprint.keys())
        differing = [
            f"{name} {self.fingerprint.get(name, 'absent')} there, {fingerprint.get(name, 'absent')} now"
            for name in names
            if self.fingerprint.get(name) != fingerprint.get(name)
        ]
        if differing:
            cure = "name another store, or go back to what this one was made with"
            raise StoreError(str(self.path), "holds another sweep (" + "; ".join(differing) + ")", cure)

    def check_arrays(self, template: Template) -> None:
        """Raise `StoreError`, naming what differs, unless the store holds a template's results, of the same types.

        They may be longer in the template along dimensions of their own, as when an axis gets more bins.
        """
        before, after = ({plan.name: plan for plan in t.arrays} for t in (self.template, template))
        differing = [
            f"{name} {_kind(before.get(name))} there, {_kind(after.get(name))} now"
            for name in sorted(before.keys() | after.keys())
            if not _fits(before.get(name), after.get(name))
        ]
        if differing:
            what = f"holds other results or of another type ({'; '.join(differing)})"
            raise StoreError(str(self.path), what, "name another store")

    @contextlib.contextmanager
    def lock(self) -> Iterator[Lock]:
        """Be the store's one coordinator, and clear up after what was killed."""
        with contextlib.ExitStack() as stack:
            with chunks.room(self.path):
                held = stack.enter_context(Lock(layout.bookkeeping(self.path) / "coordinator"))
                self._clear_up()
            yield held

    def _clear_up(self) -> None:
        layout.writers(self.path).mkdir(exist_ok=True)
        layout.scratch(self.path).mkdir(exist_ok=True)
        for litter in layout.scratch(self.path).iterdir():
            if litter.is_dir():
                shutil.rmtree(litter)
            else:
                litter.unlink(missing_ok=True)
        layout.repair(self.path)

    def block_status(self, block: int) -> NDArray[np.int8]:
        """Return the ledger of a block; a damaged or missing ledger counts as pending."""
        with contextlib.suppress(chunks.DamagedChunk):
            return self.read_chunk(self.ledger, block).astype(np.int8, copy=False)
        return np.full(self.block_shape(block), PENDING, dtype=np.int8)

    def statuses(self) -> NDArray[np.int8]:
        """Return the whole ledger, shape of the sweep."""
        ledger = np.empty(self.template.shape, dtype=np.int8)
        for block in range(self.template.n_blocks):
            ledger[self.template.block_slices(block)] = self.block_status(block)
        return ledger

    def todo(self, block: int, retry_failed: bool = False, only: range | None = None) -> Mask:
        """Return which points of a block must be computed.

        Parameters
        ----------
        retry_failed : failed points count as pending
        only : restrict to these points, counted along the block with its last axis fastest
        """
        status = self.block_status(block)
        mask = status != DONE if retry_failed else status == PENDING
        if only is not None:
            chosen = np.zeros(mask.size, dtype=bool)
            chosen[only.start : only.stop] = True
            mask &= chosen.reshape(mask.shape)
        return np.asarray(mask)

    def pending(self, retry_failed: bool = False) -> Iterator[int]:
        """Yield the blocks that have points to compute, reading the ledger as it goes."""
        for block in range(self.template.n_blocks):
            if self.todo(block, retry_failed).any():
                yield block

    def write(self, block: int, result: BlockResult, mask: Mask | None = None) -> None:
        """Store the points of a block that ``mask`` names (all of them by default).

        Done stays done: a point that the ledger calls done keeps its numbers, whoever comes late. Raises
        `StoreError` if there is no room, or if the store has been replaced or grown since it was opened.
        """
        self._check_current()
        with chunks.room(self.path), only_writer(layout.writers(self.path), block):
            self._check_current()
            before = self.block_status(block)
            take = before != DONE
            if mask is not None:
                take &= mask
            if not take.any():
                return
            computed = np.asarray(result.arrays[layout.LEDGER], dtype=np.int8)
            if not np.isin(computed[take], (DONE, FAILED)).all():
                raise ValueError(f"block {block}: a computed point is done or failed")
            arrays = {}
            for plan in self.template.arrays:
                values = self._checked(plan, block, np.asarray(result.arrays[plan.name]))
                if plan.name != layout.LEDGER:
                    arrays[plan.name] = self._merged(plan, block, values, take, ~take & (before != PENDING))
            status = np.where(take, computed, before)
            failures = self._failures_after(block, result, take, status)
            self.commit(block, arrays | {layout.LEDGER: status}, failures, result.seconds)

    def record_failure(self, block: int, point: int, reason: str, retry_failed: bool = False) -> None:
        """Store that a point of a block, counted with the last axis fastest, failed without leaving any number."""
        shape = self.block_shape(block)
        place = np.unravel_index(point, shape) if shape else ()
        origin = (s.start for s in self.template.block_slices(block))
        failure = Failure(tuple(int(o + p) for o, p in zip(origin, place, strict=True)), reason, "")
        arrays: dict[str, NDArray[np.generic]] = {
            plan.name: np.full(shape + plan.trailing_shape, plan.fill_value, dtype=plan.dtype)
            for plan in self.template.arrays
        }
        arrays[layout.LEDGER] = np.full(shape, FAILED, dtype=np.int8)
        mask = self.todo(block, retry_failed, range(point, point + 1))
        self.write(block, BlockResult(arrays, (failure,), 0.0), mask)

    def commit(
        self,
        block: int,
        arrays: Mapping[str, NDArray[np.generic]],
        failures: Iterable[Failure],
        seconds: float,
    ) -> None:
        """Replace all chunks of a block: data, then its record, then the ledger."""
        seals = {}
        for plan in sorted(self.template.arrays, key=lambda plan: plan.name == layout.LEDGER):
            data = chunks.encode(arrays[plan.name], self.chunk_shape(plan), plan.fill_value)
            seals[plan.name] = chunks.seal(data)
            if plan.name == layout.LEDGER:
                self._put(self._record(block), record_text(seals, failures, seconds))
            self._put(self.chunk(plan, block), data)

    def failures(self) -> list[Failure]:
        """Return why each failed point failed, in the order of the blocks."""
        found = []
        for block in range(self.template.n_blocks):
            status = self.block_status(block)
            if (status == FAILED).any():
                origin = [s.start for s in self.template.block_slices(block)]
                found += [
                    failure
                    for failure in self.recorded_failures(block)
                    if status[tuple(p - o for p, o in zip(failure.position, origin, strict=True))] == FAILED
                ]
        return found

    def block_shape(self, block: int) -> tuple[int, ...]:
        """Return the shape of a block; smaller than the template's at the end of an axis."""
        return tuple(s.stop - s.start for s in self.template.block_slices(block))

    def chunk_shape(self, plan: ArrayPlan) -> tuple[int, ...]:
        """Return the shape of an array's chunks."""
        return self.template.block_shape + plan.trailing_shape

    def chunk(self, plan: ArrayPlan, block: int) -> Path:
        """Return the file of a block's chunk of an array."""
        index = self.template.block_index(block) + (0,) * len(plan.trailing_shape)
        return layout.chunk(self.path, plan.name, self.identity.generation, index)

    def read_chunk(self, plan: ArrayPlan, block: int) -> NDArray[np.generic]:
        """Return a block of an array; raise `chunks.DamagedChunk` if its chunk is missing or damaged."""
        data = chunks.read(self.chunk(plan, block))
        if data is None:
            raise chunks.DamagedChunk("missing")
        inside = tuple(slice(size) for size in self.block_shape(block))
        return chunks.decode(data, self.chunk_shape(plan), plan.dtype)[inside]

    def forget(self, block: int) -> None:
        """Call every point of a block pending."""
        self.chunk(self.ledger, block).unlink(missing_ok=True)

    def append_history(self, line: str) -> None:
        """Add a line, with the time, to the root's ``history``. For the coordinator alone."""
        document, _ = layout.read_root(self.path)
        attributes = document["attributes"]
        attributes["history"] = "\n".join(filter(None, (attributes.get("history"), f"{_now()} {line}")))
        self._put(self.path / layout.ROOT, layout.sealed(document))
        layout.repair(self.path)

    def _record(self, block: int) -> Path:
        return layout.record(self.path, self.identity.generation, block)

    def _put(self, path: Path, data: bytes) -> None:
        chunks.replace(path, data, layout.scratch(self.path))

    def _stamp(self) -> tuple[int, int]:
        stat = os.stat(self.path / layout.ROOT)
        return stat.st_ino, stat.st_mtime_ns

    def _check_current(self) -> None:
        """Refuse to write into a store that is no longer the one that was opened (by a late worker)."""
        try:
            stamp = self._stamp()
            if stamp == self._root_stamp:
                return
            _, mark = layout.read_root(self.path)
        except OSError as error:
            raise StoreError(str(self.path), "has been removed", "start the same command again") from error
        if layout.Identity(mark["id"], mark["generation"]) != self.identity:
            raise StoreError(
                str(self.path), "has been replaced or grown meanwhile", "start the same command again"
            )
        self._root_stamp = stamp

    def _checked(self, plan: ArrayPlan, block: int, values: NDArray[np.generic]) -> NDArray[np.generic]:
        shape = self.block_shape(block) + plan.trailing_shape
        if values.shape != shape or values.dtype != np.dtype(plan.dtype):
            found = f"block {block}: {plan.name} is {values.dtype}{values.shape}"
            raise ValueError(f"{found}, the store has {plan.dtype}{shape}")
        return values

    def _merged(
        self, plan: ArrayPlan, block: int, values: NDArray[np.generic], take: Mask, keep: Mask
    ) -> NDArray[np.generic]:
        """Return ``values`` where ``take``, what the chunk holds where ``keep``, fill elsewhere."""
        if take.all():
            return values
        merged = np.full(values.shape, plan.fill_value, dtype=values.dtype)
        if keep.any():
            try:
                merged[keep] = self.read_chunk(plan, block)[keep]
            except chunks.DamagedChunk as error:
                found = f"{plan.name} of block {block} is damaged ({error})"
                raise StoreError(str(self.path), found, "pairsweep verify, then run again") from error
        merged[take] = values[take]
        return merged

    def _failures_after(
        self, block: int, result: BlockResult, take: Mask, status: NDArray[np.int8]
    ) -> list[Failure]:
        origin = [s.start for s in self.template.block_slices(block)]

        def inside(failure: Failure) -> tuple[int, ...]:
            return tuple(p - o for p, o in zip(failure.position, origin, strict=True))

        old = [] if take.all() else self.recorded_failures(block)
        kept = [failure for failure in old if not take[inside(failure)]]
        new = [failure for failure in result.failures if take[inside(failure)]]
        return [failure for failure in (*kept, *new) if status[inside(failure)] == FAILED]

    def seals(self, block: int) -> dict[str, str] | None:
        """Return size and checksum of each chunk of a block as recorded, None without a record."""
        try:
            return dict(json.loads(chunks.read(self._record(block)) or b"")["seals"])
        except (ValueError, KeyError, TypeError):
            return None

    def recorded_failures(self, block: int) -> list[Failure]:
        """Return what a block's record says of failures, points that succeeded since included."""
        data = chunks.read(self._record(block))
        try:
            record = json.loads(data or b"")
            return [
                Failure(tuple(position), *record["texts"][text]) for *position, text in record["failures"]
            ]
        except (ValueError, KeyError, TypeError, IndexError):
            return []


def _kind(plan: ArrayPlan | None) -> str:
    return "absent" if plan is None else " ".join([plan.dtype, *map(str, plan.trailing_shape)])


def _fits(before: ArrayPlan | None, after: ArrayPlan | None) -> bool:
    return (
        before is not None
        and after is not None
        and before.trailing == after.trailing
        and np.dtype(before.dtype) == np.dtype(after.dtype)
        and all(n <= m for n, m in zip(before.trailing_shape, after.trailing_shape, strict=True))
    )


def record_text(seals: Mapping[str, str], failures: Iterable[Failure], seconds: float) -> bytes:
    """Return the record of a block. Many points of a block fail alike: each traceback is kept once."""
    failures = list(failures)
    texts = {(failure.reason, failure.traceback): 0 for failure in failures}
    for number, text in enumerate(texts):
        texts[text] = number
    return layout.dumps(
        {
            "seals": dict(seals),
            "seconds": seconds,
            "host": socket.gethostname(),
            "written": _now(),
            "texts": list(texts),
            "failures": [[*f.position, texts[f.reason, f.traceback]] for f in failures],
        }
    )
