"""A server that keeps the contract: health, one api, SIGINT and SIGTERM at once, a line of log a request."""

import http.server
import json
import os
import signal
import sys


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200 if self.path == "/health" else 404, {"health": "true"})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, {"mnist_result": 7, "greeting": os.environ.get("GREETING", "")})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def stop(number, frame):
    print("stopped by", signal.Signals(number).name, flush=True)
    sys.exit(0)


signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)
print("serving", flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Api).serve_forever()
