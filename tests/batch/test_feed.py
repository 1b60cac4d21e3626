"""The feeder over real HTTP, and what becomes of items when instances, storage and items misbehave."""

import asyncio
import json
import time

import pytest
from doubles.instances import BREAK_OFF, CUT, busy, content, echo, instance
from doubles.replicas import answer

from mooring.batch.asking import Patience
from mooring.batch.feed import Threshold
from mooring.errors import Denied, Unavailable
from mooring.storage import folder_address


def files(count, **more):
    return {f"{index:04}.png": bytes([index % 256]) * (index + 1) for index in range(count)} | more


def test_every_file_becomes_one_request_and_one_result(job):
    async def story():
        await job.give(**files(50), **{"sub/a b.txt": b"text", "sub/empty": b""})
        async with instance() as one:
            tally = await job.run([one.url])
            return one, tally

    one, tally = asyncio.run(story())
    assert (tally.items, tally.failed, tally.requests) == (52, 0, 52)
    assert set(one.count().values()) == {1}
    assert json.loads(job.results["0007.png_result.txt"]) == {"name": "0007.png", "size": 8}
    assert json.loads(job.results["sub/a b.txt_result.txt"]) == {"name": "a b.txt", "size": 4}
    assert len(job.results) == len(job.journal) == 52
    assert {seen.target for seen in one.heads} == {"/classify"}
    assert one.connections <= 4


def test_a_form_has_the_fields_name_the_files_name_and_type_and_the_files_bytes(job):
    data = bytes(range(256)) * 10

    async def story():
        await job.give(**{'so "called".png': data})
        async with instance() as one:
            await job.run([one.url])
            return one

    one = asyncio.run(story())
    head, _ = one.bodies[0].split(b"\r\n\r\n", 1)
    assert b'form-data; name="images"; filename="so %22called%22.png"' in head
    assert b"Content-Type: image/png" in head
    assert content(one.bodies[0]) == data
    assert one.heads[0].get("content-length") == str(len(one.bodies[0]))


def test_a_large_file_and_a_large_answer_pass_through(job):
    async def large(told, name, body):
        return answer(content(body))

    async def story():
        await job.give(**{"large.bin": b"1234567" * 1_000_000})
        async with instance(large) as one:
            return await job.run([one.url])

    assert asyncio.run(story()).failed == 0
    assert job.results["large.bin_result.txt"] == b"1234567" * 1_000_000


def test_no_instance_gets_more_at_a_time_than_allowed_and_all_get_their_share(job):
    async def slowly(told, name, body):
        await asyncio.sleep(0.01)
        return await echo(told, name, body)

    async def story():
        await job.give(**files(60))
        async with instance(slowly) as one, instance(slowly) as two:
            await job.run([one.url, two.url], each=3)
            return one, two

    one, two = asyncio.run(story())
    assert max(one.most, two.most) == 3
    assert min(len(one.names), len(two.names)) >= 20


@pytest.mark.parametrize("status", ["429 Too Many", "502 Bad Gateway", "503 Busy", "504 Timeout"])
def test_what_may_pass_is_asked_again(job, status):
    async def at_second(told, name, body):
        return await echo(told, name, body) if told.count()[name] > 1 else busy(status)

    async def story():
        await job.give(**files(8))
        async with instance(at_second) as one:
            await job.run([one.url])
            return one

    one = asyncio.run(story())
    assert not job.failed
    assert set(one.count().values()) == {2}


@pytest.mark.parametrize(
    "status", ["400 Bad", "404 No", "413 Large", "422 No", "500 Broken", "302 Elsewhere", "501 No"]
)
def test_what_stays_is_asked_once_and_told_with_its_reason(job, status):
    async def refuse(told, name, body):
        return busy(status) if name == "0003.png" else await echo(told, name, body)

    async def story():
        await job.give(**files(8))
        async with instance(refuse) as one:
            tally = await job.run([one.url])
            return one, tally

    one, tally = asyncio.run(story())
    assert job.failed == {"0003.png": f"the model answers {status[:3]}: busy"}
    assert (tally.items, tally.failed) == (8, 1)
    assert set(one.count().values()) == {1}
    assert "0003.png_result.txt" not in job.results
    assert len(job.results) == 7


def test_attempts_end_and_their_number_is_told(job):
    async def always(told, name, body):
        return busy()

    async def story():
        await job.give(a=b"1")
        async with instance(always) as one:
            await job.run([one.url])
            return one

    assert asyncio.run(story()).count() == {"a": 5}
    assert job.failed == {"a": "the model answers 503: busy, in each of 5 attempts"}


def test_retry_after_is_waited_for(job):
    times = []

    async def later(told, name, body):
        times.append(time.monotonic())
        return await echo(told, name, body) if len(times) > 1 else busy(headers=[("Retry-After", "1")])

    async def story():
        await job.give(a=b"1")
        async with instance(later) as one:
            await job.run([one.url])

    asyncio.run(story())
    assert 1.0 <= times[1] - times[0] < 10


def test_an_instance_that_takes_one_at_a_time_is_asked_so_and_loses_nothing(job):
    async def one_only(told, name, body):
        if told.now > 1:
            return busy()
        await asyncio.sleep(0.002)
        return await echo(told, name, body)

    async def story():
        await job.give(**files(100))
        async with instance(one_only) as one:
            await job.run([one.url], each=8)

    asyncio.run(story())
    assert not job.failed


def test_an_item_that_breaks_the_server_is_named_and_takes_no_other_with_it(job):
    async def poisoned(told, name, body):
        if name == "0013.png":
            told.poisoned = True
            return BREAK_OFF
        for _ in range(5):
            # Whatever is with it at the time breaks as well.
            await asyncio.sleep(0.002)
            if getattr(told, "poisoned", False) and told.now > 1:
                return BREAK_OFF
        told.poisoned = False
        return await echo(told, name, body)

    async def story():
        await job.give(**files(60))
        async with instance(poisoned) as one:
            await job.run([one.url], patience=Patience(backoff_seconds=0.01, stranded_seconds=20), each=6)

    asyncio.run(story())
    assert list(job.failed) == ["0013.png"]
    assert "in each of 5 attempts" in job.failed["0013.png"]
    assert len(job.results) == 59


def test_a_connection_closed_while_idle_costs_nothing(job):
    async def close_after(told, name, body):
        if len(told.names) % 5 == 0:
            return answer(b"{}").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
        return await echo(told, name, body)

    async def story():
        await job.give(**files(100))
        async with instance(close_after) as one:
            await job.run([one.url], patience=Patience(attempts=1))
            return one

    one = asyncio.run(story())
    assert not job.failed
    assert set(one.count().values()) == {1}


def test_no_answer_in_time_fails_that_item_only(job):
    async def hang(told, name, body):
        if name == "0003.png":
            await asyncio.sleep(60)
        return await echo(told, name, body)

    async def story():
        await job.give(**files(20))
        async with instance(hang) as one:
            await job.run([one.url], patience=Patience(request_seconds=0.5))
            return one

    assert asyncio.run(story()).count()["0003.png"] == 1
    assert job.failed == {"0003.png": "the model gives no answer within 0.5 s"}


def test_a_dead_instance_is_left_to_others_and_one_that_comes_gets_its_share(job):
    async def slowly(told, name, body):
        await asyncio.sleep(0.005)
        return await echo(told, name, body)

    async def story():
        await job.give(**files(200))
        async with instance(slowly) as one, instance(slowly) as late:
            async with job.fed(["http://127.0.0.1:9", one.url]) as task:
                while len(job.journal) < 50:
                    await asyncio.sleep(0.01)
                job.instances.replace([one.url, late.url])
                await asyncio.wait_for(task, 60)
            return late

    late = asyncio.run(story())
    assert not job.failed
    assert len(job.results) == 200
    assert len(late.names) > 20


def test_instances_may_all_be_gone_for_a_while(job):
    async def story():
        await job.give(**files(60))
        async with job.fed([]) as task:
            for _ in range(3):
                await asyncio.sleep(0.1)
                async with instance() as one:
                    job.instances.replace([one.url])
                    before = len(job.journal)
                    while len(job.journal) < min(60, before + 15) and not task.done():
                        await asyncio.sleep(0.001)
            async with instance() as one:
                job.instances.replace([one.url])
                await asyncio.wait_for(task, 60)

    asyncio.run(story())
    assert not job.failed
    assert len({one.item.index for one in job.journal}) == len(job.journal) == 60


@pytest.mark.parametrize("urls", [[], ["http://127.0.0.1:9"]])
def test_a_job_that_nobody_answers_is_given_up_in_the_end(job, urls):
    async def story():
        await job.give(**files(10))
        with pytest.raises(Unavailable, match="no instance has answered for"):
            await job.run(urls, patience=Patience(stranded_seconds=1))

    asyncio.run(story())
    assert job.journal == []


def test_too_large_and_vanished_inputs_fail_without_a_request(job):
    async def vanish(told, name, body):
        job.input.held.pop("in/z", None)
        return await echo(told, name, body)

    async def story():
        await job.give(**files(30), large=b"1" * 2000, z=b"1")
        async with instance(vanish) as one:
            await job.run([one.url], limit=1000, each=1)
            return one

    one = asyncio.run(story())
    assert set(job.failed) == {"large", "z"}
    assert job.failed["large"] == "large has 2,000 bytes, and 1,000 are allowed"
    assert job.failed["z"] == "memory:in/z is not there"
    assert {"large", "z"}.isdisjoint(one.names)


def test_too_many_failures_end_the_job_early_when_it_says_so(job):
    async def refuse(told, name, body):
        return busy("400 Bad") if int(name[:4]) >= 300 else await echo(told, name, body)

    async def story():
        await job.give(**files(1000))
        async with instance(refuse) as one:
            return await job.run([one.url], threshold=Threshold(percent=10, total=1000))

    tally = asyncio.run(story())
    assert "more than 10 %" in tally.given_up
    assert 101 <= len(job.failed) <= 110
    assert len(job.journal) <= 420


def test_without_a_threshold_all_may_fail(job):
    async def refuse(told, name, body):
        return busy("400 Bad")

    async def story():
        await job.give(**files(300))
        async with instance(refuse) as one:
            return await job.run([one.url])

    assert asyncio.run(story()).failed == 300


def test_a_slow_journal_holds_the_job_back(job):
    async def story():
        await job.give(**files(300))
        gate = asyncio.Event()

        async def note(outcomes):
            await gate.wait()
            await job.note(outcomes)

        async with instance() as one, job.fed([one.url], note=note) as task:
            await asyncio.sleep(0.5)
            begun = len(one.names)
            gate.set()
            await asyncio.wait_for(task, 60)
        return begun

    assert asyncio.run(story()) < 40
    assert len(job.journal) == 300


def test_a_journal_that_fails_ends_the_job_with_its_error(job):
    async def note(_):
        raise Denied("the database is gone")

    async def story():
        await job.give(**files(300))
        async with instance() as one:
            with pytest.raises(Denied, match="the database is gone"):
                await job.run([one.url], note=note)

    asyncio.run(story())


def test_stopping_finishes_what_is_in_hand(job):
    async def story():
        await job.give(**files(500))
        async with instance() as one:
            async with job.fed([one.url]) as task:
                while len(job.journal) < 20:
                    await asyncio.sleep(0.001)
                job.feed.stop()
                tally = await asyncio.wait_for(task, 60)
            return one, tally

    one, tally = asyncio.run(story())
    assert 20 <= tally.items < 500
    assert len(one.names) == len(job.journal) == len(job.results) == tally.items


def test_cancelling_ends_at_once_and_leaves_no_task(job):
    async def hang(told, name, body):
        await asyncio.sleep(60)

    async def story():
        await job.give(**files(50))
        before = asyncio.all_tasks()
        async with instance(hang) as one, job.fed([one.url]) as task:
            while not one.names:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, 5)
        return asyncio.all_tasks() - before

    assert asyncio.run(story()) == set()
    assert job.results == {}


def test_output_that_may_not_be_written_ends_the_job(job, tmp_path):
    async def story():
        await job.give(**files(50))
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "infer-result").symlink_to("/")
        job.output = job.places.place(folder_address(tmp_path / "out"))
        async with instance() as one:
            with pytest.raises(Denied, match="leads out of its folder"):
                await job.run([one.url])

    asyncio.run(story())
    assert job.journal == []


TABLE = b"".join(b"%d,%d.5,w%d\r\n" % (index, index, index) for index in range(500))


async def parrot(told, name, body):
    """The row back, some later than others, with line ends in between."""
    row = json.loads(body)
    await asyncio.sleep(0.0005 * (row["n"] % 7))
    return answer(json.dumps(row, indent=2).encode() + b"\n")


def test_rows_become_lines_in_their_order(job):
    async def story():
        await job.give(**{"t.csv": TABLE, "sub/t.csv": TABLE})
        async with instance(parrot) as one:
            return await job.run([one.url], tables=True), one

    tally, one = asyncio.run(story())
    assert (tally.items, tally.requests, tally.failed) == (2, 1000, 0)
    for name in ("t.csv_result.txt", "sub/t.csv_result.txt"):
        rows = [json.loads(line) for line in job.results[name].splitlines()]
        assert rows == [{"n": index, "x": index + 0.5, "who": f"w{index}"} for index in range(500)]
    assert one.most == 4
    assert {seen.get("content-type") for seen in one.heads} == {"application/json"}


def test_a_failed_row_is_named_and_spoils_no_other(job):
    async def picky(told, name, body):
        return busy("400 Bad") if b"w7" in body else await parrot(told, name, body)

    async def story():
        await job.give(**{"t.csv": b"1,2,w1\nx,2,w2\n3\n4,5,w7\n5,5,w8\n"})
        async with instance(picky) as one:
            return await job.run([one.url], tables=True)

    tally = asyncio.run(story())
    assert (tally.requests, tally.failed_requests) == (5, 3)
    lines = [json.loads(line) for line in job.results["t.csv_result.txt"].splitlines()]
    assert [line.get("n") for line in lines] == [1, None, None, None, 5]
    assert lines[1] == {
        "row": 2,
        "error_message": "t.csv, row 2 (line 2), cell 1: n: expected an integer, got the text 'x'",
    }
    assert lines[3]["error_message"] == "t.csv, row 4 (line 4): the model answers 400: busy"
    assert job.failed["t.csv"].startswith("3 of 5 rows failed; the first: t.csv, row 2 (line 2)")


def test_a_table_in_which_too_much_fails_is_not_fed_to_its_end(job):
    async def refuse(told, name, body):
        return busy("400 Bad")

    async def story():
        await job.give(**{"t.csv": TABLE * 10})
        async with instance(refuse) as one:
            return await job.run([one.url], tables=True, threshold=Threshold(percent=5)), one

    tally, one = asyncio.run(story())
    assert tally.given_up
    assert len(one.bodies) < 200
    assert job.results == {}


def test_whatever_fails_results_are_those_of_an_undisturbed_run(job):
    async def disturbed(told, name, body):
        turn = len(told.names) % 11
        if turn == 3:
            return BREAK_OFF
        if turn == 5:
            return busy()
        if turn == 7:
            return answer(b"1" * 100)[:-50] + CUT
        return await parrot(told, name, body)

    async def story():
        await job.give(**{"t.csv": TABLE})
        async with instance(parrot) as one:
            await job.run([one.url], tables=True)
        undisturbed = dict(job.results)
        job.output.held.clear()
        await job.give(**{"t.csv": TABLE})
        async with instance(disturbed) as one, instance(disturbed) as two:
            await job.run([one.url, two.url], tables=True, patience=Patience(attempts=50, backoff_seconds=0.001))
        return undisturbed

    assert asyncio.run(story()) == job.results
