"""One input of a job, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One input file of a job.

    `index` counts from 0 in the order of the input, `source` is its address as it was written, `name` is the file name
    that the model is told, `result` is what its result is called below the output (`mooring.batch.naming`), and `size`
    is in bytes, None where it is known only when it is opened.
    """

    index: int
    source: str
    name: str
    result: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item: `ok`, or `error`, a sentence for its owner.

    `requests` counts what was sent for it beside retries, one for a file and one for each row of a table; `failed`,
    how many of those failed. A table with failed rows is not ok, and has a result nevertheless: the rows that did not
    fail are in it, and a line that says why for each of those that did.
    """

    item: Item
    ok: bool
    error: str = ""
    requests: int = 1
    failed: int = 0
