"""What every storage promises, wherever the data lies. One joins by adding one fixture to `PLACES`."""

import asyncio
import contextlib
import uuid

import pytest
from moto.server import ThreadedMotoServer

from mooring.errors import Invalid, MooringError, NotFound, Unavailable
from mooring.storage import Entry, Places, StorageSettings, folder_address, parse

MADE_UP = {"secret_key": "made-up-secret"}
ODD_NAMES = (
    "ünïcode 世界.png",
    "a b.txt",
    "100%.txt",
    "%20",
    "a+b&c=d?e#f",
    "quote'\"`.txt",
    "-dash",
    "semi;colon,comma",
)


@pytest.fixture(scope="session")
def s3_endpoint():
    """A real endpoint that speaks S3, on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3_settings(s3_endpoint):
    return StorageSettings(endpoint=s3_endpoint, access_key="made-up", **MADE_UP, region="eu-de")


@pytest.fixture
def bucket_place(s3_settings):
    """A prefix of a new bucket."""
    bucket = f"b-{uuid.uuid4().hex}"
    make_bucket(s3_settings, bucket)
    return Places(s3_settings).place(parse(f"obs://{bucket}/some where/in/"))


def make_bucket(settings, bucket):
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=settings.endpoint,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        region_name=settings.region,
    )
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": settings.region})
    return client


@pytest.fixture
def folder_place(tmp_path):
    """A folder that is there."""
    (tmp_path / "in").mkdir()
    return Places().place(folder_address(tmp_path / "in"))


@pytest.fixture
def memory_place():
    """A place in this process."""
    return Places().place(parse("memory:some/where"))


PLACES = ("memory_place", "folder_place", "bucket_place")


@pytest.fixture(params=PLACES)
def place(request):
    return request.getfixturevalue(request.param)


async def read(place, name):
    async with place.open(name) as content:
        data = b"".join([chunk async for chunk in content.chunks])
    assert content.size == len(data)
    return data


async def names(place):
    return [entry.name async for entry in place.list()]


async def stream(*chunks):
    for chunk in chunks:
        yield chunk


async def broken_stream(*chunks):
    for chunk in chunks:
        yield chunk
    raise KeyError("the source broke")


class TestStorage:
    def test_what_was_written_is_read_back(self, place):
        async def story():
            await place.write("a", b"content")
            await place.write("folder/deep/b", b"")
            return await read(place, "a"), await read(place, "folder/deep/b")

        assert asyncio.run(story()) == (b"content", b"")

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_a_name_may_hold_what_names_hold(self, place, name):
        async def story():
            await place.write(f"f/{name}", name.encode())
            return await read(place, f"f/{name}"), await names(place), await place.exists(f"f/{name}")

        assert asyncio.run(story()) == (name.encode(), [f"f/{name}"], True)

    def test_a_stream_of_many_parts_becomes_one_whole(self, place):
        parts = [bytes([index]) * 700_000 for index in range(20)]

        async def story():
            await place.write("large", stream(*parts))
            await place.write("none", stream())
            return await read(place, "large"), await read(place, "none")

        assert asyncio.run(story()) == (b"".join(parts), b"")

    @pytest.mark.parametrize("parts", [(b"x",), tuple(b"y" * 700_000 for _ in range(20))])
    def test_a_stream_that_breaks_changes_nothing_and_says_why(self, place, parts):
        async def story():
            await place.write("old", b"as it was")
            for name in ("old", "new"):
                with pytest.raises(KeyError, match="the source broke"):
                    await place.write(name, broken_stream(*parts))
            return await read(place, "old"), await names(place)

        assert asyncio.run(story()) == (b"as it was", ["old"])

    def test_a_write_that_is_cancelled_changes_nothing(self, place):
        async def for_ever():
            for _ in range(20):
                yield b"y" * 700_000
            await asyncio.Event().wait()

        async def story():
            await place.write("old", b"as it was")
            task = asyncio.create_task(place.write("old", for_ever()))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await read(place, "old"), await names(place)

        assert asyncio.run(story()) == (b"as it was", ["old"])

    def test_writing_again_replaces_the_whole(self, place):
        async def story():
            await place.write("a", b"long content")
            await place.write("a", b"short")
            await place.write("a", stream(b"shor", b"ter"))
            return await read(place, "a"), await names(place)

        assert asyncio.run(story()) == (b"shorter", ["a"])

    def test_of_two_who_write_at_once_one_prevails_whole(self, place):
        one, other = b"1" * 3_000_000, b"2" * 3_000_000

        async def story():
            await asyncio.gather(place.write("a", stream(*[b"1"] * 3, one[3:])), place.write("a", other))
            return await read(place, "a")

        assert asyncio.run(story()) in (one, other)

    def test_everything_at_any_depth_is_listed_in_the_order_of_bytes_with_its_size(self, place):
        written = ["B", "a", "a-b", "a.txt", "a/b", "a/c/d", "a0", "z/1", "z/10", "z/2", "ä", "世"]

        async def story():
            for name in reversed(written):
                if name != "a" or not name_is_taken_by_a_folder(place):
                    await place.write(name, name.encode())
            return [entry async for entry in place.list()]

        expected = [name for name in written if name != "a" or not name_is_taken_by_a_folder(place)]
        assert asyncio.run(story()) == [Entry(name, len(name.encode())) for name in expected]

    def test_hidden_things_are_left_out(self, place):
        async def story():
            for name in (".hidden", "a/.hidden", ".git/config", "a/.b/c", "a/visible.txt", "dots...", "a.b"):
                await place.write(name, b"1")
            return await names(place)

        assert asyncio.run(story()) == ["a.b", "a/visible.txt", "dots..."]

    def test_what_is_not_there_is_not_found(self, place):
        async def story():
            with pytest.raises(NotFound, match="nothing"):
                await read(place, "nothing/here")
            return await place.exists("nothing/here")

        assert asyncio.run(story()) is False

    def test_a_folder_is_no_file(self, place):
        async def story():
            await place.write("folder/file", b"1")
            with pytest.raises(NotFound):
                await read(place, "folder")
            return await place.exists("folder")

        assert asyncio.run(story()) is False

    def test_only_what_holds_nothing_is_empty(self, place):
        async def story():
            told = [await place.is_empty()]
            await place.write("a/.hidden", b"1")
            told.append(await place.is_empty())
            await place.write("a/b", b"1")
            told.append(await place.is_empty())
            await place.delete("a/b")
            return [*told, await place.is_empty()]

        assert asyncio.run(story()) == [True, True, False, True]

    def test_deleting_takes_away_one_thing_and_minds_no_absence(self, place):
        async def story():
            await place.write("a", b"1")
            await place.write("b", b"2")
            await place.delete("a")
            await place.delete("a")
            await place.delete("no/such/folder")
            return await names(place)

        assert asyncio.run(story()) == ["b"]

    @pytest.mark.parametrize("name", ["", "..", "../a", "a/../../b", "/etc/passwd", "a//b", "a/", "./a", "a\0b"])
    def test_no_name_leads_out(self, place, name):
        async def story():
            for act in (read(place, name), place.write(name, b"1"), place.exists(name), place.delete(name)):
                with pytest.raises(Invalid):
                    await act

        asyncio.run(story())

    def test_reading_may_end_early(self, place):
        async def story():
            await place.write("a", b"1" * 2_000_000)
            async with place.open("a") as content:
                async for _ in content.chunks:
                    break
            return await read(place, "a")

        assert len(asyncio.run(story())) == 2_000_000

    def test_pieces_are_never_large(self, place):
        async def story():
            await place.write("a", b"1" * 5_000_000)
            async with place.open("a") as content:
                return [len(chunk) async for chunk in content.chunks]

        sizes = asyncio.run(story())
        assert sum(sizes) == 5_000_000
        assert min(sizes) > 0
        assert max(sizes) <= 2_000_000

    def test_many_things_are_listed_once_each(self, place):
        count = 2100

        async def story():
            for start in range(0, count, 100):
                await asyncio.gather(*(place.write(f"{one // 50}/{one:05}", b"") for one in range(start, start + 100)))
            return await names(place)

        assert asyncio.run(story()) == sorted(f"{one // 50}/{one:05}" for one in range(count))


def name_is_taken_by_a_folder(place):
    """Object storage has `a` beside `a/b`; a folder has one of them."""
    return place.address.scheme == "file"


class TestBucket:
    def test_an_endpoint_that_is_away_is_unavailable_soon(self):
        settings = StorageSettings(endpoint="http://127.0.0.1:9", access_key="a", **MADE_UP)
        place = Places(settings).place(parse("s3://bucket/x/"))

        async def story():
            for act in (read(place, "a"), place.write("a", b"1"), place.exists("a"), names(place)):
                with pytest.raises(Unavailable, match="does not answer"):
                    await asyncio.wait_for(act, 30)

        asyncio.run(story())

    def test_a_bucket_that_is_not_there_is_not_found(self, s3_settings):
        place = Places(s3_settings).place(parse("s3://nobodys-bucket/x/"))

        async def story():
            for act in (read(place, "a"), place.write("a", b"1"), names(place)):
                with pytest.raises(NotFound, match="s3://nobodys-bucket/x"):
                    await act

        asyncio.run(story())

    def test_markers_of_folders_are_no_inputs_but_empty_files_are(self, s3_settings):
        client = make_bucket(s3_settings, "with-markers")
        for key in ("in/", "in/sub/", "in/sub/a", "in/empty", "inner/b"):
            client.put_object(Bucket="with-markers", Key=key, Body=b"1" if key.endswith("a") else b"")
        place = Places(s3_settings).place(parse("/with-markers/in/"))
        assert asyncio.run(names(place)) == ["empty", "sub/a"]

    @pytest.mark.parametrize(
        "text",
        ["s3://{}/k y/", "obs://{}/k y/", "/{}/k y/", "https://{}.obs.example.com/k%20y/", "https://{}.host/k%20y"],
    )
    def test_every_form_of_an_address_leads_to_the_same_place(self, s3_settings, text):
        bucket = f"b-{uuid.uuid4().hex}"
        client = make_bucket(s3_settings, bucket)
        place = Places(s3_settings).place(parse(text.format(bucket)))
        asyncio.run(place.write("a", b"1"))
        assert [one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["k y/a"]

    def test_nothing_of_a_broken_upload_stays_behind(self, s3_settings):
        client = make_bucket(s3_settings, "with-leftovers")
        place = Places(s3_settings).place(parse("s3://with-leftovers/"))
        with contextlib.suppress(KeyError):
            asyncio.run(place.write("a", broken_stream(*[b"1" * 3_000_000] * 10)))
        assert client.list_multipart_uploads(Bucket="with-leftovers").get("Uploads", []) == []

    def test_without_keys_requests_are_not_signed(self, s3_endpoint, s3_settings, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-environment")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-environment")
        client = make_bucket(s3_settings, "for-everyone")
        client.put_object(Bucket="for-everyone", Key="a", Body=b"1", ACL="public-read")
        place = Places(StorageSettings(endpoint=s3_endpoint)).place(parse("s3://for-everyone/"))
        assert asyncio.run(read(place, "a")) == b"1"

    def test_no_error_tells_a_secret(self, s3_endpoint):
        settings = StorageSettings(endpoint=s3_endpoint, access_key="made-up", **MADE_UP)
        assert "made-up" not in repr(settings)
        place = Places(settings).place(parse("s3://nobodys-bucket/x/"))
        with pytest.raises(MooringError) as caught:
            asyncio.run(place.write("a", b"1"))
        assert "made-up" not in f"{caught.value.message} {caught.value.hint}"
