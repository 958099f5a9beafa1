"""The store as xarray reads it: a damaged chunk is named, with the cure, by whatever reads it first."""

from __future__ import annotations

import zipfile
from pathlib import Path

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore, ZipStore

from pairsweep.contract.errors import StoreError
from pairsweep.store import chunks, layout


class SealedStore(LocalStore):
    """A folder whose chunks are checked as they are read, which zarr's codecs would do without naming the file.

    ``generation`` is that of the metadata it is read with: what has been removed since is no fill value.
    """

    def __init__(self, root: Path | str, *, read_only: bool = False, generation: int | None = None) -> None:
        super().__init__(root, read_only=read_only)
        self._generation = generation

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return the bytes of a file; raise `StoreError` for a chunk that is damaged, or that was removed."""
        data = await super().get(key, prototype, byte_range)
        if data is None and not key.endswith(layout.ROOT) and self._is_former():
            what = "has grown since it was opened, and what it was before has been removed"
            raise StoreError(str(self.root), what, "open it again")
        if data is not None and not key.endswith(layout.ROOT):
            try:
                chunks.seal(data.to_bytes())
            except chunks.DamagedChunk as error:
                cure = f"pairsweep verify {self.root}, then run again"
                raise StoreError(str(self.root), f"{key} is damaged ({error})", cure) from error
        return data

    def _is_former(self) -> bool:
        return self._generation is not None and not layout.kept(self.root, self._generation)


class SealedZip(ZipStore):
    """A packed store, whose members carry a checksum of the zip's own beside that of the chunks."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, mode="r", read_only=True)

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return the bytes of a member; raise `StoreError` for one that is damaged."""
        try:
            return await super().get(key, prototype, byte_range)
        except zipfile.BadZipFile as error:
            raise StoreError(str(self.path), f"{key} is damaged", "take a copy that is whole") from error
