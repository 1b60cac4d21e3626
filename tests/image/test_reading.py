"""One pass over several layers by several threads: what comes of it, and how it ends."""

import io
import os
import pickletools
import signal
import threading

import pytest
from doubles.archives import digest_of, file, layer

from mooring.errors import Invalid, Unavailable
from mooring.image.ahead import Ahead
from mooring.image.feed import Content, Feed
from mooring.image.image import Layer
from mooring.image.reading import StoredLayer, read_layers

BIG = bytes(range(256)) * 12_000


def stored(data, chunks=None, **more):
    def whole():
        for at in range(0, len(data), 1 << 16):
            yield data[at : at + (1 << 16)]

    return StoredLayer(layer=Layer(digest=digest_of(data)), chunks=chunks or whole, size=len(data), **more)


def test_layers_are_merged_in_their_order_whatever_is_read_first():
    layers = [layer(file("a", f"{number}" * (number * 9999 + 1))) for number in range(6)]
    for order in (layers, layers[::-1]):
        files = read_layers([stored(data) for data in order], threads=3)
        assert files.get("/a").layer == 5
        assert [one.stored for one in files.layers] == [len(data) for data in order]


def test_one_layers_failure_ends_the_others_and_is_raised_with_its_name():
    endless = threading.Event()

    def waits():
        yield layer(file("big", BIG))[:5000]
        while not endless.wait(0.01):
            yield bytes(512)

    def fails():
        yield layer(file("small", "1"))[:512]
        raise Unavailable("the line is dead")

    before = set(threading.enumerate())
    try:
        with pytest.raises(Unavailable, match="the line is dead"):
            read_layers([stored(b"", waits), stored(b"", fails)], threads=2)
    finally:
        endless.set()
    assert set(threading.enumerate()) <= before


def test_the_source_of_a_layer_is_closed_when_the_pass_ends_early():
    closed = threading.Event()

    def source():
        try:
            yield layer(file("big", BIG))
            yield bytes(512)
        finally:
            closed.set()

    def inspect(_entry, _stream):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        read_layers([stored(b"", source)], inspect)
    assert closed.is_set()


@pytest.mark.timeout(30)
def test_ctrl_c_ends_the_pass_promptly_and_leaves_no_threads():
    def endless():
        yield layer(file("big", BIG))[:5000]
        while True:
            yield bytes(1 << 16)

    before = set(threading.enumerate())
    timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        read_layers([stored(b"", endless), stored(b"", endless)])
    timer.join()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(("size", "said"), [(1, "1 were announced"), (10**9, "1000000000 were announced")])
def test_a_layer_of_another_size_than_announced_is_refused(size, said):
    data = layer(file("a", "1"))
    source = StoredLayer(layer=Layer(digest=""), chunks=lambda: iter((data,)), size=size)
    with pytest.raises(Invalid, match=said):
        read_layers([source])


def test_a_digest_nobody_knows_is_refused():
    source = StoredLayer(layer=Layer(digest="md5:00"), chunks=lambda: iter((layer(),)))
    with pytest.raises(Invalid, match="md5:00"):
        read_layers([source])


def test_an_image_without_layers_is_empty():
    assert list(read_layers([]).entries()) == []


def test_an_inspector_is_called_by_several_threads_at_once():
    together = threading.Barrier(2, timeout=30)

    def inspect(_entry, _stream):
        together.wait()
        return True

    files = read_layers([stored(layer(file("a", "1"))), stored(layer(file("b", "2")))], inspect, threads=2)
    assert len(files.notes) == 2


def test_a_content_is_read_as_a_file_and_ends_with_its_file():
    feed = Feed(iter((b"ab", b"", b"cd\nef", b"gh", b"next")))
    content = Content(feed, 9)
    assert content.read1() == b"ab"
    assert content.readline() == b"cd\n"
    assert (content.tell(), content.peek(1)[:2]) == (5, b"ef")
    assert content.read(3) == b"efg"
    assert content.read() == b"h"
    assert content.read(5) == content.read1(5) == content.readline() == b""
    assert feed.take(9) == b"next"


def test_what_lies_in_one_chunk_is_handed_on_without_a_copy():
    chunk = b"x" * 1000
    content = Content(Feed(iter((chunk, chunk))), 2000)
    assert content.read1(1 << 20) is chunk
    assert content.read(1000) == chunk


def test_tools_for_files_can_use_a_content():
    import pickle

    data = pickle.dumps({"a": [1, "two", 3.0]}, protocol=0)
    content = Content(Feed(data[at : at + 3] for at in range(0, len(data), 3)), len(data))
    assert [name for name, *_ in ((op.name,) for op, _, _ in pickletools.genops(content))][-1] == "STOP"
    assert io.BufferedReader(Content(Feed(iter((data,))), len(data))).read() == data


def test_making_ahead_stops_when_nobody_wants_more():
    made = []

    def source():
        for number in range(1000):
            made.append(number)
            yield b"x"

    with Ahead(source()) as chunks:
        assert next(chunks) == b"x"
    assert len(made) < 20
    assert list(chunks) == []


def test_a_source_that_waits_is_woken_to_end():
    awake = threading.Event()

    def source():
        yield b"first"
        awake.wait(30)
        yield b"second"

    with Ahead(source(), interrupt=awake.set) as chunks:
        assert next(chunks) == b"first"
    assert awake.is_set()
