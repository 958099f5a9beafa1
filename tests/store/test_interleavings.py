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
from pairsweep.contract.template import DONE, status_of
from pairsweep.store import Store, chunks, layout
from tests.sweeps_for_stores import BOTH, labels, solve, template, true_growth

PRINT = {"spec": "1"}


class Killed(BaseException):
    """The process ends here, between two renames; nothing is tidied up."""


class Interleavings(RuleBasedStateMachine):
    """Writers come, die, come late and come twice; axes grow; an analysis is added, and computed anew; files are
    damaged; readers look on."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.rho = [0.25, 0.5, 0.75]
        self.analyses = ("growth",)
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

    def write(self, store, block, failing=(), part=None, analyses=BOTH):
        block %= store.template.n_blocks
        only = None if part is None else range(*part)
        try:
            masks = store.todo(block, retry_failed=True, only=only)
            masks = {analysis: mask for analysis, mask in masks.items() if analysis in analyses}
            store.write(block, solve(store.template, block, failing, failing[:1]), masks)
        except StoreError:
            assert store.identity != Store.open(store.path).identity  # it has grown

    @rule(block=st.integers(0, 30), failing=st.booleans())
    def a_worker_writes(self, block, failing):
        self.write(self.store, block, tuple(self.rho[::2]) if failing else ())

    @rule(block=st.integers(0, 30), which=st.sampled_from(BOTH))
    def a_worker_writes_one_analysis(self, block, which):
        self.write(self.store, block, analyses=(which,))

    @rule(block=st.integers(0, 30), first=st.integers(0, 1))
    def a_worker_writes_a_part(self, block, first):
        self.write(self.store, block, part=(first, first + 1))

    @rule(
        block=st.integers(0, 30),
        steps=st.integers(0, 8),
        which=st.sampled_from([BOTH, *((a,) for a in BOTH)]),
    )
    def a_worker_is_killed(self, block, steps, which):
        self.dying(steps, lambda: self.write(self.store, block, analyses=which))

    @rule(block=st.integers(0, 30), point=st.integers(0, 1))
    def a_point_ends_its_process(self, block, point):
        block %= self.store.template.n_blocks
        if point < self.store.block_status(block).size:
            self.store.record_failure(block, point, "killed")

    @rule(block=st.integers(0, 30), which=st.integers(0, 10))
    def a_zombie_writes(self, block, which):
        self.write(self.late[which % len(self.late)], block)

    @rule()
    def the_run_is_resumed(self):
        self.store = Store.open(self.store.path)
        with self.store.lock():
            self.late.append(self.store)

    def grown(self, value, size, analyses, recompute=()):
        rho = sorted({*self.rho, value})
        wanted = template(tuple(rho), block_shape=(size, 1), analyses=analyses)
        stores.grow(self.store.path, wanted, PRINT, recompute)

    @rule(value=st.integers(1, 15), size=st.integers(1, 3))
    def an_axis_grows(self, value, size):
        self.grown(value / 16, size, self.analyses)
        self.after_growth()

    @rule(size=st.integers(1, 3))
    def an_analysis_is_added(self, size):
        self.grown(self.rho[0], size, BOTH)
        self.after_growth()

    @rule(size=st.integers(1, 3), which=st.integers(0, 1))
    def an_analysis_is_computed_anew(self, size, which):
        name = self.analyses[which % len(self.analyses)]
        self.grown(self.rho[0], size, self.analyses, (name,))
        assert self.store.open(self.store.path).counts()[name][DONE] == 0
        self.after_growth()

    @rule(value=st.integers(1, 15), size=st.integers(1, 3), steps=st.integers(0, 30), anew=st.booleans())
    def a_growth_is_killed(self, value, size, steps, anew):
        self.dying(steps, lambda: self.grown(value / 16, size, BOTH, self.analyses if anew else ()))
        self.after_growth()

    def after_growth(self):
        # the reader from before the growth must still be right
        self.check(self.reader.load())
        self.store = Store.open(self.store.path)
        self.analyses = self.store.analyses
        (self.rho,) = (c.values.tolist() for c in self.store.template.coordinates if c.name == "rho")
        self.reader = xr.open_zarr(self.store.path, chunks=None)

    @rule(pick=st.integers(0, 1000), at=st.integers(0, 1000))
    def a_chunk_is_damaged_and_found(self, pick, at):
        plans = [p for p in self.store.template.arrays if p.name != "status"]
        files = [self.store.chunk(p, b) for p in plans for b in range(self.store.template.n_blocks)]
        files = [f for f in files if f.exists()]
        if files:
            self.damage(files[pick % len(files)], at)
            assert [damage.file for damage in stores.verify(self.store.path)]

    @rule(block=st.integers(0, 30), at=st.integers(0, 1000))
    def a_record_is_damaged(self, block, at):
        file = layout.record(
            self.store.path, self.store.identity.generation, block % self.store.template.n_blocks
        )
        if file.exists():
            self.damage(file, at)

    def damage(self, victim, at):
        data = bytearray(victim.read_bytes())
        data[at % len(data)] ^= 1
        victim.write_bytes(data)

    @invariant()
    def what_is_done_is_right(self):
        self.check(xr.open_zarr(self.store.path, chunks=None).load())

    @invariant()
    def what_an_analysis_calls_done_is_right(self):
        for block in range(self.store.template.n_blocks):
            rho, number = labels(self.store.template, block)
            truth, status = true_growth(rho, number), self.store.block_status(block)
            states = self.store.states(block)
            for name, plan, sign in (("growth", 1, 1), ("evolution", 4, -1)):
                if name in states and (done := states[name] == DONE).any():
                    values = self.store.read_chunk(self.store.template.arrays[plan], block)
                    np.testing.assert_array_equal(
                        values.reshape(*truth.shape, -1)[done][:, 0], sign * truth[done]
                    )
            if self.store.record_in_force(block) is not None:
                np.testing.assert_array_equal(status, status_of(states.values()))

    def check(self, data):
        number = np.array([len(text) for text in data.kind.values], dtype=float)
        truth = true_growth(data.rho.values[:, None], number)
        done = data.status.values == DONE
        np.testing.assert_array_equal(data.growth_rate.values[done], truth[done])
        np.testing.assert_array_equal(data.energy_weight.values[done][:, 1], truth[done])
        if "kappa_mean" in data:
            np.testing.assert_array_equal(data.kappa_mean.values[done][:, 1], -truth[done])


EXAMPLES = int(os.environ.get("PAIRSWEEP_INTERLEAVINGS", "6"))
TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
)
