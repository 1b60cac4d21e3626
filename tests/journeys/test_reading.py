"""How the tutorial is read: a reader who overlooks differences would make its test worthless."""

import pytest


@pytest.fixture
def read(reader, tmp_path):
    """Return a function that walks a page with this text, and gives the folder it was walked in."""

    def walked(text):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        walk = reader(here="elsewhere")
        walk.read(page)
        return walk.folder

    return walked


def console(*lines):
    return "\n".join(("Text.", "", "```console", *lines, "```", ""))


@pytest.mark.parametrize(
    "lines",
    [
        ("$ echo one; echo two", "one", "two"),
        ("$ echo one; echo two; echo three", "one", "...", "three"),
        ("$ echo one", "...", "one", "..."),
        ("$ echo image 0123456789ab of 477 MB", "image ... of ... MB"),
        ("$ echo stopped in 12.3 ms", "stopped in 0.1 ms"),
        ("$ echo at 127.0.0.1:8080", "at 127.0.0.1:8080"),
        ("$ echo from here", "from here"),
        ("$ echo on \\", "> two lines", "on two lines"),
        ("$ printf 'no line end'", "no line end"),
        ("$ true", "$ true"),
        ("$ echo and it failed; false", "and it failed"),
    ],
)
def test_what_is_as_the_page_says_passes(read, lines):
    read(console(*lines))


@pytest.mark.parametrize(
    "lines",
    [
        ("$ echo one", "two"),
        ("$ echo one; echo two", "one"),
        ("$ echo one; echo two", "two"),
        ("$ echo one", "one", "two"),
        ("$ echo '  one'", "one"),
        ("$ echo one",),
        ("$ false",),
        ("$ echo one; echo two", "one", "...", "three"),
        ("^C",),
        ("what a first terminal would show",),
    ],
)
def test_what_is_not_as_the_page_says_fails(read, lines):
    with pytest.raises(pytest.fail.Exception):
        read(console(*lines))


def test_a_failure_names_the_page_the_line_the_command_and_both_outputs(read):
    with pytest.raises(pytest.fail.Exception) as failed:
        read(console("$ true", "$ echo one", "two"))
    assert str(failed.value) == "page.md, line 5: $ echo one\n--- the page says\ntwo\n--- the machine says\none\n"


def test_a_named_block_is_written_and_a_diff_changes_it(read):
    folder = read("`a.txt`:\n\n```text\none\ntwo\n```\n\nChange `a.txt`:\n\n```diff\n one\n-two\n+three\n```\n")
    assert (folder / "a.txt").read_text() == "one\nthree\n"


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint()\n```\n",
        "`a.txt`:\n\n```text\none\n```\n\n`a.txt`:\n\n```diff\n-two\n+three\n```\n",
        "`a.txt`:\n\n```text\none\none\n```\n\n`a.txt`:\n\n```diff\n-one\n+three\n```\n",
    ],
)
def test_a_block_without_a_file_or_a_change_without_its_place_fails(read, text):
    with pytest.raises(pytest.fail.Exception):
        read(text)
