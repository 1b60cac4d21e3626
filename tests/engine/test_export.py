"""What an engine writes of an image, as it comes in."""

import contextlib
import socket
import threading

import docker
import pytest

from mooring.engine.export import CHUNK_BYTES, Export

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
# What Go copies at once.
PART_BYTES = 32 << 10
PATIENCE_SECONDS = 60


def chunked(data):
    """The data as an engine sends it."""
    parts = [data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


@pytest.fixture
def exported():
    """An export from an engine that sends these bytes, and then hangs up or says no more."""
    over = threading.Event()
    with contextlib.ExitStack() as stack:

        def served(sent, *, hangs_up=True):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def answer():
                connection, _ = listening.accept()
                with connection:
                    connection.recv(4096)
                    # Whoever asked may have hung up.
                    with contextlib.suppress(OSError):
                        connection.sendall(sent)
                    if not hangs_up:
                        over.wait(PATIENCE_SECONDS)

            thread = threading.Thread(target=answer)
            thread.start()
            stack.callback(thread.join)
            stack.callback(over.set)
            url = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
            api = stack.enter_context(contextlib.closing(docker.APIClient(url, version="1.41")))
            return stack.enter_context(contextlib.closing(Export(api, "mnist:1")))

        yield served


def test_it_comes_in_large_chunks_however_small_the_engine_sends_it(exported):
    data = bytes(range(256)) * 10_000
    chunks = list(exported(HEAD + chunked(data) + END, hangs_up=False))
    assert b"".join(chunks) == data
    assert all(CHUNK_BYTES <= len(chunk) < CHUNK_BYTES + PART_BYTES for chunk in chunks[:-1])


def test_what_came_before_the_engine_hung_up_is_given(exported):
    data = b"1" * (CHUNK_BYTES + PART_BYTES)
    chunks = list(exported(HEAD + chunked(data) + b"8000\r\nhalf of it"))
    assert b"".join(chunks).startswith(data)
    assert len(chunks) == 2


def test_to_close_it_wakes_who_waits_for_more(exported):
    export = exported(HEAD + chunked(b"1" * PART_BYTES), hangs_up=False)
    came = []
    reading = threading.Thread(target=lambda: came.extend(export))
    reading.start()
    reading.join(0.2)
    assert reading.is_alive()
    export.close()
    reading.join(PATIENCE_SECONDS)
    assert not reading.is_alive()
    assert b"".join(came) == b"1" * PART_BYTES
