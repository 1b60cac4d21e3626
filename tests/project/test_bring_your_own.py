"""The template with a server of its own: a whole project whose tests pass where nothing of mooring is."""

import subprocess
import sys

from mooring.project import Project, scaffold


def test_its_own_tests_pass_in_a_fresh_copy(tmp_path):
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    asked = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    done = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_its_config_has_nothing_to_mend(tmp_path):
    config = Project.open(scaffold(tmp_path / "wind", template="bring-your-own")).config
    assert [finding.message for finding in config.findings] == []
    assert config.health.url == "/health"


def test_its_server_uses_nothing_but_the_standard_library(tmp_path):
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    code = "import runpy, sys; runpy.run_path('server.py', run_name='server')"
    done = subprocess.run(
        (sys.executable, "-I", "-S", "-c", code), cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
