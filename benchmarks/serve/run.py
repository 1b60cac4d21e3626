"""Measures the server in the image beside its peers: same model, same handler, one worker each, in turns."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import load
from bodies import Bodies, bodies, projects
from contenders import CONTENDERS, HERE, ROOT, Contender
from processes import Unfit, running, wait_of_a_get
from report import markdown
from results import CONNECTIONS, KINDS, Results

TEMPLATE = ROOT / "src/mooring/project/templates/mnist"
DOC = ROOT / "docs/benchmarks/serve.md"


@dataclass
class Bench:
    """One run: what is asked, of whom, and what has been seen so far."""

    bodies: Bodies
    projects: dict[str, Path]
    scratch: Path
    results: Results
    expected: dict[str, int] = field(default_factory=dict)

    def limit(self, kind: str, *, seconds: float) -> dict[str, float]:
        """Decode and inference in a loop, in a process of its own with the environment the servers get."""
        content = self.scratch / f"content.{kind}"
        content.write_bytes(self.bodies.file if kind == "jpeg" else self.bodies.json)
        env = CONTENDERS[0].start(kind, self.projects[kind], self.scratch).env
        command = [sys.executable, str(HERE / "limit.py"), kind, str(content), str(seconds)]
        return json.loads(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)

    def home(self, contender: Contender) -> Path:
        home = self.scratch / contender.name
        home.mkdir(exist_ok=True)
        return home

    def visit(self, contender: Contender, kind: str) -> None:
        """Start one server, check its answer, load it, weigh it, stop it."""
        ask = contender.ask(kind, self.bodies)
        start = contender.start(kind, self.projects[kind], self.home(contender))
        with running(start, ask, expected=self.expected[kind]) as server:
            row = self.results.row(contender.name, kind)
            row.starts.append(server.started_in)
            load.measure(server, ask, connections=4, seconds=1)  # warm
            for connections in CONNECTIONS:
                seen = load.measure(server, ask, connections=connections, seconds=self.results.seconds)
                row.loads[connections].append(seen)
            row.memory.append(server.memory_mib())
            row.processes = len(server.tree())

    def prepare(self, contender: Contender) -> bool:
        """Whether it can be installed, started, and gives the right answers; if not, the reason becomes its row."""
        try:
            contender.install()
            self.results.versions[contender.name] = contender.versions()
            for kind in KINDS:  # its bytecode and the disk cache are warm after this
                start = contender.start(kind, self.projects[kind], self.home(contender))
                with running(start, contender.ask(kind, self.bodies), expected=self.expected[kind]):
                    pass
            ask = contender.ask("jpeg", self.bodies)
            start = contender.start("jpeg", self.projects["slow"], self.home(contender))
            with running(start, ask, expected=7) as server:
                self.results.waits[contender.name] = wait_of_a_get(server, ask)
        except (Unfit, subprocess.CalledProcessError) as error:
            self.results.unfit[contender.name] = str(error)
            say(f"{contender.name}: {error}")
            return False
        say(f"{contender.name}: ready; a GET waits {self.results.waits[contender.name] * 1000:.0f} ms")
        return True

    def round(self, fit: list[Contender]) -> None:
        for kind in KINDS:
            once = self.limit(kind, seconds=self.results.seconds)
            self.results.limits[kind].append(once)
            say(f"  limit {kind}: {once['cpu_us']:.0f} us")
            for contender in list(fit):
                try:
                    self.visit(contender, kind)
                    self.tell(contender, kind)
                except (Unfit, OSError, subprocess.CalledProcessError) as error:
                    fit.remove(contender)
                    self.results.give_up(contender.name, f"in a later round: {error}")
                    say(f"{contender.name}: {error}")

    def tell(self, contender: Contender, kind: str) -> None:
        row = self.results.row(contender.name, kind)
        loads = " ".join(f"c{c}: {row.loads[c][-1].cpu_us:.0f} us" for c in CONNECTIONS)
        say(f"  {contender.name} {kind}: {loads}, start {row.starts[-1]:.2f} s, {row.memory[-1]:.0f} MiB")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="NAME,...", help=f"of {', '.join(c.name for c in CONTENDERS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each load, at least 1")
    parser.add_argument("--quick", action="store_true", help="one round of one second: to see that it runs")
    parser.add_argument("--project", type=Path, default=TEMPLATE, help="the mnist project to serve")
    parser.add_argument("--output", type=Path, help=f"default: {DOC.relative_to(ROOT)}, for a whole run")
    given = parser.parse_args()
    if given.quick:
        given.rounds = given.seconds = 1
    if not (given.only or given.quick or given.output):
        given.output = DOC
    return given


def chosen(only: str | None) -> Iterator[Contender]:
    names = only.split(",") if only else [contender.name for contender in CONTENDERS]
    known = {contender.name: contender for contender in CONTENDERS}
    for name in names:
        if name not in known:
            raise SystemExit(f"there is no contender {name}; there are {', '.join(known)}")
        yield known[name]


def measured(given: argparse.Namespace, contenders: list[Contender], scratch: Path) -> Results:
    results = Results(given.rounds, given.seconds)
    asked = bodies(given.project / "samples" / "seven.jpg")
    bench = Bench(asked, projects(given.project, scratch), scratch, results)
    results.sizes = {"jpeg": len(asked.jpeg), "json": len(asked.json), "file": len(asked.file)}
    for kind in KINDS:
        bench.expected[kind] = int(bench.limit(kind, seconds=0.1)["digit"])
    if given.project == TEMPLATE:
        assert set(bench.expected.values()) == {7}, f"the handler itself reads {bench.expected}, not sevens"
    fit = [contender for contender in contenders if bench.prepare(contender)]
    for number in range(given.rounds):
        say(f"round {number + 1} of {given.rounds}")
        bench.round(fit)
    return results


def main() -> None:
    given = options()
    load.wrk_path()
    contenders = list(chosen(given.only))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        text = markdown(measured(given, contenders, Path(folder)), contenders)
    print(text)
    if given.output:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(text)


if __name__ == "__main__":
    main()
