"""What an image will be, as far as the folder and its Dockerfile say: the images that a build could come to.

Nobody knows without a build what the base image holds, or what a RUN has done. So there are several: what holds for
every one of them will hold for the image.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.checks.command import server_of, start_command
from mooring.checks.command.application import module_file, search_folders
from mooring.checks.command.bases import DEBIAN, PATH, PROGRAM, link
from mooring.checks.command.program import Fault
from mooring.checks.command.python_program import python_program
from mooring.checks.dockerfile.context import LARGEST_READ, BuildContext
from mooring.checks.dockerfile.laying import Laid, Laying, laying
from mooring.checks.dockerfile.reading import Dockerfile, read_dockerfile
from mooring.contract.regular_file import read_regular
from mooring.errors import Refused
from mooring.image import EntryKind, File, ImageConfig, MemoryImage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mooring.checks.command import StartCommand
    from mooring.checks.dockerfile.lines import Instruction
    from mooring.image import Filesystem

# The base images that everybody knows: no ENTRYPOINT, no USER, no WORKDIR, and this shell as /bin/sh.
_KNOWN_BASES = {"python": "dash", "debian": "dash", "ubuntu": "dash", "buildpack-deps": "dash", "alpine": "busybox"}
_REFERENCE = re.compile(r"(?:docker\.io/)?(?:library/)?(?P<name>[a-z-]+)(?::(?P<tag>[^@]*))?(?:@.*)?")
_CHANGES_SHELL = re.compile(r"/bin/sh\b|\bdash\b|busybox|update-alternatives")
# Where packages put what they bring; nothing of it can be missed before they are installed.
_OF_PACKAGES = re.compile(r"/(?:usr|bin|sbin|lib\w*|etc|var|opt|root|proc|sys|dev|run|tmp)/")
MOST_FILLED = 12
_UNREAD = File(mode=0o755, size=1 << 20)
_FOLDER = File(kind=EntryKind.FOLDER, mode=0o755)
_MADE_UP = "c7Vq-2mXe-9RtB-4kWz-8pLd"
# A base that does otherwise whatever a Dockerfile leaves to it.
_OTHERWISE = ImageConfig(
    user="1000:100",
    entrypoint=("/usr/bin/tini", "-g", "--"),
    cmd=("of-the-base", "--serve"),
    env={
        "PATH": PATH,
        "PYTHONUNBUFFERED": "1",
        "PORT": "4321",
        "HOST": "192.0.2.1",
        "GUNICORN_CMD_ARGS": "--bind=192.0.2.1:4321 --keep-alive=4321 --worker-class=gevent",
        "UVICORN_HOST": "192.0.2.1",
        "UVICORN_PORT": "4321",
        "FLASK_RUN_HOST": "192.0.2.1",
        "FLASK_RUN_PORT": "4321",
        "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "4321",
        "OF_THE_BASE_TOKEN": _MADE_UP,
        "https_proxy": "http://of-the-base:4321",
    },
    working_dir="/of-the-base",
    stop_signal="SIGQUIT",
    exposed_ports=("4321/tcp",),
)


@dataclass(frozen=True, kw_only=True)
class World:
    """One image that a build could come to."""

    config: ImageConfig
    files: Filesystem

    @property
    def start(self) -> StartCommand:
        """What it starts."""
        return start_command(self.config, self.files)


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """The images that a build could come to.

    `plain` is the one in which everything is as the folder has it and the base adds nothing; in `other` what is not
    known is otherwise; in `bare` only what is certain is there.
    """

    plain: World
    other: World
    bare: World
    found: Dockerfile
    laid: Mapping[str, Laid]
    folder: Path
    static: bool

    @property
    def entrypoint_is_known(self) -> bool:
        """Whether nothing of the base stands before the CMD."""
        return self.plain.config.entrypoint == self.other.config.entrypoint

    @property
    def user_is_known(self) -> bool:
        """Whether the user is root or a number, so that /etc/passwd does not matter."""
        return all(world.config.user.partition(":")[0].isdigit() or not world.config.user for world in self.worlds)

    @property
    def worlds(self) -> tuple[World, ...]:
        """The two that differ in what is not known."""
        return self.plain, self.other


def prospect(folder: Path, *, arguments: Mapping[str, str], static: bool) -> Prospect:
    """What becomes of the folder by its own Dockerfile, with these --build-arg. Refused if it cannot be read."""
    path = folder / "Dockerfile"
    try:
        text = read_regular(path, at_most=LARGEST_READ)[:LARGEST_READ].decode("utf-8", "replace")
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}") from error
    plain = read_dockerfile(text, base=ImageConfig(env={"PATH": PATH}), arguments=arguments)
    shell = _known_shell(plain.base)
    ground = ImageConfig(env={"PATH": PATH}, cmd=_OTHERWISE.cmd) if shell else _OTHERWISE
    other = read_dockerfile(text, base=ground, arguments=arguments)
    context = BuildContext(folder)
    runs = [step.rest for step in plain.instructions if step.keyword == "RUN"]
    sure = bool(shell) and not any(map(_CHANGES_SHELL.search, runs))
    builder = _Builder(context, own_is_whole=bool(shell), with_packages=bool(runs) or not shell)
    shells = (shell or "dash", shell if sure else "busybox")
    laid = laying(plain, context)
    return Prospect(
        plain=builder.world(plain, laid, shell=shells[0]),
        other=builder.world(other, laying(other, context), shell=shells[1], otherwise=True),
        bare=builder.world(plain, _certain(laid), shell=shells[0]),
        found=plain,
        laid=laid.files,
        folder=folder,
        static=static,
    )


def told_steps(found: Dockerfile) -> list[Instruction]:
    """The instructions that the history of the image will tell, as it counts them."""
    return [step for step in found.instructions if step.keyword != "FROM"]


def _known_shell(base: str) -> str:
    """The shell of a base image that everybody knows, "" if it is none."""
    match = _REFERENCE.fullmatch(base)
    tag = (match["tag"] or "") if match else ""
    if match is None or match["name"] not in _KNOWN_BASES or "$" in base or "windows" in tag or "nanoserver" in tag:
        return ""
    return "busybox" if "alpine" in tag else _KNOWN_BASES[match["name"]]


def _certain(laid: Laying) -> Laying:
    files = {path: each for path, each in laid.files.items() if each.certain and each.mode_certain}
    return dataclasses.replace(laid, files=files)


class _Builder:
    """From a Dockerfile and what it lays to an image in memory."""

    def __init__(self, context: BuildContext, *, own_is_whole: bool, with_packages: bool) -> None:
        self._context = context
        self._own_is_whole = own_is_whole
        self._with_packages = with_packages
        self._contents: dict[str, bytes | None] = {}

    def world(self, found: Dockerfile, laid: Laying, *, shell: str, otherwise: bool = False) -> World:
        """The image; `otherwise` with what is not known otherwise than it seems."""
        config = _settled(found, otherwise=otherwise)
        files: dict[str, File | bytes | str] = {**DEBIAN, f"/bin/{shell}": PROGRAM, "/bin/sh": link(shell)}
        files["/etc/passwd"], files["/etc/group"] = _accounts(config.user)
        files |= dict.fromkeys(laid.folders - {"/"}, _FOLDER)
        files |= {path: self._file(each, otherwise=otherwise) for path, each in laid.files.items()}
        everything = otherwise and not (self._own_is_whole and laid.whole)
        for _ in range(MOST_FILLED):
            read = MemoryImage(files=files, config=config).read()
            more = _missed(config, read, modules=otherwise and self._with_packages, everything=everything)
            if not more:
                break
            files |= more
        return World(config=config, files=read)

    def _file(self, laid: Laid, *, otherwise: bool) -> File:
        path = laid.sent.path
        if otherwise and not laid.certain:
            return _UNREAD
        if path not in self._contents:
            self._contents[path] = self._context.content(laid.sent)
        content = self._contents[path]
        mode = 0o755 if otherwise and not laid.mode_certain else laid.mode
        return File(content=content or b"", mode=mode, size=laid.sent.size if content is None else None)


def _settled(found: Dockerfile, *, otherwise: bool) -> ImageConfig:
    """The configuration, with every step in its history; variables that are not known are empty, or something else."""
    config = found.config
    steps = tuple(f"{step.keyword} {step.rest}" for step in told_steps(found))
    env, user, ports = dict(config.env), config.user, config.exposed_ports
    if otherwise:
        env = {name: "" if "$" in value and name != "PATH" else value for name, value in env.items()}
        user = "0" if "$" in user else user
        ports = tuple("1-65535/tcp" if "$" in port else port for port in ports)
    return dataclasses.replace(config, history=steps, env=env, user=user, exposed_ports=ports)


def _accounts(user: str) -> tuple[str, str]:
    """/etc/passwd and /etc/group, in which whoever is named is there."""
    passwd, group = str(DEBIAN["/etc/passwd"]), str(DEBIAN["/etc/group"])
    name, _, member = user.partition(":")
    if name and not name.isdigit() and f"{name}:" not in passwd:
        passwd += f"{name}:x:1001:1001::/home/{name}:/bin/sh\n"
    if member and not member.isdigit() and f"{member}:" not in group:
        group += f"{member}:x:1001:\n"
    return passwd, group


def _missed(config: ImageConfig, read: Filesystem, *, modules: bool, everything: bool) -> dict[str, File | bytes | str]:
    """What the start command leads to next and is not there, though the base or a RUN may bring it."""
    start = start_command(config, read)
    hop = start.hops[-1] if start.hops else None
    for lost in (hop.program, hop.file) if hop else ():
        if lost is not None and lost.fault is Fault.NOT_ON_PATH:
            return {f"/usr/local/bin/{posixpath.basename(lost.path)}": PROGRAM}
        if lost is not None and lost.fault is Fault.MISSING:
            return {lost.path: _UNREAD} if everything or _OF_PACKAGES.match(lost.path) else {}
    if not start.program:
        return {}
    server, python = server_of(start, read), python_program(start, read)
    path = python.path if python else ""
    if path and read.resolve(path) is None:
        return {path: _UNREAD} if everything or _OF_PACKAGES.match(path) else {}
    if modules and server and server.app:
        name = server.app.partition(":")[0].split(".")[0]
        folders = search_folders(start, server)
        package = f"/usr/local/lib/python3/site-packages/{name}/__init__.py"
        if name.isidentifier() and folders and not module_file(name, folders, read) and read.get(package) is None:
            return {package: _UNREAD}
    return {}
