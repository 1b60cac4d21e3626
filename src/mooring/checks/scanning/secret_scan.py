"""Secrets in small texts: what they look like, which files hold them, and which values are only placeholders."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from mooring.checks.scanning.detection import Detection, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.scanning.place import Place

# Larger files are data.
LONGEST_TEXT = 256 * 1024
_NAME = re.compile(
    r"(?:^|_)(?:SECRET|TOKEN|API_?KEY|ACCESS_?KEY|SECRET_?KEY|PRIVATE_?KEY|CREDENTIALS?|SK|PASS|AUTH)(?:_?[0-9]|_VALUE)?$"
    r"|(?:PASSWORD|PASSWD|PASSPHRASE|APIKEY)(?:_?[0-9])?$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"^[$%<{\[(*/~.]|^(?:your|my|some|the|change|replace|insert|example|dummy|sample|fake|test|todo|none|null|true|false|yes|no|on|off"
    r"|x+|\*+|secret|password|passwd|token|unset|empty|default|redacted|placeholder)(?:$|[-_. ])"
    r"|example|changeme|placeholder|xxxx|\.\.\.|\*\*\*"
    r"|^[0-9.]+[a-z%]?$|^\w+\(",
    re.IGNORECASE,
)
_SETTING = re.compile(r"(?:^|[\s|;&])(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,60})=(\"[^\"]*\"|'[^']*'|[^\s;&|]+)")
_DISTINCT = 4


@dataclass(frozen=True)
class Shape:
    """How one kind of secret looks; `file`, where there is one, is the kind of path it is looked for in."""

    name: str
    what: str
    pattern: re.Pattern[str]
    needs: str = ""
    file: re.Pattern[str] | None = None

    def found(self, text: str, path: str) -> bool:
        """Whether such a secret stands in the text, and is more than a placeholder."""
        if (self.needs and self.needs not in text) or (self.file and not self.file.search(path)):
            return False
        return any(self._is_real(match) for match in self.pattern.finditer(text))

    def _is_real(self, match: re.Match[str]) -> bool:
        groups = match.groupdict()
        if groups.get("name") is not None and not _NAME.search(groups["name"]):
            return False
        return not is_placeholder(groups.get("value") or match[0])


@functools.cache
def shapes() -> tuple[Shape, ...]:
    """Every kind of secret that is known."""
    table = tomllib.loads(files(__package__).joinpath("secrets.toml").read_text(encoding="utf-8"))
    anywhere = [
        Shape(each["name"], each["what"], re.compile(each["pattern"]), each["needs"]) for each in table["secret"]
    ]
    special = [
        Shape(each["name"], each["what"], re.compile(each["pattern"]), file=re.compile(each["file"]))
        for each in table["file"]
    ]
    return (*special, *anywhere)


def is_placeholder(value: str) -> bool:
    """Whether a value is no secret: a variable, a path, a number, a word like `changeme`, one letter many times."""
    return len(set(value)) < _DISTINCT or bool(_PLACEHOLDER.search(value))


def secret_setting(name: str, value: str) -> str:
    """What kind of secret an environment variable or a label holds, as a noun; "" when it holds none."""
    if found := secret_in(value):
        return found
    return "a value that its name calls secret" if _NAME.search(name) and value and not is_placeholder(value) else ""


def secret_in(text: str) -> str:
    """What kind of secret stands in a text, as a noun; "" when none does."""
    return next((shape.what for shape in shapes() if shape.file is None and shape.found(text, "")), "")


def settings(step: str) -> Iterator[tuple[str, str]]:
    """Names and values that a step of an image's history sets, for itself or for good, without quotes."""
    return ((name, value.strip("\"'")) for name, value in _SETTING.findall(step))


def masked(text: str) -> str:
    """The text with *** for each secret in it, so that it can be shown."""
    for name, value in settings(text):
        if secret_setting(name, value):
            text = text.replace(value, "***")
    for shape in shapes():
        if shape.file is None and shape.needs in text:
            text = shape.pattern.sub(lambda match: match[0].replace(match["value"] or match[0], "***"), text)
    return text


def secrets_in_file(place: Place, data: bytes) -> Iterator[Detection]:
    """The secrets in a file that no package brought, one detection a kind; never the secret itself."""
    if len(data) > LONGEST_TEXT or not data or place.is_system or place.is_document or b"\0" in data[:1024]:
        return
    text = data.decode("utf-8", "replace")
    told: set[str] = set()
    for shape in shapes():
        if not told & {shape.what} and shape.found(text, place.path):
            told.add(shape.what)
            detail = f"it holds {shape.what}"
            yield Detection(scanner="secret", name=shape.name, severity=Severity.SUSPICIOUS, detail=detail)
