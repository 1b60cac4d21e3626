"""One HTTP request, as far as it has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mooring_serve.call import Call
    from mooring_serve.problem import Problem


class Request:
    """One request, as far as it has been read."""

    __slots__ = ("body", "call", "headers", "http10", "keep_alive", "method", "path", "problem", "query", "size", "url")

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

    def content(self) -> bytes:
        """The whole body."""
        return self.body[0] if len(self.body) == 1 else b"".join(self.body)
