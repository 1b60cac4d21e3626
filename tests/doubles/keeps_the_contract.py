"""A server that keeps the contract: health, one api that checks what it gets, a line of log a request, an end in peace.

Most other doubles are this server with one thing done wrong.
"""

import http.server
import json
import os
import signal
import sys
import threading
import time


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        if self.path == "/health":
            self.health()
        else:
            self.answer(404, {"reason": "no such url"})

    def do_POST(self):
        self.post()

    def post(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            asked = json.loads(body)
            text = asked.get("text", "")
            text.encode()
        except (ValueError, AttributeError, RecursionError):
            self.wrong('expected JSON like {"text": "seven"}')
        else:
            self.answer(200, self.predict(text))

    def health(self):
        self.answer(200, {"health": "true"})

    def predict(self, text):
        time.sleep(0.01)
        return {"mnist_result": 7, "greeting": os.environ.get("GREETING", "")}

    def wrong(self, reason):
        self.answer(400, {"reason": reason})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, words, *values):
        print(words % values)

    def parse_request(self):
        self.server.working.add(threading.get_ident())
        return super().parse_request()

    def handle_one_request(self):
        try:
            super().handle_one_request()
        finally:
            self.server.working.discard(threading.get_ident())


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    # Long enough for what was on its way when the signal came.
    linger_seconds = 0.5

    def __init__(self, api=Api):
        self.working = set()
        super().__init__(("0.0.0.0", int(os.environ.get("PORT", "8080"))), api)

    def stop_on_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)

    def stop(self, number, frame):
        threading.Thread(target=self.end, args=(number,)).start()

    def end(self, number):
        time.sleep(self.linger_seconds if number == signal.SIGTERM else 0)
        self.shutdown()
        while self.working:
            time.sleep(0.01)
        print("stopped by", signal.Signals(number).name, flush=True)


def serve(api=Api, server=Server):
    serving = server(api)
    serving.stop_on_signals()
    print("serving on", serving.server_port, flush=True)
    serving.serve_forever(poll_interval=0.05)
    while serving.working:
        time.sleep(0.01)
    sys.exit(0)


if __name__ == "__main__":
    serve()
