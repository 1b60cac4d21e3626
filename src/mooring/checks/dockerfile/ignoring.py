"""A .dockerignore: which files of a folder a builder does not send, and COPY therefore does not find."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Ignored:
    """The patterns of a .dockerignore in their order, each with whether it takes files out (True) or back in."""

    patterns: tuple[tuple[re.Pattern[str], bool], ...] = ()

    @classmethod
    def of(cls, text: str) -> Ignored:
        """The patterns of the file's text; what is no pattern is passed over."""
        found = []
        for line in text.removeprefix("\ufeff").splitlines():
            stripped = line.strip()
            if not stripped or line.startswith("#"):
                continue
            out = not stripped.startswith("!")
            name = posixpath.normpath(stripped.removeprefix("!").strip()).lstrip("/")
            if name not in ("", "."):
                found.append((pattern(name), out))
        return cls(tuple(found))

    @property
    def takes_back(self) -> bool:
        """Whether a pattern with ! may bring back what lies in a folder that is out."""
        return not all(out for _, out in self.patterns)

    def __contains__(self, path: str) -> bool:
        """Whether a file or folder of that path, relative to the folder, stays out: the last pattern decides."""
        parts = path.split("/")
        paths = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        found = False
        for wanted, out in self.patterns:
            if out != found and any(map(wanted.fullmatch, paths)):
                found = out
        return found


def pattern(name: str) -> re.Pattern[str]:
    """The pattern of a path as builders match it: `*` and `?` stay in one folder, `**` does not."""
    made, at = "", 0
    while at < len(name):
        sign = name[at]
        if name.startswith("**/", at):
            made, at = made + "(?:.*/)?", at + 3
        elif name.startswith("**", at):
            made, at = made + ".*", at + 2
        elif sign == "[" and (end := name.find("]", at + 2)) > 0:
            inside = re.sub(r"([\[\\&~|])", r"\\\1", name[at + 1 : end])
            made, at = f"{made}[{inside}]", end + 1
        elif sign == "\\" and at + 1 < len(name):
            made, at = made + re.escape(name[at + 1]), at + 2
        else:
            made, at = made + {"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)), at + 1
    try:
        return re.compile(made, re.DOTALL)
    except re.error:
        return re.compile(re.escape(name))
