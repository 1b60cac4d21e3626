"""Answers health with 503 and a reason, for ever."""

import http.server
import json


class NotYet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"health": "false", "reason": "loading the model: layer 3 of 900"}).encode()
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("0.0.0.0", 8080), NotYet).serve_forever()
