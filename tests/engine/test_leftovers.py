import re
import subprocess
import sys
import uuid

import pytest

from mooring.engine import Launch, checked_name, remove_leftovers
from mooring.engine.leftovers import CAGE_LABEL, OWNER_LABEL
from mooring.engine.owner import Owner


@pytest.fixture(scope="module")
def gone():
    """The owner that a process was which has ended."""
    me = Owner.me()
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return Owner(me.node, me.boot, me.table, process.pid, me.began)


def test_an_owner_is_gone_when_its_process_or_its_boot_is_over(gone):
    me = Owner.me()
    assert Owner.parse(str(me)) == me
    assert not me.is_gone(here=True)
    assert gone.is_gone(here=False)
    another_boot = Owner(me.node, "another-boot", me.table, me.pid, me.began)
    assert another_boot.is_gone(here=True)
    assert not another_boot.is_gone(here=False)
    assert not Owner("another-machine", "another-boot", me.table, me.pid, me.began).is_gone(here=True)
    assert not Owner(me.node, me.boot, "1", 1, "").is_gone(here=True)
    assert Owner.parse("nonsense") is None


def test_an_image_to_be_checked_gets_a_name_that_engines_take():
    name = checked_name()
    assert re.fullmatch(r"mooring-checked:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", name)
    assert name != checked_name()


@pytest.mark.engine
def test_a_container_that_only_got_the_marks_of_a_check_from_its_image_stays(engine, double, gone):
    labels = {OWNER_LABEL: str(gone), CAGE_LABEL: "0123456789", "io.mooring.port": "abc"}
    image = double("keeps_the_contract", labels=labels)
    made = engine.api.create_container(image)["Id"]
    mine = engine.start(Launch(image=image))
    try:
        remove_leftovers(engine)
        assert {made, mine} <= set(engine.containers())
        assert engine.observe(made).host_port == 0
        assert engine.observe(mine).host_port > 0
    finally:
        engine.remove(made)
        engine.remove(mine)


@pytest.mark.engine
def test_an_image_that_a_killed_check_handed_to_the_engine_loses_its_name_and_others_keep_theirs(engine, double, gone):
    image = double("keeps_the_contract")
    tags = {f"{gone}-{uuid.uuid4().hex[:10]}": False, checked_name().partition(":")[2]: True, "my-own": True}
    for tag in tags:
        engine.api.tag(image, "mooring-checked", tag)
    try:
        remove_leftovers(engine)
        assert {tag: f"mooring-checked:{tag}" in engine.image_names() for tag in tags} == tags
    finally:
        for tag in tags:
            engine.remove_image(f"mooring-checked:{tag}")
