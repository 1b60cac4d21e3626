"""Serves https where plain http is declared, with a certificate it makes at its start."""

import http.server
import os
import ssl
import subprocess
import tempfile

os.chdir(tempfile.mkdtemp())
subprocess.run(
    ("openssl", "req", "-x509", "-nodes", "-subj", "/CN=double", "-keyout", "key", "-out", "cert"),
    check=True,
    capture_output=True,
)
server = http.server.HTTPServer(("0.0.0.0", 8080), http.server.BaseHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert", "key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
