"""What the imports of a pickle say of it: harmless, suspicious or malicious, by the table in policy.toml."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mooring.checks.scanning.detection import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mooring.checks.scanning.pickles.machine import Global

MOST_REMEMBERED = 50_000
_PARTS = {"**": r"\w+(?:\.\w+)*", "Class": r"[A-Z]\w*", "_Class": r"_[A-Z]\w*"}


@functools.cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("policy.toml").read_text(encoding="utf-8"))


def _expression(patterns: Iterable[str]) -> re.Pattern[str]:
    """One expression for all patterns: `*` is within one part of a name, `**` any parts."""
    return re.compile(
        "|".join(r"\.".join(_part(part) for part in pattern.split(".")) for pattern in patterns) or r"(?!)"
    )


def _part(part: str) -> str:
    return _PARTS.get(part) or re.escape(part).replace(r"\*", r"\w*")


@dataclass(frozen=True)
class Policy:
    """Judges names; `allowed` are names that a project vouches for: `mymodel.*`, `mymodel`, `__main__.Net`.

    A module, and a module with `.*`, stand for all that is below. What is malicious stays so whatever is allowed.
    """

    allowed: tuple[str, ...] = ()
    _known: dict[Global, Severity | None] = field(default_factory=dict, repr=False, compare=False)

    def severity(self, imported: Global) -> Severity | None:
        """How harmful importing it is; None when it is not."""
        if imported not in self._known:
            if len(self._known) > MOST_REMEMBERED:
                self._known.clear()
            self._known[imported] = self._judged(imported)
        return self._known[imported]

    def _judged(self, imported: Global) -> Severity | None:
        names = {full_name(imported.module, imported.name), f"{imported.module}.{imported.name}"}
        if any(_is_malicious(name, imported.name) for name in names):
            return Severity.MALICIOUS
        if any(self._allowed.fullmatch(name) or _harmless().fullmatch(name) for name in names):
            return None
        return Severity.SUSPICIOUS

    @functools.cached_property
    def _allowed(self) -> re.Pattern[str]:
        names = [name.removesuffix(".*").removesuffix(".**") for name in self.allowed]
        return _expression([*names, *(f"{name}.**" for name in names)])


@functools.cache
def _harmless() -> re.Pattern[str]:
    return _expression(pattern for patterns in _table()["harmless"].values() for pattern in patterns)


@functools.cache
def _malicious() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    table = _table()["malicious"]
    return frozenset(table["modules"]), frozenset(table["names"]), frozenset(table["parts"])


def _is_malicious(name: str, attribute: str) -> bool:
    modules, names, parts = _malicious()
    pieces = name.split(".")
    if name in names or any(".".join(pieces[:count]) in modules for count in range(1, len(pieces))):
        return True
    # Modules reach other modules: `pathlib.os.system` is os.system all the same.
    inner = attribute.split(".")
    if any(piece in parts for piece in pieces) or any(piece in modules for piece in inner[:-1]):
        return True
    return any(".".join(pieces[start:]) in names for start in range(1, len(pieces) - 1))


def full_name(module: str, name: str) -> str:
    """`module.name` as Python 3 calls it."""
    renamed = _table()["renamed"]
    full = f"{module}.{name}"
    return renamed.get(full) or f"{renamed.get(module, module)}.{name}"


def reason(name: str) -> str:
    """What is known against a suspicious name: a clause that begins with a verb; "" for one only unknown."""
    return next((why for pattern, why in _table()["suspicious"].items() if _expression([pattern]).fullmatch(name)), "")
