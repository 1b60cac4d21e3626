"""A fault that is seen from two sides is told once, by the rule that saw it running, whoever reads the report."""

import ast
import inspect
import json
import re
import xml.etree.ElementTree as ET

import pytest

from mooring.checks import Evidence, Report, Status, Subject, Verdict, Wish, catalogue, results, rule_named
from mooring.checks.command.bases import image
from mooring.checks.render import render
from mooring.checks.trial.sightings import HealthWatch, Start
from mooring.contract import Level, ModelConfig, edition
from mooring.engine import Answer, Diagnosis, exits, loading, silence
from mooring.engine.probe import Outcome

SERVER = "from http.server import HTTPServer\nHTTPServer(('127.0.0.1', 8080), None).serve_forever()\n"
ON_LOOPBACK = image("python3", "-u", "/a.py", files={"/a.py": SERVER})
BY_READING, BY_RUNNING = "IMG-PORT-02", "RUN-PORT-02"


def started(cause):
    diagnosis = Diagnosis(
        cause=cause, seen="what was seen", expected="what was not", advice="what to do", log_tail=("last words",)
    )
    return Start(command=("sh", "/home/run.sh"), ready=not cause, seconds=9.0, diagnosis=diagnosis if cause else None)


def evidence(made, **given):
    known = {"image_config": made.config, "files": made.read(), "edition": edition("otc-2022"), "wish": Wish(), **given}
    return Evidence({name: (lambda value=value: value) for name, value in known.items()})


def judged(*names, of=ON_LOOPBACK, wish=None, **given):
    found = results([rule_named(name) for name in names], evidence(of, **given), wish or Wish())
    return {result.rule.id: result for result in found}


def on_loopback(*, wish=None, cause="listens-on-loopback", names=(BY_READING, BY_RUNNING)):
    return judged(*names, start=started(cause), wish=wish)


def test_who_saw_it_running_tells_it_with_the_place_and_the_remedy_of_who_read_it():
    (alone,) = judged(BY_READING)[BY_READING].findings
    found = on_loopback()
    (both,) = found[BY_RUNNING].findings
    assert both.message == f"what was seen\n{BY_READING} names the cause: {alone.message}"
    assert (both.hint, both.where) == (alone.hint, alone.where)
    assert found[BY_READING].status is Status.SKIPPED
    assert found[BY_READING].why == f"{BY_RUNNING} tells it, as it was seen running"
    assert not found[BY_READING].findings


def test_the_order_of_the_rules_changes_nothing():
    assert on_loopback() == on_loopback(names=(BY_RUNNING, BY_READING))


def test_the_cause_stands_before_the_last_words_of_the_log():
    script = image("sh", "/home/run.sh", files={"/home/run.sh": "exec python3 -u /a.py\r\n", "/a.py": "import app\n"})
    found = judged("IMG-BOOT-06", "RUN-START-01", of=script, start=started("command-missing"))
    (told,) = found["RUN-START-01"].findings
    lines = told.message.splitlines()
    assert lines[0] == "what was seen (command-missing)"
    assert lines[1].startswith("IMG-BOOT-06 names the cause: 1 of 1 lines of /home/run.sh")
    assert lines[2:] == ["last log lines:", "  | last words"]
    assert told.where == "/home/run.sh:1"


@pytest.mark.parametrize("cause", ["", "listens-on-another-port", "out-of-memory"])
def test_what_was_not_seen_running_is_told_by_who_read_it(cause):
    assert on_loopback(cause=cause)[BY_READING].status is Status.FAILED


def test_two_faults_are_told_by_two_rules():
    script = image("sh", "/home/run.sh", files={"/home/run.sh": "python3 -u /a.py\n", "/a.py": "import app\n"})
    found = judged("IMG-TERM-03", "RUN-START-01", of=script, start=started("python-module-missing"))
    assert {result.status for result in found.values()} == {Status.FAILED}


@pytest.mark.parametrize("accepted", [BY_READING, BY_RUNNING])
def test_to_accept_one_side_does_not_silence_the_other(accepted):
    found = on_loopback(wish=Wish(accepted={accepted: "for now"}))
    assert {name: result.status for name, result in found.items()} == {
        **dict.fromkeys(found, Status.FAILED),
        accepted: Status.ACCEPTED,
    }


def test_it_weighs_as_much_as_the_graver_of_the_two():
    text = '{"apis": [{"url": "/"}], "model_type": "Image", "model_algorithm": "reading"}'
    first = Answer(Outcome.ANSWERED, status=404)
    seen = HealthWatch(url="/health", declared=False, first=first, content_type="", limit_seconds=3.0)
    for wish, level in ((Wish(), Level.SHOULD), (Wish(rolling_upgrade=True), Level.MUST)):
        found = judged(
            "CFG-HEALTH-02",
            "RUN-HEALTH-05",
            health=seen,
            config=ModelConfig.parse(text.encode()),
            edition=edition("otc-2024"),
            wish=wish,
        )
        (told,) = found["RUN-HEALTH-05"].findings
        assert told.level is level
        assert told.source == "config.json"
        assert "let the server answer it" in told.hint
        assert found["CFG-HEALTH-02"].status is Status.SKIPPED


def report():
    subject = Subject(name="mnist:1", kind="engine")
    return Report(subject=subject, edition="otc-2022", wish=Wish(), results=tuple(on_loopback().values()))


def test_every_report_tells_it_once_and_the_check_fails_for_it():
    assert report().verdict is Verdict.BREAKS
    text = render(report(), "text")
    assert "1 must be mended, 1 skipped" in text
    assert [line.split()[0] for line in text.splitlines() if re.match(r"  [A-Z]+-", line)] == [BY_RUNNING]
    document = json.loads(render(report(), "json"))
    assert document["counts"] == {"passed": 0, "failed": 1, "accepted": 0, "skipped": 1, "unknown": 0}
    (alert,) = json.loads(render(report(), "sarif"))["runs"][0]["results"]
    assert alert["ruleId"] == BY_RUNNING
    assert alert["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "CMD"}]
    suite = ET.fromstring(render(report(), "junit")).find("testsuite")  # noqa: S314 - our own text
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("1", "0", "1")


def test_a_cause_that_is_read_is_one_that_can_be_seen_running():
    # One that nobody sees by that name would be told twice for ever, and nobody would notice.
    engine = "\n".join(map(inspect.getsource, (exits, loading, silence)))
    known = set(re.findall(r'name="([a-z-]+)"', engine)) | {"no-command"}
    named = {one.id: _causes(inspect.getsource(inspect.getmodule(one.judge))) for one in catalogue()}
    seen = known.union(*(causes for name, causes in named.items() if rule_named(name).runs))
    read = {name: causes - seen for name, causes in named.items() if not rule_named(name).runs}
    assert not {name: strange for name, strange in read.items() if strange}
    assert sum(map(bool, named.values())) > 10


def _causes(source):
    """The words that a module gives its findings as causes."""
    return {
        word.value
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.keyword) and node.arg == "causes")
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CAUSES")
        for word in ast.walk(node.value)
        if isinstance(word, ast.Constant) and isinstance(word.value, str)
    }
