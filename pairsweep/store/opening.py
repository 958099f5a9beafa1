"""A store is created whole, and its results are opened for readers."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import Template
from pairsweep.store import layout
from pairsweep.store.foreign import brought_here, is_foreign, open_foreign
from pairsweep.store.packed import is_packed, readable
from pairsweep.store.places import resolve
from pairsweep.store.store import Store

if TYPE_CHECKING:
    import xarray


def create(path: str | os.PathLike[str], template: Template, fingerprint: Mapping[str, str]) -> Store:
    """Create a store with every point pending and return it open.

    It is built beside ``path`` and renamed, so it is there whole or not at all. Of two who try one succeeds.

    Raises
    ------
    StoreError : if something is at ``path``, or it cannot be written there.
    """
    root = resolve(path)
    if root.exists():
        raise StoreError(str(path), "exists already", "name another store, or remove this one")
    ledger = [plan for plan in template.arrays if plan.name == layout.LEDGER]
    if len(ledger) != 1 or ledger[0].trailing or np.dtype(ledger[0].dtype) != np.int8 or ledger[0].analysis:
        raise ValueError(f"a template needs one int8 array {layout.LEDGER!r} over the axes")
    if (
        not all(plan.analysis for plan in template.arrays if plan.name != layout.LEDGER)
        or not template.analyses
    ):
        raise ValueError(f"every array but {layout.LEDGER!r} belongs to an analysis")
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
    """Open results lazily: nothing but coordinates is read until it is used.

    A packed store is read in place; what is no store of the engine is read as xarray does. Damaged coordinates are
    repaired; a damaged chunk of results is a `StoreError` when it is read.
    """
    import xarray as xr

    from pairsweep.store.reading import SealedStore, SealedZip

    path = brought_here(path)
    if is_foreign(path):
        return open_foreign(path)
    sealed: SealedStore | SealedZip
    with readable(path) as store:
        if is_packed(path):
            sealed = SealedZip(resolve(path))
        else:
            sealed = SealedStore(store.path, read_only=True, generation=store.identity.generation)
        data: xarray.Dataset = xr.open_zarr(sealed, chunks=None)
    for coordinate in data.coords.values():  # so that they can be read where the dataset is shown
        coordinate.load()
    return data
