"""Images as authors build them: each mistake is told by the rule meant for it, and nothing else is said."""

from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.checks import Evidence, Kind, Status, Wish, catalogue
from mooring.checks.command.bases import DEBIAN, PROGRAM, image, link, script
from mooring.checks.run import judged
from mooring.contract import Level, edition
from mooring.contract.fact import GB, MB
from mooring.image import EntryKind, File, ImageConfig, MemoryImage

READ = {"image", "image_config", "files", "edition", "wish"}
# Judged from the same evidence, and another matter: what lies in the image, and its config.json.
RULES = [rule for rule in catalogue() if rule.id.startswith("IMG-") and set(rule.needs) <= READ]


def results(made, *, name="otc-2022", kind=Kind.REAL_TIME, rolling=False):
    files = made.read()
    wish = Wish(kind=kind, rolling_upgrade=rolling)
    given = {"image": made, "image_config": made.config, "files": files, "edition": edition(name), "wish": wish}
    evidence = Evidence({key: (lambda value=value: value) for key, value in given.items()})
    return {rule.id: judged(rule, evidence, wish) for rule in RULES}


def told(made, **options):
    """The ids of what fails."""
    return {name for name, result in results(made, **options).items() if result.status is Status.FAILED}


def finding(made, rule, **options):
    return results(made, **options)[rule].findings[0]


FLASK = "from flask import Flask\napp = Flask(__name__)\n"
SERVE = "app.run(host=HOST, port=8080)\n"
EVERYWHERE = "HOST = '0.0.0.0'\n"


def official_sample():
    source = FLASK + EVERYWHERE + "print('ready')\nif __name__ == '__main__':\n    " + SERVE
    return image("python3  /opt/test_app.py", files={"/opt/test_app.py": source})


def flask_in_exec_form():
    source = FLASK + EVERYWHERE + "print('model loaded')\n" + SERVE
    return image("python3", "app.py", files={"/app/app.py": source}, working_dir="/app")


def fastapi_with_files_as_answers(port=8080):
    source = f"import logging, uvicorn\nlogging.debug('x')\nuvicorn.run('main:app', host='0.0.0.0', port={port})\n"
    files = {"/bin/python3": PROGRAM, "/srv/main.py": source}
    return image("/bin/python3", "main.py", files=files, working_dir="/srv", env={"http_proxy": ""})


def pangu():
    return image(
        "gunicorn -k gevent -w 1 -t 1200 -b 0.0.0.0:8080 service_multi:APP",
        files={
            "/home/app/service_multi.py": "APP = None\n",
            "/etc/passwd": "root:x:0:0::/root:/bin/sh\nwork:x:1001:1001::/home/app:/bin/sh\n",
        },
        env={"PYTHONPAiTH": "/home/app", "PYTHONUNBUFFERED": "1"},
        user="work",
    )


def the_one_to_copy():
    command = "gunicorn --workers 1 --threads 2 --bind 0.0.0.0:8080 --access-logfile - --error-logfile - app:app"
    return image(
        *command.split(),
        files={"/home/ma-user/app.py": FLASK},
        working_dir="/home/ma-user",
        user="1000:100",
        env={"PYTHONUNBUFFERED": "1"},
        exposed_ports=("8080/tcp",),
    )


def whisper():
    source = "import uvicorn\nuvicorn.run('main:app', host='0.0.0.0', port=8000)\n"
    return image(
        "bash",
        "/code/serve.sh",
        files={"/code/serve.sh": "#!/bin/bash\ncd /code\nexec python3 main.py\n", "/code/main.py": source},
    )


def vllm():
    text = "#!/bin/bash\nexport X=1\nexec vllm serve /model --host 0.0.0.0 --port 8000 --max-model-len 4096\n"
    files = {"/start.sh": text, "/usr/local/bin/vllm": script("#!/usr/local/bin/python3\n")}
    return image("bash", "/start.sh", files=files, env={"PYTHONUNBUFFERED": "1"})


def torchrun_without_exec():
    files = {"/app/run.sh": "cd /app\ntorchrun --nproc_per_node 2 server.py\n", "/usr/local/bin/torchrun": PROGRAM}
    return image("sh", "/app/run.sh", files=files)


@pytest.mark.parametrize(
    ("made", "in_2022", "in_2024"),
    [
        (official_sample(), {"IMG-DEV-01", "IMG-LOG-03", "IMG-TERM-03"}, {"IMG-KEEP-02"}),
        (flask_in_exec_form(), {"IMG-DEV-01", "IMG-LOG-03"}, {"IMG-KEEP-02"}),
        (fastapi_with_files_as_answers(), set(), {"IMG-KEEP-02"}),
        (pangu(), {"IMG-DIR-01", "IMG-ENV-02", "IMG-TERM-03"}, {"IMG-KEEP-02"}),
        (the_one_to_copy(), set(), {"IMG-KEEP-02"}),
        (torchrun_without_exec(), {"IMG-TERM-03"}, set()),
    ],
)
def test_images_in_the_wild_hear_of_their_mistakes_and_of_no_other(made, in_2022, in_2024):
    assert told(made, name="otc-2022") == in_2022
    assert told(made, name="otc-2024") == in_2022 | in_2024


@pytest.mark.parametrize("made", [fastapi_with_files_as_answers(8000), whisper(), vllm()])
def test_port_8000_is_told_where_the_port_is_fixed_and_remarked_where_it_may_be_named(made):
    assert told(made, name="otc-2022") == {"IMG-PORT-01"}
    assert told(made, name="huawei-2024") == {"IMG-KEEP-02"}
    assert finding(made, "IMG-PORT-01", name="huawei-2024").level is Level.INFO


def test_an_upgrade_without_interruption_makes_musts_of_keep_alive_and_sigterm():
    found = results(official_sample(), name="otc-2024", rolling=True)
    assert found["IMG-KEEP-02"].findings[0].level is Level.MUST
    assert found["IMG-TERM-03"].findings[0].level is Level.MUST


def test_a_start_script_that_comes_with_a_mount_is_no_breach_where_the_edition_knows_the_mount():
    made = image(entrypoint=("sh", "/home/mind/model/run.sh"))
    assert finding(made, "IMG-BOOT-04", name="huawei-2025").level is Level.SHOULD
    assert finding(made, "IMG-BOOT-04", name="otc-2022").level is Level.MUST


def test_the_remedy_for_a_module_that_is_elsewhere_names_its_folder():
    assert finding(pangu(), "IMG-DIR-01").hint == "WORKDIR /home/app before CMD"


def test_the_remedy_for_the_shell_form_is_the_exec_form():
    assert '["python3", "/opt/test_app.py"]' in finding(official_sample(), "IMG-TERM-03").hint


REFERENCE = """#!/bin/bash
pid=""
term() { sleep 60; [ -n "$pid" ] && kill -TERM "$pid" && wait "$pid"; exit 0; }
trap term TERM
cd /home/app || exit 1
gunicorn -k gevent --keep-alive 200 -b 0.0.0.0:8080 app:app &
pid=$!
wait "$pid"
"""


def with_run(text, **options):
    files = {"/home/run.sh": text, "/home/app/app.py": FLASK}
    return image("sh", "/home/run.sh", files=files, user="1000:100", **options)


@pytest.mark.parametrize("name", ["otc-2022", "otc-2024", "huawei-2021", "huawei-2025"])
def test_a_right_start_script_passes_every_edition(name):
    assert told(with_run(REFERENCE), name=name, kind=Kind.BOTH, rolling=True) == set()


def test_the_documents_own_trap_is_told_to_assign_its_variable():
    made = with_run(REFERENCE.replace('pid=""\n', "").replace("pid=$!\n", "").replace('wait "$pid"\n', "wait\n"))
    assert told(made) == {"IMG-TERM-03"}
    assert "never assigned" in finding(made, "IMG-TERM-03").message


def test_the_documents_own_sample_starts_nothing():
    made = with_run("#!/bin/bash\nclean() {\n  sleep 60\n  kill -15 $pid\n}\ntrap clean TERM\n")
    assert told(made) == {"IMG-BOOT-04"}
    assert "starts no program" in finding(made, "IMG-BOOT-04").message


@pytest.mark.parametrize(
    "text",
    [
        "exec gunicorn -b 0.0.0.0:8080 app:app",
        "exec tini -- gunicorn -b 0.0.0.0:8080 app:app",
        "exec env A=1 gunicorn -b 0.0.0.0:8080 app:app",
        "trap 'kill -TERM $pid' TERM\ngunicorn -b 0.0.0.0:8080 app:app & pid=$!\nwait $pid\nwait $pid\n",
        "trap 'kill $(jobs -p); wait' TERM\ngunicorn -b 0.0.0.0:8080 app:app &\nwait",
        'if [ -n "$X" ]; then exec gunicorn -b 0.0.0.0:8080 app:app; else exec uvicorn app:app; fi',
    ],
)
def test_scripts_that_hand_sigterm_on_or_may_do_so_are_left_alone(text):
    assert "IMG-TERM-03" not in told(with_run("cd /home/app\n" + text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gunicorn app:app", "waits for it"),
        ("gunicorn app:app | tee /tmp/log", "waits for it"),
        ("gunicorn app:app &\nwait", "no trap"),
        ("trap 'echo bye' TERM\ngunicorn app:app &\nwait", "sends no signal"),
        ("trap 'kill $pid' TERM\ngunicorn app:app &\npid=$!\nwait $pid", "ends at once"),
        ("trap 'kill $pid' TERM\ngunicorn app:app", "only when that has ended"),
    ],
)
def test_scripts_that_keep_sigterm_to_themselves_hear_why(text, said):
    assert said in finding(with_run("cd /home/app\n" + text), "IMG-TERM-03").message


def test_a_shell_that_gives_way_by_itself_is_left_alone():
    made = image(
        "uvicorn --host 0.0.0.0 --port 8080 app:app",
        files={"/bin/busybox": PROGRAM, "/bin/sh": link("busybox"), "/app.py": ""},
    )
    assert told(made) == set()


def test_a_script_with_windows_line_ends_is_told_once():
    made = with_run("#!/bin/sh\ncd /home/app\nexec gunicorn -b 0.0.0.0:8080 app:app\n".replace("\n", "\r\n"))
    assert told(made, kind=Kind.BOTH) == {"IMG-BOOT-06"}


def test_a_batch_image_without_its_file_hears_of_the_file_alone():
    made = image("sh", "/home/run.sh", files={"/home/app/run.sh": "exec python3 -u /a.py"})
    assert told(made, kind=Kind.BATCH) == {"IMG-BOOT-01"}
    assert "/home/app/run.sh" in finding(made, "IMG-BOOT-01", kind=Kind.BATCH).message


def test_a_batch_image_that_starts_something_else_hears_of_its_cmd_alone():
    made = image("python3", "-u", "/a.py", files={"/home/run.sh": "exec python3 -u /a.py", "/a.py": ""})
    assert told(made, kind=Kind.BATCH) == {"IMG-BOOT-02"}


@pytest.mark.parametrize(
    "cmd", [("sh", "/home/run.sh"), ("/bin/bash", "/home/run.sh"), ("/home/run.sh",), ("/bin/sh /home/run.sh",)]
)
def test_every_form_of_the_boot_command_will_do(cmd):
    made = image(*cmd, files={"/home/run.sh": script("#!/bin/sh\nexec python3 -u /a.py\n"), "/a.py": ""})
    assert "IMG-BOOT-02" not in told(made, kind=Kind.BATCH)


def test_python3_alone_counts_as_python():
    made = image("sh", "/home/run.sh", without=("/usr/local/bin/python",))
    assert "IMG-DEPS-01" not in told(made, kind=Kind.BATCH)


def test_java_that_is_on_no_path_is_pointed_at():
    made = image("sh", without=("/usr/bin/java",), files={"/opt/jre/bin/java": PROGRAM})
    assert finding(made, "IMG-DEPS-01", kind=Kind.BATCH).hint == "ENV PATH=/opt/jre/bin:$PATH"


def test_console_scripts_of_another_stage_miss_their_interpreter():
    made = image("gunicorn", "-b", ":8080", "app:app", without=("/usr/local/bin/python3",), files={"/app.py": ""})
    assert told(made) == {"IMG-BOOT-05"}


def test_a_module_among_the_packages_needs_no_workdir():
    files = {"/usr/lib/python3/dist-packages/service/__init__.py": ""}
    assert told(image("gunicorn", "-b", ":8080", "service:app", files=files)) == set()


def test_a_module_that_an_editable_install_may_bring_is_left_alone():
    files = {"/usr/lib/python3/site-packages/__editable__.service.pth": "/src"}
    assert told(image("gunicorn", "-b", ":8080", "service:app", files=files)) == set()


def test_pythonpath_leads_to_a_module():
    made = image(
        "gunicorn", "-b", ":8080", "service:app", files={"/lib/own/service.py": ""}, env={"PYTHONPATH": "/lib/own"}
    )
    assert told(made) == set()


def test_what_only_logs_is_not_told_of_buffers():
    source = "import logging\nlogging.info('x')\n"
    assert "IMG-LOG-03" not in told(image("python3", "/a.py", files={"/a.py": source}))


def test_the_variable_does_not_help_an_interpreter_that_ignores_it():
    made = image("python3", "-I", "/a.py", files={"/a.py": "print(1)"}, env={"PYTHONUNBUFFERED": "1"})
    assert "IMG-LOG-03" in told(made)


def test_prints_in_a_module_beside_the_app_are_seen():
    files = {"/app/main.py": "import helper\n", "/app/lib/helper.py": "print('x')\n"}
    made = image("uvicorn", "main:app", "--host", "::", "--port", "8080", files=files, working_dir="/app")
    assert told(made) == {"IMG-LOG-03"}


def test_a_proxy_is_told_without_its_password():
    password = "s3" + str(len("cret"))
    made = image("sh", env={"HTTP_PROXY": f"http://me:{password}@proxy:3128"})
    said = finding(made, "IMG-ENV-02").message
    assert "proxy:3128" in said
    assert password not in said


@pytest.mark.parametrize(
    "name", ["PYTHONPATH", "LIBRARY_PATH", "MODEL_PATH", "PYTHONHOME", "FLASK_DEBUG", "no_proxy", "NO_PROXY"]
)
def test_names_that_are_right_are_left_alone(name):
    assert "IMG-ENV-02" not in told(image("sh", env={name: "/x"}))


@pytest.mark.parametrize("user", ["", "root", "1000", "1000:100", "ma-user", "ma-user:users", "4711:4711"])
def test_users_that_exist_or_are_numbers_will_do(user):
    assert "IMG-USER-02" not in told(image("sh", user=user))


@pytest.mark.parametrize("user", ["work", "ma-user:work"])
def test_a_name_that_nobody_made_is_told(user):
    assert "work" in finding(image("sh", user=user), "IMG-USER-02").message


def test_a_folder_that_lets_nobody_through_hides_the_application():
    files = {"/app": File(kind=EntryKind.FOLDER, mode=0o700), "/app/app.py": ""}
    made = image("python3", "-u", "/app/app.py", files=files, user="1000:100")
    assert told(made) == {"IMG-USER-02"}


def test_a_big_image_is_explained_by_layers_and_files():
    layers = ({"/usr/lib/torch.so": File(size=9 * GB)}, {"/model/w.bin": File(size=22 * GB)}, {"/model/.wh.w.bin": ""})
    steps = ("RUN pip install torch", "COPY model /model", "RUN rm /model/w.bin")
    made = MemoryImage(layers=layers, config=ImageConfig(cmd=("serve",), history=steps), compressed_size=12 * GB)
    said = finding(made, "IMG-SIZE-01").message
    assert "31.0 GB unpacked, 12.0 GB as a registry stores it" in said
    assert "1: COPY model /model" in said
    assert "/usr/lib/torch.so" in said
    assert "deleted or replaced by later layers, and still there: 22.0 GB" in said


@pytest.mark.parametrize(
    ("amount", "failing"), [(26 * GB, set()), (28 * GB, {"IMG-SIZE-02"}), (31 * GB, {"IMG-SIZE-01"})]
)
def test_one_rule_tells_of_the_size(amount, failing):
    made = MemoryImage(files={"/w": File(size=amount)}, config=ImageConfig(cmd=("serve",)))
    assert {name for name in told(made) if "SIZE" in name} == failing


def test_a_little_dead_weight_is_not_worth_a_word():
    files = {"/model/w": File(size=8 * GB), "/home/me/.cache/pip/a": File(size=600 * MB)}
    assert results(image("sh", files=files))["IMG-SIZE-03"].findings == ()


@pytest.mark.parametrize(("architecture", "failing"), [("amd64", False), ("arm64", False), ("ppc64le", True)])
def test_the_processor_is_one_of_the_platforms(architecture, failing):
    made = image("sh", architecture=architecture)
    assert ("IMG-ARCH-01" in told(made, name="otc-2024")) is failing


@pytest.mark.parametrize(("architecture", "remarked"), [("amd64", False), ("arm64", True), ("", False)])
def test_another_processor_is_remarked_where_the_edition_names_none(architecture, remarked):
    found = results(image("serve", architecture=architecture))["IMG-ARCH-01"]
    assert [finding.level for finding in found.findings] == [Level.INFO] * remarked
    assert found.status is (Status.PASSED if remarked else Status.SKIPPED)


def test_our_own_template_keeps_every_edition():
    folder = resources.files("mooring.project") / "templates" / "bring-your-own"
    text = {name: (folder / name).read_text(encoding="utf-8") for name in ("run.sh", "server.py")}
    made = image(
        "/bin/sh",
        "/home/run.sh",
        files={"/home/run.sh": text["run.sh"], "/home/app/server.py": text["server.py"]},
        env={"PYTHONUNBUFFERED": "1"},
        user="1000:100",
        exposed_ports=("8080/tcp",),
    )
    for name in ("otc-2022", "otc-2025", "huawei-2021", "huawei-2025"):
        assert told(made, name=name, kind=Kind.BOTH, rolling=True) == set()


TEXTS = st.text(max_size=30) | st.sampled_from(
    (
        '#!/bin/sh\nexec "$@"\n',
        "gunicorn app:app\r\n",
        "#!\n",
        "#!/usr/bin/env\n",
        "trap x TERM\nx &\nwait\n",
        "print(1)",
        "import uvicorn\nuvicorn.run(a)",
    )
)
WORDS = ("sh", "/run.sh", "-c", "tini", "--", "python3", "-m", "gunicorn", "app:app", "/app.py", "")
CONFIGS = st.builds(
    ImageConfig,
    cmd=st.lists(st.sampled_from(WORDS), max_size=5).map(tuple),
    user=st.sampled_from(("", "a", "a:a", "0", "1:x")),
    exposed_ports=st.lists(st.sampled_from(("8080/tcp", "", "1-", "-/", "x")), max_size=2).map(tuple),
    working_dir=st.sampled_from(("", "/", "/run.sh", "relative", "/../..")),
    volumes=st.just(("/", "", "/x")),
)


@settings(max_examples=80, deadline=None)
@given(config=CONFIGS, run=TEXTS, app=TEXTS, passwd=st.text(alphabet="a:01\n", max_size=20))
def test_no_image_makes_a_rule_fail_to_judge(config, run, app, passwd):
    files = {"/run.sh": script(run), "/app.py": app, "/home/run.sh": run, "/etc/passwd": passwd}
    made = MemoryImage(files={**DEBIAN, **files}, config=config)
    for name in ("otc-2022", "huawei-2025"):
        assert all(result.status is not Status.UNKNOWN for result in results(made, name=name, kind=Kind.BOTH).values())


SERVES_LOOPBACK = "uvicorn app:app --host 127.0.0.1 --port 8000\n"


@pytest.mark.parametrize("rule", ["IMG-PORT-01", "IMG-PORT-02"])
def test_a_command_in_a_script_is_placed_at_its_line(rule):
    found = finding(image("sh", "/run.sh", files={"/run.sh": "cd /srv\n\nexec " + SERVES_LOOPBACK}), rule)
    assert (found.source, found.line, found.where) == ("/run.sh", 3, "/run.sh:3")


def test_a_program_that_a_script_does_not_find_is_placed_at_the_line():
    found = finding(image("sh", "/run.sh", files={"/run.sh": "cd /srv\nexec nothing-of-that-name\n"}), "IMG-BOOT-04")
    assert (found.source, found.line) == ("/run.sh", 2)


def test_an_entrypoint_that_is_not_executable_is_told_as_that_with_its_own_interpreter():
    files = {"/run.sh": script("#!/bin/bash\nexec python3 -u a.py\n", 0o644)}
    found = finding(image("--fast", entrypoint=("/run.sh",), files=files), "IMG-BOOT-04")
    assert found.source == "ENTRYPOINT"
    assert "chmod +x /run.sh" in found.hint
    assert found.hint.endswith('ENTRYPOINT ["bash", "/run.sh"]')


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        (("tini", "--", "/run.py", "--fast"), 'CMD ["tini", "--", "python3", "/run.py", "--fast"]'),
        (("sh", "-c", "/run.py --fast"), 'CMD ["python3", "/run.py", "--fast"]'),
        (("sh", "/start.sh"), "python3 /run.py in /start.sh:2"),
    ],
)
def test_what_is_not_executable_is_started_through_its_interpreter_where_it_is_named(command, remedy):
    files = {
        "/run.py": script("#!/usr/bin/env python3\nimport app\n", 0o644),
        "/start.sh": "cd /\nexec /run.py\n",
    }
    assert finding(image(*command, files=files), "IMG-BOOT-04").hint.endswith(remedy)


def test_a_program_that_is_no_script_can_only_be_made_executable():
    hint = finding(image("/serve", files={"/serve": File(content=b"\x7fELF", mode=0o644)}), "IMG-BOOT-04").hint
    assert hint == "RUN chmod +x /serve in the Dockerfile"


@pytest.mark.parametrize("end", ["", "\r\n"])
def test_the_lines_of_a_script_are_counted_as_an_editor_does(end):
    made = image("sh", "/run.sh", files={"/run.sh": "#!/bin/sh\r\ncd /\r\nexec python3 -u a.py" + end})
    assert f"{3 if end else 2} of 3 lines" in finding(made, "IMG-BOOT-06").message


def test_a_cmd_behind_an_entrypoint_is_told_with_it():
    made = image("/opt/srv.py", entrypoint=("python3",), files={"/opt/srv.py": "import app\n"})
    said = finding(made, "IMG-BOOT-02", kind=Kind.BATCH).message
    assert said == 'CMD is /opt/srv.py, behind ENTRYPOINT ["python3"]'


RUN = "/home/mind/run.sh"


def test_a_command_that_leads_through_a_script_is_mended_in_both_and_the_script_is_kept():
    files = {RUN: script("#!/bin/sh\ncd /home/mind; python3 app.py\n"), "/home/mind/app.py": "import app\n"}
    found = finding(image(f"{RUN} ", files=files), "IMG-TERM-03")
    assert found.source == "CMD"
    assert f'CMD ["{RUN}"]' in found.hint
    assert found.hint.endswith(f"in {RUN}:2: exec python3 app.py")
    # Either alone is not enough, both are.
    assert finding(image(RUN, files=files), "IMG-TERM-03").where == f"{RUN}:2"
    mended = {RUN: script("#!/bin/sh\ncd /home/mind; exec python3 app.py\n")}
    assert finding(image(f"{RUN} ", files=files | mended), "IMG-TERM-03").hint.startswith(f'CMD ["{RUN}"] (the exec')
    assert "IMG-TERM-03" not in told(image(RUN, files=files | mended))


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("cd /srv && python3 app.py", "CMD cd /srv && exec python3 app.py"),
        ("python3 app.py --port $PORT", "CMD exec python3 app.py --port $PORT"),
        ("cd /srv; python3 'app.py'", "CMD ... exec python3 app.py"),
    ],
)
def test_the_exec_form_is_advised_only_where_it_does_the_same(text, remedy):
    made = image(text, files={"/srv/app.py": "import app\n"}, env={"PORT": "8080"})
    assert finding(made, "IMG-TERM-03").hint == remedy


def test_the_shell_form_of_an_entrypoint_is_mended_there():
    made = image(entrypoint=("/bin/sh", "-c", "python3 /a.py"), files={"/a.py": "import app\n"})
    found = finding(made, "IMG-TERM-03")
    assert (found.source, found.hint.partition(" (")[0]) == ("ENTRYPOINT", 'ENTRYPOINT ["python3", "/a.py"]')


FROM_THE_ENVIRONMENT = (
    "import os\nfrom http.server import HTTPServer\nHOST = os.environ.get('BIND', '0.0.0.0')\n"
    "PORT = int(os.environ.get('PORT', '8080'))\nHTTPServer((HOST, PORT), H).serve_forever()\n"
)
SET_BY_A_SCRIPT = {"/a.py": FROM_THE_ENVIRONMENT, "/run.sh": "cd /\nexport BIND=127.0.0.1\nexec python3 -u /a.py\n"}


def test_a_port_out_of_the_environment_is_told_with_what_sets_it_and_mended_there():
    found = finding(image("python3", "-u", "/a.py", files=SET_BY_A_SCRIPT, env={"PORT": "80"}), "IMG-PORT-01")
    assert found.message.endswith("port 80 (/a.py:5, from ENV PORT=80)")
    assert (found.hint, found.where) == ("ENV PORT=8080", "ENV PORT")


def test_an_address_that_a_script_sets_is_mended_in_the_script():
    found = finding(image("sh", "/run.sh", files=SET_BY_A_SCRIPT), "IMG-PORT-02")
    assert found.message.endswith("127.0.0.1 (/a.py:5, from BIND=127.0.0.1 in /run.sh:2)")
    assert (found.hint, found.where) == ("BIND=0.0.0.0 in /run.sh:2", "/run.sh:2")


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        (("env", "UVICORN_PORT=80", "uvicorn", "app:app", "--host", "0.0.0.0"), "UVICORN_PORT=8080 in CMD"),
        (("sh", "-c", "PORT=80 exec gunicorn app:app"), "PORT=8080 in CMD"),
        (("gunicorn", "-c", "/conf.py", "app:app"), "ENV HTTP_PORT=8080"),
    ],
)
def test_servers_that_read_variables_of_their_own_are_told_by_the_variable(command, variable):
    conf = {"/conf.py": "import os\nbind = '0.0.0.0:' + os.environ['HTTP_PORT']\n"}
    assert finding(image(*command, files=conf, env={"HTTP_PORT": "80"}), "IMG-PORT-01").hint == variable


@pytest.mark.parametrize(
    ("source", "form"),
    [
        (
            "from http.server import HTTPServer\nHTTPServer(('127.0.0.1', 8080), H).serve_forever()",
            'HTTPServer(("0.0.0.0", 8080), ...) in /a.py:2',
        ),
        (FLASK + "app.run('127.0.0.1', 8080)", 'app.run("0.0.0.0", 8080) in /a.py:3'),
        (FLASK + "app.run(port=8080)", 'app.run(host="0.0.0.0", port=8080) in /a.py:3'),
        ("import uvicorn\nuvicorn.run(app)", 'uvicorn.run(..., host="0.0.0.0", port=8080) in /a.py:2'),
    ],
)
def test_the_remedy_for_a_call_is_written_as_the_call_is(source, form):
    assert finding(image("python3", "-u", "/a.py", files={"/a.py": source}), "IMG-PORT-02").hint == form


def test_pythons_own_server_is_remarked_as_one_for_development_and_no_more():
    found = finding(image("python3", "-u", "/a.py", files=SET_BY_A_SCRIPT), "IMG-DEV-01")
    assert (found.level, "http.server" in found.message) == (Level.INFO, True)
