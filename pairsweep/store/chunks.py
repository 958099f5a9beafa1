"""A chunk as bytes and back, with the codecs of the array's metadata, and files that are whole or absent.

zarr's own path costs an event loop per chunk; a block is many small chunks, so they are encoded here
directly as little-endian bytes, blosc (lz4 behind a byte shuffle) and CRC-32C. Any zarr v3 reader decodes
them and, for the CRC, refuses a damaged one instead of showing wrong numbers.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import google_crc32c
import numpy as np
from numcodecs import Blosc
from numpy.typing import NDArray

from pairsweep.contract.errors import StoreError

# Beside zstd and bit shuffling the smallest cost for its size on growth rates: 2 to 10 ns a value.
COMPRESSOR, LEVEL = "lz4", 5
_BLOSC = Blosc(cname=COMPRESSOR, clevel=LEVEL, shuffle=Blosc.SHUFFLE)
_SEAL_BYTES = 4
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


class DamagedChunk(Exception):  # noqa: N818 - it names what was found
    """The bytes of a chunk are not what was written."""


def encode(values: NDArray[np.generic], chunk_shape: tuple[int, ...], fill: float | int) -> bytes:
    """Encode ``values``; where shorter than ``chunk_shape``, they are padded with ``fill``."""
    if values.shape != chunk_shape:
        whole = np.full(chunk_shape, fill, dtype=values.dtype)
        whole[tuple(slice(size) for size in values.shape)] = values
        values = whole
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).reshape(-1)
    packed = bytes(_BLOSC.encode(little))
    crc: int = google_crc32c.value(packed)
    return packed + crc.to_bytes(_SEAL_BYTES, "little")


def seal(data: bytes) -> str:
    """Return size and CRC of an encoded chunk, as records keep them; raise `DamagedChunk` if they differ."""
    packed, crc = data[:-_SEAL_BYTES], data[-_SEAL_BYTES:]
    if len(data) <= _SEAL_BYTES or google_crc32c.value(packed).to_bytes(_SEAL_BYTES, "little") != crc:
        raise DamagedChunk(f"{len(data)} bytes that do not match their CRC")
    return f"{len(data)}-{crc.hex()}"


def decode(data: bytes, chunk_shape: tuple[int, ...], dtype: str) -> NDArray[np.generic]:
    """Decode a whole chunk; raise `DamagedChunk` unless it is intact and of this shape."""
    seal(data)
    kind = np.dtype(dtype)
    try:
        raw = _BLOSC.decode(data[:-_SEAL_BYTES])
    except (RuntimeError, ValueError) as error:
        raise DamagedChunk(str(error)) from error
    if len(raw) != math.prod(chunk_shape) * kind.itemsize:
        raise DamagedChunk(f"{len(raw)} bytes for shape {chunk_shape} of {kind}")
    return np.frombuffer(raw, dtype=kind.newbyteorder("<")).astype(kind, copy=False).reshape(chunk_shape)


def read(path: Path) -> bytes | None:
    """Return the bytes of a file, None if there is none."""
    try:
        with open(path, "rb", buffering=0) as file:  # it is read at once
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def replace(path: Path, data: bytes, scratch: Path) -> None:
    """Put ``data`` at ``path`` in one step, by way of a file of ``scratch`` on the same file system.

    A reader finds the old file or the new one. Whatever a killed writer leaves lies in ``scratch``.
    """
    draft = scratch / uuid.uuid4().hex
    with room(os.path.dirname(path)):
        try:
            draft.write_bytes(data)
            try:
                draft.replace(path)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                draft.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(draft)
            raise


@contextlib.contextmanager
def room(place: str | Path) -> Iterator[None]:
    """Turn a full disk (or quota, or file size limit) and what may not be written into a `StoreError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            cure = "make room, then start the same command again: what is done is kept"
        elif error.errno in _FORBIDDEN:
            cure = "it can be read, but not continued: copy it to a place of yours"
        else:
            raise
        raise StoreError(str(place), os.strerror(error.errno), cure) from error
