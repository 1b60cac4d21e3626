"""`mooring predict` on answers without end, without bound or without sense."""

import json
import time

import pytest


def dripping(line, over):
    """An answer that never ends, and never pauses for long."""
    line.recv(65536)
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while not over.wait(0.05):
        line.sendall(b"x")


def dripping_head(line, over):
    line.recv(65536)
    line.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.05):
        line.sendall(b"x")


@pytest.mark.parametrize(
    ("server", "told"), [(dripping, "was still sending its answer after 1 s"), (dripping_head, "no answer within 1 s")]
)
def test_the_time_limit_is_for_the_whole_answer_and_not_for_each_piece_of_it(mooring, server, told, answering):
    with answering(server) as port:
        began = time.monotonic()
        done = mooring("predict", f"127.0.0.1:{port}", "--timeout", "1")
    assert time.monotonic() - began < 60
    assert done.returncode == 69
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_answer_larger_than_anyone_could_read_is_not_taken(mooring, answering):
    def flooding(line, over):
        line.recv(65536)
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not over.is_set():
            line.sendall(bytes(1 << 20))

    with answering(flooding) as port:
        done = mooring("predict", f"127.0.0.1:{port}", "--timeout", "60")
    assert done.returncode == 2
    assert "more than 64 MiB" in done.stderr
    assert "curl -o FILE" in done.stderr


@pytest.mark.parametrize("depth", [980, 10_001])
def test_an_answer_nested_deeper_than_python_goes_is_shown_as_the_text_it_is(mooring, depth, answering):
    body = b"[" * depth + b"]" * depth
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)

    def nested(line, over):
        line.recv(65536)
        line.sendall(head + body)

    with answering(nested) as port:
        done = mooring("predict", f"127.0.0.1:{port}")
        told = mooring("predict", f"127.0.0.1:{port}", "--format", "json")
    assert (done.returncode, told.returncode) == (0, 0)
    assert "".join(done.stdout.split()) == body.decode()
    assert json.loads(told.stdout)["bytes"] == len(body)


def test_half_a_character_is_shown_as_the_escape_it_came_as(mooring, answering):
    def halved(line, over):
        line.recv(65536)
        line.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n["\\ud800\xc3\xa9"]')

    with answering(halved) as port:
        for words in ((), ("--format", "json")):
            done = mooring("predict", f"127.0.0.1:{port}", *words)
            assert done.returncode == 0, done.stderr
            assert '"\\ud800é"' in done.stdout
