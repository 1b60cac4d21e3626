import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from doubles.replicas import counts, replica
from gateway.place import PROJECT, SERVICE, callers, error, gateway, route, run, sha, share, until

from mooring.gateway import body
from mooring.gateway.limiting import Bucket
from mooring.gateway.table import AccessKey, Limits, Principal, Token

ACCESS, SECRET = "AKEXAMPLE0001", "sk-example-secret-0001"
CODE = "made-up-app-code"
EVERYONE = callers(
    access_keys={ACCESS: AccessKey(SECRET, Principal(PROJECT, "ann", "key-2"))},
    app_codes={sha(CODE): Token(Principal(PROJECT, "app", "key-3", service_id=SERVICE))},
)


def signed(method, path, content, *, digest=None, key=SECRET):
    """The headers of a signed request, made as the cloud's own client does, from its description."""
    date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"x-sdk-date": date}
    if digest is not None:
        headers["x-sdk-content-sha256"] = digest
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    payload = digest or hashlib.sha256(content).hexdigest()
    canonical = f"{method}\n{path}/\n\n{lines}\n{names}\n{payload}"
    text = f"SDK-HMAC-SHA256\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = f"SDK-HMAC-SHA256 Access={ACCESS}, SignedHeaders={names}, Signature={signature}"
    return headers


class TestSigned:
    PATH = f"/v1/infers/{SERVICE}/predict"

    @pytest.mark.parametrize("size", [0, 100, 3_000_000])
    def test_a_signed_body_is_checked_before_the_model_gets_it(self, size):
        async def scene():
            async with replica(counts) as model, gateway(route(share(model.url)), who=EVERYONE) as place:
                place.client.headers.pop("x-auth-token")
                content = b"a" * size
                headers = signed("POST", self.PATH, content)
                response = await place.post("/predict", content=content, headers=headers)
                assert (response.status_code, response.content) == (200, str(size).encode())
                assert model.seen[0].get("content-length") == str(size)
                if size:
                    response = await place.post("/predict", content=b"b" * size, headers=headers)
                    assert error(response) == (401, "APIG.0301", "gateway")
                response = await place.post(
                    "/predict", content=content, headers=signed("POST", self.PATH, content, key="no")
                )
                assert error(response) == (401, "APIG.0301", "gateway")
                assert len(model.seen) == 1

        run(scene())

    def test_a_signed_body_in_chunks_reaches_the_model_whole(self):
        async def pieces():
            for _ in range(30):
                yield b"a" * 100_000

        async def scene():
            async with replica(counts) as model, gateway(route(share(model.url)), who=EVERYONE) as place:
                place.client.headers.pop("x-auth-token")
                headers = signed("POST", self.PATH, b"a" * 3_000_000)
                response = await place.post("/predict", content=pieces(), headers=headers)
                assert response.content == b"3000000"

        run(scene())

    def test_a_body_that_is_not_signed_streams(self):
        async def scene():
            async with replica(counts) as model, gateway(route(share(model.url)), who=EVERYONE) as place:
                place.client.headers.pop("x-auth-token")
                headers = signed("POST", self.PATH, b"", digest="UNSIGNED-PAYLOAD")
                lines = [*headers.items(), ("Content-Length", "2000000")]
                reader, writer = await place.open()
                head = place.head("/predict", headers=lines).decode()
                head = "".join(line + "\r\n" for line in head.split("\r\n")[:-2] if "X-Auth-Token" not in line)
                writer.write(head.encode() + b"\r\n" + b"a" * 1_000_000)
                await until(lambda: model.body_bytes > 900_000)
                writer.write(b"a" * 1_000_000)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
                writer.close()

        run(scene())

    def test_a_signed_body_has_the_services_limit_and_never_more_than_12_mb(self):
        async def scene():
            for limit in (1000, None):
                limits = Limits(body_bytes=limit)
                async with (
                    replica(counts) as model,
                    gateway(route(share(model.url), limits=limits), who=EVERYONE) as place,
                ):
                    place.client.headers.pop("x-auth-token")
                    content = b"a" * ((limit or body.SIGNED_BYTES) + 1)
                    response = await place.post("/predict", content=content, headers=signed("POST", self.PATH, content))
                    assert error(response) == (413, "ModelArts.4104", "gateway")

        run(scene())


def test_a_fault_of_the_gateways_own_is_told_with_the_id_that_its_log_has(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))

    async def scene():
        async with replica(counts) as model, gateway(route(share(model.url)), who=EVERYONE) as place:
            place.client.headers.pop("x-auth-token")
            content = b"a" * 3_000_000  # kept on a disk that is not there
            headers = signed("POST", TestSigned.PATH, content)
            response = await place.post("/predict", content=content, headers=headers)
            assert error(response) == (500, "ModelArts.4301", "gateway")
            assert response.headers["x-request-id"] in caplog.text

    run(scene())


class TestAppCodes:
    def test_an_app_code_opens_its_service_and_no_other(self):
        async def scene():
            async with replica() as model:
                routes = (route(share(model.url)), route(share(model.url), service="other"))
                async with gateway(*routes, who=EVERYONE) as place:
                    place.client.headers = {"X-Apig-AppCode": CODE}
                    assert (await place.post(content=b"x")).status_code == 200
                    for service in ("other", "unknown"):
                        response = await place.client.post(f"{place.url}/v1/infers/{service}", content=b"x")
                        assert error(response) == (401, "ModelArts.4203", "gateway")

        run(scene())


class TestTraffic:
    def test_calls_beyond_the_limit_of_a_service_are_told_to_come_again(self):
        async def scene():
            async with replica() as model:
                limited = route(share(model.url), limits=Limits(requests_per_second=5))
                free = route(share(model.url), service="free")
                async with gateway(limited, free) as place:
                    answers = [await place.post(content=b"x") for _ in range(20)]
                    refused = [one for one in answers if one.status_code != 200]
                    assert 5 <= len(answers) - len(refused) <= 7
                    assert {error(one) for one in refused} == {(429, "ModelArts.4206", "gateway")}
                    assert {one.headers["retry-after"] for one in refused} == {"1"}
                    response = await place.client.post(f"{place.url}/v1/infers/free", content=b"x")
                    assert response.status_code == 200

        run(scene())

    def test_a_bucket_lets_its_rate_through_and_no_more(self):
        bucket = Bucket(10.0, now=0.0)
        passed = sum(bucket.take(step / 1000) == 0.0 for step in range(10_000))
        assert 100 <= passed <= 110

    def test_a_rate_below_one_lets_one_call_through_now_and_then(self):
        bucket = Bucket(0.5, now=0.0)
        assert bucket.take(0.0) == 0.0
        assert bucket.take(1.0) == pytest.approx(1.0)
        assert bucket.take(2.0) == 0.0


class TestCounts:
    def test_metrics_tell_versions_replicas_and_classes_of_status_and_no_path(self):
        async def scene():
            async with replica() as model, gateway(route(share(model.url))) as place:
                for _ in range(3):
                    await place.post("/a-very-special-path", content=b"x")
                await place.post(headers={"X-Auth-Token": "no"})
                text = place.gateway.metrics().decode()
                labels = f'model="mnist",service="{SERVICE}",service_name="digits",version="1.0.0"'
                (line,) = [one for one in text.splitlines() if one.startswith("mooring_gateway_requests_total{")]
                assert set(labels.split(",")) <= set(line.partition("{")[2].partition("}")[0].split(","))
                assert 'replica="replica-0"' in line
                assert 'code="2xx"' in line
                assert line.endswith(" 3.0")
                assert 'mooring_gateway_refused_total{code="401",service=""} 1.0' in text
                for kind in ("queue", "connect", "model"):
                    assert f"mooring_gateway_{kind}_seconds_count{{{labels}}} 3.0" in text
                assert "special" not in text

        run(scene())
