"""Loads one model package and calls it; what came of it goes into a file, its prints to standard output."""

import base64
import json
import sys
from pathlib import Path

from mooring_serve import compat
from mooring_serve.handler import BadInput, ErrorResponse, File


def _call(program, call):
    files = [File(base64.b64decode(body), name, "image/jpeg", field) for field, name, body in call["files"]]
    try:
        return {"status": 200, "body": program.run(0, call["value"], files)}
    except ErrorResponse as error:
        return {"status": error.status, "body": error.body}
    except BadInput as error:
        return {"status": 400, "body": str(error)}


def _main(result):
    job = json.loads(sys.stdin.read())
    told = {"refused": None, "answers": []}
    try:
        program = compat.load(job["directory"], job["config"])
    except compat.PackageError as error:
        told["refused"] = str(error)
    else:
        told["answers"] = [_call(program, call) for call in job["calls"]]
    Path(result).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1])
