"""What a diagnosis of a workload's container is made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mooring.engine.cause import Facts
from mooring.engine.probe import speaks_tls
from mooring.engine.workload import State
from mooring.errors import NotFound

if TYPE_CHECKING:
    from mooring.engine.container_seen import Seen
    from mooring.engine.docker import DockerEngine
    from mooring.engine.probe import Answer
    from mooring.engine.workload import Probe

TLS_SECONDS = 1.0


def facts_of(engine: DockerEngine, seen: Seen, probe: Probe, answer: Answer | None) -> Facts:
    """The facts, `answer` being its last one to `probe`. Blocks."""
    started = seen.workload.started_at
    ended = seen.workload.state is State.EXITED
    facts = Facts(
        port=seen.asked.port,
        protocol=seen.asked.protocol,
        health_url=probe.url or "/",
        health_command=probe.command,
        waited_seconds=(datetime.now(UTC) - started).total_seconds() if started else 0.0,
        exit_code=seen.workload.exit_code,
        oom_killed=seen.container.oom_killed,
        memory_bytes=seen.asked.memory_bytes or 0,
        start_error=seen.workload.why if ended and started is None else "",
        log_tail=engine.last_lines(seen.container.id) if started else (),
        answers=(answer,) if answer else (),
    )
    if ended:
        return replace(
            facts, image_architecture=_architecture(engine, seen.image), engine_architecture=engine.architecture
        )
    host, port = seen.container.host, seen.container.host_port
    return replace(
        facts,
        listeners=engine.listeners(seen.container.id),
        tls=bool(port) and speaks_tls(host, port, timeout_seconds=TLS_SECONDS),
    )


def _architecture(engine: DockerEngine, image: str) -> str:
    try:
        return str(engine.inspect_image(image).get("Architecture", ""))
    except NotFound:
        return ""
