"""What callers may wish of services, and what they are told when they may not."""

import pytest
from sqlalchemy import select

from mooring.control.service_views import ServiceQuery
from mooring.control.services import Services
from mooring.control.settings import Quotas, Settings
from mooring.control.story import EventQuery, Story
from mooring.control.tables import Model, Project, Replica, Revision, Service
from mooring.control.wishes import ServiceChange, ServiceEntry, ServiceWish
from mooring.errors import Conflict, Invalid, MooringError, NotFound, Refused
from mooring.gateway.table import Principal

MINE, THEIRS = "a" * 32, "b" * 32
ME = Principal(MINE, "me", "key-1")
FLAVOR = "modelarts.vm.cpu.2u"


@pytest.fixture
def services(db, clock, settings):
    with db.begin() as session:
        for project in (MINE, THEIRS):
            session.add(Project(id=project, name=project[0], domain_id="d", domain_name="mooring", created_at=clock()))
        session.flush()
        for name, version, project in (
            ("digits", "1.0.0", MINE),
            ("digits", "2.0.0", MINE),
            ("other", "1.0.0", THEIRS),
        ):
            session.add(model(name, version, project))
    made = Services(db, Story(db, clock), settings, clock)
    made.heard = []
    made.on_wish = made.heard.append
    return made


def model(name, version, project, **how):
    fields = {
        "id": f"{name}-{version}",
        "project_id": project,
        "owner": "me",
        "model_name": name,
        "model_version": version,
        "model_type": "Image",
        "description": "",
        "workspace_id": "0",
        "status": "published",
        "error_msg": "",
        "source_location": "",
        "source_copy": True,
        "image": "digits:1",
        "image_digest": "",
        "size_bytes": 1,
        "initial_config": "{}",
        "config": None,
        "request": {},
        "report": None,
        "created_at": 1,
        "updated_at": 1,
    }
    return Model(**{**fields, **how})


def entry(version="1.0.0", **how):
    return ServiceEntry(**{"model_id": f"digits-{version}", "specification": FLAVOR, **how})


def wish(*config, **how):
    return ServiceWish(**{"service_name": "live", "infer_type": "real-time", "config": config or (entry(),), **how})


def set_status(db, service_id, status, **how):
    with db.begin() as session:
        service = session.get_one(Service, service_id)
        service.status = status
        for name, value in how.items():
            setattr(service, name, value)


def case_of(call):
    with pytest.raises(MooringError) as raised:
        call()
    return type(raised.value), raised.value.case


def test_a_new_service_is_deploying_and_has_its_configuration_as_it_was_wished(services, clock):
    split = (entry(weight=90, instance_count=2, envs={"LEVEL": "info"}), entry("2.0.0", weight=10))
    made = services.create(ME, wish(*split, description="counts"))
    seen = services.get(ME, made)
    assert (seen.status, seen.service_name, seen.description, seen.published_at) == (
        "deploying",
        "live",
        "counts",
        clock(),
    )
    assert [(one["model_version"], one["weight"], one["instance_count"], one["status"]) for one in seen.config] == [
        ("1.0.0", 90, 2, "notReady"),
        ("2.0.0", 10, 1, "notReady"),
    ]
    assert seen.config[0]["envs"] == {"LEVEL": "info"}
    assert services.heard == [made]


def test_a_single_model_without_a_weight_has_all_the_traffic(services):
    assert services.get(ME, services.create(ME, wish(entry()))).config[0]["weight"] == 100


@pytest.mark.parametrize(
    ("wrong", "kind", "case"),
    [
        (wish(service_name="a b"), Invalid, "service-name"),
        (wish(service_name="x" * 65), Invalid, "service-name"),
        (wish(description="<b>"), Invalid, "description"),
        (wish(description="x" * 101), Invalid, "description"),
        (wish(infer_type="edge"), Refused, "unsupported"),
        (wish(entry(weight=50), entry("2.0.0", weight=49)), Invalid, "weights-sum"),
        (wish(entry(weight=100), entry("2.0.0")), Invalid, "weights-sum"),
        (wish(entry(weight=150), entry("2.0.0", weight=-50)), Invalid, "weights-sum"),
        (wish(entry(weight=50), entry(weight=50)), Invalid, "models-duplicate"),
        (wish(entry("9.9.9")), NotFound, "model-unknown"),
        (wish(ServiceEntry(model_id="other-1.0.0", specification=FLAVOR)), NotFound, "model-unknown"),
        (wish(entry(instance_count=0)), Invalid, "parameter-invalid"),
        (wish(entry(instance_count=6)), Refused, "instances-quota"),
        (wish(entry(specification="modelarts.vm.cpu.2v")), Invalid, "flavor-unknown"),
        (wish(entry(specification="custom")), Invalid, "custom-spec"),
        (wish(entry(specification="custom", custom_spec={"cpu": True, "memory": 512})), Invalid, "custom-spec"),
        (wish(entry(specification="custom", custom_spec={"cpu": 1, "memory": float("nan")})), Invalid, "custom-spec"),
        (
            wish(entry(specification="custom", custom_spec={"cpu": 1, "memory": 512, "gpu_p4": 1})),
            Refused,
            "custom-spec",
        ),
        (wish(entry(envs={"1 2": "x"})), Invalid, "envs"),
        (wish(entry(envs={"NUL": "a\0b"})), Invalid, "envs"),
        (wish(entry(additional_properties={"max_surge": "many"})), Invalid, "rolling"),
        (wish(entry(deploy_timeout_in_seconds=0)), Invalid, "parameter-invalid"),
        (wish(schedule=({"type": "stop", "time_unit": "WEEKS", "duration": 1},)), Invalid, "schedule"),
        (wish(schedule=({"type": "stop", "time_unit": "HOURS", "duration": 0},)), Invalid, "schedule"),
        (wish(schedule=({"type": "stop", "time_unit": "HOURS", "duration": 2**53},)), Invalid, "schedule"),
        (wish(additional_properties={"websocket_upgrade": "yes"}), Invalid, "parameter-invalid"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_leaves_nothing(services, db, wrong, kind, case):
    assert case_of(lambda: services.create(ME, wrong)) == (kind, case)
    with db.read() as session:
        assert not session.scalars(select(Service)).all()
    assert services.heard == []


def test_a_service_name_is_taken_in_its_project_only(services, db):
    services.create(ME, wish())
    assert case_of(lambda: services.create(ME, wish())) == (Conflict, "service-exists")
    them = Principal(THEIRS, "them", "key-2")
    services.create(them, wish(ServiceEntry(model_id="other-1.0.0", specification=FLAVOR)))


def test_a_model_that_is_not_published_or_is_for_batch_only_is_not_deployed(services, db):
    with db.begin() as session:
        session.add(model("new", "1.0.0", MINE, status="publishing"))
        session.add(model("batch", "1.0.0", MINE, request={"install_type": ["batch"]}))
    for name, case in (("new", "model-unpublished"), ("batch", "model-kind")):
        one = ServiceEntry(model_id=f"{name}-1.0.0", specification=FLAVOR)
        assert case_of(lambda one=one: services.create(ME, wish(one))) == (Refused, case)


def test_stopped_and_failed_services_count_towards_the_quota(db, clock, settings, services):
    few = Settings(data=settings.data, quotas=Quotas(services=1))
    services = Services(db, Story(db, clock), few, clock)
    made = services.create(ME, wish())
    set_status(db, made, "failed")
    assert case_of(lambda: services.create(ME, wish(service_name="second"))) == (Refused, "services-quota")
    services.delete(ME, (made,))
    assert services.create(ME, wish(service_name="second"))


def test_a_service_of_another_project_is_not_there(services):
    made = services.create(ME, wish())
    them = Principal(THEIRS, "them", "key-2")
    for call in (
        lambda: services.get(them, made),
        lambda: services.update(them, made, ServiceChange(status="stopped")),
        lambda: services.delete(them, (made,)),
        lambda: services.update_logs(them, made),
    ):
        assert case_of(call) == (NotFound, "service-unknown")
    assert services.list(them, ServiceQuery()).total == 0


@pytest.mark.parametrize("status", ["deploying", "stopping", "deleting"])
def test_what_is_under_way_is_not_changed(services, db, status):
    made = services.create(ME, wish())
    set_status(db, made, status)
    for change in (
        ServiceChange(status="stopped"),
        ServiceChange(status="running"),
        ServiceChange(config=(entry("2.0.0"),)),
    ):
        assert case_of(lambda change=change: services.update(ME, made, change)) == (Conflict, "service-busy")


def test_stopping_and_starting_again(services, db):
    made = services.create(ME, wish())
    set_status(db, made, "running", serving_revision=1)
    services.update(ME, made, ServiceChange(status="stopped"))
    assert services.get(ME, made).status == "stopping"
    set_status(db, made, "stopped")
    services.update(ME, made, ServiceChange(status="running"))
    assert services.get(ME, made).status == "deploying"


def test_starting_what_runs_and_stopping_what_is_stopped_change_nothing(services, db):
    made = services.create(ME, wish())
    for status, wanted in (("running", "running"), ("concerning", "running"), ("stopped", "stopped")):
        set_status(db, made, status)
        services.update(ME, made, ServiceChange(status=wanted))
        assert services.get(ME, made).status == status


def test_with_a_status_the_rest_of_an_update_is_left_alone(services, db):
    made = services.create(ME, wish(description="before"))
    set_status(db, made, "running")
    services.update(ME, made, ServiceChange(status="stopped", config=(entry("2.0.0"),), description="after"))
    seen = services.get(ME, made)
    assert (seen.description, seen.config[0]["model_version"], seen.status) == ("before", "1.0.0", "stopping")


def test_a_new_configuration_is_a_revision_and_the_log_has_both(services, db, clock):
    made = services.create(ME, wish())
    set_status(db, made, "running", serving_revision=1)
    clock.pass_ms(1000)
    services.update(ME, made, ServiceChange(config=(entry("2.0.0", instance_count=3),)))
    seen, logs = services.update_logs(ME, made)
    assert (seen.status, seen.revision, seen.config[0]["model_version"]) == ("deploying", 2, "2.0.0")
    assert [(log.update_time, log.result, log.config[0]["model_version"]) for log in logs] == [
        (clock(), "RUNNING", "2.0.0"),
        (clock() - 1000, "RUNNING", "1.0.0"),
    ]
    assert len(services.update_logs(ME, made, since_ms=clock())[1]) == 1


def test_a_stopped_service_that_is_updated_stays_stopped_until_it_is_started(services, db):
    made = services.create(ME, wish())
    set_status(db, made, "stopped", target="stopped", serving_revision=1)
    services.update(ME, made, ServiceChange(config=(entry("2.0.0"),)))
    assert services.get(ME, made).status == "stopped"
    services.update(ME, made, ServiceChange(status="running"))
    with db.read() as session:
        service = session.get_one(Service, made)
        assert (service.revision, service.serving_revision, service.target) == (2, 0, "running")


def test_a_schedule_says_when_it_stops(services, clock, db):
    hours = ({"type": "stop", "time_unit": "HOURS", "duration": 6},)
    made = services.create(ME, wish(schedule=hours))
    assert services.get(ME, made).due_at == clock() + 6 * 3_600_000
    set_status(db, made, "running")
    services.update(ME, made, ServiceChange(schedule=()))
    assert services.get(ME, made).due_at is None


def test_a_websocket_service_stays_one(services, db):
    made = services.create(ME, wish(additional_properties={"websocket_upgrade": True}))
    set_status(db, made, "running")
    services.update(ME, made, ServiceChange(additional_properties={"smn_notification": {}}))
    assert services.get(ME, made).additional_properties["websocket_upgrade"] is True
    change = ServiceChange(additional_properties={"websocket_upgrade": False})
    assert case_of(lambda: services.update(ME, made, change)) == (Refused, "websocket-final")


def test_several_are_deleted_at_once_or_none(services):
    first, second = services.create(ME, wish()), services.create(ME, wish(service_name="second"))
    assert case_of(lambda: services.delete(ME, (first, "unknown"))) == (NotFound, "service-unknown")
    assert services.get(ME, first).status == "deploying"
    services.delete(ME, (first, second))
    assert services.get(ME, second).status == "deleting"


def test_lists_are_filtered_sorted_and_paged(services, db, clock):
    ids = []
    for name in ("alpha", "beta_1", "betax1"):
        clock.pass_ms(1)
        ids.append(services.create(ME, wish(service_name=name)))
    set_status(db, ids[0], "running")

    def names(**query):
        page = services.list(ME, ServiceQuery(**query))
        return page.total, [one.service_name for one in page.items]

    assert names() == (3, ["betax1", "beta_1", "alpha"])
    assert names(order="asc", sort_by="service_name", limit=1, offset=1) == (3, ["beta_1"])
    assert names(offset=9) == (3, [])
    assert names(service_name="BETA") == (2, ["betax1", "beta_1"])
    assert names(service_name="a_1") == (1, ["beta_1"])
    assert names(service_name="beta", exact_match=True) == (0, [])
    assert names(status="Running") == (1, ["alpha"])
    assert names(service_id=ids[1]) == (1, ["beta_1"])
    assert names(model_id="digits-1.0.0")[0] == 3
    assert names(model_id="digits-2.0.0")[0] == 0
    assert names(infer_type="batch")[0] == 0
    for wrong in ({"sort_by": "x"}, {"order": "up"}, {"status": "well"}, {"offset": -1}):
        assert case_of(lambda wrong=wrong: services.list(ME, ServiceQuery(**wrong))) == (Invalid, "parameter-invalid")


def test_a_model_is_ready_concerning_or_not_by_its_ready_instances(services, db):
    made = services.create(ME, wish(entry(instance_count=2)))
    statuses = []
    for ordinal in range(2):
        with db.begin() as session:
            session.add(replica(made, ordinal))
        statuses.append(services.get(ME, made).config[0]["status"])
    assert statuses == ["concerning", "ready"]


def replica(service_id, ordinal):
    return Replica(
        name=f"r-{ordinal}",
        service_id=service_id,
        revision=1,
        model_id="digits-1.0.0",
        template="t",
        ordinal=ordinal,
        created_at=1,
        ready_at=1,
        draining_at=None,
        restarts=0,
        exited_at=None,
        why="",
    )


def test_its_story_begins_with_the_deployment(services, db, clock):
    made = services.create(ME, wish())
    events = Story(db, clock).events(MINE, made, EventQuery())
    assert [(one.event_type, one.event_info) for one in events.items] == [("normal", "start to deploy service")]


def test_the_deadline_is_the_most_patient_models(services, db, clock):
    split = (entry(weight=50, deploy_timeout_in_seconds=180), entry("2.0.0", weight=50, deploy_timeout_in_seconds=600))
    made = services.create(ME, wish(*split))
    with db.read() as session:
        assert session.get_one(Revision, (made, 1)).deadline_at == clock() + 600_000
