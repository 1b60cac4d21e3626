"""A loop in a thread of its own: what is done there comes back, and ends when it is cancelled."""

import asyncio
import functools
import threading
import time

import pytest

from mooring.control.own_loop import OwnLoop


def in_a_loop(test):
    """The test as pytest calls it."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return run


@in_a_loop
async def test_what_is_done_there_holds_up_nobody_here():
    seen = []

    async def work():
        seen.append(threading.current_thread().name)
        time.sleep(0.3)  # noqa: ASYNC251 - that it blocks is the point

    doing = asyncio.create_task(OwnLoop("apart").run(work))
    rounds = 0
    while not doing.done():
        await asyncio.sleep(0.01)
        rounds += 1
    assert seen == ["apart"]
    assert rounds > 5


@in_a_loop
async def test_an_error_comes_back():
    async def work():
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        await OwnLoop("apart").run(work)


@pytest.mark.parametrize("pause", [0, 0.05])
@in_a_loop
async def test_cancelled_here_it_is_cancelled_there_and_its_end_is_waited_for(pause):
    ended = []

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append(True)

    doing = asyncio.create_task(OwnLoop("apart").run(work))
    await asyncio.sleep(pause)
    doing.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert time.monotonic() - began < 30
    assert ended or not pause


@in_a_loop
async def test_calls_reach_it_before_it_runs_and_are_nothing_when_it_is_over():
    loop, told = OwnLoop("apart"), []
    loop.call(told.append, "before")

    async def work():
        await asyncio.sleep(0)

    await loop.run(work)
    loop.call(told.append, "after")
    assert told == ["before"]
