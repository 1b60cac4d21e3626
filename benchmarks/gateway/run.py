"""What one more hop costs: Mooring's gateway, nginx and HAProxy in front of the same server. Writes a page of docs."""

import argparse
import asyncio
import datetime as dt
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

import uvloop
from hops import SERVICE, TOKEN, Hop, everyone, program
from load import Load, closed_loop, open_loop

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks" / "gateway.md"
SMALL, LARGE = 5 * 1024, 1 << 20
PERCENTS = ("p50_ms", "p99_ms")
CPU_GOAL_US, P99_GOAL_MS, GROWTH_GOAL_MIB = 350.0, 2.0, 8.0


@dataclass(frozen=True)
class Visit:
    """One load on one hop, in one round."""

    cpu_us: float  # of the hop's process, a request
    p50_ms: float
    p99_ms: float
    errors: int


@dataclass(frozen=True)
class Kind:
    """One row of the question: which request, how often."""

    name: str
    title: str
    size: int
    rate: float  # a second; 0 for as fast as 16 connections get their answers


KINDS = (
    Kind("small", "5 KB POST, 500 a second", SMALL, 500),
    Kind("full", "5 KB POST, 16 connections in a closed loop", SMALL, 0),
    Kind("large", "1 MB upload, 20 a second", LARGE, 20),
)


def request(size: int, *, direct: bool) -> bytes:
    """The bytes that a client sends: the same headers and body whoever gets them."""
    path = "/" if direct else f"/v1/infers/{SERVICE}"
    body = (b'{"pixels": [' + b"0.123, " * 740 + b"1]}").ljust(size)[:size]
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Auth-Token: {TOKEN}\r\nUser-Agent: benchmark\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    )
    return head.encode() + body


async def visit(hop: Hop, kind: Kind, *, seconds: float) -> Visit:
    asked = request(kind.size, direct=hop.name == "direct")
    warm_up = await open_loop(hop.port, asked, rate=50, seconds=0.5)
    before = hop.cpu_seconds()
    load = await _load(hop.port, asked, kind, seconds=seconds)
    spent = hop.cpu_seconds() - before
    made = len(load.latencies_ms)
    return Visit(spent / made * 1e6, load.percentile(0.5), load.percentile(0.99), load.errors + warm_up.errors)


async def _load(port: int, asked: bytes, kind: Kind, *, seconds: float) -> Load:
    if kind.rate:
        return await open_loop(port, asked, rate=kind.rate, seconds=seconds)
    return await closed_loop(port, asked, connections=16, requests=round(1500 * seconds))


async def memory(hop: Hop, *, requests: int) -> tuple[float, float, int]:
    """Memory after a tenth of the requests, and after all of them."""
    asked = request(SMALL, direct=False)
    first = await closed_loop(hop.port, asked, connections=16, requests=requests // 10)
    before = hop.memory_mib()
    rest = await closed_loop(hop.port, asked, connections=16, requests=requests - requests // 10)
    return before, hop.memory_mib(), first.errors + rest.errors


Visits = dict[tuple[str, str], list[Visit]]


async def measure(hops: list[Hop], *, rounds: int, seconds: float) -> Visits:
    """Every load on every hop, in turns, so that what else happens on the machine falls on all of them."""
    seen: Visits = {}
    for _ in range(rounds):
        for kind in KINDS:
            for hop in hops:
                seen.setdefault((hop.name, kind.name), []).append(await visit(hop, kind, seconds=seconds))
    return seen


def table(hops: list[Hop], kind: Kind, seen: Visits) -> Iterator[str]:
    yield from (f"## {kind.title}", "")
    yield "| hop | CPU us a request | p50 ms | p99 ms | added p50 ms | added p99 ms | errors |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    base = seen["direct", kind.name]
    for hop in hops:
        visits = seen[hop.name, kind.name]
        cells = [f"{median(one.cpu_us for one in visits):.0f}"]
        cells += [f"{median(getattr(one, name) for one in visits):.2f}" for name in PERCENTS]
        cells += ["" if hop.name == "direct" else f"{_added(visits, base, name):.2f}" for name in PERCENTS]
        title = f"**{hop.title}**" if hop.name == "mooring" else hop.title
        yield f"| {title} | {' | '.join(cells)} | {sum(one.errors for one in visits)} |"
    yield ""


def _added(visits: list[Visit], base: list[Visit], name: str) -> float:
    """The median over the rounds of what a hop adds to the same round's call without one."""
    return median(getattr(one, name) - getattr(two, name) for one, two in zip(visits, base, strict=True))


def goals(seen: Visits, grown: tuple[float, float, int], requests: int) -> Iterator[str]:
    small, base = seen["mooring", "small"], seen["direct", "small"]
    cpu, p99 = median(one.cpu_us for one in small), _added(small, base, "p99_ms")
    growth = grown[1] - grown[0]
    rows = (
        (f"CPU a 5 KB POST under {CPU_GOAL_US:.0f} us, identity by token on", f"{cpu:.0f} us", cpu < CPU_GOAL_US),
        (f"added p99 under {P99_GOAL_MS:.0f} ms at 500 a second", f"{p99:.2f} ms", p99 < P99_GOAL_MS),
        (
            f"memory flat over {requests:,} requests (under {GROWTH_GOAL_MIB:.0f} MiB more)",
            f"{grown[0]:.1f} MiB after a tenth of them, {grown[1]:.1f} MiB after all; {grown[2]} errors",
            growth < GROWTH_GOAL_MIB and not grown[2],
        ),
    )
    yield from ("## Goals", "", "| goal | measured | met |", "|---|---|---|")
    for goal, measured, met in rows:
        yield f"| {goal} | {measured} | {'yes' if met else '**no**'} |"
    yield ""


def _first_line(*command: str) -> str:
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    return (said.stdout or said.stderr).splitlines()[0]


HEADING = """# The gateway, beside nginx and HAProxy

Written by `make bench-gateway` (`python benchmarks/gateway/run.py`, see `--help` for a shorter run). One machine, one
run, hops taking turns in every round; medians over the rounds. Do not compare these numbers with another machine's.
"""


def heading(*, rounds: int, seconds: float, load: float) -> Iterator[str]:
    model = next((row for row in Path("/proc/cpuinfo").read_text().splitlines() if row.startswith("model name")), ": ?")
    cpu = " ".join(model.partition(": ")[2].split()[:2])
    yield HEADING
    linux = platform.release().partition("-")[0]
    yield f"Run of {dt.datetime.now(dt.UTC):%Y-%m-%d}: {os.cpu_count()} cores ({cpu}), Linux {linux},"
    yield f"Python {platform.python_version()}; {rounds} rounds, {seconds:g} s a load; load at first {load:.2f}."
    if os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR):
        yield "The machine had other work: client, hops and server ran with real-time priority (`chrt -f 1`)."
    yield ""
    names = ("uvicorn", "httptools", "uvloop")
    yield f"* Mooring gateway: {', '.join(f'{name} {version(name)}' for name in names)}"
    yield f"* {_first_line(program('nginx', 'nginx-light'), '-v').partition(': ')[2]}"
    yield f"* {_first_line(program('haproxy', 'haproxy'), '-v').partition(' - ')[0]}"
    yield ""


HOW = """## How it was measured

* The server behind every hop is one nginx worker that reads the body and answers with a line of JSON: it costs next to
  nothing, so what is seen is the hop. The client, the hop and the server share the machine's cores.
* The load is open: requests are sent when they are due, however the ones before are doing, over as many keep-alive
  connections as that takes, and each is timed from when it was due. The closed loop is for CPU under full load, when
  every turn of a loop has more than one request to work on; its latencies are those of a queue of 16.
* "Added" is the difference to the same round's load without a hop, the median over the rounds.
* CPU is user and system time of all threads and children of the hop's process, from the kernel's scheduler in
  nanoseconds.
* Mooring's gateway does what it always does: it looks the token up by its hash, chooses the replica with the fewest
  calls in flight, takes the credential out, counts, and measures the call's parts for `/metrics`. It runs as a process
  of its own with its table from its file, control being away. nginx and HAProxy rewrite the path and add
  X-Forwarded-For; they know nobody and keep no figures. All three run on one thread, stream bodies, keep connections to
  the server, and write no access log.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="length of one load")
    parser.add_argument("--requests", type=int, default=100_000, help="how many to watch the memory over")
    parser.add_argument("--output", type=Path, default=PAGE)
    given = parser.parse_args()
    began = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        everyone(Path(folder)) as hops,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        seen = runner.run(measure(hops, rounds=given.rounds, seconds=given.seconds))
        gateway = next(hop for hop in hops if hop.name == "mooring")
        grown = runner.run(memory(gateway, requests=given.requests))
    lines = [
        *heading(rounds=given.rounds, seconds=given.seconds, load=began),
        *(line for kind in KINDS for line in table(hops, kind, seen)),
        *goals(seen, grown, given.requests),
    ]
    given.output.write_text("\n".join(lines) + "\n" + HOW)
    print(f"written: {given.output}")


if __name__ == "__main__":
    main()
