import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TESTS = """
import pytest

@pytest.mark.engine
def test_that_needs_an_engine():
    raise AssertionError("ran")

def test_that_does_not():
    pass
"""


@pytest.fixture
def suite(tmp_path):
    """Run a small suite of its own under our conftest, on a machine where no engine answers."""
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    engine: needs an engine\n")

    def run(**environ):
        settings = {"DOCKER_HOST": f"unix://{tmp_path}/nobody.sock", "MOORING_TEST_NO_SKIPS": ""}
        settings["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # most plugins of the whole suite take seconds to load
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "no:cacheprovider", str(tmp_path)],
            env={**os.environ, **settings, **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_test_that_needs_an_engine_is_skipped_loudly_where_none_answers(suite):
    done = suite()
    assert done.returncode == 0, done.stdout
    assert "1 NOT RUN" in done.stdout
    assert "nobody.sock" in done.stdout


def test_the_reason_is_the_one_that_was_found_when_an_engine_was_to_be_started(suite):
    assert "1 x Skipped: no container engine: no apt here" in suite(MOORING_TEST_ENGINE_MISSING="no apt here").stdout


def test_one_for_want_of_a_second_engine_is_told_and_fails_nothing(suite, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\ndef test_it():\n    pytest.skip('no Podman: not installed')\n"
    )
    done = suite(MOORING_TEST_NO_SKIPS="1")
    assert done.returncode == 0, done.stdout
    assert "1 x Skipped: no Podman: not installed" in done.stdout
    assert "this run FAILS" not in done.stdout


def test_a_skip_fails_the_run_by_name_where_nothing_may_be_skipped(suite):
    done = suite(MOORING_TEST_NO_SKIPS="1")
    assert done.returncode == 1
    assert "test_it.py" in done.stdout
    assert "this run FAILS" in done.stdout


def test_a_skip_is_told_and_fails_the_run_where_workers_share_it(suite):
    done = suite(MOORING_TEST_NO_SKIPS="1", PYTEST_ADDOPTS="-n 2 --dist loadfile")
    assert done.returncode == 1, done.stdout
    assert "1 NOT RUN" in done.stdout
    assert "this run FAILS" in done.stdout
