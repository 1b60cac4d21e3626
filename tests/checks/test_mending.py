"""A project folder is put right: only what is wrong changes, once, and never behind the author's back."""

import os
from dataclasses import replace

import pytest

from mooring.checks import Evidence, Kind, Status, Wish, rule_named
from mooring.checks.command.bases import DEBIAN, PATH
from mooring.checks.dockerfile import read_dockerfile
from mooring.checks.mending import apply, changes, diff, dockerfile, run_script
from mooring.checks.run import judged
from mooring.contract import edition
from mooring.errors import Conflict, Refused
from mooring.image import File, MemoryImage

GOOD = """{
    "model_algorithm": "text_tools",
    "model_type": "Image",
    "apis": [{"url": "/", "method": "POST"}]
}
"""


def project(folder, **files):
    for name, content in files.items():
        path = folder / {"config": "config.json", "run": "run.sh", "dockerfile": "Dockerfile"}.get(name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if name == "run":
            path.chmod(0o755)
    return folder


def mended(folder):
    apply(changes(folder, edition()))
    return folder


def test_a_script_gets_what_it_lacks():
    before = b"\xef\xbb\xbfset -e\r\ncd /srv\r\npython3 -u app.py --port 8080\r\n"
    after, done = run_script.mended(before)
    assert after == b"#!/bin/sh\nset -e\ncd /srv\nexec python3 -u app.py --port 8080\n"
    assert len(done) == 4
    assert run_script.mended(after) == (after, {})


@pytest.mark.parametrize(
    "script",
    [
        "exec python3 app.py",
        "python3 app.py &\nwait",
        "trap stop TERM\npython3 app.py",
        "python3 app.py | tee log",
        "cat x | python3 app.py",
        "if true; then\n  python3 app.py\nfi",
        "python3() { true; }\npython3 app.py",
        "PORT=1 python3 app.py",
        "nginx &\npython3 app.py",
        "echo done",
        "$SERVER --port 8080",
        "false || python3 app.py",
        "start() {\n  python3 app.py\n}",
        "cat <<EOF\npython3 app.py\nEOF",
        "python3 -c '\npython3 app.py\n'; true",
        "python3 prepare.py; python3 app.py",
        "python3 app.py\nexit $?",
        "",
    ],
)
def test_exec_is_added_only_where_it_is_certain(script):
    text = f"#!/bin/sh\n{script}\n".encode()
    assert run_script.mended(text)[0] == text


@pytest.mark.parametrize(
    "line",
    ["gunicorn -b 0.0.0.0:$PORT app:app", "./server", "/opt/x/bin/thing --a", "python3 \\\n  app.py", "java -jar a"],
)
def test_exec_is_added_before_a_server_in_the_foreground(line):
    after, _ = run_script.mended(f"#!/bin/bash\nset -eu\n{line}\n\n# the end\n".encode())
    assert after == f"#!/bin/bash\nset -eu\nexec {line}\n\n# the end\n".encode()


BOOT = "/home/run.sh"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CMD python3 /srv/app.py", 'CMD ["python3", "/srv/app.py"]'),
        ("CMD /bin/sh /home/run.sh", 'CMD ["/bin/sh", "/home/run.sh"]'),
        ("CMD exec gunicorn -b 0.0.0.0:8080 app:app", 'CMD ["gunicorn", "-b", "0.0.0.0:8080", "app:app"]'),
        ("ENTRYPOINT python3 app.py", 'ENTRYPOINT ["python3", "app.py"]'),
        ('ENTRYPOINT ["sh", "/home/run.sh"]', 'CMD ["sh", "/home/run.sh"]'),
        ("ENTRYPOINT sh /home/run.sh", 'CMD ["sh", "/home/run.sh"]'),
        ("CMD python3 \\\n  # why\n  app.py", '  # why\nCMD ["python3", "app.py"]'),
        ("CMD python3 app.py\r", 'CMD ["python3", "app.py"]\r'),
    ],
)
def test_a_command_of_plain_words_needs_no_shell(before, after):
    text = f"FROM a\nCMD old $X\n# start\n{before}\nUSER 1\n".replace(
        "CMD old $X\n", "" if "ENTRY" in before else "CMD old $X\n"
    )
    changed, done = dockerfile.mended(text, boot_file=BOOT)
    assert changed == text.replace(before, after)
    assert done
    assert dockerfile.mended(changed, boot_file=BOOT) == (changed, {})


@pytest.mark.parametrize(
    "lines",
    [
        'CMD ["python3", "app.py"]',
        "CMD python3 $APP",
        "CMD cd /srv && python3 app.py",
        "CMD python3 'app.py'",
        "CMD A=1 python3 app.py",
        "CMD python3 *.py",
        "CMD cd /srv",
        "CMD [\"python3\", 'app.py']",
        'SHELL ["/bin/bash", "-c"]\nCMD python3 app.py',
        'ENTRYPOINT ["/entry.sh"]\nCMD python3 app.py',
        'ENTRYPOINT ["sh", "/home/run.sh"]\nCMD ["--port", "1"]',
        "CMD",
        "RUN <<EOF\nCMD python3 app.py\nEOF",
    ],
)
def test_a_command_that_needs_its_shell_keeps_it(lines):
    text = f"FROM a\n{lines}\n"
    assert dockerfile.mended(text, boot_file=BOOT) == (text, {})


def judged_as_image(folder, rule, kind=Kind.BATCH):
    """What a rule says of the image that the folder's Dockerfile makes, as far as its start goes."""
    found = read_dockerfile((folder / "Dockerfile").read_text())
    script = folder / "run.sh"
    run = File(script.read_bytes(), mode=script.stat().st_mode & 0o777)
    files = {**DEBIAN, "/home/run.sh": run, "/srv/app.py": "serve()"}
    wish, config = Wish(kind=kind), replace(found.config, env={"PATH": PATH})
    image = MemoryImage(files=files, config=config)
    evidence = {"image_config": lambda: image.config, "files": image.read, "edition": edition, "wish": lambda: wish}
    return judged(rule_named(rule), Evidence(evidence), wish).status


ASKING = [
    ("IMG-BOOT-06", b"#!/bin/sh\r\nexec python3 /srv/app.py\r\n", 0o755, 'CMD ["sh", "/home/run.sh"]'),
    ("IMG-TERM-03", b"#!/bin/sh\npython3 /srv/app.py\n", 0o755, 'CMD ["sh", "/home/run.sh"]'),
    ("IMG-TERM-03", b"#!/bin/sh\nexec python3 /srv/app.py\n", 0o755, "CMD python3 /srv/app.py"),
    ("IMG-BOOT-02", b"#!/bin/sh\nexec python3 /srv/app.py\n", 0o755, 'ENTRYPOINT ["sh", "/home/run.sh"]'),
    ("IMG-BOOT-04", b"#!/bin/sh\nexec python3 /srv/app.py\n", 0o644, 'CMD ["/home/run.sh"]'),
]


@pytest.mark.parametrize(
    ("rule", "script", "mode", "command"), ASKING, ids=[f"{n}-{a[0]}" for n, a in enumerate(ASKING)]
)
def test_the_rule_that_asks_for_a_mend_passes_after_it(tmp_path, rule, script, mode, command):
    project(tmp_path, run=script, dockerfile=f"FROM python:3.11\nCOPY run.sh /home/run.sh\n{command}\n")
    (tmp_path / "run.sh").chmod(mode)
    kind = Kind.BATCH if rule != "IMG-BOOT-04" else Kind.REAL_TIME
    assert judged_as_image(tmp_path, rule, kind) is Status.FAILED
    (change,) = changes(tmp_path, edition())
    assert change.rules == (rule,)
    apply((change,))
    assert judged_as_image(tmp_path, rule, kind) is Status.PASSED


def test_every_rule_that_a_change_names_exists(tmp_path):
    project(
        tmp_path,
        config=GOOD.replace("POST", "post"),
        run=b"\xef\xbb\xbfpython3 app.py\r\n",
        dockerfile="FROM a\nCOPY run.sh /home/run.sh\nENTRYPOINT sh /home/run.sh\n",
    )
    for change in changes(tmp_path, edition()):
        for rule in change.rules:
            assert rule_named(rule).id == rule


def test_a_folder_is_put_right_once(tmp_path):
    project(
        tmp_path,
        config=GOOD.replace('"url"', '"procotol": "http", "url"'),
        dockerfile="FROM python:3.11\nCOPY scripts/start.sh /home/run.sh\nCMD sh /home/run.sh\n",
        **{"scripts/start.sh": "python3 app.py\r\n"},
    )
    found = changes(tmp_path, edition())
    assert [change.name for change in found] == ["Dockerfile", "config.json", "scripts/start.sh"]
    assert all(change.rules and change.why for change in found)
    mended(tmp_path)
    assert changes(tmp_path, edition()) == ()
    assert (tmp_path / "scripts/start.sh").read_text() == "#!/bin/sh\nexec python3 app.py\n"
    assert not os.access(tmp_path / "scripts/start.sh", os.X_OK), "sh reads it, so nobody needs to execute it"
    assert not list(tmp_path.rglob(".*"))


def test_nothing_is_written_before_it_is_applied(tmp_path):
    project(tmp_path, run="python3 app.py\r\n")
    found = changes(tmp_path, edition())
    assert (tmp_path / "run.sh").read_bytes() == b"python3 app.py\r\n"
    assert found[0].before == b"python3 app.py\r\n"


def test_the_diff_shows_lines_and_modes(tmp_path):
    project(tmp_path, config=GOOD.replace('"POST"', "'POST'").rstrip(), run="#!/bin/sh\ntrue\n")
    (tmp_path / "run.sh").chmod(0o644)
    shown = diff(changes(tmp_path, edition()))
    assert "--- a/config.json\n+++ b/config.json\n" in shown
    assert '-    "apis": [{"url": "/", "method": \'POST\'}]\n' in shown
    assert '+    "apis": [{"url": "/", "method": "POST"}]\n' in shown
    assert "\\ No newline at end of file\n" in shown
    assert "old mode 100644 run.sh\nnew mode 100755 run.sh\n" in shown


def test_a_diff_does_nothing_to_the_terminal(tmp_path):
    project(tmp_path, run="# \x1b[2J\npython3 app.py\n")
    assert "\x1b" not in diff(changes(tmp_path, edition()))


def test_a_file_that_changed_meanwhile_is_not_overwritten_and_neither_are_the_others(tmp_path):
    project(tmp_path, config=GOOD.replace("POST", "post"), run="python3 app.py\n")
    found = changes(tmp_path, edition())
    (tmp_path / "run.sh").write_text("echo mine\n")
    with pytest.raises(Conflict, match=r"run\.sh was changed"):
        apply(found)
    assert "post" in (tmp_path / "config.json").read_text()
    assert (tmp_path / "run.sh").read_text() == "echo mine\n"


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    outside = project(tmp_path / "outside", config=GOOD.replace("POST", "post"))
    inside = tmp_path / "project"
    inside.mkdir()
    (inside / "config.json").symlink_to(outside / "config.json")
    assert changes(inside, edition()) == ()
    (inside / "config.json").unlink()
    project(inside, config=GOOD.replace("POST", "post"))
    found = changes(inside, edition())
    (inside / "config.json").unlink()
    (inside / "config.json").symlink_to(outside / "config.json")
    with pytest.raises(Refused, match="no file inside"):
        apply(found)
    assert "post" in (outside / "config.json").read_text()


def test_a_link_inside_the_folder_stays_a_link(tmp_path):
    project(tmp_path, **{"model/config.json": GOOD.replace("POST", "post")})
    (tmp_path / "config.json").symlink_to("model/config.json")
    (change,) = changes(tmp_path, edition())
    apply((change,))
    assert (tmp_path / "config.json").is_symlink()
    assert "POST" in (tmp_path / "model/config.json").read_text()


def test_a_mode_is_kept(tmp_path):
    project(tmp_path, config=GOOD.replace("POST", "post"))
    (tmp_path / "config.json").chmod(0o640)
    mended(tmp_path)
    assert (tmp_path / "config.json").stat().st_mode & 0o777 == 0o640


def test_a_library_s_config_is_nobody_s_business(tmp_path):
    project(tmp_path, config='{"architectures": ["Bert"], "model_type": "bert",}')
    assert changes(tmp_path, edition()) == ()


def test_only_a_folder_can_be_mended(tmp_path):
    with pytest.raises(Refused, match="no folder"):
        changes(tmp_path / "missing", edition())


def test_a_diff_shows_the_line_ends_that_it_changes(tmp_path):
    found = changes(project(tmp_path, run="#!/bin/bash\r\nexec ./server\r\n"), edition())
    assert "-#!/bin/bash^M\n-exec ./server^M\n+#!/bin/bash\n+exec ./server\n" in diff(found)


PRINTS = "print('ready')\n"
SERVES = "FROM python:3.11\nWORKDIR /srv\nCOPY . /srv\n{}# start\n{}\n"


@pytest.mark.parametrize(
    ("command", "after"),
    [
        ('CMD ["python3", "app.py"]', 'CMD ["python3", "app.py"]'),
        ("CMD python3 app.py --port 8080", 'CMD ["python3", "app.py", "--port", "8080"]'),
        ('ENTRYPOINT ["python3"]\nCMD ["app.py"]', 'ENTRYPOINT ["python3"]\nCMD ["app.py"]'),
    ],
)
def test_python_that_prints_late_is_told_to_print_at_once(tmp_path, command, after):
    project(tmp_path, dockerfile=SERVES.format("", command), **{"app.py": PRINTS})
    (change,) = changes(tmp_path, edition())
    assert change.after.decode() == SERVES.format("ENV PYTHONUNBUFFERED=1\n", after)
    assert "IMG-LOG-03" in change.rules
    assert changes(mended(tmp_path), edition()) == ()


def test_python_that_a_script_starts_is_told_so_too(tmp_path):
    text = 'FROM python:3.11\nCOPY run.sh /home/run.sh\nCOPY app.py /srv/\n{}CMD ["sh", "/home/run.sh"]\n'
    run = "#!/bin/sh\nexec python3 /srv/app.py\n"
    project(tmp_path, run=run, dockerfile=text.format(""), **{"app.py": PRINTS})
    assert (mended(tmp_path) / "Dockerfile").read_text() == text.format("ENV PYTHONUNBUFFERED=1\n")
    assert (tmp_path / "run.sh").read_text() == run


@pytest.mark.parametrize(
    ("before", "command", "app"),
    [
        ("", 'CMD ["python3", "-u", "app.py"]', PRINTS),
        ("ENV PYTHONUNBUFFERED=1\n", 'CMD ["python3", "app.py"]', PRINTS),
        ("", 'CMD ["python3", "app.py"]', "print('ready', flush=True)\n"),
        ("", 'CMD ["python3", "app.py"]', "serve()\n"),
        ("", 'CMD ["python3", "other.py"]', PRINTS),
        ("", 'CMD ["python3", "-c", "print(1)"]', PRINTS),
        ("", 'CMD ["./server"]', PRINTS),
        ("", 'CMD ["sh", "-c", "python3 $APP"]', PRINTS),
        ("", "", PRINTS),
    ],
)
def test_what_does_not_surely_print_late_is_left_alone(tmp_path, before, command, app):
    project(tmp_path, dockerfile=SERVES.format(before, command), **{"app.py": app})
    assert changes(tmp_path, edition()) == ()
