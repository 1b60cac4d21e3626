"""Editions are data: typed, sourced, extended, and honest about what they do not say."""

import datetime as dt

import pytest

from mooring.contract import edition, editions
from mooring.contract import vocabulary as v
from mooring.contract.edition import read_edition
from mooring.errors import Invalid, NotFound, NotStated

HEAD = 'title = "Test"\nsince = 2024-01-01\n'


def fact(key, value, source="doc_1"):
    return f'{HEAD}[fact."{key}"]\nvalue = {value}\nsource = "{source}"\n'


def test_the_default_edition_comes_first_and_all_eight_are_there():
    assert editions()[0] == edition().name == "otc-2022"
    assert set(editions()) == {
        "otc-2022",
        "otc-2024",
        "otc-2025",
        "huawei-2021",
        "huawei-2023",
        "huawei-eu-2024",
        "huawei-2024",
        "huawei-2025",
    }


def test_sizes_are_bytes_and_durations_seconds():
    base, later = edition("otc-2022"), edition("otc-2024")
    assert base[v.IMAGE_MAX_SIZE] == 30 * 1024**3
    assert base[v.BODY_LIMIT] == 12_582_912
    assert (later[v.KEEP_ALIVE], later[v.LINGER_AFTER_SIGTERM], later[v.DRAIN_LIMIT]) == (200, 60, 90)
    assert later[v.DEPLOY_TIMEOUT_MAX] == 7200
    assert later.text(v.DEPLOY_TIMEOUT_MAX) == "120 min"


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("otc-2022", "30 GB"),
        ("otc-2024", "30 GB"),
        ("otc-2025", "30 GB"),
        ("huawei-2021", "10 GB"),
        ("huawei-2023", "10 GB"),
        ("huawei-eu-2024", "30 GB"),
        ("huawei-2024", "50 GB"),
        ("huawei-2025", "50 GB"),
    ],
)
def test_the_size_limit_of_each_edition(name, size):
    assert edition(name).text(v.IMAGE_MAX_SIZE) == size


def test_the_two_time_limits_are_two_facts():
    assert edition("huawei-2024")[v.PREDICT_TIME_LIMIT] == 40
    assert edition("huawei-2024")[v.SYNC_TIME_LIMIT] == 60
    assert v.SYNC_TIME_LIMIT not in edition("otc-2025")


def test_a_silent_edition_says_who_does_state_it():
    with pytest.raises(NotStated, match=r"otc-2022 does not state http\.keep_alive") as caught:
        edition("otc-2022")[v.KEEP_ALIVE]
    assert "otc-2024" in caught.value.hint
    assert edition("otc-2022").get(v.KEEP_ALIVE, 75) == 75


def test_a_withdrawn_fact_is_gone():
    assert edition("otc-2022")[v.HEALTH_REQUIRED] is True
    assert v.HEALTH_REQUIRED not in edition("otc-2024")


def test_an_edition_inherits_with_the_source():
    later = edition("otc-2025")
    assert later.extends == "otc-2024"
    assert later[v.BOOT_FILE] == "/home/run.sh"
    assert later.source(v.BOOT_FILE) == "modelarts_23_0219"
    assert later.facts[v.BOOT_FILE.key].edition == "otc-2022"
    assert later.since == dt.date(2025, 8, 26)


def test_the_result_manifest_is_a_pattern_that_changed():
    assert edition("otc-2022")[v.BATCH_RESULT_MANIFEST].format(index=0) == "infer-result-0.manifest"
    assert edition("otc-2024")[v.BATCH_RESULT_MANIFEST].format(task_id="t") == "infer-result-t.manifest"


def test_every_fact_of_every_edition_has_a_source_and_every_key_is_used():
    used = set()
    for name in editions():
        for each, stated in edition(name).rows():
            used.add(each.key)
            assert stated.source
    assert used == set(v.FACTS)


def test_an_unknown_edition_lists_those_there_are():
    with pytest.raises(NotFound) as caught:
        edition("otc-1999")
    assert "otc-2022" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "not TOML"),
        ('since = 2024-01-01\ncolour = "red"', "unknown key 'colour'"),
        ('title = "x"', "needs a title and a date"),
        ('title = "x"\nsince = "2024"', "needs a title and a date"),
        (fact("image.maxsize", '"30 GB"'), "no fact is called 'image.maxsize'"),
        (fact("image.max_size", "30"), "expected an amount with its unit, such as '30 GB'"),
        (fact("image.max_size", '"30 apples"'), "expected an amount with its unit"),
        (fact("http.keep_alive", '"200"'), "such as '40 s'"),
        (fact("service.port", '"8080"'), "expected a whole number"),
        (fact("service.port", "true"), "expected a whole number"),
        (fact("health.required", '"yes"'), "expected true or false"),
        (fact("health.url", '"health"'), "begins with '/'"),
        (fact("batch.tools", '"zip"'), "expected a list of texts"),
        (fact("service.port_choice", '"any"'), "expected one of fixed, declared"),
        (fact("batch.result_file", '"{nom}_result.txt"'), "not {nom}"),
        (fact("batch.result_file", '"result.txt"'), "expected a pattern with {name}"),
        (fact("service.port", "8080", source=" "), "no source"),
        (f'{HEAD}[fact."service.port"]\nvalue = 8080', "needs a value and a source"),
        (f'{HEAD}withdraw = ["service.port"]', "withdraws 'service.port'"),
        (f"{HEAD}fact = 5", "fact must be a table"),
        (f'{HEAD}withdraw = "service.port"', "withdraw must be a list"),
    ],
)
def test_a_wrong_edition_is_refused_with_the_reason(text, why):
    with pytest.raises(Invalid) as caught:
        read_edition("test", text)
    assert why in caught.value.message


def test_a_wrong_key_is_answered_with_the_nearest():
    with pytest.raises(Invalid) as caught:
        read_edition("test", fact("image.maxsize", '"30 GB"'))
    assert caught.value.hint == "did you mean 'image.max_size'?"


def test_dotted_tables_are_read_as_well_as_quoted_ones():
    text = f'{HEAD}[fact.service.port]\nvalue = 9000\nsource = "doc_1"\n'
    assert read_edition("test", text)[v.SERVICE_PORT] == 9000
