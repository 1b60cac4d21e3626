"""A project with its own Dockerfile, judged before it is built: only what holds for every image it could become."""

import tempfile
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.checks import Evidence, Kind, Status, Subject, Wish, catalogue
from mooring.checks.case import Case, check
from mooring.checks.dockerfile.foretelling import FORETOLD, LEAVE_OUT, foretold
from mooring.checks.dockerfile.ignoring import Ignored
from mooring.checks.dockerfile.prospect import prospect
from mooring.checks.run import judged
from mooring.contract import edition, editions

PYTHON = "FROM python:3.11-slim"
PRIVATE = "FROM registry.example.com/team/base:7"
SERVES = 'CMD ["gunicorn", "-b", "0.0.0.0:8080", "app:app"]'
APP = {"app.py": "app = None\n"}
COPY_APP = ("WORKDIR /home/app", "COPY app.py .")
GOOD_SCRIPT = "#!/bin/sh\ncd /home/app\nexec python3 -u app.py\n"


@pytest.fixture
def judge(tmp_path):
    """What each rule says of a folder with these files and this Dockerfile, by its id."""

    def looked_at(*lines, files=None, kind=Kind.REAL_TIME, under="otc-2022", arguments=None, static=True):
        (tmp_path / "Dockerfile").write_bytes("\n".join((*lines, "")).encode())
        for name, content in (APP if files is None else files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode())
        case = Case(
            subject=Subject(name=str(tmp_path), kind="project"),
            edition=edition(under),
            wish=Wish(kind=kind, static=static),
            prospect=lambda: prospect(tmp_path, arguments=arguments or {}, static=static),
        )
        return {result.rule.id: result for result in check(case).results}

    return looked_at


def places(result):
    return [(finding.source.rpartition("/")[2], finding.line) for finding in result.findings]


def failed(results):
    return {name for name, result in results.items() if result.status is Status.FAILED}


def left_out(result):
    return (result.status, result.why) == (Status.SKIPPED, LEAVE_OUT)


def test_every_rule_that_is_foretold_is_there():
    assert {rule.id for rule in catalogue()} >= FORETOLD


def test_a_good_project_breaks_nothing_and_what_its_base_decides_is_left_open(judge):
    found = judge(PYTHON, "RUN pip install gunicorn", *COPY_APP, "USER 1000:100", "EXPOSE 8080", SERVES)
    assert failed(found) == set()
    for name in ("IMG-BOOT-03", "IMG-PORT-01", "IMG-PORT-02", "IMG-TERM-03", "IMG-TERM-04", "IMG-DIR-01"):
        assert found[name].status is Status.PASSED, name
    for name in ("IMG-BOOT-04", "IMG-BOOT-05", "IMG-SIZE-01", "IMG-SAFE-05", "IMG-MNT-01", "CFG-IMG-02"):
        assert left_out(found[name]), name


@pytest.mark.parametrize(
    ("lines", "rule", "line"),
    [
        ((PYTHON, *COPY_APP, "", "# how", "CMD gunicorn -b 0.0.0.0:8080 app:app"), "IMG-TERM-03", 6),
        ((PYTHON, *COPY_APP, 'ENTRYPOINT ["gunicorn", \\', '  "-b", "127.0.0.1:8080", "app:app"]'), "IMG-PORT-02", 4),
        ((PYTHON, *COPY_APP, "EXPOSE 80", 'CMD ["gunicorn", "-b", "0.0.0.0:5000", "app:app"]'), "IMG-PORT-01", 5),
        ((PYTHON, "EXPOSE 80", 'CMD ["/opt/serve"]'), "IMG-PORT-01", 2),
        ((PYTHON, *COPY_APP, 'CMD ["flask", "run", "--host=0.0.0.0", "--port=8080"]'), "IMG-DEV-01", 4),
        ((PYTHON, "ENV A=1 \\", "  B=2", "ENV API_TOKEN=c7Vq2mXe9RtB4kWz8pLd", SERVES), "IMG-SECRET-01", 4),
        ((PYTHON, "ARG PIP_TOKEN=c7Vq2mXe9RtB4kWz8pLd", SERVES), "IMG-SECRET-01", 2),
        ((PYTHON, "LABEL api.token=c7Vq2mXe9RtB4kWz8pLd", SERVES), "IMG-SECRET-01", 2),
        ((PYTHON, "ENV PYTHONPAiTH=/app", SERVES), "IMG-ENV-02", 2),
        ((PYTHON, "STOPSIGNAL SIGQUIT", SERVES), "IMG-TERM-04", 2),
        ((PRIVATE, "USER 1000", "USER root", SERVES), "IMG-USER-01", 3),
        ((PRIVATE, 'CMD ["python3"]', "ENTRYPOINT []", 'CMD ["python3"]'), "IMG-BOOT-03", 4),
        ((PYTHON, "ENV LD_PRELOAD=/opt/.x/hook.so", SERVES), "IMG-SAFE-07", 2),
        ((PYTHON, "WORKDIR /srv", "COPY app.py /home/app/", 'CMD ["python3", "app.py"]'), "IMG-DIR-01", 4),
    ],
)
def test_what_the_dockerfile_says_wrong_is_told_with_its_line(judge, lines, rule, line):
    found = judge(*lines)[rule]
    assert places(found) == [("Dockerfile", line)], found


def test_our_own_template_is_foretold_to_keep_every_edition(judge):
    folder = resources.files("mooring.project") / "templates" / "bring-your-own"
    files = {name: (folder / name).read_text(encoding="utf-8") for name in ("run.sh", "server.py", "config.json")}
    lines = (folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
    for name in editions():
        assert failed(judge(*lines, files=files, under=name)) == set(), name


def test_the_platform_of_the_last_stage_is_known_where_it_is_written(judge):
    found = judge("FROM --platform=linux/riscv64 python:3.11", SERVES, under="otc-2024")["IMG-ARCH-01"]
    assert (found.status, places(found)) == (Status.FAILED, [("Dockerfile", 1)])
    assert left_out(judge(PYTHON, SERVES, under="otc-2024")["IMG-ARCH-01"])
    assert left_out(judge("FROM --platform=$BUILDPLATFORM python", SERVES, under="otc-2024")["IMG-ARCH-01"])


def test_idle_connections_are_told_by_the_flags_of_the_server(judge):
    flags = '"-b", "0.0.0.0:8080", "-k", "gevent", "app:app"'
    bad = judge(PYTHON, *COPY_APP, f'CMD ["gunicorn", {flags}]', under="otc-2024")["IMG-KEEP-02"]
    assert (bad.status, places(bad)) == (Status.FAILED, [("Dockerfile", 4)])
    good = judge(PYTHON, *COPY_APP, f'CMD ["gunicorn", "--keep-alive", "200", {flags}]', under="otc-2024")
    assert good["IMG-KEEP-02"].status is Status.PASSED
    # The base may set GUNICORN_CMD_ARGS.
    assert left_out(judge(PRIVATE, *COPY_APP, f'CMD ["gunicorn", {flags}]', under="otc-2024")["IMG-KEEP-02"])


def test_a_script_of_the_folder_is_read_and_named_as_it_is_called_there(judge):
    files = {"scripts/start.sh": "#!/bin/sh\r\ncd /home/app\r\ngunicorn -b 127.0.0.1:8080 app:app\r\n", **APP}
    lines = (PYTHON, *COPY_APP, "COPY scripts/start.sh /home/start.sh", 'CMD ["sh", "/home/start.sh"]')
    found = judge(*lines, files=files)
    assert places(found["IMG-BOOT-06"]) == [("start.sh", 1)]
    assert found["IMG-BOOT-06"].findings[0].source.endswith("/scripts/start.sh")
    assert places(found["IMG-PORT-02"]) == places(found["IMG-TERM-03"]) == [("start.sh", 3)]


def test_what_an_entrypoint_of_the_base_may_stand_before_is_left_open(judge):
    loopback = 'CMD ["gunicorn", "-b", "127.0.0.1:5000", "app:app"]'
    private = judge(PRIVATE, *COPY_APP, "USER 7", loopback)
    assert not {name for name, result in private.items() if result.findings}
    assert left_out(private["IMG-PORT-02"])
    assert left_out(private["IMG-TERM-03"])
    none = judge(PRIVATE, *COPY_APP, "ENTRYPOINT []", loopback)
    assert places(none["IMG-PORT-01"]) == places(none["IMG-PORT-02"]) == [("Dockerfile", 5)]


def test_what_prints_late_is_told_by_the_source(judge):
    files = {"app.py": "import os\nprint('ready')\n"}
    start = 'CMD ["python3", "app.py"]'
    assert places(judge(PYTHON, *COPY_APP, start, files=files)["IMG-LOG-03"]) == [("app.py", 2)]
    flushed = judge(PYTHON, "ENV PYTHONUNBUFFERED=1", *COPY_APP, start, files=files)
    assert flushed["IMG-LOG-03"].status is Status.PASSED
    assert left_out(judge(PRIVATE, *COPY_APP, start, files=files)["IMG-LOG-03"])


def test_a_script_that_may_not_be_started_is_told_unless_something_changes_its_mode(judge, tmp_path):
    files = {"run.sh": GOOD_SCRIPT, **APP}
    end = 'CMD ["/home/run.sh"]'
    assert places(judge(PRIVATE, "COPY run.sh /home/run.sh", end, files=files)["IMG-BOOT-04"]) == [("Dockerfile", 3)]
    for lines in (("COPY --chmod=755 run.sh /home/run.sh",), ("COPY run.sh /home/run.sh", "RUN chmod +x /home/run.sh")):
        assert left_out(judge(PRIVATE, *lines, end, files=files)["IMG-BOOT-04"])
    (tmp_path / "run.sh").chmod(0o755)
    assert left_out(judge(PRIVATE, "COPY run.sh /home/run.sh", end, files={})["IMG-BOOT-04"])


def test_a_batch_image_is_judged_by_its_boot_file_and_its_command(judge):
    files = {"run.sh": GOOD_SCRIPT, **APP}
    good = judge(PYTHON, *COPY_APP, "COPY run.sh /home/", 'CMD ["sh", "/home/run.sh"]', files=files, kind=Kind.BATCH)
    assert {good[name].status for name in ("IMG-BOOT-01", "IMG-BOOT-02", "IMG-BOOT-06")} == {Status.PASSED}
    lost = judge(PYTHON, *COPY_APP, "COPY run.sh /srv/", 'CMD ["sh", "/home/run.sh"]', files=files, kind=Kind.BATCH)
    assert places(lost["IMG-BOOT-01"]) == [("Dockerfile", 4)]
    other = judge(PRIVATE, "COPY run.sh /home/", 'CMD ["python3", "app.py"]', files=files, kind=Kind.BATCH)
    assert places(other["IMG-BOOT-02"]) == [("Dockerfile", 3)]
    # Who is behind it depends on the ENTRYPOINT of the base, and so does whether a missing file is missing.
    private = judge(PRIVATE, 'CMD ["sh", "/home/run.sh"]', files=files, kind=Kind.BATCH)
    assert left_out(private["IMG-BOOT-01"])


@pytest.mark.parametrize(
    "lines",
    [
        (PRIVATE,),
        (PYTHON,),
        (PYTHON, 'ENTRYPOINT ["/opt/serve"]'),
        ("ARG BASE", "FROM ${BASE}", "EXPOSE $PORT", "WORKDIR $HOME_DIR", "USER $WHO", "ENV http_proxy=$http_proxy"),
        ("FROM scratch", "COPY --from=other / /", 'CMD ["/serve"]'),
        ("# escape=`", PYTHON, "WORKDIR /home/app", "COPY app.py `", "  .", SERVES),
        (
            PYTHON,
            "COPY . /home/app",
            "RUN <<EOF",
            "CMD gunicorn app:app",
            "USER root",
            "EOF",
            "WORKDIR /home/app",
            SERVES,
        ),
        (PRIVATE, "ONBUILD CMD gunicorn app:app", "ONBUILD USER root", *COPY_APP, SERVES),
        (PYTHON + " AS build", "USER root", "CMD gunicorn app:app", PRIVATE, *COPY_APP, "USER 7", SERVES),
        ("",),
    ],
)
def test_what_only_a_build_would_tell_is_no_finding(judge, lines):
    found = judge(*lines)
    assert failed(found) == set()
    assert not [name for name, result in found.items() if result.findings and name != "IMG-USER-01"]


def test_a_trigger_of_a_stage_works_in_the_stage_that_begins_from_it(judge):
    lines = ("FROM python:3.11 AS base", "ONBUILD STOPSIGNAL SIGINT", "FROM base", SERVES)
    assert places(judge(*lines)["IMG-TERM-04"]) == [("Dockerfile", 2)]


def test_what_an_earlier_stage_of_the_chain_says_is_told_with_its_line(judge):
    lines = ("FROM python:3.11 AS base", "STOPSIGNAL SIGINT", "FROM golang", "STOPSIGNAL 15", "FROM base", SERVES)
    assert places(judge(*lines)["IMG-TERM-04"]) == [("Dockerfile", 2)]


@pytest.mark.parametrize(
    "step",
    [
        "RUN sed -i 's/\\r$//' /home/run.sh",
        "RUN find /home -name '*.sh' -exec dos2unix {} +",
        "RUN ./prepare",
        'RUN ["sh", "-c", "tr -d x < a > /home/run.sh"]',
        "COPY --from=build /run.sh /home/",
        "COPY <<EOF /home/run.sh\nexec true\nEOF",
        "ADD https://example.com/run.sh /home/run.sh",
        "ADD scripts.tar.gz /home/",
        "COPY $SCRIPT /home/",
        "COPY not-there.sh /home/run.sh",
    ],
)
def test_a_script_that_a_later_step_may_mend_is_not_judged(judge, step):
    crlf = GOOD_SCRIPT.replace("\n", "\r\n")
    start = 'CMD ["sh", "/home/run.sh"]'
    found = judge(PYTHON, "COPY run.sh /home/run.sh", step, start, files={"run.sh": crlf, **APP}, kind=Kind.BOTH)
    assert left_out(found["IMG-BOOT-06"])
    assert left_out(found["IMG-BOOT-01"])


@pytest.mark.parametrize(
    "step",
    [
        "RUN apt-get update && apt-get install -y --no-install-recommends zip && rm -rf /var/lib/apt/lists/*",
        "RUN pip install --no-cache-dir 'numpy>=1.26' \"onnx<2\" > /dev/null 2>&1",
        "RUN set -eux; \\\n    useradd -u 1000 -g 100 -m ma-user; \\\n    mkdir -p /home/data",
        "RUN --mount=type=cache,target=/home/user/.cache python3 -m pip install -r requirements.txt",
        "RUN chown -R 1000:100 /home",
    ],
)
def test_steps_that_install_change_no_script(judge, step):
    crlf = GOOD_SCRIPT.replace("\n", "\r\n")
    found = judge(PYTHON, "COPY run.sh /home/run.sh", step, 'CMD ["sh", "/home/run.sh"]', files={"run.sh": crlf, **APP})
    assert found["IMG-BOOT-06"].status is Status.FAILED


def test_a_shell_that_gives_way_is_not_blamed(judge):
    shell_form = "CMD gunicorn -b 0.0.0.0:8080 app:app"
    assert judge("FROM python:3.11-alpine", *COPY_APP, shell_form)["IMG-TERM-03"].status is Status.PASSED
    assert left_out(judge(PYTHON, "RUN ln -sf bash /bin/sh", *COPY_APP, shell_form)["IMG-TERM-03"])
    assert left_out(judge("FROM python:${TAG}", *COPY_APP, shell_form)["IMG-TERM-03"])
    # An ENTRYPOINT of the base may pass the signal to every process.
    assert left_out(judge(PRIVATE, *COPY_APP, shell_form)["IMG-TERM-03"])
    assert judge(PRIVATE, *COPY_APP, "ENTRYPOINT []", shell_form)["IMG-TERM-03"].status is not Status.PASSED


def test_modules_and_programs_that_packages_may_bring_are_not_missed(judge):
    bring = ("RUN pip install shop", 'CMD ["gunicorn", "-b", "0.0.0.0:8080", "shop.wsgi:app"]')
    assert left_out(judge(PYTHON, *bring)["IMG-DIR-01"])
    tool = judge(PYTHON, "RUN pip install tool", 'CMD ["tool", "--serve"]')
    assert failed(tool) == set()
    assert left_out(
        judge(PYTHON, "RUN git clone https://example.com/x /srv", 'CMD ["python3", "/srv/a.py"]')["IMG-DIR-01"]
    )


def test_users_of_the_image_are_not_missed_and_files_they_may_not_read_are(judge, tmp_path):
    start = 'CMD ["python3", "-u", "app.py"]'
    assert left_out(judge(PYTHON, "RUN useradd work", *COPY_APP, "USER work", start)["IMG-USER-02"])
    assert left_out(judge(PRIVATE, *COPY_APP, "USER $WHO", start)["IMG-USER-02"])
    assert judge(PYTHON, *COPY_APP, "USER 1000:100", start)["IMG-USER-02"].status is Status.PASSED
    (tmp_path / "app.py").chmod(0o600)
    narrow = judge(PYTHON, *COPY_APP, "USER 1000:100", start, files={})["IMG-USER-02"]
    assert places(narrow) == [("app.py", 0)]
    own = (PYTHON, "WORKDIR /home/app", "COPY --chown=1000:100 app.py .", "USER 1000:100", start)
    assert judge(*own, files={})["IMG-USER-02"].status is not Status.FAILED


def test_files_that_are_not_sent_are_not_copied(judge):
    files = {".dockerignore": "*.sh\n", "run.sh": "#!/bin/sh\r\n", **APP}
    found = judge(PRIVATE, "COPY . /home/", 'CMD ["sh", "/home/run.sh"]', files=files)
    assert left_out(found["IMG-BOOT-06"])
    back = {**files, ".dockerignore": "*\n!run.sh\n"}
    assert judge(PYTHON, "COPY . /home/", 'CMD ["sh", "/home/run.sh"]', files=back)["IMG-BOOT-06"].findings


def test_patterns_of_copy_find_what_they_match(judge):
    files = {"bin/run.sh": "#!/bin/sh\r\nexec serve\r\n", "bin/other.py": ""}
    found = judge(PYTHON, "COPY bin/*.sh ./home/", 'CMD ["sh", "/home/run.sh"]', files=files)
    assert places(found["IMG-BOOT-06"]) == [("run.sh", 1)]


def test_the_base_that_the_project_names_is_the_one(judge):
    lines = ("ARG BASE=python:3.11", "FROM ${BASE}", *COPY_APP, "CMD gunicorn -b 0.0.0.0:8080 app:app")
    assert judge(*lines)["IMG-TERM-03"].status is Status.FAILED
    assert left_out(judge(*lines, arguments={"BASE": "registry.example.com/base"})["IMG-TERM-03"])


def test_links_lead_nowhere(judge, tmp_path):
    (tmp_path / "run.sh").symlink_to("/etc/passwd")
    found = judge(PYTHON, "COPY run.sh /home/run.sh", 'CMD ["sh", "/home/run.sh"]')
    assert failed(found) == set()
    assert left_out(found["IMG-BOOT-06"])


def test_where_nothing_could_build_it_the_rest_is_not_known(judge):
    found = judge(PYTHON, *COPY_APP, 'CMD ["gunicorn", "-b", "127.0.0.1:8080", "app:app"]', static=False)
    assert found["IMG-PORT-02"].status is Status.FAILED
    assert (found["IMG-BOOT-04"].status, found["IMG-BOOT-04"].why) == (Status.UNKNOWN, "the project was not built")


@pytest.mark.parametrize(
    ("text", "out", "sent"),
    [
        ("*.log\n", ["a.log"], ["b/a.log", "a.txt"]),
        ("**/*.log\n", ["a.log", "b/c/a.log"], ["a.txt"]),
        ("# *\n\n/model/\n", ["model", "model/w.bin"], ["models", "x/model"]),
        ("*\n!app\napp/t?st\n", ["x", "app/test/a"], ["app/a.py", "app/toast"]),
        ("a[bc].py\n", ["ab.py"], ["ad.py", "a/.py"]),
    ],
)
def test_dockerignore_takes_out_what_builders_take_out(text, out, sent):
    ignored = Ignored.of(text)
    assert [name for name in (*out, *sent) if name in ignored] == out


WORDS = ("FROM", "python", "COPY", "ADD", "RUN", "CMD", "ENTRYPOINT", "ONBUILD", "USER", "ENV", "A=1", "--from=0", "$A")
SIGNS = ("\n", "\n", " ", "[", "]", '"', "'", "\\", "<<E", "*", "/", ".", "app.py", "&&", "#", "a:b", "\r\n")


@settings(max_examples=60, deadline=None)
@given(text=st.lists(st.sampled_from((*WORDS, *SIGNS)), max_size=30))
def test_any_dockerfile_comes_to_something(text):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "app.py").touch()
        (Path(folder) / "Dockerfile").write_text(" ".join(text), newline="")
        whole = prospect(Path(folder), arguments={}, static=True)
        pieces = {"prospect": lambda: whole, "edition": lambda: edition("otc-2024"), "wish": Wish}
        for rule in map(foretold, catalogue()):
            if "prospect" in rule.needs:
                found = judged(rule, Evidence(pieces), Wish(kind=Kind.BOTH))
                assert all(0 <= finding.line <= len(text) + 1 for finding in found.findings)
