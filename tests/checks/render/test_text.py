"""The report for people: verdict first, what to mend, and nothing out of an image that plays with the terminal."""

import io
import unicodedata

import pytest
from checks.render.reports import (
    ACCEPTED,
    DIGEST,
    EVERYTHING,
    FAILED,
    HOSTILE,
    PASSED,
    PORT,
    REMARKED,
    SKIPPED,
    TOLERATED,
    UNKNOWN,
    every_report,
    report,
    result,
)

from mooring.checks import Kind, Status, Subject, Wish
from mooring.checks.render import Terminal, render
from mooring.checks.render.text import text
from mooring.checks.sizes import size
from mooring.contract import Finding, Level
from mooring.contract.visible import visible, visible_lines


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def plain(*results, verbose=False, **parts):
    return render(report(*results, **parts), verbose=verbose)


def first(*results, **parts):
    return plain(*results, **parts).splitlines()[0]


def test_the_verdict_comes_first_with_its_numbers():
    assert first(PASSED, SKIPPED) == "mnist:1 keeps the contract of otc-2022 (real-time): 1 passed, 1 skipped"
    assert (
        first(FAILED, TOLERATED, PASSED, UNKNOWN)
        == "mnist:1 breaks the contract of otc-2022 (real-time): 1 must be mended, 1 should, 1 passed, 1 not judged"
    )
    assert (
        first(UNKNOWN, PASSED)
        == "mnist:1 could not be judged completely by otc-2022 (real-time): 1 passed, 1 not judged"
    )
    assert first(TOLERATED).endswith("keeps the contract of otc-2022 (real-time): 1 should be mended")
    assert first(ACCEPTED).endswith(": 1 accepted")


def test_the_verdict_says_what_it_was_checked_for():
    wish = Wish(kind=Kind.BOTH, rolling_upgrade=True)
    assert "(real-time and batch, rolling upgrade)" in first(PASSED, wish=wish)


def test_the_second_line_tells_what_was_looked_at():
    line = plain(PASSED).splitlines()[1]
    assert line == f"  {DIGEST}, linux/amd64, 312 MB unpacked, 1.5 GB compressed, config.json: /home/config.json"
    server = Subject(name="http://127.0.0.1:8080", kind="server")
    assert plain(PASSED, subject=server).splitlines()[1] == "  no config.json"


def test_a_finding_says_where_what_was_expected_by_whom_and_what_to_do():
    assert plain(FAILED).splitlines()[2:] == [
        "",
        "must be mended",
        "  IMG-PORT-01  It listens on the port of the contract",
        "    at        /home/run.sh:7:3",
        "    seen      it listens on 127.0.0.1:8080",
        "    expected  0.0.0.0:8080 (modelarts_23_0270)",
        "    remedy    bind to 0.0.0.0",
        "",
        "note: no scan proves that an image is free of malicious code",
    ]


def test_the_rule_advises_once_where_its_findings_do_not():
    findings = [Finding(id="IMG-PORT-01", message=f"port {port}") for port in (1, 2, 3)]
    output = plain(result(PORT, Status.FAILED, *findings))
    assert output.count("remedy    Do what the rule says.") == 1
    assert output.count("IMG-PORT-01") == 1


def test_what_was_not_judged_and_what_is_accepted_is_always_shown():
    output = plain(UNKNOWN, ACCEPTED)
    assert "could not be judged\n  it did not start\n    RUN-TERM-01  It ends when it is told to\n" in output
    assert "accepted\n  IMG-USER-01  It does not run as root\n    because   the old engine needs it" in output
    assert "    seen      USER: it runs as root" in output


def test_a_reason_is_told_once_however_many_rules_it_keeps_from_judging():
    others = [result(rule, Status.UNKNOWN, why="it did not start") for rule in (PORT, SKIPPED.rule)]
    output = plain(*others, PASSED, UNKNOWN)
    assert output.count("it did not start") == 1
    assert [line.split()[0] for line in output.splitlines() if line.startswith("    ")] == [
        "IMG-PORT-01",
        "IMG-BOOT-01",
        "RUN-TERM-01",
    ]


def test_many_rules_that_one_reason_keeps_from_judging_are_listed_by_their_ids():
    many = [result(rule, Status.UNKNOWN, why="it did not start") for rule in (PORT, SKIPPED.rule, PASSED.rule)]
    quiet, loud = plain(*many, UNKNOWN), plain(*many, UNKNOWN, verbose=True)
    listed = "IMG-PORT-01, IMG-BOOT-01, IMG-SIZE-01, RUN-TERM-01 (-v says what they are)"
    assert f"  it did not start\n    {listed}\n" in quiet
    assert "    RUN-TERM-01  It ends when it is told to\n" in loud


def test_passed_and_skipped_rules_and_remarks_wait_to_be_asked_for():
    quiet = plain(PASSED, SKIPPED, REMARKED)
    loud = plain(PASSED, SKIPPED, REMARKED, verbose=True)
    assert "remedy" not in loud, "what passed needs none"
    for shown in (
        "passed\n  IMG-SIZE-01  It fits the size limit",
        "skipped\n  only for batch services\n    IMG-BOOT-01  It has the boot file",
        "noticed\n  IMG-SAFE-01  It holds no malicious code",
    ):
        assert shown in loud
        assert shown not in quiet


def test_a_clause_of_a_rule_is_named_beside_the_place():
    clause = Finding(id="CFG-URL-01", message="no slash", source="config.json", line=2, column=1)
    assert "    at        config.json:2:1 CFG-URL-01\n" in plain(result(PORT, Status.FAILED, clause))


def test_an_empty_line_keeps_two_rules_apart():
    both = plain(FAILED, result(SKIPPED.rule, Status.FAILED, Finding(message="no /home/run.sh")))
    assert "bind to 0.0.0.0\n\n  IMG-BOOT-01  It has the boot file\n" in both


def test_lines_of_a_log_stay_lines():
    message = "it ended with exit code 1; its last lines:\nTraceback:\r\n\tKeyError: 'x'"
    output = plain(result(PORT, Status.FAILED, Finding(message=message)))
    start = " " * 14
    assert f"its last lines:\n{start}Traceback:\n{start}    KeyError: 'x'\n" in output


def test_without_a_terminal_there_are_no_colours_and_no_wrapping():
    long = Finding(message="word " * 100)
    output = plain(result(PORT, Status.FAILED, long))
    assert "\x1b" not in output
    assert "word " * 99 + "word\n" in output


def test_on_a_terminal_lines_are_as_wide_as_it_is():
    long = Finding(message="word " * 100, hint="do " * 100)
    output = text(report(result(PORT, Status.FAILED, long)), verbose=False, terminal=Terminal(width=60))
    body = output.split("\nmust be mended\n")[1]
    assert max(len(line) for line in body.splitlines()) < 60
    assert body.count("word") == 100


def test_colours_are_for_terminals_and_for_those_who_want_them():
    assert Terminal.of(Screen(), {"TERM": "xterm"}).colours
    assert not Terminal.of(Screen(), {"TERM": "xterm", "NO_COLOR": "1"}).colours
    assert not Terminal.of(Screen(), {"TERM": "dumb"}).colours
    assert Terminal.of(io.StringIO(), {"TERM": "xterm"}) == Terminal()


def test_the_width_is_the_terminals_and_never_too_narrow_to_read(monkeypatch):
    for columns, width in (("100", 100), ("7", 40)):
        monkeypatch.setenv("COLUMNS", columns)
        assert Terminal.of(Screen(), {}).width == width


def test_a_terminal_is_used_only_when_it_is_where_the_report_goes(monkeypatch):
    plain_text = render(EVERYTHING)
    assert render(EVERYTHING, terminal=True) == plain_text, "there is none here"
    monkeypatch.setattr("sys.stdout", Screen())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert render(EVERYTHING) == plain_text
    assert render(EVERYTHING, terminal=True).startswith("\x1b[1;31mmnist:1 breaks")


def test_a_format_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="yaml"):
        render(EVERYTHING, "yaml")


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), (30 * 1024**3 + 1, "30.0 GB"), (5 * 1024**5, "5120 TB")],
)
def test_sizes_are_in_the_unit_that_reads_best(count, words):
    assert size(count) == words


def test_colours_change_nothing_but_the_colour():
    coloured = text(EVERYTHING, verbose=True, terminal=Terminal(colours=True))
    bare = coloured.replace("\x1b[0m", "")
    for styles in ("1;31", "1;32", "1;33", "1;34", "1;2", "1"):
        bare = bare.replace(f"\x1b[{styles}m", "")
    assert bare == render(EVERYTHING, verbose=True)
    assert coloured != bare


def test_the_same_report_gives_the_same_text():
    assert render(EVERYTHING) == render(EVERYTHING)


def test_what_would_not_be_seen_is_written_out():
    assert visible("\x1b[2J") == "\\x1b[2J"
    assert visible("a\u202eb\udce9\u200b\r\x9b\U000e0041") == "a\\u202eb\\udce9\\u200b\\r\\x9b\\U000e0041"
    assert visible("naïve 数字 ✓") == "naïve 数字 ✓"


def test_what_never_ends_is_cut_and_counted():
    assert visible("x" * 5000) == "x" * 2000 + "... (3000 more characters)"
    assert visible_lines("line\n" * 100)[-2:] == ("line", "... (40 more lines)")


@every_report
def test_no_text_out_of_an_image_reaches_a_terminal_as_a_command(any_report):
    output = render(any_report, verbose=True)
    hidden = {char for char in output if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert hidden <= {"\n"}
    output.encode("utf-8")


def test_a_hostile_message_is_shown_as_what_it_is():
    output = plain(result(PORT, Status.FAILED, Finding(message=HOSTILE, level=Level.MUST)))
    assert "\\x1b[2J\\x1b]0;owned\\x07 \\u202egnp.exe" in output
