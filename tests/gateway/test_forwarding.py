import asyncio
import json
import ssl
import subprocess

import pytest
from doubles.replicas import answer, body_pieces, counts, read_head, replica, says
from gateway.place import SERVICE, TOKEN, error, gateway, route, run, share, until

from mooring.gateway.table import Limits


def test_a_call_reaches_the_model_and_its_answer_comes_back_untouched():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            response = await place.post("/predict/seven?top=3&q=%2F", json={"a": 1}, headers={"Accept": "x/y"})
            assert response.status_code == 200
            assert json.loads(response.content) == {"a": 1}
            assert response.headers["x-model"] == "echo"
            assert "x-mooring-error-source" not in response.headers
            (seen,) = model.seen
            assert (seen.method, seen.target) == ("POST", "/predict/seven?top=3&q=%2F")
            assert seen.get("accept") == "x/y"
            assert seen.get("host") == model.url.removeprefix("http://")
            assert seen.get("x-forwarded-for") == "127.0.0.1"
            assert seen.get("x-forwarded-proto") == "http"
            assert seen.get("x-forwarded-host") == f"127.0.0.1:{place.port}"

    run(scene())


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_every_method_is_passed_on_and_leaves_the_connection_usable(method):
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            for _ in range(2):
                response = await place.client.request(method, place.infer)
                assert response.status_code == 200
            assert [seen.target for seen in model.seen] == ["/", "/"]
            assert model.seen[0].method == method

    run(scene())


def test_a_method_that_no_model_has_is_refused():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            response = await place.client.request("PATCH", place.infer)
            assert error(response) == (405, "APIG.0101", "gateway")
            assert "POST" in response.headers["allow"]

    run(scene())


def test_credentials_never_reach_the_model():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            secret = {
                "Authorization": "Bearer other",
                "X-Apig-AppCode": "code",
                "apikey": "key",
                "X-Sdk-Date": "20250102T030405Z",
                "X-Stage": "RELEASE",
                "Proxy-Authorization": "Basic x",
            }
            await place.post(content=b"x", headers=secret)
            (seen,) = model.seen
            assert not {name.lower() for name in secret} & {name for name, _ in seen.headers}
            assert TOKEN not in str(seen.headers)

    run(scene())


def test_what_is_between_neighbours_stays_between_them():
    async def scene():
        said = answer(b"ok", headers=[("Connection", "x-inner"), ("X-Inner", "1"), ("Keep-Alive", "timeout=5")])
        async with replica(says(said)) as model, gateway(route(share(model.url))) as place:
            headers = {"Connection": "keep-alive, X-Hop", "X-Hop": "1", "TE": "trailers", "Upgrade": "h2c"}
            response = await place.post(content=b"x", headers=headers)
            assert response.status_code == 200
            assert not {"x-inner", "keep-alive", "connection"} & set(response.headers)
            assert not {"connection", "x-hop", "te", "upgrade"} & {name for name, _ in model.seen[0].headers}

    run(scene())


def test_a_request_id_is_taken_end_to_end_or_made():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            response = await place.post(headers={"X-Request-Id": "mine-42"})
            assert response.headers.get_list("x-request-id") == ["mine-42"]
            assert model.seen[0].get("x-request-id") == "mine-42"
            response = await place.post(headers={"X-Request-Id": "bad id"})
            made = response.headers["x-request-id"]
            assert len(made) == 32
            assert model.seen[1].all("x-request-id") == [made]
            response = await place.client.get(place.url + "/v1/infers/none", headers={"X-Request-Id": "mine-43"})
            assert response.headers["x-request-id"] == "mine-43"

    run(scene())


def test_an_error_of_the_model_is_its_own_and_says_so():
    async def scene():
        said = answer(b'{"erno":"MR.0105"}', status="500 Oops", headers=[("X-Mooring-Error-Source", "gateway")])
        async with replica(says(said)) as model, gateway(route(share(model.url))) as place:
            response = await place.post()
            assert (response.status_code, response.content) == (500, b'{"erno":"MR.0105"}')
            assert response.headers.get_list("x-mooring-error-source") == ["model"]

    run(scene())


def test_a_path_with_a_cluster_id_reaches_the_same_service():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            response = await place.client.post(f"{place.url}/v1/infers/cluster-1/{SERVICE}/predict", content=b"x")
            assert response.status_code == 200
            assert model.seen[0].target == "/predict"

    run(scene())


@pytest.mark.parametrize("path", ["/v1/infers/unknown", "/v1/infers/unknown/predict", "/v1/other", "/"])
def test_what_is_not_served_is_not_found(path):
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            response = await place.client.get(place.url + path)
            assert error(response) == (404, "APIG.0101", "gateway")

    run(scene())


def test_nobody_calls_without_a_credential_and_learns_nothing_of_services():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            place.client.headers.pop("x-auth-token")
            for path in (SERVICE, "unknown"):
                response = await place.client.post(f"{place.url}/v1/infers/{path}", content=b"x")
                assert error(response) == (401, "APIG.0301", "gateway")
            response = await place.post(headers={"X-Auth-Token": "wrong"})
            assert error(response) == (401, "APIG.0301", "gateway")
            assert model.seen == []

    run(scene())


def test_a_service_of_another_project_looks_like_none():
    async def scene():
        async with replica() as model, gateway(route(share(model.url), project="f" * 32)) as place:
            other = await place.post()
            none = await place.client.post(f"{place.url}/v1/infers/unknown")
            assert error(other) == error(none) == (404, "APIG.0101", "gateway")
            assert other.content == none.content

    run(scene())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("stopped", (400, "ModelArts.4203", "gateway")),
        ("failed", (400, "ModelArts.4203", "gateway")),
        ("deploying", (503, "ModelArts.4302", "container")),
        ("running", (503, "ModelArts.4302", "container")),
    ],
)
def test_a_service_without_ready_instances_says_how_it_is(status, expected):
    async def scene():
        async with gateway(route(share(), status=status)) as place:
            response = await place.post()
            assert error(response) == expected
            assert ("retry-after" in response.headers) == (expected[0] == 503)

    run(scene())


class TestBodies:
    LIMIT = 12 << 20

    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not(self, chunked):
        async def pieces(size):
            while size:
                yield b"x" * min(size, 100_000)
                size -= min(size, 100_000)

        async def scene():
            limits = Limits(body_bytes=self.LIMIT)
            async with replica(counts) as model, gateway(route(share(model.url), limits=limits)) as place:
                for size, fits in ((self.LIMIT, True), (self.LIMIT + 1, False)):
                    headers = {} if chunked else {"Content-Length": str(size)}
                    response = await place.post(content=pieces(size), headers=headers)
                    if fits:
                        assert response.content == str(size).encode()
                    else:
                        assert error(response) == (413, "ModelArts.4104", "gateway")
                assert len(model.seen) == 1

        run(scene())

    def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(self):
        async def scene():
            limits = Limits(body_bytes=1000)
            async with replica() as model, gateway(route(share(model.url), limits=limits)) as place:
                reader, writer = await place.open()
                writer.write(place.head(headers=[("Content-Length", "1001"), ("Expect", "100-continue")]))
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 413 ")  # and no 100 before it
                assert model.connections == 0
                writer.close()

        run(scene())

    def test_a_client_that_asks_whether_to_go_on_is_told_to(self):
        async def scene():
            async with replica() as model, gateway(route(share(model.url))) as place:
                reader, writer = await place.open()
                writer.write(place.head(headers=[("Content-Length", "5"), ("Expect", "100-continue")]))
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
                writer.write(b"hello")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
                assert await reader.readexactly(5) == b"hello"
                assert model.seen[0].get("expect") is None
                writer.close()

        run(scene())

    def test_a_model_that_says_continue_itself_is_understood(self):
        async def scene():
            said = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + answer(b"done")
            async with replica(says(said)) as model, gateway(route(share(model.url))) as place:
                for _ in range(2):
                    response = await place.post(content=b"x")
                    assert response.content == b"done"
                    assert "link" not in response.headers
                assert model.connections == 1

        run(scene())

    def test_chunks_stay_chunks_and_trailers_are_dropped(self):
        async def scene():
            async with replica() as model, gateway(route(share(model.url))) as place:
                reader, writer = await place.open()
                writer.write(place.head(headers=[("Transfer-Encoding", "chunked"), ("Trailer", "X-T")]))
                writer.write(b"5\r\nhello\r\n1;ext=2\r\n!\r\n0\r\nX-T: 1\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
                assert await reader.readexactly(6) == b"hello!"
                (seen,) = model.seen
                assert seen.body == b"hello!"
                assert seen.get("transfer-encoding") == "chunked"
                assert seen.get("content-length") is None
                assert seen.get("x-t") is None
                assert seen.get("x-forwarded-for") == "127.0.0.1"
                writer.close()

        run(scene())

    def test_an_answer_in_chunks_and_one_that_ends_with_its_connection_come_whole(self):
        async def scene():
            chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n"
            ended = b"HTTP/1.1 200 OK\r\n\r\nabcde"
            for said, close in ((chunked, False), (ended, True)):
                async with replica(says(said, close=close)) as model, gateway(route(share(model.url))) as place:
                    for _ in range(3):
                        response = await place.post(content=b"x")
                        assert response.content == b"abcde"
                    assert model.connections == (3 if close else 1)

        run(scene())

    @pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
    def test_an_answer_without_a_body_stays_without(self, status):
        async def scene():
            said = f"HTTP/1.1 {status}\r\n\r\n".encode()
            async with replica(says(said)) as model, gateway(route(share(model.url))) as place:
                for _ in range(2):
                    response = await place.get()
                    assert response.status_code == int(status[:3])
                assert model.connections == 1

        run(scene())


class TestStreaming:
    def test_events_are_passed_on_as_they_come(self):
        gate = None

        async def events(here, reader, writer):
            await read_head(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            for word in (b"data: one\n\n", b"data: two\n\n"):
                writer.write(b"%x\r\n%b\r\n" % (len(word), word))
                await gate.wait()
                gate.clear()
            writer.write(b"0\r\n\r\n")

        async def scene():
            nonlocal gate
            gate = asyncio.Event()
            async with (
                replica(events) as model,
                gateway(route(share(model.url))) as place,
                place.client.stream("GET", place.infer) as response,
            ):
                assert response.headers["content-type"] == "text/event-stream"
                parts = response.aiter_bytes()
                for word in (b"data: one\n\n", b"data: two\n\n"):
                    assert await anext(parts) == word  # while the model waits for us
                    gate.set()

        run(scene())

    def test_both_directions_flow_at_once(self):
        async def duplex(here, reader, writer):
            seen = await read_head(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            async for piece in body_pieces(reader, seen):
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            writer.write(b"0\r\n\r\n")

        async def scene():
            async with replica(duplex) as model, gateway(route(share(model.url))) as place:
                reader, writer = await place.open()
                writer.write(place.head(headers=[("Transfer-Encoding", "chunked")]))
                for word in (b"ping", b"pong"):
                    writer.write(b"4\r\n%b\r\n" % word)
                    if word == b"ping":
                        await reader.readuntil(b"\r\n\r\n")
                    assert await reader.readuntil(word + b"\r\n") == b"4\r\n%b\r\n" % word
                writer.write(b"0\r\n\r\n")
                assert await reader.readexactly(5) == b"0\r\n\r\n"
                writer.close()

        run(scene())

    def test_a_model_that_answers_before_it_has_the_body_is_heard(self):
        async def hasty(here, reader, writer):
            await read_head(reader)
            writer.write(answer(b"no", status="403 Forbidden"))
            await writer.drain()
            await reader.read()

        async def scene():
            async with replica(hasty) as model, gateway(route(share(model.url))) as place:
                reader, writer = await place.open()
                writer.write(place.head(headers=[("Content-Length", "1000000")]) + b"x" * 1000)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 403 ")
                assert await reader.readexactly(2) == b"no"
                writer.close()
                await until(lambda: model.open == 0)  # not kept: half a request is on it

        run(scene())


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path):
        key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=container"]
        subprocess.run([*made, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(cert, key)
        return context

    def test_a_container_that_signed_for_itself_is_taken(self, certificate):
        async def scene():
            async with replica(ssl=certificate) as model, gateway(route(share(model.url))) as place:
                for _ in range(3):
                    response = await place.post(content=b"x" * 300_000)
                    assert response.content == b"x" * 300_000
                assert model.connections == 1

        run(scene())

    def test_tls_spoken_to_a_plain_server_is_told(self):
        async def plain(here, reader, writer):
            await reader.read(1)
            writer.write(answer(b"what?", status="400 Bad Request"))
            await writer.drain()

        async def scene():
            async with replica(plain) as model:
                url = model.url.replace("http:", "https:")
                async with gateway(route(share(url))) as place:
                    response = await place.post(content=b"x")
                    assert error(response) == (500, "ModelArts.4503", "container")
                    assert "TLS" in response.json()["error_msg"]

        run(scene())

    def test_plain_http_spoken_to_a_tls_server_is_told(self, certificate):
        async def scene():
            async with replica(ssl=certificate) as model:
                url = model.url.replace("https:", "http:")
                async with gateway(route(share(url))) as place:
                    response = await place.post(content=b"x")
                    assert error(response) == (500, "ModelArts.4503", "container")

        run(scene())
