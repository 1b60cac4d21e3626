"""A platform, or its storage, is killed at whatever moment of a job, again and again: results are the same."""

import collections
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
from control.works import answers, listed, results_in
from moto.server import ThreadedMotoServer

SCRIPT = Path(__file__).with_name("jobs_process.py")
FORWARDER = Path(__file__).parents[1] / "doubles" / "forwarder.py"
INPUTS = 2000
KILLS = 6
STORAGE_KILLS = 9
PATIENCE_SECONDS = 100


def inputs():
    for number in range(INPUTS):
        yield f"in/{number % 13}/{number:05}.txt", f"{'bad' if number % 500 == 250 else 'input'} {number}"


def fill(folder):
    for name, text in inputs():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def start(data, database, place, *endpoint):
    words = [sys.executable, str(SCRIPT), str(data), database, str(place), *endpoint]
    # Unbuffered: what is read as a line takes nothing of what comes behind it.
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    if process.stdout.readline().strip() != b"going":
        process.kill()
        raise AssertionError(process.communicate())
    return process


def to_the_end(process):
    out, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert out.split() == [b"finished"], (out, errors[-2000:])


def without_place(lines, place):
    """Lines of the list of results, comparable between places, and with their sources counted."""
    return [{key: value.replace(place, "") for key, value in line.items()} for line in lines]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The output of a job that nobody disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    fill(folder)
    process = start(folder / "data", "", f"file://{folder}")
    began = time.monotonic()
    to_the_end(process)
    seconds = time.monotonic() - began
    found = results_in(folder / "out")
    lines = listed(found)
    assert collections.Counter(line["result"] for line in lines) == {"SUCCESSFUL": INPUTS - 4, "FAILED": 4}
    return answers(found), without_place(lines, f"file://{folder}"), seconds


def test_a_killed_platform_loses_no_input_and_doubles_none(database_url, tmp_path, undisturbed):
    expected, lines, seconds = undisturbed
    fill(tmp_path)
    chance = random.Random()  # noqa: S311 - moments, not secrets
    killed = 0
    for _ in range(KILLS):
        process = start(tmp_path / "data", database_url, f"file://{tmp_path}")
        try:
            process.wait(chance.uniform(0.05, seconds / 3))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
    process = start(tmp_path / "data", database_url, f"file://{tmp_path}")
    to_the_end(process)
    assert killed >= KILLS - 1
    found = results_in(tmp_path / "out")
    assert answers(found) == expected
    assert without_place(listed(found), f"file://{tmp_path}") == lines


class Endpoint:
    """An S3 endpoint that can be killed, and started again with what it held."""

    def __init__(self, port):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._words = [sys.executable, str(FORWARDER), str(self.port), str(port)]
        self.start()

    def start(self):
        self._process = subprocess.Popen(self._words, stdout=subprocess.PIPE)
        assert self._process.stdout.readline() == b"listening\n"

    def kill(self):
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def endpoint():
    # The server keeps everything in memory: what is killed is what stands before it, and all connections with it.
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    made = Endpoint(server.get_host_and_port()[1])
    yield made
    made.kill()
    server.stop()


def test_killed_storage_and_a_killed_platform_lose_no_input_and_double_none(tmp_path, undisturbed, endpoint):
    expected, lines, _ = undisturbed
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id="made-up",
        aws_secret_access_key="made-up-secret",  # noqa: S106 - it is made up
    )
    s3.create_bucket(Bucket="digits")
    for name, text in inputs():
        s3.put_object(Bucket="digits", Key=name, Body=text.encode())
    # No seed is fixed: each run finds other moments, and tells them when it fails.
    chance, moments = random.Random(), []  # noqa: S311 - moments, not secrets
    place = "obs://digits"
    process = start(tmp_path / "data", "", place, endpoint.url)
    killed = 0
    while killed < STORAGE_KILLS and process.poll() is None:
        moments.append(pause := chance.uniform(0.2, 1.5))
        time.sleep(pause)
        endpoint.kill()
        killed += 1
        if killed % 3 == 0:
            process.kill()
            process.communicate()
        moments.append(away := chance.uniform(0, 0.8))
        time.sleep(away)
        endpoint.start()
        if killed % 3 == 0:
            process = start(tmp_path / "data", "", place, endpoint.url)
    to_the_end(process)
    assert killed == STORAGE_KILLS, f"it was over too soon: {moments}"
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="digits", Prefix="out/"):
        for one in page["Contents"]:
            found[one["Key"].removeprefix("out/")] = s3.get_object(Bucket="digits", Key=one["Key"])["Body"].read()
    assert answers(found) == expected, moments
    assert without_place(listed(found), place) == lines, moments
