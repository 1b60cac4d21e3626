"""Fixtures: a project in a folder, and servers that are stopped afterwards."""

import json
import textwrap

import pytest
from served import NUMBER, Served


@pytest.fixture
def project(tmp_path):
    """Writes a project folder: its handler's code and its APIs."""

    def write(code, *apis, **more):
        tmp_path.joinpath("handler.py").write_text(textwrap.dedent(code))
        config = {"model_algorithm": "test", "model_type": "Image", "apis": list(apis) or [NUMBER], **more}
        tmp_path.joinpath("config.json").write_text(json.dumps(config))
        tmp_path.joinpath("model").mkdir(exist_ok=True)
        return tmp_path

    return write


@pytest.fixture
def serve():
    """Starts servers, and stops them afterwards."""
    started = []

    def start(folder, *arguments, **settings):
        served = Served(folder, *arguments, **settings)
        started.append(served)
        return served

    yield start
    for served in started:
        served.stop()
