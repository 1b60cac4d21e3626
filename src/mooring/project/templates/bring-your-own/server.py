"""A model server that keeps the image contract by itself, with nothing but Python's standard library.

It says how strong a wind is: {"wind": 12.3} in metres per second becomes {"beaufort": 6, "name": "strong breeze"}.
Replace `load` and `predict` with your own; or replace all of it, in any language: what counts is what is marked
with "contract" below.
"""

import json
import os
import signal
import sys
import threading
import time
from bisect import bisect_right
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = int(os.environ.get("PORT", "8080"))  # contract: 8080
LINGER_SECONDS = float(os.environ.get("LINGER_SECONDS", "60"))  # contract: go on answering for 60 s after SIGTERM
DRAIN_SECONDS = 25  # contract: gone within 90 s of SIGTERM, so this much is left for what is in hand after 60
KEEP_ALIVE_SECONDS = (
    200  # contract: callers keep connections open for long; a server that hangs up first loses requests
)
BODY_LIMIT = 12 * 1024 * 1024  # contract: the platform lets no larger body through


class BadRequestError(Exception):
    """The caller can mend it; becomes a 400."""


class Model:
    """The wind scale, loaded beside the server so that /health can answer meanwhile."""

    def __init__(self):
        self.ready = False
        self.problem = "loading"

    def load(self, folder):
        try:
            scale = json.loads((folder / "beaufort.json").read_text(encoding="utf-8"))
            self.limits = [step["up_to"] for step in scale[:-1]]
            self.names = [step["name"] for step in scale]
            self.ready = True
        except Exception as error:  # noqa: BLE001 - whatever it is, /health and the log say it
            self.problem = f"{type(error).__name__}: {error}"
            log("the model cannot be loaded", self.problem)

    def predict(self, body):
        wind = body.get("wind") if isinstance(body, dict) else None
        if isinstance(wind, bool) or not isinstance(wind, (int, float)) or not 0 <= wind < 200:
            raise BadRequestError("wind is missing or is not a speed in metres per second")
        force = bisect_right(self.limits, wind)
        return {"beaufort": force, "name": self.names[force]}


class Server(ThreadingHTTPServer):
    """One thread a connection; knows what is in hand and whether it has been told to stop."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, model):
        super().__init__(address, Handler)
        self.model = model
        self.told_to_stop = threading.Event()
        self.idle = threading.Condition()
        self.in_hand = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = KEEP_ALIVE_SECONDS

    def do_GET(self):
        if self.path != "/health":
            self.fail(405 if self.path == "/" else 404, f"nothing answers GET {self.path}")
        elif self.server.model.ready:
            self.answer(200, {"health": "true"})  # contract
        else:
            self.answer(503, {"health": "false", "reason": self.server.model.problem})

    def do_POST(self):
        with self.server.idle:
            self.server.in_hand += 1
        try:
            self.post()
        finally:
            with self.server.idle:
                self.server.in_hand -= 1
                self.server.idle.notify_all()

    def post(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            self.fail(411, "the length of the body is missing")
        elif int(length) > BODY_LIMIT:
            self.close_connection = True  # its body is not read, so nothing can follow on this connection
            self.fail(413, f"the body has {length} bytes; {BODY_LIMIT} are allowed")
        else:
            self.predict(self.rfile.read(int(length)))

    def predict(self, data):
        if self.path != "/":
            return self.fail(404, f"nothing answers POST {self.path}")
        if not self.server.model.ready:
            return self.fail(503, self.server.model.problem)
        try:
            return self.answer(200, self.server.model.predict(json.loads(data)))
        except BadRequestError as error:
            return self.fail(400, str(error))
        except ValueError as error:
            return self.fail(400, f"the body is not JSON: {error}")
        except Exception as error:  # noqa: BLE001 - a bug in predict costs one request, and is told
            log("predict failed", f"{type(error).__name__}: {error}")
            return self.fail(500, "the model failed; see the log")

    def fail(self, status, message):
        self.answer(status, {"error_code": f"HTTP.{status}", "error_msg": message})

    def answer(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.server.told_to_stop.is_set() or self.close_connection:
            self.send_header("Connection", "close")  # the caller's next request goes to another instance
            self.close_connection = True
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *args):  # noqa: A002 - the name of the standard library
        log(format % args)


def log(*words):
    """Contract: one line on standard output, at once."""
    print(time.strftime("%Y-%m-%dT%H:%M:%S"), *words, flush=True)


def main():
    model = Model()
    server = Server(("0.0.0.0", PORT), model)  # noqa: S104 - contract: all interfaces, not only the container's own
    signal.signal(signal.SIGTERM, lambda *_: server.told_to_stop.set())
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log("listening on port", server.server_address[1])
    model.load(Path(__file__).parent / "model")
    while not server.told_to_stop.wait(1):
        pass
    log("told to stop; answering for another", LINGER_SECONDS, "s")
    time.sleep(LINGER_SECONDS)
    server.shutdown()
    with server.idle:
        server.idle.wait_for(lambda: server.in_hand == 0, timeout=DRAIN_SECONDS)
    log("stopped")
    sys.exit(0)


if __name__ == "__main__":
    main()
