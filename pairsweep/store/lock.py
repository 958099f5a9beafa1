"""Who may coordinate a store, and who may write a block.

Both rest on ``flock``: the kernel lets go when the holder dies, however it dies, so on one host there are no
stale locks and no process numbers to mistake. Between hosts a lock also carries a heartbeat, for file systems
that do not carry ``flock`` from host to host.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from pairsweep.contract.errors import StoreError

HEARTBEAT = 10.0  # seconds between two signs of life
STALE = 6 * HEARTBEAT  # silence of another host after which its lock is void
_STRIPES = 256
_NO_FLOCK = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)
_BUSY = (errno.EAGAIN, errno.EACCES)


def _flock(handle: int) -> bool:
    """Try to lock; True if locked or if this file system knows no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        if error.errno not in _NO_FLOCK:
            raise
    return True


@contextlib.contextmanager
def only_writer(folder: Path, block: int, patience: float = 60.0) -> Iterator[None]:
    """Hold a block while its chunks are merged and replaced.

    A block has one task. It waits for a task that was taken for dead and whose block was given to somebody else, and
    for the writing of other blocks with the same lock, whose numbers differ from its own by multiples of 256.
    """
    handle = os.open(folder / f"{block % _STRIPES}", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        end = time.monotonic() + patience
        while not _flock(handle):
            if time.monotonic() > end:
                cure = "end the process that holds it, then start the same command again"
                what = f"block {block}, or one that shares its lock, is being written by another process"
                raise StoreError(str(folder), what, cure)
            time.sleep(0.01)
        yield
    finally:
        os.close(handle)


class Lock:
    """The one coordinator of a store; a context manager.

    Raises `StoreError` if another coordinator is alive. ``check`` tells a coordinator that was taken for dead
    (a laptop asleep) that its store has been taken over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._token = uuid.uuid4().hex
        self._stop = threading.Event()
        self._lost = False
        self._handle = -1

    def __enter__(self) -> Lock:
        flock = self._path.with_suffix(".flock")
        self._handle = os.open(flock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _flock(self._handle):
                raise self._refusal(self._holder())
            holder = self._holder()
            elsewhere = holder is not None and holder.get("host") != socket.gethostname()
            self._beat()
            if elsewhere:
                self._take_over(holder or {})
            self._write()
            if elsewhere:
                # two hosts may have found the same stale lock: the last one to write has it
                time.sleep(1.0)
                self.check()
        except BaseException:
            os.close(self._handle)
            raise
        self._thread = threading.Thread(target=self._live, name="pairsweep-lock", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if self._mine():
            with contextlib.suppress(OSError):
                self._path.unlink()
        os.close(self._handle)

    def check(self) -> None:
        """Raise `StoreError` if another coordinator has taken the store over."""
        if self._lost or not self._mine():
            self._lost = True
            raise StoreError(str(self._path.parent), "taken over by another run", "let that one finish")

    def _holder(self) -> dict[str, Any] | None:
        try:
            return dict(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def _mine(self) -> bool:
        holder = self._holder()
        return holder is not None and holder.get("token") == self._token

    def _pulse(self) -> Path:
        return self._path.with_name(f"{self._path.name}-{self._token}")

    def _beat(self) -> float:
        """Time of the file server: hosts disagree about theirs."""
        pulse = self._pulse()
        pulse.write_bytes(b"")
        now = pulse.stat().st_mtime
        pulse.unlink()
        return now

    def _take_over(self, holder: dict[str, Any]) -> None:
        if self._beat() - self._path.stat().st_mtime < STALE:
            raise self._refusal(holder)

    def _refusal(self, holder: dict[str, Any] | None) -> StoreError:
        holder = holder or {}
        who = f"in use by process {holder.get('pid', '?')} on {holder.get('host', 'this host')}"
        store = str(self._path.parent.parent.parent)
        return StoreError(store, who, "wait until it has ended, or end it")

    def _write(self) -> None:
        content = {"host": socket.gethostname(), "pid": os.getpid(), "token": self._token}
        pulse = self._pulse()
        pulse.write_text(json.dumps(content))
        pulse.replace(self._path)

    def _live(self) -> None:
        while not self._stop.wait(HEARTBEAT):
            try:
                if not self._mine():
                    self._lost = True
                    return
                os.utime(self._path)
            except OSError:
                continue  # a network hiccup; silence for STALE seconds decides
