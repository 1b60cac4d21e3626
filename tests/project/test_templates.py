"""The project templates are real projects: tested, clean, locked, and as good as they say."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mooring.contract import ModelConfig

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATES = REPOSITORY / "src" / "mooring" / "project" / "templates"
TRAINED = ("mnist", "tabular")
MNIST = REPOSITORY.parent / "shared" / "data" / "mnist_train.npz"  # an extra: not everyone has it

# Asks the handler for 2,000 digits it was not trained on, each sent as a JPEG and as a PNG of dark ink on white.
ASK_FOR_UNSEEN_DIGITS = """
import io, sys
from pathlib import Path
from mooring_serve import File
from PIL import Image, ImageOps
import training_data
from handler import Mnist

mnist = Mnist()
mnist.setup(Path("model"))
images, labels = training_data.divided(*training_data.load(sys.argv[1]))[1]
right = {"JPEG": 0, "PNG": 0}
for pixels, label in zip(images[:2000], labels[:2000].tolist()):
    for format, image in (("JPEG", Image.fromarray(pixels)), ("PNG", ImageOps.invert(Image.fromarray(pixels)))):
        content = io.BytesIO()
        image.save(content, format)
        right[format] += mnist.predict(images=File(content.getvalue()))["mnist_result"] == label
print(right["JPEG"], right["PNG"])
"""


@pytest.fixture(params=TRAINED)
def template(request):
    return TEMPLATES / request.param


@pytest.fixture
def copy(template, tmp_path):
    """The template as a user gets it: in a folder of its own."""
    return Path(shutil.copytree(template, tmp_path / template.name, ignore=shutil.ignore_patterns("__pycache__", ".*")))


def run(folder, *arguments):
    """Run Python in a folder, with warnings as errors; return what it printed, or fail with it."""
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_copied_template_passes_its_own_tests(copy):
    assert " passed" in run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")


def test_a_template_is_in_the_clean_form_with_nothing_to_mend(template):
    config = ModelConfig.load(template / "config.json")
    assert not config.findings
    assert config.clean() == json.loads((template / "config.json").read_text())


def test_a_templates_metrics_are_those_of_a_useful_model(template):
    metrics = json.loads((template / "config.json").read_text())["metrics"]
    assert set(metrics) == {"accuracy", "precision", "recall", "f1"}
    assert all(0.8 < value < 1 for value in metrics.values())


def test_a_templates_model_is_small_enough_to_be_kept_with_its_code(template):
    assert 10_000 < (template / "model" / "model.onnx").stat().st_size < 600 * 1024


@pytest.mark.parametrize("name", ["requirements", "requirements-train"])
def test_a_templates_requirements_are_locked_with_hashes_and_without_addresses(template, name):
    locked = (template / f"{name}.txt").read_text()
    pins = [pin for pin in locked.replace("\\\n", " ").splitlines() if pin and not pin.startswith("#")]
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)
    assert "://" not in locked
    for wanted in (template / f"{name}.in").read_text().splitlines():
        if wanted and not wanted.startswith(("#", "-")):
            assert any(pin.startswith(wanted.split("==")[0] + "==") for pin in pins), wanted


def test_serving_a_template_needs_nothing_that_trains(template):
    locked = (template / "requirements.txt").read_text()
    assert not any(f"\n{name}==" in locked for name in ("torch", "scikit-learn", "onnx", "skl2onnx", "scipy"))


def test_a_template_says_nothing_of_where_it_was_written(template):
    for path in template.rglob("*"):
        if path.suffix in {".py", ".md", ".json", ".in", ".txt", ".toml", ".ini"}:
            text = path.read_text(encoding="utf-8")
            assert not any(place in text for place in ("/home/", "src/mooring", "templates/")), path


def test_mnists_pictures_are_those_its_script_draws(tmp_path):
    from PIL import Image, ImageChops

    shutil.copytree(TEMPLATES / "mnist" / "samples", tmp_path / "samples")
    drawn = [tmp_path / "samples" / line for line in run(tmp_path, "samples/draw.py").splitlines()]
    kept = [path for path in (TEMPLATES / "mnist" / "samples").rglob("*") if path.suffix in {".jpg", ".png"}]
    assert {path.relative_to(tmp_path / "samples") for path in drawn} == {
        path.relative_to(TEMPLATES / "mnist" / "samples") for path in kept
    }
    for path in kept:
        again = tmp_path / "samples" / path.relative_to(TEMPLATES / "mnist" / "samples")
        difference = ImageChops.difference(Image.open(path).convert("L"), Image.open(again).convert("L"))
        assert difference.getextrema()[1] <= 16, path.name  # another JPEG library may round otherwise


def test_the_mnist_example_is_the_mnist_template():
    assert (REPOSITORY / "examples" / "mnist").resolve() == (TEMPLATES / "mnist").resolve()


# An extra, for where the pictures are: elsewhere there is no such test, and so none that was not run.
if MNIST.is_file():

    def test_mnist_reads_ninety_nine_of_a_hundred_digits_it_has_never_seen():
        jpeg, png = run(TEMPLATES / "mnist", "-B", "-c", ASK_FOR_UNSEEN_DIGITS, MNIST).split()
        assert int(jpeg) >= 1980
        assert int(png) >= 1980
