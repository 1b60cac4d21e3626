"""A registry on loopback: it speaks the distribution API as real ones do, and misbehaves where a test asks for it."""

import base64
import contextlib
import gzip
import hashlib
import io
import json
import tarfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


def digest_of(data):
    """sha256:..."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def tar_of(files):
    """An uncompressed layer with these files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


@dataclass
class Registry:
    """Start it as a context; what is set on it while it runs counts from the next request on.

    `login` is "" (anybody), "basic", or "token"; `seen` holds (method, path with query, headers) of every request.
    `cuts` maps a digest to a list of byte counts: so many bytes are sent of that blob, then the line breaks, one
    count a request. `trickles` names paths that are answered one byte at a time for ever, `endless` those answered
    without end, `silent` those not answered at all.
    """

    repository: str = "team/mnist"
    login: str = ""
    user: str = "ann"
    password: str = "made-up"
    realm: str = ""
    ranges: bool = True
    redirects: bool = False
    sends_to: str = ""
    store_asks: bool = False
    status: dict = field(default_factory=dict)
    extra_headers: dict = field(default_factory=dict)
    manifests: dict = field(default_factory=dict)
    blobs: dict = field(default_factory=dict)
    cuts: dict = field(default_factory=dict)
    trickles: set = field(default_factory=set)
    endless: set = field(default_factory=set)
    silent: set = field(default_factory=set)
    seen: list = field(default_factory=list)
    stored_seen: list = field(default_factory=list)
    tokens: int = 0
    token_lives: int = 10**9

    def __enter__(self):
        self.stopping = threading.Event()
        self._servers = [_server(self, _Front), _server(self, _Store)]
        self.host, self.store = (f"127.0.0.1:{server.server_address[1]}" for server in self._servers)
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def name(self, tag="1"):
        """The reference of a tag, or of a digest."""
        return f"{self.host}/{self.repository}{'@' if tag.startswith('sha256:') else ':'}{tag}"

    def blob(self, data):
        """Keep a blob; its digest."""
        self.blobs[digest_of(data)] = data
        return digest_of(data)

    def manifest(self, data, media_type, *tags):
        """Keep a manifest under its digest and some tags; the digest."""
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        for name in (digest_of(data), *tags):
            self.manifests[name] = (media_type, data)
        return digest_of(data)

    def image(self, *layers, tag="1", config=None, docker=False):
        """Keep an image of one commit a layer, each a dict of files or the bytes as stored; its manifest's digest."""
        stored = [x if isinstance(x, bytes) else gzip.compress(tar_of(x), mtime=0) for x in layers]
        config = {"architecture": "amd64", "os": "linux", **(config or {})}
        data = json.dumps(config).encode()
        kinds = (DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST) if docker else (OCI_CONFIG, OCI_LAYER, OCI_MANIFEST)
        manifest = {
            "schemaVersion": 2,
            "mediaType": kinds[2],
            "config": {"mediaType": kinds[0], "size": len(data), "digest": self.blob(data)},
            "layers": [{"mediaType": kinds[1], "size": len(x), "digest": self.blob(x)} for x in stored],
        }
        return self.manifest(manifest, kinds[2], tag)

    def index(self, *images, tag="1", docker=False):
        """Keep an index over (digest, platform) pairs, platform as `linux/arm64/v8`; its digest."""
        entries = []
        for digest, platform in images:
            media_type, data = self.manifests[digest]
            words = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
            entries.append({"mediaType": media_type, "digest": digest, "size": len(data), "platform": words})
        media_type = DOCKER_LIST if docker else OCI_INDEX
        return self.manifest({"schemaVersion": 2, "mediaType": media_type, "manifests": entries}, media_type, tag)

    def paths(self):
        """What was asked for, in order."""
        return [path for _, path, _ in self.seen]


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def log_message(self, *_):
        """Quiet."""

    def do_POST(self):
        """The same, with a form."""
        self.form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        self.do_GET()

    def send(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {**headers, **self.registry.extra_headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, code, **headers):
        text = f"{code.lower().replace('_', ' ')}\x1b[31m"
        body = json.dumps({"errors": [{"code": code, "message": text}]}).encode()
        self.send(status, body, Content_Type="application/json", **headers)

    def misbehaves(self, path):
        if path in self.registry.silent:
            self.registry.stopping.wait()
        elif path in self.registry.trickles or path in self.registry.endless:
            self.send_response(200)
            self.end_headers()
            piece, pause = (b" ", 0.05) if path in self.registry.trickles else (b" " * 65536, 0)
            with contextlib.suppress(OSError):
                while not self.registry.stopping.wait(pause):
                    self.wfile.write(piece)
        else:
            return False
        self.close_connection = True
        return True

    def send_blob(self, digest):
        data = self.registry.blobs.get(digest)
        if data is None:
            self.refuse(404, "BLOB_UNKNOWN")
            return
        start = 0
        if self.registry.ranges and (asked := self.headers.get("Range")):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        cuts = self.registry.cuts.get(digest)
        if cuts:
            self.wfile.write(data[start : start + cuts.pop(0)])
            self.close_connection = True
        else:
            self.wfile.write(data[start:])


class _Front(_Answers):
    """The registry itself, and its token server."""

    def do_GET(self):
        registry = self.registry
        registry.seen.append((self.command, self.path, dict(self.headers)))
        path = urlsplit(self.path).path
        if self.misbehaves(path):
            return
        if path in registry.status:
            status, headers = registry.status[path]
            self.refuse(status, "TOOMANYREQUESTS" if status == 429 else "UNKNOWN", **headers)
        elif path == "/token":
            self.token()
        elif not self.known():
            self.challenge()
        else:
            self.distribution(path)

    def basic(self):
        pair = f"{self.registry.user}:{self.registry.password}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def token(self):
        registry = self.registry
        asked = parse_qs(urlsplit(self.path).query)
        if self.command == "POST":
            granted = self.form.get("refresh_token") == [registry.password]
            asked = self.form
        else:
            granted = self.headers.get("Authorization", self.basic()) == self.basic()
        if not granted or asked.get("scope") != [f"repository:{registry.repository}:pull"]:
            self.refuse(401, "UNAUTHORIZED")
            return
        registry.tokens += 1
        who = "ann" if self.command == "POST" or "Authorization" in self.headers else "anonymous"
        self.send(200, json.dumps({"token": f"{who}-{registry.tokens}-0"}).encode())

    def known(self):
        registry, shown = self.registry, self.headers.get("Authorization", "")
        if registry.login == "token":
            number = shown.removeprefix("Bearer ann-").partition("-")[0]
            if shown != f"Bearer ann-{registry.tokens}-0" or not number.isdecimal():
                return False
            registry.token_lives -= 1
            return registry.token_lives != 0
        return not registry.login or shown == self.basic()

    def challenge(self):
        registry = self.registry
        realm = registry.realm or f"http://{registry.host}/token"
        bearer = f'Bearer realm="{realm}",service="a, \\"service\\"",scope="repository:{registry.repository}:pull"'
        self.refuse(401, "UNAUTHORIZED", WWW_Authenticate=bearer if registry.login == "token" else 'Basic realm="x"')

    def distribution(self, path):
        registry = self.registry
        kind, _, name = path.removeprefix(f"/v2/{registry.repository}/").partition("/")
        if not path.startswith(f"/v2/{registry.repository}/"):
            self.refuse(404, "NAME_UNKNOWN")
        elif kind == "manifests" and name in registry.manifests:
            media_type, data = registry.manifests[name]
            self.send(200, data, Content_Type=media_type, Docker_Content_Digest=digest_of(data))
        elif kind == "blobs" and registry.redirects:
            target = registry.sends_to or f"http://{registry.store}/"
            self.send(307, Location=f"{target}{name}?signature=1", Set_Cookie="session=secret; Path=/")
        elif kind == "blobs":
            self.send_blob(name)
        else:
            self.refuse(404, "MANIFEST_UNKNOWN")


class _Store(_Answers):
    """Where the registry's blobs lie when it redirects to them."""

    def do_GET(self):
        self.registry.stored_seen.append((self.command, self.path, dict(self.headers)))
        if {"Authorization", "Cookie"} & set(self.headers):
            self.refuse(400, "DENIED")
        elif self.registry.store_asks:
            self.refuse(401, "UNAUTHORIZED", WWW_Authenticate=f'Bearer realm="http://{self.registry.store}/token"')
        else:
            self.send_blob(urlsplit(self.path).path.strip("/"))


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Callers who hang up are what the tests are about."""


def _server(registry, handler):
    server = _Quiet(("127.0.0.1", 0), type(handler.__name__, (handler,), {"registry": registry}))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server
