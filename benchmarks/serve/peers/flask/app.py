"""The mnist project behind Flask; Flask has no validation of its own, so the JSON's length is looked at by hand."""

import model
from flask import Flask, abort, request

handler = model.load()
app = Flask(__name__)


def jpeg():
    return handler.predict(images=request.files["images"].stream)


def numbers():
    pixels = request.get_json()["pixels"]
    if len(pixels) != 784:
        abort(400)
    return handler.predict(pixels=pixels)


app.post("/")({"jpeg": jpeg, "json": numbers}[model.KIND])
