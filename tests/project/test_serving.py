import asyncio
import json
import sys
import time
import urllib.request
from dataclasses import replace

import pytest

from mooring.contract import edition
from mooring.engine.process import ProcessEngine
from mooring.engine.workload import Probe, Workload
from mooring.errors import NotFound, Refused
from mooring.project.serving import served

HANDLER = """
import os
from mooring_serve import Handler

class Greeter(Handler):
    def setup(self, model_dir):
        pass

    def predict(self, name):
        return {"greeting": os.environ["GREETING"] + " " + name}
"""
CONFIG = {
    "model_algorithm": "greeting",
    "model_type": "Image",
    "apis": [
        {
            "protocol": "http",
            "url": "/",
            "method": "post",
            "request": {
                "Content-type": "application/json",
                "data": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            },
            "response": {"Content-type": "application/json", "data": {}},
        }
    ],
}


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "greeter"
    (folder / "model").mkdir(parents=True)
    (folder / "handler.py").write_text(HANDLER)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder


def answer(url, value):
    request = urllib.request.Request(url, json.dumps(value).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)


def test_a_project_is_served_by_the_process_engine(tmp_path, project):
    env = {"GREETING": "hello", "MOORING_LINGER_SECONDS": "0"}
    workload = served(Workload(name="greeter-1", project=str(project), env=env), edition("otc-2022"))

    async def walk():
        engine = ProcessEngine("p", tmp_path / "replicas")
        try:
            await engine.apply(workload)
            deadline = time.monotonic() + 60
            while not (await engine.ask("greeter-1", Probe(url="/health"))).ok:
                assert time.monotonic() < deadline, await engine.diagnose("greeter-1")
                await asyncio.sleep(0.05)
            url = (await engine.observe())["greeter-1"].url
            return await asyncio.to_thread(answer, url, {"name": "Ada"})
        finally:
            await engine.remove("greeter-1", grace_seconds=10)
            await engine.close()

    assert asyncio.run(walk()) == {"greeting": "hello Ada"}


def test_the_editions_limits_are_its_settings_and_its_own_variables_win(project):
    workload = Workload(name="one", project=str(project), env={"A": "b"})
    made = served(workload, edition("otc-2022"))
    assert made.env == {"MOORING_BODY_LIMIT_BYTES": "12582912", "A": "b"}
    chosen = {"MOORING_BODY_LIMIT_BYTES": "20"}
    assert served(replace(workload, env=chosen), edition("otc-2022")).env == chosen
    assert made.command[0] == sys.executable
    assert json.loads(made.files["config.json"])["apis"][0]["method"] == "POST"


def test_another_config_stands_in_for_the_projects_own(project):
    (project / "config.json").unlink()
    made = served(Workload(name="one", project=str(project)), edition("otc-2022"), config={"apis": []})
    assert json.loads(made.files["config.json"]) == {"apis": []}


def test_a_command_of_its_own_is_left_alone(project):
    workload = Workload(name="one", project=str(project), command=("python3", "mine.py"))
    assert served(workload, edition("otc-2022")) == workload


def test_what_cannot_be_served_without_an_image_is_refused(tmp_path):
    with pytest.raises(NotFound, match="not a folder"):
        served(Workload(name="one", project=str(tmp_path / "nowhere")), edition("otc-2022"))
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(Refused, match="server of its own"):
        served(Workload(name="one", project=str(tmp_path)), edition("otc-2022"))
