"""Any interleaving is safe: whatever is called done is right, at every moment and for every reader."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pairsweep import store as stores
from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import DONE
from pairsweep.store import Store, chunks
from tests.sweeps_for_stores import solve, template, true_growth

PRINT = {"spec": "1"}


class Killed(BaseException):
    """The process ends here, between two renames; nothing is tidied up."""


class Interleavings(RuleBasedStateMachine):
    """Writers come, die, come late and come twice; axes grow; files are damaged; readers look on."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.rho = [0.25, 0.5, 0.75]
        self.store = stores.create(self.folder / "s.zarr", template(tuple(self.rho)), PRINT)
        self.late: list[Store] = [self.store]
        self.reader = xr.open_zarr(self.store.path, chunks=None)

    def teardown(self):
        shutil.rmtree(self.folder)

    def dying(self, steps, action):
        """Run ``action``, killed before its ``steps``-th file appears."""
        real = chunks.replace

        def counted(*args):
            nonlocal steps
            steps -= 1
            if steps < 0:
                raise Killed
            real(*args)

        chunks.replace = counted
        try:
            action()
        except Killed:
            pass
        finally:
            chunks.replace = real

    def write(self, store, block, failing=(), part=None):
        block %= store.template.n_blocks
        only = None if part is None else range(*part)
        mask = store.todo(block, retry_failed=True, only=only)
        if mask.any():
            try:
                store.write(block, solve(store.template, block, failing), mask)
            except StoreError:
                assert store.identity != Store.open(store.path).identity  # it has grown

    @rule(block=st.integers(0, 30), failing=st.booleans())
    def a_worker_writes(self, block, failing):
        self.write(self.store, block, tuple(self.rho[::2]) if failing else ())

    @rule(block=st.integers(0, 30), first=st.integers(0, 1))
    def a_worker_writes_a_part(self, block, first):
        self.write(self.store, block, part=(first, first + 1))

    @rule(block=st.integers(0, 30), steps=st.integers(0, 6))
    def a_worker_is_killed(self, block, steps):
        self.dying(steps, lambda: self.write(self.store, block))

    @rule(block=st.integers(0, 30), which=st.integers(0, 10))
    def a_zombie_writes(self, block, which):
        self.write(self.late[which % len(self.late)], block)

    @rule()
    def the_run_is_resumed(self):
        self.store = Store.open(self.store.path)
        with self.store.lock():
            self.late.append(self.store)

    def grown(self, value, size):
        rho = sorted({*self.rho, value})
        stores.grow(self.store.path, template(tuple(rho), block_shape=(size, 1)), PRINT)

    @rule(value=st.integers(1, 15), size=st.integers(1, 3))
    def an_axis_grows(self, value, size):
        self.grown(value / 16, size)
        self.after_growth()

    @rule(value=st.integers(1, 15), size=st.integers(1, 3), steps=st.integers(0, 25))
    def a_growth_is_killed(self, value, size, steps):
        self.dying(steps, lambda: self.grown(value / 16, size))
        self.after_growth()

    def after_growth(self):
        # the reader from before the growth must still be right
        self.check(self.reader.load())
        self.store = Store.open(self.store.path)
        (self.rho,) = (c.values.tolist() for c in self.store.template.coordinates if c.name == "rho")
        self.reader = xr.open_zarr(self.store.path, chunks=None)

    @rule(pick=st.integers(0, 1000), at=st.integers(0, 1000))
    def a_chunk_is_damaged_and_found(self, pick, at):
        plans = [p for p in self.store.template.arrays if p.name != "status"]
        files = [self.store.chunk(p, b) for p in plans for b in range(self.store.template.n_blocks)]
        files = [f for f in files if f.exists()]
        if files:
            victim = files[pick % len(files)]
            data = bytearray(victim.read_bytes())
            data[at % len(data)] ^= 1
            victim.write_bytes(data)
            assert [damage.file for damage in stores.verify(self.store.path)]

    @invariant()
    def what_is_done_is_right(self):
        self.check(xr.open_zarr(self.store.path, chunks=None).load())

    def check(self, data):
        number = np.array([len(text) for text in data.kind.values], dtype=float)
        truth = true_growth(data.rho.values[:, None], number)
        done = data.status.values == DONE
        np.testing.assert_array_equal(data.growth_rate.values[done], truth[done])
        np.testing.assert_array_equal(data.energy_weight.values[done][:, 1], truth[done])


EXAMPLES = int(os.environ.get("PAIRSWEEP_INTERLEAVINGS", "6"))
TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
