"""What config.json says of an image is compared with the image itself."""

import json
from importlib import resources

import pytest

from mooring.checks import Evidence, Kind, NotAsked, Status, Wish, rule_named
from mooring.checks.config_source import search, the_config
from mooring.checks.rule import catalogue
from mooring.checks.run import judged
from mooring.contract import Level, edition, editions
from mooring.image import File, ImageConfig, MemoryImage

LABEL = "io.mooring.config"


def text(**members):
    return json.dumps({"model_algorithm": "a", "model_type": "Image", "apis": [{"url": "/"}], **members})


def results(rule, *, files=None, given=None, name="otc-2022", image="memory", **config):
    memory = MemoryImage(files=files or {}, config=ImageConfig(**config), name=image)
    wish, found = Wish(), search(memory.read(), memory.config, given)
    evidence = Evidence(
        {
            "config_search": lambda: found,
            "config": lambda: the_config(found),
            "image": lambda: memory,
            "image_config": lambda: memory.config,
            "files": memory.read,
            "edition": lambda: edition(name),
            "wish": lambda: wish,
        }
    )
    return judged(rule_named(rule), evidence, wish)


def labelled(rule, *, files=None, name="otc-2022", image="memory", config=None, **members):
    labels = {LABEL: text(**members)}
    return results(rule, files=files, name=name, image=image, labels=labels, **(config or {}))


@pytest.mark.parametrize("number", range(1, 10))
def test_every_example_of_a_rule_is_judged_as_it_says(number):
    rule = rule_named(f"CFG-IMG-0{number}")
    for example in rule.good:
        assert list(rule.judge(**example.evidence)) == []
    for example in rule.bad:
        for finding in rule.judge(**example.evidence):
            assert all((finding.message, finding.expected, finding.document, finding.hint, finding.source))
        assert list(rule.judge(**example.evidence))


def test_an_image_without_a_config_is_told_so_and_nothing_else_is_judged():
    assert results("CFG-IMG-01").status is Status.FAILED
    assert results("CFG-IMG-03").status is Status.SKIPPED
    assert results("CFG-IMG-07").status is Status.SKIPPED


def test_a_given_config_makes_a_missing_one_a_remark(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(text())
    result = results("CFG-IMG-01", given=file)
    assert result.status is Status.PASSED
    assert [finding.level for finding in result.findings] == [Level.INFO]


def test_a_broken_config_breaks_the_contract_and_what_depends_on_it_is_unknown():
    files = {"/home/model/config.json": '{"apis": ['}
    broken = results("CFG-IMG-03", files=files)
    assert broken.status is Status.FAILED
    assert broken.findings[0].level is Level.MUST
    assert "/home/model/config.json:1:10" in broken.findings[0].message
    assert results("CFG-IMG-07", files=files).status is Status.UNKNOWN


def test_a_broken_config_that_is_passed_over_is_a_remark():
    result = labelled("CFG-IMG-03", files={"/config.json": '{"apis": ['})
    assert result.status is Status.PASSED
    assert [finding.level for finding in result.findings] == [Level.INFO]


def test_a_label_that_says_the_same_in_other_words_does_not_differ():
    spelt = text(apis=[{"url": "/", "method": "post"}])
    assert labelled("CFG-IMG-02", files={"/home/model/config.json": spelt}).status is Status.PASSED
    result = labelled("CFG-IMG-02", files={"/config.json": text(apis=[{"url": "/"}, {"url": "/b"}])})
    assert "differ at apis" in result.findings[0].message


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("test -f /tmp/ready", Status.PASSED),
        ("/app/check.sh now", Status.PASSED),
        ("./check.sh", Status.PASSED),
        ("wget -q -O - http://127.0.0.1:8080/health", Status.FAILED),
        ("/app/readme.txt", Status.FAILED),
    ],
)
def test_a_health_command_is_looked_up_as_the_container_would(command, status):
    files = {"/bin/test": File(mode=0o755), "/app/check.sh": File(b"#!/bin/sh\n", mode=0o755), "/app/readme.txt": "x"}
    health = {"check_method": "EXEC", "command": command}
    result = labelled("CFG-IMG-04", files=files, startup_health=health, config={"working_dir": "/app"})
    assert result.status is status


def test_tls_is_also_seen_in_the_script_that_is_started():
    apis, config = [{"protocol": "https", "url": "/"}], {"cmd": ("sh", "/home/run.sh")}
    files = {"/home/run.sh": "#!/bin/sh\nexec python3 /srv/app.py\n", "/srv/app.py": "context.load_cert_chain('a.pem')"}
    assert not labelled("CFG-IMG-05", files=files, apis=apis, config=config).findings
    files["/srv/app.py"] = "serve(port=8080)"
    (finding,) = labelled("CFG-IMG-05", files=files, apis=apis, config=config).findings
    assert finding.level is Level.INFO


@pytest.mark.parametrize(
    ("port", "name", "level"),
    [
        ("8080", "otc-2022", None),
        (8080, "otc-2022", None),
        ("8000", "otc-2022", Level.MUST),
        ("8000", "otc-2024", Level.SHOULD),
        ("9000", "otc-2024", None),
        ("http", "otc-2024", Level.MUST),
        (70000, "otc-2024", Level.MUST),
    ],
)
def test_a_declared_port_must_be_asked_and_opened(port, name, level):
    config = {"exposed_ports": ("8080/tcp", "9000/tcp")}
    for key in ("port", "x-port"):
        found = labelled("CFG-IMG-06", name=name, config=config, **{key: port}).findings
        assert [finding.level for finding in found] == ([level] if level else [])


def test_the_registry_may_differ_and_the_name_may_not():
    swr = "swr.example/acme/mnist:1"
    assert not labelled("CFG-IMG-08", image="mnist:1", swr_location=swr).findings
    assert not labelled("CFG-IMG-08", image="registry.example:5000/x/mnist:1@sha256:00", swr_location=swr).findings
    assert labelled("CFG-IMG-08", image="mnist:2", swr_location=swr).findings
    assert labelled("CFG-IMG-08", image="mnist", swr_location=swr).findings


def test_health_may_be_declared_as_an_api_that_is_asked_with_get():
    health = {"url": "/health"}
    result = labelled("CFG-IMG-09", health=health, apis=[{"url": "/"}, {"url": "/health", "method": "GET"}])
    assert result.status is Status.PASSED
    result = labelled("CFG-IMG-09", health=health, apis=[{"url": "/health"}])
    assert result.findings[0].level is Level.SHOULD


def test_a_search_that_could_not_look_everywhere_does_not_say_that_there_is_none():
    rule = rule_named("CFG-IMG-01")
    with pytest.raises(NotAsked):
        list(rule.judge(config_search=search(None, ImageConfig(), None)))


def test_the_config_of_our_own_example_is_good_in_every_edition_for_every_wish():
    data = resources.files("mooring.project").joinpath("templates", "mnist", "config.json").read_bytes()
    image = MemoryImage(config=ImageConfig(labels={LABEL: data.decode()}, exposed_ports=("8080/tcp",)), name="mnist:1")
    found = search(image.read(), image.config, None)
    config = the_config(found)
    ours = [rule for rule in catalogue() if rule.id.startswith("CFG-")]
    for name in editions():
        for kind in Kind:
            wish, judge = Wish(kind=kind, rolling_upgrade=True), edition(name)
            suppliers = {
                "config_search": found,
                "config": config,
                "config_findings": config.check(judge),
                "image": image,
                "image_config": image.config,
                "files": image.read(),
                "edition": judge,
                "wish": wish,
            }
            evidence = Evidence({key: lambda value=value: value for key, value in suppliers.items()})
            results = [judged(rule, evidence, wish) for rule in ours]
            assert {result.rule.id for result in results if result.status is Status.FAILED} == set()
            assert {result.rule.id for result in results if result.status is Status.UNKNOWN} == set()


def test_a_config_that_nobody_looks_for_is_named_with_the_way_out():
    result = results("CFG-IMG-01", files={"/opt/scorer/config.json": text()})
    assert result.status is Status.FAILED
    (finding,) = result.findings
    assert finding.message == "there is /opt/scorer/config.json, where nobody looks for it"
    assert "move it to /home/model/config.json" in finding.hint
    assert "--config" in finding.hint
