"""One pass by all scanners: read once and whole, from several threads, in memory that does not grow with the file."""

import concurrent.futures
import io
import pickle
import tracemalloc

import pytest

from mooring.checks.scanning import Scanner
from mooring.image import Entry

HARM = b"\x80\x02cposix\nsystem\n(tR."


class Endless(io.RawIOBase):
    """So many bytes of a pickle's payload, made as they are read, and harm behind it."""

    def __init__(self, size):
        self.head = b"\x80\x04\x8e" + size.to_bytes(8, "little")
        self.size, self.tail = size, b"0" + HARM[2:]
        self.reads = 0

    def readinto(self, buffer):
        for part in ("head", "tail"):
            if part == "tail" and self.size:
                break
            held = getattr(self, part)
            if held:
                count = min(len(buffer), len(held))
                buffer[:count] = held[:count]
                setattr(self, part, held[count:])
                return count
        count = min(len(buffer), self.size)
        buffer[:count] = bytes(count)
        self.size -= count
        return count


def test_memory_does_not_grow_with_the_file():
    scan = Scanner()
    scan(Entry(path="/warm", size=1), io.BytesIO(b"x"))
    tracemalloc.start()
    try:
        (found,) = scan(Entry(path="/w.bin", size=1 << 28), Endless(1 << 28))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.names == ("posix.system",)
    assert peak < 40_000_000


def test_everything_is_read_once_and_to_the_end():
    class Forward:
        def __init__(self, data):
            self.inner, self.given = io.BytesIO(data), 0

        def read(self, size):
            data = self.inner.read(min(size, 100_000))
            self.given += len(data)
            return data

    stream = Forward(b"x" * 9_999_999)
    assert Scanner()(Entry(path="/a", size=9_999_999), stream) is None
    assert stream.given == 9_999_999


def test_several_threads_share_one_scanner():
    scan = Scanner()
    files = [HARM if number % 3 == 0 else pickle.dumps([number] * 100) for number in range(300)]

    def look(data):
        return bool(scan(Entry(path="/x", size=len(data)), io.BytesIO(data)))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(look, files)) == [number % 3 == 0 for number in range(300)]


def test_a_malicious_pickle_is_told_once_though_two_scanners_know_it():
    found = Scanner()(Entry(path="/x", size=len(HARM)), io.BytesIO(HARM))
    assert [each.scanner for each in found] == ["pickle"]


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x80\x04", b"P", b"PK\x03\x04", b"\x1f\x8b", b"\x93NUMPY", b"BZh", b"x\x9c"]
)
def test_files_that_end_at_once_are_nothing(data):
    assert Scanner()(Entry(path="/x", size=len(data)), io.BytesIO(data)) is None
