"""The multipart parsers there are, each behind the same small function: a body in, its parts out."""

import io
from collections.abc import Callable, Iterator
from typing import Any

BOUNDARY = "----------------------------4f2c0a8be71d9e35"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
CHUNK = 64 * 1024  # what the HTTP servers hand over at once
Part = tuple[str, str | None, str | None, bytes]
Parse = Callable[[bytes], list[Part]]


def pieces(body: bytes) -> Iterator[bytes]:
    if len(body) <= CHUNK:
        yield body
        return
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]


def with_multipart() -> Parse:
    import multipart

    def parse(body: bytes) -> list[Part]:
        parts: list[Part] = []
        got: list[bytes] = []
        segment: Any = None
        limits = {"max_segment_count": 128, "strict": True}
        with multipart.PushMultipartParser(BOUNDARY, content_length=len(body), **limits) as parser:
            for piece in pieces(body):
                for event in parser.parse(piece):
                    if event is None:
                        data = got[0] if len(got) == 1 else b"".join(got)
                        parts.append((segment.name, segment.filename, segment.content_type, data))
                    elif isinstance(event, bytes):
                        got.append(event)
                    else:
                        segment, got = event, []
        return parts

    return parse


class Collector:
    """What python-multipart calls back, gathered into parts."""

    def __init__(self, parse_options: Callable[[bytes], tuple[bytes, dict[bytes, bytes]]]) -> None:
        self.parts: list[Part] = []
        self.name = self.value = b""
        self.got: list[bytes] = []
        self.headers: dict[bytes, bytes] = {}
        self.ended = False
        self.parse_options = parse_options

    def on_part_begin(self) -> None:
        self.headers, self.got = {}, []

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.got.append(data[start:end])

    def on_header_begin(self) -> None:
        self.name = self.value = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def on_header_end(self) -> None:
        self.headers[self.name.lower()] = self.value

    def on_part_end(self) -> None:
        _, options = self.parse_options(self.headers.get(b"content-disposition", b""))
        kind = self.headers.get(b"content-type")
        name, filename = options[b"name"].decode(), options.get(b"filename")
        self.parts.append((name, _text(filename), _text(kind), b"".join(self.got)))

    def on_end(self) -> None:
        self.ended = True


def with_python_multipart() -> Parse:
    import python_multipart

    events = tuple(name for name in vars(Collector) if name.startswith("on_"))

    def parse(body: bytes) -> list[Part]:
        seen = Collector(python_multipart.multipart.parse_options_header)
        parser = python_multipart.MultipartParser(BOUNDARY, {event: getattr(seen, event) for event in events})
        for piece in pieces(body):
            parser.write(piece)
        parser.finalize()
        if not seen.ended:
            message = "no final boundary (asked of the end event: finalize() says nothing)"
            raise ValueError(message)
        return seen.parts

    return parse


def with_streaming_form_data() -> Parse:
    from streaming_form_data import StreamingFormDataParser
    from streaming_form_data.targets import ValueTarget

    def parse(body: bytes) -> list[Part]:
        # Names must be known beforehand: ours are, from config.json.
        parser = StreamingFormDataParser({"Content-Type": CONTENT_TYPE})
        target = ValueTarget()
        parser.register("images", target)
        for piece in pieces(body):
            parser.data_received(piece)
        return [("images", target.multipart_filename, target.multipart_content_type, target.value)]

    return parse


def with_emmett_core() -> Parse:
    from emmett_core._emmett_core import MultiPartReader

    def parse(body: bytes) -> list[Part]:
        reader = MultiPartReader(CONTENT_TYPE, 12 << 20)
        for piece in pieces(body):
            reader.parse(piece)
        return [
            (name, field.filename, field.content_type, field.read()) if is_file else (name, None, None, field)
            for name, is_file, field in reader.contents()
        ]

    return parse


def with_fast_multipart() -> Parse:
    import fast_multipart

    def parse(body: bytes) -> list[Part]:
        parts: list[Part] = []
        got: list[bytes] = []
        fields: list[Any] = []

        def on_end() -> None:
            field = fields.pop()
            parts.append((field.name, field.filename, field.content_type, b"".join(got)))
            got.clear()

        parser = fast_multipart.MultipartParser(BOUNDARY, fields.append, got.append, on_end)
        for piece in pieces(body):
            parser.feed(piece)
        parser.close()  # answers None whether the body was whole or not
        if fields:
            message = "a part was not ended (asked of the callbacks: close() says nothing)"
            raise ValueError(message)
        return parts

    return parse


def with_bytes_index() -> Parse:
    delimiter = b"\r\n--" + BOUNDARY.encode()

    def parse(body: bytes) -> list[Part]:
        start = body.index(b"\r\n\r\n") + 4
        return [("images", None, None, body[start : body.index(delimiter, start)])]

    return parse


def with_email() -> Parse:
    from email.parser import BytesParser
    from email.policy import HTTP

    head = f"Content-Type: {CONTENT_TYPE}\r\n\r\n".encode()

    def parse(body: bytes) -> list[Part]:
        message = BytesParser(policy=HTTP).parse(io.BytesIO(head + body))
        return [
            (
                part.get_param("name", header="content-disposition"),
                part.get_filename(),
                part.get_content_type(),
                part.get_payload(decode=True),
            )
            for part in message.iter_parts()
        ]

    return parse


PARSERS: dict[str, Callable[[], Parse]] = {
    "multipart": with_multipart,
    "python-multipart": with_python_multipart,
    "streaming-form-data": with_streaming_form_data,
    "emmett-core": with_emmett_core,
    "fast-multipart": with_fast_multipart,
    "email (standard library)": with_email,
    "bytes.index (no parser: the floor)": with_bytes_index,
}


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
