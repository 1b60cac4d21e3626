"""`mooring config`: findings with their places, the clean form, and exit codes that scripts can trust."""

import json
import os
import subprocess
import sys
from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "contract" / "configs"
MOORING = [sys.executable, "-c", "from mooring.cli import main; main()"]


def mooring(*words, stdin=None, **environment):
    return subprocess.run(
        [*MOORING, *map(str, words)], input=stdin, capture_output=True, check=False, env={**os.environ, **environment}
    )


def test_a_file_with_small_oddities_keeps_the_contract():
    done = mooring("config", "check", CONFIGS / "procotol.json")
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    place = f"{CONFIGS / 'procotol.json'}:9:7"
    assert (
        f"should  CFG-TYPO-01     {place}: 'procotol' is not a name of config.json (mended, read as protocol)" in lines
    )
    assert lines[-2].endswith("keeps the contract (otc-2022): 1 should, 1 info")


def test_a_breach_exits_with_one():
    done = mooring("config", "check", CONFIGS / "json_request_with_a_file.json")
    assert done.returncode == 1
    assert b"breaks the contract" in done.stdout
    assert b"\x1b" not in done.stdout


def test_a_clean_file_says_so():
    document = json.loads((CONFIGS / "clean.json").read_text())
    del document["health"]
    done = mooring("config", "check", "-", stdin=json.dumps(document).encode())
    assert (done.returncode, done.stdout) == (0, b"<stdin> keeps the contract (otc-2022)\n")


def test_findings_as_json_hold_everything():
    done = mooring("config", "check", CONFIGS / "procotol.json", "--format", "json", "--edition", "otc-2024")
    report = json.loads(done.stdout)
    assert (report["edition"], report["conforms"]) == ("otc-2024", True)
    (typo,) = [finding for finding in report["findings"] if finding["id"] == "CFG-TYPO-01"]
    assert {key: typo[key] for key in ("level", "line", "column", "seen", "read_as", "hint")} == {
        "level": "should",
        "line": 9,
        "column": 7,
        "seen": "procotol",
        "read_as": "protocol",
        "hint": "write 'protocol'",
    }
    assert {finding["id"]: finding["mended"] for finding in report["findings"]}["CFG-TYPO-01"] is True


def test_what_is_not_json_is_refused_with_its_line(tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{\n  "apis": [\n    oops\n  ]\n}\n')
    done = mooring("config", "check", tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode() == f"mooring: {file}:3:5: expected a value, found 'oops'\n"
    assert done.stdout == b""


def test_a_missing_file_and_an_unknown_edition_are_the_callers_to_mend(tmp_path):
    assert mooring("config", "check", tmp_path / "none.json").returncode == 2
    done = mooring("config", "check", CONFIGS / "clean.json", "--edition", "otc-2023")
    assert done.returncode == 2
    assert b"editions: otc-2022" in done.stderr


def test_show_prints_a_config_that_is_its_own_clean_form(tmp_path):
    done = mooring("config", "show", CONFIGS / "gbk.json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == json.loads((CONFIGS / "clean.json").read_text())
    assert b"2 mends in it" in done.stderr
    again = mooring("config", "show", "-", stdin=done.stdout)
    assert (again.stdout, again.stderr) == (done.stdout, b"")


def test_show_writes_utf8_in_any_locale():
    document = '{"model_algorithm": "a", "model_type": "Image", "apis": [{}], "note": "模型"}'
    done = mooring("config", "show", "-", stdin=document.encode(), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert json.loads(done.stdout.decode("utf-8"))["note"] == "模型"


def test_check_prints_any_name_in_any_locale():
    document = '{"model_algorithm": "a", "model_type": "Image", "apis": [{}], "模型": 1}'
    done = mooring("config", "check", "-", stdin=document.encode(), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert b"CFG-KEY-01" in done.stdout


def test_check_and_show_agree_on_what_was_mended_and_what_is_left(tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{"model_algorithm": "a", "model_type": "Image", "apis": [{"method": "post", "x": 1,}]}')
    checked = mooring("config", "check", file).stdout.decode().splitlines()
    assert sum("(mended" in line for line in checked) == 2
    assert checked[-1] == "2 mends, which `mooring config show` writes out; the other 3 findings only you can decide"
    assert b"2 mends in it" in mooring("config", "show", file, "--output", file).stderr
    left = mooring("config", "check", file).stdout.decode().splitlines()
    assert left[-1].endswith("keeps the contract (otc-2022): 1 should, 2 info")


def test_show_mends_a_file_in_its_place(tmp_path):
    file, link = tmp_path / "config.json", tmp_path / "link.json"
    file.write_bytes((CONFIGS / "gbk.json").read_bytes())
    file.chmod(0o640)
    link.symlink_to(file)
    done = mooring("config", "show", link, "-o", link)
    assert (done.returncode, done.stdout) == (0, b"")
    assert json.loads(file.read_text()) == json.loads((CONFIGS / "clean.json").read_text())
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["config.json", "link.json"]


def test_a_file_that_cannot_be_mended_stays_as_it_was(tmp_path):
    file = tmp_path / "config.json"
    file.write_text("{oops")
    assert mooring("config", "show", file, "-o", file).returncode == 2
    assert file.read_text() == "{oops"


def test_output_that_cannot_be_written_is_refused(tmp_path):
    into_a_folder = mooring("config", "show", CONFIGS / "clean.json", "-o", tmp_path)
    assert (into_a_folder.returncode, list(tmp_path.iterdir())) == (2, [])
    assert b"is a folder" in into_a_folder.stderr
    nowhere = mooring("config", "show", CONFIGS / "clean.json", "-o", tmp_path / "none" / "config.json")
    assert nowhere.returncode == 2
    assert b"cannot write" in nowhere.stderr


def test_what_is_no_file_is_refused_at_once_and_named(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place, kind in ((pipe, b"a pipe"), ("/dev/zero", b"a device")):
        done = mooring("config", "check", place)
        assert done.returncode == 2
        assert f"{place} is ".encode() + kind in done.stderr
        assert b"standard input" in done.stderr


def test_no_more_is_read_than_a_config_may_have(tmp_path):
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(1 << 40)  # more than the memory of any machine; on disk it takes nothing
    with open("/dev/zero", "rb") as zeros:
        without_end = subprocess.run([*MOORING, "config", "check", "-"], stdin=zeros, capture_output=True, check=False)
    for done in (mooring("config", "check", huge), without_end):
        assert done.returncode == 2
        assert b"more than 1048576 bytes" in done.stderr


def test_a_missing_algorithm_is_told_and_not_called_mended(mooring, tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{"model_type": "Image", "apis": [{"url": "/", "method": "POST", "protocol": "http"}]}')
    done = mooring("config", "check", file)
    assert done.returncode == 1
    assert "model_algorithm is missing" in done.stdout
    assert "(mended)" not in next(line for line in done.stdout.splitlines() if "model_algorithm is missing" in line)
    assert "model_algorithm" not in mooring("config", "show", file).stdout
