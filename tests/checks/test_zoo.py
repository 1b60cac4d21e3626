"""Images that misbehave, each in one way, under the whole check: the rule that is meant for it speaks, and no other."""

import concurrent.futures
import contextlib
import json
import re
import subprocess
import sys
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path

import docker
import pytest

from mooring.checks import Status, Verdict
from mooring.checks.case import check as check_case
from mooring.cli.asked import Asked
from mooring.cli.subject import opened
from mooring.contract import edition, editions
from mooring.project import Options, Project, build, find_builder

pytestmark = pytest.mark.engine
MNIST = Path(__file__).resolve().parents[2] / "examples" / "mnist"
# What a container does is mostly to wait; more at once would make a small machine slow enough to be called late.
AT_ONCE = 4
HEALTH = {"url": "/health", "protocol": "http", "initial_delay_seconds": "12", "timeout_seconds": "3"}
# For those that never become ready: how long the check waits is what the probes bear.
BRIEF = {**HEALTH, "initial_delay_seconds": "1", "period_seconds": "1", "failure_threshold": "5"}
RUN_SH = "/home/run.sh"
UNNEEDED = (
    "/usr/lib/jvm",
    "/usr/share",
    *(f"/usr/lib/x86_64-linux-gnu/{name}" for name in ("perl", "perl-base", "gconv")),
)
SERVER = ("python3", "-u", "/double.py")


def config(*, health=HEALTH, protocol="http"):
    text = {"type": "object", "properties": {"text": {"type": "string", "maxLength": 1000}}}
    result = {"type": "object", "properties": {"mnist_result": {"type": "integer"}}, "required": ["mnist_result"]}
    api = {
        "protocol": protocol,
        "url": "/",
        "method": "POST",
        "request": {"Content-type": "application/json", "data": text},
        "response": {"Content-type": "application/json", "data": result},
    }
    return {
        "model_algorithm": "reading",
        "model_type": "Image",
        "apis": [api],
        **({"health": health} if health else {}),
    }


@dataclass(frozen=True, kw_only=True)
class Animal:
    """One image, how it is checked, the rule that must speak, "" where nothing is wrong, and words that it must say."""

    double: str
    rule: str = ""
    says: str = ""
    words: tuple[str, ...] = ()
    command: tuple[str, ...] = SERVER
    config: dict = field(default_factory=config)
    files: dict = field(default_factory=dict)
    name: str = ""

    def __str__(self):
        return self.name or self.double


OTC_2024 = ("--edition", "otc-2024")
ROLLING = ("--edition", "otc-2024", "--rolling-upgrade")
BATCH = ("--kind", "batch")
ZOO = (
    # It does not become ready.
    Animal(double="exits_at_once", rule="RUN-START-01", says="no weights in /models"),
    Animal(
        double="crashes_again_and_again",
        rule="RUN-START-01",
        says="cannot open /models/model.onnx",
        config=config(health=BRIEF),
    ),
    Animal(double="forks_into_background", rule="RUN-START-01", says="finished-at-once"),
    Animal(double="misses_a_module", rule="RUN-START-01", says="no module named flask"),
    Animal(double="misses_a_library", rule="RUN-START-01", says="libGL.so.1 is not in the image"),
    Animal(double="grows_without_end", rule="RUN-START-01", says="limit of 64 MiB", words=("--memory", "64m")),
    Animal(double="never_ready", rule="RUN-START-01", says="layer 3 of 900", config=config(health=BRIEF)),
    # What its code says already is told by who saw it running, with the line that says it.
    Animal(
        double="listens_on_8000",
        rule="RUN-PORT-01",
        says="0.0.0.0:8000, and not on port 8080\nIMG-PORT-01 names the cause: Python's http.server is started on",
        config=config(health=BRIEF),
    ),
    Animal(
        double="listens_on_loopback",
        rule="RUN-PORT-02",
        says="reach\nIMG-PORT-02 names the cause: Python's http.server is bound to 127.0.0.1",
        config=config(health=BRIEF),
    ),
    Animal(
        double="speaks_tls",
        rule="RUN-PROTO-01",
        says="speaks https, and config.json declares http",
        config=config(health=BRIEF),
    ),
    Animal(
        double="keeps_the_contract",
        name="speaks_plain_http",
        rule="RUN-PROTO-01",
        says="speaks http, and config.json declares https",
        config=config(health=BRIEF, protocol="https"),
    ),
    Animal(
        double="exits_at_once",
        name="is_no_program",
        rule="RUN-START-01",
        says="exec format error",
        command=("/home/server",),
        # An executable file that is none is what a program for another processor looks like to the kernel.
        files={"/home/server": b"\x7fELF\2"},
    ),
    Animal(double="health_fails", rule="RUN-HEALTH-01", says="answers 500", config=config(health=BRIEF)),
    Animal(double="has_no_health", rule="RUN-HEALTH-01", says="answers 404", config=config(health=BRIEF)),
    Animal(
        double="keeps_the_contract",
        name="fails_its_health_command",
        rule="RUN-HEALTH-01",
        says="exit code 1",
        config=config(health={**BRIEF, "check_method": "EXEC", "command": "test -f /tmp/model-is-loaded"}),
    ),
    # It becomes ready, with a flaw.
    Animal(
        double="has_no_health",
        name="has_no_health_where_none_is_required",
        rule="RUN-HEALTH-05",
        says="answers 404\nCFG-HEALTH-02 names the cause: config.json has no health block",
        config=config(health=None),
        words=OTC_2024,
    ),
    Animal(
        double="loads_slowly",
        rule="RUN-START-02",
        says="bears 9 s",
        config=config(health={**BRIEF, "failure_threshold": "8"}),
    ),
    Animal(double="fills_its_memory", rule="RUN-START-03", says="of its limit of 640", words=("--memory", "640m")),
    Animal(double="health_without_content", rule="RUN-HEALTH-02", says="answers 204"),
    Animal(double="healthy_before_ready", rule="RUN-HEALTH-03", says="loading the model"),
    Animal(
        double="blocks_health",
        rule="RUN-HEALTH-04",
        says="later than 1 s",
        config=config(health={**HEALTH, "timeout_seconds": "1"}),
    ),
    Animal(
        double="unwell_while_busy",
        rule="RUN-HEALTH-04",
        says="runs of the health command 'test -e /tmp/well' during calls",
        config=config(health={**BRIEF, "check_method": "EXEC", "command": "test -e /tmp/well"}),
    ),
    # Its api does not do what it should.
    Animal(double="serves_another_route", rule="RUN-API-01", says="POST / answers 404"),
    Animal(double="fails_on_valid_input", rule="RUN-API-02", says="no kernel image is available"),
    Animal(double="answers_not_as_declared", rule="RUN-API-03", says="mnist_result"),
    Animal(double="fails_on_bad_input", rule="RUN-API-04", says="answers 500"),
    Animal(double="hangs_on_bad_input", rule="RUN-API-04", says="no answer within"),
    Animal(double="hangs_up_on_bad_input", rule="RUN-API-04", says="closes the connection"),
    Animal(double="errors_with_status_200", rule="RUN-API-05", says="expected JSON like"),
    Animal(double="dies_on_bad_json", rule="RUN-API-06", says="exit code 1"),
    Animal(double="refuses_large_bodies", rule="RUN-BODY-01", says="answers 413"),
    Animal(double="hangs_on_too_large_bodies", rule="RUN-BODY-02", says="no answer within"),
    Animal(double="answers_at_random", rule="RUN-REPEAT-01", says="mnist_result"),
    Animal(double="leaks", rule="RUN-MEM-01", says="KiB a call"),
    # It logs where nobody looks, or too late.
    Animal(double="logs_to_a_file", rule="RUN-LOG-01", says="/tmp/server.log"),  # noqa: S108 - where it logs
    Animal(double="logs_to_a_file_too", rule="RUN-LOG-03", says="/tmp/server.log"),  # noqa: S108 - the same
    Animal(double="buffers_its_logs", rule="RUN-LOG-02", says="late"),
    Animal(double="writes_nothing"),
    # It ends badly.
    Animal(double="ignores_sigterm", rule="RUN-TERM-01", says="no handler for SIGTERM"),
    Animal(double="drops_requests_in_flight", rule="RUN-TERM-02", says="got no answer"),
    Animal(double="stops_listening_at_sigterm", rule="RUN-TERM-03", says="answered new requests for", words=ROLLING),
    Animal(double="closes_idle_connections", rule="RUN-KEEP-01", says="measured", words=OTC_2024),
    # Nothing is wrong with these.
    Animal(double="keeps_the_contract"),
    Animal(
        double="tells_its_health_by_a_file",
        config=config(health={**BRIEF, "check_method": "EXEC", "command": "test -f /tmp/well"}),
    ),
    # Started as a batch service starts it.
    Animal(
        double="keeps_the_contract",
        name="starts_in_the_background",
        rule="RUN-BOOT-01",
        says="(finished-at-once)\nIMG-TERM-03 names the cause: /home/run.sh starts python3 -u /double.py in the",
        command=("sh", RUN_SH),
        files={RUN_SH: b"#!/bin/sh\npython3 -u /double.py &\n"},
        words=BATCH,
    ),
    Animal(
        double="keeps_the_contract",
        name="has_a_script_from_windows",
        rule="RUN-START-01",
        says="IMG-BOOT-06 names the cause: 2 of 2 lines of /home/run.sh end with CR LF",
        command=("sh", RUN_SH),
        files={RUN_SH: b"#!/bin/sh\r\nexec python3 -u /double.py\r\n"},
    ),
)


@pytest.fixture(scope="module")
def small_base(engine, debian_base):
    """The base without Java and what else no double needs: each image is read as a whole, and this is a third of it."""
    name = f"mooring-double:small-{uuid.uuid4().hex[:8]}"
    with contextlib.closing(docker.DockerClient(base_url=engine.address.url, timeout=300)) as client:
        container = client.containers.create(debian_base, ["rm", "-rf", *UNNEEDED], user="root")
        try:
            container.start()
            container.wait()
            data = b"".join(container.export(chunk_size=1 << 20))
        finally:
            container.remove(force=True)
        client.api.import_image_from_data(data, *name.split(":"))
        yield name
        client.images.remove(name, force=True)


@pytest.fixture(scope="module")
def reports(request, double, small_base):
    """The reports of all animals that are asked for in this run, each as soon as it is there."""
    asked = [item.callspec.params["animal"] for item in request.session.items if "animal" in _params(item)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        yield {str(animal): pool.submit(check, image(double, small_base, animal), *animal.words) for animal in asked}


def _params(item):
    return item.callspec.params if hasattr(item, "callspec") else {}


@pytest.fixture(scope="module")
def mnist_image(engine):
    """Our own example, as its users build it."""
    name = f"mooring-test-{uuid.uuid4().hex[:8]}:mnist"
    build(Project.open(MNIST), name, Options(), builder=find_builder(), say=print)
    yield name
    engine.remove_image(name)


@pytest.fixture(scope="module")
def mnist_case(mnist_image, reports):
    """All that any edition asks of it, with its one trial and its one reading for whoever judges it.

    Its end is watched for longer than a minute, and waited for while the others are checked.
    """
    asked = Asked(
        subject=mnist_image,
        edition="huawei-2025",
        kind="both",
        rolling_upgrade=True,
        samples={"images": str(MNIST / "samples" / "seven.jpg")},
    )
    with opened(asked) as case, case.start_trial(Project.open(MNIST).config) as trial:
        files = case.read()
        yield replace(case, read=lambda: files, start_trial=lambda _: contextlib.nullcontext(trial))


def image(double, small_base, animal):
    return double(
        animal.double,
        command=animal.command,
        labels={"io.mooring.config": json.dumps(animal.config)},
        files=animal.files,
        **({} if animal.words == BATCH else {"base": small_base}),
    )


def check(name, *words):
    """The report as programs get it."""
    done = subprocess.run(
        [sys.executable, "-m", "mooring.cli", "check", name, "--format", "json", *words],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def heavy(result):
    """What is worth more than a remark, as lines."""
    return [f"{one['level']}: {one['message']}" for one in result["findings"] if one["level"] != "info"]


@pytest.mark.parametrize("name", editions())
def test_the_mnist_image_passes_every_rule_of_every_edition(name, mnist_case):
    report = check_case(replace(mnist_case, edition=edition(name)))
    failing = {
        result.rule.id: [finding.message for finding in result.findings]
        for result in report.results
        if result.status is Status.FAILED
    }
    assert not failing
    unknown = {result.rule.id: result.why for result in report.results if result.status is Status.UNKNOWN}
    assert not unknown
    assert report.verdict is Verdict.KEEPS


@pytest.mark.parametrize("animal", ZOO, ids=str)
def test_an_image_that_misbehaves_is_caught_by_the_rule_that_is_meant_for_it_and_by_no_other(animal, reports):
    report = reports[str(animal)].result()
    speaking = {result["rule"]: heavy(result) for result in report["results"] if result["status"] == "failed"}
    assert list(speaking) == ([animal.rule] if animal.rule else []), speaking
    assert animal.says in "\n".join(line for lines in speaking.values() for line in lines)
    # The other side of the fault is neither passed nor unknown: it says who tells it.
    beside = [one for one in report["results"] if one["why"] == f"{animal.rule} tells it, as it was seen running"]
    named = re.findall(r"^(\S+) names the cause: ", "\n".join(speaking.get(animal.rule, ())), re.MULTILINE)
    assert [(one["rule"], one["status"]) for one in beside] == [(name, "skipped") for name in named]
