"""What customize_service.py may do: import, override, print, log, load in the background, look around."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BASE = "from model_service.model_service import SingleNodeService\n"


def _interpreters():
    """This one, and the oldest supported one if this machine has it."""
    found = [shutil.which("python3.8"), *sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python"))]
    works = [
        one for one in found if one and subprocess.run([one, "-V"], capture_output=True, check=False).returncode == 0
    ]
    return [sys.executable, *works[:1]]


@pytest.mark.parametrize("python", _interpreters())
def test_helpers_beside_the_code_are_imported_plainly_and_relatively_and_through_model(package, python):
    code = """
        from model_service.model_service import SingleNodeService
        import plain
        from parts.deep import deep
        from .near import near
        from . import near as module
        from model.far import far

        class Service(SingleNodeService):
            def _inference(self, data):
                return [plain.value, deep, near, module.near, far, __name__]
    """
    package.of("MindSpore", code, plain__py="value = 1", far__py="far = 5")
    package.write("near.py", "from .inner import near")
    package.write("inner.py", "near = 3")
    package.write("parts/__init__.py", "")
    package.write("parts/deep.py", "deep = 2")
    assert package.ask({"value": 1}, python=python).answer == (200, [1, 2, 3, 3, 5, "customize_service"])


RETURN = "class Service(SingleNodeService):\n    def _inference(self, data):\n        return found\n"


def test_a_helper_may_be_called_model(package):
    package.of("MindSpore", BASE + "from model import found\n" + RETURN, model__py="found = 9")
    assert package.ask({"value": 1}).answer == (200, 9)


def test_a_relative_import_hides_no_name_of_the_file_that_imports(package):
    code = "import json as parts\n" + BASE + "from .parts import other\nfound = parts.__name__\n" + RETURN
    package.of("MindSpore", code, parts__py="other = 1")
    assert package.ask({"value": 1}).answer == (200, "json")


def test_the_services_classes_can_be_pickled_by_the_files_own_name(package):
    code = BASE + "import pickle\nclass Net:\n    pass\nfound = pickle.loads(pickle.dumps(Net)).__module__\n" + RETURN
    assert package.of("MindSpore", code).ask({"value": 1}).answer == (200, "customize_service")


def test_the_folder_may_be_the_package_itself_whatever_it_is_called(package):
    package.of("MindSpore", BASE + "from model.far import found\n" + RETURN, far__py="found = 5")
    assert package.ask({"value": 1}, directory=package.folder).answer == (200, 5)
    moved = package.folder.rename(package.root / "release")
    assert package.ask({"value": 1}, directory=moved).answer == (200, 5)


def test_the_working_directory_is_the_parent_of_model_and_the_arguments_are_the_files_own(package):
    code = """
        import argparse, os
        from model_service.model_service import SingleNodeService
        argparse.ArgumentParser().parse_args()
        with open("model/labels.txt") as file:
            labels = file.read()

        class Service(SingleNodeService):
            def _inference(self, data):
                here = os.path.dirname(os.path.abspath(__file__))
                return [labels, os.path.basename(os.getcwd()), here == self.model_path]
    """
    package.of("MindSpore", code, labels__txt="cat")
    assert package.ask({"value": 1}).answer == (200, ["cat", "project", True])


def test_inference_may_be_overridden_and_finds_its_metrics(package):
    code = """
        import time
        import log
        from metric.metrics_manager import MetricsManager
        from model_service.pytorch_model_service import PTServingBaseService
        logger = log.getLogger(__name__)

        class Service(PTServingBaseService):
            def inference(self, data):
                begun = time.time()
                data = self._postprocess(self._preprocess(data))
                name = self.model_name + "_LatencyOverall"
                if name in MetricsManager.metrics:
                    MetricsManager.metrics[name].update((time.time() - begun) * 1000)
                logger.info("latency: %s ms", 12.3)
                data["latency_time"] = "12.3 ms"
                data["counted"] = MetricsManager.metrics[name].count
                return data
    """
    run = package.of("PyTorch", code, net__pth="").ask({"value": {"a": 1}})
    assert run.answer == (200, {"a": 1, "latency_time": "12.3 ms", "counted": 1})
    assert "INFO customize_service: latency: 12.3 ms" in run.output


def test_the_built_in_inference_records_the_times_of_its_steps(package):
    code = """
        from metric.metrics_manager import MetricsManager
        from model_service.model_service import SingleNodeService

        class Service(SingleNodeService):
            def _inference(self, data):
                return sorted((name, one.count) for name, one in MetricsManager.metrics.items())
    """
    run = package.of("MindSpore", code).ask({"value": 1}, {"value": 1})
    assert run.answers[1]["body"] == [
        ["serve_LatencyInference", 1],
        ["serve_LatencyOverall", 1],
        ["serve_LatencyPreprocess", 1],
    ]


@pytest.mark.parametrize(
    "statement", ["import log", "import model_service.log as log", "from model_service import log"]
)
def test_the_platforms_log_module_shows_info_lines_once(package, statement):
    code = f"""
        import logging
        {statement}
        from model_service.model_service import SingleNodeService
        logging.basicConfig(level=log.INFO)
        logger = log.getLogger(__name__)
        logger.info("loaded\\nin two lines")

        class Service(SingleNodeService):
            def _inference(self, data):
                return 1
    """
    run = package.of("MindSpore", code).ask()
    assert run.output.splitlines() == [r"INFO customize_service: loaded\nin two lines"]


def test_prints_come_out_even_when_the_code_replaces_standard_output(package):
    code = """
        import codecs, sys
        from model_service.model_service import SingleNodeService
        sys.stdout = codecs.getwriter("utf-8")(sys.stdout.detach())
        print("importing")

        class Service(SingleNodeService):
            def _inference(self, data):
                print("垃圾")
                return 1
    """
    run = package.of("MindSpore", code).ask({"value": 1})
    assert run.output.splitlines() == ["importing", "垃圾"]


BACKGROUND = """
import threading, time
from model_service.model_service import SingleNodeService

class Service(SingleNodeService):
    def __init__(self, model_name, model_path):
        self.model_name = model_name
        self.model_path = model_path
        self.network = None
        threading.Thread(target=self.load_model).start()

    def load_model(self):
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            threading.Event().wait(0.05)
        {last}

    def _inference(self, data):
        return self.network(data)
"""


def test_a_model_that_loads_in_a_thread_is_there_for_the_first_request(package):
    code = BACKGROUND.format(last="self.network = lambda data: data + 1")
    assert package.of("MindSpore", code).ask({"value": 1}).answer == (200, 2)


def test_a_thread_that_fails_to_load_the_model_is_told_at_once(package):
    code = BACKGROUND.format(last='open("/no/such/weights.ckpt")')
    refused = package.of("MindSpore", code).ask().refused
    assert "loading Service in the background failed: FileNotFoundError" in refused
    assert "/no/such/weights.ckpt" in refused


@pytest.mark.parametrize(
    ("model_type", "statement", "constructor", "weights"),
    [
        (
            "PyTorch",
            "from model_service.pytorch_model_service import PTServingBaseService",
            "model_name, model_path, **kw",
            "n.pth",
        ),
        (
            "PyTorch",
            "from model_service.pytorch_model_service import PTServingBaseService",
            "model_name=None, model_path=None",
            "n.pth",
        ),
        ("PyTorch", "from model_service.pytorch_model_service import PTServingBaseService", "model_path", "n.pth"),
        ("XGBoost", "from model_service.python_model_service import XgSklServingBaseService", "model_path", "n.m"),
        (
            "XGBoost",
            "from model_service.python_model_service import XgSklServingBaseService",
            "model_name, model_path",
            "n.m",
        ),
    ],
)
def test_constructors_of_every_usual_form_are_called_rightly(package, model_type, statement, constructor, weights):
    code = f"""
        import os
        {statement}

        class Service({statement.split()[-1]}):
            def __init__(self, {constructor}):
                self.model_path = model_path
            def inference(self, data):
                return os.path.basename(self.model_path)
    """
    package.of(model_type, code)
    package.write(weights, "")
    assert package.ask({"value": 1}).answer == (200, weights)
