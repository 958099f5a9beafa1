"""A store of a sweep: written block by block, resumed by its ledger.

Order of a write: data chunks, then the block's record (checksums, states of the analyses, failures), then its chunk of
``status``. So whatever moment a writer dies at, a point that ``status`` calls done has its data. A record is in
force while it names the very chunk of ``status`` that is there; one that is ahead of it is caught up with, and
where nothing is in force everything is pending.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import (
    DONE,
    FAILED,
    PENDING,
    ArrayPlan,
    BlockResult,
    Failure,
    States,
    Template,
    status_of,
)
from pairsweep.store import chunks, layout, matching
from pairsweep.store import record as records
from pairsweep.store.lock import Lock, clear, only_writer
from pairsweep.store.places import resolve
from pairsweep.store.record import Record

Mask = NDArray[np.bool_]
FORMER_KEPT = 86400.0  # seconds that a generation is kept for its readers after axes or analyses were added


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
        self,
        path: Path,
        template: Template,
        identity: layout.Identity,
        fingerprint: Mapping[str, str],
        form: int = layout.FORMAT,
    ) -> None:
        self.path = path
        self.template = template
        self.identity = identity
        self.fingerprint: dict[str, str] = dict(fingerprint)
        self._format = form
        self._root_stamp = self._stamp()
        self._writers, self._scratch = layout.writers(path), layout.scratch(path)
        self._records = layout.records(path, identity.generation)
        (self.ledger,) = (plan for plan in template.arrays if plan.name == layout.LEDGER)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Store:
        """Open a store; raise `StoreError` if there is none of ours at ``path``."""
        root = resolve(path)
        if not layout.is_intact(chunks.read(root / layout.ROOT) or b""):
            with contextlib.suppress(OSError, StoreError):  # what is wrong is said below
                layout.repair(root)
        document, mark = layout.read_root(root)
        try:
            template = layout.read_template(root, document, mark)
        except chunks.DamagedChunk:
            try:
                layout.repair(root)
                template = layout.read_template(root, document, mark)
            except StoreError as error:
                found = f"its labels are damaged, and it cannot be written ({error.value})"
                raise StoreError(str(root), found, "run pairsweep verify where it can be") from error
            except chunks.DamagedChunk as error:
                found = f"its labels are damaged, and their copy as well ({error})"
                raise StoreError(
                    str(root), found, "put back a copy of yours, or run into another store"
                ) from error
        identity = layout.Identity(mark["id"], mark["generation"])
        return cls(root, template, identity, mark["fingerprint"], mark["format"])

    @property
    def attrs(self) -> Mapping[str, object]:
        """Attributes of the root."""
        return self.template.attrs

    @property
    def analyses(self) -> tuple[str, ...]:
        """The analyses whose results it holds; none are known of a store of format 1."""
        return self.template.analyses

    @property
    def is_writable(self) -> bool:
        """Whether it can be repaired and continued: by this version, and in this place."""
        return self._format == layout.FORMAT and os.access(layout.bookkeeping(self.path), os.W_OK)

    def check_format(self) -> None:
        """Raise `StoreError` for a store that can be read but not continued: one made before analyses had digests."""
        if self._format != layout.FORMAT:
            what = "was made by a version that knew one digest of all analyses: its numbers would be of two kinds"
            raise StoreError(str(self.path), what, "read it as before, and run into another store")

    def check(
        self, fingerprint: Mapping[str, str], recompute: Sequence[str] = (), singles: Iterable[str] = ()
    ) -> None:
        """Raise `StoreError`, naming what differs, unless a sweep with this fingerprint can go on in the store.

        An entry that is absent on one side has its default there. Entries of an analysis that the store lacks
        (``code.NAME`` and ``NAME.option``) are not compared: `grow` adds it. Of those in ``recompute`` the code may
        be another. Nor are the entries ``singles``, one value that is an axis now: `grow` looks for it there.
        """
        self.check_format()
        before = {name: value for name, value in self.fingerprint.items() if name not in singles}
        now = {name: value for name, value in fingerprint.items() if name not in singles}
        matching.check_fingerprint(self.path, before, now, recompute)

    def check_arrays(self, template: Template, recompute: Sequence[str] = ()) -> None:
        """Raise `StoreError`, naming what differs, unless the store holds a template's results, of the same types.

        They may be longer in the template along dimensions of their own, as when an axis gets more bins. Analyses that
        the store lacks are not compared, nor those of ``recompute``.
        """
        matching.check_arrays(self.path, self.template, template, recompute)

    @contextlib.contextmanager
    def lock(self) -> Iterator[Lock]:
        """Be the store's one coordinator, and clear up after what was killed."""
        self.check_format()
        with contextlib.ExitStack() as stack:
            with chunks.room(self.path):
                held = stack.enter_context(Lock(layout.bookkeeping(self.path) / "coordinator"))
                self._clear_up()
            yield held

    def _clear_up(self) -> None:
        self._writers.mkdir(exist_ok=True)
        self._scratch.mkdir(exist_ok=True)
        clear(self._writers)
        for litter in self._scratch.iterdir():
            if litter.is_dir():
                shutil.rmtree(litter)
            else:
                litter.unlink(missing_ok=True)
        layout.repair(self.path)
        if len(layout.generations(self.path)) > 1:
            _, mark = layout.read_root(self.path)
            if time.time() - mark["since"] > FORMER_KEPT:
                layout.remove_former(self.path)

    def block_status(self, block: int) -> States:
        """Return the public ledger of a block; a damaged or missing one counts as pending."""
        with contextlib.suppress(chunks.DamagedChunk):
            return self.read_chunk(self.ledger, block).astype(np.int8, copy=False)
        return np.full(self.block_shape(block), PENDING, dtype=np.int8)

    def statuses(self) -> States:
        """Return the whole public ledger, shape of the sweep."""
        ledger = np.empty(self.template.shape, dtype=np.int8)
        for block in range(self.template.n_blocks):
            ledger[self.template.block_slices(block)] = self.block_status(block)
        return ledger

    def states(self, block: int) -> dict[str, States]:
        """Return the state of each analysis at the points of a block: pending where nothing is in force."""
        states = self._states_in_force(block)
        return self._alike(block, PENDING) if states is None else states

    def _states_in_force(self, block: int) -> dict[str, States] | None:
        ledger = chunks.read(self.chunk(self.ledger, block))
        if ledger is not None:
            with contextlib.suppress(chunks.DamagedChunk):
                if (self._decoded(self.ledger, block, ledger) == DONE).all():
                    return self._alike(block, DONE)
                record = self.record(block)
                if record is not None and _names(record, ledger):
                    return dict(record.states)
        return None

    def _alike(self, block: int, state: int) -> dict[str, States]:
        shape = self.block_shape(block)
        return {analysis: np.full(shape, state, np.int8) for analysis in self.analyses}

    def counts(self) -> dict[str, dict[int, int]]:
        """Count the points of each analysis by state."""
        found = {analysis: np.zeros(3, dtype=np.int64) for analysis in self.analyses}
        for block in range(self.template.n_blocks):
            for analysis, states in self.states(block).items():
                found[analysis] += np.bincount(states.ravel(), minlength=3)
        return {
            analysis: {state: int(counts[state]) for state in (PENDING, DONE, FAILED)}
            for analysis, counts in found.items()
        }

    def count_failed(self) -> int:
        """Count the points where an analysis failed; others may be pending there, and the public status too."""
        count = 0
        for block in range(self.template.n_blocks):
            failed = [each == FAILED for each in self.states(block).values()]
            count += int(np.any(failed, axis=0).sum())
        return count

    def todo(self, block: int, retry_failed: bool = False, only: range | None = None) -> dict[str, Mask]:
        """Return which points of a block must be computed by each analysis. For those who will write it.

        Parameters
        ----------
        retry_failed : failed points count as pending
        only : restrict to these points, counted along the block with its last axis fastest
        """
        states = self._states_in_force(block)
        if states is None and os.path.exists(self._record(block)):  # the record may be ahead
            self._check_current()
            with chunks.room(self.path), only_writer(self._writers, block):
                self.settle(block)
            states = self._states_in_force(block)
        if states is None:
            states = self._alike(block, PENDING)
        masks = {
            analysis: np.asarray(each != DONE if retry_failed else each == PENDING)
            for analysis, each in states.items()
        }
        if only is not None:
            for mask in masks.values():
                mask.flat[: only.start] = False
                mask.flat[only.stop :] = False
        return masks

    def pending(self, retry_failed: bool = False) -> Iterator[int]:
        """Yield the blocks that have points to compute, reading the ledger as it goes."""
        for block in range(self.template.n_blocks):
            if any(mask.any() for mask in self.todo(block, retry_failed).values()):
                yield block

    def write(self, block: int, result: BlockResult, masks: Mapping[str, Mask] | None = None) -> None:
        """Store the points of a block that ``masks`` names for each analysis (all of them by default).

        Done stays done: where an analysis is done its numbers are kept, whoever comes late, unless ``masks`` names it
        at a point together with one that is not. Raises `StoreError` if there is no room, or if the store has been
        replaced or grown since it was opened.
        """
        self._check_current()
        with chunks.room(self.path), only_writer(self._writers, block):
            self._check_current()
            known = self.settle(block)
            before = self.states(block) if known is None else known.states
            take = {analysis: states != DONE for analysis, states in before.items()}
            if masks is not None:
                named = {analysis: np.asarray(masks.get(analysis, False)) for analysis in before}
                new = np.any([named[analysis] & missing for analysis, missing in take.items()], axis=0)
                take = {analysis: mask & new for analysis, mask in named.items()}
            touched = [analysis for analysis, mask in take.items() if mask.any()]
            if not touched:
                return
            states = dict(before)
            for analysis in touched:
                computed = np.asarray(result.states[analysis], dtype=np.int8)
                if not ((computed == DONE) | (computed == FAILED))[take[analysis]].all():
                    raise ValueError(f"block {block}: a computed point is done or failed")
                states[analysis] = np.where(take[analysis], computed, before[analysis]).astype(np.int8)
            arrays = {}
            for plan in self.template.arrays:
                if plan.analysis in touched:
                    values = self._checked(plan, block, np.asarray(result.arrays[plan.name]))
                    mask = take[plan.analysis]
                    keep = ~mask & (before[plan.analysis] != PENDING)
                    arrays[plan.name] = self._merged(plan, block, values, mask, keep)
            if known is None:  # what readers see now would not be the numbers of before
                self.forget(block)
            failures = self._failures_after(block, known, result.failures, take, states)
            seals = {} if known is None else known.seals
            self.commit(block, arrays, Record(seals, states, failures, result.seconds))

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
        states = {analysis: np.full(shape, FAILED, dtype=np.int8) for analysis in self.analyses}
        masks = self.todo(block, retry_failed, range(point, point + 1))
        self.write(block, BlockResult(arrays, states, (failure,), 0.0), masks)

    def commit(self, block: int, arrays: Mapping[str, NDArray[np.generic]], record: Record) -> None:
        """Replace chunks of a block: data, then its record (with their seals added), then the ledger."""
        seals = dict(record.seals)
        for plan in self.template.arrays:
            if plan.name in arrays:
                data = chunks.encode(arrays[plan.name], self.chunk_shape(plan), plan.fill_value)
                seals[plan.name] = chunks.seal(data)
                self._put(self.chunk(plan, block), data)
        ledger = self._encoded(record.states)
        seals[self.ledger.name] = chunks.seal(ledger)
        whole = Record(seals, record.states, record.failures, record.seconds)
        self._put(self._record(block), records.dumps(whole))
        self._put(self.chunk(self.ledger, block), ledger)

    def _encoded(self, states: Mapping[str, States]) -> bytes:
        return chunks.encode(status_of(states.values()), self.chunk_shape(self.ledger), PENDING)

    def record(self, block: int) -> Record | None:
        """Return the record of a block, in force or ahead; None if there is none, `chunks.DamagedChunk` for rubbish."""
        data = chunks.read(self._record(block))
        return None if data is None else records.loads(data, self.block_shape(block), self.analyses)

    def record_in_force(self, block: int) -> Record | None:
        """Return the record that names the chunk of ``status`` that is there."""
        with contextlib.suppress(chunks.DamagedChunk):
            record = self.record(block)
            if record is not None and _names(record, chunks.read(self.chunk(self.ledger, block))):
                return record
        return None

    def settle(self, block: int) -> Record | None:
        """Catch up with a record that is ahead of ``status``, as a writer killed between them leaves it.

        Returns the record that is in force then: none if any chunk of the block is not what it says.
        """
        with contextlib.suppress(chunks.DamagedChunk):
            record = self.record(block)
            if record is None or _names(record, chunks.read(self.chunk(self.ledger, block))):
                return record
            ledger = self._encoded(record.states)
            if self._holds(block, record.seals) and _names(record, ledger):
                self._put(self.chunk(self.ledger, block), ledger)
                return record
        return None

    def _holds(self, block: int, seals: Mapping[str, str]) -> bool:
        """Return whether the chunks of a block's results are those with these seals."""
        return all(
            chunks.seal(chunks.read(self.chunk(plan, block)) or b"") == seals[plan.name]
            for plan in self.template.arrays
            if plan.name in seals and plan is not self.ledger
        )

    def failures(self) -> list[Failure]:
        """Return why each failed point failed, in the order of the blocks."""
        found: list[Failure] = []
        for block in range(self.template.n_blocks):
            status = self.block_status(block)
            if (status != DONE).any():
                record = self.record_in_force(block)
                found += [] if record is None else self._inside(block, record.failures, status != DONE)
        return found

    def _inside(self, block: int, failures: Iterable[Failure], mask: Mask) -> list[Failure]:
        return [failure for failure in failures if mask[self._place(block, failure)]]

    def _place(self, block: int, failure: Failure) -> tuple[int, ...]:
        origin = (s.start for s in self.template.block_slices(block))
        return tuple(p - o for p, o in zip(failure.position, origin, strict=True))

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
        return self._decoded(plan, block, data)

    def _decoded(self, plan: ArrayPlan, block: int, data: bytes) -> NDArray[np.generic]:
        """Return a block of an array; its chunk is longer at the end of an axis."""
        inside = tuple(slice(size) for size in self.block_shape(block))
        return chunks.decode(data, self.chunk_shape(plan), plan.dtype)[inside]

    def forget(self, block: int) -> None:
        """Call every point of a block pending."""
        self.chunk(self.ledger, block).unlink(missing_ok=True)
        self._record(block).unlink(missing_ok=True)

    def append_history(self, line: str) -> None:
        """Add a line, with the time, to the root's ``history``. For the coordinator alone."""
        document, _ = layout.read_root(self.path)
        attributes = document["attributes"]
        attributes["history"] = "\n".join(
            filter(None, (attributes.get("history"), f"{records.now()} {line}"))
        )
        self._put(self.path / layout.ROOT, layout.sealed(document))
        layout.repair(self.path)

    def _record(self, block: int) -> Path:
        return self._records / f"{block}.json"

    def _put(self, path: Path, data: bytes) -> None:
        chunks.replace(path, data, self._scratch)

    def _stamp(self) -> tuple[int, int]:
        stat = os.stat(self.path / layout.ROOT)
        return stat.st_ino, stat.st_mtime_ns

    def _check_current(self) -> None:
        """Refuse to write into a store that is no longer the one that was opened (by a late worker)."""
        self.check_format()
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
        self,
        block: int,
        known: Record | None,
        new: Iterable[Failure],
        take: Mapping[str, Mask],
        states: Mapping[str, States],
    ) -> tuple[Failure, ...]:
        """Return the failures of before and the new ones, without those of what was computed again."""
        kept = {}
        for failure in () if known is None else known.failures:
            if not failure.analysis or not take[failure.analysis][self._place(block, failure)]:
                kept[failure.position, failure.analysis] = failure
        for failure in new:
            computed = [take[failure.analysis]] if failure.analysis else take.values()
            if any(mask[self._place(block, failure)] for mask in computed):
                kept[failure.position, failure.analysis] = failure
        return records.standing(kept.values(), states, [s.start for s in self.template.block_slices(block)])


def _names(record: Record, ledger: bytes | None) -> bool:
    """Return whether a record names a chunk of ``status``; one that is damaged is named by none."""
    if ledger is None:
        return False
    try:
        return record.seals.get(layout.LEDGER) == chunks.seal(ledger)
    except chunks.DamagedChunk:
        return False
