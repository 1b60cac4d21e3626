"""The two requests of this benchmark, and the projects that answer them."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

BOUNDARY = "------------------------4f2c0a8be71d9e35"
JPEG_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
PROJECTS = Path(__file__).resolve().parent / "projects"


@dataclass(frozen=True)
class Bodies:
    """The same picture as a form with a file, as JSON, and as JSON in the V2 protocol; and the bare file."""

    jpeg: bytes
    json: bytes
    v2: bytes
    file: bytes


def bodies(sample: Path) -> Bodies:
    picture = sample.read_bytes()
    disposition = f'Content-Disposition: form-data; name="images"; filename="{sample.name}"'
    head = f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: image/jpeg\r\n\r\n"
    form = head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()
    numbers = drawn_seven()
    tensor = {"name": "pixels", "shape": [1, len(numbers)], "datatype": "FP32", "data": numbers}
    return Bodies(form, json.dumps({"pixels": numbers}).encode(), json.dumps({"inputs": [tensor]}).encode(), picture)


def drawn_seven() -> list[float]:
    """A seven of 28 x 28 brightnesses from 0 to 1, light on dark, on a paper that is not quite black."""
    from PIL import Image, ImageDraw

    large = Image.new("L", (224, 224), 3)
    pen = ImageDraw.Draw(large)
    pen.line([(56, 56), (164, 56), (96, 184)], fill=255, width=20, joint="curve")
    small = large.resize((28, 28), Image.Resampling.BOX)
    return [round(value / 255, 3) for value in small.tobytes()]


def projects(mnist: Path, scratch: Path) -> dict[str, Path]:
    """A copy of the project for each kind of request, and a slow one; they borrow from the mnist project."""
    found = {"jpeg": scratch / "mnist", "json": scratch / "pixels", "slow": scratch / "slow"}
    for kind, source in (("jpeg", mnist), ("json", PROJECTS / "pixels"), ("slow", PROJECTS / "slow")):
        shutil.copytree(source, found[kind], ignore=shutil.ignore_patterns("__pycache__", "tests", ".venv"))
    (found["json"] / "model").mkdir()
    shutil.copy2(mnist / "model" / "model.onnx", found["json"] / "model" / "model.onnx")
    shutil.copy2(mnist / "config.json", found["slow"] / "config.json")
    return found
