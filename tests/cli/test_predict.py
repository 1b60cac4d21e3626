import email
import http.server
import json
import socket
import ssl
import threading

import pytest


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked, or as the path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/takes-post" and self.command == "GET":
            return self.say(405, b'{"error_msg": "/ takes POST, not GET"}')
        if self.path == "/breaks":
            return self.say(500, b'{"error_msg": "predict raised KeyError"}')
        if self.path == "/picture":
            return self.say(200, b"\x89PNG\0\1", "image/png")
        if self.path == "/plain":
            return self.say(200, "schön".encode(), "text/plain; charset=utf-8")
        if self.path == "/refuses":
            return self.say(400, b'{"error_code": "INVALID_REQUEST", "error_msg": "images is missing"}')
        kind = self.headers.get("Content-Type", "")
        parts = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body).walk()
        told = {
            "method": self.command,
            "type": kind.partition(";")[0],
            "api_key": self.headers.get("X-Api-Key"),
            "body": body.decode("latin-1") if kind == "application/json" else "",
            "parts": [
                [
                    part.get_param("name", header="content-disposition"),
                    part.get_filename(),
                    part["Content-Type"],
                    part.get_payload(),
                ]
                for part in parts
                if not part.is_multipart() and part["Content-Disposition"]
            ],
        }
        return self.say(200, json.dumps(told).encode())

    def say(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", "abc-1")
        self.send_header("Server-Timing", "model;dur=1.5")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def echo():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_files_and_text_become_one_form(mooring, echo, tmp_path):
    (tmp_path / "seven.jpg").write_bytes(b"JPEG")
    (tmp_path / "x.bin").write_bytes(b"BYTES")
    done = mooring(
        "predict",
        f"{echo}/",
        "-F",
        "images=@seven.jpg",
        "-F",
        "images=@x.bin;type=image/png",
        "-F",
        "top=3",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["method"], told["type"]) == ("POST", "multipart/form-data")
    assert told["parts"] == [
        ["images", "seven.jpg", "image/jpeg", "JPEG"],
        ["images", "x.bin", "image/png", "BYTES"],
        ["top", None, None, "3"],
    ]


@pytest.mark.parametrize("given", ['{"data":  [1]}', "@body.json"])
def test_json_is_sent_byte_for_byte_as_it_was_typed(mooring, echo, tmp_path, given):
    (tmp_path / "body.json").write_text('{"data":  [1]}')
    told = json.loads(mooring("predict", f"http://{echo}/", "-d", given, cwd=tmp_path).stdout)
    assert (told["method"], told["type"], told["body"]) == ("POST", "application/json", '{"data":  [1]}')


def test_method_and_headers_are_the_users(mooring, echo):
    told = json.loads(mooring("predict", echo, "-X", "put", "-H", "X-Api-Key: k: 1", "-d", "{}", "-X", "get").stdout)
    assert (told["method"], told["api_key"]) == ("GET", "k: 1")


def test_the_time_and_the_servers_own_timing_are_told_beside_the_answer(mooring, echo):
    done = mooring("predict", f"{echo}/")
    assert "200 OK in " in done.stderr
    assert "server-timing: model;dur=1.5" in done.stderr
    assert "x-request-id: abc-1" in done.stderr


def test_json_output_has_everything_for_a_program(mooring, echo):
    told = json.loads(mooring("predict", f"{echo}/refuses", "--format", "json").stdout)
    assert told["status"] == 400
    assert told["body"]["error_msg"] == "images is missing"
    assert told["milliseconds"] > 0
    assert told["headers"]["x-request-id"] == "abc-1"


def test_an_error_of_the_model_is_shown_and_the_exit_code_is_1(mooring, echo):
    done = mooring("predict", f"{echo}/refuses")
    assert done.returncode == 1
    assert "images is missing" in done.stdout
    assert "400" in done.stderr


def test_text_is_shown_as_text_and_pictures_are_only_counted(mooring, echo):
    assert mooring("predict", f"{echo}/plain").stdout == "schön\n"
    done = mooring("predict", f"{echo}/picture")
    assert (done.returncode, done.stdout) == (0, "")
    assert "6 bytes of image/png" in done.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-F", "images=@nothing.jpg"], "cannot read nothing.jpg: No such file"),
        (["-F", "images"], "FIELD=@FILE"),
        (["-d", "{'a': 1}"], "--data is not JSON"),
        (["-d", "{}", "-F", "a=1"], "two kinds of body"),
        (["-H", "nonsense"], "NAME: VALUE"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_before_it_is_sent(mooring, tmp_path, words, complaint):
    done = mooring("predict", "127.0.0.1:1/", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_without_a_url_an_example_is_given(mooring):
    done = mooring("predict")
    assert done.returncode == 2
    assert "mooring predict 127.0.0.1:8080/ -F images=@seven.jpg" in done.stderr
    assert "mooring predict 127.0.0.1:8080/ -F" in " ".join(mooring("predict", "--help").stdout.split())


def test_a_question_without_a_body_where_one_is_needed_is_told_how_to_send_one(mooring, echo):
    done = mooring("predict", f"{echo}/takes-post")
    assert done.returncode == 1
    assert "hint: a model is asked with a body, by POST: add a form (-F " in done.stderr
    assert "hint" not in mooring("predict", f"{echo}/takes-post", "--format", "json").stderr


def test_an_error_of_the_server_is_to_be_looked_up_in_its_log(mooring, echo):
    assert "hint: the server's log tells more: look for abc-1" in mooring("predict", f"{echo}/breaks").stderr
    assert "hint" not in mooring("predict", f"{echo}/refuses").stderr


def test_an_address_that_is_none_is_refused(mooring):
    done = mooring("predict", "ftp://example.com/")
    assert done.returncode == 2
    assert "ftp://example.com/" in done.stderr


def test_a_port_nobody_listens_on_is_said_to_be_that(mooring):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = mooring("predict", f"127.0.0.1:{port}")
    assert done.returncode == 69
    assert "nothing listens there" in done.stderr


def test_a_model_that_takes_too_long_is_said_to_be_slow(mooring, answering):
    with answering(lambda line, over: over.wait(30)) as port:
        done = mooring("predict", f"127.0.0.1:{port}", "--timeout", "0.3")
    assert done.returncode == 69
    assert "no answer within 0.3 s" in done.stderr
    assert "--timeout" in done.stderr


def test_a_published_port_with_nobody_behind_it_is_explained(mooring, answering):
    with answering(lambda line, over: line.recv(65536)) as port:
        done = mooring("predict", f"127.0.0.1:{port}")
    assert done.returncode == 69
    assert "listens on 127.0.0.1 or on another port" in done.stderr


def test_https_to_a_plain_server_is_explained_with_the_right_address(mooring, echo):
    done = mooring("predict", f"https://{echo}/")
    assert done.returncode == 69
    assert f"http://{echo}/" in done.stderr


def test_a_certificate_nobody_vouches_for_is_told_apart_from_a_plain_server(mooring, tmp_path):
    # No certificate is at hand in a test; one that cannot be verified fails with these words in the library's message.
    from mooring.cli.asking import _tls_hint

    error = ssl.SSLCertVerificationError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    assert "SSL_CERT_FILE" in _tls_hint("https://127.0.0.1/", error)


def test_a_body_nested_deeper_than_python_goes_is_sent_as_it_is(mooring, echo, tmp_path):
    body = "[" * 10_001 + "]" * 10_001
    (tmp_path / "deep.json").write_text(body)
    assert json.loads(mooring("predict", echo, "-d", "@deep.json", cwd=tmp_path).stdout)["body"] == body
