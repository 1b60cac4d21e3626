"""Answers health as a server does whose model fails to load, again and again, each time a little later."""

import http.server
import itertools
import json
import os

DELAYS = itertools.chain(("", " in 0.5 s", " in 1 s", " in 2 s", " in 4 s", " in 8 s"), itertools.repeat(" in 16 s"))


class Failing(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        reason = f"loading failed: {os.environ['FAILURE']}; starting it again{next(DELAYS)}"
        body = json.dumps({"health": "false", "reason": reason}).encode()
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("0.0.0.0", 8080), Failing).serve_forever()
