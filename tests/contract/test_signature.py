import hashlib

import pytest

from mooring.contract.signature import (
    UNSIGNED,
    Authorization,
    Signable,
    canonical_request,
    read_authorization,
    sign,
    string_to_sign,
    verify,
)
from mooring.errors import Denied

ACCESS, SECRET = "AKEXAMPLE0001", "sk-example-secret-0001"
PROJECT = "0123456789abcdef0123456789abcdef"
AT = 1735787045_000  # 2025-01-02 03:04:05 UTC
HEADERS = ((b"content-type", b"application/json"), (b"host", b"modelarts.local"), (b"x-sdk-date", b"20250102T030405Z"))


def stop_request(**changes):
    path = f"/v1/{PROJECT}/services/11111111-2222-3333-4444-555555555555".encode()
    body = hashlib.sha256(b'{"status":"stopped"}').hexdigest()
    return Signable(**{"method": "PUT", "path": path, "query": b"", "headers": HEADERS, "payload": body} | changes)


def refused(value, request=None, *, now_ms=AT):
    """The case with which a header, or a request with it, is denied."""
    with pytest.raises(Denied) as error:
        verify(request or stop_request(), read_authorization(value), secret=SECRET, now_ms=now_ms)
    assert error.value.hint
    return error.value.case


class TestTheVectorOfTheFacts:
    SIGNATURE = "ed64fc705f4ce2b1f22f2248dc7bffc15eef8aeed5bc2c2d886b1bfcf2077ac4"
    HEADER = f"SDK-HMAC-SHA256 Access={ACCESS}, SignedHeaders=content-type;host;x-sdk-date, Signature={SIGNATURE}"

    def test_each_step_has_its_value(self):
        request = stop_request()
        assert request.payload == "1704b4b6922f73412b6bfc488e5f188856daa96255fe327d1f68b44f7e15f66f"
        signed = sign(request, access=ACCESS, secret=SECRET)
        canonical = canonical_request(request, signed)
        assert canonical.decode().splitlines() == [
            "PUT",
            f"/v1/{PROJECT}/services/11111111-2222-3333-4444-555555555555/",
            "",
            "content-type:application/json",
            "host:modelarts.local",
            "x-sdk-date:20250102T030405Z",
            "",
            "content-type;host;x-sdk-date",
            request.payload,
        ]
        digest = "12a85945a8b271efd3ce5c93929ea0b8362bdc3199eb619f69400dfd5596ad23"
        assert hashlib.sha256(canonical).hexdigest() == digest
        assert string_to_sign(request, signed).decode() == f"SDK-HMAC-SHA256\n20250102T030405Z\n{digest}"
        assert signed.text == self.HEADER

    def test_it_is_taken(self):
        verify(stop_request(), read_authorization(self.HEADER.encode()), secret=SECRET, now_ms=AT)

    def test_as_it_is_written_otherwise(self):
        value = (
            f" SDK-HMAC-SHA256  Access={ACCESS},SignedHeaders=Content-Type;Host;X-Sdk-Date,Signature={self.SIGNATURE} "
        )
        verify(stop_request(), read_authorization(value.encode()), secret=SECRET, now_ms=AT)

    @pytest.mark.parametrize(
        "changes",
        [
            {"method": "POST"},
            {"path": b"/v1"},
            {"query": b"a=1"},
            {"headers": (*HEADERS, (b"host", b"other"))},
            {"headers": ((b"host", b"modelarts.local"), HEADERS[2])},
            {"payload": UNSIGNED},
        ],
    )
    def test_for_another_request_it_is_wrong(self, changes):
        assert refused(self.HEADER.encode(), stop_request(**changes)) == "signature-wrong"

    def test_with_another_secret_it_is_wrong(self):
        with pytest.raises(Denied) as error:
            verify(stop_request(), read_authorization(self.HEADER.encode()), secret=SECRET + "1", now_ms=AT)
        assert error.value.case == "signature-wrong"

    @pytest.mark.parametrize("minutes", [-15, 15])
    def test_it_holds_for_a_quarter_of_an_hour(self, minutes):
        authorization = read_authorization(self.HEADER.encode())
        verify(stop_request(), authorization, secret=SECRET, now_ms=AT + minutes * 60_000)
        too_late = AT + minutes * 60_000 + (1000 if minutes > 0 else -1000)
        assert refused(self.HEADER.encode(), now_ms=too_late) == "signature-skewed"


class TestTheFormWithACredential:
    """The values were computed with openssl, by hand."""

    SCOPE = "20250102/eu-local/modelarts/sdk_request"
    SIGNATURE = "210e901c89de693b031d9b7caaaa598d62e0dd0f00679bab801ea9d4dc72f2ec"
    HEADER = (
        f"SDK-HMAC-SHA256 Credential={ACCESS}/{SCOPE}, "
        f"SignedHeaders=content-type;host;x-project-id;x-sdk-date, Signature={SIGNATURE}"
    )
    REQUEST = Signable(
        method="GET",
        path=f"/v1/{PROJECT}/services".encode(),
        query=b"Offset=0&limit=10",
        headers=(*HEADERS, (b"x-project-id", PROJECT.encode())),
    )

    def test_it_is_made_and_taken(self):
        signed = sign(self.REQUEST, access=ACCESS, secret=SECRET, scope=self.SCOPE)
        digest = "bc6474c37b87c27fc1c3533be3a19abf38b2ecf5122704ede4991e5eedc60525"
        assert string_to_sign(self.REQUEST, signed).decode().splitlines() == [
            "SDK-HMAC-SHA256",
            "20250102T030405Z",
            self.SCOPE,
            digest,
        ]
        assert signed.text == self.HEADER
        verify(self.REQUEST, read_authorization(self.HEADER.encode()), secret=SECRET, now_ms=AT)

    def test_a_secret_that_is_derived_for_another_service_does_not_sign(self):
        assert refused(self.HEADER.replace("modelarts/", "obs/").encode(), self.REQUEST) == "signature-wrong"

    def test_the_scope_is_of_the_day_that_it_was_signed(self):
        value = self.HEADER.replace("20250102/", "20250103/").encode()
        assert refused(value, self.REQUEST) == "signature-malformed"


@pytest.mark.parametrize(
    "value",
    [
        "SDK-HMAC-SHA256",
        "SDK-HMAC-SM3 Access=A, SignedHeaders=host, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=host",
        "SDK-HMAC-SHA256 SignedHeaders=host, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=, SignedHeaders=host, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature=" + "0" * 63,
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature=" + "g" * 64,
        "SDK-HMAC-SHA256 Access=A, Access=A, SignedHeaders=host, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=A, Credential=A, SignedHeaders=host, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=A, Extra=A, SignedHeaders=host, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Credential=A/20250102/eu, SignedHeaders=host, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Credential=/20250102/a/b/sdk_request, SignedHeaders=host, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 \xff\xfe\x00,,,===",
    ],
)
def test_a_header_that_cannot_be_read_is_malformed(value):
    assert refused(value.encode("latin-1")) == "signature-malformed"


@pytest.mark.parametrize("date", [b"", b"now", b"20250102T030405", b"20250231T030405Z", b"\xd9\xa20250102T030405Z"])
def test_a_request_without_a_date_is_malformed(date):
    headers = ((b"host", b"modelarts.local"), (b"x-sdk-date", date))
    value = f"SDK-HMAC-SHA256 Access=A, SignedHeaders=host;x-sdk-date, Signature={'0' * 64}"
    assert refused(value.encode(), stop_request(headers=headers)) == "signature-malformed"


def test_a_header_that_is_signed_and_was_lost_on_the_way_is_named():
    value = f"SDK-HMAC-SHA256 Access=A, SignedHeaders=host;x-stage, Signature={'0' * 64}"
    with pytest.raises(Denied, match="'x-stage' is signed and not there"):
        verify(stop_request(), read_authorization(value.encode()), secret=SECRET, now_ms=AT)


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        (b"", ""),
        (b"b=2&a=1", "a=1&b=2"),
        (b"a=2&a=10&a", "a=&a=10&a=2"),
        (b"a=b+c&d=%2B", "a=b%20c&d=%2B"),
        (b"a=%7e%2d%5F.!*'()", "a=~-_.%21%2A%27%28%29"),
        (b"&&a=1&", "a=1"),
        (b"a==b", "a=%3Db"),
        ("é=ü".encode(), "%C3%A9=%C3%BC"),
        (b"a=%ff%zz", "a=%FF%25zz"),
    ],
)
def test_a_query_comes_to_one_form(sent, canonical):
    unsigned = Authorization(access=ACCESS, signed_headers=("host",), signature="")
    assert canonical_request(stop_request(query=sent), unsigned).decode().splitlines()[2] == canonical


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        (b"/", "/"),
        (b"/a/", "/a/"),
        (b"/a//b", "/a//b/"),
        (b"/%7Ea/b%20c", "/~a/b%20c/"),
        (b"/a%2Fb", "/a/b/"),
        (b"/a%2541", "/a%2541/"),
        (b"/100%/+", "/100%25/%2B/"),
    ],
)
def test_a_path_comes_to_one_form(sent, canonical):
    unsigned = Authorization(access=ACCESS, signed_headers=("host",), signature="")
    assert canonical_request(stop_request(path=sent), unsigned).decode().splitlines()[1] == canonical


def test_a_secret_is_shown_by_nothing():
    assert SECRET not in repr(sign(stop_request(), access=ACCESS, secret=SECRET))
