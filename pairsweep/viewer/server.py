"""Serves the page: on the loopback address alone, to whoever knows the token in its address, and to no other site."""

from __future__ import annotations

import asyncio
import html
import logging
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr
from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.document import Document
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from pairsweep.contract.errors import UsageError
from pairsweep.viewer.page import Page
from pairsweep.viewer.source import Source

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost")
HTTP_PORT = 80  # which a browser leaves out of the name of a host
STARTED = 30.0  # seconds that the start of a server may take
_REFUSED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>pairsweep view</title>
<body style="font-family: sans-serif; max-width: 40em; margin: 3em auto"><h1>Not for this address</h1>
<p>This page is shown to who opens the address that <code>pairsweep view</code> has printed, with its token. A link of
an earlier start holds the token of that start: put the part from the question mark on behind the address of this
one.</p>"""


class Refused(RequestHandler):
    """Says why nothing is shown."""

    def prepare(self) -> None:
        """Answer any method alike."""
        self.set_status(403)
        self.finish(_REFUSED)


class Guarded(BokehTornado):
    """Refuses every request, of pages, files and websockets, that has another host, origin or token."""

    def __init__(self, application: Application, token: str, port: int) -> None:
        self._start = f"/{token}/"
        self._hosts = {f"{name}:{port}" for name in NAMES}
        if port == HTTP_PORT:
            self._hosts |= set(NAMES)
        super().__init__(
            {"/": application},
            prefix=f"/{token}",
            extra_websocket_origins=sorted(self._hosts),
            stats_log_frequency_milliseconds=3_600_000,
        )

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Give the handler of a request."""
        if not self.allows(request):
            return self.get_handler_delegate(request, Refused)
        return super().find_handler(request, **kwargs)

    def allows(self, request: HTTPServerRequest) -> bool:
        """Whether a request comes from the page that was opened with the printed address, or opens it."""
        origin = request.headers.get("Origin")
        known = f"{request.path}/"[: len(self._start)]
        return (
            request.host.lower() in self._hosts
            and (origin is None or origin.lower() in {f"http://{host}" for host in self._hosts})
            and secrets.compare_digest(known.encode(), self._start.encode())
        )


class View:
    """A page that is being served.

    Attributes
    ----------
    url : its address, with the token
    """

    def __init__(self, url: str, close: Callable[[], None], thread: threading.Thread) -> None:
        self.url = url
        self._close, self._thread = close, thread

    def close(self) -> None:
        """End the server; pages that are open say so."""
        if self._thread.is_alive():
            self._close()
            self._thread.join()

    def wait(self) -> None:
        """Return when it is closed."""
        while self._thread.is_alive():
            self._thread.join(0.5)  # so that Ctrl-C is heard

    def __repr__(self) -> str:
        return f"View({self.url})"

    def _repr_html_(self) -> str:
        address = html.escape(self.url, quote=True)
        return (
            f'<iframe src="{address}" title="pairsweep view" allow="clipboard-write" '
            'style="width: 100%; height: 900px; border: 0"></iframe>'
            f'<p><a href="{address}" target="_blank">in a window of its own</a></p>'
        )


def serve(source: str | Path | xr.Dataset, port: int = 0) -> View:
    """Serve the page of a store or of results in a thread; see `pairsweep.viewer.view`."""
    opened = Source(source)
    for noisy in ("bokeh", "tornado.access", "tornado.application"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    Page(Document(), opened)  # what is slow the first time is done before anybody waits for it
    listening = _listening(port)
    port = listening.getsockname()[1]
    token = secrets.token_urlsafe(24)

    def fill(document: Document) -> None:
        Page(document, opened)

    started = threading.Event()
    made: list[tuple[IOLoop, asyncio.Event]] = []

    async def run() -> None:
        tornado = Guarded(Application(FunctionHandler(fill)), token, port)
        http = HTTPServer(tornado)
        http.add_sockets([listening])
        server = BaseServer(IOLoop.current(), tornado, http)
        server.start()
        ended = asyncio.Event()
        made.append((IOLoop.current(), ended))
        started.set()
        await ended.wait()
        if hasattr(server, "stop_async"):  # from Bokeh 3.10 on: its sessions end before the loop does
            await server.stop_async()
        else:
            server.stop()
        await http.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="pairsweep-view", daemon=True)
    thread.start()
    if not started.wait(STARTED):
        raise RuntimeError("the server of the page did not start")
    loop, ended = made[0]
    return View(f"http://{LOOPBACK}:{port}/{token}/", lambda: loop.add_callback(ended.set), thread)


def _listening(port: int) -> socket.socket:
    """Listen on the loopback address; refuse a port that cannot be had."""
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen()
        listening.setblocking(False)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = (getattr(error, "strerror", None) or str(error)).removeprefix("bind(): ").rstrip(".")
        raise UsageError("--port", port, f"{reason}; name another port, or none") from error
    return listening
