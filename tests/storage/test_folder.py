"""Folders of this machine with links, pipes and devices in them; signed links to elsewhere."""

import asyncio
import contextlib
import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mooring.errors import Denied, Invalid, NotFound, Refused, Unavailable
from mooring.storage import Places, StorageSettings, folder_address, parse
from mooring.storage.folder import Folder


@pytest.fixture
def root(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


async def names(place):
    return [entry.name async for entry in place.list()]


async def read(opened):
    async with opened as content:
        return b"".join([chunk async for chunk in content.chunks])


def test_links_out_of_the_folder_are_never_followed(root):
    (root.parent / "secret").write_text("secret")
    (root.parent / "other").mkdir()
    (root.parent / "other" / "a").write_text("secret")
    (root / "file").symlink_to(root.parent / "secret")
    (root / "folder").symlink_to(root.parent / "other")
    (root / "up").symlink_to("..")
    (root / "a").write_text("mine")
    place = Places().place(folder_address(root))

    async def story():
        assert await names(place) == ["a"]
        for name in ("file", "folder/a", "up/secret"):
            with pytest.raises(Denied):
                await read(place.open(name))
            assert not await place.exists(name)
        for name in ("folder/new", "up/new"):
            with pytest.raises(Denied):
                await place.write(name, b"1")
        with pytest.raises(Denied):
            await place.delete("folder/a")
        await place.write("file", b"replaced")

    asyncio.run(story())
    assert (root.parent / "secret").read_text() == "secret"
    assert (root.parent / "other" / "a").exists()
    assert (root / "file").read_text() == "replaced"


def test_links_within_are_read_once_and_never_round_and_round(root):
    (root / "a").write_text("1")
    (root / "link").symlink_to("a")
    (root / "dangling").symlink_to("nothing")
    (root / "sub").mkdir()
    (root / "sub" / "round").symlink_to("..")
    place = Places().place(folder_address(root))
    assert asyncio.run(names(place)) == ["a", "link"]
    assert asyncio.run(read(place.open("link"))) == b"1"


def test_what_is_no_file_is_neither_listed_nor_waited_for(root):
    os.mkfifo(root / "pipe")
    place = Places().place(folder_address(root))

    async def story():
        assert await names(place) == []
        with pytest.raises(NotFound, match="is no file"):
            await asyncio.wait_for(read(place.open("pipe")), 5)

    asyncio.run(story())


def test_a_name_that_is_not_utf8_is_told(root):
    (root / os.fsdecode(b"caf\xe9")).write_text("1")
    with pytest.raises(Invalid, match="is not UTF-8"):
        asyncio.run(names(Places().place(folder_address(root))))


def test_a_folder_that_is_not_there_is_empty_and_comes_with_the_first_file(root):
    place = Places().place(folder_address(root / "not" / "yet"))

    async def story():
        assert await place.is_empty()
        with pytest.raises(NotFound):
            await names(place)
        await place.write("a/b", b"1")
        return await names(place)

    assert asyncio.run(story()) == ["a/b"]


def test_only_folders_of_the_settings_are_open(root, tmp_path):
    (tmp_path / "out").symlink_to("/etc")
    places = Places(StorageSettings(folders=(root, tmp_path / "missing")))
    places.place(folder_address(root / "sub"))
    for path in (tmp_path, tmp_path / "in2", root.parent / "out"):
        with pytest.raises(Denied, match="outside the folders"):
            places.place(folder_address(path))
    (root / "way-out").symlink_to("/etc")
    with pytest.raises(Denied):
        places.place(folder_address(root / "way-out"))


WRITER = """
import asyncio, sys
from pathlib import Path
from mooring.storage import Places, folder_address

async def slowly():
    for _ in range(4):
        yield b"x" * 1_500_000
    print("half", flush=True)
    await asyncio.sleep(60)

asyncio.run(Places().place(folder_address(Path(sys.argv[1]))).write("a", slowly()))
"""


def test_a_writer_that_is_killed_leaves_nothing_behind(root):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"half\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert list(root.iterdir()) == []


@contextlib.contextmanager
def server(answers):
    """Answers by path: status and headers, and a body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status, headers, body = answers[self.path.partition("?")[0]]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


QUERY = "?AccessKeyId=AK&Expires=1&Signature=hunter2%3D"


def test_a_signed_link_is_read_as_it_was_signed():
    with server({"/b/a%20b": (200, {"Content-Length": "7"}, b"content")}) as (host, asked):
        places = Places(StorageSettings(endpoint=f"http://{host}"))
        assert asyncio.run(read(places.open(parse(f"http://{host}/b/a%20b{QUERY}")))) == b"content"
    assert asked == [f"/b/a%20b{QUERY}"]


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (403, {"Content-Length": "0"}, Denied),
        (404, {"Content-Length": "0"}, NotFound),
        (500, {"Content-Length": "0"}, Unavailable),
        (302, {"Content-Length": "0", "Location": "http://127.0.0.1:1/"}, Unavailable),
        (200, {}, Invalid),
        (200, {"Content-Length": "70"}, Unavailable),
    ],
)
def test_a_signed_link_that_does_not_work_is_told_without_its_signature(status, headers, error):
    with server({"/b/a": (status, headers, b"")}) as (host, _):
        places = Places(StorageSettings(endpoint=f"http://{host}"))
        with pytest.raises(error) as caught:
            asyncio.run(read(places.open(parse(f"http://{host}/b/a{QUERY}"))))
    assert "hunter2" not in str(caught.value)


def test_signed_links_lead_to_known_hosts_only():
    places = Places(StorageSettings(endpoint="https://obs.example.com", link_hosts=("other.example.org",)))
    for text in (f"https://169.254.169.254/a{QUERY}", f"https://evilobs.example.com/a{QUERY}"):
        with pytest.raises(Denied, match="may not lead to"):
            asyncio.run(read(places.open(parse(text))))
    with pytest.raises(Denied, match="plain http"):
        asyncio.run(read(places.open(parse(f"http://b.obs.example.com/a{QUERY}"))))
    with pytest.raises(Refused):
        places.place(parse(f"https://b.obs.example.com/a{QUERY}"))


def test_a_folder_that_is_taken_away_meanwhile_is_made_anew(tmp_path):
    place = Folder(folder_address(tmp_path / "out"), tmp_path / "out")

    async def scenario():
        await place.write("deep/one", b"1")
        async with place.open("deep/one") as content:
            assert b"".join([data async for data in content.chunks]) == b"1"
        shutil.rmtree(tmp_path / "out")
        await place.write("deep/two", b"2")
        await place.settle()
        async with place.open("deep/two") as content:
            assert b"".join([data async for data in content.chunks]) == b"2"

    asyncio.run(scenario())
    assert [one.name for one in (tmp_path / "out" / "deep").iterdir()] == ["two"]


def test_folders_are_not_kept_open_without_end(tmp_path):
    def opened():
        return len(os.listdir("/proc/self/fd"))

    async def scenario():
        place = Folder(folder_address(tmp_path), tmp_path)
        await asyncio.gather(*(place.write(f"{number}/one", b"1") for number in range(200)))
        return opened()

    asyncio.run(asyncio.sleep(0))
    before = opened()
    assert asyncio.run(scenario()) - before <= 64
    # The threads that wrote let go a moment after the last of it was told.
    deadline = time.monotonic() + 10
    while opened() > before and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert opened() <= before


def test_no_link_leads_to_what_is_kept_apart_though_it_lies_in_the_same_folder(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "token").write_text("secret")
    (tmp_path / "there").symlink_to(tmp_path / "own" / "token")
    (tmp_path / "fine").symlink_to("mine")
    (tmp_path / "mine").write_text("mine")
    places = Places(apart=str(tmp_path.resolve() / "own"))

    async def scenario():
        assert await read(places.open(folder_address(tmp_path / "fine"))) == b"mine"
        with pytest.raises(Denied):
            await read(places.open(folder_address(tmp_path / "there")))

    asyncio.run(scenario())
