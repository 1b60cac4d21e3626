"""`mooring batch`, as somebody at a shell meets it, on a platform of processes."""

import json
import re
import signal

import pytest
from batch_models import greeter, pictures, reader, results
from platform_process import PlatformProcess, until


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """One platform for this file, with a model that takes files, a slow one of them, and one that takes rows."""
    folder = tmp_path_factory.mktemp("platform")
    here = PlatformProcess(folder / "data").start()
    try:
        here.done("import", reader(folder / "reader"), "--kind", "batch")
        here.done("import", reader(folder / "slow", predict="time.sleep(0.05)"), "--kind", "batch")
        here.done("import", greeter(folder / "greeter"), "--kind", "both")
        yield here
    finally:
        here.close()


def test_a_folder_goes_in_and_a_result_for_each_file_and_a_list_of_them_come_out(platform, tmp_path):
    source = pictures(tmp_path / "in", 5)
    (source / "more").mkdir()
    (source / "more" / "000.png").write_text("another")
    (source / ".hidden").write_text("bad")
    done = platform.mooring("batch", "run", "reader", "--input", source, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert f"reader-batch: 6 of 6 done; the results are in file://{tmp_path}/out/\n" == done.stdout
    assert "start to deploy service" in done.stderr
    assert "service has been executed" in done.stderr
    kept = json.loads((tmp_path / "out" / "infer-result" / "003.png_result.txt").read_text())
    assert kept == {"name": "003.png", "bytes": 6, "text": "good 3"}
    assert json.loads((tmp_path / "out" / "infer-result" / "more" / "000.png_result.txt").read_text())["bytes"] == 7
    listed = results(tmp_path / "out")
    assert [one["source"].removeprefix(f"file://{source}/") for one in listed] == [
        *(f"00{number}.png" for number in range(5)),
        "more/000.png",
    ]


def test_tables_go_in_row_by_row_typed_by_the_request(platform, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "people.csv").write_bytes('\ufeff"Ann, B.",41,yes\r\nBob,,0\r\n'.encode())
    done = platform.mooring("batch", "run", "greeter", "--input", tmp_path / "in", "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "out" / "infer-result" / "people.csv_result.txt").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"hello": "Ann, B.", "next": 42, "member": True},
        {"hello": "Bob", "next": 1, "member": False},
    ]


def test_what_a_manifest_lists_goes_in(platform, tmp_path):
    source = pictures(tmp_path / "in", 4)
    listed = [source / "002.png", source / "000.png"]
    manifest = tmp_path / "some.manifest"
    manifest.write_text("".join(f'{{"source ": "file://{one}"}}\n' for one in listed))
    platform.done("batch", "run", "reader", "--input", manifest, "--output", tmp_path / "out", "--name", "listed")
    assert [one["source"] for one in results(tmp_path / "out")] == [f"file://{one}" for one in listed]
    assert len(list((tmp_path / "out" / "infer-result").iterdir())) == 2


def test_what_fails_is_counted_and_named_and_the_rest_is_done_and_a_retry_does_the_failed_ones_alone(
    platform, tmp_path
):
    source = pictures(tmp_path / "in", 20, bad=(3, 11))
    words = ("batch", "run", "reader", "--input", source, "--output", tmp_path / "out", "--name", "partly")
    done = platform.mooring(*words)
    assert done.returncode == 1
    assert "partly: 18 of 20 done, 2 failed; " in done.stdout
    assert re.search(
        r"^2 of 20 inputs failed; the first: file://\S+/003\.png: .*this is no picture", done.stderr, re.MULTILINE
    )
    assert "mooring batch retry partly --failed" in done.stderr
    failed = [one for one in results(tmp_path / "out") if "inference-loc" not in one]
    assert [one["source"][-7:] for one in failed] == ["003.png", "011.png"]
    shown = platform.done("batch", "show", "partly")
    assert re.search(r"^status +finished$", shown, re.MULTILINE)
    assert re.search(r"^progress +18 of 20 done, 2 failed$", shown, re.MULTILINE)
    assert shown.count("this is no picture") == 2
    assert [one["number"] for one in platform.told("batch", "show", "partly", "--failed")] == [3, 11]

    assert platform.mooring("batch", "retry", "partly").returncode == 2
    for number in (3, 11):
        (source / f"{number:03}.png").write_text("mended")
    before = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "out" / "infer-result").iterdir()}
    again = platform.mooring("batch", "retry", "partly", "--failed")
    assert again.returncode == 0, again.stderr
    assert "partly: 20 of 20 done; " in again.stdout
    after = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "out" / "infer-result").iterdir()}
    assert set(after) - set(before) == {"003.png_result.txt", "011.png_result.txt"}
    assert {name: after[name] for name in before} == before
    assert all("inference-loc" in one for one in results(tmp_path / "out"))
    assert platform.mooring("batch", "retry", "partly", "--failed").returncode == 2


def test_rows_that_fail_are_named_by_file_and_row(platform, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "people.csv").write_text("Ann,41,yes\nBob,old,no\nbad,1,no\n")
    done = platform.mooring("batch", "run", "greeter", "--input", tmp_path / "in", "--output", tmp_path / "out")
    assert done.returncode == 1
    assert "people.csv, row 2 (line 2), cell 2: age: expected an integer, got" in done.stderr
    ann, bob, bad = (tmp_path / "out" / "infer-result" / "people.csv_result.txt").read_text().splitlines()
    assert json.loads(ann)["hello"] == "Ann"
    assert json.loads(bob)["row"] == 2
    assert "nobody is called so" in json.loads(bad)["error_message"]


def test_a_job_that_is_still_being_deployed_is_stopped_as_soon_as_it_can_be(platform, tmp_path):
    project = reader(tmp_path / "sleeper", predict="time.sleep(0.05)")
    handler = project / "handler.py"
    slow = "class Reader(Handler):\n    def setup(self, model_dir):\n        time.sleep(4)\n"
    handler.write_text(handler.read_text().replace("class Reader(Handler):\n", slow))
    platform.done("import", project, "--kind", "batch")
    words = ("--input", pictures(tmp_path / "in", 500), "--output", tmp_path / "out", "--name", "early", "--detach")
    platform.done("batch", "run", "sleeper", *words, "--concurrency", "1")
    assert platform.told("batch", "show", "early")["status"] == "deploying"
    stopped = platform.mooring("batch", "stop", "early")
    assert stopped.returncode == 0, stopped.stderr
    assert "early is being deployed: it is stopped after that" in stopped.stderr
    assert stopped.stdout.startswith("early is stopped (")


def test_a_mended_table_is_retried_by_its_mended_rows_alone(platform, tmp_path):
    (tmp_path / "in").mkdir()
    table = tmp_path / "in" / "people.csv"
    table.write_text("Ann,41,yes\nBob,old,no\nbad,1,no\nEve,7,no\n")
    words = ("--input", tmp_path / "in", "--output", tmp_path / "out", "--name", "mended")
    assert platform.mooring("batch", "run", "greeter", *words).returncode == 1
    table.write_text("Ann,41,yes\nBob,30,no\nbad,1,no\nEve,7,no\n")
    again = platform.mooring("batch", "retry", "mended", "--failed")
    assert again.returncode == 1
    assert "1 of 4 rows failed; the first: people.csv, row 3" in again.stderr
    lines = (tmp_path / "out" / "infer-result" / "people.csv_result.txt").read_text().splitlines()
    assert [json.loads(line).get("next") for line in lines] == [42, 31, None, 8]
    logged = platform.done("batch", "logs", "mended", "--tail", 1000).splitlines()
    # Bob was not asked at first: his age was no number.
    assert sum(" INFO request " in line for line in logged) + sum(" WARNING request " in line for line in logged) == 5


def test_a_job_that_is_past_its_threshold_is_given_up(platform, tmp_path):
    source = pictures(tmp_path / "in", 20, bad=range(20))
    words = ("batch", "run", "reader", "--input", source, "--output", tmp_path / "out", "--error-threshold", "25")
    done = platform.mooring(*words, "--name", "hopeless")
    assert done.returncode == 1
    assert re.search(r"^hopeless has failed: .*requests failed", done.stderr, re.MULTILINE)
    assert "mooring batch resume hopeless goes on from here" in done.stderr


def test_an_output_that_holds_something_is_refused_and_left_as_it_is(platform, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    source = pictures(tmp_path / "in", 1)
    done = platform.mooring("batch", "run", "reader", "--input", source, "--output", tmp_path / "out")
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_ctrl_c_leaves_a_job_running_and_a_stopped_one_is_gone_on_with(platform, tmp_path):
    source = pictures(tmp_path / "in", 200)
    words = ("batch", "run", "slow", "--input", source, "--output", tmp_path / "out", "--name", "long")
    waiting = platform.begin(*words)
    done_of = lambda: platform.told("batch", "show", "long")["batch_progress"]["done"]  # noqa: E731 - it is asked twice
    until(lambda: any(one["service_name"] == "long" for one in platform.told("batch", "list")), "the job listed")
    until(lambda: done_of() > 10, "some of it done")
    waiting.send_signal(signal.SIGINT)
    shown, told = waiting.communicate(timeout=20)
    assert (waiting.returncode, shown) == (130, "")
    assert "the job goes on; mooring batch show long tells how far it is" in told
    seen = done_of()
    until(lambda: done_of() > seen, "more of it done")

    assert platform.done("batch", "stop", "long").startswith("long is stopped (")
    stopped = platform.told("batch", "show", "long")["batch_progress"]["done"]
    assert 10 < stopped < 200
    assert re.search(rf"^long +stopped +{stopped} +0 +200 ", platform.done("batch", "list"), re.MULTILINE)
    written = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "out" / "infer-result").iterdir()}
    on = platform.mooring("batch", "resume", "long")
    assert on.returncode == 0, on.stderr
    assert "long: 200 of 200 done; " in on.stdout
    now = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "out" / "infer-result").iterdir()}
    assert len(now) == 200
    # What was in hand when it was stopped may be done twice, and nothing else.
    assert sum(now[name] != when for name, when in written.items()) <= 16
    assert len({one["source"] for one in results(tmp_path / "out")}) == len(results(tmp_path / "out")) == 200
    assert platform.mooring("batch", "resume", "long").returncode == 2


def test_a_platform_that_is_killed_goes_on_with_its_jobs_and_who_waits_sees_a_pause(platform, tmp_path):
    source = pictures(tmp_path / "in", 150, bad=(7,))
    words = ("batch", "run", "slow", "--input", source, "--output", tmp_path / "out", "--name", "killed", "-n", "2")
    waiting = platform.begin(*words)
    results_now = lambda: len(list((tmp_path / "out").glob("infer-result/*")))  # noqa: E731 - it is asked twice
    for share in (20, 80):
        until(lambda least=share: results_now() >= least, f"{share} results")
        platform.end(signal.SIGKILL)
        platform.start()
    shown, told = waiting.communicate(timeout=120)
    assert waiting.returncode == 1, told
    assert "killed: 149 of 150 done, 1 failed; " in shown
    assert "1 of 150 inputs failed; the first: " in told
    listed = results(tmp_path / "out")
    assert [one["source"][-7:] for one in listed] == [f"{number:03}.png" for number in range(150)]
    for number in set(range(150)) - {7}:
        kept = json.loads((tmp_path / "out" / "infer-result" / f"{number:03}.png_result.txt").read_text())
        assert kept["text"] == f"good {number}"
    assert results_now() == 149


def test_a_dry_run_shows_the_first_requests_and_begins_nothing(platform, tmp_path):
    source = pictures(tmp_path / "in", 9)
    before = platform.told("batch", "list")
    shown = platform.done("batch", "run", "reader", "--input", source, "--output", tmp_path / "out", "--dry-run")
    assert re.search(
        rf"^file://{source}/000.png\n  POST /  multipart/form-data, \d+ bytes\n  picture=@000.png$", shown, re.MULTILINE
    )
    assert "002.png" in shown
    assert "003.png" not in shown
    assert platform.told("batch", "list") == before
    assert not (tmp_path / "out").exists()


def test_a_dry_run_shows_rows_with_what_is_wrong_with_them(platform, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "people.csv").write_text("Ann,41,yes\nBob,old\nCy,1,1\nDee,2,0\n")
    rule = tmp_path / "rule.json"
    platform.done("batch", "rule", "greeter", "-o", rule)
    rule.write_text(rule.read_text().replace('"index": 2', '"index": -1'))
    words = ("batch", "run", "greeter", "--input", tmp_path / "in", "--output", tmp_path / "out", "--rule", rule)
    done = platform.mooring(*words, "--dry-run")
    assert done.returncode == 1
    assert "left out of the requests, as the rule gives them no cell: member" in done.stderr
    assert 'people.csv, row 1\n  POST /  application/json, 23 bytes\n  {"name":"Ann","age":41}\n' in done.stdout
    assert "\n  ! people.csv, row 2 (line 2), cell 2: age: expected an integer, got" in done.stdout
    first = platform.mooring(*words, "--dry-run", "--json")
    assert [json.loads(one["body"])["name"] for one in json.loads(first.stdout) if "body" in one] == ["Ann", "Cy"]


def test_the_rule_is_made_from_the_request_and_may_be_changed(platform, tmp_path):
    rule = json.loads(platform.done("batch", "rule", "greeter"))
    assert rule["properties"]["age"] == {"type": "integer", "index": 1}
    rule["properties"]["name"]["index"], rule["properties"]["age"]["index"] = 1, 0
    (tmp_path / "rule.json").write_text(json.dumps(rule))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "people.csv").write_text("41,Ann,no\n")
    words = ("--input", tmp_path / "in", "--output", tmp_path / "out", "--rule", tmp_path / "rule.json")
    platform.done("batch", "run", "greeter:0.0.1", *words, "--mapping", "csv", "--api", "/")
    assert '"Ann"' in (tmp_path / "out" / "infer-result" / "people.csv_result.txt").read_text()


def test_what_was_begun_can_be_left_alone_and_its_log_read(platform, tmp_path):
    source = pictures(tmp_path / "in", 3)
    words = ("batch", "run", "reader", "--input", source, "--output", tmp_path / "out", "--name", "alone", "--detach")
    assert re.match(r"alone is deploying \(\S+\); mooring batch show alone tells", platform.done(*words))
    until(lambda: platform.told("batch", "show", "alone")["status"] == "finished", "the job finished")
    assert "status=200" in platform.done("batch", "logs", "alone")
    assert platform.told("show", "alone")["infer_type"] == "batch"
    assert platform.done("show", "alone") == platform.done("batch", "show", "alone")
    for words in (("start", "alone"), ("update", "alone", "-n", "2")):
        refused = platform.mooring(*words)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "alone is a batch service" in refused.stderr
    assert platform.done("delete", "alone") == "deleted alone\n"
    assert results(tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("run", "nobody", "--input", "IN", "--output", "OUT"), "there is no model nobody"),
        (("run", "reader", "--input", "IN/000.png", "--output", "OUT"), "is a file, and the input of a batch service"),
        (("run", "reader", "--input", "IN", "--output", "IN/below"), "overlap"),
        (("run", "reader", "--input", "IN", "--output", "OUT", "--mapping", "xml"), "--mapping 'xml' is none"),
        (("run", "reader", "--input", "IN", "--output", "OUT", "--mapping", "csv"), "holds a file"),
        (("run", "reader", "--input", "IN", "--output", "OUT", "--api", "/no"), "has no api /no"),
        (("run", "reader", "--input", "ftp://x/y", "--output", "OUT"), "--input: ftp: is no address of data"),
        (("run", "reader", "--input", "", "--output", "OUT"), "--input: the address is empty"),
        (("run", "greeter", "--input", "IN", "--output", "OUT", "--rule", "IN/000.png"), "000.png is not JSON"),
        (("run", "greeter", "--input", "IN", "--output", "OUT", "--mapping", "file"), "a request to / has 3 fields"),
        (("rule", "reader"), "holds a file"),
        (("show", "nobody"), "there is no service nobody"),
        (("retry", "nobody"), "--failed"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line_with_a_hint(platform, tmp_path, words, complaint):
    pictures(tmp_path / "IN", 1)
    here = [str(tmp_path / word) if word.startswith(("IN", "OUT")) else word for word in words]
    done = platform.mooring("batch", *here)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_nobody_there_is_told_apart_from_a_mistake(platform, tmp_path):
    words = ("batch", "run", "reader", "--input", tmp_path, "--output", tmp_path / "out")
    done = platform.mooring(*words, MOORING_URL="http://127.0.0.1:9")
    assert done.returncode == 69
    assert "no platform answers at http://127.0.0.1:9" in done.stderr
