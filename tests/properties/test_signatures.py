"""Whatever a client of the real SDK signs is taken as it comes over the wire, and nothing else is."""

import hashlib
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import assume, given
from hypothesis import strategies as st

from mooring.errors import Denied
from mooring.gateway.identity import Asked, identify, needs_body
from mooring.gateway.table import AccessKey, Callers, Principal

ACCESS, SECRET = "AKEXAMPLE0001", "sk-example-secret-0001"
WHO = Principal("p", "ada", "k")
CALLERS = Callers(access_keys={ACCESS: AccessKey(SECRET, WHO)})
AT = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW_MS = int(AT.timestamp() * 1000)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "get"]
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
# Clients resolve these before they send; what they signed is then another path.
SEGMENTS = TEXT.filter(lambda segment: segment not in (".", ".."))
VALUES = st.one_of(TEXT, st.integers(), st.booleans(), st.lists(TEXT, max_size=3))
HEADERS = st.dictionaries(st.from_regex(r"x-own-[a-z0-9_-]{1,8}", fullmatch=True), TEXT, max_size=4)
TYPES = st.sampled_from(
    ["application/json", "application/json;charset=UTF-8", "application/octet-stream", "text/plain"]
)


@st.composite
def signed_requests(draw):
    """A request as the SDK signs it and `requests` sends it: what the other side gets to see, and the body."""
    headers = draw(HEADERS)
    headers |= {"X-Sdk-Date": AT.strftime("%Y%m%dT%H%M%SZ")}
    if draw(st.booleans()):
        headers |= {"Content-Type": draw(TYPES)}
    body = draw(st.one_of(st.none(), st.binary(max_size=20), TEXT))
    if draw(st.booleans()) and body:
        data = body.encode() if isinstance(body, str) else body
        headers |= {"X-Sdk-Content-Sha256": hashlib.sha256(data).hexdigest()}
    request = SdkRequest(
        method=draw(st.sampled_from(METHODS)),
        schema="http",
        host=draw(st.sampled_from(["127.0.0.1:8000", "modelarts.local"])),
        resource_path="/" + "/".join(quote(segment, safe="") for segment in draw(st.lists(SEGMENTS, max_size=4))),
        query_params=list(draw(st.dictionaries(TEXT, VALUES, max_size=4)).items()),
        header_params=headers,
        body=body,
    )
    Signer(BasicCredentials(ACCESS, SECRET)).sign(request)
    url = f"http://{request.host}{request.uri}"
    sent = requests.Request(request.method, url, headers=request.header_params, data=request.body).prepare()
    path, _, query = sent.path_url.partition("?")
    wire = [(name.lower().encode(), value.strip(" ").encode("latin-1")) for name, value in sent.headers.items()]
    asked = Asked(method=sent.method, path=path.encode(), query=query.encode(), headers=wire)
    return asked, request.body or b""


def known(asked, body=None):
    """Who it is, when the body is read only if that is asked for."""
    digest = hashlib.sha256(body).hexdigest() if needs_body(asked) and body is not None else ""
    asked = Asked(method=asked.method, path=asked.path, query=asked.query, headers=asked.headers, body_sha256=digest)
    return identify(asked, CALLERS, NOW_MS)


@given(signed_requests())
def test_what_the_sdk_signs_is_taken(signed):
    asked, body = signed
    assert known(asked, body) == WHO


@given(signed_requests(), st.binary(min_size=1, max_size=20))
def test_another_body_is_denied_unless_the_client_left_it_unsigned(signed, other):
    asked, body = signed
    assume(other != body)
    headers = [(name, value) for name, value in asked.headers if name not in (b"content-length", b"transfer-encoding")]
    unsigned = (b"x-sdk-content-sha256", b"UNSIGNED-PAYLOAD") in headers and body
    headers.append((b"content-length", str(len(other)).encode()))
    changed = Asked(method=asked.method, path=asked.path, query=asked.query, headers=headers)
    if unsigned:
        assert known(changed, other) == WHO
    else:
        with pytest.raises(Denied):
            known(changed, other)


@given(signed_requests(), st.data())
def test_another_request_is_denied(signed, data):
    asked, body = signed
    part = data.draw(st.sampled_from(["method", "path", "query", "header"]))
    changes = {
        "method": {"method": "HEAD"},
        "path": {"path": asked.path.rstrip(b"/") + b"/more"},
        "query": {"query": asked.query + b"&more=1"},
        "header": {"headers": [(name, value + b"1" if name == b"host" else value) for name, value in asked.headers]},
    }[part]
    fields = {"method": asked.method, "path": asked.path, "query": asked.query, "headers": asked.headers}
    with pytest.raises(Denied) as error:
        known(Asked(**fields | changes), body)
    assert error.value.case == "signature-wrong"


@given(st.binary(max_size=200), st.binary(max_size=30), st.binary(max_size=30), st.booleans())
def test_whatever_a_header_holds_the_answer_is_a_denial(value, path, query, dated):
    headers = [(b"authorization", b"SDK-HMAC-SHA256 " + value), (b"host", b"a")]
    headers += [(b"x-sdk-date", b"20250102T030405Z")] if dated else []
    asked = Asked(method="GET", path=path, query=query, headers=headers)
    needs_body(asked)
    with pytest.raises(Denied):
        identify(asked, CALLERS, NOW_MS)
