"""Addresses as people write them, and as they should not be."""

from pathlib import Path

import pytest

from mooring.errors import Invalid
from mooring.storage import Kind, folder_address, parse
from mooring.storage.settings import StorageSettings

SIGNED = "https://inbox.obs.example.com/day%201/a.png?AccessKeyId=AK&Expires=1700000000&Signature=SECRET%3D"


@pytest.mark.parametrize(
    ("text", "kind", "bucket", "key"),
    [
        ("obs://inbox/day1/a.png", Kind.BUCKET, "inbox", "day1/a.png"),
        ("s3://inbox/day1/", Kind.BUCKET, "inbox", "day1/"),
        ("S3://inbox", Kind.BUCKET, "inbox", ""),
        ("obs://inbox/100%25 a?b#c", Kind.BUCKET, "inbox", "100%25 a?b#c"),
        ("/inbox/day1/a b.png", Kind.BUCKET, "inbox", "day1/a b.png"),
        ("https://inbox.obs.local/day1/a%20b", Kind.BUCKET, "inbox", "day1/a b"),
        ("https://inbox.obs.local:8443/", Kind.BUCKET, "inbox", ""),
        ("file:///data/in%20put/", Kind.FOLDER, "", "/data/in put/"),
        ("file:/data", Kind.FOLDER, "", "/data"),
        ("file://localhost/data", Kind.FOLDER, "", "/data"),
        ("memory:a/b", Kind.MEMORY, "", "a/b"),
    ],
)
def test_every_documented_form_is_read(text, kind, bucket, key):
    address = parse(text)
    assert (address.kind, address.bucket, address.key) == (kind, bucket, key)
    assert parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["obs://inbox/a b/c.png", "s3://inbox/x/", "/inbox/x", "https://inbox.obs.local/x/a.png"]
)
def test_an_address_is_written_back_as_it_came(text):
    assert str(parse(text)) == text
    assert str(parse(text) / "sub/a.png") == f"{text.rstrip('/')}/sub/a.png"


def test_a_path_of_a_shell_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(parse("in/", slash="path")) == f"file://{tmp_path}/in/"
    assert parse("/data/in", slash="path") == folder_address(Path("/data/in"))


def test_a_signed_link_keeps_its_signature_and_shows_it_nowhere():
    address = parse(SIGNED)
    assert address.kind is Kind.LINK
    assert "Signature=SECRET%3D" in address.query
    assert address.name == "a.png"
    assert "SECRET" not in f"{address} {address!r}"
    assert str(address) == "https://inbox.obs.example.com/day%201/a.png"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "a/b",
        "../a",
        "/",
        "//inbox/a",
        "obs://",
        "obs:///a",
        "obs://in box/a",
        "obs://a..b/c",
        "obs://inbox/../other/a",
        "obs://inbox/a/./b",
        "/inbox/../../etc",
        "file:///data/../etc",
        "file:///data/%2e%2e/etc",
        "file:///data%00/a",
        "file://host/data",
        "file:data",
        "https://inbox.obs.local/a%2f..%2fb",
        "https://inbox.obs.local/%ff",
        "https://inbox.obs.local/a?versionId=1",
        "https://inbox.obs.local/a#b",
        "https://localhost/inbox/a",
        "https://[::1/a",
        "https:///a",
        "ftp://inbox/a",
        "javascript://inbox/a",
        "obs://inbox/a\nb",
        "obs://inbox/a\0",
        "obs://inbox/\ud800",
        "obs://" + "a" * 9000,
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Invalid):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "s3://user:hunter2@inbox/a",
        "https://user:hunter2@inbox.obs.local/a",
        "https://inbox.obs.local/a?password=hunter2",
        "ftp://user:hunter2@inbox/a",
        "https://user:hunter2@in box/a?x=hunter2",
    ],
)
def test_no_refusal_repeats_a_secret(text):
    with pytest.raises(Invalid) as caught:
        parse(text)
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("obs://inbox/in/", "s3://inbox/in/out/", True),
        ("obs://inbox/in", "obs://inbox/in2", False),
        ("obs://inbox/", "obs://inbox/out/", True),
        ("obs://inbox/in/", "obs://other/in/", False),
        ("file:///data", "file:///data/out", True),
        ("file:///data", "obs://data/out", False),
    ],
)
def test_folders_within_each_other_overlap(one, other, overlap):
    assert parse(one).overlaps(parse(other)) is overlap
    assert parse(other).overlaps(parse(one)) is overlap


def test_settings_come_from_the_environment_ours_before_those_of_others():
    environ = {
        "MOORING_STORAGE_ENDPOINT": "http://127.0.0.1:9000",
        "AWS_ENDPOINT_URL": "https://elsewhere",
        "AWS_ACCESS_KEY_ID": "AK",
        "AWS_SECRET_ACCESS_KEY": "SK",
        "AWS_SESSION_TOKEN": "ST",
        "MOORING_STORAGE_FOLDERS": "/data:/more",
    }
    settings = StorageSettings.from_environment(environ)
    assert settings.endpoint == "http://127.0.0.1:9000"
    assert (settings.access_key, settings.secret_key, settings.session_token) == ("AK", "SK", "ST")
    assert settings.folders == (Path("/data"), Path("/more"))
    assert not {"AK", "SK", "ST"} & set(repr(settings).replace("'", " ").split())
    ours = StorageSettings.from_environment(
        environ | {"MOORING_STORAGE_ACCESS_KEY": "A2", "MOORING_STORAGE_SECRET_KEY": "S2"}
    )
    assert ours.session_token == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "ftp://x"},
        {"endpoint": "https://"},
        {"endpoint": "https://a:hunter2@x"},
        {"access_key": "AK"},
        {"secret_key": "hunter2"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(Invalid) as caught:
        StorageSettings(**wrong)
    assert "hunter2" not in caught.value.message
