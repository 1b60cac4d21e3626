"""Which packages a project asks for: from its requirements.txt, or from the dependencies of a ModelArts config.json."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mooring.errors import Invalid, Refused
from mooring.project.project import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mooring.project.project import Project

OPERATORS = {"EXACT": "==", "ATLEAST": ">=", "ATMOST": "<="}
# The platform's own images hold the engine of a package and what its code commonly imports, so packages do not list
# these. By module, since modules are what a base has and what code imports: the distribution that brings it.
ENGINES: Mapping[str, str] = {
    "PyTorch": "torch",
    "TensorFlow": "tensorflow",
    "MindSpore": "mindspore",
    "Scikit_Learn": "sklearn",
    "XGBoost": "xgboost",
}
DISTRIBUTIONS: Mapping[str, str] = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "joblib": "joblib",
    "mindspore": "mindspore",
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "tensorflow": "tensorflow",
    "torch": "torch",
    "torchvision": "torchvision",
    "xgboost": "xgboost",
}
_INDEX_OPTIONS = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What to install beside the worker: requirement lines, and where they were said."""

    text: str
    origin: str
    added: tuple[str, ...] = ()
    """What was added because the engine of the package needs it."""

    @property
    def locked(self) -> bool:
        """Whether every requirement has its version and hashes already."""
        lines = [line for line in logical_lines(self.text) if not line.startswith("-")]
        return bool(lines) and all("--hash=" in line for line in lines)

    @property
    def index_options(self) -> tuple[str, ...]:
        """The lines that say where packages come from: a lock needs them as well."""
        return tuple(line for line in logical_lines(self.text) if _option(line) in _INDEX_OPTIONS)


def requirements(project: Project, *, modules: Sequence[str] = ()) -> Requirements | None:
    """What `project` asks for, or None if it asks for nothing; `modules` is what the base has already.

    Raises:
        Refused: a line would run code of the project on this machine, or reads a file outside of it.
        Invalid: a dependency in config.json that no installer would understand.
    """
    own = _from_file(project)
    if project.kind is not Kind.CUSTOMIZE_SERVICE:
        return own
    if own and own.locked:
        return own
    declared = _from_config(
        project.config.clean(), wheels=[wheel for at in project.wheels for wheel in at.glob("*.whl")]
    )
    added = () if own else _taken_for_granted(project, declared, modules)
    lines = [*declared.values(), *added, *([own.text] if own else [])]
    if not lines:
        return None
    origin = "the dependencies in config.json" + (" and requirements.txt" if own else "")
    return Requirements(text="\n".join(lines) + "\n", origin=origin, added=added)


def logical_lines(text: str) -> Iterator[str]:
    """The lines of a requirements file with continuations joined, without comments and blank lines."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        said = re.sub(r"(^|\s)#.*$", "", line).strip()
        if said:
            yield said


def _from_file(project: Project) -> Requirements | None:
    file = project.requirements
    if file is None:
        return None
    text = _read(file)
    for line in logical_lines(text):
        _check(line, file, project.root)
    return Requirements(text=text, origin="requirements.txt") if list(logical_lines(text)) else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is not UTF-8: {error}") from error


def _option(line: str) -> str:
    return re.split(r"[\s=]", line, maxsplit=1)[0] if line.startswith("-") else ""


def _check(line: str, file: Path, root: Path) -> None:
    wheel_hint = "make a wheel of it (pip wheel) and put it into the project's folder wheels/"
    option = _option(line)
    if option in {"-e", "--editable"}:
        raise Refused(f"{file.name}: {line!r} would run code of the project here, to build it", hint=wheel_hint)
    if option in {"-r", "--requirement", "-c", "--constraint"}:
        raise Refused(
            f"{file.name}: {line!r} reads another file",
            hint="put everything that the image needs into requirements.txt",
        )
    if option:
        return
    target = line.partition(" @ ")[2].strip() or line
    if re.match(r"(git|hg|svn|bzr)\+", target):
        raise Refused(f"{file.name}: {line!r} would be built from its source here", hint=wheel_hint)
    path = target.split()[0].split("#")[0].removeprefix("file://")
    if path.startswith(("/", ".")) and not (root / path).resolve().is_relative_to(root):
        raise Refused(f"{file.name}: {line!r} is outside of the project", hint=wheel_hint)


def _from_config(config: Mapping[str, Any], *, wheels: Iterable[Path]) -> dict[str, str]:
    """Requirement lines by name, in the order of config.json. pip would go group by group: the last version counts."""
    by_file = {wheel.name: wheel for wheel in wheels}
    lines: dict[str, str] = {}
    for group in config.get("dependencies") or ():
        if group.get("installer", "pip") != "pip":
            raise Invalid(f"config.json: installer {group.get('installer')!r} in dependencies; only pip is known")
        for package in group.get("packages") or ():
            name, line = _requirement(package, by_file)
            if name not in lines or line != name:
                lines.pop(name, None)
                lines[name] = line
    return lines


def _requirement(package: Mapping[str, Any], wheels: Mapping[str, Path]) -> tuple[str, str]:
    name = str(package.get("package_name") or "").strip()
    version = str(package.get("package_version") or "").strip()
    if name.endswith(".whl"):
        return _wheel(PurePosixPath(name).name, wheels)
    if not _NAME.fullmatch(name.partition("[")[0]):
        raise Invalid(f"config.json: {name!r} in dependencies is not the name of a package")
    normal = re.sub(r"[-_.]+", "-", name).lower()
    if not version:
        return normal, normal
    restraint = str(package.get("restraint") or "EXACT").upper()
    if restraint not in OPERATORS:
        raise Invalid(f"config.json: restraint {restraint!r} of {name}", hint=f"one of {', '.join(OPERATORS)}")
    return normal, f"{normal}{OPERATORS[restraint]}{version}"


def _wheel(file: str, wheels: Mapping[str, Path]) -> tuple[str, str]:
    if file not in wheels:
        raise Invalid(f"config.json names the wheel {file}, which is not beside the model files", hint="put it there")
    name, version = file.split("-")[:2]
    normal = re.sub(r"[-_.]+", "-", name).lower()
    return normal, f"{normal}=={version}"


def _taken_for_granted(project: Project, declared: Mapping[str, str], modules: Sequence[str]) -> tuple[str, ...]:
    """What a package needs and does not list: its engine, and what its code imports of what the platform has."""
    needed = {ENGINES.get(project.config.model_type, "")} | {
        module for file in sorted(project.package_folder.glob("*.py")) for module in _imported(file)
    }
    return tuple(
        sorted(
            DISTRIBUTIONS[module]
            for module in needed
            if module in DISTRIBUTIONS and module not in modules and DISTRIBUTIONS[module] not in declared
        )
    )


def _imported(file: Path) -> set[str]:
    """The names of the modules that `file` imports, read from its text; nothing is run."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError, RecursionError):
        return set()  # not for us to judge: perhaps it is never imported
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module and not node.level
    ]
    return {name.partition(".")[0] for name in names}
