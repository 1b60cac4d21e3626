import io
import json

import pytest
from PIL import Image

from mooring.checks.trial.files import File, invented, png, sample
from mooring.checks.trial.question import BOUNDARY, grown
from mooring.checks.trial.questions import bad_questions, evenly, first_question, further_questions
from mooring.contract import ModelConfig, schema
from mooring.errors import NotFound


def api(data, *, method="POST", content_type="application/json", url="/"):
    document = {
        "model_algorithm": "reading",
        "model_type": "Image",
        "apis": [
            {
                "protocol": "http",
                "url": url,
                "method": method,
                "request": {"Content-type": content_type, "data": data},
                "response": {"Content-type": "application/json", "data": {"type": "object"}},
            }
        ],
    }
    return ModelConfig.parse(json.dumps(document).encode()).apis[0]


PEOPLE = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0}, "name": {"type": "string"}},
    "required": ["age"],
}
PICTURE = {"type": "object", "properties": {"images": {"type": "file"}}, "required": ["images"]}


def form_parts(body):
    return [part.partition(b"\r\n\r\n") for part in body.split(f"--{BOUNDARY}".encode())[1:-1]]


def test_json_is_asked_with_an_example_and_at_the_edges_of_the_schema():
    people = api(PEOPLE)
    asked = [first_question(people, {}), *further_questions(people, {})]
    values = [json.loads(one.request.body) for one in asked]
    assert all(not schema.validate(PEOPLE, value) for value in values)
    assert 0 in [value["age"] for value in values]
    assert len({one.request.body for one in asked}) == len(asked)


def test_bad_json_is_refused_by_the_schema_or_is_no_json_and_always_the_same():
    people = api(PEOPLE)
    asked = bad_questions(people, {})
    for one in (one for one in asked if not one.unremarkable):
        try:
            value = json.loads(one.request.body)
        except (ValueError, RecursionError):
            continue
        assert schema.validate(PEOPLE, value), one.sent
    sent = [one.sent for one in asked]
    assert "JSON without 'age'" in sent
    assert "an empty body" in sent
    assert any("for 'age'" in one for one in sent)
    assert [one.request for one in asked] == [one.request for one in bad_questions(people, {})]


def test_a_form_carries_a_small_picture_that_readers_of_pictures_take():
    asked = first_question(api(PICTURE, content_type="multipart/form-data"), {})
    [(head, _, data)] = form_parts(asked.request.body)
    assert b'name="images"; filename="image.png"' in head
    assert Image.open(io.BytesIO(data)).size == (28, 28)
    assert asked.made_up


def test_the_callers_file_is_sent_in_its_field(tmp_path):
    (tmp_path / "seven.jpg").write_bytes(b"the caller's own")
    asked = first_question(
        api(PICTURE, content_type="multipart/form-data"), {"images": str(tmp_path / "seven.jpg"), "unknown": "/nowhere"}
    )
    assert b"the caller's own" in asked.request.body
    assert asked.sent == "images=@seven.jpg"
    assert not asked.made_up
    with pytest.raises(NotFound, match=r"nowhere\.png"):
        sample(str(tmp_path / "nowhere.png"))


def test_bad_forms_lack_the_file_or_have_something_else_in_its_place():
    sent = [one.sent for one in bad_questions(api(PICTURE, content_type="multipart/form-data"), {})]
    assert "a form without 'images'" in sent
    assert "an empty file for 'images'" in sent
    assert "bytes that are no such file for 'images'" in sent
    assert "a form that names no boundary" in sent


def test_what_has_no_body_is_asked_with_a_query():
    people = api(PEOPLE, method="GET", url="/people?lang=en")
    assert first_question(people, {}).request.url == "/people?lang=en&age=1&name=text"
    assert first_question(people, {}).request.body is None
    bad = [one.request.url for one in bad_questions(people, {})]
    assert "/people?lang=en&name=text" in bad
    assert "/people?lang=en&age=text&name=text" in bad


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data"])
def test_a_grown_request_has_the_size_asked_for_and_means_the_same(content_type):
    data = PEOPLE if content_type == "application/json" else PICTURE
    asked = first_question(api(data, content_type=content_type), {})
    larger = grown(asked, 3_000_000)
    assert len(larger.request.body) == 3_000_000
    assert larger.sent == "a body of 3.00 MB"
    if content_type == "application/json":
        assert json.loads(larger.request.body) == json.loads(asked.request.body)
    else:
        [(_, _, picture)] = form_parts(larger.request.body)
        Image.open(io.BytesIO(picture)).verify()
        assert Image.open(io.BytesIO(picture)).tobytes() == Image.open(io.BytesIO(png())).tobytes()


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("images", "image.png"),
        ("csv_file", "data.csv"),
        ("audio", "sound.wav"),
        ("document", "text.txt"),
        ("x", "image.png"),
    ],
)
def test_a_file_is_invented_by_the_name_of_its_field(field, name):
    assert invented(field).name == name


def test_files_of_other_kinds_grow_by_what_their_readers_pass_over():
    assert json.loads(File("a.json", "application/json", b'{"a": 1}').grown(100).data) == {"a": 1}
    jpeg = io.BytesIO()
    Image.new("L", (28, 28), 7).save(jpeg, "JPEG")
    grown_jpeg = File("a.jpg", "image/jpeg", jpeg.getvalue()).grown(50_000)
    assert len(grown_jpeg.data) == 50_000
    assert Image.open(io.BytesIO(grown_jpeg.data)).getpixel((3, 3)) == 7


def test_of_too_many_the_first_and_the_last_and_some_between_are_taken():
    assert evenly(range(100), 4) == [0, 33, 66, 99]
    assert evenly([1, 2], 4) == [1, 2]
    assert evenly([], 4) == []
