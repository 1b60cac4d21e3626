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
    assert f"should  CFG-TYPO-01     {place}: 'procotol' is not a name of config.json (read as protocol)" in lines
    assert lines[-1].endswith("keeps the contract (otc-2022): 1 should, 1 info")


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
    assert b"2 things were read in another way" in done.stderr
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
