import contextlib
import signal
from dataclasses import replace

import docker
import pytest

from mooring.engine import DockerEngine, Launch, caged, inside, kernel
from mooring.engine.address import Address
from mooring.engine.probe import Outcome


class Elsewhere(DockerEngine):
    """The engine, seen from where its processes have other numbers: all that is left is the image's own `cat`."""

    def observe(self, container):
        return replace(super().observe(container), pid=0)


@pytest.fixture
def elsewhere(engine):
    client = docker.DockerClient(base_url=engine.address.url)
    with Elsewhere(client, Address(engine.address.url, "a test")) as connected:
        yield connected


@contextlib.contextmanager
def container_with_cat(engine, double, script):
    image = double("keeps_the_contract", files={"/usr/local/bin/cat": f"#!/bin/sh\n{script}\n".encode()})
    with caged(engine, Launch(image=image)) as cage:
        yield cage.container


@pytest.mark.engine
def test_the_kernels_own_word_goes_before_that_of_the_images_cat(engine, double):
    with container_with_cat(engine, double, "echo a lie") as container:
        assert "a lie" not in engine.status(container)
        assert inside.handles(engine, container, signal.SIGUSR1) is False


@pytest.mark.engine
def test_a_cat_that_makes_things_up_is_believed_nothing_that_the_kernel_would_not_say(elsewhere, double):
    script = r'printf "SigBlk: zz\nSigCgt: qq\nsl\n 0: ZZZZ:QQ 0 0A\n 1: 0100007F:FFFFFF 00000000:0000 0A 0 0\n"'
    with container_with_cat(elsewhere, double, script) as container:
        assert inside.handles(elsewhere, container, signal.SIGTERM) is None
        assert elsewhere.listeners(container) == ()


@pytest.mark.engine
@pytest.mark.parametrize("script", ["exec sleep 1000", "exec yes", "exec head -c 1000000000000 /dev/zero"])
def test_a_cat_without_end_is_waited_for_only_so_long(elsewhere, double, script, monkeypatch):
    monkeypatch.setattr(kernel, "SECONDS", 0.5)
    with container_with_cat(elsewhere, double, script) as container:
        assert elsewhere.status(container) is None


@pytest.mark.engine
def test_of_a_health_command_that_writes_much_the_beginning_is_kept(engine, double):
    with caged(engine, Launch(image=double("keeps_the_contract"))) as cage:

        def health(command):
            return inside.run_health_command(engine, cage.container, command, timeout_seconds=20)

        much = health("head -c 10000000 /dev/zero | tr '\\0' y; exit 3")
        assert (much.status, len(much.body)) == (503, (64 << 10) + len("exit code 3: "))
        # Two pipes lead out of it, and nobody knows which is read first.
        assert sorted(health("echo well; echo and good >&2").body.split("\n")) == ["and good", "well"]
        assert inside.run_health_command(engine, cage.container, "yes", timeout_seconds=0.5).outcome is Outcome.SILENT
