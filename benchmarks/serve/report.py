"""The tables: medians of the rounds, ratios to the limit and to the best peer, and whether the goals are met."""

import datetime as dt
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

from contenders import Contender
from results import CONNECTIONS, KINDS, OURS, PROMPT, Results

TITLES = {"jpeg": "The picture: a form with a JPEG", "json": "The numbers: JSON"}
CPU_GOAL, RATE_GOAL, START_GOAL, MEMORY_GOAL = 0.5, 0.8, 0.6, 100
HEADS = (
    "server",
    "CPU us a request, c1",
    "CPU us a request, c16",
    "beyond the handler",
    "times the limit",
    "times the best peer",
    "p50 ms, c1",
    "requests/s, c16",
    "of the limit",
    "p99 ms, c16",
    "start s",
    "memory MB",
    "processes",
    "errors",
)


def markdown(results: Results, contenders: Sequence[Contender]) -> str:
    parts = [INTRODUCTION, *_environment(results, contenders)]
    for kind in KINDS:
        parts += ["", f"## {TITLES[kind]} ({results.sizes[kind]} bytes)", "", *_table(results, contenders, kind)]
    parts += ["", "## Health while a prediction runs", "", *_waits(results, contenders)]
    parts += ["", "## Goals", "", *_goals(results), "", METHOD.format(file=results.sizes["file"])]
    return "\n".join(parts).rstrip() + "\n"


def _table(results: Results, contenders: Sequence[Contender], kind: str) -> Iterator[str]:
    yield _line(HEADS)
    yield "|---" + "|--:" * (len(HEADS) - 1) + "|"
    cpu, rate = results.limit(kind, "cpu_us"), results.limit(kind, "requests_per_second")
    yield _line(
        ("the limit: the handler in a loop", f"{cpu:.0f}", f"{cpu:.0f}", "0", "1.00", "", "", f"{rate:,.0f}", "1.00")
    )
    best = results.best_peer(kind, 16)
    for contender in contenders:
        name, title = contender.name, contender.title
        if name in results.unfit:
            yield _line((title, "could not take part: " + results.unfit[name].replace("|", "/")))
            continue
        row = results.rows[name, kind]
        yield _line(
            (
                f"**{title}**" if name == OURS else title,
                f"{row.cpu(1):.0f}",
                f"{row.cpu(16):.0f}",
                f"{row.cpu(16) - cpu:.0f}",
                f"{row.cpu(16) / cpu:.2f}",
                f"{row.cpu(16) / best[1]:.2f}" if best else "",
                f"{row.p50(1):.2f}",
                f"{row.rate(16):,.0f}",
                f"{results.share_of_limit(name, kind):.2f}",
                f"{row.p99(16):.1f}",
                f"{row.start:.2f}",
                f"{row.megabytes:.0f}",
                f"{row.processes}",
                f"{row.errors}",
            )
        )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join((*cells, *[""] * (len(HEADS) - len(cells)))) + " |"


def _waits(results: Results, contenders: Sequence[Contender]) -> Iterator[str]:
    yield "How long a GET waits for any answer while one prediction of 1 s runs, in C and without Python's lock."
    yield ""
    yield "| server | ms |"
    yield "|---|--:|"
    for contender in contenders:
        if contender.name in results.waits:
            yield f"| {contender.title} | {results.waits[contender.name] * 1000:.0f} |"


def _goals(results: Results) -> Iterator[str]:
    if (OURS, KINDS[0]) not in results.rows:
        yield "Mooring did not take part in this run."
        return
    yield "| goal | request | measured | met |"
    yield "|---|---|---|---|"
    for kind in KINDS:
        row = results.rows[OURS, kind]
        yield from _cpu_goals(results, kind)
        rate = results.share_of_limit(OURS, kind)
        yield f"| throughput at 16 connections at least {RATE_GOAL} of the limit | {kind} | {rate:.2f} | " + _met(
            yes=rate >= RATE_GOAL
        )
        yield f"| start to first 200 under {START_GOAL} s | {kind} | {row.start:.2f} s | " + _met(
            yes=row.start < START_GOAL
        )
        yield f"| memory under {MEMORY_GOAL} MB | {kind} | {row.megabytes:.0f} MB | " + _met(
            yes=row.megabytes < MEMORY_GOAL
        )


def _cpu_goals(results: Results, kind: str) -> Iterator[str]:
    for connections in CONNECTIONS:
        for prompt in (False, True):
            best = results.best_peer(kind, connections, prompt=prompt)
            if best is None:
                continue
            share = results.rows[OURS, kind].cpu(connections) / best[1]
            alone = results.limit(kind, "cpu_us") / best[1]
            whom = "best peer that answers health meanwhile" if prompt else "best peer"
            goal = f"CPU a request at most {CPU_GOAL} of the {whom}, c{connections}"
            seen = f"{share:.2f} of {best[0]}; the handler alone is {alone:.2f}"
            yield f"| {goal} | {kind} | {seen} | " + _met(yes=share <= CPU_GOAL)


def _met(*, yes: bool) -> str:
    return "yes |" if yes else "**no** |"


def _environment(results: Results, contenders: Sequence[Contender]) -> Iterator[str]:
    told = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    model = next((value.strip() for name, _, value in told if name.strip() == "model name"), platform.machine())
    date = dt.datetime.now(tz=dt.UTC).date().isoformat()
    yield (
        f"Run of {date}: {os.cpu_count()} cores ({model}), Linux {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}; {results.rounds} rounds, {results.seconds} s a load; "
        f"load average when it began {results.load_before:.2f}."
    )
    yield ""
    for contender in contenders:
        versions = results.versions.get(contender.name)
        if versions:
            yield f"* {contender.title}: {', '.join(f'{name} {version}' for name, version in versions.items())}"


INTRODUCTION = """# The server in the image, beside its peers

Written by `make bench-serve` (`python benchmarks/serve/run.py`, see `--help` for a shorter run). One machine, one run,
servers taking turns in every round; medians over the rounds. Do not compare these numbers with another machine's.
"""

METHOD = f"""## How it was measured

* Every server loads the same ONNX model and calls the same handler, the mnist project's own code: decoding, normalising
  and inference are one and the same. One worker each, one thread for ONNX, OpenMP and BLAS.
* **The picture** is the request of the image contract: a form with one JPEG of {{file}} bytes in the field `images`.
  **The numbers** are `pixels`, an array of 784 from 0 to 1 in an object; MLServer gets them as a V2 protocol tensor.
* Each checks the numbers the way its users would: Mooring by the JSON Schema of `config.json` (784 numbers, no more, no
  fewer), FastAPI and BentoML by pydantic (`list[float]`, length 784), MLServer by its protocol's types, Flask by the
  length alone, LitServe not at all.
* **The limit** is the handler called in a loop in one process, with the file's bytes already in memory; for the numbers
  it includes decoding the JSON with msgspec. Its throughput is what one worker could do if HTTP cost nothing.
* Load is wrk, a closed loop of 1 (c1) and 16 (c16) keep-alive connections, on the same machine: on few cores it
  competes with the servers, so CPU time is the figure to trust. CPU is user plus system time of the server's whole
  process tree, dead children included, over the requests answered; "beyond the handler" is what is left of it at c16
  without the limit's. Memory is the proportional set size of the tree after the load. Start is from exec to the first
  right prediction, with bytecode and disk cache warm.
* Before anything is measured each server must give the handler's own answer. Errors count answers other than 2xx and
  3xx, and socket errors.
* FastAPI runs twice: with `def`, as its documentation advises for blocking calls, and with `async def`, which is
  faster and leaves everything else unanswered while a prediction runs. Mooring promises health within
  {PROMPT * 1000:.0f} ms meanwhile, so the goals name the best peer of all and the best of those that manage it.
* MLServer runs without parallel workers: its default of one does not start with the uvloop that it resolves to.
  LitServe has its fast queue on. BentoML's telemetry is off.
* Access logs are off where there is a switch: Mooring, uvicorn, LitServe, BentoML, MLServer; gunicorn has none by
  default. Mooring runs once more with its log on, since that is its default.
* Each peer is installed from its own lock with hashes, `benchmarks/serve/peers/<name>/requirements.txt`.
"""
