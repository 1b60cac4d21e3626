"""The frames between the HTTP parent and a worker, over a socket pair.

A frame is its length (unsigned 32 bits, little endian) and a marshalled tuple of plain values. marshal, because both
ends are ours, it is in every interpreter, and it is ten times faster than JSON for lists of numbers; format 2, because
every Python since 2.5 reads and writes it, so parent and worker may run different ones.
"""

import marshal
import struct
from typing import Any, Iterator, List, Tuple

# From the worker: what it says of itself ...
READY = 1  # (READY, names of the APIs' methods that take batches)
FAILED = 2  # (FAILED, why it could not load, the traceback if there is more to say)
# ... and of calls: (DONE, [(status, JSON body), ...], seconds the model took)
DONE = 3
# From the parent: (CALLS, [(API index, request id, value, [(field, file name, content type, content), ...]), ...])
CALLS = 4

_LENGTH = struct.Struct("<I")
_FORMAT = 2

Frame = Tuple[Any, ...]
Call = Tuple[int, str, Any, List[Tuple[str, str, str, bytes]]]
Answer = Tuple[int, bytes]


def pack(frame: Frame) -> bytes:
    """One frame as bytes; ValueError for values that are not plain."""
    payload = marshal.dumps(frame, _FORMAT)
    return _LENGTH.pack(len(payload)) + payload


class Unpacker:
    """Puts frames together again from the pieces a socket delivers."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that are whole once this piece is there."""
        if not self._buffer and len(piece) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(piece)
            if len(piece) == _LENGTH.size + length:  # the common case: one piece, one frame, no copy
                yield marshal.loads(memoryview(piece)[_LENGTH.size :])  # noqa: S302 - both ends are ours
                return
        self._buffer += piece
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield marshal.loads(payload)  # noqa: S302 - both ends are ours
