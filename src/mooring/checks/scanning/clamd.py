"""ClamAV, asked over the socket of a clamd that somebody runs: each file streamed to it in the same pass."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, replace

from mooring.checks.scanning.detection import Detection, Severity
from mooring.errors import Invalid

CONNECT_SECONDS = 5
# What clamd may take for one file after it has it all.
ANSWER_SECONDS = 300
CHUNK = 1 << 20
_TOO_LARGE = "size limit exceeded"
_LONGEST_ANSWER = 65_536


@dataclass(frozen=True, kw_only=True)
class Antivirus:
    """What became of asking clamd: files it has looked at and files it takes no more of, for they are too large.

    `trouble` says why it could not be asked, or not to the end; "" when all went well.
    """

    address: str
    version: str = ""
    files: int = 0
    too_large: int = 0
    trouble: str = ""


class Clamd:
    """One clamd for one pass over an image, asked from several threads; after the first trouble it is left alone."""

    def __init__(self, address: str) -> None:
        self._family, self._target = parsed(address)
        self._lock = threading.Lock()
        self._smallest_refused = 0
        self._outcome = Antivirus(address=address)
        try:
            with self._connected() as stream:
                stream.sendall(b"zVERSION\0")
                self._outcome = replace(self._outcome, version=_answer(stream))
        except OSError as error:
            self.fail(error)

    @property
    def outcome(self) -> Antivirus:
        """How it went so far."""
        return self._outcome

    def scan(self, size: int) -> ClamdScan | None:
        """Begin with a file of so many bytes; None when there is no use in it."""
        if self._outcome.trouble:
            return None
        if self._smallest_refused and size >= self._smallest_refused:
            self.refused(size)
            return None
        try:
            return ClamdScan(self, self._connected(), size)
        except OSError as error:
            self.fail(error)
            return None

    def _connected(self) -> socket.socket:
        stream = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            stream.settimeout(CONNECT_SECONDS)
            stream.connect(self._target)
            stream.settimeout(ANSWER_SECONDS)
        except OSError:
            stream.close()
            raise
        return stream

    def fail(self, error: OSError) -> None:
        """Remember that it does not answer."""
        with self._lock:
            why = error.strerror or str(error) or type(error).__name__
            self._outcome = replace(self._outcome, trouble=self._outcome.trouble or f"clamd does not answer: {why}")

    def looked(self) -> None:
        """Count a file that it has looked at."""
        with self._lock:
            self._outcome = replace(self._outcome, files=self._outcome.files + 1)

    def refused(self, size: int) -> bool:
        """Count a file that is too large for it. Whether it is the first."""
        with self._lock:
            self._smallest_refused = min(self._smallest_refused or size, size)
            self._outcome = replace(self._outcome, too_large=self._outcome.too_large + 1)
            return self._outcome.too_large == 1


class ClamdScan:
    """One file, fed block by block; `finish` says what clamd calls it."""

    def __init__(self, clamd: Clamd, stream: socket.socket, size: int) -> None:
        self._clamd, self._size = clamd, size
        self._stream: socket.socket | None = stream
        self._sent = False

    def feed(self, data: bytes) -> None:
        """So many more bytes."""
        if self._stream is None or not data:
            return
        try:
            if not self._sent:
                self._stream.sendall(b"zINSTREAM\0")
                self._sent = True
            for start in range(0, len(data), CHUNK):
                piece = data[start : start + CHUNK]
                self._stream.sendall(len(piece).to_bytes(4, "big") + piece)
        except (BrokenPipeError, ConnectionResetError):
            # It hangs up on what is too long, and has said so: `finish` reads it.
            self._sent = False
        except OSError as error:
            self._clamd.fail(error)
            self.close()

    def finish(self) -> tuple[Detection, ...]:
        """Nothing more comes: the detections."""
        if self._stream is None:
            return ()
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._stream.sendall((b"" if self._sent else b"zINSTREAM\0") + bytes(4))
            answer = _answer(self._stream)
        except OSError as error:
            self._clamd.fail(error)
            return ()
        finally:
            self.close()
        return self._told(answer)

    def _told(self, answer: str) -> tuple[Detection, ...]:
        text = answer.removeprefix("stream: ")
        if text == "OK":
            self._clamd.looked()
            return ()
        if text.endswith(" FOUND"):
            self._clamd.looked()
            return (_found(text.removesuffix(" FOUND")),)
        if _TOO_LARGE in text:
            return (_unseen(self._size),) if self._clamd.refused(self._size) else ()
        self._clamd.fail(OSError(f"it says {text[:200]!r}"))
        return ()

    def close(self) -> None:
        """Hang up."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _found(name: str) -> Detection:
    if name.startswith("Heuristics.Limits."):
        return Detection(scanner="clamd", name=name, severity=Severity.UNREADABLE, detail="ClamAV gave up on it")
    guess = name.startswith(("Heuristics.", "PUA."))
    severity = Severity.SUSPICIOUS if guess else Severity.MALICIOUS
    return Detection(scanner="clamd", name=name, severity=severity, detail=f"ClamAV calls it {name}")


def _unseen(size: int) -> Detection:
    detail = (
        f"with {size:,} bytes it is larger than clamd takes (StreamMaxLength in clamd.conf); others are only counted"
    )
    return Detection(scanner="clamd", name="too-large", severity=Severity.UNREADABLE, detail=detail)


def _answer(stream: socket.socket) -> str:
    """What clamd says, up to the zero byte; OSError when it hangs up without a word."""
    said = b""
    while not said.endswith(b"\0") and len(said) < _LONGEST_ANSWER:
        more = stream.recv(4096)
        if not more:
            break
        said += more
    if not said:
        raise ConnectionAbortedError("it hung up without an answer")
    return said.rstrip(b"\0\n").decode("utf-8", "replace")


def parsed(address: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    """`unix:/run/clamav/clamd.ctl` or `tcp:127.0.0.1:3310`; Invalid for anything else."""
    kind, _, rest = address.partition(":")
    host, _, port = rest.rpartition(":")
    if kind == "unix" and rest.startswith("/"):
        return socket.AF_UNIX, rest
    if kind == "tcp" and host and port.isdigit():
        host = host.strip("[]")
        return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))
    raise Invalid(
        f"{address!r} is no address of a clamd",
        hint="write unix:/run/clamav/clamd.ctl, or tcp:127.0.0.1:3310",
    )
