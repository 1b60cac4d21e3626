"""The comparison behind the choice of HTTP server: the mnist request to a bare application under each of them.

Prints Markdown: microseconds a request of every server, of every multipart parser, and of the JSON parsers.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import load
from bodies import bodies, projects
from contenders import Contender, Place
from processes import Ask, Unfit, running
from run import TEMPLATE


def uvicorn(loop: str, http: str) -> Callable[[Place], Sequence[str]]:
    def command(place: Place) -> list[str]:
        address = ["--host", "127.0.0.1", "--port", str(place.port), "--app-dir", str(place.peer)]
        quiet = ["--no-access-log", "--log-level", "warning", "--lifespan", "off"]
        return [str(place.bin / "uvicorn"), "app:app", *address, *quiet, "--loop", loop, "--http", http]

    return command


def granian(interface: str) -> Callable[[Place], Sequence[str]]:
    def command(place: Place) -> list[str]:
        address = ["--host", "127.0.0.1", "--port", str(place.port), "--working-dir", str(place.peer)]
        flags = ["--interface", interface, "--workers", "1", "--loop", "uvloop", "--no-log"]
        return [str(place.bin / "granian"), *address, *flags, "app:app"]

    return command


def hypercorn(place: Place) -> list[str]:
    flags = ["--bind", f"127.0.0.1:{place.port}", "--workers", "0", "--worker-class", "uvloop"]
    return [str(place.bin / "hypercorn"), *flags, "app:app"]


SERVERS = {
    "uvicorn, httptools and uvloop": uvicorn("uvloop", "httptools"),
    "uvicorn, h11 and asyncio": uvicorn("asyncio", "h11"),
    "granian, ASGI": granian("asgi"),
    "granian, RSGI": granian("rsgi"),
    "hypercorn, uvloop": hypercorn,
}


def contenders() -> Iterator[Contender]:
    packages = ("uvicorn", "granian", "hypercorn", "multipart")
    for (title, command), way in itertools.product(SERVERS.items(), ("predict", "echo")):
        env = {"BENCH_WAY": way}
        yield Contender(f"{title} / {way}".replace(" ", "-").replace("/", ""), title, command, packages, "raw", env)


def visit(
    contender: Contender, project: Path, scratch: Path, ask: Ask, *, seconds: int
) -> tuple[list[load.Load], float]:
    home = scratch / contender.name
    home.mkdir(exist_ok=True)
    with running(contender.start("jpeg", project, home), ask, expected=7) as server:
        load.measure(server, ask, connections=4, seconds=1)
        loads = [load.measure(server, ask, connections=count, seconds=seconds) for count in (1, 16)]
        return loads, server.memory_mib()


def servers_table(project: Path, *, rounds: int, seconds: int) -> Iterator[str]:
    seen: dict[str, list[tuple[list[load.Load], float]]] = {}
    reasons: dict[str, str] = {}
    everyone = list(contenders())
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        scratch = Path(folder)
        asked = bodies(project / "samples" / "seven.jpg")
        served = projects(project, scratch)["jpeg"]
        for _, contender in itertools.product(range(rounds), everyone):
            try:
                ask = contender.ask("jpeg", asked)
                seen.setdefault(contender.name, []).append(visit(contender, served, scratch, ask, seconds=seconds))
            except Unfit as error:
                reasons[contender.name] = str(error)
    heads = "server", "answers", "CPU us, c1", "CPU us, c16", "requests/s, c16", "p99 ms, c16", "memory MiB", "errors"
    yield "| " + " | ".join(heads) + " |"
    yield "|---|---" + "|--:" * (len(heads) - 2) + "|"
    for contender in everyone:
        way = "a prediction" if contender.env["BENCH_WAY"] == "predict" else "a constant"
        if contender.name in reasons:
            yield f"| {contender.title} | {way} | could not take part: {reasons[contender.name]} |" + " |" * 5
            continue
        runs = seen[contender.name]
        one, many = [loads[0] for loads, _ in runs], [loads[1] for loads, _ in runs]
        cpu = f"{median(x.cpu_us for x in one):.0f} | {median(x.cpu_us for x in many):.0f}"
        rate, slowest = median(x.requests_per_second for x in many), median(x.p99_ms for x in many)
        memory, errors = median(memory for _, memory in runs), sum(x.errors for x in one + many)
        yield f"| {contender.title} | {way} | {cpu} | {rate:,.0f} | {slowest:.1f} | {memory:.0f} | {errors} |"
    yield ""
    yield "Versions: " + ", ".join(f"{name} {version}" for name, version in everyone[0].versions().items()) + "."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--project", type=Path, default=TEMPLATE, help="the mnist project to serve")
    given = parser.parse_args()
    load.wrk_path()
    one = next(contenders())
    one.install()
    for line in servers_table(given.project, rounds=given.rounds, seconds=given.seconds):
        print(line)
    print(flush=True)
    # The parsers live in the same locked environment.
    script = Path(__file__).parent / "parser_tables.py"
    sys.exit(subprocess.run([one.bin / "python", script], check=False, env=dict(os.environ)).returncode)


if __name__ == "__main__":
    main()
