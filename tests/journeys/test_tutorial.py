"""The tutorial, read by somebody who types every command and compares every answer."""

import os
import shutil
import signal
import subprocess
import uuid
from pathlib import Path

import pytest
from platform_process import processes

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial"
PAGES = ("1-serve-a-model", "2-your-own-model", "3-the-image", "4-check", "5-the-platform", "6-batch")
SERVE, OWN, IMAGE, CHECK, PLATFORM, BATCH = (TUTORIAL / f"{name}.md" for name in PAGES)
NAMES = {"languages:1": "languages-{}:1", "my-languages": "my-languages-{}", "theirs:1": "theirs-{}:1"}

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="the tutorial calls its services with curl")


@needs_curl
def test_page_1_serves_a_model(reader):
    reader().read(SERVE)


@needs_curl
def test_page_2_makes_a_project_of_ones_own(reader):
    reader().read(OWN)


@needs_curl
@pytest.mark.engine
def test_page_3_makes_its_image_and_page_4_checks_it(reader, engine, debian_base):
    token = uuid.uuid4().hex[:8]
    names = {theirs: ours.format(token) for theirs, ours in NAMES.items()}
    newcomer = reader(**names, **{"docker ": f"{engine.program} "})
    try:
        newcomer.read(OWN)
        newcomer.read(IMAGE)
        newcomer.read(CHECK)
    finally:
        image, container, other = names.values()
        subprocess.run((engine.program, "rm", "--force", container), capture_output=True, check=False)
        subprocess.run((engine.program, "image", "rm", "--force", other, image), capture_output=True, check=False)


@needs_curl
def test_page_5_runs_a_platform(reader):
    read_with_a_platform(reader, PLATFORM)


def test_page_6_runs_batch_jobs(reader):
    read_with_a_platform(reader, BATCH)


def read_with_a_platform(reader, page):
    newcomer = reader()
    try:
        newcomer.read(page)
    finally:
        # Where the page was left half way, what the platform started goes on.
        for process in processes(str(newcomer.folder.parent)):
            os.kill(process, signal.SIGTERM)


def test_there_is_no_page_that_nobody_reads():
    assert set(TUTORIAL.glob("*.md")) == {TUTORIAL / "README.md", SERVE, OWN, IMAGE, CHECK, PLATFORM, BATCH}
    assert "```" not in (TUTORIAL / "README.md").read_text(encoding="utf-8")
