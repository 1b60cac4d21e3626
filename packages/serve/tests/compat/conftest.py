"""Model packages written on the spot, each loaded in a process of its own, as a worker loads them."""

import base64
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "src"


class Run:
    """What came of loading a package and calling it."""

    def __init__(self, told, output):
        self.refused = told["refused"]
        self.answers = told["answers"]
        self.output = output

    @property
    def answer(self):
        """The status and the body of the one call."""
        assert self.refused is None, self.refused
        (one,) = self.answers
        return one["status"], one["body"]


class Package:
    """A project folder with a `model/` in it."""

    def __init__(self, root):
        self.root = root
        self.folder = root / "model"
        self.folder.mkdir(parents=True)
        self.config = {"model_algorithm": "x", "apis": [{"response": {"data": {}}}]}

    def of(self, model_type, code, **files):
        """Fill it: config.json's type, customize_service.py, and other files (`__` stands for a dot)."""
        self.config["model_type"] = model_type
        self.write("customize_service.py", code)
        for name, content in files.items():
            self.write(name.replace("__", "."), content)
        return self

    def write(self, name, content):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(content), encoding="utf-8")

    def ask(self, *calls, python=sys.executable, directory=None):
        """Load it and make the calls: `{"value": ..., "files": [(field, name, bytes), ...]}`."""
        job = {
            "directory": str(directory or self.root),
            "config": self.config,
            "calls": [
                {
                    "value": call.get("value"),
                    "files": [
                        (field, name, base64.b64encode(body).decode()) for field, name, body in call.get("files", ())
                    ],
                }
                for call in calls
            ],
        }
        result = self.root.parent / "result.json"
        done = subprocess.run(
            [str(python), str(HERE / "driver.py"), str(result)],
            input=json.dumps(job),
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return Run(json.loads(result.read_text(encoding="utf-8")), done.stdout)


@pytest.fixture
def package(tmp_path):
    return Package(tmp_path / "project")
