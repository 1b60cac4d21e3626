"""ModelArts packages with real PyTorch and real scikit-learn, served over HTTP unchanged."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "src" / "mooring" / "project" / "templates" / "customize-service"
DEADLINE_SECONDS = 120
FAILED = {"erno": "MR.0105", "msg": "Recognition failed", "words_result": {}}


@pytest.fixture(scope="session")
def engines():
    """An interpreter with PyTorch and scikit-learn, from locks/torch.txt."""
    python = ROOT / ".cache" / "torch-env" / "bin" / "python"
    if not python.is_file():
        pytest.skip("PyTorch and scikit-learn are not there: `make torch-env` installs them from locks/torch.txt")
    return python


class Served:
    """`python -m mooring_serve` on a package, its worker on an interpreter of its own."""

    def __init__(self, folder, python):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
        environment |= {"MOORING_PORT": "0", "MOORING_HOST": "127.0.0.1", "MOORING_PYTHON": str(python)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mooring_serve", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
        )
        self.log = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        port = self.until(lambda: self.told(r" listening .*port=(\d+)"))[1]
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_SECONDS)
        self.until(lambda: self.http.get("/health").status_code == 200)

    def _read(self):
        self.log.extend(iter(self.process.stdout.readline, ""))

    def until(self, condition):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log
            if value := condition():
                return value
            time.sleep(0.05)
        raise AssertionError(f"not within {DEADLINE_SECONDS} s: {self.log}")

    def told(self, pattern):
        return re.search(pattern, "".join(self.log))

    def stop(self):
        self.http.close()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self._reader.join()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def start():
    """Starts servers, and stops them afterwards."""
    started = []

    def run(folder, python):
        started.append(Served(folder, python))
        return started[-1]

    yield run
    for served in started:
        served.stop()


def api(request, response):
    bodies = {
        "request": {"Content-type": request, "data": {}},
        "response": {"Content-type": "application/json", "data": response},
    }
    return {"protocol": "http", "url": "/", "method": "POST", **bodies}


# A network that finds the brightest quarter of a picture: its weights are known, so nothing needs training.
NETWORK = """
from torch import nn

class Quarters(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.flat = nn.Flatten()
        self.head = nn.Linear(4, 4)

    def forward(self, batch):
        return self.head(self.flat(self.pool(batch))).softmax(1)
"""
SERVICE = """
import json
import os
import time

import log
import numpy as np
import torch
from metric.metrics_manager import MetricsManager
from model_service.pytorch_model_service import PTServingBaseService
from PIL import Image

from network import Quarters

logger = log.getLogger(__name__)


class QuarterService(PTServingBaseService):
    def __init__(self, model_name, model_path):
        super(QuarterService, self).__init__(model_name, model_path)
        here = os.path.dirname(os.path.realpath(self.model_path))
        with open(os.path.join(here, "labels.json")) as file:
            self.labels = json.load(file)
        self.model = Quarters()
        self.model.load_state_dict(torch.load(self.model_path, map_location="cpu"))
        self.model.eval()
        logger.info("weights loaded")

    def _preprocess(self, data):
        preprocessed = {}
        for field, files in data.items():
            batch = []
            for file_name, file_content in files.items():
                with Image.open(file_content) as picture:
                    grey = np.asarray(picture.convert("L").resize((28, 28)), dtype=np.float32) / 255
                    batch.append(torch.from_numpy(grey)[None])
                print("read", file_name)
            preprocessed[field] = torch.stack(batch)
        return preprocessed

    def _postprocess(self, data):
        return {
            field: [{"label": self.labels[scores.argmax()], "scores": scores} for scores in batch]
            for field, batch in data.items()
        }
"""
SAVE = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from network import Quarters
net = Quarters()
with torch.no_grad():
    net.head.weight.copy_(torch.eye(4) * 50)
    net.head.bias.zero_()
torch.save(net.state_dict(), sys.argv[1] + "/quarters.pth")
"""


@pytest.fixture(scope="module")
def quarters(engines, start, tmp_path_factory):
    """A PyTorch package: weights as a state_dict, a network beside the service, labels, a picture in."""
    folder = tmp_path_factory.mktemp("quarters")
    model = folder / "model"
    model.mkdir()
    (model / "network.py").write_text(textwrap.dedent(NETWORK))
    (model / "customize_service.py").write_text(textwrap.dedent(SERVICE))
    (model / "labels.json").write_text('["top left", "top right", "bottom left", "bottom right"]')
    config = {
        "model_algorithm": "quarters",
        "model_type": "PyTorch",
        "apis": [api("multipart/form-data", {"type": "object", "properties": {"mnist_result": {"type": "integer"}}})],
    }
    (model / "config.json").write_text(json.dumps(config))
    subprocess.run([engines, "-c", SAVE, str(model)], check=True, timeout=DEADLINE_SECONDS)
    return start(folder, engines)


def picture(left, top):
    image = Image.new("RGB", (80, 80))
    image.paste((255, 255, 255), (left, top, left + 40, top + 40))
    content = io.BytesIO()
    image.save(content, "JPEG")
    return content.getvalue()


def test_a_pytorch_package_answers_a_picture_from_its_state_dict(quarters):
    answer = quarters.http.post("/", files={"images": ("a.jpg", picture(40, 0), "image/jpeg")})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    (one,) = answer.json()["images"]
    assert one["label"] == "top right"
    assert sum(one["scores"]) == pytest.approx(1)


def test_a_pytorch_package_takes_any_field_and_several_files_of_one(quarters):
    files = [("photo", ("a.jpg", picture(0, 0))), ("photo", ("b.jpg", picture(40, 40)))]
    answer = quarters.http.post("/", files=files)
    assert [one["label"] for one in answer.json()["photo"]] == ["top left", "bottom right"]


def test_prints_and_log_lines_of_a_package_come_out(quarters):
    quarters.http.post("/", files={"images": ("seen.jpg", picture(0, 0))})
    assert quarters.until(lambda: quarters.told("read seen.jpg"))
    assert quarters.told("INFO customize_service: weights loaded")


def test_a_file_that_is_no_picture_is_a_500_in_the_platforms_form_and_the_log_says_why(quarters):
    answer = quarters.http.post("/", files={"images": ("broken.jpg", b"no picture")})
    assert (answer.status_code, answer.json()) == (500, FAILED)
    assert quarters.until(lambda: quarters.told("UnidentifiedImageError.*customize_service.py"))


def test_nothing_sent_is_a_400_in_the_platforms_form(quarters):
    answer = quarters.http.post("/")
    assert (answer.status_code, answer.json()["erno"]) == (400, "MR.0101")


@pytest.fixture(scope="module")
def lines(engines, start, tmp_path_factory):
    """The template, copied as `mooring init` copies it."""
    folder = tmp_path_factory.mktemp("lines") / "project"
    shutil.copytree(TEMPLATE, folder)
    return start(folder, engines)


GOOD = {"age_months": 6, "storms": 0, "peak_load_kn": 40, "diameter_mm": 48}
WORN = {"age_months": 110, "storms": 22, "peak_load_kn": 190, "diameter_mm": 24}


def test_the_scikit_learn_template_answers_rows(lines):
    answer = lines.http.post("/", json={"data": {"req_data": [GOOD, WORN]}})
    assert answer.status_code == 200
    rows = answer.json()["data"]["resp_data"]
    assert [row["predict_result"] for row in rows] == ["keep", "replace"]


def test_a_row_without_a_column_is_a_400_in_the_platforms_form(lines):
    answer = lines.http.post("/", json={"data": {"req_data": [{"age_months": 6}]}})
    assert (answer.status_code, answer.json()) == (400, FAILED)
    assert lines.until(lambda: lines.told("KeyError: 'storms'"))


SAMPLE = """
import collections
import json
import joblib
from model_service.python_model_service import XgSklServingBaseService

class user_Service(XgSklServingBaseService):
    def _preprocess(self, data):
        told = json.loads(data, object_pairs_hook=collections.OrderedDict)
        return [list(row.values()) for row in told["data"]["req_data"]]

    def _inference(self, data):
        return joblib.load(self.model_path).predict(data)

    def _postprocess(self, data):
        return [{"predictresult": one} for one in data]
"""


def test_a_scikit_learn_package_in_the_manner_of_the_samples_answers_its_bare_list(engines, start, tmp_path):
    shutil.copy(TEMPLATE / "model" / "lines.m", tmp_path)
    (tmp_path / "customize_service.py").write_text(SAMPLE)
    config = {"model_algorithm": "lines", "model_type": "Scikit_Learn", "apis": [api("application/json", {})]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    answer = start(tmp_path, engines).http.post("/", json={"data": {"req_data": [GOOD, WORN]}})
    assert (answer.status_code, answer.json()) == (200, [{"predictresult": "keep"}, {"predictresult": "replace"}])


def test_the_templates_own_tests_pass(engines, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(TEMPLATE, folder)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "packages" / "serve" / "src")}
    done = subprocess.run(
        [engines, "-m", "pytest", "-q"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_templates_model_is_small_and_can_be_made_anew(engines, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(TEMPLATE, folder)
    before = (folder / "model" / "config.json").read_text()
    assert (folder / "model" / "lines.m").stat().st_size < 100_000
    (folder / "model" / "lines.m").unlink()
    subprocess.run([engines, "train.py"], cwd=folder, check=True, capture_output=True, timeout=DEADLINE_SECONDS)
    assert (folder / "model" / "lines.m").is_file()
    assert (folder / "model" / "config.json").read_text() == before
