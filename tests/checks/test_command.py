"""What an image starts is read from its command and its scripts, as far as that is certain, and no further."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.checks.command import Handing, server_of, start_command
from mooring.checks.command.bases import PROGRAM, image, script
from mooring.checks.command.interpreter import outcome
from mooring.checks.command.lexer import Unclear
from mooring.checks.command.program import Fault
from mooring.checks.command.scope import Scope
from mooring.checks.command.shell import read_shell
from mooring.image import MemoryImage

_ROW = "if fi case esac in { } ( ) do done for x ; ;; exec [[ ]] & | a() trap wait"
KEYWORDS = (*_ROW.split(), "\n")
COMMAND_WORDS = (
    *(
        "sh",
        "bash",
        "-c",
        "-l",
        "-euo",
        "/home/run.sh",
        "env",
        "tini",
        "--",
        "exec python3 /a.py",
        "python3",
        "-m",
        "-u",
    ),
    *(
        "gunicorn",
        "uvicorn",
        "flask",
        "run",
        "manage.py",
        "runserver",
        "\u00b2",
        "-b",
        ":",
        "--port=",
        "/a.py",
        "$X",
        "",
    ),
)
SERVE_ARGS = "uvicorn.run(app, host='0.0.0.0', port=args.port)"
FLASK = "from flask import Flask\napp = Flask(__name__)\n"


def started(made):
    return start_command(made.config, made.read())


def served(made):
    files = made.read()
    return server_of(start_command(made.config, files), files)


def through(text, **options):
    """What a start script of that text leads to."""
    return started(image("sh", "/home/run.sh", files={"/home/run.sh": text, **options.pop("files", {})}, **options))


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("exec python3 -u /home/app/app.py", "python3 -u /home/app/app.py"),
        ("#!/bin/bash\nset -euo pipefail\nmkdir -p /tmp/x\ncd /srv\npython3 app.py\n", "python3 app.py"),
        ("exec python3 \\\n  app.py \\\n  --port 80 # the port\n", "python3 app.py --port 80"),
        ("PORT=9000\nexec python3 app.py --port \"$PORT\" --name 'a b'", "python3 app.py --port 9000 --name a b"),
        ("exec python3 app.py --port ${PORT:-8080}", "python3 app.py --port 8080"),
        ("export PORT=${PORT:=8081}; exec python3 app.py -p$PORT", "python3 app.py -p8081"),
        ("cd /srv && exec python3 app.py", "python3 app.py"),
        ("cd /srv || exit 1\nexec python3 app.py", "python3 app.py"),
        ("test -f x || echo missing\npython3 app.py", "python3 app.py"),
        ("python3 worker.py &\nexec python3 app.py", "python3 app.py"),
        ("cat <<EOF > /tmp/x\nexec nothing\nEOF\nexec python3 app.py", "python3 app.py"),
        ('main() {\n  exec python3 app.py\n}\nmain "$@"', "python3 app.py"),
        ('if [ -n "$X" ]; then\n  pip install x\nfi\nexec python3 app.py', "python3 app.py"),
        (
            "for f in a b; do echo $f; done\ncase $1 in\n a) echo a;;\n *) echo b ;;\nesac\nexec python3 app.py",
            "python3 app.py",
        ),
        ("while ! nc -z db 1; do sleep 1; done\nexec python3 app.py", "python3 app.py"),
        ("[[ -n $X && -z $Y ]] && echo x\nexec python3 app.py", "python3 app.py"),
        ("exec > /tmp/log 2>&1\nexec python3 app.py", "python3 app.py"),
        ("exec env A=1 python3 app.py", "python3 app.py"),
        ("exec gosu ma-user python3 app.py", "python3 app.py"),
        ("nohup python3 app.py > /tmp/log 2>&1 &\ntail -f /tmp/log", "python3 app.py"),
        ("exec $(which python3) app.py", "python3 app.py"),
        ("A=$((1 + 2))\narray=(a b c)\nexec python3 app.py", "python3 app.py"),
        ("exec python3 app.py\r\n", "python3 app.py"),
    ],
)
def test_a_start_script_leads_to_its_server(text, program):
    files = {"/usr/local/bin/gosu": PROGRAM, "/usr/bin/nohup": PROGRAM, "/home/app/app.py": ""}
    assert " ".join(through(text, files=files).program) == program


@pytest.mark.parametrize(
    "text",
    [
        'if [ "$MODE" = a ]; then\n  exec python3 a.py\nelse\n  exec python3 b.py\nfi',
        'eval "$START"',
        "exec $SERVER --port 8080",
        "case $1 in a) python3 a.py ;; b) python3 b.py ;; esac",
        "python3 a.py &\npython3 b.py &\nwait",
        "while true; do python3 app.py; done",
        "echo 'never closed\nexec python3 app.py",
        "if true; then exec python3 app.py",
        'exec "$@"\n)',
    ],
)
def test_a_script_that_is_too_clever_is_not_known_and_says_why(text):
    start = through(text, env={"X": "1"})
    assert start.program == ()
    assert start.doubt


@pytest.mark.parametrize(
    ("text", "handing"),
    [
        ("exec python3 app.py", Handing.EXEC),
        ("python3 app.py", Handing.FOREGROUND),
        ("python3 app.py\necho done", Handing.FOREGROUND),
        ("python3 app.py | tee log", Handing.FOREGROUND),
        ("exec python3 app.py | tee log", Handing.FOREGROUND),
        ("python3 app.py &\nwait", Handing.BACKGROUND),
        ("python3 app.py &\nsleep infinity", Handing.BACKGROUND),
        ("trap 'echo' TERM\necho ready", Handing.NOTHING),
        ("python3 app.py & wait $!", Handing.BACKGROUND),
    ],
)
def test_how_a_shell_starts_its_last_command(text, handing):
    found = outcome(text, Scope(values={}), MemoryImage().read(), "/run.sh")
    assert found.handing is handing


def test_an_entrypoint_hands_over_to_the_command():
    files = {"/entry.sh": script('#!/bin/bash\nset -e\n. /env.sh\nexec "$@"\n'), "/env.sh": "export PORT=9000\n"}
    start = started(image("uvicorn", "app:app", entrypoint=("/entry.sh",), files=files))
    assert start.program == ("uvicorn", "app:app")
    assert start.source == "/entry.sh:4"
    assert start.environment["PORT"] == "9000"


def test_an_entrypoint_that_gives_a_shell_to_who_asks_for_none_is_seen_through():
    text = '#!/bin/bash\nif [[ $# -eq 0 ]]; then\n  exec /bin/bash\nelse\n  exec "$@"\nfi\n'
    start = started(image("uvicorn", "app:app", entrypoint=("/entry.sh",), files={"/entry.sh": script(text)}))
    assert start.program == ("uvicorn", "app:app")


def test_arguments_that_a_condition_may_change_are_not_known():
    text = '#!/bin/sh\nif [ "$1" = x ]; then shift; fi\nexec "$@"\n'
    assert started(image("uvicorn", entrypoint=("/entry.sh",), files={"/entry.sh": script(text)})).doubt


def test_a_script_in_its_own_folder_is_found_from_there():
    start = through('cd "$(dirname "$0")"\nexec python3 app.py', files={"/home/app.py": ""})
    assert start.directory == "/home"


def test_what_was_sourced_and_not_read_leaves_the_path_open():
    start = through("source /opt/conda/bin/activate env\nexec only-in-conda --port 8080")
    assert not start.settled
    assert start.hops[-1].program.fault is None


def test_tini_and_env_are_seen_through():
    start = started(image("/usr/bin/tini", "-s", "--", "env", "-u", "B", "A=1", "uvicorn", "app:app", env={"B": "2"}))
    assert start.program == ("uvicorn", "app:app")
    assert start.environment["A"] == "1"
    assert "B" not in start.environment
    assert [hop.name for hop in start.hops] == ["tini", "env", "uvicorn"]


def test_a_wrapper_with_options_we_do_not_know_ends_what_is_known():
    start = started(image("/usr/bin/tini", "--strange", "uvicorn"))
    assert not start.program
    assert "not known" in start.doubt


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (("uvicorn",), None),
        (("uvicornn",), Fault.NOT_ON_PATH),
        (("./run.sh",), Fault.MISSING),
        (("/home/run.sh",), Fault.NOT_EXECUTABLE),
        (("/home",), Fault.FOLDER),
    ],
)
def test_a_program_is_looked_up_as_the_kernel_would(command, fault):
    assert started(image(*command, files={"/home/run.sh": "exec true"})).hops[-1].program.fault is fault


def test_a_script_that_calls_itself_comes_to_an_end():
    start = through("exec sh /home/run.sh")
    assert not start.program
    assert "too many" in start.doubt


def test_the_shell_form_is_told_from_the_exec_form():
    assert started(image("gunicorn app:app")).shell_form
    assert not started(image("gunicorn", "app:app")).shell_form


# What these shells do with the last command after -c was measured.
@pytest.mark.parametrize(("shell", "gives_way"), [("dash", False), ("busybox", True), ("bash", True)])
def test_some_shells_give_way_to_a_single_command(shell, gives_way):
    made = image("/bin/sh", "-c", "python3 app.py", files={f"/bin/{shell}": PROGRAM, "/bin/sh": _link(shell)})
    assert started(made).shells[0].gives_way is gives_way


def _link(target):
    from mooring.checks.command.bases import link

    return link(target)


@pytest.mark.parametrize(
    ("command", "address", "port"),
    [
        ("gunicorn app:app", "127.0.0.1", "8000"),
        ("gunicorn -b :8080 app:app", "0.0.0.0", "8080"),
        ("gunicorn --bind=0.0.0.0:8080 app:app", "0.0.0.0", "8080"),
        ("gunicorn -w 1 -b0.0.0.0:8080 app:app", "0.0.0.0", "8080"),
        ("python3 -m gunicorn -b [::]:8080 app:app", "::", "8080"),
        ("uvicorn app:app", "127.0.0.1", "8000"),
        ("uvicorn --host 0.0.0.0 --port 8080 app:app", "0.0.0.0", "8080"),
        ("python3 -u -m uvicorn app:app --port=8080", "127.0.0.1", "8080"),
        ("hypercorn -b 0.0.0.0:8080 app:app", "0.0.0.0", "8080"),
        ("flask run", "127.0.0.1", "5000"),
        ("flask --app a run -h 0.0.0.0 -p 8080", "0.0.0.0", "8080"),
        ("python3 manage.py runserver", "127.0.0.1", "8000"),
        ("python3 manage.py runserver 0.0.0.0:8080", "0.0.0.0", "8080"),
        ("python3 manage.py runserver 8080", "127.0.0.1", "8080"),
        ("python3 -m vllm.entrypoints.openai.api_server --port 8080", "0.0.0.0", "8080"),
    ],
)
def test_servers_are_known_with_their_address_and_port(command, address, port):
    server = served(image(*command.split()))
    assert (server.host.value, server.port.value) == (address, port)


@pytest.mark.parametrize(
    "command",
    [
        "gunicorn -c /nowhere/conf.py app:app",
        "gunicorn -b unix:/tmp/s app:app",
        "sh -c 'exec gunicorn $OPTIONS app:app'",
        "sh -c 'exec uvicorn app:app --port $PORT $OPTIONS'",
        "hypercorn -c conf.toml app:app",
        "java -jar app.jar",
        "node index.js",
    ],
)
def test_what_a_server_may_be_told_elsewhere_is_not_known(command):
    words = command.split(" ", 2)
    made = image(*(words if words[0] != "sh" else ("sh", "-c", words[2].strip("'"))))
    files = {"/usr/bin/node": PROGRAM}
    made = image(*made.config.cmd, files=files)
    server = served(made)
    assert server is not None
    assert server.port is None
    assert server.host is None


@pytest.mark.parametrize(
    ("env", "conf", "port", "idle", "worker"),
    [
        ({}, "bind = '0.0.0.0:8080'\nkeepalive = 200\nworker_class = 'gevent'\n", "8080", "200", "gevent"),
        ({}, "import os\nbind = '0.0.0.0:' + os.getenv('PORT', '8080')\nthreads = 4\n", "8080", "2", "gthread"),
        ({"PORT": "9000"}, "import os\nbind = f\"0.0.0.0:{os.environ['PORT']}\"\n", "9000", "2", "sync"),
        ({"GUNICORN_CMD_ARGS": "--keep-alive 75 -b :7000"}, "keepalive = 5", "7000", "75", "sync"),
        ({"PORT": "7001"}, "", "7001", "2", "sync"),
        ({}, "bind = ['0.0.0.0:8080', '0.0.0.0:8081']\n", "8080", "2", "sync"),
    ],
)
def test_gunicorn_is_told_by_options_a_variable_and_a_file(env, conf, port, idle, worker):
    made = image("gunicorn", "app:app", env=env, files={"/app/gunicorn.conf.py": conf}, working_dir="/app")
    server = served(made)
    assert (server.port.value, server.idle.value, server.worker.value) == (port, idle, worker)


def test_a_variable_that_is_the_value_of_an_option_hides_no_other():
    server = served(image("sh", "-c", "exec gunicorn --workers $WORKERS app:app"))
    assert server.idle.value == "2"


def test_a_gunicorn_file_that_computes_its_names_is_not_known():
    made = image("gunicorn", "app:app", files={"/gunicorn.conf.py": "globals()['bind'] = ':8080'"})
    assert served(made).port is None


@pytest.mark.parametrize(
    ("source", "address", "port"),
    [
        (FLASK + "app.run()", "127.0.0.1", "5000"),
        (FLASK + "app.run('0.0.0.0', 8080)", "0.0.0.0", "8080"),
        (FLASK + "import os\napp.run(host='0.0.0.0', port=int(os.environ.get('PORT', 8080)))", "0.0.0.0", "8080"),
        (FLASK + "PORT = 8080\napp.run(host='0.0.0.0', port=PORT)", "0.0.0.0", "8080"),
        ("import uvicorn\nuvicorn.run('app:app', host='0.0.0.0', port=8080)", "0.0.0.0", "8080"),
        ("import uvicorn\ndef main():\n    uvicorn.run(app)\nmain()", "127.0.0.1", "8000"),
        ("from waitress import serve\nserve(app, port=8080)", "0.0.0.0", "8080"),
        ("from http.server import HTTPServer\nHTTPServer(('', 8080), H).serve_forever()", "0.0.0.0", "8080"),
        (
            "import http.server\nhttp.server.ThreadingHTTPServer(('127.0.0.1', 1), H)",
            "127.0.0.1",
            "1",
        ),
        ("from aiohttp import web\nweb.run_app(app)", "0.0.0.0", "8080"),
        (
            "import uvicorn\np.add_argument('--port', type=int, default=8080)\nargs = p.parse_args()\n" + SERVE_ARGS,
            "0.0.0.0",
            "8080",
        ),
    ],
)
def test_the_call_in_the_source_tells_address_and_port(source, address, port):
    server = served(image("python3", "/app.py", files={"/app.py": source}))
    assert (server.host.value, server.port.value) == (address, port)


def test_a_port_on_the_command_line_wins_over_the_default_in_the_source():
    source = "import uvicorn\np.add_argument('--port', default=8080)\n" + SERVE_ARGS
    assert served(image("python3", "/a.py", "--port", "5000", files={"/a.py": source})).port.value == "5000"


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nfrom flask import Flask\nasyncio.run(main())",
        "import subprocess, flask\nsubprocess.run(['x'])",
        "print('no server')",
        "not python at all (",
        "import uvicorn\nuvicorn.run(app, port=1)\nuvicorn.run(app, port=2)",
    ],
)
def test_a_source_without_one_clear_server_tells_nothing(source):
    assert served(image("python3", "/a.py", files={"/a.py": source})) is None


def test_settings_passed_on_as_a_whole_are_not_known():
    server = served(image("python3", "/a.py", files={"/a.py": "import uvicorn\nuvicorn.run(app, **settings)"}))
    assert server.port is None
    assert server.host is None


def test_moorings_own_server_is_known_by_its_folder():
    text = 'export PYTHONPATH=/opt/mooring/packages\ncd /home\nexec python3 -I -u -B /opt/mooring/server "$@"\n'
    made = image("sh", "/home/run.sh", files={"/home/run.sh": text}, env={"MOORING_PORT": "8080", "MOORING_HOST": "::"})
    server = served(made)
    assert server.kind == "mooring-serve"
    assert server.port.value == "8080"
    assert server.flushes


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abf $`'\"\\(){};&|<>\n=!@#/-1", max_size=60))
def test_any_text_is_read_or_said_to_be_unclear(text):
    with contextlib.suppress(Unclear):
        for command in read_shell(text).commands:
            assert command.words or command.assignments


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(KEYWORDS), max_size=25))
def test_any_row_of_keywords_leaves_a_start_command(words):
    text = " ".join(words)
    start = through(text)
    assert start.words == ("sh", "/home/run.sh")
    assert start.program or start.doubt


@pytest.mark.parametrize(
    "text",
    [
        "$(" * 100_000,
        "${a:-" * 50_000,
        "((" * 100_000,
        "{ " * 100_000,
        "a=$a$a$a$a;" * 20_000,
        "if " * 50_000,
        "{ x; " * 50_000,
    ],
)
def test_a_script_made_to_exhaust_us_is_done_with_at_once(text):
    assert len(text) <= 256 * 1024
    start = through(text)
    assert not start.program


def test_a_source_made_to_exhaust_us_is_done_with_at_once():
    doubling = "".join(f"a{n} = f'{{a{n + 1}}}{{a{n + 1}}}{{a{n + 1}}}{{a{n + 1}}}'\n" for n in range(60))
    source = f"import uvicorn\n{doubling}a60 = '127.0.0.1'\n" + "uvicorn.run(app, host=a0, port=p.port)\n" * 4000
    assert served(image("python3", "/a.py", files={"/a.py": source})).host is None


@settings(max_examples=300, deadline=None)
@given(
    words=st.lists(st.sampled_from(COMMAND_WORDS) | st.text(max_size=8), max_size=6),
    user=st.text(max_size=6),
    folder=st.text(max_size=6),
    passwd=st.text(alphabet="a:0\u00b2\n", max_size=20),
    shell=st.text(max_size=40),
)
def test_any_configuration_is_followed_without_failing(words, user, folder, passwd, shell):
    files = {
        "/home/run.sh": shell,
        "/etc/passwd": passwd,
        "/a.py": "import uvicorn\nuvicorn.run(a, port=0x" + "f" * 5000 + ")",
    }
    made = image(files=files, cmd=tuple(words), user=user, working_dir=folder)
    start = start_command(made.config, made.read())
    assert start.words == tuple(words)
    served(made)


@pytest.mark.parametrize("value", ["int(1e999)", "0x" + "f" * 5000, "'9' * 10", "-1", "1 / 0", "f'{x!r:>{x}}'", "None"])
def test_a_strange_port_is_no_port(value):
    server = served(image("python3", "/a.py", files={"/a.py": f"import uvicorn\nuvicorn.run(app, port={value})"}))
    assert server.port is None or server.port.port is None
