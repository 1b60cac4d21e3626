"""The layers of an image, from what changes least to what changes most: server, packages, weights, code, config."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mooring.errors import Unavailable
from mooring.project.cache import FileDigests, cache_folder, combined, digest, made_once
from mooring.project.context import Item, Layer, folder_items
from mooring.project.packages import FORMAT, Target, compile_modules, installed
from mooring.project.project import CONFIG_FILE, MODEL_FOLDER, Kind, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mooring.project.probe import Base
    from mooring.project.tree import ProjectFile

SERVER_FOLDER = "/opt/mooring/server"
PACKAGES_FOLDER = "/opt/mooring/packages"
PROJECT_FOLDER = "/home/project"
BOOT_FILE = "/home/run.sh"
PLATFORM_FOLDER = "/home/mind/model"

# What `python3 /opt/mooring/server` runs: a folder is put on the path of the interpreter that it is given to, so that
# the server finds what it was locked with before anything the base or the model brings.
MAIN = f'''"""Start the model server of this image on the project that lies beside it."""

import sys

sys.argv = ["mooring-serve", "{PROJECT_FOLDER}", "--config", "{PROJECT_FOLDER}/{CONFIG_FILE}", *sys.argv[1:]]

from mooring_serve.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
'''
RUN = """#!/bin/sh
# Start the model server. exec: the server takes this shell's place, and so gets the signals sent to the container.
set -eu
# For the process that runs the model; the server itself is isolated (-I) from it.
export PYTHONPATH={packages}
cd {project}
exec {python} -I -u -B {server} "$@"
"""


def server_lock() -> str:
    """What the server needs, locked with hashes: shipped with this package, or in the checkout it runs from.

    Raises:
        Unavailable: the installation is not whole.
    """
    here = Path(__file__)
    for place in (here.with_name("serve.txt"), here.parents[3] / "locks" / "serve.txt"):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise Unavailable("the server's lock file is missing from this installation", hint="install mooring again")


def server_layer(base: Base, *, say: Callable[[str], None]) -> Layer:
    """The model server and its own dependencies, in a folder that nothing else looks into."""
    target = Target(
        python=base.server.series, platform=base.platform(base.server), magic=base.server.magic, folder=SERVER_FOLDER
    )
    dependencies = installed(
        server_lock(), Path(__file__).parent, target=target, say=lambda line: say(f"{line} for the server")
    )
    package = _server_package(target)
    top = SERVER_FOLDER.lstrip("/")
    items = (
        *folder_items(dependencies, top),
        *folder_items(package, top),
        Item(path=f"{top}/__main__.py", content=MAIN.encode()),
    )
    return Layer(
        name="server",
        purpose="The model server, with packages of its own that the model's cannot clash with.",
        items=items,
        key=digest(dependencies.name, package.name, MAIN),
    )


def _server_package(target: Target) -> Path:
    """A copy of the server's modules, compiled when this Python is the one that will load them."""
    found = importlib.util.find_spec("mooring_serve")
    if found is None or not found.submodule_search_locations:
        raise Unavailable("mooring-serve is not installed beside mooring", hint="install mooring again")
    source = Path(found.submodule_search_locations[0])
    wanted = sorted(
        file
        for file in source.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc"
    )
    parts = [(file.relative_to(source).as_posix().encode(), file.read_bytes()) for file in wanted]
    compiles = target.magic == importlib.util.MAGIC_NUMBER.hex()
    key = digest(FORMAT, target.magic if compiles else "", *(part for pair in parts for part in pair))
    folder = cache_folder() / "server" / key
    with made_once(folder) as work:
        if work is not None:
            for name, content in parts:
                file = work / "mooring_serve" / name.decode()
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            if compiles:
                compile_modules(work, SERVER_FOLDER)
    return folder


def packages_layer(folder: Path) -> Layer:
    """The packages of the model, seen by the worker only."""
    return Layer(
        name="packages",
        purpose="The packages that the model asks for; only the process that runs the model sees them.",
        items=folder_items(folder, PACKAGES_FOLDER.lstrip("/")),
        key=folder.name,
    )


def project_layers(project: Project) -> tuple[Layer, Layer]:
    """The weights, and the code: what lies in `model/` and is neither Python nor JSON config, and everything else.

    Raises:
        Refused: a file of the project leads out of it.
    """
    weights: list[Item] = []
    code: list[Item] = []
    for file in project.files:
        path = str(file.path)
        if path == CONFIG_FILE and project.package_folder != project.root:
            continue  # the clean form of it has a layer of its own
        place = path if project.package_folder != project.root else f"{MODEL_FOLDER}/{path}"
        (weights if _is_weight(file, place) else code).append(_item(file, place))
    if not any(item.path == f"{PROJECT_FOLDER.lstrip('/')}/{MODEL_FOLDER}" for item in weights):
        weights.append(Item(path=f"{PROJECT_FOLDER.lstrip('/')}/{MODEL_FOLDER}"))
    return (
        Layer(name="weights", purpose="The model's files.", items=tuple(weights)),
        Layer(name="code", purpose="The code that answers requests.", items=tuple(code)),
    )


def with_key(layer: Layer) -> Layer:
    """The layer with a key made of the content of its files."""
    digests = FileDigests(cache_folder() / "digests.json")
    parts = [
        (item.path, str(item.mode), item.link, digests.of(item.source) if item.source else "") for item in layer.items
    ]
    digests.keep()
    return replace(layer, key=combined(parts))


def _is_weight(file: ProjectFile, place: str) -> bool:
    inside = place == MODEL_FOLDER or place.startswith(f"{MODEL_FOLDER}/")
    return inside and not place.endswith((".py", f"/{CONFIG_FILE}")) and (file.is_folder or not file.executable)


def _item(file: ProjectFile, place: str) -> Item:
    path = f"{PROJECT_FOLDER.lstrip('/')}/{place}"
    if file.link:
        return Item(path=path, link=file.link)
    return Item(path=path, source=None if file.is_folder else file.source, executable=file.executable)


def config_layer(project: Project, base: Base) -> Layer:
    """What the server reads and what starts it."""
    clean = json.dumps(project.config.clean(), indent=2, ensure_ascii=False) + "\n"
    run = RUN.format(
        packages=PACKAGES_FOLDER, project=PROJECT_FOLDER, python=base.server.executable, server=SERVER_FOLDER
    )
    return Layer(
        name="config",
        purpose="What the image claims about itself, and what starts it.",
        items=(
            Item(path=f"{PROJECT_FOLDER.lstrip('/')}/{CONFIG_FILE}", content=clean.encode()),
            Item(path=BOOT_FILE.lstrip("/"), content=run.encode(), executable=True),
            *(_customs(project.kind)),
        ),
    )


def _customs(kind: Kind) -> tuple[Item, ...]:
    """What ModelArts packages count on: that the folder they run in takes files, and where the platform put them."""
    if kind is not Kind.CUSTOMIZE_SERVICE:
        return ()
    return (
        Item(path=PROJECT_FOLDER.lstrip("/"), writable=True),
        Item(path=PLATFORM_FOLDER.lstrip("/"), link=f"{PROJECT_FOLDER}/{MODEL_FOLDER}"),
    )


def image_config(project: Project) -> Mapping[str, Any]:
    """config.json as it is true of the image: one of type Image, whose packages are in it.

    A ModelArts package names its engine, runtime and dependencies for a platform that would build an image of them; of
    the image that we built they would be untrue, and platforms refuse them there.
    """
    clean = project.config.clean()
    kept = {key: value for key, value in clean.items() if key not in {"runtime", "dependencies", "swr_location"}}
    return {**kept, "model_type": "Image"} if project.kind is not Kind.BRING_YOUR_OWN else kept
