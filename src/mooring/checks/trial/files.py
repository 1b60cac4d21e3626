"""Small files for fields that want one: invented by the field's name, or the caller's own; larger ones of the same."""

from __future__ import annotations

import io
import json
import mimetypes
import struct
import wave
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mooring.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
SIDE = 28


@dataclass(frozen=True)
class File:
    """A file as a form carries it; `made_up` when its content is ours and not the caller's."""

    name: str
    content_type: str
    data: bytes
    made_up: bool = True

    def grown(self, size: int) -> File:
        """The same with that many bytes, and still valid where its format has room for what nobody reads."""
        missing = size - len(self.data)
        if missing <= 0:
            return self
        if self.data.endswith(PNG_END) and missing > len(_chunk(b"moRg", b"")):
            padding = _chunk(b"moRg", bytes(missing - len(_chunk(b"moRg", b""))))
            return replace(self, data=self.data.removesuffix(PNG_END) + padding + PNG_END)
        # Readers of text and JSON pass over blanks, those of JPEG and most others over what follows the end.
        text = self.content_type.startswith("text/") or self.content_type == "application/json"
        return replace(self, data=self.data + (b"\n" if text else b"\0") * missing)


def sample(path: str) -> File:
    """The caller's own file. NotFound if there is none."""
    file = Path(path.removeprefix("@"))
    try:
        data = file.read_bytes()
    except OSError as error:
        raise NotFound(f"the sample {file} cannot be read: {error.strerror}") from error
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return File(file.name, kind, data, made_up=False)


def invented(field: str, hint: str = "") -> File:
    """A file for the field of that name; `hint` are further words about it. A small picture where nothing else fits."""
    words = f"{field} {hint}".lower()
    fitting = (kind for kind in KINDS if any(key in words for key in kind[0]))
    _, name, content_type, make = next(fitting, KINDS[-1])
    return File(name, content_type, make())


def png(side: int = SIDE) -> bytes:
    """A grey picture with a bright stroke, as a digit has."""
    middle = range(side * 3 // 7, side * 4 // 7)
    row = b"\0" + bytes(255 if column in middle else 0 for column in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return PNG_MAGIC + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(row * side)) + PNG_END


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    return out.getvalue()


# The words that tell, and what is sent then: the first that fits, else the last.
KINDS: tuple[tuple[tuple[str, ...], str, str, Callable[[], bytes]], ...] = (
    (("csv", "table", "tabular"), "data.csv", "text/csv", lambda: b"a,b\n1,2\n"),
    (("json",), "data.json", "application/json", lambda: json.dumps({"text": "text"}).encode()),
    (("text", "txt", "document"), "text.txt", "text/plain", lambda: b"A line of text.\n"),
    (("audio", "wav", "sound", "speech", "voice"), "sound.wav", "audio/wav", _wav),
    (("image", "picture", "photo"), "image.png", "image/png", png),
    ((), "image.png", "image/png", png),
)
