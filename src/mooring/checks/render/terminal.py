"""What a report may do on the terminal it is read on: how wide its lines are, and whether they have colours."""

from __future__ import annotations

import os
import shutil
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TextIO

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34"}
_NARROWEST = 40


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """How a text is laid out: `width` in characters, 0 for lines as long as they come; `colours` for SGR sequences."""

    width: int = 0
    colours: bool = False

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str] = os.environ) -> Terminal:
        """What that stream leads to: plain, unwrapped text where it is no terminal; colours unless NO_COLOR is set."""
        if not stream.isatty():
            return cls()
        wanted = not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"
        return cls(width=max(_NARROWEST, shutil.get_terminal_size().columns), colours=wanted)

    def styled(self, text: str, *styles: str) -> str:
        """The text in bold, red and so on, where there are colours."""
        if not self.colours or not text:
            return text
        return f"\x1b[{';'.join(_STYLES[style] for style in styles)}m{text}\x1b[0m"

    def wrapped(self, text: str, first: str, rest: str) -> Iterator[str]:
        """Lines of the text behind `first`, those after it behind `rest`; one line where the width does not matter."""
        if not self.width:
            yield (first + text).rstrip()
            return
        yield from textwrap.wrap(
            text,
            self.width - 1,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [first.rstrip()]
