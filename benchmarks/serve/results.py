"""What one run saw, and the medians and ratios that follow from it."""

import os
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median

from load import Load

KINDS = ("jpeg", "json")
CONNECTIONS = (1, 16)
OURS = "mooring"
PROMPT = 0.1  # seconds within which a GET must be answered while a prediction runs


@dataclass
class Row:
    """What was seen of one server with one kind of request, a value a round."""

    starts: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    loads: dict[int, list[Load]] = field(default_factory=lambda: defaultdict(list))
    processes: int = 0

    def cpu(self, connections: int) -> float:
        return median(load.cpu_us for load in self.loads[connections])

    def rate(self, connections: int) -> float:
        return median(load.requests_per_second for load in self.loads[connections])

    def p50(self, connections: int) -> float:
        return median(load.p50_ms for load in self.loads[connections])

    def p99(self, connections: int) -> float:
        return median(load.p99_ms for load in self.loads[connections])

    @property
    def start(self) -> float:
        return median(self.starts)

    @property
    def megabytes(self) -> float:
        """Millions of bytes, as the goal counts them."""
        return median(self.memory) * 2**20 / 1e6

    @property
    def errors(self) -> int:
        return sum(load.errors for loads in self.loads.values() for load in loads)


@dataclass
class Results:
    """Everything one run saw."""

    rounds: int
    seconds: float
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    limits: dict[str, list[dict[str, float]]] = field(default_factory=lambda: defaultdict(list))
    unfit: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)  # seconds a GET waits while a prediction of 1 s runs
    sizes: dict[str, int] = field(default_factory=dict)
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])

    def row(self, name: str, kind: str) -> Row:
        return self.rows.setdefault((name, kind), Row())

    def give_up(self, name: str, reason: str) -> None:
        """A contender that failed on the way: its reason is its row, what was seen of it before counts for nothing."""
        self.unfit[name] = reason
        for kind in KINDS:
            self.rows.pop((name, kind), None)

    def limit(self, kind: str, what: str) -> float:
        return median(once[what] for once in self.limits[kind])

    def share_of_limit(self, name: str, kind: str) -> float:
        """Throughput at 16 connections over the limit's, each round against the limit of that round."""
        pairs = zip(self.rows[name, kind].loads[16], self.limits[kind], strict=True)
        return median(load.requests_per_second / once["requests_per_second"] for load, once in pairs)

    def best_peer(self, kind: str, connections: int, *, prompt: bool = False) -> tuple[str, float] | None:
        """The peer with the least CPU time a request; `prompt`: of those that answer a GET while predicting."""
        peers = {
            name: row.cpu(connections)
            for (name, of), row in self.rows.items()
            if of == kind and not name.startswith(OURS) and not (prompt and self.waits[name] > PROMPT)
        }
        return min(peers.items(), key=lambda item: item[1]) if peers else None
