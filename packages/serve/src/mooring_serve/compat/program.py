"""A loaded service answering requests, with its mistakes told in the platform's own form."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from mooring_serve import program
from mooring_serve.compat import request
from mooring_serve.compat.blame import blame
from mooring_serve.compat.result import plain
from mooring_serve.handler import BadInput, ErrorResponse

if TYPE_CHECKING:
    from mooring_serve.compat.package import Package
    from mooring_serve.compat.services.base import SingleNodeService
    from mooring_serve.handler import File

# Codes, words and the spelling `erno` are the platform's: modelarts_13_0192.
_NOTHING_SENT = ("MR.0101", "The input parameter is invalid")
_FAILED = ("MR.0105", "Recognition failed")


class Program(program.Program):
    """A model package that answers calls, one at a time."""

    def __init__(self, service: SingleNodeService, package: Package) -> None:
        self._service = service
        self._package = package

    def run(self, api: int, value: object, files: list[File]) -> object:
        """The answer to one request, as plain JSON values.

        Args:
            api: the number of the API in config.json; a package has one service for all of them.
            value: the decoded JSON body, or a dict of the form's text fields and the query.
            files: the form's files.

        Raises:
            ErrorResponse: nothing was sent (400), or the service failed: 400 for a KeyError or a TypeError, as on the
                platform, where such an error mostly means that a field is missing or of the wrong type; else 500.
            BadInput: the service raised it.
        """
        del api
        if request.is_empty(value, files):
            raise _answer(400, _NOTHING_SENT)
        try:
            result = self._service.inference(request.shaped(value, files, text=self._service.takes_text))
            return self._in_envelope(plain(result), value)
        except (BadInput, ErrorResponse):
            raise
        except (Exception, SystemExit) as error:
            status = 400 if isinstance(error, (KeyError, TypeError)) else 500
            sys.stdout.write(f"ERROR {_FAILED[0]} {blame(error, self._package.folder, trail=True)}\n")
            raise _answer(status, _FAILED) from error
        finally:
            sys.stdout.flush()  # some packages replace it by a stream that buffers

    def _in_envelope(self, result: object, value: object) -> object:
        """The platform's envelope around the bare list that a table service returns, where config.json declares it.

        The platform's server for these engines puts it there, with the request's `meta`; so config.json documents the
        envelope while the code returns the list.
        """
        if not (self._package.enveloped and self._service.takes_text and isinstance(result, list)):
            return result
        meta = {"meta": value["meta"]} if isinstance(value, dict) and "meta" in value else {}
        return {**meta, "data": {"resp_data": result}}


def _answer(status: int, told: tuple[str, str]) -> ErrorResponse:
    body: dict[str, Any] = {"erno": told[0], "msg": told[1], "words_result": {}}
    return ErrorResponse(status, body)
