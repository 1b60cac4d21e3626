"""The life of a worker process: load the model, say so, answer calls until the parent closes the line."""

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import sys
import time
import traceback
from typing import Any, Dict, List

from mooring_serve import wire
from mooring_serve.program import LoadError, Program
from mooring_serve.worker.answer import answer, answer_batch, words
from mooring_serve.worker.forks import end_if_forked
from mooring_serve.worker.load import load

_PIECE = 1 << 18
_PR_SET_PDEATHSIG = 1


def main(job: str) -> None:
    """Run one worker.

    Args:
        job: JSON with `fd` (our end of the socket pair), `directory` (the project), `config` (path of the clean
            form) and `batch` (most calls a micro-batch may hold, 1 for none).
    """
    told = json.loads(job)
    _settle(told["fd"])
    line = socket.socket(fileno=told["fd"])
    try:
        program = _loaded(told)
    except LoadError as error:
        cause = error.__cause__
        told_more = "".join(traceback.format_exception(type(cause), cause, cause.__traceback__)) if cause else ""
        _say(line, (wire.FAILED, str(error), told_more))
        with contextlib.suppress(Exception):  # whatever the project made of standard output
            sys.stdout.flush()
        os._exit(1)  # at once: threads that the project has started must not keep a failed worker
    end_if_forked()
    gc.freeze()  # the model stays for good: full collections need not walk through it
    _say(line, (wire.READY, program.batched))
    _serve(line, program)


def _say(line: socket.socket, frame: wire.Frame) -> None:
    """Send a frame; when the parent is gone there is nobody left to tell, and nothing left to do."""
    try:
        line.sendall(wire.pack(frame))
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)


def _settle(fd: int) -> None:
    """Die with the parent, keep the line to ourselves, and let prints out line by line on standard output."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.set_inheritable(fd, False)
    os.dup2(1, 2)  # the contract shows standard output only
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    # Made anew: the old one may remember a file that it could seek in.
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115 - open for good


def _loaded(told: Dict[str, Any]) -> Program:
    with open(told["config"], encoding="utf-8") as file:
        config = json.load(file)
    try:
        return load(told["directory"], config, told["batch"])
    except LoadError:
        raise
    except BaseException as error:
        # Users' modules may do anything while they load, `sys.exit` included; the parent gets the reason.
        end_if_forked(error)
        raise LoadError(f"{type(error).__name__}: {words(error)}") from error


def _serve(line: socket.socket, program: Program) -> None:
    unpacker = wire.Unpacker()
    while True:
        piece = line.recv(_PIECE)
        if not piece:
            return
        for frame in unpacker.feed(piece):
            _, calls = frame
            started = time.perf_counter()
            answers = _answers(program, calls)
            _say(line, (wire.DONE, answers, time.perf_counter() - started))


def _answers(program: Program, calls: List[wire.Call]) -> List[wire.Answer]:
    if len(calls) == 1 and not program.batches(calls[0][0]):
        return [answer(program, calls[0])]
    return answer_batch(program, calls)
