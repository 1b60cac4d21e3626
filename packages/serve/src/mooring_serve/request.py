"""One HTTP request, as far as it has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from mooring_serve.call import Call
    from mooring_serve.problem import Problem


class Request:
    """One request, as far as it has been read."""

    __slots__ = (
        "body",
        "call",
        "head_bytes",
        "headers",
        "http10",
        "keep_alive",
        "method",
        "path",
        "problem",
        "query",
        "size",
        "url",
        "whole",
    )

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[bytes, bytes] = {}
        self.body: list[bytes] = []
        self.size = 0
        self.problem: Problem | None = None
        self.call: Call | None = None
        self.method = self.path = self.query = ""
        self.keep_alive = True
        self.http10 = False
        self.whole = False
        self.head_bytes = 0

    def content(self) -> bytes:
        """The whole body."""
        return self.body[0] if len(self.body) == 1 else b"".join(self.body)

    def head_without_upgrade(self) -> bytes:
        """The head as it would be without the wish for another protocol."""
        connection = self.headers.pop(b"connection", b"")
        for name in (b"upgrade", b"http2-settings"):
            self.headers.pop(name, None)
        if b"close" in connection.lower():
            self.headers[b"connection"] = b"close"
        lines = b"".join(b"%b: %b\r\n" % pair for pair in self.headers.items())
        return b"%b %b HTTP/1.1\r\n%b\r\n" % (self.method.encode(), self.url, lines)


def target(url: bytes) -> tuple[str, str]:
    """The decoded path and the query of a request's target; a target that is no path is a path nobody declared."""
    path, _, query = url.partition(b"?")
    text = path.decode("latin-1")
    if not text.startswith("/") and "://" in text:  # the absolute form, as proxies send it
        text = "/" + text.partition("://")[2].partition("/")[2]
    return (unquote(text) if "%" in text else text), query.decode("latin-1")
