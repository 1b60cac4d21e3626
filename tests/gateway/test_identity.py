import hashlib

import pytest

from mooring.contract.signature import UNSIGNED, Signable, sign
from mooring.errors import Denied
from mooring.gateway.identity import Asked, digest, identify, needs_body, require_project, require_service
from mooring.gateway.table import AccessKey, Callers, Principal, Token

ADA = Principal("p", "ada", "1")
BOB = Principal("q", "bob", "2")
APP = Principal("p", "app", "3", "svc")
AT = 1735787045_000  # 2025-01-02 03:04:05 UTC
CALLERS = Callers(
    tokens={digest(b"ada's"): Token(ADA), digest(b"bob's"): Token(BOB, AT + 1000)},
    app_codes={digest(b"code"): Token(APP)},
    access_keys={"AK": AccessKey("SK", ADA), "OLD": AccessKey("SK", BOB, AT), "APP": AccessKey("SK", APP)},
)


def asked(*headers, **fields):
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return Asked(**{"method": "POST", "path": b"/v1/p/services", "query": b"", "headers": pairs} | fields)


def who(*headers, now_ms=AT):
    return identify(asked(*headers), CALLERS, now_ms)


def case(*headers, now_ms=AT):
    with pytest.raises(Denied) as error:
        who(*headers, now_ms=now_ms)
    return error.value.case


def signed(access="AK", body=b"", *, payload=None, extra=(), length=None):
    """A request that is signed with SK."""
    length = str(len(body)) if length is None else length
    headers = [("host", "h"), ("x-sdk-date", "20250102T030405Z"), *extra]
    request = Signable(
        method="POST",
        path=b"/v1/p/services",
        query=b"",
        headers=[(name.encode(), value.encode()) for name, value in headers],
        payload=payload or hashlib.sha256(body).hexdigest(),
    )
    text = sign(request, access=access, secret="SK").text  # noqa: S106 - made up
    return asked(*headers, ("authorization", text), ("content-length", length))


def read(request, body=b""):
    """The same request once its body was read."""
    digested = hashlib.sha256(body).hexdigest()
    return Asked(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        body_sha256=digested,
    )


class TestTokens:
    @pytest.mark.parametrize(
        "header",
        [("x-auth-token", "ada's"), ("x-auth-token", " ada's "), ("authorization", "Bearer ada's"),
         ("authorization", "bearer  ada's")],
    )  # fmt: skip
    def test_a_token_is_taken_from_either_header(self, header):
        assert who(header) == ADA
        assert not needs_body(asked(header))

    def test_what_is_wrong_has_its_case(self):
        assert case() == "no-auth"
        assert case(("authorization", "")) == "no-auth"
        assert case(("x-auth-token", "")) == "token-empty"
        assert case(("authorization", "Bearer ")) == "token-empty"
        assert case(("x-auth-token", "ada")) == "token-invalid"
        assert case(("authorization", "Basic YTpi")) == "auth-malformed"
        assert case(("authorization", "ada's")) == "auth-malformed"

    def test_a_token_is_good_until_it_expires(self):
        assert who(("x-auth-token", "bob's"), now_ms=AT + 999) == BOB
        assert case(("x-auth-token", "bob's"), now_ms=AT + 1000) == "token-expired"

    def test_an_app_code_is_no_token_and_a_token_no_app_code(self):
        assert case(("x-auth-token", "code")) == "token-invalid"
        assert case(("x-apig-appcode", "ada's")) == "app-code-invalid"

    def test_one_that_is_wrong_is_not_made_good_by_another(self):
        assert case(("x-auth-token", "wrong"), ("authorization", "Bearer ada's")) == "token-invalid"

    def test_a_header_for_the_container_does_not_stand_in_the_way(self):
        assert who(("authorization", "Basic YTpi"), ("x-auth-token", "ada's")) == ADA


class TestApps:
    @pytest.mark.parametrize("header", ["x-apig-appcode", "apikey"])
    def test_a_code_is_taken_from_either_header(self, header):
        assert who((header, "code")) == APP

    def test_an_app_may_sign(self):
        assert identify(signed("APP"), CALLERS, AT) == APP

    def test_an_app_may_call_its_service_and_nothing_else(self):
        require_service(APP, "p", "svc")
        for denied in (
            lambda: require_service(APP, "p", "other"),
            lambda: require_service(APP, "q", "svc"),
            lambda: require_project(APP, "p"),
        ):
            with pytest.raises(Denied):
                denied()


class TestProjects:
    def test_a_key_opens_its_own_only(self):
        require_project(ADA, "p")
        require_service(ADA, "p", "any")
        for denied in (lambda: require_project(ADA, "q"), lambda: require_service(ADA, "q", "any")):
            with pytest.raises(Denied) as error:
                denied()
            assert error.value.case == "project-mismatch"


class TestSignatures:
    def test_the_body_is_asked_for_when_it_was_signed(self):
        request = signed(body=b"{}")
        assert needs_body(request)
        assert identify(read(request, b"{}"), CALLERS, AT) == ADA
        with pytest.raises(Denied):
            identify(read(request, b"{ }"), CALLERS, AT)

    def test_it_is_not_asked_for_when_there_is_none(self):
        request = signed()
        assert not needs_body(request)
        assert identify(request, CALLERS, AT) == ADA

    def test_it_is_not_asked_for_when_it_was_not_signed(self):
        request = signed(payload=UNSIGNED, extra=[("x-sdk-content-sha256", UNSIGNED)], length="5")
        assert not needs_body(request)
        assert identify(request, CALLERS, AT) == ADA

    def test_an_empty_body_may_be_signed_either_way(self):
        extra = [("x-sdk-content-sha256", UNSIGNED)]
        assert identify(signed(payload=UNSIGNED, extra=extra), CALLERS, AT) == ADA
        assert identify(signed(extra=extra), CALLERS, AT) == ADA

    def test_a_body_in_the_place_of_none_is_denied(self):
        request = signed(extra=[("x-sdk-content-sha256", UNSIGNED)], length="5")
        with pytest.raises(Denied):
            identify(request, CALLERS, AT)

    def test_a_hash_that_is_told_must_be_that_of_the_body(self):
        told = hashlib.sha256(b"{}").hexdigest()
        request = signed(body=b"{}", extra=[("x-sdk-content-sha256", told)])
        assert needs_body(request)
        assert identify(read(request, b"{}"), CALLERS, AT) == ADA
        with pytest.raises(Denied, match="X-Sdk-Content-Sha256"):
            identify(read(request, b"other"), CALLERS, AT)

    def test_a_hash_that_somebody_told_afterwards_does_not_help_another_body(self):
        request = signed(body=b"{}")
        told = (b"x-sdk-content-sha256", hashlib.sha256(b"{}").hexdigest().encode())
        changed = Asked(method=request.method, path=request.path, query=request.query, headers=[*request.headers, told])
        with pytest.raises(Denied):
            identify(read(changed, b"other"), CALLERS, AT)

    def test_a_body_of_unknown_length_is_asked_for(self):
        request = signed(body=b"{}")
        headers = [pair for pair in request.headers if pair[0] != b"content-length"]
        headers.append((b"transfer-encoding", b"chunked"))
        assert needs_body(Asked(method="POST", path=b"/v1/p/services", query=b"", headers=headers))

    def test_the_body_of_a_caller_who_is_not_known_is_not_read(self):
        assert needs_body(signed("AK", b"{}"), CALLERS)
        assert not needs_body(signed("NOBODY", b"{}"), CALLERS)
        with pytest.raises(Denied) as error:
            identify(signed("NOBODY", b"{}"), CALLERS, AT)
        assert error.value.case == "key-unknown"
        malformed = asked(("authorization", "SDK-HMAC-SHA256 what"), ("content-length", "5"))
        assert not needs_body(malformed, CALLERS)

    @pytest.mark.parametrize(
        ("request_", "now_ms", "expected"),
        [
            (signed("OLD"), AT, "key-expired"),
            (signed(), AT + 16 * 60_000, "signature-skewed"),
            (signed(), AT - 16 * 60_000, "signature-skewed"),
            (signed(payload="0" * 64), AT, "signature-wrong"),
            (asked(("authorization", "SDK-HMAC-SHA256 Access=AK")), AT, "signature-malformed"),
            (asked(("authorization", "V11-HMAC-SHA256 Credential=AK")), AT, "signature-malformed"),
        ],
    )
    def test_what_is_wrong_has_its_case(self, request_, now_ms, expected):
        with pytest.raises(Denied) as error:
            identify(request_, CALLERS, now_ms)
        assert error.value.case == expected
