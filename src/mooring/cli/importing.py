"""`mooring import`: an image, an archive or a project becomes a model of the platform, once the check lets it in."""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mooring.cli import platform

if TYPE_CHECKING:
    from mooring.client import Client

VERSION = re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}")
FIRST_VERSION = "0.0.1"


class Purpose(enum.StrEnum):
    """What a model may be deployed as."""

    REAL_TIME = "real-time"
    BATCH = "batch"
    BOTH = "both"


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("import")(import_model)


def import_model(
    source: str = typer.Argument(
        help="An image, a registry reference, an archive, an OCI layout or a project's folder."
    ),
    name: str = typer.Argument("", metavar="[NAME[:VERSION]]", help="What to call it.  [default: from SOURCE]"),
    *,
    config: Path = typer.Option(None, metavar="FILE", help="Its config.json.  [default: the one SOURCE carries]"),
    kind: Purpose = typer.Option(Purpose.REAL_TIME, help="What it is to be deployed as."),
    description: str = typer.Option("", help="A word about it."),
    reference: bool = typer.Option(False, "--reference", help="Keep the reference only, and no copy of the image."),
    detach: bool = typer.Option(False, "--detach", "-d", help="Do not wait until it is imported."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """Bring an image or a project to the platform.

    The check of `mooring check` decides whether it gets in. SOURCE is looked for on the platform's machine. Without a
    version, it is the next after the newest of that name, or 0.0.1. Exit code 1: the check, or the import, failed;
    what must be mended is shown.

    For example: mooring import mnist:1 mnist:1.0.0
    """
    with platform.connected() as client:
        place = _place(source)
        called, version = _named(client, name or _suggested(source))
        fields: dict[str, Any] = {
            "description": description,
            "source_copy": str(not reference).lower(),
            "install_type": ["real-time", "batch"] if kind is Purpose.BOTH else [kind.value],
        }
        if config is not None:
            fields["initial_config"] = _text(config)
        model_id = client.import_model(place, called, version, **fields)
        if detach:
            _tell_detached(model_id, called, version, as_json=as_json)
            return
        model = _waited(client, model_id, f"{called}:{version}")
        if as_json:
            platform.show_json(model)
        else:
            _show(client, model)
    if model["model_status"] != "published":
        raise typer.Exit(1)


def _place(source: str) -> str | Path:
    """A path, made whole, when there is something of that name here; else a name as it was typed."""
    path = Path(source)
    archive, mark, image = source.partition("#")
    if mark and Path(archive).exists():
        return f"{Path(archive).resolve()}#{image}"
    is_path = path.exists() and (source.startswith((".", "/", "~")) or path.is_dir() or path.suffix)
    return path if is_path else source


def _text(config: Path) -> str:
    """The text as it is; what is wrong with it, the platform says."""
    from mooring.contract.model_config import found  # noqa: PLC0415 - the room is slow to open
    from mooring.errors import Invalid  # noqa: PLC0415 - the same

    file = found(config)
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {file}: {error}") from error


def _suggested(source: str) -> str:
    """A name for what nobody named: of an image its last part, of a path its stem."""
    last = source.rstrip("/").rpartition("/")[2].partition("#")[0].partition("@")[0]
    stem = re.sub(r"\.(tar|tgz|tar\.gz|tar\.zst|tzst)$", "", last).partition(":")[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")[:64] or "model"


def _named(client: Client, name: str) -> tuple[str, str]:
    called, _, version = name.partition(":")
    if version:
        return called, version
    versions = [
        tuple(map(int, one["model_version"].split(".")))
        for one in client.models(model_name=called, exact_match="true")
        if one["model_name"] == called and VERSION.fullmatch(one["model_version"])
    ]
    return called, _next(max(versions)) if versions else FIRST_VERSION


def _next(version: tuple[int, ...]) -> str:
    """The version after: the last part counts to 99, then the one before it."""
    number = version[0] * 10_000 + version[1] * 100 + version[2] + 1
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"


def _tell_detached(model_id: str, name: str, version: str, *, as_json: bool) -> None:
    if as_json:
        platform.show_json({"model_id": model_id})
    else:
        platform.say(f"importing {name}:{version} ({model_id}); mooring show {name}:{version} tells how it goes")


def _waited(client: Client, model_id: str, name: str) -> dict[str, Any]:
    phases = platform.Phases()
    with platform.left_running("the import", f"mooring show {name} tells how far it is"):
        return client.wait_for_model(model_id, seen=lambda _: phases.show(client.model_events(model_id)))


def _show(client: Client, model: dict[str, Any]) -> None:
    name = f"{model['model_name']}:{model['model_version']}"
    if model["model_status"] == "published":
        size = platform.size(model["model_size"])
        platform.say(f"{name} {size} {model['model_id']}. Next: {_next_verbs(name, model)}")
        return
    platform.tell(f"{name} was not imported: {model.get('error_msg') or model['model_status']}")
    events = client.model_events(model["model_id"])
    more = f"mooring show {name} --report tells all that was found; " if _found_some(events) else ""
    platform.tell(f"  {more}then mooring delete {name}, mend it, and import it again")


def _next_verbs(name: str, model: dict[str, Any]) -> str:
    kinds = model.get("install_type") or [Purpose.REAL_TIME]
    verbs = {Purpose.REAL_TIME: f"mooring deploy {name}", Purpose.BATCH: f"mooring batch run {name}"}
    return ", or ".join(verb for kind, verb in verbs.items() if kind in kinds)


def _found_some(events: list[dict[str, Any]]) -> bool:
    """Whether the check told something before the import failed."""
    return len([one for one in events if one["event_type"] == "abnormal"]) > 1
