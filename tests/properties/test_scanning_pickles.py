"""Whatever the unpickler of Python would import, the walker has seen, for any opcodes in any order."""

import contextlib
import io
import pickle
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.checks.scanning.pickles.content import Collected, Content
from mooring.checks.scanning.pickles.policy import full_name

NAMES = ["os", "system", "collections", "OrderedDict", "a.b", "x"]


class Stub:
    """Stands for whatever is imported: it may be called, and its state set."""

    def __new__(cls, *_arguments, **_options):
        return object.__new__(cls)

    def __init__(self, *_arguments, **_options):
        pass

    def __setstate__(self, _state):
        pass


class Recorder(pickle.Unpickler):
    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.names = set()

    def find_class(self, module, name):
        self.names.add(f"{module}.{name}")
        return Stub

    def persistent_load(self, _pid):
        return None


def short(text):
    return b"\x8c" + bytes([len(text)]) + text.encode()


def long(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


name = st.sampled_from(NAMES)
number = st.integers(0, 4)
opcode = st.one_of(
    name.map(short),
    name.map(long),
    name.map(lambda text: b"U" + bytes([len(text)]) + text.encode()),
    name.map(lambda text: b"V" + text.encode() + b"\n"),
    name.map(lambda text: b"S'" + text.encode() + b"'\n"),
    st.tuples(name, name).map(lambda both: f"c{both[0]}\n{both[1]}\n".encode()),
    st.tuples(name, name).map(lambda both: f"(i{both[0]}\n{both[1]}\n".encode()),
    number.map(lambda n: b"h" + bytes([n])),
    number.map(lambda n: b"q" + bytes([n])),
    number.map(lambda n: f"g{n}\n".encode()),
    number.map(lambda n: f"p{n}\n".encode()),
    number.map(lambda n: b"r" + struct.pack("<I", n)),
    number.map(lambda n: b"C" + bytes([n]) + b"." * n),
    number.map(lambda n: b"K" + bytes([n])),
    st.sampled_from(
        [bytes([code]) for code in b"(0122NRb}]()tuesadlo\x81\x85\x86\x87\x88\x8f\x90\x91\x93\x93\x93\x94\x94"]
    ),
)
# Pieces that do something together, so that more than the first opcodes of a program are reached.
whole = st.one_of(
    opcode,
    st.tuples(name, name).map(lambda both: short(both[0]) + b"\x94" + short(both[1]) + b"\x94\x93\x94"),
    st.tuples(number, number).map(lambda both: b"h%ch%c\x93" % both),
    st.just(b")R"),
    st.just(b"}b"),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(whole, max_size=25), st.integers(1, 9))
def test_no_import_of_the_real_unpickler_is_missed(pieces, cut):
    data = b"\x80\x04" + b"".join(pieces) + b"."
    real = Recorder(data)
    with contextlib.suppress(Exception):
        real.load()
    collected = Collected()
    content = Content(collected)
    for at in range(0, len(data), cut):
        content.feed(data[at : at + cut])
    content.finish()
    seen = {f"{each.module}.{each.name}" for place in collected.places.values() for each in place.imports}
    assert real.names <= seen | {full_name(*each.rsplit(".", 1)) for each in seen}
