"""What multipart and JSON parsers cost on the requests of this benchmark, and what they do with broken bodies."""

import itertools
import json
import logging
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

from multipart_parsers import BOUNDARY, PARSERS, Parse

DISPOSITION = 'form-data; name="images"; filename="seven.jpg"'


def file_part(data: bytes, *, disposition: str = DISPOSITION, extra: bytes = b"") -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: image/jpeg\r\n".encode()
    return head + extra + b"\r\n" + data + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
PICTURE = bytes(range(256)) * 2 + bytes(219)  # 731 bytes
BROKEN: dict[str, bytes] = {
    "no final boundary": file_part(PICTURE),
    "LF for CRLF": (file_part(b"abc") + END).replace(b"\r\n", b"\n"),
    "same name twice": file_part(b"one") + file_part(b"two") + END,
    "filename*=": file_part(b"abc", disposition="form-data; name=\"images\"; filename*=UTF-8''%E4%B8%83.jpg") + END,
    "UTF-8 filename": file_part(b"abc", disposition='form-data; name="images"; filename="七.jpg"') + END,
    "NUL in header": file_part(b"abc", disposition='form-data; name="images"; filename="a\0b.jpg"') + END,
    "header, no colon": file_part(b"abc", extra=b"nonsense\r\n") + END,
    "10,000 parts": b"".join([file_part(b"x")] * 10_000) + END,
    "1 MB header": file_part(b"abc", extra=b"X-Long: " + b"a" * (1 << 20) + b"\r\n") + END,
    "1,000 headers": file_part(b"abc", extra=b"X-Many: a\r\n" * 1000) + END,
    "no name": file_part(b"abc", disposition="form-data") + END,
    "junk after the end": file_part(b"abc") + END + b"junk" * 10,
}


def verdict(parse: Parse, body: bytes) -> str:
    began = time.perf_counter()
    try:
        parts = parse(body)
    except BaseException as error:  # noqa: BLE001 -- Rust panics are not Exceptions, and they are what we look for
        said = f"refused: {type(error).__name__} {str(error)[:60]}".rstrip()
    else:
        shown = [(name, filename, len(data)) for name, filename, _, data in parts]
        said = f"accepted {shown[0] if len(shown) == 1 else shown if len(shown) < 4 else f'{len(shown)} parts'}"
    took = time.perf_counter() - began
    return said + (f" [{took * 1000:.0f} ms]" if took > 0.01 else "")


def microseconds(call: Callable[[], Any], *, budget: float = 0.25) -> float:
    """The median over five rounds of the time of one call, in microseconds."""
    call()
    once = min(_timed(call, 1) for _ in range(3))
    count = max(1, int(budget / 5 / max(once, 1e-7)))
    return statistics.median(_timed(call, count) / count for _ in range(5)) * 1e6


def _timed(call: Callable[[], Any], count: int) -> float:
    began = time.perf_counter()
    for _ in itertools.repeat(None, count):
        call()
    return time.perf_counter() - began


def peak(call: Callable[[], Any]) -> float:
    """The largest Python allocation during one call, in MiB beyond the body itself."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def multipart_tables() -> Iterator[str]:
    small, large = file_part(PICTURE) + END, file_part(bytes(range(256)) * (5 << 12)) + END
    yield "| parser | version | 731-byte file, us | 5 MiB file, us | peak Python memory for 5 MiB, MiB |"
    yield "|---|---|---|---|---|"
    ready = {}
    for name, make in PARSERS.items():
        version = "" if "(" in name else metadata.version(name)
        try:
            parse = make()
            assert [part[3] for part in parse(small)] == [PICTURE], "gives other bytes than were sent"
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is the row
            yield f"| {name} | {version} | {type(error).__name__}: {error} | | |"
            continue
        ready[name] = parse
        times = microseconds(lambda p=parse: p(small)), microseconds(lambda p=parse: p(large))
        yield f"| {name} | {version} | {times[0]:.1f} | {times[1]:.0f} | {peak(lambda p=parse: p(large)):.1f} |"
    yield ""
    yield "| broken body | " + " | ".join(ready) + " |"
    yield "|---" * (len(ready) + 1) + "|"
    for what, body in BROKEN.items():
        yield f"| {what} | " + " | ".join(verdict(parse, body) for parse in ready.values()) + " |"


def json_table() -> Iterator[str]:
    import msgspec
    import orjson

    pixels = [round((i * 37 % 256) / 255, 3) for i in range(784)]
    whole = [i * 37 % 256 for i in range(784)]

    class Picture(msgspec.Struct):
        pixels: list[float]

    readers: dict[str, Callable[[bytes], Any]] = {
        "json (standard library)": json.loads,
        f"orjson {metadata.version('orjson')}": orjson.loads,
        f"msgspec {metadata.version('msgspec')}": msgspec.json.Decoder().decode,
        "msgspec, typed struct": msgspec.json.Decoder(Picture).decode,
    }
    bodies = [json.dumps({"pixels": values}).encode() for values in (pixels, whole)]
    yield f"| JSON parser | 784 decimals, {len(bodies[0])} bytes, us | 784 whole numbers, {len(bodies[1])} bytes, us |"
    yield "|---|---|---|"
    for name, read in readers.items():
        yield f"| {name} | " + " | ".join(f"{microseconds(lambda r=read, b=b: r(b)):.1f}" for b in bodies) + " |"


def main() -> None:
    logging.disable(logging.CRITICAL)  # python-multipart tells of every broken body
    for line in itertools.chain(multipart_tables(), [""], json_table()):
        print(line)


if __name__ == "__main__":
    main()
