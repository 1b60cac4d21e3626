"""Who takes part: a server that answers at once, and the hops that are put in front of it."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mooring.gateway.standalone import write_cache
from mooring.gateway.table import Callers, Limits, Principal, Route, Share, Table, Target, Token

SERVICE = "11111111-2222-3333-4444-555555555555"
PROJECT = "0123456789abcdef0123456789abcdef"
TOKEN = "made-up-token-of-the-benchmark"  # noqa: S105 - it opens nothing but this benchmark
ANSWER = json.dumps({"predicted_label": "7", "scores": [["7", "0.999"], ["1", "0.001"]]})
# What nginx is told in both its parts: one worker, nothing written, bodies streamed, connections kept.
_NGINX = """
daemon off; pid {scratch}/{name}.pid; error_log {scratch}/{name}.log error; worker_processes 1;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_max_body_size 12m; keepalive_requests 1000000; keepalive_timeout 75;
  client_body_temp_path {scratch}/{name}-body; proxy_temp_path {scratch}/{name}-proxy;
  fastcgi_temp_path {scratch}/{name}-f; uwsgi_temp_path {scratch}/{name}-u; scgi_temp_path {scratch}/{name}-s;
  {inside}
}}
"""
_ANSWERS = (
    "server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 200 '{answer}'; }} }}"
)
_PASSES = """
  upstream replica {{ server 127.0.0.1:{replica}; keepalive 64; }}
  server {{ listen 127.0.0.1:{port};
    location /v1/infers/{service} {{
      proxy_pass http://replica/; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_request_buffering off; proxy_buffering off;
  }} }}
"""
_HAPROXY = """
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  timeout http-keep-alive 75s
  option http-keep-alive
  http-reuse safe
frontend calls
  bind 127.0.0.1:{port}
  option forwardfor
  acl service path_beg /v1/infers/{service}
  use_backend replicas if service
backend replicas
  balance leastconn
  http-request set-path /%[path,regsub(^/v1/infers/[^/]*/?,)]
  server replica 127.0.0.1:{replica} pool-max-conn 64
"""


@dataclass(frozen=True)
class Hop:
    """A running process on a port, and all its threads and children."""

    name: str
    title: str
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far, to the nanosecond."""
        total = 0
        for pid in _tree(self.pid):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    total += int(Path(task, "schedstat").read_text().split()[0])
        return total / 1e9

    def memory_mib(self) -> float:
        """Its proportional set size."""
        total = 0
        for pid in _tree(self.pid):
            rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(row.split()[1]) for row in rows if row.startswith("Pss:"))
        return total / 1024


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(FileNotFoundError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _tree(int(child))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def running(name: str, title: str, command: list[str], port: int) -> Iterator[Hop]:
    """Start it, wait until it listens, and end it."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{title} does not start: {' '.join(command)}")
            time.sleep(0.05)
        yield Hop(name, title, port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def program(name: str, package: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise SystemExit(f"{name} is not installed: on Debian, apt install {package}. It takes part in this benchmark.")
    return found


def _nginx(scratch: Path, name: str, inside: str) -> list[str]:
    file = scratch / f"{name}.conf"
    file.write_text(_NGINX.format(scratch=scratch, name=name, inside=inside))
    return [program("nginx", "nginx-light"), "-e", str(scratch / f"{name}.log"), "-c", str(file)]


def _mooring(scratch: Path, port: int, replica: int) -> list[str]:
    """The gateway as a process of its own, with its table from the file; control is away, as it may be."""
    target = Target("replica-1", f"http://127.0.0.1:{replica}")
    share = Share(model_id="model-1", model_name="mnist", model_version="1.0.0", weight=100, targets=(target,))
    route = Route(
        service_id=SERVICE,
        service_name="digits",
        project_id=PROJECT,
        status="running",
        shares=(share,),
        limits=Limits(body_bytes=12 << 20, answer_seconds=40.0),
    )
    who = Token(Principal(PROJECT, "bench", "key-1"))
    callers = Callers(tokens={hashlib.sha256(TOKEN.encode()).hexdigest(): who})
    cache = scratch / "table.json"
    write_cache(cache, Table(number=1, routes={SERVICE: route}, callers=callers))
    away = f"http://127.0.0.1:{free_port()}"
    start = (
        "import sys, pathlib; from mooring.gateway.standalone import Standalone, serve; "
        "serve(Standalone(control=sys.argv[1], token='x', listen=sys.argv[2], cache=pathlib.Path(sys.argv[3])))"
    )
    return [sys.executable, "-c", start, away, f"127.0.0.1:{port}", str(cache)]


@contextlib.contextmanager
def everyone(scratch: Path) -> Iterator[list[Hop]]:
    """The server itself, and each hop in front of it."""
    ports = [free_port() for _ in range(4)]
    answers = _ANSWERS.format(port=ports[0], answer=ANSWER)
    passes = _PASSES.format(port=ports[2], replica=ports[0], service=SERVICE)
    haproxy = scratch / "haproxy.cfg"
    haproxy.write_text(_HAPROXY.format(port=ports[3], replica=ports[0], service=SERVICE))
    with contextlib.ExitStack() as stack:
        starts = (
            ("direct", "no hop: the server itself", _nginx(scratch, "replica", answers)),
            ("mooring", "Mooring gateway", _mooring(scratch, ports[1], ports[0])),
            ("nginx", "nginx", _nginx(scratch, "hop", passes)),
            ("haproxy", "HAProxy", [program("haproxy", "haproxy"), "-f", str(haproxy), "-db"]),
        )
        yield [
            stack.enter_context(running(name, title, command, port))
            for (name, title, command), port in zip(starts, ports, strict=True)
        ]
