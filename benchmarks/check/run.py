"""Measures `mooring check`: megabytes a second beside the parts it is made of, memory, and a whole dynamic check."""

import argparse
import contextlib
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from runs import MIB, Run, run
from subjects import in_engine, pack, write_archive

ROOT = Path(__file__).resolve().parents[2]
DOC = ROOT / "docs/benchmarks/check.md"
MOORING = [sys.executable, "-m", "mooring.cli"]
CODE = ROOT / ".venv"
EXAMPLE = ROOT / "examples/mnist"
IMAGE = "mooring-bench-mnist:1"
# 0 keeps, 1 breaks, 69 incomplete: of the image made here nothing can be run.
FINE = (0, 1, 69)
ENGINE = "mooring check, engine"

PAGE = """# The check, measured

Written by `make bench-check` (`python benchmarks/check/run.py`, see `--help` for a shorter run). One machine, one run,
the commands taking turns in every round; medians over the rounds. Do not compare these numbers with another machine's.

Run of {date}: {cores} cores, Linux {kernel}, Python {python}; {given.rounds} rounds; load average when it began
{given.load:.2f}.

## Static

The image is made by the benchmark: this project's environment {given.copies} times over (Python packages: many small
files, some large libraries) and {given.weights} MB of weights, {size} MB unpacked in two layers. "A core" is of
processor time, of all processes; the engine's own work is not in it.

| what | MB/s of unpacked content | MB/s a core | times as long as `tar t` | peak memory MB |
|---|--:|--:|--:|--:|
{table}

At the archive's rate, 30 GB take {minutes} minutes on this machine{engine}.

## Dynamic

{dynamic}
"""
DYNAMIC = """The whole check of the mnist image, static and dynamic, with a sample: {median} s (from {least} to
{most} s in {runs} runs), {peak} MB at most."""


@dataclass
class Row:
    """One thing measured: what it is told to do, and what came of it in each round."""

    name: str
    command: list[str] | str
    unpacked: int
    fine: tuple[int, ...] = (0,)
    is_slow: bool = False  # measured in the first round only
    runs: list[Run] = field(default_factory=list)

    def measure(self) -> None:
        done = run(self.command)
        if done.exit_code not in self.fine:
            raise SystemExit(f"{self.name} ended with {done.exit_code}: {self.command}")
        self.runs.append(done)
        say(f"  {self.name}: {done.wall_seconds:.1f} s, {self.unpacked / MIB / done.wall_seconds:.0f} MB/s")

    def median(self, what: str) -> float:
        return statistics.median(getattr(one, what) for one in self.runs)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def static(word: str) -> list[str]:
    return [*MOORING, "check", "--static", word]


@contextlib.contextmanager
def rows(scratch: Path, given: argparse.Namespace) -> Iterator[list[Row]]:
    archive, packed = scratch / "image.tar", scratch / "image.tar.gz"
    unpacked = write_archive(archive, tree=CODE, copies=given.copies, mebibytes=given.weights)
    pack(archive, packed)
    say(f"the image has {unpacked / MIB:.0f} MB unpacked, {packed.stat().st_size / MIB:.0f} MB packed")
    known = [
        Row("mooring check, archive", static(str(archive)), unpacked, FINE),
        Row("mooring check, archive, one core", ["taskset", "-c", "0", *static(str(archive))], unpacked, FINE),
        Row("mooring check, gzip archive", static(str(packed)), unpacked, FINE),
        Row("tar t of the archive's layers", f"tar xOf {archive} --wildcards '*/layer.tar' | tar ti", unpacked),
        Row("gzip -d", f"gzip -dc {packed}", unpacked),
        Row("sha256sum", f"sha256sum {archive}", unpacked),
    ]
    if clamscan := clamscan_row(scratch, archive, unpacked):
        known.append(clamscan)
    if not engine_answers():
        say("no Docker answers: its rows are left out")
        yield known
        return
    with in_engine(archive) as name:
        known.insert(2, Row(ENGINE, static(name), unpacked, FINE))
        known.insert(4, Row("docker save, then tar t", f"docker save {name} | tar t", unpacked))
        yield known


def clamscan_row(scratch: Path, archive: Path, unpacked: int) -> Row | None:
    """clamscan with one signature of ours over the unpacked tree: its engine without its millions of signatures."""
    if not shutil.which("clamscan"):
        return None
    tree, database = scratch / "tree", scratch / "one.ndb"
    tree.mkdir()
    subprocess.run(f"tar xOf {archive} --wildcards '*/layer.tar' | tar xi -C {tree}", shell=True, check=True)  # noqa: S602 - our own words
    database.write_text(f"Bench.Nothing:0:*:{os.urandom(24).hex()}\n")
    command = [
        "clamscan",
        "-r",
        "--quiet",
        "--max-filesize=4000M",
        "--max-scansize=4000M",
        "-d",
        str(database),
        str(tree),
    ]
    return Row("clamscan, unpacked, one signature", command, unpacked, (0, 1, 2), is_slow=True)


def engine_answers() -> bool:
    if not shutil.which("docker"):
        return False
    return subprocess.run(("docker", "version"), capture_output=True, check=False).returncode == 0


def dynamic(given: argparse.Namespace) -> list[Run]:
    """Whole checks of the mnist image, static and dynamic."""
    subprocess.run((*MOORING, "build", str(EXAMPLE), "-t", IMAGE), check=True, capture_output=True)
    command = [*MOORING, "check", IMAGE]
    command += ["--sample", f"images=@{EXAMPLE / 'samples/seven.jpg'}"]
    done = [run(command) for _ in range(given.rounds)]
    if any(one.exit_code for one in done):
        raise SystemExit(f"the mnist image does not pass: {' '.join(command)}")
    return done


def minutes(row: Row) -> str:
    """How long the largest image that most editions allow would take at this rate."""
    return f"{30 * 1024 * MIB / row.unpacked * row.median('wall_seconds') / 60:.1f}"


def report(measured: list[Row], whole: list[Run], given: argparse.Namespace) -> str:
    tar = next(row for row in measured if row.name.startswith("tar t"))
    table = []
    for row in measured:
        wall, cpu, size = row.median("wall_seconds"), row.median("cpu_seconds"), row.unpacked / MIB
        name = f"**{row.name}**" if row.name.startswith("mooring") else row.name
        ratio = wall / tar.median("wall_seconds")
        table.append(f"| {name} | {size / wall:.0f} | {size / cpu:.0f} | {ratio:.1f} | {row.median('peak_mib'):.0f} |")
    archive = measured[0]
    size = archive.unpacked / MIB
    walls = sorted(one.wall_seconds for one in whole) or [0.0]
    return PAGE.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        kernel=platform.release(),
        python=platform.python_version(),
        given=given,
        size=f"{size:.0f}",
        table="\n".join(table),
        minutes=minutes(archive),
        engine="".join(
            f", and {minutes(row)} from the engine, whose own export is most of that"
            for row in measured
            if row.name == ENGINE
        ),
        dynamic=DYNAMIC.format(
            median=f"{statistics.median(walls):.0f}",
            least=f"{walls[0]:.0f}",
            most=f"{walls[-1]:.0f}",
            runs=len(walls),
            peak=f"{statistics.median(one.peak_mib for one in whole):.0f}",
        )
        if whole
        else "No Docker answered, so no image was run.",
    )


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=2, help="of the environment, in the image")
    parser.add_argument("--weights", type=int, default=1024, help="MB of weights in the image")
    parser.add_argument("--quick", action="store_true", help="one round of a small image: to see that it runs")
    parser.add_argument("--output", type=Path, help=f"default: {DOC.relative_to(ROOT)}, for a whole run")
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.copies, given.weights = 1, 1, 128
    elif not given.output:
        given.output = DOC
    given.load = os.getloadavg()[0]
    return given


def main() -> None:
    given = options()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, rows(Path(folder), given) as known:
        for number in range(given.rounds):
            say(f"round {number + 1} of {given.rounds}")
            for row in known:
                if number == 0 or not row.is_slow:
                    row.measure()
        text = report(known, dynamic(given) if engine_answers() else [], given)
    say(f"took {time.perf_counter() - began:.0f} s")
    print(text)
    if given.output:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(text)


if __name__ == "__main__":
    main()
