import json

import pytest

from mooring.engine import Facts, diagnose
from mooring.engine.diagnosis import JUDGES
from mooring.engine.loading import is_hopeless
from mooring.engine.probe import Answer, Outcome
from mooring.engine.sockets import Listener

ANYWHERE = Listener(8080, "0.0.0.0")
LOOPBACK = Listener(8080, "127.0.0.1")
CLOSED = Answer(Outcome.CLOSED, detail="Server disconnected without sending a response.")


def failing(failure, again="; starting it again"):
    body = json.dumps({"health": "false", "reason": f"loading failed: {failure}{again}"})
    return Answer(Outcome.ANSWERED, 503, body)


CASES = {
    "wrong-architecture": (
        Facts(
            exit_code=1,
            log_tail=("exec /bin/sh: exec format error",),
            image_architecture="arm64",
            engine_architecture="amd64",
        ),
        ["for arm64", "on amd64", "--platform linux/amd64"],
    ),
    "not-a-program": (
        Facts(exit_code=1, log_tail=("standard_init_linux.go:228: exec user process caused: exec format error",)),
        ["#!"],
    ),
    "out-of-memory": (Facts(exit_code=137, oom_killed=True, memory_bytes=512 << 20), ["137", "512 MiB", "--memory"]),
    "disk-filled": (Facts(exit_code=137, ended_as="it wrote more than 10 GB"), ["more than 10 GB", "own layer"]),
    "killed": (Facts(exit_code=137), ["137", "SIGKILL"]),
    "crashed": (Facts(exit_code=139), ["SIGSEGV"]),
    "python-module-missing": (
        Facts(exit_code=1, log_tail=("Traceback ...", "ModuleNotFoundError: No module named 'torch.nn'", "bye")),
        ["torch.nn", "requirements.txt"],
    ),
    "shared-library-missing": (
        Facts(
            exit_code=1,
            log_tail=("ImportError: libGL.so.1: cannot open shared object file: No such file or directory",),
        ),
        ["libGL.so.1", "libgl1"],
    ),
    "command-missing": (
        Facts(
            exit_code=127,
            start_error='OCI runtime create failed: exec: "/home/run.sh": stat /home/run.sh: no such file or directory',
        ),
        ["/home/run.sh", "CMD"],
    ),
    "command-not-executable": (
        Facts(exit_code=126, start_error='OCI runtime create failed: exec: "/home/run.sh": permission denied'),
        ["chmod +x"],
    ),
    "permission-denied": (
        Facts(exit_code=1, log_tail=("PermissionError: [Errno 13] Permission denied: '/models/weights'",)),
        ["/models/weights", "USER"],
    ),
    "could-not-start": (Facts(exit_code=128, start_error="no space left on device"), ["no space left on device"]),
    "finished-at-once": (Facts(exit_code=0), ["foreground", "exec SERVER"]),
    "exited": (Facts(exit_code=3, log_tail=("giving up",)), ["exit code 3", "giving up"]),
    "health-unavailable": (
        Facts(answers=(Answer(Outcome.ANSWERED, 503, '{"health": "false", "reason": "loading"}'),), waited_seconds=60),
        ["503", "loading", "--timeout"],
    ),
    "loading-failed": (
        Facts(answers=(failing("OSError: weights.bin is cut off"),), log_tail=("Traceback", "OSError")),
        ["cannot load its model: OSError: weights.bin is cut off\n", "  | OSError"],
    ),
    "health-missing": (
        Facts(answers=(Answer(Outcome.ANSWERED, 404, "Not Found"),), health_url="/healthz"),
        ["GET /healthz answers 404", "config.json"],
    ),
    "health-redirected": (Facts(answers=(Answer(Outcome.ANSWERED, 307),)), ["redirect"]),
    "health-failing": (Facts(answers=(Answer(Outcome.ANSWERED, 500, "boom\nboom"),)), ["500", "boom boom"]),
    "speaks-https": (
        Facts(answers=(CLOSED,), tls=True, listeners=(ANYWHERE,)),
        ["TLS", "plain http"],
    ),
    "not-http": (
        Facts(answers=(Answer(Outcome.NOT_HTTP, detail="illegal status line: SSH-2.0"),), listeners=(ANYWHERE,)),
        ["SSH-2.0"],
    ),
    "health-command-fails": (
        Facts(
            health_command="test -f /tmp/ready",
            answers=(Answer(Outcome.ANSWERED, status=503, body="exit code 1"),),
            listeners=(ANYWHERE,),
            waited_seconds=30,
        ),
        ["after 30 s", "'test -f /tmp/ready'", "exit code 1"],
    ),
    "health-hangs": (Facts(answers=(Answer(Outcome.SILENT),), listeners=(ANYWHERE,)), ["no answer in its time"]),
    "listens-on-loopback": (
        Facts(answers=(CLOSED,), listeners=(LOOPBACK, Listener(9000, "0.0.0.0"))),
        ["127.0.0.1:8080 only", "0.0.0.0:8080"],
    ),
    "listens-on-another-port": (
        Facts(answers=(CLOSED,), listeners=(Listener(8000, "0.0.0.0"),)),
        ["0.0.0.0:8000", "not on port 8080"],
    ),
    "drops-connections": (Facts(answers=(CLOSED,), listeners=(ANYWHERE,)), ["closes them"]),
    "listens-nowhere": (
        Facts(answers=(CLOSED,), listeners=(), waited_seconds=30),
        ["no port at all", "initial_delay_seconds"],
    ),
    "never-answered": (Facts(answers=(CLOSED,), listeners=None, waited_seconds=30), ["within 30 s"]),
}


@pytest.mark.parametrize("cause", CASES)
def test_the_cause_is_named_with_what_was_seen_and_what_to_do(cause):
    facts, words = CASES[cause]
    diagnosis = diagnose(facts)
    assert diagnosis.cause == cause
    for word in words:
        assert word in str(diagnosis)
    assert diagnosis.expected
    assert diagnosis.advice


def test_every_judge_has_a_case_here():
    known = [*(facts for facts, _ in CASES.values()), Facts(answers=(killed(),))]
    silent = [judge.__name__ for judge in JUDGES if not any(judge(facts) for facts in known)]
    assert silent == []


def test_an_old_import_error_in_the_log_of_a_server_that_answers_is_not_the_cause():
    facts = Facts(
        answers=(Answer(Outcome.ANSWERED, 404),),
        listeners=(ANYWHERE,),
        log_tail=("ModuleNotFoundError: No module named 'optional'", "serving without it"),
    )
    assert diagnose(facts).cause == "health-missing"


def test_a_server_whose_workers_cannot_import_is_told_so_though_it_still_runs():
    facts = Facts(answers=(CLOSED,), listeners=(), log_tail=("ModuleNotFoundError: No module named 'flask'",))
    assert diagnose(facts).cause == "python-module-missing"


def test_a_dead_container_is_judged_by_its_death_and_not_by_an_answer_from_before():
    facts = Facts(exit_code=1, answers=(Answer(Outcome.ANSWERED, 503),), log_tail=("out of licences",))
    assert diagnose(facts).cause == "exited"


def test_only_the_last_lines_of_a_long_log_are_shown():
    shown = str(diagnose(Facts(exit_code=1, log_tail=tuple(f"line {n}" for n in range(50)))))
    assert "line 49" in shown
    assert "line 39" not in shown


@pytest.mark.parametrize(
    ("failure", "cause", "name"),
    [
        ("ModuleNotFoundError: No module named 'numpy'", "python-module-missing", "holds numpy to requirements.txt"),
        ("ImportError: libGL.so.1: cannot open shared object file: No such file", "shared-library-missing", "libgl1"),
    ],
)
def test_what_a_model_lacks_is_named_though_its_server_runs_and_answers(failure, cause, name):
    diagnosis = diagnose(Facts(answers=(failing(failure, "; starting it again in 8 s"),), listeners=(ANYWHERE,)))
    assert diagnosis.cause == cause
    assert failure in diagnosis.seen
    assert name in diagnosis.advice


KILLED = "the worker was killed by SIGKILL (often: out of memory); starting it again"


def killed(again="", more=""):
    return Answer(Outcome.ANSWERED, 503, json.dumps({"health": "false", "reason": f"{KILLED}{again}{more}"}))


@pytest.mark.parametrize(("limit", "words"), [(64 << 20, "its limit of 64 MiB"), (0, "the memory there is")])
def test_a_worker_that_is_killed_while_its_server_runs_is_short_of_memory(limit, words):
    diagnosis = diagnose(Facts(answers=(killed(" in 2 s"),), listeners=(ANYWHERE,), memory_bytes=limit))
    assert diagnosis.cause == "out-of-memory"
    assert "worker was killed by SIGKILL" in diagnosis.seen
    assert words in diagnosis.seen
    assert "--memory" in diagnosis.advice


def test_a_worker_that_is_killed_again_and_again_is_given_up_early():
    assert not is_hopeless([killed(), killed(" in 0.5 s")])
    assert is_hopeless([killed(), killed(" in 0.5 s"), killed(" in 1 s")])
    assert is_hopeless([killed(), killed(" in 1 s", f"; {KILLED} in 0.5 s")])


IN_HALF, IN_ONE, IN_TWO = (f"; starting it again in {seconds} s" for seconds in ("0.5", "1", "2"))


@pytest.mark.parametrize(
    ("answers", "hopeless"),
    [
        ([], False),
        ([failing("A: a")], False),
        ([failing("A: a"), failing("A: a", IN_HALF)], False),
        ([failing("A: a"), failing("A: a", IN_HALF), failing("A: a", IN_ONE)], True),
        ([failing("A: a", IN_HALF), failing("A: a", IN_ONE), failing("A: a", IN_TWO)], True),
        ([failing("B: b"), failing("A: a", IN_HALF), failing("A: a", IN_ONE)], False),
        ([failing("A: a", IN_HALF), failing("A: a", IN_ONE), failing("A: " + "a" * 5000, IN_TWO)], False),
        ([failing("A: a", IN_HALF), failing("A: a", f"{IN_HALF}; loading failed: A: a{IN_ONE}")], False),
        ([failing("A: a", IN_HALF), failing("A: a", IN_ONE), Answer(Outcome.ANSWERED, 503, "stopping")], False),
        ([CLOSED, CLOSED, CLOSED], False),
    ],
)
def test_three_failures_of_one_kind_to_load_are_enough(answers, hopeless):
    assert is_hopeless(answers) is hopeless


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_that_knows_no_get_of_the_health_url_lacks_that_route(status):
    diagnosis = diagnose(Facts(answers=(Answer(Outcome.ANSWERED, status),), listeners=(ANYWHERE,)))
    assert diagnosis.cause == "health-missing"
    assert "add that route" in diagnosis.advice


@pytest.mark.parametrize(
    ("said", "script"),
    [
        ('exec: "pythn": executable file not found in $PATH', False),
        ('exec: "/app/server": stat /app/server: no such file or directory', False),
        ("exec /home/run.sh: no such file or directory", True),
        ("/home/run.sh: 3: gunicorn: not found", True),
        ("/bin/sh^M: bad interpreter: no such file or directory", True),
    ],
)
def test_windows_line_ends_are_spoken_of_where_a_script_is_involved(said, script):
    diagnosis = diagnose(Facts(exit_code=127, log_tail=(said,)))
    assert diagnosis.cause == "command-missing"
    assert ("Windows line ends" in diagnosis.advice) is script


def test_what_may_not_be_executed_is_named_as_the_image_names_it():
    error = 'OCI runtime create failed: exec: "/srv/start": permission denied'
    diagnosis = diagnose(Facts(exit_code=126, start_error=error))
    assert "/srv/start, which its ENTRYPOINT or CMD names," in diagnosis.seen
    assert "/home/run.sh" not in str(diagnosis)
