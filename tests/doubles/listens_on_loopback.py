"""Serves port 8080, for the container itself only."""

import http.server

http.server.HTTPServer(("127.0.0.1", 8080), http.server.BaseHTTPRequestHandler).serve_forever()
