"""The store as xarray reads it: a damaged chunk is named, with the cure, by whatever reads it first."""

from __future__ import annotations

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore

from pairsweep.contract.errors import StoreError
from pairsweep.store import chunks, layout


class SealedStore(LocalStore):
    """A folder whose chunks are checked as they are read, which zarr's codecs would do without naming the file."""

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return the bytes of a file; raise `StoreError` for a chunk that is not what was written."""
        data = await super().get(key, prototype, byte_range)
        if data is not None and not key.endswith(layout.ROOT):
            try:
                chunks.seal(data.to_bytes())
            except chunks.DamagedChunk as error:
                cure = f"pairsweep verify {self.root}, then run again"
                raise StoreError(str(self.root), f"{key} is damaged ({error})", cure) from error
        return data
