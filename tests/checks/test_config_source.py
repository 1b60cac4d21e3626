"""Which config.json counts, when there are several, none, or one that cannot be read."""

import json

import pytest

from mooring.checks import NotAsked, NotKnown
from mooring.checks.config_source import find_config, search
from mooring.errors import Invalid, NotFound
from mooring.image import EntryKind, File, ImageConfig, MemoryImage

LABEL = "io.mooring.config"


def text(name):
    return json.dumps({"model_algorithm": name, "model_type": "Image", "apis": [{"url": "/"}]})


def found(files=None, label=None, given=None):
    image = MemoryImage(files=files or {}, config=ImageConfig(labels={LABEL: label} if label else {}))
    return find_config(image.read(), image.config, given)


def test_the_caller_s_file_comes_before_the_label_and_that_before_the_image_s_files(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(text("given"))
    files = {"/home/config.json": text("home")}
    assert found(files, text("label"), file)[0].model_algorithm == "given"
    assert found(files, text("label"))[0].model_algorithm == "label"
    assert found(files)[0].model_algorithm == "home"


def test_folders_of_the_image_come_in_their_order():
    places = ["/home/config.json", "/home/model/config.json", "/home/mind/model/config.json", "/model/config.json"]
    places += ["/home/app/model/config.json", "/config.json"]
    files = {path: text(f"m{n}") for n, path in enumerate(places)}
    for n, path in enumerate(places):
        config, words = found(files)
        assert config.model_algorithm == f"m{n}"
        assert config.source == path
        assert words.split(" (")[0] == path
        del files[path]


def test_the_report_says_which_were_passed_over():
    _, words = found({"/home/config.json": text("a"), "/config.json": text("b")}, text("c"))
    assert words == f"label {LABEL} (passed over: /home/config.json, /config.json)"


def test_a_link_to_the_same_file_is_not_another_one():
    link = File(kind=EntryKind.SYMLINK, target="/home/model")
    _, words = found({"/home/model/config.json": text("a"), "/model": link})
    assert words == "/home/model/config.json"


def test_an_image_without_one_is_not_asked_about_it():
    with pytest.raises(NotAsked, match=r"no config\.json was given"):
        found()


def test_where_there_are_no_files_nothing_is_said_of_them():
    with pytest.raises(NotAsked, match=r"no config\.json was given$"):
        find_config(None, None, None)


def test_a_broken_one_in_the_image_is_not_known_and_another_place_does_not_step_in():
    with pytest.raises(NotKnown, match=r"label io\.mooring\.config:1:1"):
        found({"/config.json": text("a")}, "broken")


def test_a_broken_one_that_was_given_is_the_caller_s_fault(tmp_path):
    file = tmp_path / "config.json"
    with pytest.raises(NotFound):
        found(given=file)
    file.write_text("{")
    with pytest.raises(Invalid, match=r"config\.json:1:1"):
        found(given=file)


def test_a_broken_one_that_is_passed_over_does_no_harm():
    config, words = found({"/config.json": '{"apis": '}, text("a"))
    assert config.model_algorithm == "a"
    assert "/config.json" in words


def test_one_that_is_too_large_to_be_one_is_said_to_be():
    image = MemoryImage(files={"/config.json": b"{}" + b" " * (300 << 10)})
    (place,) = search(image.read(), image.config, None).places
    assert place.config is None
    assert "larger" in place.problem


def test_the_config_of_a_library_s_weights_is_not_the_model_s():
    weights = json.dumps({"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 768})
    assert found({"/home/mind/model/config.json": weights, "/config.json": text("a")})[1] == "/config.json"


def searched(files, folder=""):
    image = MemoryImage(files=files, config=ImageConfig(working_dir=folder))
    return search(image.read(), image.config, None)


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/home/mind/config.json", ""),
        ("/app/config.json", "/app"),
        ("/app/config.json", "/app/"),
        ("/x/config.json", "x"),
    ],
)
def test_one_beside_the_server_is_found_too(path, folder):
    (place,) = searched({path: text("a")}, folder).places
    assert place.words == path
    assert place.config.model_algorithm == "a"


def test_another_program_s_file_beside_the_server_is_passed_by_without_a_word():
    files = {"/app/config.json": '{"debug": true}', "/home/mind/config.json": b"{}" + b" " * (300 << 10)}
    found = searched(files, "/app")
    assert (found.places, found.elsewhere) == ((), ())


def test_one_beside_the_server_does_not_count_where_there_is_another():
    found = searched({"/home/model/config.json": text("a"), "/app/config.json": text("b")}, "/home/model")
    assert [place.words for place in found.places] == ["/home/model/config.json"]
    found = searched({"/config.json": text("a"), "/home/mind/config.json": text("b")}, "/home/mind")
    assert [place.words for place in found.places] == ["/config.json"]


def test_one_that_nobody_looks_for_is_named_where_there_is_no_other():
    stray = {"/opt/scorer/config.json": text("a"), "/opt/other/config.json": '{"apis": "of another program"}'}
    assert searched(stray).elsewhere == ("/opt/scorer/config.json",)
    assert searched(stray | {"/config.json": text("b")}).elsewhere == ()
