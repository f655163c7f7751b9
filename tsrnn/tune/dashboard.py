"""A study in a browser, on this machine alone, for as long as a sweep runs: optuna-dashboard, the extra `dashboard`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tsrnn.errors import InputError
from tsrnn.tune import storage, turns

_HOST, _PORT = "127.0.0.1", 8080


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Requests are not told."""


@contextmanager
def dashboard(url: str) -> Iterator[str]:
    """Show a storage's studies; the address is http://127.0.0.1:8080, or at another port where that is taken.

    Raises:
        InputError: optuna-dashboard is not installed, the storage cannot be opened, or lies in memory.
    """
    try:
        from optuna_dashboard import wsgi
    except ImportError:
        raise InputError('the dashboard needs optuna-dashboard: python -m pip install "tsrnn[dashboard]"') from None
    if not storage.shared(url):
        raise InputError("a storage in memory has no dashboard; name a file")
    with turns.turn(url, patient=False):
        app = wsgi(storage.opened(url))
    try:
        server = make_server(_HOST, _PORT, app, _Server, _Quiet)
    except OSError:
        server = make_server(_HOST, 0, app, _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, name="tsrnn-dashboard", daemon=True)
    thread.start()
    try:
        yield f"http://{_HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
