"""How an engine's description of a container is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mooring.engine.container import Sighting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.engine.refusal import Refusal

# On containers that are reached at their own address, the port in them that they are reached on.
PORT_LABEL = "io.mooring.port"


def sighted(attrs: Mapping[str, Any], refusal: Refusal | None = None) -> Sighting:
    """The container in the engine's description; `refusal` is why it did not start, where the engine keeps no word."""
    state = attrs["State"]
    host, port = _reached_at(attrs)
    running, error = bool(state["Running"]), state.get("Error") or ""
    code = int(state["ExitCode"])
    if refusal and not running and not error:
        error, code = refusal.words, refusal.exit_code
    return Sighting(
        id=attrs["Id"],
        name=attrs["Name"].lstrip("/"),
        running=running,
        exit_code=None if running else code,
        oom_killed=bool(state.get("OOMKilled")),
        error=error,
        started_at=state.get("StartedAt") or "",
        pid=int(state.get("Pid") or 0),
        host=host,
        host_port=port,
    )


def _reached_at(attrs: Mapping[str, Any]) -> tuple[str, int]:
    """Host and port where a container is reached from here; port 0 when it is not running, or not to be reached."""
    settings = attrs.get("NetworkSettings") or {}
    published = [int(one["HostPort"]) for binding in (settings.get("Ports") or {}).values() for one in binding or ()]
    own = [network["IPAddress"] for network in (settings.get("Networks") or {}).values() if network.get("IPAddress")]
    port = ((attrs.get("Config") or {}).get("Labels") or {}).get(PORT_LABEL) or ""
    # What somebody else made has the labels of its image, whatever they say.
    if own and not published and re.fullmatch("[0-9]{1,5}", port):
        return own[0], int(port)
    return "127.0.0.1", published[0] if published else 0
