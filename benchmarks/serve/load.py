"""Load from wrk: a closed loop of one or more connections over one fixed request, and what came of it."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from processes import Ask, Server

SCRIPT = """
local file = assert(io.open("%(body)s", "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "%(content_type)s"
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests": %%d, "microseconds": %%d, "bad_status": %%d, "socket_errors": %%d,' ..
    ' "p50": %%d, "p99": %%d}\\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """One run of wrk against one server."""

    requests_per_second: float
    cpu_us: float  # of the server's whole process tree, per request
    p50_ms: float
    p99_ms: float
    errors: int  # answers other than 2xx and 3xx, and socket errors


def wrk_path() -> str:
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("wrk is not installed: on Debian, apt install wrk. It makes the load of this benchmark.")
    return found


def measure(server: Server, ask: Ask, *, connections: int, seconds: float) -> Load:
    """A closed loop over `connections` keep-alive connections for so many seconds (whole ones, at least 1)."""
    with tempfile.TemporaryDirectory() as scratch:
        body, script = Path(scratch, "body"), Path(scratch, "request.lua")
        body.write_bytes(ask.body)
        script.write_text(SCRIPT % {"body": body, "content_type": ask.content_type})
        flags = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s", str(script)]
        before = server.cpu_seconds()
        url = f"http://127.0.0.1:{server.port}{ask.path}"
        said = subprocess.run([wrk_path(), *flags, url], check=True, capture_output=True, text=True).stdout
        spent = server.cpu_seconds() - before
    result = json.loads(said.rpartition("RESULT ")[2])
    done = max(1, result["requests"])
    return Load(
        requests_per_second=done / result["microseconds"] * 1e6,
        cpu_us=spent / done * 1e6,
        p50_ms=result["p50"] / 1000,
        p99_ms=result["p99"] / 1000,
        errors=result["bad_status"] + result["socket_errors"],
    )
