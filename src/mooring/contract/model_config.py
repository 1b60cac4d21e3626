"""ModelConfig: what a model image claims about itself in config.json, read tolerantly into one clean value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mooring.contract.conformity import breaches
from mooring.contract.decoding import MAX_BYTES
from mooring.contract.mending import mend
from mooring.contract.mending.data import is_file
from mooring.contract.mending.dependencies import RESTRAINTS
from mooring.contract.mending.document import KNOWN, UNTOLD, told
from mooring.contract.notes import Notes
from mooring.contract.reading import read
from mooring.contract.regular_file import read_regular
from mooring.errors import Invalid, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from mooring.contract.edition import Edition
    from mooring.contract.finding import Finding
    from mooring.contract.node import Node

FILE_NAME = "config.json"
# The label of an image that holds the same text.
CONFIG_LABEL = "io.mooring.config"
# The contract's numbers end at 2147483647.
MOST_DIGITS = 10


@dataclass(frozen=True)
class Body:
    """One side of an api: its content type and the schema of its data, `{}` where none was declared."""

    content_type: str
    data: dict[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Api:
    """One address of the model: `protocol` in lower case, `method` in upper case, `url` beginning with '/'."""

    protocol: str
    url: str
    method: str
    request: Body
    response: Body

    @property
    def file_fields(self) -> tuple[str, ...]:
        """The request's fields that are files, in the order of the schema."""
        properties = self.request.data.get("properties", {})
        return tuple(name for name, schema in properties.items() if is_file(schema))


@dataclass(frozen=True)
class Health:
    """How the platform asks whether the model is well; None where config.json leaves it to the edition.

    Times are in seconds. A number that is no number is None here and a finding of `ModelConfig.check`.
    """

    url: str | None
    protocol: str
    check_method: str
    command: str | None
    initial_delay_seconds: int | None
    timeout_seconds: int | None
    period_seconds: int | None
    failure_threshold: int | None


@dataclass(frozen=True)
class Package:
    """One package to install; without a version, the newest."""

    name: str
    version: str | None
    restraint: str | None

    @property
    def requirement(self) -> str:
        """The package in pip's notation: `numpy>=1.26.0`. A wheel is a path and stays one."""
        return (
            f"{self.name}{RESTRAINTS[self.restraint]}{self.version}" if self.version and self.restraint else self.name
        )


@dataclass(frozen=True)
class Dependency:
    """Packages that one step of an installer puts in place; steps keep their order."""

    installer: str
    packages: tuple[Package, ...]


@dataclass(frozen=True)
class ModelConfig:
    """A config.json whose oddities were put right; `findings` says what was, and where."""

    model_algorithm: str
    model_type: str
    runtime: str | None
    swr_location: str | None
    metrics: dict[str, Any] = field(hash=False)
    apis: tuple[Api, ...]
    dependencies: tuple[Dependency, ...]
    health: Health | None
    extra: dict[str, Any] = field(hash=False)
    findings: tuple[Finding, ...] = field(compare=False)
    source: str = field(compare=False)
    root: Node = field(repr=False, compare=False)

    @classmethod
    def load(cls, path: Path) -> ModelConfig:
        """Read a file, or a folder that holds config.json or model/config.json.

        NotFound if there is none; Invalid, with file, line and column, if it cannot be understood, and for what is no
        regular file or larger than any config.json.
        """
        file = found(path)
        try:
            data = read_regular(file, at_most=MAX_BYTES, hint="- in its place reads standard input")
        except OSError as error:
            raise Invalid(f"cannot read {file}: {error.strerror}") from error
        return cls.parse(data, source=str(file))

    @classmethod
    def parse(cls, data: bytes, *, source: str = FILE_NAME) -> ModelConfig:
        """Read the bytes of a config.json; `source` is what messages call it. Invalid, with line and column."""
        notes = Notes(source)
        root = mend(read(data, notes), notes)
        return _from_clean(root, notes)

    def clean(self) -> dict[str, Any]:
        """The clean form: a config.json of its own, which reads back as itself and without findings.

        Without a model_algorithm where none was told, which is the one finding that stays: only its author knows it.
        """
        return told(self.root, self.findings).plain()  # type: ignore[no-any-return]

    @property
    def mends(self) -> tuple[Finding, ...]:
        """The findings that the clean form puts right: all but that of a model_algorithm that nobody told."""
        return tuple(finding for finding in self.findings if finding.id != UNTOLD)

    def check(self, edition: Edition) -> tuple[Finding, ...]:
        """What was mended and what the edition has against the rest, the gravest first, then by place."""
        notes = Notes(self.source)
        breaches(self.root, edition, notes)
        return tuple(
            sorted({*self.findings, *notes.findings}, key=lambda f: (f.level.rank, f.line, f.column, f.id, f.message))
        )


def found(path: Path) -> Path:
    """The config.json that a path means: the file itself, or the one in a project or package folder. NotFound."""
    if not path.is_dir():
        if not path.exists():
            raise NotFound(f"there is no {path}")
        return path
    for candidate in (path / FILE_NAME, path / "model" / FILE_NAME):
        if candidate.exists():
            return candidate
    raise NotFound(f"neither {path / FILE_NAME} nor {path / 'model' / FILE_NAME} exists")


def _from_clean(root: Node, notes: Notes) -> ModelConfig:
    clean = root.plain()
    return ModelConfig(
        model_algorithm=clean["model_algorithm"],
        model_type=clean["model_type"],
        runtime=clean.get("runtime"),
        swr_location=clean.get("swr_location"),
        metrics=clean.get("metrics", {}),
        apis=tuple(_api(api) for api in clean["apis"]),
        dependencies=tuple(_dependency(group) for group in clean.get("dependencies", [])),
        health=_health(clean["health"]) if "health" in clean else None,
        extra={name: value for name, value in clean.items() if name not in KNOWN},
        findings=notes.findings,
        source=notes.source,
        root=root,
    )


def _api(clean: dict[str, Any]) -> Api:
    request, response = (Body(clean[side]["Content-type"], clean[side]["data"]) for side in ("request", "response"))
    return Api(clean["protocol"], clean["url"], clean["method"], request, response)


def _dependency(clean: dict[str, Any]) -> Dependency:
    packages = (
        Package(package["package_name"], package.get("package_version"), package.get("restraint"))
        for package in clean["packages"]
    )
    return Dependency(clean["installer"], tuple(packages))


def _health(clean: dict[str, Any]) -> Health:
    return Health(
        url=clean.get("url"),
        protocol=clean.get("protocol", "http"),
        check_method=clean.get("check_method", "HTTP"),
        command=clean.get("command"),
        initial_delay_seconds=_whole(clean.get("initial_delay_seconds")),
        timeout_seconds=_whole(clean.get("timeout_seconds")),
        period_seconds=_whole(clean.get("period_seconds")),
        failure_threshold=_whole(clean.get("failure_threshold")),
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
