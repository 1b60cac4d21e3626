"""Reports to render: one that has some of everything, and every one there could be."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.checks import Kind, Report, Result, Rule, Status, Subject, Wish
from mooring.checks.rule import Example
from mooring.contract import Finding, Level
from mooring.contract.vocabulary import SERVICE_PORT

DIGEST = "sha256:" + "0123456789abcdef" * 4


def _judge(start, edition):
    yield from ()


def rule(name, title, *, level=Level.MUST, **parts):
    return Rule(
        id=name,
        title=title,
        why="Nobody reaches it otherwise.\n\nA second paragraph.",
        remedy="Do what the rule says.",
        level=level,
        judge=_judge,
        good=(Example("EXPOSE 8080"),),
        bad=(Example("EXPOSE 80"),),
        facts=(SERVICE_PORT,),
        **parts,
    )


PORT = rule("IMG-PORT-01", "It listens on the port of the contract")
LOGS = rule("IMG-LOG-01", "It logs to standard output", level=Level.SHOULD, rolling=Level.MUST)
BOOT = rule("IMG-BOOT-01", "It has the boot file", kind=Kind.BATCH)
SAFE = rule("IMG-SAFE-01", "It holds no malicious code")
USER = rule("IMG-USER-01", "It does not run as root", level=Level.SHOULD)
SIZE = rule("IMG-SIZE-01", "It fits the size limit")
TERM = rule("RUN-TERM-01", "It ends when it is told to")

ON_LOOPBACK = Finding(
    id="IMG-PORT-01",
    level=Level.MUST,
    message="it listens on 127.0.0.1:8080",
    expected="0.0.0.0:8080",
    document="modelarts_23_0270",
    hint="bind to 0.0.0.0",
    source="/home/run.sh",
    line=7,
    column=3,
)
NO_LOGS = Finding(id="IMG-LOG-01", level=Level.SHOULD, message="nothing came in 10.3 s", source="CMD")


def result(its_rule, status, *findings, why=""):
    return Result(rule=its_rule, level=its_rule.level, status=status, why=why, findings=findings)


PASSED = result(SIZE, Status.PASSED)
FAILED = result(PORT, Status.FAILED, ON_LOOPBACK)
TOLERATED = result(LOGS, Status.FAILED, NO_LOGS)
SKIPPED = result(BOOT, Status.SKIPPED, why="only for batch services")
UNKNOWN = result(TERM, Status.UNKNOWN, why="it did not start")
ACCEPTED = result(
    USER,
    Status.ACCEPTED,
    Finding(id="IMG-USER-01", level=Level.SHOULD, message="it runs as root", source="USER"),
    why="the old engine needs it",
)
REMARKED = result(
    SAFE,
    Status.PASSED,
    Finding(id="IMG-SAFE-01", level=Level.INFO, message="a pickle imports numpy", source="/home/model/a.pkl"),
)


def report(*results, subject=None, wish=None, remarks=("no scan proves that an image is free of malicious code",)):
    return Report(
        subject=subject
        or Subject(
            name="mnist:1",
            kind="engine",
            digest=DIGEST,
            platform="linux/amd64",
            size=312 * 1024**2,
            compressed_size=1500 * 1024**2,
            config_source="/home/config.json",
        ),
        edition="otc-2022",
        wish=wish or Wish(),
        results=results,
        remarks=remarks,
        seconds=12.5,
    )


EVERYTHING = report(REMARKED, FAILED, TOLERATED, SKIPPED, UNKNOWN, ACCEPTED, PASSED)

HOSTILE = "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe \u2066 \x9b31m \udce9 \ufffe \x00 ]]> <b> [click](http://example) {0}"
ANY_TEXT = st.text(st.characters(), max_size=60) | st.just(HOSTILE) | st.just("one\ntwo\r\n\tthree")
PLACES = st.sampled_from(["", "config.json", "/home/run.sh", "Dockerfile", "layer 3", "../../etc/passwd", "//a:b/c d"])


def findings():
    return st.builds(
        Finding,
        id=st.sampled_from(["IMG-PORT-01", "CFG-URL-01"]),
        level=st.sampled_from(Level),
        message=ANY_TEXT,
        expected=ANY_TEXT,
        document=ANY_TEXT,
        hint=ANY_TEXT,
        source=ANY_TEXT | PLACES,
        line=st.integers(0, 10**6),
        column=st.integers(0, 10**6),
        seen=ANY_TEXT,
        read_as=ANY_TEXT,
    )


def results():
    rules = [PORT, LOGS, BOOT, SAFE, USER, SIZE, TERM]
    one = st.builds(
        Result,
        rule=st.sampled_from(rules),
        level=st.sampled_from(Level),
        status=st.sampled_from(Status),
        why=ANY_TEXT,
        findings=st.lists(findings(), max_size=3).map(tuple),
    )
    return st.lists(one, max_size=6, unique_by=lambda each: each.rule.id).map(tuple)


def reports():
    return st.builds(
        Report,
        subject=st.builds(
            Subject,
            name=ANY_TEXT | PLACES | st.just("http://127.0.0.1:8080/"),
            kind=st.sampled_from(["engine", "archive", "layout", "registry", "project", "server"]),
            digest=ANY_TEXT,
            platform=ANY_TEXT,
            size=st.integers(0, 10**13),
            compressed_size=st.integers(0, 10**13),
            config_source=ANY_TEXT,
        ),
        edition=st.just("otc-2022"),
        wish=st.builds(
            Wish,
            kind=st.sampled_from(Kind),
            rolling_upgrade=st.booleans(),
            samples=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=2),
            accepted=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=2),
            fail_on=st.sampled_from(Level),
            memory_bytes=st.integers(0, 10**12),
        ),
        results=results(),
        remarks=st.lists(ANY_TEXT, max_size=2).map(tuple),
        seconds=st.floats(0, 10**6),
    )


def every_report(test):
    """Runs the test on reports of all kinds, however long a busy machine takes for one."""
    return settings(deadline=None)(given(reports())(test))
