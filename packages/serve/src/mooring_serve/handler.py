"""What a user writes: a `Handler`, the `File`s it is given, and the errors it may raise.

Runs in the worker, on the project's own interpreter: standard library only, Python 3.8.
"""

import io
from pathlib import Path
from typing import Any, Dict

_FIRST_STATUS = 400
_LAST_STATUS = 599


class File(io.BytesIO):
    """A file of the request: seekable and binary, fit for `PIL.Image.open` and `numpy.load`.

    Attributes:
        name: the file name the client sent; only a label, never to be opened as a path. Empty if none was sent.
        content_type: the media type the client declared, "application/octet-stream" if none.
        field: the name of the form field it came in.
    """

    def __init__(
        self, content: bytes, name: str = "", content_type: str = "application/octet-stream", field: str = ""
    ) -> None:
        super().__init__(content)
        self.name = name
        self.content_type = content_type
        self.field = field

    def __repr__(self) -> str:
        """The name and size: contents never land in a log by accident."""
        return f"<File {self.name!r} {self.getbuffer().nbytes} bytes>"


class BadInput(ValueError):
    """Raise it when the request cannot be answered because of what was sent: the caller gets 400 and the message."""


class ErrorResponse(Exception):
    """Raise it to answer with a status and a JSON body of your own.

    Args:
        status: the HTTP status, 400 to 599.
        body: a JSON object.

    Raises:
        TypeError: the status is not a whole number, or the body not a dict.
        ValueError: the status is not one of an error.
    """

    def __init__(self, status: int, body: Dict[str, Any]) -> None:
        refuse_unanswerable(status, body)
        super().__init__(f"answered {int(status)}")
        self.status = int(status)  # http.HTTPStatus and its like cannot travel to the server as they are
        self.body = body


def refuse_unanswerable(status: object, body: object) -> None:
    """Raise for what an `ErrorResponse` cannot hold: TypeError or ValueError, with a message for who wrote it."""
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError(f"ErrorResponse: status must be a whole number from 400 to 599, got {type(status).__name__}")
    if not _FIRST_STATUS <= status <= _LAST_STATUS:
        raise ValueError(f"ErrorResponse: status must be one of an error, 400 to 599, got {int(status)}")
    if not isinstance(body, dict):
        raise TypeError(f"ErrorResponse: body must be a dict, got {type(body).__name__}")


class Handler:
    """One model behind one or more APIs; subclass it once in `handler.py`.

    Write `setup` and `predict`; everything else is optional:

    * `predict(self, **fields)` gets the request's fields as keyword arguments, and returns anything JSON can hold
      (numpy scalars and arrays too).
    * With `pre(self, **fields)` and `post(self, result)`, `predict` gets what `pre` returned, and `post` what
      `predict` returned.
    * `predict_batch(self, batch)` gets a list of what `predict` would have got (dicts of fields, or what `pre`
      returned) and returns as many results: for micro-batching. A result that is an exception is that call's
      error. When it raises, the batch is run again one by one, so that only the guilty call fails.
    * Other APIs of `config.json` go to the method named after their path, `/a/b` to `a_b`; or say so in `apis`,
      for example `apis = {"POST /a/b": "describe"}`.
    """

    apis: Dict[str, str] = {}

    def setup(self, model_dir: Path) -> None:
        """Load the model; called once, before the first request.

        Args:
            model_dir: the project's `model/` folder.
        """
