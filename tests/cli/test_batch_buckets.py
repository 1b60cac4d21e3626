"""`mooring batch` over object storage, by every way in which its addresses are written."""

import json

import boto3
import pytest
from batch_models import reader
from moto.server import ThreadedMotoServer
from platform_process import SETTINGS, PlatformProcess

KEYS = {"AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up-secret"}
STORAGE = """
[storage]
endpoint = "{endpoint}"
"""
NAMES = ("0.png", "more/0.png", "more/a & b.png", "später/Ü.png")


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def s3(endpoint):
    said = {"aws_access_key_id": "made-up", "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"]}
    made = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **said)
    made.create_bucket(Bucket="inbox")
    made.create_bucket(Bucket="outbox")
    for name in NAMES:
        made.put_object(Bucket="inbox", Key=f"day1/{name}", Body=f"good {name}".encode())
    made.put_object(Bucket="inbox", Key="day1/.hidden", Body=b"bad")
    lines = (f'{{"source":"{form}inbox/day1/{name}"}}\n' for form in ("s3://", "obs://", "/") for name in NAMES)
    made.put_object(Bucket="inbox", Key="some.manifest", Body="".join(lines).encode())
    return made


@pytest.fixture(scope="module")
def platform(tmp_path_factory, endpoint, s3):
    """A platform that knows the endpoint by its settings, and its keys by the environment."""
    folder = tmp_path_factory.mktemp("platform")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        here = PlatformProcess(folder / "data", settings=SETTINGS + STORAGE.format(endpoint=endpoint)).start()
        try:
            here.done("import", reader(folder / "reader"), "--kind", "batch")
            yield here
        finally:
            here.close()


def below(s3, prefix):
    found = s3.list_objects_v2(Bucket="outbox", Prefix=prefix).get("Contents", [])
    return {
        one["Key"].removeprefix(prefix): s3.get_object(Bucket="outbox", Key=one["Key"])["Body"].read() for one in found
    }


@pytest.mark.parametrize(
    ("source", "output", "times"),
    [
        ("s3://inbox/day1/", "obs://outbox/a/", 1),
        ("obs://inbox/day1", "https://outbox.obs.example.com/b/", 1),
        ("https://inbox.obs.example.com/day1/", "s3://outbox/c", 1),
        ("s3://inbox/some.manifest", "s3://outbox/d/", 3),
    ],
)
def test_what_lies_in_one_bucket_has_its_results_in_another(platform, s3, source, output, times):
    prefix = output.rstrip("/")[-1] + "/"
    done = platform.mooring(
        "batch", "run", "reader", "--input", source, "--output", output, "--name", f"in-{prefix[0]}"
    )
    assert done.returncode == 0, done.stderr
    count = times * len(NAMES)
    assert f"in-{prefix[0]}: {count} of {count} done; " in done.stdout
    found = below(s3, prefix)
    manifests = [name for name in found if name.endswith(".manifest")]
    lines = [json.loads(line) for name in manifests for line in found[name].splitlines()]
    read = [json.loads(body)["text"] for name, body in found.items() if name not in manifests]
    assert sorted(read) == sorted(times * [f"good {name}" for name in NAMES])
    assert len({line["inference-loc"] for line in lines}) == len(lines) == count
    scheme = "s3" if output.startswith("s3:") else "obs"
    assert all(line["inference-loc"].startswith(f"{scheme}://outbox/{prefix}infer-result/") for line in lines)


def test_an_output_that_is_not_empty_and_an_input_that_is_not_there_are_refused(platform, s3):
    s3.put_object(Bucket="outbox", Key="full/old.txt", Body=b"old")
    full = platform.mooring("batch", "run", "reader", "--input", "s3://inbox/day1/", "--output", "s3://outbox/full/")
    assert full.returncode == 2
    assert "s3://outbox/full/ is not empty" in full.stderr
    missing = platform.mooring("batch", "run", "reader", "--input", "s3://inbox/day2/", "--output", "s3://outbox/e/")
    assert missing.returncode == 2
    assert "there is no input in s3://inbox/day2/" in missing.stderr
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in full.stderr + missing.stderr + platform.said
