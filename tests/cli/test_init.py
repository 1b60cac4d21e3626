"""`mooring init`, as a user types it."""

import resource
import subprocess
import sys


def mooring(*arguments, **options):
    return subprocess.run(
        (sys.executable, "-c", "from mooring.cli import main; main()", *arguments),
        capture_output=True,
        text=True,
        check=False,
        **options,
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


def test_a_folder_named_like_an_option_is_shown_as_the_folder_it_is(tmp_path):
    done = mooring("init", "--", "-x y", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "mooring serve './-x y'" in done.stdout
    assert "mooring build './-x y' -t x-y:1" in done.stdout


def test_a_line_break_in_a_name_is_refused(tmp_path):
    done = mooring("init", str(tmp_path / "a\nb"))
    assert done.returncode == 2
    assert "control character" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_no_more_is_told_in_one_sentence(tmp_path):
    # The limit on a file's size stands for a full disk, which a test cannot have for the asking.
    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    done = mooring("init", str(tmp_path / "wind"), preexec_fn=little_room)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [f"mooring: {tmp_path / 'wind'} cannot be written: File too large"]
    assert list(tmp_path.iterdir()) == []
