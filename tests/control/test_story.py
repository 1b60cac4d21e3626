import pytest

from mooring.control.story import FORBIDDEN, EventQuery, Story
from mooring.control.tables import Model, Project
from mooring.errors import Invalid

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def story(db, clock):
    with db.begin() as session:
        for name in ("p", "q"):
            row = Project(id=name, name=name, domain_id="d", domain_name="d", created_at=1)
            session.add(row)
    return Story(db, clock)


@pytest.fixture
def tell(db, story):
    def tell(info, *, subject="s", project="p", abnormal=False):
        with db.begin() as session:
            story.tell(session, subject, project, info, abnormal=abnormal)

    return tell


@pytest.fixture
def lines(story):
    def lines(subject="s", project="p", **query):
        return [event.event_info for event in story.events(project, subject, EventQuery(**query)).items]

    return lines


def test_the_newest_comes_first_unless_asked_otherwise(tell, lines, clock):
    for info in ("one", "two"):
        tell(info)
    clock.pass_ms(5)
    tell("three")
    assert lines() == ["three", "two", "one"]
    assert lines(order="asc") == ["one", "two", "three"]


def test_an_event_has_its_type_and_its_time(tell, story, clock):
    tell("bad", abnormal=True)
    [event] = story.events("p", "s", EventQuery()).items
    assert (event.event_type, event.event_info, event.occur_time) == ("abnormal", "bad", clock.now)


def test_nothing_is_seen_of_another_subject_or_from_another_project(tell, lines):
    tell("mine")
    tell("other", subject="t")
    assert lines() == ["mine"]
    assert lines(project="q") == []


def test_filters_by_type_words_and_time(tell, lines, clock):
    first = clock.now
    pulling, loaded, starting = (
        "[knots 1.0.0] pulling model image",
        "[knots 1.0.0] 100% loaded",
        "[knots 1.0.0] starting",
    )
    tell(pulling)
    clock.pass_ms(10)
    tell(loaded, abnormal=True)
    clock.pass_ms(10)
    tell(starting)
    assert lines(event_type="abnormal") == [loaded]
    assert lines(event_type="normal", order="asc") == [
        pulling,
        starting,
    ]
    assert lines(event_info="Pulling Model") == [pulling]
    assert lines(event_info="100%") == [loaded]
    assert lines(event_info="%_%") == []
    assert lines(start_time=first + 10, end_time=first + 10) == [loaded]
    assert len(lines(start_time=first + 1)) == 2
    assert len(lines(end_time=first + 19)) == 2


def test_a_page_says_how_many_there_are_in_all(tell, story):
    for number in range(5):
        tell(str(number))
    page = story.events("p", "s", EventQuery(offset=1, limit=2))
    assert (page.total, [event.event_info for event in page.items]) == (5, ["3", "2"])
    assert story.events("p", "s", EventQuery(offset=9)).items == ()
    assert story.events("p", "s", EventQuery(limit=0)).total == 5


@pytest.mark.parametrize("character", FORBIDDEN)
def test_a_filter_with_a_forbidden_character_is_invalid(story, character):
    with pytest.raises(Invalid) as error:
        story.events("p", "s", EventQuery(event_info=f"a{character}b"))
    assert error.value.case == "parameter-invalid"


@pytest.mark.parametrize(
    "query",
    [
        {"event_type": "odd"},
        {"order": "up"},
        {"sort_by": "name"},
        {"offset": -1},
        {"limit": -1},
        {"limit": 2**63},
        {"start_time": -1},
        {"end_time": 2**64},
    ],
)
def test_a_filter_that_means_nothing_is_invalid(story, query):
    with pytest.raises(Invalid) as error:
        story.events("p", "s", EventQuery(**query))
    assert error.value.case == "parameter-invalid"


def test_services_are_remembered_for_a_month_and_models_for_three(db, story, tell, lines, clock):
    texts = dict.fromkeys(Model.__table__.columns.keys(), "x")
    texts |= {"id": "m", "project_id": "p", "source_copy": True, "config": None, "request": {}, "report": None}
    with db.begin() as session:
        session.add(Model(**texts | {"size_bytes": 1, "created_at": 1, "updated_at": 1}))
    for day in range(4):
        tell(f"day {day * 30}")
        tell(f"day {day * 30}", subject="m")
        clock.pass_ms(30 * DAY_MS)
    assert story.prune() == 3 + 1
    assert lines() == ["day 90"]
    assert lines("m") == ["day 90", "day 60", "day 30"]
    assert story.prune() == 0
