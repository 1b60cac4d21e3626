"""`mooring init`, as a user types it."""

import subprocess
import sys


def mooring(*arguments):
    return subprocess.run(
        (sys.executable, "-c", "from mooring.cli import main; main()", *arguments),
        capture_output=True,
        text=True,
        check=False,
    )


def test_init_makes_a_project_and_says_what_to_do_next(tmp_path):
    done = mooring("init", str(tmp_path / "Digits"))
    assert done.returncode == 0
    assert (tmp_path / "Digits" / "handler.py").is_file()
    assert f"mooring serve {tmp_path / 'Digits'}" in done.stdout
    assert "-t digits:1" in done.stdout
    assert "mooring run digits:1" in done.stdout
    ask = next(line for line in done.stdout.splitlines() if "mooring predict" in line)
    assert ask.endswith(f"mooring predict 127.0.0.1:8080/ -F images=@{tmp_path / 'Digits' / 'samples' / '0.jpg'}")


def test_a_server_of_ones_own_is_not_offered_to_be_served(tmp_path):
    done = mooring("init", str(tmp_path / "wind"), "--template", "bring-your-own")
    assert done.returncode == 0
    assert "mooring serve" not in done.stdout
    assert """mooring predict 127.0.0.1:8080/ -d '{"wind": """ in done.stdout.splitlines()[-1]


def test_every_name_of_a_folder_becomes_a_name_that_an_image_can_have(tmp_path):
    done = mooring("init", str(tmp_path / "My Model_(2)"))
    assert "-t my-model-2:1" in done.stdout
    assert f"mooring serve '{tmp_path / 'My Model_(2)'}'" in done.stdout
    assert "-t model:1" in mooring("init", str(tmp_path / "模型")).stdout


def test_a_table_is_asked_with_its_sample(tmp_path):
    done = mooring("init", str(tmp_path / "ships"), "--template", "tabular")
    assert f"mooring predict 127.0.0.1:8080/ -d @{tmp_path / 'ships' / 'samples' / 'request.json'}" in done.stdout


def test_a_folder_in_use_is_refused_with_exit_code_2(tmp_path):
    (tmp_path / "mine").write_text("x")
    done = mooring("init", str(tmp_path))
    assert done.returncode == 2
    assert "not an empty folder" in done.stderr
    assert "hint:" in done.stderr


def test_an_unknown_template_is_refused_with_the_known_ones(tmp_path):
    done = mooring("init", str(tmp_path / "x"), "--template", "nope")
    assert done.returncode == 2
    assert "bring-your-own" in done.stderr
    assert not (tmp_path / "x").exists()
