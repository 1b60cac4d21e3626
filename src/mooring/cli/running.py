"""One container from start to end: started, watched until it is healthy, followed, stopped as it should be."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from mooring.checks.trial.expecting import Expected
from mooring.cli.curl import curl
from mooring.contract import ModelConfig, edition, vocabulary
from mooring.contract.edition import EDITION_LABEL
from mooring.contract.model_config import CONFIG_LABEL
from mooring.engine import DockerEngine, Launch, Started, diagnose, wait_until_healthy
from mooring.engine.interruption import held_back
from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    from mooring.engine import Answer, Facts, ImageFacts, LogStream

DRAIN_SECONDS = 90
SERVICE_PORT = 8080
# What a person at a terminal wants: to end at once, with what is in hand finished. Then what the platform sends.
INTERACTIVE_STOP = {"SIGINT": 5.0, "SIGTERM": 5.0}
LAST_LOGS_SECONDS = 2.0
SHOWN_CHARACTERS = 200
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the user asked for; None where the image or the edition is to decide."""

    image: str
    port: int = 8080
    name: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    memory_bytes: int = 0
    wait_seconds: float | None = None
    edition: str | None = None


class Terminated(BaseException):
    """Somebody sent SIGTERM to this command."""


def run(wish: Wish, *, detach: bool) -> None:
    """Do all of `mooring run`; typer.Exit(1) when the image is at fault."""
    with DockerEngine.connect() as engine:
        image = engine.image(wish.image)
        _require_command(image)
        config = _config(image)
        rules = edition(wish.edition or image.labels.get(EDITION_LABEL) or "otc-2022")
        launch = Launch(
            image=wish.image,
            port=rules.get(vocabulary.SERVICE_PORT, SERVICE_PORT),
            host_port=wish.port,
            name=wish.name,
            env=wish.env,
            memory_bytes=wish.memory_bytes,
            labels=wish.labels,
            stop_seconds=rules.get(vocabulary.DRAIN_LIMIT, DRAIN_SECONDS),
        )
        expectation = Expected(config, rules).expectation(wait_seconds=wish.wait_seconds)
        with _sigterm_raises():
            with held_back():  # a container must not be made and then forgotten
                container = engine.start(launch)
            _Run(engine, Started(container, launch, image, expectation), config).until_ended(detach=detach)


class _Run:
    """A started container and the thread that shows its logs."""

    def __init__(self, engine: DockerEngine, started: Started, config: ModelConfig | None) -> None:
        self._engine = engine
        self._started = started
        self._config = config
        self._began = time.monotonic()
        self._logs = engine.follow(started.container)
        self._thread = threading.Thread(target=_show, args=(self._logs,), daemon=True)
        self._thread.start()

    def until_ended(self, *, detach: bool) -> None:
        """Wait for health and then for the end, whoever brings it; with `detach`, for health only."""
        left_running = False
        try:
            self._until_healthy()
            left_running = detach
            if detach:
                self._tell_how_to_stop()
            else:
                typer.echo("following its logs; Ctrl-C stops it", err=True)
                self._until_exit()
        except KeyboardInterrupt:
            typer.echo("stopping", err=True)
            self._engine.stop(self._started.container, signals=INTERACTIVE_STOP)
        except Terminated:
            limit = self._started.launch.stop_seconds
            typer.echo(f"SIGTERM is passed on to the container, which has up to {limit} s to end", err=True)
            self._engine.stop(self._started.container, signals={"SIGTERM": float(limit)})
            self._tell_end()
        finally:
            self._let_go(remove=not left_running)

    def _until_healthy(self) -> None:
        facts = wait_until_healthy(self._engine, self._started, noticed=_tell_waiting)
        if facts:
            self._thread.join(LAST_LOGS_SECONDS if facts.ended else 0)
            _tell_diagnosis(self._started.image.reference, facts)
            raise typer.Exit(1)
        base = f"http://127.0.0.1:{self._engine.observe(self._started.container).host_port}"
        typer.echo(f"ready in {time.monotonic() - self._began:.1f} s")
        for api in self._config.apis if self._config else ():
            typer.echo(curl(api, base))
        typer.echo(f"curl {base}{self._started.expectation.health_url}")

    def _until_exit(self) -> None:
        # Joined in pieces only so that a signal is not kept waiting on any platform.
        while self._thread.is_alive():
            self._thread.join(0.5)
        raise typer.Exit(1 if self._tell_end() else 0)

    def _tell_end(self) -> int:
        """Say with which exit code the container ended, and give it."""
        self._thread.join(LAST_LOGS_SECONDS)
        code = self._engine.observe(self._started.container).exit_code or 0
        typer.echo(f"the container ended, with exit code {code}", err=True)
        return code

    def _tell_how_to_stop(self) -> None:
        name, program = self._engine.observe(self._started.container).name, self._engine.program
        typer.echo(f"running as {name}")
        typer.echo(f"logs: {program} logs -f {name}")
        limit = self._started.launch.stop_seconds
        typer.echo(
            f"stop: {program} stop {name} (as the platform does, up to {limit} s); {program} rm -f {name} (at once)"
        )

    def _let_go(self, *, remove: bool) -> None:
        if remove:
            self._engine.remove(self._started.container)
        else:
            self._logs.close()
        self._thread.join(LAST_LOGS_SECONDS)


def _show(logs: LogStream) -> None:
    for piece in logs:
        sys.stderr.buffer.write(piece)
        sys.stderr.flush()


def _tell_waiting(answer: Answer) -> None:
    if answer.status:
        reason = f": {answer.reason[:SHOWN_CHARACTERS]}" if answer.reason else ""
        typer.echo(f"not ready: health answers {answer.status}{reason}", err=True)


def _tell_diagnosis(reference: str, facts: Facts) -> None:
    typer.echo(f"{reference} did not become healthy", err=True)
    for line in str(diagnose(facts)).splitlines():
        typer.echo(f"  {line}", err=True)


def _config(image: ImageFacts) -> ModelConfig | None:
    """What the image says of itself; None, and a word about it, when it carries no label that does."""
    text = image.labels.get(CONFIG_LABEL)
    if text:
        return ModelConfig.parse(text.encode(), source=f"label {CONFIG_LABEL} of {image.reference}")
    typer.echo(f"{image.reference} has no label {CONFIG_LABEL}: its apis are not known here", err=True)
    return None


def _require_command(image: ImageFacts) -> None:
    if not image.command:
        typer.echo(f"{image.reference} has no start command: neither CMD nor ENTRYPOINT", err=True)
        typer.echo('  do next:  say in its Dockerfile what starts the server: CMD ["python3", "/server.py"]', err=True)
        raise typer.Exit(1)


@contextlib.contextmanager
def _sigterm_raises() -> Iterator[None]:
    def handler(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def pairs(words: list[str], option: str) -> dict[str, str]:
    """KEY=VALUE words as a mapping; Invalid for a word that is none."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise Invalid(f"{option} {word!r} is not of the form KEY=VALUE")
        found[key] = value
    return found


def size(text: str) -> int:
    """`512m`, `2g`, `1.5 GB` in bytes, in powers of 1024 as engines count; 0 for no text."""
    if not text:
        return 0
    found = SIZE.fullmatch(text.strip())
    if not found:
        raise Invalid(f"--memory {text!r} is not a size", hint="for example 512m or 2g")
    return int(float(found.group(1)) * 1024 ** ("kmgt".index(found.group(2).lower()) + 1 if found.group(2) else 0))
