"""Projects for batch services: one takes a file, one takes a row, and both can be told by their inputs to fail."""

import json

ANSWER = {"Content-type": "application/json", "data": {"type": "object"}}
ROW = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "member": {"type": "boolean"},
    },
    "required": ["name"],
}
PICTURE = {"type": "object", "properties": {"picture": {"type": "file"}}, "required": ["picture"]}
HEAD = """
import time

from mooring_serve import BadInput, Handler

"""
READER = """
class Reader(Handler):
    def predict(self, picture):
        data = picture.read()
        {predict}
        if data.startswith(b"bad"):
            raise BadInput("this is no picture")
        return {{"name": picture.name, "bytes": len(data), "text": data.decode()}}
"""
GREETER = """
class Greeter(Handler):
    def predict(self, name, age=0, member=False):
        {predict}
        if name == "bad":
            raise BadInput("nobody is called so")
        return {{"hello": name, "next": age + 1, "member": member}}
"""


def reader(folder, *, predict="pass"):
    """Takes a picture: says its name, its size and what is in it; refuses what begins with `bad`."""
    return _project(folder, READER.format(predict=predict), _api("/", "multipart/form-data", PICTURE))


def greeter(folder, *, predict="pass"):
    """Takes a name, an age and whether one is a member; refuses the name `bad`."""
    return _project(folder, GREETER.format(predict=predict), _api("/", "application/json", ROW))


def _api(url, kind, data):
    request = {"Content-type": kind, "data": data}
    return {"protocol": "http", "url": url, "method": "POST", "request": request, "response": ANSWER}


def _project(folder, handler, *apis):
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "words.txt").write_text("hello")
    (folder / "handler.py").write_text(HEAD + handler)
    (folder / "config.json").write_text(
        json.dumps({"model_algorithm": "reading", "model_type": "Image", "apis": list(apis)})
    )
    return folder


def pictures(folder, count, *, bad=()):
    """So many inputs, `000.png` and on, of which those with these numbers are refused."""
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:03}.png").write_text(f"{'bad' if number in bad else 'good'} {number}")
    return folder


def results(folder):
    """What the list of results in an output folder says, line by line."""
    [manifest] = folder.glob("infer-result*.manifest")
    return [json.loads(line) for line in manifest.read_text().splitlines()]
