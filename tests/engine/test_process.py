"""What the process engine does beyond the promise of all engines (tests/promises/test_engine.py)."""

import asyncio
import contextlib
import functools
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mooring.engine.keeper import Log
from mooring.engine.process import ProcessEngine
from mooring.engine.process_log import LogReader, last_lines
from mooring.engine.workload import Probe, State, Workload
from mooring.errors import Invalid, Refused

SOON = 40.0
SERVE = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["MOORING_PORT"])), Handler).serve_forever()
"""


def in_a_loop(test):
    @functools.wraps(test)
    def run(*words, **named):
        asyncio.run(asyncio.wait_for(test(*words, **named), 120))

    return run


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def workload(project):
    """Make one that runs a program's text."""

    def make(text=SERVE, name="one", **more):
        (project / f"{name}.py").write_text(text)
        command = (sys.executable, "-S", f"{name}.py")
        return Workload(**{"name": name, "project": str(project), "command": command, **more})

    return make


@contextlib.asynccontextmanager
async def opened(folder, **more):
    engine = ProcessEngine("p", folder / "replicas", **more)
    try:
        yield engine
    finally:
        for name in await engine.observe():
            await engine.remove(name, grace_seconds=0)
        await engine.close()


async def until(condition, *, seconds=SOON):
    deadline = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s"
        await asyncio.sleep(0.02)
    return found


async def well(engine, name="one"):
    async def answers():
        return (await engine.ask(name, Probe(url="/health", timeout_seconds=2))).ok

    await until(answers)
    return (await engine.observe())[name]


async def ended(engine, name="one"):
    async def over():
        seen = (await engine.observe())[name]
        return seen if seen.state is State.EXITED else None

    return await until(over)


def processes(mark):
    """The processes whose command line or environment holds the text, without this one."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            told = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            if any(mark.encode() in text for text in told) and int(folder.name) != os.getpid() and state != "Z":
                found[int(folder.name)] = told[0].decode()
    return found


def keepers(folder):
    return [pid for pid, command in processes(str(folder)).items() if "keeper.py" in command]


@in_a_loop
async def test_replicas_live_on_when_the_platform_is_killed_and_are_found_again(tmp_path, workload):
    one = workload(labels={"a": "b"})
    program = (
        "import asyncio, time; from pathlib import Path\n"
        "from mooring.engine.process import ProcessEngine; from mooring.engine.workload import Workload\n"
        f"asyncio.run(ProcessEngine('p', Path({str(tmp_path / 'replicas')!r})).apply({one!r}))\n"
        "print('applied', flush=True); time.sleep(600)"
    )
    platform = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
    assert await platform.stdout.readline() == b"applied\n"
    platform.kill()
    await platform.communicate()
    async with opened(tmp_path) as engine:
        seen = await well(engine)
        assert seen.labels == {"a": "b"}
        await engine.apply(one)
        assert len(keepers(tmp_path)) == 1
        await engine.remove("one", grace_seconds=10)
        assert await engine.observe() == {}
    assert processes(str(tmp_path)) == {}


@in_a_loop
async def test_a_server_dies_with_its_keeper_and_that_is_seen(tmp_path, workload):
    async with opened(tmp_path) as engine:
        await engine.apply(workload())
        await well(engine)
        (keeper,) = keepers(tmp_path)
        os.kill(keeper, signal.SIGKILL)
        seen = await ended(engine)
        assert seen.exit_code == 137
        assert "keeper" in seen.why

        async def all_gone():
            return not processes("MOORING_REPLICA=p/one")

        await until(all_gone)
        await engine.remove("one", grace_seconds=5)
        await engine.apply(workload())
        await well(engine)


@in_a_loop
async def test_a_killed_server_is_seen_with_its_signal(tmp_path, workload):
    async with opened(tmp_path) as engine:
        await engine.apply(workload("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"))
        seen = await ended(engine)
        assert (seen.exit_code, seen.why) == (139, "SIGSEGV")
        assert "SIGSEGV" in await engine.diagnose("one")


@in_a_loop
async def test_whatever_a_server_started_goes_with_it(tmp_path, workload):
    text = (
        "import subprocess, sys\n"
        "for _ in range(2):\n"
        "    subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)', 'straggler'],\n"
        "                     env={}, start_new_session=True)\n"
    )
    async with opened(tmp_path) as engine:
        mark = f"{tmp_path}/straggler"
        await engine.apply(workload(text.replace("straggler", mark) + SERVE))
        await well(engine)
        assert len(processes(mark)) == 2
        await engine.remove("one", grace_seconds=5)
        assert processes(mark) == {}
        await engine.apply(workload(text.replace("straggler", mark)))
        assert (await ended(engine)).exit_code == 0
        assert processes(mark) == {}


@in_a_loop
async def test_what_uses_more_memory_than_it_may_is_ended_for_it(tmp_path, workload):
    text = "import time\nheld = bytearray(200 << 20)\nheld[::4096] = b'x' * len(held[::4096])\ntime.sleep(600)"
    async with opened(tmp_path) as engine:
        await engine.apply(workload(text, memory_bytes=100 << 20))
        seen = await ended(engine)
        assert seen.exit_code == 137
        assert "out of memory" in seen.why
        assert "100 MiB" in seen.why
        assert "out-of-memory" in await engine.diagnose("one")


@in_a_loop
async def test_a_program_that_is_not_there_is_seen_as_ended(tmp_path, project):
    async with opened(tmp_path) as engine:
        await engine.apply(Workload(name="one", project=str(project), command=("/nowhere/python", "x")))
        seen = await ended(engine)
        assert seen.exit_code == 127
        assert "/nowhere/python" in seen.why
        assert "/nowhere/python" in await engine.diagnose("one")


@in_a_loop
async def test_secrets_are_in_no_command_line_and_in_no_file_for_others(tmp_path, workload, monkeypatch):
    monkeypatch.setenv("MOORING_DATABASE", "postgresql://the-platforms-own")
    text = "import os\nprint(sorted(os.environ.items()), flush=True)\n" + SERVE
    files = {"config.json": '{"a": 1}'}
    async with opened(tmp_path) as engine:
        await engine.apply(workload(text, env={"PASSWORD": "hush-hush"}, files=files))
        await well(engine)
        told = "".join([line.text async for line in engine.logs("one")])
        assert "hush-hush" in told
        assert "the-platforms-own" not in told
        running = processes("MOORING_REPLICA=p/one") | processes(str(tmp_path))
        assert running
        assert not [command for command in running.values() if "hush-hush" in command]
        replica = tmp_path / "replicas" / "p" / "one"
        assert stat.S_IMODE(replica.stat().st_mode) == stat.S_IMODE(replica.parent.stat().st_mode) == 0o700
        private = ("workload.json", "log", "files/config.json")
        assert {stat.S_IMODE((replica / name).stat().st_mode) for name in private} == {0o600}


@in_a_loop
async def test_files_come_with_a_workload_and_the_command_names_them(tmp_path, project):
    async with opened(tmp_path) as engine:
        command = ("/bin/cat", "{files}/config.json", "x{files}/config.json")
        await engine.apply(
            Workload(name="one", project=str(project), command=command, files={"config.json": "what it says\n"})
        )
        await ended(engine)
        told = [line.text async for line in engine.logs("one")]
        assert told[0] == "what it says"
        assert "x{files}/config.json" in told[1]
        for name in ("../up", ".hidden", "a/b"):
            with pytest.raises(Refused):
                await engine.apply(Workload(name="two", project=str(project), command=("x",), files={name: ""}))
        assert sorted(path.name for path in (tmp_path / "replicas" / "p").iterdir()) == ["one"]


@in_a_loop
async def test_a_port_that_somebody_else_took_meanwhile_is_given_up_for_another(tmp_path, project, workload):
    text = (
        "import os, pathlib, sys, time\n"
        "if not pathlib.Path('port').exists():\n"
        "    pathlib.Path('port.new').write_text(os.environ['MOORING_PORT']); os.rename('port.new', 'port')\n"
        "    while not pathlib.Path('go').exists(): time.sleep(0.01)\n"
    )
    async with opened(tmp_path) as engine:
        await engine.apply(workload(text + SERVE))

        async def told():
            return (project / "port").exists()

        await until(told)
        with socket.create_server(("127.0.0.1", int((project / "port").read_text()))) as taken:
            (project / "go").touch()

            async def elsewhere():
                url = (await engine.observe())["one"].url
                return url and not url.endswith(f":{taken.getsockname()[1]}")

            await until(elsewhere)
            await well(engine)


@in_a_loop
async def test_a_health_command_runs_in_the_project_with_the_servers_environment(tmp_path, project, workload):
    async with opened(tmp_path) as engine:
        (project / "marker").touch()
        await engine.apply(workload(env={"COLOUR": "blue"}))
        await well(engine)
        good = await engine.ask("one", Probe(command='test -f marker && test "$COLOUR$MOORING_PORT" != blue'))
        assert good.ok
        bad = await engine.ask("one", Probe(command="echo not yet; exit 7"))
        assert not bad.ok
        assert "exit code 7: not yet" in bad.body
        assert "not yet" in await engine.diagnose("one")
        began = time.monotonic()
        slow = await engine.ask("one", Probe(command="yes & sleep 60", timeout_seconds=0.5))
        assert not slow.ok
        assert "0.5 s" in slow.detail
        assert time.monotonic() - began < 30
        assert (await engine.ask("one", Probe(command="sleep 60 & exit 0", timeout_seconds=5))).ok


@in_a_loop
async def test_a_shutdown_of_the_machine_lets_the_server_end_well(tmp_path, workload):
    text = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n" + SERVE
    async with opened(tmp_path) as engine:
        await engine.apply(workload(text))
        await well(engine)
        (keeper,) = keepers(tmp_path)
        os.kill(keeper, signal.SIGTERM)
        assert (await ended(engine)).exit_code == 5


@in_a_loop
async def test_what_a_killed_platform_left_half_made_is_cleared_away(tmp_path, workload):
    root = tmp_path / "replicas" / "p"
    root.mkdir(parents=True)
    for name in (".new-abc", ".gone-one"):
        (root / name).mkdir()
        (root / name / "workload.json").write_text("{}")
    async with opened(tmp_path) as engine:
        assert await engine.observe() == {}
        await engine.apply(workload())
        await well(engine)
        # Those who are at work now are left alone.
        assert (root / ".new-abc").exists()


@in_a_loop
async def test_a_replica_whose_keeper_is_of_another_boot_has_ended(tmp_path, workload):
    async with opened(tmp_path) as engine:
        await engine.apply(workload())
        await well(engine)
        state = tmp_path / "replicas" / "p" / "one" / "state.json"
        before = state.read_text()
        boot = json.loads(before)["keeper"]["boot"]
        state.write_text(before.replace(boot, "another-boot"))
        seen = (await engine.observe())["one"]
        assert (seen.state, seen.exit_code) == (State.EXITED, 137)
        assert "the machine stopped" in seen.why
        state.write_text(before)


@in_a_loop
async def test_an_image_and_a_project_without_a_command_are_refused(tmp_path, project):
    async with opened(tmp_path) as engine:
        with pytest.raises(Refused, match="image"):
            await engine.apply(Workload(name="one", image="mnist:1"))
        with pytest.raises(Invalid, match="command"):
            await engine.apply(Workload(name="one", project=str(project)))


@in_a_loop
async def test_a_busy_process_is_measured_as_busy(tmp_path, workload):
    async with opened(tmp_path) as engine:
        text = "import threading\nheld = b'x' * (64 << 20)\ndef spin():\n    while True: pass\n"
        text += "threading.Thread(target=spin, daemon=True).start()\n"
        await engine.apply(workload(text + SERVE))
        await well(engine)
        usage = (await engine.measure())["one"]
        assert usage.cpu_cores > 0.2
        assert usage.memory_bytes > 64 << 20


@in_a_loop
async def test_a_log_keeps_to_its_size_and_a_follower_misses_nothing(tmp_path, workload):
    text = (
        "import time\n"
        "for number in range(1, 6001):\n"
        "    print(number, 'x' * 90, flush=True)\n"
        "    if number % 100 == 0: time.sleep(0.02)\n"
    )
    async with opened(tmp_path, log_bytes=256 << 10) as engine:
        await engine.apply(workload(text))
        numbers = [int(line.text.split()[0]) async for line in engine.logs("one", follow=True)]
        assert numbers == list(range(1, 6001))
        await ended(engine)
        files = sorted((tmp_path / "replicas" / "p" / "one").glob("log*"))
        assert len(files) == 2
        assert sum(file.stat().st_size for file in files) < 400 << 10


def test_endless_lines_and_strange_bytes_are_kept_in_pieces(tmp_path):
    log = Log(str(tmp_path / "log"), 10 << 20)
    log.take("o", b"a" * 100_000)
    log.take("o", b"b\r\nwhole \xff\xfe\n")
    log.take("e", b"no end")
    log.take("e", b"")
    with LogReader(tmp_path) as reader:
        lines = reader.lines()
    assert [(line.stream, len(line.text)) for line in lines] == [
        ("stdout", 65536),
        ("stdout", 34465),
        ("stdout", 8),
        ("stderr", 6),
    ]
    assert last_lines(tmp_path, 1) == ("no end",)


def test_a_full_disk_costs_lines_and_not_the_server(tmp_path):
    (tmp_path / "log").symlink_to("/dev/full")
    log = Log(str(tmp_path / "log"), 10 << 20)
    log.take("o", b"lost\n")
    (tmp_path / "log").unlink()
    os.dup2(os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT, 0o600), log._file)
    log.take("o", b"kept\n")
    lost, kept = last_lines(tmp_path, 5)
    assert "could not be written" in lost
    assert kept == "kept"


@in_a_loop
async def test_an_end_that_was_begun_comes_though_the_platform_is_gone(tmp_path, workload):
    text = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVE
    async with opened(tmp_path) as engine:
        await engine.apply(workload(text))
        await well(engine)
        removing = asyncio.create_task(engine.remove("one", grace_seconds=1))

        async def stopping():
            return (await engine.observe())["one"].state is State.STOPPING

        await until(stopping)
        removing.cancel()
        seen = await ended(engine)
        assert "grace" in seen.why
        await engine.remove("one", grace_seconds=1)
        assert await engine.observe() == {}


@in_a_loop
async def test_who_is_in_a_greater_hurry_decides_when_it_ends(tmp_path, workload):
    text = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVE
    async with opened(tmp_path) as engine:
        await engine.apply(workload(text))
        await well(engine)
        began = time.monotonic()
        await asyncio.gather(engine.remove("one", grace_seconds=60), engine.remove("one", grace_seconds=0.5))
        assert time.monotonic() - began < SOON
        assert await engine.observe() == {}


@pytest.mark.parametrize("damaged", ["state.json", "workload.json"])
@in_a_loop
async def test_a_replica_of_which_a_power_cut_left_empty_files_has_ended_and_can_be_removed(
    tmp_path, workload, damaged
):
    async with opened(tmp_path) as engine:
        await engine.apply(workload("pass"))
        await ended(engine)
        replica = tmp_path / "replicas" / "p" / "one"
        (replica / "state.json").write_text((replica / "state.json").read_text().replace("exit_code", "unknown"))
        (replica / damaged).write_text("")
        # What keeps it may still be on its way out.
        await ended(engine)
        assert (await engine.observe())["one"].exit_code == 137
        assert "137" in await engine.diagnose("one")
        await engine.remove("one", grace_seconds=1)
        assert await engine.observe() == {}
