"""What a batch job costs beside asking the same model by hand: files, rows, and many of them. Writes a page of docs."""

import argparse
import asyncio
import datetime as dt
import os
import platform
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

import uvloop
from house import EACH, House, Job, house
from inputs import FORM, JSON, MNIST, form, pictures, request, rows, table
from load import as_written, one_by_one, together

from mooring.batch.mapping import rule_for
from mooring.contract import ModelConfig
from mooring.project import scaffold

T = TypeVar("T")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks" / "batch.md"
LIMIT_GOAL, CPU_GOAL, GROWTH_GOAL = 0.9, 0.05, 0.05
# No model, or one that works for so long: what is seen is the feeding, and what it is beside a model that has work.
COUNTER = """
import time

from mooring_serve import Handler


class Counter(Handler):
    def predict(self, images):
        until = time.thread_time() + {seconds}
        while time.thread_time() < until:
            pass
        return {{"bytes": len(images.read())}}
"""
WORK_SECONDS = 0.01


@dataclass(frozen=True)
class Visit:
    """One kind of input in one round: answers a second, of each way."""

    limit: float
    job: Job
    library: float
    library_us: float
    sequential: float


@dataclass(frozen=True)
class Kind:
    """One row of the question: a model, its inputs in a folder, and the requests that a plain client makes of them."""

    name: str
    title: str
    model: str
    source: Path
    bodies: Sequence[bytes]
    content_type: str
    config: dict[str, object]
    sequential: int


def visit(here: House, kind: Kind, folder: Path) -> Visit:
    """The plain client, the job, the plain client again, and one by one: on the same machine, one after the other.

    What they write stays until the end: ext4 looks for room among files that were deleted lately for minutes, slowly.
    """
    port = here.port(kind.model)
    asked = [request(body, kind.content_type) for body in kind.bodies]
    before = _together(port, asked)
    job = here.job(kind.model, kind.source, folder / f"job-{time.monotonic_ns()}", **kind.config)
    after = _together(port, asked)
    few = kind.bodies[: kind.sequential]
    library, library_us = _run(as_written(port, few, kind.content_type, _writer(folder, "library"), at_once=EACH))
    sequential = one_by_one(port, few, kind.content_type, _writer(folder, "one-by-one"))
    return Visit((before + after) / 2, job, library, library_us, sequential)


def _together(port: int, asked: Sequence[bytes]) -> float:
    return _run(together(port, asked, connections=EACH))


def _run(asking: Coroutine[object, object, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asking)


def _writer(folder: Path, name: str) -> Callable[[int, bytes], object]:
    output = folder / f"{name}-{time.monotonic_ns()}"
    output.mkdir()
    return lambda number, answer: (output / f"{number}.txt").write_bytes(answer)


def growth(here: House, folder: Path, *, small: int, large: int, rounds: int) -> tuple[list[Job], list[Job]]:
    """Jobs of few files and of many, in turns, over a model that does nothing."""
    few, many = [], []
    for _ in range(rounds):
        few += [_counted(here, folder, small) for _ in range(3)]
        many.append(_counted(here, folder, large))
    return few, many


def _counted(here: House, folder: Path, count: int) -> Job:
    source = folder / f"files-{count}"
    if not source.exists():
        pictures(source, count)
    return here.job("counter", source, folder / f"job-{time.monotonic_ns()}", mapping_type="file")


def kinds(folder: Path, *, files: int, lines: int, sequential: int) -> list[Kind]:
    """Small pictures to mnist, and one table to the model of the tabular template."""
    made = pictures(folder / "pictures", files)
    ships = rows(lines)
    scaffold(folder / "tabular", template="tabular")
    rule = rule_for(ModelConfig.load(folder / "tabular").apis[0].request.data)
    few = pictures(folder / "few", files // 10)
    return [
        Kind(
            "files", f"{files:,} small pictures, each a request", "mnist", folder / "pictures",
            [form(one.name, one.read_bytes()) for one in made], FORM, {"mapping_type": "file"}, sequential,
        ),
        Kind(
            "rows", f"one table of {lines:,} rows, each a request", "tabular", table(folder / "tables", ships),
            [one.body for one in ships], JSON, {"mapping_type": "csv", "mapping_rule": rule}, sequential,
        ),
        Kind(
            "work", f"{files // 10:,} small pictures, to a model that works 10 ms for each", "worker", folder / "few",
            [form(one.name, one.read_bytes()) for one in few], FORM, {"mapping_type": "file"}, sequential // 10,
        ),
    ]  # fmt: skip


def table_of(kind: Kind, visits: list[Visit]) -> Iterator[str]:
    yield from (f"## {kind.title}", "")
    yield "| way | a second | of the limit |"
    yield "|---|--:|--:|"
    yield f"| a plain client, {EACH} requests at a time: the limit | {median(one.limit for one in visits):,.0f} | |"
    yield (
        f"| **a batch job** | {median(one.job.rate for one in visits):,.0f} | "
        f"{median(one.job.rate / one.limit for one in visits):.2f} |"
    )
    yield (
        f"| a loop with a client library (httpx), {EACH} at a time, answers written | "
        f"{median(one.library for one in visits):,.0f} | {median(one.library / one.limit for one in visits):.2f} |"
    )
    yield (
        f"| one request after the other, answers written | {median(one.sequential for one in visits):,.0f} | "
        f"{median(one.sequential / one.limit for one in visits):.2f} |"
    )
    yield ""
    feeder, model = (median(getattr(one.job, name) for one in visits) for name in ("feeder_us", "model_us"))
    yield (
        f"CPU a request: {feeder:.0f} us in the platform, {model:.0f} us in the model's processes, "
        f"{median(one.library_us for one in visits):.0f} us in the loop with a client library. The platform had "
        f"{max(one.job.memory_mib for one in visits):.0f} MiB of memory at the end."
    )
    yield ""


def goals(seen: dict[str, list[Visit]], few: list[Job], many: list[Job], counts: tuple[int, int]) -> Iterator[str]:
    yield from ("## Goals", "", "| goal | measured | met |", "|---|---|---|")
    for name, visits in seen.items():
        share = median(one.job.rate / one.limit for one in visits)
        yield _goal(f"{name}: at least {LIMIT_GOAL} of the limit", f"{share:.2f}", met=share >= LIMIT_GOAL)
    for name, visits in seen.items():
        share = median(one.job.rate / one.library for one in visits)
        yield _goal(
            f"{name}: at least {LIMIT_GOAL} of the loop with a client library", f"{share:.2f}", met=share >= LIMIT_GOAL
        )
    for name, visits in seen.items():
        share = median(one.job.feeder_us / one.job.model_us for one in visits)
        yield _goal(
            f"{name}: CPU of the platform under {CPU_GOAL:.0%} of the model's", f"{share:.0%}", met=share < CPU_GOAL
        )
    slow, fast = median(one.rate for one in many), median(one.rate for one in few)
    text = f"{slow:,.0f} a second, and {fast:,.0f}: {slow / fast - 1:+.0%}"
    small, large = counts
    yield _goal(
        f"the rate at {large:,} inputs within {GROWTH_GOAL:.0%} of the rate at {small:,} (or above)",
        text,
        met=slow >= fast * (1 - GROWTH_GOAL),
    )
    dear = max(median(one.job.feeder_us for one in visits) for visits in seen.values())
    yield ""
    yield (
        f"A platform that uses {dear:.0f} us for a request uses {CPU_GOAL:.0%} of what a model does that works "
        f"{dear / CPU_GOAL / 1000:.0f} ms for it."
    )
    memory = [max(one.memory_mib for one in jobs) for jobs in (few, many)]
    yield ""
    yield f"Memory of the platform after {small:,} inputs: {memory[0]:.0f} MiB; after {large:,}: {memory[1]:.0f} MiB."
    yield ""


def _goal(goal: str, measured: str, *, met: bool) -> str:
    return f"| {goal} | {measured} | {'yes' if met else '**no**'} |"


HEADING = """# Batch jobs, beside asking by hand

Written by `make bench-batch` (`python benchmarks/batch/run.py`; `--quick` for a try). One machine, one run, the ways
taking turns in every round; medians over the rounds. Do not compare these numbers with another machine's.
"""


def heading(rounds: int, load: float) -> Iterator[str]:
    model = next((row for row in Path("/proc/cpuinfo").read_text().splitlines() if row.startswith("model name")), ": ?")
    cpu = " ".join(model.partition(": ")[2].split()[:2])
    linux = platform.release().partition("-")[0]
    yield HEADING
    yield f"Run of {dt.datetime.now(dt.UTC):%Y-%m-%d}: {os.cpu_count()} cores ({cpu}), Linux {linux},"
    yield f"Python {platform.python_version()}; {rounds} rounds; load at first {load:.2f}."
    if (nice := os.getpriority(os.PRIO_PROCESS, 0)) < 0:
        yield f"The machine had other work: everything here ran before it (`nice -n {nice}`)."
    yield ""


HOW = """## How it was measured

* A platform of its own (`mooring up --engine process`, SQLite) with one instance of each model. Client, platform and
  model share the machine's cores: what the platform uses, the model does not get.
* The limit is a client that does nothing but ask: its requests are made before the time runs, it sends {each} at a time
  as a job does, over connections that stay open, and throws the answers away. It asks before and after each job, and
  the mean of the two counts. It asks another instance of the same model.
* The loop with a client library is what somebody writes who has no batch service: `httpx.AsyncClient`, {each} tasks, a
  file written for each answer. Its requests are made before the time runs, too.
* The job lists its input, keeps a row for every file, reads the files or rows, asks, writes each result whole (with its
  name on disk before it counts as done), keeps the outcomes, the log and the figures of the model, and writes the list
  of results. Its time runs from the model's first answer to the end of the job, list of results and all.
* One after the other is a loop as people write it: read, ask, write the answer, next.
* CPU is user and system time of all threads of the platform's process, and of the model's processes, from the kernel's
  scheduler, between the first look at the job that saw a request and the last. Besides feeding it holds what a platform
  always does: probes, logs, figures, the API that is asked how far the job is.
* Growth is measured on a model that does nothing, where the platform is what takes the time.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of a twentieth of it, printed and not kept")
    parser.add_argument("--output", type=Path, default=PAGE)
    given = parser.parse_args()
    began, share, rounds = os.getloadavg()[0], (20 if given.quick else 1), (1 if given.quick else given.rounds)
    counts = 1000, 100_000 // share
    with tempfile.TemporaryDirectory(prefix="bench-batch-") as name, house(Path(name)) as here:
        folder = Path(name)
        all_kinds = kinds(folder, files=10_000 // share, lines=100_000 // share, sequential=2000 // share)
        for project in (
            MNIST,
            folder / "tabular",
            _counter(folder / "counter"),
            _counter(folder / "worker", WORK_SECONDS),
        ):
            here.bring(project, project.name)
        seen: dict[str, list[Visit]] = {}
        for _ in range(rounds):
            for kind in all_kinds:
                seen.setdefault(kind.name, []).append(visit(here, kind, folder))
        few, many = growth(here, folder, small=counts[0], large=counts[1], rounds=rounds)
    lines = [
        *heading(rounds, began),
        *(line for kind in all_kinds for line in table_of(kind, seen[kind.name])),
        *goals(seen, few, many, counts),
    ]
    text = "\n".join(lines) + "\n" + HOW.format(each=EACH)
    if given.quick:
        print(text)
    else:
        given.output.write_text(text)
        print(f"written: {given.output}")


def _counter(project: Path, seconds: float = 0) -> Path:
    """The project of a model that does nothing, for so long, with the api of mnist."""
    (project / "model").mkdir(parents=True)
    (project / "model" / "nothing.txt").write_text("nothing")
    (project / "handler.py").write_text(COUNTER.format(seconds=seconds))
    (project / "config.json").write_text((MNIST / "config.json").read_text().replace("mnist_result", "bytes"))
    return project


if __name__ == "__main__":
    main()
