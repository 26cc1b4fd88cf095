"""An ASGI app on a port of loopback, in a thread of this process."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread

import uvicorn


@contextmanager
def serving(asgi):
    """Serve an ASGI app on a free port of loopback; yields its URL."""
    config = uvicorn.Config(asgi, port=0, log_config=None, ws="none")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    socket.listen()
    thread = Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
