import threading
import time

import pytest

from mooring.engine import Launch, caged, disk
from mooring.engine.container import Confinement

pytestmark = pytest.mark.engine
LIMIT = 300_000_000


@pytest.fixture
def writing(engine, double, monkeypatch):
    """A container of a command, watched closely; it may write 300 MB."""
    monkeypatch.setattr(disk, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(disk, "REST", 0)

    def cage(command):
        launch = Launch(
            image=double("keeps_the_contract", command=("sh", "-c", command)),
            confinement=Confinement(disk_bytes=LIMIT),
        )
        return caged(engine, launch)

    return cage


def comes(condition):
    deadline, pause = time.monotonic() + 60, threading.Event()
    while not condition() and time.monotonic() < deadline:
        pause.wait(0.05)
    return condition()


def test_a_container_that_writes_without_end_is_ended(engine, writing):
    with writing("head -c 600000000 /dev/zero >/var/tmp/big; sleep 600") as cage:
        assert comes(lambda: not engine.observe(cage.container).running)
        assert cage.disk.told == "it wrote more than 0.3 GB"
        assert engine.observe(cage.container).exit_code == 137


def test_a_file_with_holes_fills_no_disk(engine, writing):
    with writing("truncate -s 1000000000 /var/tmp/holes; echo made; sleep 2; echo lives; sleep 600") as cage:
        assert comes(lambda: "lives" in engine.last_lines(cage.container))
        assert engine.observe(cage.container).running
        assert cage.disk.told == ""
