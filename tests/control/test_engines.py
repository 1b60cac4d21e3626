import pytest

from mooring.control.engines import open_engine
from mooring.control.settings import Settings
from mooring.errors import Invalid, Unavailable


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """The name of the engine that is opened where no container engine answers."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")

    def opened(engine):
        return open_engine(Settings(data=tmp_path, engine=engine), "platform-1").name

    return opened


def test_without_a_container_engine_replicas_are_processes(opened):
    assert opened("auto") == "process"
    assert opened("process") == "process"
    assert opened("memory") == "memory"


def test_one_that_must_be_there_is_missed(opened):
    with pytest.raises(Unavailable):
        opened("docker")


def test_a_platform_does_not_leave_its_replicas_because_their_engine_is_late(opened, tmp_path):
    (tmp_path / "engine").write_text("docker\n")
    with pytest.raises(Unavailable) as raised:
        opened("auto")
    assert "the replicas of this platform are there" in raised.value.hint
    assert opened("process") == "process"


def test_an_engine_that_nobody_knows_is_refused(opened):
    with pytest.raises(Invalid, match="no engine 'kubernetes'"):
        opened("kubernetes")
