"""Which texts of an image are still there after it was read."""

import pytest

from mooring.image import MemoryImage


@pytest.mark.parametrize(
    "path",
    [
        "/home/run.sh",
        "/etc/passwd",
        "/usr/lib/os-release",
        "/opt/app/.env",
        "/usr/local/etc/nginx.conf",
        "/etc/cron.d/x",
    ],
)
def test_what_rules_ask_for_is_kept_wherever_it_lies(path):
    assert MemoryImage(files={path: "text"}).read().text(path) == b"text"


def test_scripts_are_kept_and_programs_are_not():
    files = MemoryImage(files={"usr/bin/tool": "#!/usr/bin/python3\n", "usr/bin/true": b"\x7fELF"}).read()
    assert files.text("/usr/bin/tool") == b"#!/usr/bin/python3\n"
    assert files.text("/usr/bin/true") is None


@pytest.mark.parametrize("folder", ["/usr/lib/x", "/opt/venv/lib/python3.11/site-packages/x", "/var/lib/x", "/lib/x"])
def test_an_applications_texts_are_kept_and_its_packages_are_not(folder):
    files = MemoryImage(files={"/srv/app/server.py": "app", f"{folder}/module.py": "package"}).read()
    assert files.text("/srv/app/server.py") == b"app"
    assert files.text(f"{folder}/module.py") is None


def test_what_is_no_text_or_large_is_not_kept():
    files = MemoryImage(files={"a/model": b"\0\1", "a/latin": b"caf\xe9", "a/big.sh": b"#" * (256 * 1024 + 1)}).read()
    assert [files.text(path) for path in ("/a/model", "/a/latin", "/a/big.sh")] == [None, None, None]


def test_the_texts_of_a_large_application_leave_room_for_what_rules_ask_for():
    many = {f"app/{number}.py": b"x" * 262_144 for number in range(200)}
    files = MemoryImage(layers=[many, {"home/run.sh": b"#!/bin/sh\n"}]).read()
    kept = sum(files.text(f"/{path}") is not None for path in many)
    assert 80 < kept < 100
    assert files.text("/home/run.sh") == b"#!/bin/sh\n"
