"""Images in a registry, whatever the registry wants to see first, and whatever it does wrong."""

import base64
import gzip
import json
import os
import stat
import sys
from pathlib import Path

import pytest
from doubles.registry import OCI_LAYER, SCHEMA_1, Registry, digest_of, tar_of

from mooring.errors import Denied, Invalid, NotFound, Unavailable
from mooring.image.registry import registry_image
from mooring.image.registry_reference import registry_reference
from mooring.image.registry_transport import Patience

HURRIED = Patience(answer=0.5, whole=1, silence=0.5)
DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def registry():
    with Registry() as running:
        yield running


@pytest.fixture
def home(tmp_path):
    """An environment in which nobody is logged in anywhere."""
    return {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}


def log_in(home, host, **entry):
    folder = Path(home["HOME"], ".docker")
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))


def pair(user, password):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def helper(home, name, says, code=0):
    """A credential helper that keeps what it was asked, and answers so."""
    folder = Path(home["HOME"], "bin")
    folder.mkdir(exist_ok=True)
    program = folder / f"docker-credential-{name}"
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"open({str(folder / 'asked')!r}, 'w').write(sys.stdin.read() + str(sys.argv[1:]))\n"
        f"print({says!r})\nsys.exit({code})\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mnist", "docker.io/library/mnist:latest"),
        ("ann/mnist:2", "docker.io/ann/mnist:2"),
        ("index.docker.io/mnist", "docker.io/library/mnist:latest"),
        ("localhost/mnist", "localhost/mnist:latest"),
        ("localhost:5000/a/b/c_d:V1.2-x", "localhost:5000/a/b/c_d:V1.2-x"),
        ("Registry.Example.com/mnist", "registry.example.com/mnist:latest"),
        (f"example.com/mnist@{DIGEST}", f"example.com/mnist@{DIGEST}"),
        (f"example.com/mnist:1@{DIGEST}", f"example.com/mnist:1@{DIGEST}"),
        ("[::1]:5000/mnist", "[::1]:5000/mnist:latest"),
    ],
)
def test_a_reference_means_what_engines_take_it_for(text, meant):
    assert str(registry_reference(text)) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":1",
        "Mnist",
        "a/Mnist",
        "mnist:",
        "mnist:-1",
        "mnist:" + "1" * 129,
        "mnist@sha256:12",
        f"mnist@{DIGEST}0",
        "mnist@md5:" + "0" * 32,
        "a//b",
        "example.com/",
        "example.com/../x",
        "example.com/a/../../v2/x",
        "example.com:99999/mnist",
        "example.com:/mnist",
        "user@example.com/mnist",
        "https://example.com/mnist",
        "example.com/mnist?x=1",
        "example.com/mnist#x",
        "example.com/mnist:1\n",
        "exa mple.com/mnist",
        "[::1/mnist",
        "[::g]:5000/mnist",
        "-x.example.com/mnist",
        "example.com/" + "a" * 255,
        "example.com/m\u0131nst",
        "example.com/mnist:\u0661",
    ],
)
def test_a_reference_that_engines_refuse_is_refused_before_anything_is_sent(text):
    with pytest.raises(Invalid, match="not a reference"):
        registry_reference(text)


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("localhost", "http://localhost"),
        ("localhost:5000", "http://localhost:5000"),
        ("127.0.0.53:1", "http://127.0.0.53:1"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("docker.io", "https://registry-1.docker.io"),
        ("localhost.example.com", "https://localhost.example.com"),
        ("127.0.0.1.example.com", "https://127.0.0.1.example.com"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
        ("[::2]", "https://[::2]"),
    ],
)
def test_only_this_machine_is_spoken_to_without_encryption(host, base):
    assert registry_reference(f"{host}/mnist").base_url == base


@pytest.mark.parametrize("docker", [False, True])
def test_the_configuration_and_the_layers_are_those_that_were_pushed(registry, home, docker):
    settings = {
        "config": {"Cmd": ["sh", "/home/run.sh"], "Env": ["A=1=2", "B"], "ExposedPorts": {"8080/tcp": {}}},
        "history": [{"created_by": "COPY"}, {"created_by": "ENV", "empty_layer": True}, {"created_by": "RUN"}],
    }
    digest = registry.image({"a": b"1"}, {"b": b"2"}, config=settings, docker=docker)

    image = registry_image(registry.name(), environ=home)

    assert image.name == registry.name()
    assert image.kind == "registry"
    assert image.digest == digest
    assert image.config.command == ("sh", "/home/run.sh")
    assert image.config.env == {"A": "1=2", "B": ""}
    assert image.config.exposed_ports == ("8080/tcp",)
    assert [layer.created_by for layer in image.layers] == ["COPY", "RUN"]
    assert image.compressed_size == sum(len(registry.blobs[layer.digest]) for layer in image.layers)
    assert image.platforms == ()


def test_an_image_is_found_by_its_digest_whatever_its_tag_says_now(registry, home):
    digest = registry.image({"a": b"1"})
    registry.image({"a": b"2"})

    assert registry_image(registry.name(digest), environ=home).digest == digest
    assert registry_image(registry.name(), environ=home).digest != digest


@pytest.mark.parametrize("docker", [False, True])
def test_of_an_index_the_platform_is_chosen_and_attestations_are_no_platform(registry, home, docker):
    amd, arm, proof = (
        registry.image({"a": x}, tag=f"of-{x.decode()}", config={"architecture": x.decode()})
        for x in (b"amd64", b"arm64", b"unknown")
    )
    registry.index((proof, "unknown/unknown"), (arm, "linux/arm64/v8"), (amd, "linux/amd64"), tag="1", docker=docker)

    image = registry_image(registry.name(), environ=home)

    assert (image.digest, image.config.architecture) == (amd, "amd64")
    assert image.platforms == ("linux/arm64/v8", "linux/amd64")
    assert "index" in image.media_type or "list" in image.media_type
    assert registry_image(registry.name(), environ=home, platform="linux/arm64").digest == arm
    with pytest.raises(NotFound, match=r"no image for linux/s390x.*linux/arm64/v8, linux/amd64"):
        registry_image(registry.name(), environ=home, platform="linux/s390x")


def test_an_index_that_lists_itself_in_depth_ends(registry, home):
    found = registry.image({"a": b"1"})
    for depth in range(6):
        found = registry.index((found, "linux/amd64"), tag=f"{depth}")

    with pytest.raises(Invalid, match="index of indexes"):
        registry_image(registry.name("5"), environ=home)


@pytest.mark.parametrize("login", ["basic", "token"])
def test_who_is_logged_in_with_docker_is_known(registry, home, login):
    registry.login = login
    registry.image({"a": b"1"})
    log_in(home, registry.host, auth=pair("ann", registry.password))

    registry_image(registry.name(), environ=home)

    assert not any("uthorization" in headers for _, _, headers in registry.seen[:1])


@pytest.mark.parametrize("key", ["https://{}", "https://{}/v1/", "{}/team", "{}/team/mnist"])
def test_credentials_are_found_under_the_names_that_docker_and_podman_give_them(registry, home, key):
    registry.login = "basic"
    registry.image({"a": b"1"})
    log_in(home, registry.host + "0", auth=pair("eve", "x"))
    podman = Path(home["HOME"], "run", "containers")
    podman.mkdir(parents=True)
    entry = {"auth": pair("ann", registry.password)}
    (podman / "auth.json").write_text(json.dumps({"auths": {key.format(registry.host): entry}}))

    assert registry_image(registry.name(), environ={**home, "XDG_RUNTIME_DIR": str(podman.parent)})


def test_an_identity_token_is_exchanged_for_one_that_reads(registry, home):
    registry.login = "token"
    registry.image({"a": b"1"})
    log_in(home, registry.host, auth=pair("x", ""), identitytoken=registry.password)

    registry_image(registry.name(), environ=home)

    assert [path for method, path, _ in registry.seen if method == "POST"] == ["/token"]


@pytest.mark.parametrize("setting", ["credsStore", "credHelpers"])
def test_a_credential_helper_is_asked_on_its_standard_input(registry, home, setting):
    registry.login = "basic"
    registry.image({"a": b"1"})
    helper(home, "test", json.dumps({"Username": "ann", "Secret": registry.password}))
    log_in(home, registry.host)
    value = "test" if setting == "credsStore" else {registry.host: "test"}
    Path(home["HOME"], ".docker", "config.json").write_text(json.dumps({setting: value, "auths": {registry.host: {}}}))

    registry_image(registry.name(), environ=home)

    assert Path(home["HOME"], "bin", "asked").read_text() == f"{registry.host}['get']"


@pytest.mark.parametrize("name", ["missing", "../bin/docker-credential-test", "-x", "a b"])
def test_a_helper_that_cannot_be_asked_is_said_when_it_was_needed(registry, home, name):
    helper(home, "test", json.dumps({"Username": "ann", "Secret": registry.password}))
    folder = Path(home["HOME"], ".docker")
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"credsStore": name}))
    registry.image({"a": b"1"})
    assert registry_image(registry.name(), environ=home)

    registry.login = "basic"
    with pytest.raises(Denied, match="credential"):
        registry_image(registry.name(), environ=home)


def test_what_a_failing_helper_printed_is_not_repeated(registry, home):
    helper(home, "test", f"{registry.password} leaked", code=1)
    folder = Path(home["HOME"], ".docker")
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"credsStore": "test"}))
    registry.login = "basic"

    with pytest.raises(Denied, match="docker-credential-test") as caught:
        registry_image(registry.name(), environ=home)

    assert registry.password not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": 3}', '{"auths": {"x": 1}}', "[" * 100_000, "\xff"])
def test_a_broken_configuration_of_docker_does_not_keep_anybody_from_a_public_image(registry, home, text):
    registry.image({"a": b"1"})
    registry.login = "token"
    registry.realm = f"http://{registry.host}/token"
    folder = Path(home["HOME"], ".docker")
    folder.mkdir()
    (folder / "config.json").write_text(text, encoding="latin-1")

    with pytest.raises(Denied):
        registry_image(registry.name(), environ=home)
    registry.login = ""
    assert registry_image(registry.name(), environ=home)


@pytest.mark.parametrize("login", ["basic", "token"])
def test_who_is_not_logged_in_is_told_how_and_that_it_may_be_missing(registry, home, login):
    registry.login = login
    registry.image({"a": b"1"})

    with pytest.raises(Denied, match="one it does not know") as caught:
        registry_image(registry.name(), environ=home)

    assert f"docker login {registry.host}" in caught.value.hint
    assert "missing" in caught.value.hint


@pytest.mark.parametrize("login", ["basic", "token"])
def test_wrong_credentials_are_said_to_be_wrong_and_not_shown(registry, home, login):
    registry.login = login
    registry.image({"a": b"1"})
    log_in(home, registry.host, auth=pair("ann", "wr" + "ong"))

    with pytest.raises(Denied, match="as ann") as caught:
        registry_image(registry.name(), environ=home)

    assert "wrong" not in caught.value.message + caught.value.hint


def test_what_is_not_there_is_named_and_control_characters_stay_away(registry, home):
    with pytest.raises(NotFound, match=r"team/mnist:2.*MANIFEST_UNKNOWN") as caught:
        registry_image(registry.name("2"), environ=home)

    assert "\x1b" not in caught.value.message


def test_a_registry_that_asks_for_patience_is_quoted(registry, home):
    registry.status["/v2/team/mnist/manifests/1"] = 429, {"Retry-After": "17"}

    with pytest.raises(Unavailable, match="no more requests") as caught:
        registry_image(registry.name(), environ=home)

    assert "after 17 s" in caught.value.hint


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_registry_in_trouble_is_unavailable(registry, home, status):
    registry.status["/v2/team/mnist/manifests/1"] = status, {}

    with pytest.raises(Unavailable, match=str(status)):
        registry_image(registry.name(), environ=home)


def test_nobody_at_the_address_is_unavailable(home):
    with Registry() as gone:
        name = gone.name()

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 does not answer"):
        registry_image(name, environ=home)


@pytest.mark.parametrize("how", ["silent", "trickles"])
def test_a_registry_that_keeps_us_waiting_is_left(registry, home, how):
    getattr(registry, how).add("/v2/team/mnist/manifests/1")

    with pytest.raises(Unavailable):
        registry_image(registry.name(), environ=home, patience=HURRIED)


def test_a_manifest_without_end_is_not_read_to_the_end(registry, home):
    registry.endless.add("/v2/team/mnist/manifests/1")

    with pytest.raises(Invalid, match="larger than 4096 KiB"):
        registry_image(registry.name(), environ=home)


@pytest.mark.parametrize(
    ("media_type", "manifest"),
    [
        (SCHEMA_1, {"schemaVersion": 1, "fsLayers": []}),
        ("text/html", b"<html>"),
        ("application/json", b"[]"),
        ("application/json", {}),
        ("application/json", b"[" * 100_000),
        (OCI_LAYER, {"layers": [], "config": {"digest": "../../../etc/passwd", "size": 1}}),
        (OCI_LAYER, {"layers": [{"digest": DIGEST, "size": -1}], "config": {"digest": DIGEST, "size": 1}}),
        (OCI_LAYER, {"layers": [{"digest": DIGEST, "size": 1 << 70}], "config": {"digest": DIGEST, "size": 1}}),
        (OCI_LAYER, {"layers": [None], "config": {"digest": DIGEST, "size": 1}}),
        (OCI_LAYER, {"layers": [], "config": {"digest": DIGEST, "size": 1 << 40}}),
        (OCI_LAYER, {"layers": {}, "config": []}),
        (OCI_LAYER, {"manifests": [{"digest": DIGEST}]}),
        (OCI_LAYER, {"manifests": 7}),
    ],
)
def test_what_is_no_manifest_of_an_image_is_invalid(registry, home, media_type, manifest):
    registry.manifest(manifest, media_type, "1")

    with pytest.raises(Invalid):
        registry_image(registry.name(), environ=home)


def test_a_manifest_that_is_not_what_its_digest_promises_is_invalid(registry, home):
    digest = registry.image({"a": b"1"})
    registry.manifests[digest] = registry.manifests[registry.image({"a": b"2"}, tag="2")]

    with pytest.raises(Invalid, match="promises"):
        registry_image(registry.name(digest), environ=home)


def test_a_configuration_that_is_not_what_its_digest_promises_is_invalid(registry, home):
    registry.image({"a": b"1"})
    config = next(digest for digest, data in registry.blobs.items() if data.startswith(b"{"))
    registry.blobs[config] = registry.blobs[config].replace(b"amd64", b"arm64")

    with pytest.raises(Invalid, match="promises"):
        registry_image(registry.name(), environ=home)


@pytest.mark.parametrize(
    "realm",
    [
        "http://192.0.2.1/token",
        "ftp://{host}/token",
        "http://ann:x@{host}/token",
        "",
        "/token",
        "file:///etc/passwd",
        "http://[::/",
    ],
)
def test_credentials_go_to_no_place_that_is_open_to_others(registry, home, realm):
    registry.login = "token"
    registry.image({"a": b"1"})
    registry.realm = realm.format(host=registry.host) or "x"
    log_in(home, registry.host, auth=pair("ann", registry.password))

    with pytest.raises(Invalid):
        registry_image(registry.name(), environ=home)


def test_layers_are_read_as_they_were_pushed(registry, home):
    registry.image({"a": b"1", "b": b"2"}, tar_of({".wh.a": b"", "home/run.sh": b"#!/bin/sh"}), docker=True)
    said = []

    files = registry_image(registry.name(), environ=home).read(lambda e, s: (e.path, s.read()), progress=said.append)

    assert sorted(entry.path for entry in files.entries()) == ["/b", "/home", "/home/run.sh"]
    assert sorted(note.value for note in files.notes if note.visible) == [("/b", b"2"), ("/home/run.sh", b"#!/bin/sh")]
    assert said[-1].done == said[-1].total == registry_image(registry.name(), environ=home).compressed_size
    assert len([path for path in registry.paths() if "/blobs/" in path]) == 2 + len(files.layers)


def test_a_redirect_to_a_store_takes_no_credentials_and_no_cookies_along(registry, home):
    registry.login, registry.redirects = "token", True
    registry.image({"a": b"1"}, {"b": b"2"})
    log_in(home, registry.host, auth=pair("ann", registry.password))

    registry_image(registry.name(), environ=home).read()

    assert len(registry.stored_seen) == 3
    assert not any({"Authorization", "Cookie"} & set(headers) for _, _, headers in registry.stored_seen)
    assert all(path.endswith("?signature=1") for _, path, _ in registry.stored_seen)


def test_a_store_that_asks_who_we_are_is_not_told(registry, home):
    registry.login = "basic"
    registry.redirects = registry.store_asks = True
    registry.image({"a": b"1"})
    log_in(home, registry.host, auth=pair("ann", registry.password))

    with pytest.raises(Denied):
        registry_image(registry.name(), environ=home)

    assert registry.stored_seen
    assert not any("Authorization" in headers for _, _, headers in registry.stored_seen)


@pytest.mark.parametrize(
    "target", ["http://192.0.2.1/", "ftp://127.0.0.1/", "https://ann:x@127.0.0.1/", "file:///etc/passwd?", "gopher:"]
)
def test_a_redirect_to_a_place_that_is_open_to_others_is_not_followed(registry, home, target):
    registry.redirects, registry.sends_to = True, target
    registry.image({"a": b"1"})

    with pytest.raises((Invalid, Unavailable), match="127"):
        registry_image(registry.name(), environ=home)


def test_a_redirect_in_circles_ends(registry, home):
    registry.redirects = True
    registry.sends_to = f"http://{registry.host}/v2/team/mnist/blobs/"
    registry.image({"a": b"1"})

    with pytest.raises(Invalid, match="more than 5 times"):
        registry_image(registry.name(), environ=home)


def test_a_token_that_ends_between_the_layers_is_renewed(registry, home):
    registry.login = "token"
    registry.image(*({f"f{number}": b"x" * 100} for number in range(8)))
    log_in(home, registry.host, auth=pair("ann", registry.password))
    image = registry_image(registry.name(), environ=home)
    registry.tokens += 1  # the one in use is worth nothing any more

    assert len(list(image.read().entries())) == 8
    assert registry.paths().count(next(path for path in registry.paths() if path.startswith("/token"))) == 2


@pytest.mark.parametrize("cuts", [[0], [1], [100_000, 0], [70_000, 70_000, 0]])
def test_a_layer_that_breaks_off_is_resumed_where_it_stopped(registry, home, cuts):
    registry.image({"a": b"1"}, tar_of({"noise": bytes(range(256)) * 2000, "b": b"2"}))
    layer = registry_image(registry.name(), environ=home).layers[1].digest
    registry.cuts[layer] = cuts

    files = registry_image(registry.name(), environ=home).read(lambda e, s: digest_of(s.read()))

    assert [note.value for note in files.notes if note.entry.path == "/noise"] == [digest_of(bytes(range(256)) * 2000)]
    assert not registry.cuts[layer]


@pytest.mark.parametrize(("ranges", "cuts"), [(False, [100_000]), (True, [100_000, 1, 1, 1]), (True, [0] * 9)])
def test_a_layer_that_cannot_be_had_whole_is_unavailable(registry, home, ranges, cuts):
    registry.image(tar_of({"noise": bytes(range(256)) * 2000}))
    image = registry_image(registry.name(), environ=home)
    registry.cuts[image.layers[0].digest], registry.ranges = cuts, ranges

    with pytest.raises(Unavailable, match=r"layer 1.*br(eaks|oke) off"):
        image.read()


@pytest.mark.parametrize(
    "change", [lambda b: b[:9] + b"\7" + b[10:], lambda b: b + b"\0", lambda b: b[:-1], lambda b: b""]
)
def test_a_layer_that_is_not_what_was_promised_is_invalid(registry, home, change):
    registry.image({"a": b"1"})
    image = registry_image(registry.name(), environ=home)
    digest = image.layers[0].digest
    registry.blobs[digest] = change(registry.blobs[digest])

    with pytest.raises(Invalid, match="layer 1"):
        image.read()


def test_a_layer_that_is_gone_is_named(registry, home):
    registry.image({"a": b"1"})
    image = registry_image(registry.name(), environ=home)
    del registry.blobs[image.layers[0].digest]

    with pytest.raises(NotFound, match=image.layers[0].digest):
        image.read()


@pytest.mark.parametrize("how", ["silent", "trickles", "endless"])
def test_a_layer_that_never_ends_is_left(registry, home, how):
    registry.image({"a": b"1"})
    image = registry_image(registry.name(), environ=home, patience=HURRIED)
    getattr(registry, how).add(f"/v2/team/mnist/blobs/{image.layers[0].digest}")

    with pytest.raises((Invalid, Unavailable)):
        image.read()


def test_a_layer_is_never_in_memory_as_a_whole(registry, home):
    """What an inspector does not read is passed over; the largest piece that is held is a chunk."""
    registry.image(gzip.compress(tar_of({"big": bytes(64 << 20)})))
    largest = []

    def inspect(entry, stream):
        largest.append(max(len(piece) for piece in iter(lambda: stream.read1(-1), b"")))

    registry_image(registry.name(), environ=home).read(inspect)

    assert largest
    assert max(largest) <= 1 << 20
