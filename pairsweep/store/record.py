"""The record of a block: what its chunks are, the state of each analysis at its points, and why points failed.

It is written after the data and before the block's chunk of ``status``, and carries a checksum of itself.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import google_crc32c
import numpy as np

from pairsweep.contract.template import FAILED, PENDING, Failure, States
from pairsweep.store import chunks


def now() -> str:
    """Return the time as records and histories carry it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, eq=False)
class Record:
    """What is known of a block.

    Attributes
    ----------
    seals : size and checksum of each chunk that was written, by the array's name
    states : of each analysis, int8 of the block's shape
    failures : of the points whose state is failed, and of no other
    seconds : what the last computation took
    """

    seals: Mapping[str, str]
    states: Mapping[str, States]
    failures: tuple[Failure, ...]
    seconds: float


def dumps(record: Record) -> bytes:
    """Return a record as bytes. Many points of a block fail alike: each text is kept once."""
    texts = {(f.reason, f.traceback, f.analysis): 0 for f in record.failures}
    for number, text in enumerate(texts):
        texts[text] = number
    return _sealed(
        {
            "seals": dict(record.seals),
            "states": {analysis: _packed(states) for analysis, states in record.states.items()},
            "seconds": record.seconds,
            "host": socket.gethostname(),
            "written": now(),
            "texts": list(texts),
            "failures": [[*f.position, texts[f.reason, f.traceback, f.analysis]] for f in record.failures],
        }
    )


def loads(data: bytes, shape: tuple[int, ...], analyses: Sequence[str]) -> Record:
    """Read the record of a block of this shape; raise `chunks.DamagedChunk` if it is not what was written.

    That of a store of format 1, which knows of no ``analyses``, has no checksum.
    """
    try:
        entries = json.loads(data)
        if analyses and _sealed(entries) != data:
            raise chunks.DamagedChunk("not the record that was written")
        texts = entries["texts"]
        return Record(
            entries["seals"],
            {analysis: _unpacked(entries["states"][analysis], shape) for analysis in analyses},
            tuple(Failure(tuple(position), *texts[text]) for *position, text in entries["failures"]),
            entries["seconds"],
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise chunks.DamagedChunk("not a record") from error


def standing(
    failures: Iterable[Failure], states: Mapping[str, States], origin: Sequence[int]
) -> tuple[Failure, ...]:
    """Return the failures of what these states of a block at ``origin`` call failed.

    One that took a whole point down stands while any analysis is failed there that has no failure of its own.
    """
    failures = tuple(failures)
    own = {(failure.position, failure.analysis) for failure in failures}

    def is_failed(failure: Failure, analysis: str) -> bool:
        place = tuple(p - o for p, o in zip(failure.position, origin, strict=True))
        return bool(states[analysis][place] == FAILED)

    def stands(failure: Failure) -> bool:
        if failure.analysis:
            return is_failed(failure, failure.analysis)
        return any(is_failed(failure, name) and (failure.position, name) not in own for name in states)

    return tuple(filter(stands, failures))


def _sealed(entries: Mapping[str, Any]) -> bytes:
    blank = json.dumps({**entries, "checksum": 0}).encode()
    return json.dumps({**entries, "checksum": google_crc32c.value(blank)}).encode()


def _packed(states: States) -> int | str:
    """Return one number where all points are alike, else a sealed chunk as text."""
    first = int(states.flat[0])
    if (states == first).all():
        return first
    return base64.b64encode(chunks.encode(states, states.shape, PENDING)).decode()


def _unpacked(value: int | str, shape: tuple[int, ...]) -> States:
    if isinstance(value, int):
        return np.full(shape, value, dtype=np.int8)
    return chunks.decode(base64.b64decode(value), shape, "int8").astype(np.int8, copy=False)
