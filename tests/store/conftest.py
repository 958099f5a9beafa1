"""Stores to begin with: made once and copied, since to make one takes several times as long."""

import shutil

import pytest

from pairsweep import store as stores
from pairsweep.store import Store
from tests.store.test_store import PRINT, fill
from tests.sweeps_for_stores import template


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    stores.create(folder / "pending.zarr", template(), PRINT)
    fill(stores.create(folder / "done.zarr", template(), PRINT))
    return folder


@pytest.fixture
def pending(made, tmp_path):
    """A store of `template` without a result."""
    return Store.open(shutil.copytree(made / "pending.zarr", tmp_path / "s.zarr"))


@pytest.fixture
def done(made, tmp_path):
    """A store of `template` with every result."""
    return Store.open(shutil.copytree(made / "done.zarr", tmp_path / "s.zarr"))
