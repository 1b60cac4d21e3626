"""`mooring check`: what it says of an image, in which form, and with which exit code."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from doubles.archives import Layout, config_of, docker_save, file, layer, packed

DOUBLES = Path(__file__).parent.parent / "doubles"
CONFIG = {
    "model_algorithm": "digits",
    "model_type": "Image",
    "apis": [
        {
            "protocol": "http",
            "url": "/",
            "method": "POST",
            "request": {"Content-type": "application/json", "data": {"type": "object", "properties": {}}},
            "response": {"Content-type": "application/json", "data": {"type": "object"}},
        }
    ],
    "health": {"url": "/health", "protocol": "http", "initial_delay_seconds": "1", "timeout_seconds": "3"},
}
SETTINGS = {
    "Cmd": ["/bin/server"],
    "User": "1000:100",
    "Env": ["PATH=/bin"],
    "Labels": {"io.mooring.config": json.dumps(CONFIG)},
}


@pytest.fixture
def saved(tmp_path):
    """Write an image whose files and settings are these, as docker saves it."""

    def write(*files, **settings):
        members = [file("bin/server", b"\x7fELF server", mode=0o755), file("etc/passwd", "u:x:1000:100::/:\n"), *files]
        layers = [layer(*members)]
        config = config_of(layers, ["COPY server"], **{**SETTINGS, **settings})
        return docker_save(tmp_path / "image.tar", layers, config)

    return write


def as_json(done):
    return json.loads(done.stdout)


def failed(done):
    return {result["rule"] for result in as_json(done)["results"] if result["status"] == "failed"}


def test_an_image_without_a_fault_is_said_to_keep_the_contract(mooring, saved):
    done = mooring("check", saved(), "--static")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[0].startswith(
        f"{saved()} shows nothing against the contract of otc-2022 (real-time, not run): "
    )


def test_an_image_without_a_command_is_at_fault_and_the_exit_code_says_so(mooring, saved):
    done = mooring("check", saved(Cmd=None), "--static")
    assert done.returncode == 1
    assert "breaks the contract" in done.stdout.splitlines()[0]
    assert "IMG-BOOT-03" in done.stdout


def test_a_finding_that_is_accepted_does_not_count_and_its_reason_is_kept(mooring, saved):
    done = mooring("check", saved(Cmd=None), "--static", "--accept", "img-boot-03: the platform gives the command")
    assert done.returncode == 0, done.stdout
    assert "the platform gives the command" in done.stdout


def test_accepting_a_rule_that_does_not_exist_is_refused_with_the_nearest(mooring, saved):
    done = mooring("check", saved(), "--static", "--accept", "IMG-BOOT-3")
    assert done.returncode == 2
    assert "IMG-BOOT-03" in done.stderr


def test_what_should_be_mended_counts_when_it_is_asked_to(mooring, saved):
    image = saved(StopSignal="SIGKILL")
    assert mooring("check", image, "--static").returncode == 0
    assert mooring("check", image, "--static", "--fail-on", "should").returncode == 1


def test_rules_for_batch_are_asked_when_it_is_meant_for_batch(mooring, saved):
    done = mooring("check", saved(), "--static", "--kind", "batch", "--format", "json")
    assert done.returncode == 1
    assert {"IMG-BOOT-01", "IMG-DEPS-01"} <= failed(done)


@pytest.mark.parametrize("edition", ["otc-2022", "huawei-2025"])
def test_the_edition_that_is_asked_for_judges(mooring, saved, edition):
    assert (
        as_json(mooring("check", saved(), "--static", "--edition", edition, "--format", "json"))["edition"] == edition
    )


def test_an_image_is_judged_by_the_edition_it_was_made_for(mooring, saved):
    labels = {**SETTINGS["Labels"], "io.mooring.edition": "otc-2025"}
    assert as_json(mooring("check", saved(Labels=labels), "--static", "--format", "json"))["edition"] == "otc-2025"


def test_the_config_that_is_given_wins_over_the_label_and_the_report_says_so(mooring, saved, tmp_path):
    given = tmp_path / "given.json"
    given.write_text(json.dumps({**CONFIG, "model_algorithm": "1digits"}))
    done = mooring("check", saved(), "--static", "--config", given, "--format", "json")
    assert done.returncode == 1
    assert "CFG-ALG-01" in failed(done)
    assert as_json(done)["subject"]["config_source"].startswith(f"given: {given}")


def test_many_layers_read_by_several_threads_leave_no_word_but_the_report(mooring, tmp_path):
    layers = [layer(*(file(f"bin/{n}-{m}", b"\x7fELF", mode=0o755) for m in range(40))) for n in range(12)]
    done = mooring("check", docker_save(tmp_path / "image.tar", layers, config_of(layers, **SETTINGS)), "--static")
    assert done.stderr == ""


@pytest.mark.parametrize("form", ["plain", "gzip", "zstd", "layout", "layout.tar"])
def test_the_same_image_is_judged_the_same_in_every_form(mooring, tmp_path, form):
    layers = [layer(file("bin/server", b"\x7fELF", mode=0o755), file("etc/passwd", "u:x:1000:100::/:\n"))]
    config = config_of(layers, ["COPY server"], **SETTINGS, StopSignal="SIGINT")
    place = docker_save(tmp_path / "image.tar", layers, config)
    if form in ("gzip", "zstd"):
        place = packed(place, form)
    elif form.startswith("layout"):
        layout = Layout(tmp_path / "layout")
        place = layout.finish(layout.image(layers, config))
        place = layout.tar(tmp_path / "layout.tar") if form.endswith(".tar") else place
    done = mooring("check", place, "--static", "--format", "json")
    assert failed(done) == {"IMG-TERM-04"}, done.stderr


def test_a_report_is_written_to_the_file_it_is_asked_for(mooring, saved, tmp_path):
    report = tmp_path / "report.sarif"
    done = mooring("check", saved(Cmd=None), "--static", "--format", "sarif", "--output", report)
    assert done.returncode == 1
    assert json.loads(report.read_text())["version"] == "2.1.0"
    assert done.stdout == ""
    assert str(report) in done.stderr


def test_an_archive_that_is_none_is_refused_and_nothing_is_reported(mooring, tmp_path):
    (tmp_path / "image.tar").write_text("not an archive")
    done = mooring("check", tmp_path / "image.tar", "--static")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "image.tar" in done.stderr


def test_a_zip_bomb_in_a_layer_is_told_of_and_not_unpacked(mooring, saved):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("archive/data.pkl", "w") as member:
        member.write(b"\x80\x02")
        for _ in range(64):
            member.write(b"N0" * (1 << 19))  # push None, and drop it
    done = mooring("check", saved(file("home/model/weights.pt", bomb.getvalue())), "--static", "--format", "json")
    assert failed(done) == {"IMG-SAFE-03"}, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.tar",), "nowhere.tar"),
        (("./nowhere",), "./nowhere"),
        (("IMAGE", "--sample", "images"), "FIELD=@FILE"),
        (("IMAGE", "--sample", "images=@nowhere.jpg"), "nowhere.jpg"),
        (("IMAGE", "--edition", "otc-1999"), "otc-1999"),
        (("IMAGE", "--config", "nowhere.json"), "nowhere.json"),
        (("IMAGE", "--memory", "much"), "much"),
        (("http://127.0.0.1:1", "--static"), "--static"),
    ],
)
def test_words_that_make_no_sense_are_refused_by_name(mooring, saved, words, said):
    done = mooring("check", *(saved() if word == "IMAGE" else word for word in words))
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_an_engine_what_must_run_is_not_judged_and_the_exit_code_says_so(mooring, saved):
    done = mooring("check", saved(), DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 69
    assert "no container engine answers" in done.stdout


def test_without_an_engine_an_image_by_name_cannot_be_looked_at(mooring):
    done = mooring("check", "mnist:1", DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 69
    assert "no container engine answers" in done.stderr


def test_a_project_is_judged_by_its_files_where_nothing_may_be_built(mooring, tmp_path):
    assert mooring("init", tmp_path / "mnist").returncode == 0
    config = tmp_path / "mnist/config.json"
    config.write_text(config.read_text().replace('"protocol"', '"procotol"', 1))
    done = mooring("check", tmp_path / "mnist", "--static", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert failed(done) == {"CFG-TYPO-01"}


def test_a_project_s_own_dockerfile_is_judged_without_building_it(mooring, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "run.sh").write_bytes(b"#!/bin/sh\r\nexec serve\r\n")
    lines = ("FROM python:3.11", "COPY run.sh /home/", "STOPSIGNAL SIGQUIT", 'CMD ["sh", "/home/run.sh"]', "")
    (tmp_path / "Dockerfile").write_text("\n".join(lines))
    (tmp_path / "Dockerfile.gpu").write_text('FROM python:3.11\nUSER root\nCMD ["flask", "run"]\n')
    done = mooring("check", tmp_path, "--static", "--format", "json", DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 1, done.stderr
    assert failed(done) == {"IMG-BOOT-06", "IMG-TERM-04", "PRJ-FIX-01"}
    told = {result["rule"]: result for result in as_json(done)["results"]}
    assert told["IMG-SIZE-01"]["why"] == "known when the image is built: leave out --static"
    text = mooring("check", tmp_path, "--static").stdout
    assert f"{tmp_path}/Dockerfile:3" in text
    assert f"{tmp_path}/run.sh:1" in text
    sarif = json.loads(mooring("check", tmp_path, "--static", "--format", "sarif").stdout)
    places = [result["locations"][0]["physicalLocation"] for result in sarif["runs"][0]["results"]]
    assert {"uri": "Dockerfile"} in [place["artifactLocation"] for place in places]


def test_a_dockerfile_that_nothing_builds_is_not_judged(mooring, tmp_path):
    assert mooring("init", tmp_path / "mnist").returncode == 0
    (tmp_path / "mnist/Dockerfile").write_text("FROM python:3.11\nSTOPSIGNAL SIGQUIT\nCMD flask run\n")
    done = mooring("check", tmp_path / "mnist", "--static", "--format", "json")
    assert not any(name.startswith("IMG-") for name in failed(done))


def test_fix_shows_what_it_would_do_and_does_it_when_told_to(mooring, tmp_path):
    assert mooring("init", tmp_path / "mnist").returncode == 0
    config = tmp_path / "mnist/config.json"
    right = config.read_text()
    config.write_text(right.replace('"protocol"', '"procotol"', 1))
    shown = mooring("check", "--fix", tmp_path / "mnist")
    assert shown.returncode == 1
    assert '-      "procotol": "http",' in shown.stdout
    assert "procotol" in config.read_text()
    done = mooring("check", "--fix", tmp_path / "mnist", "--yes")
    assert done.returncode == 0
    assert config.read_text() == right
    assert mooring("check", "--fix", tmp_path / "mnist").stdout.startswith(f"{tmp_path / 'mnist'}: nothing")


@contextlib.contextmanager
def serving(double):
    """The address of a program in tests/doubles, running on this machine."""
    command = [sys.executable, DOUBLES / f"{double}.py"]
    with subprocess.Popen(command, env={"PORT": "0"}, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().split()[-1]}"
        finally:
            process.kill()


def test_a_server_that_runs_is_judged_by_what_it_answers(mooring, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG))
    with serving("keeps_the_contract") as url:
        done = mooring("check", url, "--config", config, "--format", "json")
    report = as_json(done)
    assert done.returncode == 0, done.stdout
    assert report["subject"]["kind"] == "server"
    assert {result["status"] for result in report["results"] if result["rule"].startswith("RUN-API")} == {"passed"}


@pytest.mark.engine
def test_an_archive_is_run_and_leaves_nothing_in_the_engine(mooring, engine, double, tmp_path):
    name = double("keeps_the_contract", labels={"io.mooring.config": json.dumps(CONFIG), "only": tmp_path.name})
    archive = tmp_path / "image.tar"
    archive.write_bytes(b"".join(engine.export(name)))
    before = names_of(name)
    done = mooring("check", archive, "--format", "json")
    assert done.returncode == 0, done.stdout
    assert {result["status"] for result in as_json(done)["results"] if result["rule"] == "RUN-START-01"} == {"passed"}
    assert names_of(name) == before


def names_of(image):
    """All names that an image has: others may use the engine at the same time."""
    command = ("docker", "image", "inspect", "--format", "{{.RepoTags}}", image)
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def containers_of(image):
    """The ids of the containers of an image."""
    listed = subprocess.run(("docker", "ps", "-aq", "--filter", f"ancestor={image}"), capture_output=True, check=True)
    return listed.stdout.split()


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_check_that_is_interrupted_leaves_nothing_behind(double, number, tmp_path):
    name = double("never_ready", labels={"io.mooring.config": json.dumps(CONFIG), "only": tmp_path.name})
    running = subprocess.Popen(
        [sys.executable, "-m", "mooring.cli", "check", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not containers_of(name):
        assert running.poll() is None, running.communicate()
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 128 + number, err
    assert b"Traceback" not in err
    assert out == b""
    assert not containers_of(name)


def test_a_report_may_go_to_a_pipe_and_a_device_stays_a_device(mooring, saved, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        done = mooring("check", saved(), "--static", "--format", "json", "--output", pipe)
        assert done.returncode == 0, done.stderr
        assert json.loads(reader.communicate(timeout=60)[0])["verdict"] == "keeps"
    assert pipe.is_fifo()


@pytest.mark.parametrize("closed", ["| true", ">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize(("settings", "more", "code"), [({}, "", 0), ({"Cmd": None}, "", 1), ({}, ".nowhere.tar", 2)])
def test_nobody_has_to_read_the_report_for_the_exit_code_to_be_true(saved, closed, settings, more, code):
    command = f'"{sys.executable}" -m mooring.cli check "$0" --static -v {closed}; exit ${{PIPESTATUS[0]}}'
    words = ["bash", "-c", command, f"{saved(**settings)}{more}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["http://[", "http://127.0.0.1:99999", "http://", "http://ann:made-up@127.0.0.1:1"])
def test_what_is_no_address_of_a_server_is_refused_and_a_password_is_not_repeated(mooring, url):
    done = mooring("check", url)
    assert done.returncode == 2, done.stderr
    assert "made-up" not in done.stdout + done.stderr


def test_names_out_of_an_image_cannot_play_with_the_terminal(mooring, tmp_path):
    layers = [layer(file("bin/server", b"x"))]
    names = ("one:1\x1b]0;owned\x07\x1b[31m\u202e\nmooring: all is well", "two:1")
    place = docker_save(tmp_path / "image.tar", layers, config_of(layers), names=names[:1])
    with tarfile.open(place) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
    manifest = json.loads(members["manifest.json"])
    members["manifest.json"] = json.dumps([*manifest, {**manifest[0], "RepoTags": [names[1]]}]).encode()
    place.write_bytes(layer(*(file(name, data) for name, data in members.items())))
    done = mooring("check", place, "--static")
    assert done.returncode == 2
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stderr)


def test_a_config_that_is_wrong_in_a_thousand_places_is_told_of_a_hundred_times(mooring, saved, tmp_path):
    api = CONFIG["apis"][0]
    given = tmp_path / "config.json"
    given.write_text(json.dumps({**CONFIG, "apis": [api] * 1000}))
    done = mooring("check", saved(), "--static", "--config", given, "--format", "json")
    found = {result["rule"]: result["findings"] for result in as_json(done)["results"]}["CFG-API-01"]
    assert len(found) == 101
    assert found[-1]["message"] == "and 899 more of this kind"


def test_of_several_images_in_an_archive_one_is_named(mooring, tmp_path):
    places = [tmp_path / name for name in ("one", "two")]
    for place, user in zip(places, ("root", "1000:100"), strict=True):
        layers = [layer(file("bin/server", b"x", mode=0o755))]
        docker_save(place, layers, config_of(layers, **{**SETTINGS, "User": user}), names=(f"{place.name}:1",))
    members = {}
    for place in places:
        with tarfile.open(place) as tar:
            for member in tar:
                if member.isfile():
                    members.setdefault(member.name, []).append(tar.extractfile(member).read())
    listed = [entry for data in members["manifest.json"] for entry in json.loads(data)]
    files = [file(name, datas[0]) for name, datas in members.items() if name != "manifest.json"]
    both = tmp_path / "both.tar"
    both.write_bytes(layer(*files, file("manifest.json", json.dumps(listed))))
    refused = mooring("check", both, "--static")
    assert refused.returncode == 2
    assert "one:1" in refused.stderr
    assert "#" in refused.stderr
    assert mooring("check", f"{both}#two:1", "--static").returncode != 2


def test_a_sample_for_a_field_that_no_api_has_is_refused_with_the_nearest(mooring, tmp_path):
    config, picture = tmp_path / "config.json", tmp_path / "seven.jpg"
    picture.write_bytes(b"x")
    schema = {"type": "object", "properties": {"images": {"type": "file"}}}
    request = {"Content-type": "multipart/form-data", "data": schema}
    config.write_text(json.dumps({**CONFIG, "apis": [{**CONFIG["apis"][0], "request": request}]}))
    done = mooring("check", "http://127.0.0.1:1", "--config", config, "--sample", f"image=@{picture}")
    assert done.returncode == 2
    assert "'images'" in done.stderr


@pytest.mark.engine
def test_an_address_that_is_no_image_is_told_how_servers_are_named(mooring):
    assert "http://127.0.0.1:18431" in mooring("check", "127.0.0.1:18431").stderr
