"""The platform's verbs, as somebody at a shell meets them."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from platform_process import PlatformProcess, greeter, until

from mooring import Client
from mooring.errors import Conflict, NotFound


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """One platform for this file, with two versions of a model and one that never becomes ready."""
    folder = tmp_path_factory.mktemp("platform")
    here = PlatformProcess(folder / "data").start()
    try:
        here.done("import", greeter(folder / "greeter"))
        here.done("import", greeter(folder / "two" / "greeter", by=2), "greeter:1.0.0")
        here.done("import", greeter(folder / "broken", setup="raise OSError('no weights')"))
        here.done("import", greeter(folder / "lazy", setup="time.sleep(600)"))
        yield here
    finally:
        here.close()


@pytest.fixture(scope="module")
def hello(platform):
    """A service of the first version."""
    told = platform.done("deploy", "greeter:0.0.1", "--name", "hello")
    assert "hello is running at " in told
    return "hello"


def test_a_model_without_a_version_is_the_next_of_its_name(platform):
    names = {f"{one['model_name']}:{one['model_version']}" for one in platform.told("models", "greeter")}
    assert names == {"greeter:0.0.1", "greeter:1.0.0"}
    table = platform.done("models")
    assert re.search(r"^greeter:0\.0\.1 +published +\d+ k?B ", table, re.MULTILINE)


def test_what_is_imported_can_be_seen_and_so_can_what_the_check_said(platform):
    shown = platform.done("show", "greeter:0.0.1")
    assert re.search(r"^status +published$", shown, re.MULTILINE)
    assert "  POST /\n" in shown
    assert "The model is imported." in platform.done("events", "greeter:0.0.1")
    assert (
        platform.done("show", "greeter:0.0.1", "--report").splitlines()[-1].startswith("keeps the contract of otc-2022")
    )
    assert platform.told("show", "greeter:0.0.1", "--report")["verdict"] == "keeps"


def test_what_the_check_finds_keeps_a_model_out_and_is_told(platform, tmp_path):
    project = greeter(tmp_path / "wrong")
    (project / "config.json").write_text((project / "config.json").read_text().replace('"http"', '"ftp"'))
    done = platform.mooring("import", project, "wrong")
    assert done.returncode == 1
    assert "\n! CFG-PROTO-01: apis[0].protocol is 'ftp'\n  write http or https\n" in done.stderr
    assert "wrong:0.0.1 was not imported: CFG-" in done.stderr
    report = platform.done("show", "wrong:0.0.1", "--report")
    assert "must CFG-PROTO-01  The protocol of an api is one that the edition knows\n" in report
    assert platform.done("delete", "wrong:0.0.1") == "deleted wrong:0.0.1\n"


def test_a_deployment_is_told_as_it_happens_and_answers_by_its_name(platform):
    done = platform.mooring("deploy", "greeter:0.0.1", "--name", "short", "-n", "2", "-e", "LEVEL=info")
    assert done.returncode == 0, done.stderr
    phases = [line.strip() for line in done.stderr.splitlines()]
    assert phases[0] == "start to deploy service"
    assert phases[-1] == "service started"
    assert len(phases) == len(set(phases))
    assert "  mooring predict short/ -d " in done.stdout
    assert json.loads(platform.done("predict", "short", "-d", '{"name": "Ann"}')) == {"hello": "Ann", "by": 1}
    assert re.search(r"^greeter:0.0.1 +2/2 ", platform.done("monitor", "short"), re.MULTILINE)
    assert platform.done("delete", "short") == "deleted short\n"
    assert "short" not in platform.done("services")


def test_a_service_is_named_by_its_name_or_its_id(platform, hello):
    service_id = platform.told("services", hello)[0]["service_id"]
    assert platform.told("show", hello)["service_id"] == service_id
    assert platform.told("show", service_id)["service_name"] == hello
    assert json.loads(platform.done("predict", f"{service_id}/", "-d", "{}"))["hello"] == "world"


def test_an_update_goes_to_another_version_and_keeps_what_was_not_named(platform):
    platform.done("deploy", "greeter:0.0.1", "--name", "moving", "-e", "LEVEL=info", "--timeout", "60")
    done = platform.mooring("update", "moving", "greeter:1.0.0")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == "  updating service"
    assert json.loads(platform.done("predict", "moving", "-d", "{}"))["by"] == 2
    [entry] = platform.told("show", "moving")["config"]
    assert (entry["model_version"], entry["envs"]) == ("1.0.0", {"LEVEL": "info"})
    assert entry["deploy_timeout_in_seconds"] == 60
    failed = platform.mooring("update", "moving", "broken", "--timeout", "3")
    assert failed.returncode == 1
    assert "! update failed, rolling back: " in failed.stderr
    assert "moving is running: the update failed, and what served before goes on" in failed.stderr
    assert json.loads(platform.done("predict", "moving", "-d", "{}"))["by"] == 2
    assert platform.done("update", "moving", "--description", "of both").startswith("moving is running (")
    assert platform.told("show", "moving")["description"] == "of both"
    platform.done("delete", "moving")


def test_a_deployment_that_fails_says_why_and_where_to_look(platform):
    done = platform.mooring("deploy", "broken", "--timeout", "3")
    assert done.returncode == 1
    assert "broken is failed: " in done.stderr
    assert "\n    do next: " in done.stderr
    assert "\n         do next: " in platform.done("show", "broken")
    assert "mooring logs broken shows what its instances wrote" in done.stderr
    assert "no weights" in platform.done("logs", "broken")
    platform.done("delete", "broken")


def test_ctrl_c_leaves_a_deployment_to_itself_and_says_so(platform):
    waiting = platform.begin("deploy", "lazy", "--name", "patience")
    assert waiting.stderr.readline() == "  start to deploy service\n"
    waiting.send_signal(signal.SIGINT)
    _, told = waiting.communicate(timeout=20)
    assert waiting.returncode == 130
    assert "the deployment goes on; mooring show patience tells how far it is" in told
    assert platform.told("show", "patience")["status"] == "deploying"
    busy = platform.mooring("stop", "patience")
    assert (busy.returncode, busy.stdout) == (2, "")
    assert "patience is deploying" in busy.stderr
    platform.done("delete", "patience")


def test_a_service_stops_and_starts_again(platform):
    platform.done("deploy", "greeter", "--name", "resting", "--cpu", "0.5", "--memory", "512m", "--stop-after", "6h")
    assert re.search(r"^stops at +\d{4}-", platform.done("show", "resting"), re.MULTILINE)
    assert platform.done("stop", "resting").startswith("resting is stopped (")
    unanswered = platform.mooring("predict", "resting", "-d", "{}")
    assert unanswered.returncode == 1
    assert platform.mooring("update", "resting", "-n", "2").returncode == 0
    assert "resting is running at " in platform.done("start", "resting")
    [entry] = platform.told("show", "resting")["config"]
    assert (entry["instance_count"], entry["custom_spec"]["memory"]) == (2, 512)
    assert platform.done("delete", "resting") == "deleted resting\n"


def test_logs_go_on_with_what_comes(platform, hello):
    assert "greeter 1 is here" in platform.done("logs", hello)
    following = platform.begin("logs", hello, "-f", "--tail", "1")
    first = following.stdout.readline()
    replica = platform.told("monitor", hello)
    assert replica["service_running_instance_count"] == 1
    for _ in range(3):
        platform.done("predict", hello, "-d", "{}")
    assert following.stdout.readline() != first
    following.send_signal(signal.SIGINT)
    _, told = following.communicate(timeout=20)
    assert (following.returncode, told) == (0, "")
    [line, *_] = platform.mooring("logs", hello, "--json").stdout.splitlines()
    assert {"time", "replica", "stream", "text"} == set(json.loads(line))


def test_calls_are_counted(platform, hello):
    platform.done("predict", hello, "-d", "{}")
    until(lambda: platform.told("show", hello)["invocation_times"] > 0, "a call counted")
    assert platform.told("monitor", hello)["monitors"][0]["model_version"] == "0.0.1"
    assert " in the last minute" in platform.done("monitor", hello)
    assert platform.done("events", hello).splitlines()[-1].endswith("  service started")


def test_a_model_in_use_is_not_deleted_and_the_reason_is_told(platform, hello):
    done = platform.mooring("delete", "greeter:0.0.1")
    assert done.returncode == 1
    assert "greeter:0.0.1 was not deleted: " in done.stderr


def test_what_is_not_there_to_delete_keeps_nothing_else(platform):
    platform.done("deploy", "lazy", "--name", "late", "--detach")
    done = platform.mooring("delete", "nobody", "late", "nobody:", "--json")
    assert done.returncode == 1
    assert "nobody was not deleted: there is no service and no model of that name" in done.stderr
    assert [one["name"] for one in json.loads(done.stdout)["delete_failed_list"]] == ["nobody", "nobody:"]
    assert "late" not in platform.done("services")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("show", "nobody"), "there is no service and no model nobody"),
        (("logs", "nobody"), "there is no service nobody"),
        (("update", "hello"), "nothing is to be changed"),
        (("deploy", "greeter:9.9.9"), "there is no model greeter:9.9.9"),
        (("deploy", "greeter:0.0.1", "greeter:1.0.0"), "greeter:0.0.1 has no weight"),
        (("deploy", "greeter:0.0.1=50", "greeter:1.0.0=49"), "100"),
        (("deploy", "greeter", "--flavor", "huge"), "huge"),
        (("deploy", "greeter", "--cpu", "2"), "--cpu and --memory belong together"),
        (("deploy", "greeter", "--stop-after", "soon"), "--stop-after 'soon' is not a time"),
        (("deploy", "greeter", "--name", "hello"), "hello"),
        (("import", "/nowhere/at/all.tar"), "/nowhere/at/all.tar"),
        (("keys", "revoke", "nothing-such"), "there is no key"),
        (("keys", "create", "--kind", "magic"), "there is no kind of key 'magic'"),
        (("keys", "create", "--kind", "app"), "an app code opens one service"),
        (("gateway", "--control", "http://127.0.0.1:9"), "a gateway needs a token of its own"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line_with_a_hint(platform, hello, words, complaint):
    done = platform.mooring(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_nobody_there_is_told_apart_from_a_mistake(platform):
    done = platform.mooring("services", MOORING_URL="http://127.0.0.1:9")
    assert done.returncode == 69
    assert "no platform answers at http://127.0.0.1:9" in done.stderr
    assert "hint: mooring up starts one" in done.stderr


def test_a_key_opens_until_it_is_revoked(platform):
    made = platform.told("keys", "create", "ann", "--description", "for a try", "--valid-for", "2d")
    assert platform.mooring("services", MOORING_TOKEN=made["secret"]).returncode == 0
    listed = platform.done("keys", "list")
    assert re.search(rf"^{made['id']} +token +ann ", listed, re.MULTILINE)
    assert made["secret"] not in listed
    assert platform.done("keys", "revoke", made["id"]) == f"revoked {made['id']}\n"
    refused = platform.mooring("services", MOORING_TOKEN=made["secret"])
    assert refused.returncode == 2
    assert "hint: the token is not good for this platform" in refused.stderr
    pair = platform.done("keys", "create", "--kind", "pair")
    assert re.search(r"^access +\w+$", pair, re.MULTILINE)


def test_an_app_code_opens_its_service_and_nothing_else(platform, hello):
    code = platform.told("keys", "create", "--kind", "app", "--service", hello)["secret"]
    address = platform.told("show", hello)["access_address"]
    assert platform.mooring("predict", address, "-d", "{}", "-H", f"X-Apig-AppCode: {code}").returncode == 0
    assert platform.mooring("predict", address, "-d", "{}").returncode == 1
    assert platform.mooring("services", MOORING_TOKEN=code).returncode == 2


def test_a_login_is_remembered_for_this_user_alone(platform, tmp_path):
    here = {"XDG_CONFIG_HOME": str(tmp_path), "MOORING_DATA": "", "MOORING_URL": "", "HOME": str(tmp_path)}
    assert platform.mooring("login", platform.url, stdin="\n", **here).returncode == 2
    assert platform.mooring("login", platform.url, stdin="no-token\n", **here).returncode == 2
    told = platform.done("login", platform.url, stdin=f"{platform.token}\n", **here)
    assert told == f"logged in at {platform.url}, project default\n"
    kept = tmp_path / "mooring" / "login.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert platform.mooring("services", **here).returncode == 0
    assert platform.done("login", platform.url, "--user", "admin", stdin=f"{platform.token}\n", **here) == told
    assert json.loads(kept.read_text())["token"] != platform.token
    assert platform.mooring("services", **here).returncode == 0


def test_the_shell_completes_verbs_and_names(platform, hello):
    def completed(line):
        words = {"_MOORING_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
        program = os.path.join(os.path.dirname(sys.executable), "mooring")
        done = subprocess.run([program], env={**platform.environ, **words}, capture_output=True, text=True, check=False)
        return done.stdout.split()

    assert completed("mooring dep") == ["deploy"]
    assert completed("mooring show hel") == [hello]
    assert set(completed("mooring deploy gr")) == {"greeter:0.0.1", "greeter:1.0.0"}
    assert completed("mooring logs zz") == []


def test_the_same_from_python(platform, tmp_path):
    with Client(environ=platform.environ) as client:
        model_id = client.import_model(greeter(tmp_path / "python", by=9), "python", "1.0.0")
        states = []
        model = client.wait_for_model(model_id, seen=lambda one: states.append(one["model_status"]))
        assert (model["model_status"], states[-1]) == ("published", "published")
        service_id = client.deploy("snake", [{"model_id": "python:1.0.0", "weight": 100}], description="from Python")
        assert client.wait_for_service("snake")["status"] == "running"
        assert client.predict("snake", json={"name": "Bo"}).json() == {"hello": "Bo", "by": 9}
        with pytest.raises(Conflict, match="snake"):
            client.deploy("snake", [{"model_id": "python", "weight": 100}])
        client.stop("snake")
        assert client.wait_for_service(service_id)["status"] == "stopped"
        client.delete_service("snake")
        client.wait_until_deleted("snake")
        with pytest.raises(NotFound, match="there is no service snake"):
            client.service("snake")
        assert client.delete_model("python")["delete_success_list"] == [model_id]


def test_a_word_without_a_dot_is_a_service_and_no_host(platform):
    done = platform.mooring("predict", "example", "-d", "{}")
    assert done.returncode == 2
    assert "there is no service example" in done.stderr


def test_the_sizes_of_instances_are_listed(platform):
    assert platform.done("flavors").splitlines()[1].startswith("modelarts.vm.cpu.2u ")


def test_help_opens_no_room_that_is_slow():
    script = (
        "import sys, mooring.cli.app; slow = {'httpx', 'sqlalchemy', 'fastapi', 'uvicorn', 'docker'}; "
        "print(*slow & {name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_help_lists_every_verb_once_under_what_it_is_for(platform):
    shown = platform.done("--help")
    headings = re.findall(r"^(\w.+):$", shown, re.MULTILINE)
    assert headings == ["Options", "Make a model", "Check it", "Deploy it on a platform"]
    verbs = re.findall(r"^  ([a-z]+) ", shown, re.MULTILINE)
    assert len(verbs) == len(set(verbs))
    assert {"init", "check", "up", "import", "deploy", "flavors", "keys", "gateway"} <= set(verbs)
    assert "..." not in "".join(
        line for line in shown.splitlines() if line.startswith(("  deploy ", "  update ", "  up "))
    )
