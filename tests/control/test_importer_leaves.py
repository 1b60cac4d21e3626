"""The importer ends when the platform goes down, whatever happens at that moment."""

import asyncio

import pytest

from mooring.control.importing import Importer
from mooring.control.settings import Settings, Timings
from mooring.control.story import Story

PATIENCE_SECONDS = 20


@pytest.mark.parametrize("turns", range(6))
def test_it_leaves_though_it_is_woken_in_the_same_turn_or_some_turns_before(db, clock, tmp_path, turns):
    settings = Settings(data=tmp_path, timings=Timings(resync_seconds=60))
    importer = Importer(db, Story(db, clock), settings, clock, "memory")

    async def work():
        task = asyncio.create_task(importer.work())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not importer._sweep_at:
                await asyncio.sleep(0.005)
        for _ in range(20):  # by then its look is over, and it waits to be woken
            await asyncio.sleep(0.005)
        importer._wake()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_SECONDS / 2)
        task.cancel()
        assert done, "it went on"

    asyncio.run(work())
