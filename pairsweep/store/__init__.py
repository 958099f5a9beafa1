"""Results on disk: the only user of zarr."""

from pairsweep.contract.errors import StoreError
from pairsweep.store.foreign import is_foreign
from pairsweep.store.grow import check_growth, grow, same_values
from pairsweep.store.layout import files_of
from pairsweep.store.lock import Lock
from pairsweep.store.opening import create, open_dataset
from pairsweep.store.packed import is_packed, readable
from pairsweep.store.packing import finished, new_file, pack, unpack, whole_or_absent
from pairsweep.store.places import is_there
from pairsweep.store.store import Store
from pairsweep.store.verify import Damage, verify

__all__ = [
    "Damage",
    "Lock",
    "Store",
    "StoreError",
    "check_growth",
    "create",
    "files_of",
    "finished",
    "grow",
    "is_foreign",
    "is_packed",
    "is_there",
    "new_file",
    "open_dataset",
    "pack",
    "readable",
    "same_values",
    "unpack",
    "verify",
    "whole_or_absent",
]
