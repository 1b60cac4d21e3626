"""What callers may wish of models, how they find them again, and what they are told when they may not."""

import dataclasses
import json
import threading

import pytest

from mooring.control.catalog import Catalog
from mooring.control.model_views import ModelQuery, ModelWish
from mooring.control.services import Services
from mooring.control.settings import Settings
from mooring.control.story import EventQuery, Story
from mooring.control.tables import Model, Project, Replica, Revision, Service
from mooring.control.wishes import ServiceChange, ServiceEntry, ServiceWish
from mooring.errors import Conflict, Invalid, MooringError, NotFound, Refused
from mooring.gateway.table import Principal

MINE, THEIRS = "a" * 32, "b" * 32
ME, THEM = Principal(MINE, "me", "key-1"), Principal(THEIRS, "them", "key-2")
CONFIG = json.dumps({"model_algorithm": "reading", "model_type": "Image", "apis": [{"url": "/read", "method": "post"}]})


@pytest.fixture
def story(db, clock):
    return Story(db, clock)


@pytest.fixture
def catalog(db, story, clock, settings):
    with db.begin() as session:
        for project in (MINE, THEIRS):
            session.add(Project(id=project, name=project[0], domain_id="d", domain_name="mooring", created_at=clock()))
    return Catalog(db, story, settings, clock)


def wish(name="digits", version="1.0.0", **how):
    fields = {"model_type": "Image", "source_location": "registry.local/team/digits:1", "initial_config": CONFIG}
    return ModelWish(model_name=name, model_version=version, **{**fields, **how})


def case_of(call):
    with pytest.raises(MooringError) as raised:
        call()
    return type(raised.value), raised.value.case


def change(db, model_id, **values):
    with db.begin() as session:
        model = session.get_one(Model, model_id)
        for name, value in values.items():
            setattr(model, name, value)


def events(story, model_id):
    return [one.event_info for one in story.events(MINE, model_id, EventQuery(order="asc")).items]


def test_a_new_model_is_publishing_and_shows_what_was_sent(catalog, story, clock):
    woken = []
    catalog.on_wish = lambda: woken.append(True)
    made = catalog.create(ME, wish(description="reads digits", request={"runtime": "python3.11"}))
    seen = catalog.get(ME, made)
    assert (seen.status, seen.model_name, seen.model_version, seen.owner) == ("publishing", "digits", "1.0.0", "me")
    assert (seen.description, seen.created_at, seen.source_copy) == ("reads digits", clock(), True)
    assert seen.initial_config == CONFIG
    assert seen.config["apis"][0]["url"] == "/read"
    assert seen.request == {"runtime": "python3.11", "install_type": ["real-time", "batch"]}
    assert events(story, made) == ["Start model import."]
    assert woken == [True]


@pytest.mark.parametrize(
    ("wrong", "kind", "case"),
    [
        (wish(""), Invalid, "parameter-required"),
        (wish("a b"), Invalid, "model-parameter"),
        (wish("x" * 65), Invalid, "model-parameter"),
        (wish("数字"), Invalid, "model-parameter"),
        (wish(version="01.1.1"), Invalid, "model-parameter"),
        (wish(version="1.1"), Invalid, "model-parameter"),
        (wish(version="1.1.100"), Invalid, "model-parameter"),
        (wish(version="1.1.1\n"), Invalid, "model-parameter"),
        (wish(version="\u0661.1.1"), Invalid, "model-parameter"),
        (wish(model_type=""), Invalid, "parameter-required"),
        (wish(model_type="Tensorflo"), Invalid, "model-parameter"),
        (wish(model_type="Template", source_location=""), Refused, "unsupported"),
        (wish(request={"template": {"template_id": "t"}}), Refused, "unsupported"),
        (wish(description="a & b"), Invalid, "model-parameter"),
        (wish(description="x" * 101), Invalid, "model-parameter"),
        (wish(description="nul \0"), Invalid, "model-parameter"),
        (wish(description="half \ud800"), Invalid, "model-parameter"),
        (wish(install_type=("edge",)), Invalid, "model-parameter"),
        (wish(initial_config="{"), Invalid, "config-invalid"),
        (wish(initial_config='"text"'), Invalid, "config-invalid"),
        (wish(initial_config='{"model_type": "PyTorch", "apis": []}'), Invalid, "config-invalid"),
        (wish(initial_config="", request={"apis": "no json"}), Invalid, "config-invalid"),
        (wish(initial_config="", request={"input_params": [{"url": "/"}]}), Invalid, "config-invalid"),
        (wish(request={"model_docs": [{"doc_name": "1st", "doc_url": "http://a"}]}), Invalid, "model-parameter"),
        (wish(request={"model_docs": [{"doc_name": "a", "doc_url": "ftp://a"}]}), Invalid, "model-parameter"),
        (wish(request={"model_docs": [{"doc_name": "a", "doc_url": "http://a"}] * 4}), Invalid, "model-parameter"),
        (wish(source_location=""), Invalid, "parameter-required"),
        (wish(source_location="https://bucket.obs.example.com/model/"), Refused, "source-location"),
        (wish(source_location="obs://bucket/model/"), Refused, "source-location"),
        (wish(source_location="/bucket/that/is/not/here/"), Invalid, "source-location"),
        (wish(source_location="./here"), Refused, "source-location"),
        (wish(source_location="images/digits.tar"), Refused, "source-location"),
        (wish(source_location="/dev/zero"), Invalid, "source-location"),
        (wish(source_location="/dev"), Invalid, "source-location"),
        (wish(source_location="--privileged"), Invalid, "source-location"),
        (wish(model_type="PyTorch", initial_config=""), Refused, "source-location"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_leaves_nothing(catalog, wrong, kind, case):
    assert case_of(lambda: catalog.create(ME, wrong)) == (kind, case)
    assert catalog.list(ME, ModelQuery()).total == 0


def test_the_platforms_own_folder_is_no_source_and_neither_is_a_link_to_it(catalog, settings, tmp_path):
    settings.data.mkdir(exist_ok=True)
    secret = settings.data / "secret.tar"
    secret.write_bytes(b"key")
    (tmp_path / "link.tar").symlink_to(secret)
    for place in (secret, tmp_path / "link.tar"):
        assert case_of(lambda place=place: catalog.create(ME, wish(source_location=str(place)))) == (
            Refused,
            "source-location",
        )


def test_types_are_taken_in_any_spelling_and_shown_in_the_contracts(catalog):
    made = catalog.create(ME, wish(model_type="image", install_type=("realtime",)))
    seen = catalog.get(ME, made)
    assert (seen.model_type, seen.request["install_type"]) == ("Image", ["real-time"])


def test_names_in_chinese_are_for_the_editions_that_have_them(db, story, settings, clock, catalog):
    theirs = Catalog(db, story, dataclasses.replace(settings, edition="huawei-2023"), clock)
    assert theirs.get(ME, theirs.create(ME, wish("数字"))).model_name == "数字"


def test_apis_and_flat_parameters_make_a_config_where_none_is_sent(catalog):
    request = {
        "model_algorithm": "object_detection",
        "apis": [{"url": "/count", "method": "post", "protocol": "http", "input_params": {"type": "object"}}],
        "input_params": [
            {"url": "/count", "method": "POST", "protocol": "http", "param_name": "photo", "param_type": "file"},
            {"url": "/ask", "method": "post", "protocol": "http", "param_name": "n", "param_type": "int", "max": 9},
        ],
        "output_params": [
            {
                "url": "/ask",
                "method": "post",
                "protocol": "http",
                "param_name": "found",
                "param_type": "object",
                "param_desc": '{"type": "object", "properties": {"items": {"type": "integer"}}}',
            }
        ],
    }
    seen = catalog.get(ME, catalog.create(ME, wish(initial_config="", request=request)))
    count, ask = seen.config["apis"]
    assert (count["url"], count["request"]["Content-type"]) == ("/count", "multipart/form-data")
    assert count["request"]["data"]["properties"] == {"photo": {"type": "file"}}
    assert ask["request"]["data"]["properties"] == {"n": {"type": "integer", "maximum": 9}}
    assert ask["response"]["data"]["properties"]["found"]["properties"] == {"items": {"type": "integer"}}
    assert seen.config["model_algorithm"] == "object_detection"
    assert json.loads(seen.initial_config)["apis"]


def test_older_clients_send_apis_as_json_in_a_text(catalog):
    request = {"apis": '[{"url": "/read", "method": "get", "protocol": "http"}]'}
    seen = catalog.get(ME, catalog.create(ME, wish(initial_config="", request=request)))
    assert [(api["url"], api["method"].lower()) for api in seen.config["apis"]] == [("/read", "get")]


def test_a_name_and_version_are_taken_once_in_a_project_even_by_one_that_failed(catalog, db):
    made = catalog.create(ME, wish())
    assert catalog.create(THEM, wish())
    assert catalog.create(ME, wish(version="1.0.1"))
    change(db, made, status="failed")
    with pytest.raises(Conflict) as raised:
        catalog.create(ME, wish())
    assert (raised.value.case, raised.value.hint) == ("model-exists", "delete it first")
    catalog.delete(ME, made)
    assert catalog.create(ME, wish())


def test_of_two_who_take_a_name_at_once_one_is_told(catalog):
    answers = []

    def create():
        try:
            answers.append(catalog.create(ME, wish()))
        except Conflict as conflict:
            answers.append(conflict.case)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers)[1:] == ["model-exists"] * 3
    assert catalog.list(ME, ModelQuery()).total == 1


def test_models_of_another_project_are_not_there(catalog):
    theirs = catalog.create(THEM, wish())
    for call in (
        lambda: catalog.get(ME, theirs),
        lambda: catalog.report(ME, theirs),
        lambda: catalog.delete(ME, theirs),
        lambda: catalog.get(ME, "no\0id"),
    ):
        assert case_of(call) == (NotFound, "model-not-found")
    assert catalog.list(ME, ModelQuery()).total == 0


def test_a_model_that_was_not_checked_has_no_report(catalog, db):
    made = catalog.create(ME, wish())
    assert case_of(lambda: catalog.report(ME, made)) == (NotFound, "report-none")
    change(db, made, report={"verdict": "keeps"})
    assert catalog.report(ME, made) == {"verdict": "keeps"}


@pytest.fixture
def many(catalog, clock, db):
    """Five models, each a second younger than the one before."""
    for name, version, size in (
        ("digits", "1.9.0", 30),
        ("digits", "1.10.0", 10),
        ("digits", "2.0.0", 20),
        ("my_model", "0.0.1", 50),
        ("myXmodel", "0.0.10", 40),
    ):
        clock.pass_ms(1000)
        made = catalog.create(ME, wish(name, version, description=f"about {name}", workspace_id=name[0]))
        change(db, made, size_bytes=size, status="published" if name == "digits" else "failed")
    return catalog


def found(catalog, **query):
    return [(one.model_name, one.model_version) for one in catalog.list(ME, ModelQuery(**query)).items]


@pytest.mark.parametrize(
    ("query", "versions"),
    [
        ({}, ["0.0.10", "0.0.1", "2.0.0", "1.10.0", "1.9.0"]),
        ({"order": "asc"}, ["1.9.0", "1.10.0", "2.0.0", "0.0.1", "0.0.10"]),
        ({"sort_by": "model_version"}, ["2.0.0", "1.10.0", "1.9.0", "0.0.10", "0.0.1"]),
        ({"sort_by": "model_size", "order": "ASC"}, ["1.10.0", "2.0.0", "1.9.0", "0.0.10", "0.0.1"]),
        ({"model_name": "DIGI"}, ["2.0.0", "1.10.0", "1.9.0"]),
        ({"model_name": "my_"}, ["0.0.1"]),
        ({"model_name": "digi", "exact_match": True}, []),
        ({"model_name": "my_model", "exact_match": True}, ["0.0.1"]),
        ({"model_version": "1.10.0"}, ["1.10.0"]),
        ({"model_version": "1:10:0"}, ["1.10.0"]),
        ({"model_status": "Published"}, ["2.0.0", "1.10.0", "1.9.0"]),
        ({"description": "about my_"}, ["0.0.1"]),
        ({"workspace_id": "m"}, ["0.0.10", "0.0.1"]),
        ({"model_type": "image", "limit": 1}, ["0.0.10"]),
        ({"not_model_type": "Image"}, []),
        ({"offset": 1, "limit": 2}, ["0.0.1", "2.0.0"]),
        ({"offset": 5}, []),
    ],
)
def test_the_list_filters_sorts_and_pages(many, query, versions):
    assert [version for _, version in found(many, **query)] == versions


def test_a_page_knows_how_many_there_are_in_all(many):
    page = many.list(ME, ModelQuery(model_name="digits", offset=2, limit=2))
    assert (page.total, len(page.items)) == (3, 1)


@pytest.mark.parametrize(
    "query",
    [
        {"model_status": "ready"},
        {"sort_by": "owner"},
        {"order": "up"},
        {"model_type": "Image", "not_model_type": "Image"},
        {"model_name": "nul\0"},
        {"description": "\udfff"},
        {"offset": -1},
        {"limit": 2**63},
    ],
)
def test_a_filter_that_nothing_can_match_is_refused(many, query):
    assert case_of(lambda: many.list(ME, ModelQuery(**query))) == (Invalid, "parameter-invalid")


def test_deleting_with_cascade_takes_every_version_of_the_name_the_newest_20_first(catalog, clock):
    for patch in range(22):
        clock.pass_ms(1)
        last = catalog.create(ME, wish(version=f"1.0.{patch}"))
    other = catalog.create(ME, wish("other"))
    theirs = catalog.create(THEM, wish())
    gone = catalog.delete(ME, last, cascade=True)
    assert (len(gone.success), gone.failed) == (20, ())
    assert {version for _, version in found(catalog)} == {"1.0.0", "1.0.1"}
    assert catalog.get(ME, other)
    assert catalog.get(THEM, theirs)


def test_a_model_that_is_deleted_is_gone_with_its_story(catalog, story):
    made = catalog.create(ME, wish())
    assert catalog.delete(ME, made).success == (made,)
    assert case_of(lambda: catalog.get(ME, made)) == (NotFound, "model-not-found")
    assert events(story, made) == []


def deployed(db, story, clock, settings, model_id):
    change(db, model_id, status="published")
    entry = ServiceEntry(model_id=model_id, specification="modelarts.vm.cpu.2u")
    services = Services(db, story, settings, clock)
    return services, services.create(ME, ServiceWish(service_name="live", infer_type="real-time", config=(entry,)))


def test_a_model_that_a_service_uses_stays(catalog, db, story, clock, settings):
    used, free = catalog.create(ME, wish()), catalog.create(ME, wish(version="2.0.0"))
    services, service = deployed(db, story, clock, settings, used)
    answer = catalog.delete(ME, used, cascade=True)
    assert answer.success == (free,)
    assert [(one.model_id, one.case) for one in answer.failed] == [(used, "model-in-use")]
    assert "live" in answer.failed[0].message
    services.delete(ME, (service,))
    with db.begin() as session:
        session.delete(session.get_one(Revision, (service, 1)))
        session.flush()
        session.delete(session.get_one(Service, service))
    assert catalog.delete(ME, used).success == (used,)


def test_a_model_that_a_service_would_go_back_to_or_still_runs_stays(catalog, db, story, clock, settings):
    old, new = catalog.create(ME, wish()), catalog.create(ME, wish(version="2.0.0"))
    change(db, new, status="published")
    services, service = deployed(db, story, clock, settings, old)
    with db.begin() as session:
        one = session.get_one(Service, service)
        one.status, one.serving_revision = "running", 1
    entry = ServiceEntry(model_id=new, specification="modelarts.vm.cpu.2u")
    services.update(ME, service, ServiceChange(config=(entry,)))
    assert catalog.delete(ME, old).failed
    with db.begin() as session:
        session.get_one(Service, service).serving_revision = 2
        session.add(
            Replica(
                name="live-old-1",
                service_id=service,
                revision=1,
                model_id=old,
                template="t",
                ordinal=1,
                created_at=1,
                ready_at=None,
                draining_at=2,
                restarts=0,
                exited_at=None,
                why="",
            )
        )
    assert catalog.delete(ME, old).failed
    with db.begin() as session:
        session.delete(session.get_one(Replica, "live-old-1"))
    assert catalog.delete(ME, old).success == (old,)


def test_an_edition_without_the_type_refuses_it(db, story, clock, settings, catalog):
    newer = Catalog(db, story, Settings(data=settings.data, edition="otc-2024"), clock)
    with pytest.raises(Invalid, match="otc-2024 knows no model_type 'Caffe'"):
        newer.create(ME, wish(model_type="Caffe"))
