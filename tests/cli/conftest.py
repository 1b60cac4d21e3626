"""Servers that misbehave as a test says."""

import contextlib
import socket
import threading

import pytest


@pytest.fixture
def answering():
    """A server's port, by what it does with each connection (and an event that it is over)."""
    return _answering


@contextlib.contextmanager
def _answering(connection_made):
    """A server that does one thing with each connection."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    line, _ = server.accept()
                    with contextlib.suppress(OSError), line:
                        connection_made(line, over)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
