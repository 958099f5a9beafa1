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

    A block has one task. It waits for a task that was taken for dead and whose block was given to somebody else.
    The file that is locked lasts as long as the lock.
    """
    path = folder / f"{block}"
    end = time.monotonic() + patience
    while (handle := _locked(path)) is None:
        if time.monotonic() > end:
            cure = "end the process that holds it, then start the same command again"
            raise StoreError(str(folder), f"block {block} is being written by another process", cure)
        time.sleep(0.01)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def clear(folder: Path) -> None:
    """Remove the files that writers who were killed held."""
    for path in folder.iterdir():
        handle = _locked(path)
        if handle is not None:
            path.unlink(missing_ok=True)
            os.close(handle)


def _locked(path: Path) -> int | None:
    """Open and lock a file; None if it is held, or was just removed by who held it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        # between hosts a name may be known for a while after its file is gone
        if error.errno in (errno.ENOENT, errno.ESTALE) and path.parent.is_dir():
            return None
        raise
    try:
        if _flock(handle) and _is_at(handle, path):
            return handle
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


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
        silent = self._beat() - self._path.stat().st_mtime
        if silent < -STALE:
            dated = f"locked by {holder.get('host')}, with a date {-silent:.0f} s ahead of the file server's"
            raise StoreError(self._store(), dated, f"if no run is at work there, remove {self._path}")
        if silent < STALE:
            raise self._refusal(holder)

    def _refusal(self, holder: dict[str, Any] | None) -> StoreError:
        holder = holder or {}
        who = f"in use by process {holder.get('pid', '?')} on {holder.get('host', 'this host')}"
        return StoreError(self._store(), who, "wait until it has ended, or end it")

    def _store(self) -> str:
        return str(self._path.parent.parent.parent)

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
