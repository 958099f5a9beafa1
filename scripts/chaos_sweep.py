#!/usr/bin/env python3
"""The sweep that `chaos` torments: a thousandth of a physicist's, with faults to order.

chaos_sweep.py STORE OPTIONS     run what is missing, as `pairsweep run` does
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pairsweep.contract.errors import UsageError
from pairsweep.contract.template import DONE, FAILED, ArrayPlan, BlockResult, Coordinate, Template
from pairsweep.execute import Ack, execute
from pairsweep.kernels.jit import jit
from pairsweep.store import Store, create

FINGERPRINT = {"spec": "chaos", "kernels": "1", "dtype": "float64"}
ARRAYS = (
    ArrayPlan("status", (), (), "int8", 0, {}),
    ArrayPlan("growth_rate", (), (), "float64", float("nan"), {}, "growth"),
    ArrayPlan("energy_weight", ("energy_bin",), (4,), "float64", float("nan"), {}, "weights"),
)


def template(points: int, block: int, analyses: tuple[str, ...] = ("growth", "weights")) -> Template:
    """One axis of ``points`` values in blocks of ``block``."""
    coordinates = (Coordinate("x", ("x",), np.arange(points) / 1024, {}),)
    arrays = tuple(plan for plan in ARRAYS if not plan.analysis or plan.analysis in analyses)
    return Template(("x",), (points,), (block,), coordinates, arrays, {})


def truth(x: np.ndarray) -> np.ndarray:
    """What the kernel gives."""
    return np.sin(37.0 * x) ** 2


@jit()
def turn(turns: int) -> float:
    """A long kernel, without the GIL like all of them."""
    x = 0.0
    for _ in range(turns):
        x = np.sin(x) + 1.0
    return x


def spend(seconds: float, how: str) -> None:
    """Let time pass asleep, in a kernel, or (as no kernel should) holding the GIL."""
    if how == "sleep":
        time.sleep(seconds)
    elif how == "kernel":
        end = time.monotonic() + seconds
        turn(1)
        started = time.monotonic()
        turn(10**6)
        turn(int((end - started) / (time.monotonic() - started) * 10**6))  # in one call
    else:
        ctypes.PyDLL(None).usleep(int(seconds * 1e6))


@dataclass(frozen=True)
class Chaos:
    """Computes and stores a block in ``seconds``, spent in the way ``how``; the point ``poison`` ends its process.

    Every block that is begun leaves a line in ``begun``, every one that is computed one in ``log``.
    """

    store: str
    log: str = ""
    begun: str = ""
    seconds: float = 0.0
    how: str = "sleep"
    poison: int = -1

    def __call__(self, block: int, only: range | None = None) -> Ack:
        store = Store.open(self.store)
        masks = store.todo(block, only=only)
        mask = np.any(list(masks.values()), axis=0)
        if not mask.any():
            return Ack(block, 0, 0, 0.0, socket.gethostname())
        note(self.begun, block)
        (piece,) = store.template.block_slices(block)
        (x,) = (c.values[piece] for c in store.template.coordinates)
        spend(self.seconds, self.how)
        if piece.start <= self.poison < piece.stop and mask[self.poison - piece.start]:
            os.kill(os.getpid(), signal.SIGSEGV)
        for analysis, each in masks.items():  # one after the other, so that a fault may come between
            store.write(block, result(store, x, self.seconds), {analysis: each})
        note(self.log, block)
        return Ack(block, int(mask.sum()), 0, self.seconds, socket.gethostname())

    def size(self, block: int) -> int:
        return math.prod(Store.open(self.store).block_shape(block))

    def record_failure(self, block: int, point: int, reason: str) -> Ack:
        Store.open(self.store).record_failure(block, point, reason)
        return Ack(block, 0, 1, 0.0, "")


def result(store: Store, x: np.ndarray, seconds: float = 0.0, value: float | None = None) -> BlockResult:
    """The results of both analyses at the points ``x``, or ``value`` everywhere."""
    growth = truth(x) if value is None else np.full(x.shape, value)
    arrays = {"growth_rate": growth, "energy_weight": np.repeat(growth[:, None], 4, axis=1)}
    states = {analysis: np.full(x.shape, DONE, dtype=np.int8) for analysis in store.analyses}
    return BlockResult(arrays, states, (), seconds)


def note(log: str, block: int) -> None:
    """Add a line to a log, if there is one."""
    if log:
        with Path(log).open("a") as file:
            file.write(f"{block}\n")


def wrong(path: str | Path) -> list[str]:
    """Say what is wrong with what a store calls done; read with plain xarray, as anybody would."""
    import xarray as xr

    data = xr.open_zarr(path, chunks=None).load()
    right = truth(data.x.values)
    done = data.status.values == DONE
    found = []
    if not np.array_equal(data.growth_rate.values[done], right[done]):
        found.append("a done point has another value")
    if "energy_weight" in data and not np.array_equal(data.energy_weight.values[done][:, 3], right[done]):
        found.append("the arrays of a done point disagree")
    return found + wrong_states(path)


def wrong_states(path: str | Path) -> list[str]:
    """The same for what each analysis calls done; only while nobody writes."""
    store = Store.open(path)
    (coordinate,) = store.template.coordinates
    found = []
    for block in range(store.template.n_blocks):
        x = coordinate.values[store.template.block_slices(block)[0]]
        for plan in store.template.arrays:
            done = store.states(block)[plan.analysis] == DONE if plan.analysis else np.zeros(x.shape, bool)
            if done.any():
                values = store.read_chunk(plan, block).reshape(x.size, -1)[:, -1]
                if not np.array_equal(values[done], truth(x)[done]):
                    found.append(f"{plan.analysis} calls done what has another value")
    return found


def unfinished(path: str | Path) -> list[str]:
    """The same for a store that should be complete."""
    status = Store.open(path).statuses()
    pending = int(((status != DONE) & (status != FAILED)).sum())
    return ([f"{pending} points are missing"] if pending else []) + wrong(path)


def main() -> None:
    """Run what is missing: STORE and JSON with the task's fields, scheduler, workers, points and block."""
    path, options = sys.argv[1], json.loads(sys.argv[2])
    how = {name: options.pop(name) for name in ("scheduler", "workers") if name in options}
    size = options.pop("points", 200), options.pop("block", 10)
    try:
        store = Store.open(path) if Path(path).exists() else create(path, template(*size), FINGERPRINT)
        store.check(FINGERPRINT)
        with store.lock():
            print("running", flush=True)
            execute(Chaos(path, **options), store.pending(), on_done=lambda ack: None, **how)
    except UsageError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    # workers import the task by its module's name
    import chaos_sweep

    chaos_sweep.main()
