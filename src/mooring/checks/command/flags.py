"""Options on a command line: their values, and whether something there may hide more of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flags:
    """The words after a program's name; `valued` are options known to take the next word."""

    words: tuple[str, ...]
    valued: frozenset[str] = frozenset()

    @property
    def clouded(self) -> bool:
        """Whether a word stands there that may come to any options: `$EXTRA`, `"$@"`."""
        before = ("", *self.words)
        return any(
            word.startswith(("$", "`")) and last not in self.valued
            for last, word in zip(before, self.words, strict=False)
        )

    def has(self, *names: str) -> bool:
        """Whether one of the switches is given."""
        return any(word in names for word in self.words)

    def value(self, *names: str) -> str | None:
        """What the last of the options by those names is given: `--bind X`, `--bind=X`, `-b X`, `-bX`."""
        return next(reversed(self.values(*names)), None)

    def values(self, *names: str) -> tuple[str, ...]:
        """All that options by those names are given, in their order."""
        found = (self._at(index, names) for index in range(len(self.words)))
        return tuple(one for one in found if one is not None)

    def _at(self, index: int, names: tuple[str, ...]) -> str | None:
        word = self.words[index]
        if word in names:
            return self.words[index + 1] if index + 1 < len(self.words) else None
        for name in names:
            if name.startswith("--") and word.startswith(name + "="):
                return word[len(name) + 1 :]
            if not name.startswith("--") and word.startswith(name) and not word.startswith("--"):
                return word[len(name) :].removeprefix("=")
        return None

    def first_operand(self) -> str | None:
        """The first word that is no option and no option's value; None if there is none, or a word hides it."""
        skip = False
        for word in self.words:
            if skip:
                skip = False
            elif word.startswith("-"):
                skip = word in self.valued
            else:
                return None if "$" in word or "`" in word else word
        return None
