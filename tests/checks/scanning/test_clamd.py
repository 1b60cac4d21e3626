"""Files go to clamd in the same pass; what it will not or cannot look at is said, once."""

import subprocess
import sys
from pathlib import Path

import pytest

from mooring.checks.scanning import Scanner, Severity
from mooring.errors import Invalid

DOUBLE = Path(__file__).resolve().parents[2] / "doubles" / "clamd_server.py"
WORD = "malice" + "-in-person"


@pytest.fixture
def clamd(tmp_path):
    """Start a clamd that finds one word; gives its address."""
    started = []

    def start(*, limit=10_000_000, answers=1_000_000):
        place = tmp_path / f"clamd-{len(started)}.ctl"
        words = [sys.executable, DOUBLE, place, WORD, str(limit), str(answers)]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "listening\n"
        return f"unix:{place}"

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_what_clamd_finds_is_told_by_its_name(look, clamd):
    scan = Scanner(clamd=clamd())
    (found,) = look(b"some " + WORD.encode(), scan=scan)
    assert (found.scanner, found.name, found.severity) == ("clamd", "Double.Word", Severity.MALICIOUS)
    assert look(b"harmless", scan=scan) == ()
    assert look(b"", scan=scan) == ()
    assert scan.antivirus.files == 3
    assert scan.antivirus.version == "ClamAV 0.0.0/double"
    assert scan.antivirus.trouble == ""


def test_a_large_file_reaches_it_whole(look, clamd):
    scan = Scanner(clamd=clamd())
    assert look(b"x" * 9_000_000 + WORD.encode(), scan=scan)[0].name == "Double.Word"


def test_files_that_are_too_large_for_it_are_said_to_be_unseen_once(look, clamd):
    scan = Scanner(clamd=clamd(limit=1_000_000))
    (found,) = look(b"x" * 9_000_000, scan=scan)
    assert (found.severity, found.name) == (Severity.UNREADABLE, "too-large")
    assert look(b"x" * 9_500_000, scan=scan) == ()
    assert look(b"x" * 2_000_000, scan=scan) == ()
    assert look(WORD.encode(), scan=scan)[0].name == "Double.Word"
    assert scan.antivirus.too_large == 3
    assert scan.antivirus.trouble == ""


def test_one_that_does_not_answer_is_told_and_not_taken_for_a_good_word(look, tmp_path):
    scan = Scanner(clamd=f"unix:{tmp_path}/nobody.ctl")
    assert look(b"anything", scan=scan) == ()
    assert "No such file" in scan.antivirus.trouble
    assert scan.antivirus.files == 0


def test_one_that_falls_silent_half_way_is_told_and_the_pass_goes_on(look, clamd):
    scan = Scanner(clamd=clamd(answers=2))
    assert look(b"first", scan=scan) == ()
    assert scan.antivirus.trouble == ""
    assert look(b"\x80\x02cposix\nsystem\n)R.", scan=scan)[0].severity is Severity.MALICIOUS
    assert "hung up" in scan.antivirus.trouble or "clamd does not answer" in scan.antivirus.trouble
    assert scan.antivirus.files == 1


def test_without_an_address_nobody_is_asked():
    assert Scanner().antivirus is None


@pytest.mark.parametrize("address", ["clamd", "unix:clamd.ctl", "tcp:3310", "tcp:host:port", "http://host"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(Invalid, match="no address of a clamd"):
        Scanner(clamd=address)
