"""Tables that are done again: what is done of them is not asked again, whatever ended the run before."""

import asyncio
import contextlib
import json
import random
from collections import Counter

import pytest
from doubles.instances import busy, instance
from doubles.replicas import answer
from hypothesis import given
from hypothesis import strategies as st

from mooring.batch.spool import Spools, digest, tidy

ROWS = 3000
TABLE = b"".join(b"%d,%d.5,w%d\n" % (index, index, index) for index in range(ROWS))


async def parrot(told, name, body):
    row = json.loads(body)
    await asyncio.sleep(0.0005 * (row["n"] % 5))
    return answer(json.dumps(row).encode())


async def picky(told, name, body):
    return busy("400 Bad") if json.loads(body)["n"] % 100 == 7 else await parrot(told, name, body)


def asked(told):
    return Counter(json.loads(body)["n"] for body in told.bodies)


@pytest.mark.parametrize("behave", [parrot, picky])
def test_an_interrupted_table_goes_on_from_where_it_was(job, behave):
    async def story():
        await job.give(**{"t.csv": TABLE})
        async with instance(behave) as one:
            undisturbed = await job.run([one.url], tables=True)
        expected, job.spools = dict(job.results), Spools(job.spools._folder / "again")
        job.output.held.clear()
        await job.give(**{"t.csv": TABLE})
        interrupted = 0
        async with instance(behave) as one:
            while interrupted < 6:
                async with job.fed([one.url], tables=True) as task:
                    await asyncio.wait({task}, timeout=random.uniform(0.02, 0.15))  # noqa: S311 - moments, not secrets
                    interrupted += not task.done()
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
                        break
            tally = await job.run([one.url], tables=True)
        assert job.results == expected
        assert (tally.requests, tally.failed_requests) == (undisturbed.requests, undisturbed.failed_requests)
        return one, interrupted

    one, interrupted = asyncio.run(story())
    assert interrupted >= 2
    found = asked(one)
    assert len(found) == ROWS
    # Of each run, what was under way, and the answers that waited for one before them.
    assert sum(found.values()) - ROWS <= interrupted * 20


def test_failed_rows_alone_are_asked_when_the_table_is_done_again(job):
    async def story():
        await job.give(**{"t.csv": TABLE})
        async with instance(picky) as one:
            tally = await job.run([one.url], tables=True)
            assert tally.failed_requests == ROWS // 100
        async with instance(parrot) as two:
            tally = await job.run([two.url], tables=True)
            assert (tally.requests, tally.failed_requests, tally.failed) == (ROWS, 0, 0)
        return asked(two)

    found = asyncio.run(story())
    assert found == dict.fromkeys(range(7, ROWS, 100), 1)
    assert [json.loads(line)["n"] for line in job.results["t.csv_result.txt"].splitlines()] == list(range(ROWS))


def test_rows_that_changed_meanwhile_are_asked_too(job):
    async def story():
        await job.give(**{"t.csv": TABLE + b"x,1,w\n"})
        async with instance(parrot) as one:
            tally = await job.run([one.url], tables=True)
            assert tally.failed_requests == 1
        await job.give(**{"t.csv": TABLE.replace(b"\n5,5.5,", b"\n5,55.5,") + b"9000,1,w\n"})
        async with instance(parrot) as two:
            await job.run([two.url], tables=True)
        return asked(two)

    assert asyncio.run(story()) == {5: 1, 9000: 1}
    lines = [json.loads(line) for line in job.results["t.csv_result.txt"].splitlines()]
    assert lines[5]["x"] == 55.5
    assert lines[-1]["n"] == 9000


def test_what_is_done_of_a_table_is_gone_when_it_is_done(job):
    async def story():
        await job.give(**{"t.csv": TABLE, "bad.csv": b"x,1,w\n"})
        async with instance(parrot) as one:
            await job.run([one.url], tables=True)

    asyncio.run(story())
    assert [one.name for one in job.spools._folder.iterdir()] == ["0.rows"]
    assert job.spools._folder.stat().st_mode & 0o077 == 0
    assert (job.spools._folder / "0.rows").stat().st_mode & 0o077 == 0
    tidy(job.spools._folder.parent, keep={"spools"})
    assert job.spools._folder.exists()
    tidy(job.spools._folder.parent, keep=set())
    assert not job.spools._folder.exists()


LINES = st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b" ") + b"\n"), max_size=30)


@given(lines=LINES, cut=st.integers(0, 3000), again=st.integers(0, 3000))
def test_what_was_cut_off_anywhere_is_asked_again_and_nothing_else(tmp_path_factory, lines, cut, again):
    spools = Spools(tmp_path_factory.mktemp("spools"))
    file = spools._folder / "3.rows"
    marks = [digest(b"%d" % number) for number in range(len(lines))]
    for at in (cut, again, None):
        with contextlib.closing(spools.spool(3)) as spool:
            before = file.read_bytes()
            for number, (mark, line) in enumerate(zip(marks, lines, strict=True)):
                kept = spool.take(mark)
                assert kept == ((line, False) if number < before.count(b"\n") else None)
                if kept is None:
                    spool.add(mark, line)
            if at is None:
                spool.end()
        written = file.read_bytes()
        assert written.count(b"\n") == len(lines) + (at is None)
        if at is not None:
            file.write_bytes(written[:at])
    with contextlib.closing(spools.spool(3)) as spool:
        assert [spool.take(mark) for mark in marks] == [(line, True) for line in lines]
