"""What the verbs about a platform share: the client, tables for people, JSON for scripts, and names to complete."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

import typer

from mooring.errors import Invalid, MooringError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mooring.client import Client

AS_JSON = typer.Option(False, "--json", help="As JSON, for programs.")
DURATION = re.compile(r"(\d+)\s*(m|h|d|minutes?|hours?|days?)", re.IGNORECASE)
UNITS = {"m": "MINUTES", "h": "HOURS", "d": "DAYS"}
INTERRUPTED = 130
# In a JSON text these can only stand inside a string, where an escape is the same character.
UNSEEN = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb]")


@contextlib.contextmanager
def connected() -> Iterator[Client]:
    """The client of the platform that the environment names, or of this machine's."""
    from mooring.client import Client  # noqa: PLC0415 - an HTTP client is slow to import

    with Client() as client:
        yield client


def visible(text: str) -> str:
    """The text with nothing in it that could move the terminal's cursor."""
    from mooring.contract.visible import visible as shown  # noqa: PLC0415 - the room is slow to open

    return shown(text)


def say(text: str) -> None:
    """A line on standard output, for a person."""
    typer.echo(visible(text))


def show_json(value: Any) -> None:
    """A value on standard output, indented."""
    typer.echo(_json(value, indent=2))


def show_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows under a head, in columns; nothing in them can move the terminal's cursor."""
    lines = [tuple(head), *(tuple(visible(str(cell)) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    widths[-1] = 0
    for line in lines:
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def show_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Names and values below each other, more lines of a value below its first; those without a value are left out."""
    shown = [(name, str(value)) for name, value in fields if value not in (None, "", [], {})]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        typer.echo(f"{name:<{width}}  {_lines(value, indent=width + 2)}")


def when(ms: int | None) -> str:
    """A time as the person's clock shows it; "" for none."""
    if not ms:
        return ""
    return dt.datetime.fromtimestamp(ms / 1000, tz=dt.UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def size(count: float) -> str:
    """Bytes as people say them, in powers of 1000 as images are told: `583 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004 - the step between units
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def duration(text: str, option: str) -> tuple[int, str]:
    """`6h`, `30m`, `2d` as a number and DAYS, HOURS or MINUTES; Invalid for what is none."""
    found = DURATION.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise Invalid(f"{option} {text!r} is not a time", hint="for example 30m, 6h or 2d")
    return int(found[1]), UNITS[found[2][0].lower()]


def tell(text: str) -> None:
    """A word on the way, for a person: to standard error; more lines of it are indented."""
    typer.echo(_lines(text, indent=4), err=True)


class Phases:
    """The lines of a story as they come, each once, while something is waited for."""

    def __init__(self, already: int = 0) -> None:
        """`already` is how many lines the story had before."""
        self._shown = already

    def show(self, events: Sequence[dict[str, Any]]) -> None:
        """Say what is new among `events`, the oldest first."""
        for event in events[self._shown :]:
            typer.echo(_told(event, indent=2), err=True)
        self._shown = max(self._shown, len(events))


@contextlib.contextmanager
def left_running(what: str, how: str) -> Iterator[None]:
    """Ctrl-C ends the waiting, not what is waited for; `how` says what shows how it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        tell(f"{what} goes on; {how}")
        raise typer.Exit(INTERRUPTED) from None


def require_real_time(service: dict[str, Any], hint: str) -> None:
    """Invalid for a batch service, with what to do instead."""
    if service["infer_type"] == "batch":
        raise Invalid(f"{service['service_name']} is a batch service", hint=hint)


def names(incomplete: str) -> list[str]:
    """Services and models that begin so, for the shell to complete."""
    return service_names(incomplete) + model_names(incomplete)


def service_names(incomplete: str) -> list[str]:
    """Services whose names begin so, for the shell to complete."""
    return names_of(incomplete, lambda client: [one["service_name"] for one in client.services()])


def model_names(incomplete: str) -> list[str]:
    """Models, as name:version, that begin so, for the shell to complete."""
    return names_of(
        incomplete, lambda client: [f"{one['model_name']}:{one['model_version']}" for one in client.models()]
    )


def names_of(incomplete: str, listed: Callable[[Client], list[str]]) -> list[str]:
    """What is listed and begins so, for the shell to complete; nothing where no platform answers."""
    try:
        with connected() as client:
            return [name for name in listed(client) if name.startswith(incomplete)]
    except (MooringError, LookupError, TypeError):
        return []  # a shell that asks for names is no place for errors


SERVICE = typer.Argument(metavar="SERVICE", help="Its name or id.", autocompletion=service_names)
MODEL = typer.Argument(
    metavar="MODEL", help="name:version, name for the newest, or its id.", autocompletion=model_names
)


def one_line(value: Any) -> str:
    """A value as JSON in one line."""
    return _json(value)


def _json(value: Any, indent: int | None = None) -> str:
    """JSON that is good for a terminal, too: what moves a cursor or turns a line round stands in it as an escape."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def log_line(line: dict[str, Any]) -> str:
    """A line of a container's log: when, which instance, what."""
    return f"{_clock(str(line['time']))}  {visible(str(line['replica']))}  {visible(str(line['text']))}"


def _clock(time: str) -> str:
    """A time with its zone, as the person's clock shows it."""
    try:
        return dt.datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return visible(time)


def event_line(event: dict[str, Any]) -> str:
    """A line of a story: when, `!` where something went wrong, what; more lines of it below."""
    time = when(event["occur_time"])
    return f"{time}  {_told(event, indent=len(time) + 4)}"


def _told(event: dict[str, Any], *, indent: int) -> str:
    mark = "! " if event["event_type"] == "abnormal" else "  "
    return mark + _lines(str(event["event_info"]), indent=indent)


def _lines(text: str, *, indent: int) -> str:
    """The text with nothing in it that could move the cursor, its lines but the first indented."""
    from mooring.contract.visible import visible_lines  # noqa: PLC0415 - the room is slow to open

    return f"\n{' ' * indent}".join(visible_lines(text))
