"""Jobs over object storage, and what becomes of them when it says no or nothing."""

import asyncio
import uuid
from dataclasses import replace

import boto3
import httpx
import pytest
from control.house import JumpingClock
from control.works import Works, answers, listed, run
from moto.server import ThreadedMotoServer

from mooring.engine.memory import MemoryWorld
from mooring.storage import StorageSettings

MADE_UP = {"secret_key": "made-up-secret"}


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Bucket:
    """One bucket at the endpoint, looked at from outside."""

    def __init__(self, endpoint):
        self.name = f"b-{uuid.uuid4().hex}"
        said = {"aws_access_key_id": "made-up", "aws_secret_access_key": MADE_UP["secret_key"]}
        self._s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **said)
        self._s3.create_bucket(Bucket=self.name)

    def put(self, key, text):
        self._s3.put_object(Bucket=self.name, Key=key, Body=text.encode())

    def under(self, prefix):
        found = self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])
        read = {one["Key"]: self._s3.get_object(Bucket=self.name, Key=one["Key"])["Body"].read() for one in found}
        return {key.removeprefix(prefix): body for key, body in read.items()}


def let_in(endpoint, requests):
    """So many more requests are answered whoever signed them; then, nobody's are."""
    httpx.post(f"{endpoint}/moto-api/reset-auth", content=requests, trust_env=False)


@pytest.fixture
def bucket(endpoint):
    return Bucket(endpoint)


@pytest.fixture
def world():
    with MemoryWorld() as made:
        yield made


@pytest.fixture
def house(db, settings, world, endpoint):
    storage = StorageSettings(endpoint=endpoint, access_key="made-up", region="us-east-1", **MADE_UP)
    return Works(db, replace(settings, edition="otc-2024", storage=storage), world, JumpingClock())


def test_a_prefix_of_a_bucket_becomes_results_below_another(house, bucket):
    async def test():
        for number in range(12):
            bucket.put(f"in/{number % 3}/{number}.txt", f"input {number}")
        service = house.batch(
            src_path=f"https://{bucket.name}.obs.example.com/in/", dest_path=f"/{bucket.name}/out/", instances=2
        )
        await house.until_over(service)
        found = bucket.under("out/")
        lines = listed(found)
        assert len(answers(found)) == len(lines) == 12
        assert lines[0]["inference-loc"].startswith(f"obs://{bucket.name}/out/infer-result/")
        await house.close()

    run(test())


def test_a_manifest_in_a_bucket_names_inputs_in_others(house, bucket, endpoint):
    async def test():
        other = Bucket(endpoint)
        bucket.put("a.txt", "a")
        other.put("b.txt", "b")
        bucket.put("list.manifest", f'{{"source":"obs://{bucket.name}/a.txt"}}\n{{"source":"/{other.name}/b.txt"}}\n')
        service = house.batch(src_path=f"obs://{bucket.name}/list.manifest", dest_path=f"s3://{bucket.name}/out")
        await house.until_over(service)
        assert [line["result"] for line in listed(bucket.under("out/"))] == ["SUCCESSFUL", "SUCCESSFUL"]
        await house.close()

    run(test())


def test_a_key_that_the_library_cannot_name_is_named_with_what_to_do(house, bucket):
    async def test():
        bucket.put("in/a.txt", "a")
        bucket.put("in/x//b.txt", "b")
        service = house.batch(src_path=f"obs://{bucket.name}/in/", dest_path=f"obs://{bucket.name}/out/")
        await house.until_over(service, "failed")
        assert "in/x//b.txt" in house.view(service).error_msg
        assert "a .manifest that lists the others" in house.view(service).error_msg
        await house.close()

    run(test())


def test_credentials_that_are_not_good_fail_the_service_and_are_in_none_of_its_words(house, bucket, endpoint, caplog):
    async def test():
        bucket.put("in/a.txt", "a")
        let_in(endpoint, b"0")
        try:
            service = house.batch(src_path=f"obs://{bucket.name}/in/", dest_path=f"obs://{bucket.name}/out/")
            await house.until_over(service, "failed")
        finally:
            let_in(endpoint, b"inf")
        why = house.view(service).error_msg
        assert bucket.name in why
        assert "may not" in why
        assert MADE_UP["secret_key"] not in "".join([why, *house.events(service), caplog.text])
        house.turn(service, "running")
        await house.until_over(service)
        assert len(listed(bucket.under("out/"))) == 1
        await house.close()

    run(test())


def test_storage_that_does_not_answer_is_waited_for_and_that_is_told(house, bucket, endpoint, world):
    async def test():
        bucket.put("in/a.txt", "a")
        nowhere = StorageSettings(endpoint="http://127.0.0.1:9", access_key="made-up", **MADE_UP)
        early = Works(house.db, replace(house.settings, storage=nowhere), world, house.clock)
        service = early.batch(src_path=f"obs://{bucket.name}/in/", dest_path=f"obs://{bucket.name}/out/")
        await early.until(lambda: any("waits" in line for line in early.events(service, abnormal=True)))
        assert early.status(service) in ("deploying", "running")
        await early.again()
        late = Works(house.db, house.settings, world, house.clock)
        await late.until_over(service)
        assert len(listed(bucket.under("out/"))) == 1
        await late.close()

    asyncio.run(asyncio.wait_for(test(), 120))
