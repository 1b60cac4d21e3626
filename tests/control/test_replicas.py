"""What a replica is made of."""

import pytest
from control.test_services import model

from mooring.contract import edition
from mooring.control.replicas import Making, workload_of
from mooring.control.settings import Settings
from mooring.errors import Invalid

ENTRY = {"model_id": "m", "specification": "custom", "custom_spec": {"cpu": 0.5, "memory": 256}, "envs": {"A": "b"}}


def made(tmp_path, *, name="otc-2022", engine="docker", **entry):
    making = Making("service", {**ENTRY, **entry}, model("digits", "1.0.0", "p"), 30.0)
    return workload_of("r-0", making, Settings(data=tmp_path), edition(name), engine=engine)


def test_a_replica_has_the_size_and_the_variables_of_its_entry(tmp_path):
    workload = made(tmp_path)
    assert (workload.image, workload.project) == ("digits:1", "")
    assert (workload.cpu_cores, workload.memory_bytes) == (0.5, 256 << 20)
    assert workload.env["A"] == "b"
    assert made(tmp_path, engine="process").project == "digits:1"


def test_a_replica_lingers_after_sigterm_only_where_the_edition_asks_for_it(tmp_path):
    assert made(tmp_path).env["MOORING_LINGER_SECONDS"] == "1"
    assert made(tmp_path, envs={"MOORING_LINGER_SECONDS": "5"}).env == {"MOORING_LINGER_SECONDS": "5"}
    assert "MOORING_LINGER_SECONDS" not in made(tmp_path, name="huawei-2025").env


def test_a_size_that_is_no_longer_offered_is_told(tmp_path):
    with pytest.raises(Invalid) as raised:
        made(tmp_path, specification="gone.cpu.1")
    assert raised.value.case == "flavor-unknown"
