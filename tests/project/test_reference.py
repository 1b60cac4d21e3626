"""Which names an image can be given, and which it can be built on."""

import pytest

from mooring.errors import Invalid
from mooring.project.reference import require_base_name, require_image_name


@pytest.mark.parametrize(
    "name",
    [
        "mnist",
        "mnist:1",
        "team/my-model_x.y__z:v2.0_RC-1",
        "localhost/a:1",
        "Registry.example.com:5000/team/mnist:1",
        "127.0.0.1:5000/a",
        "[::1]:5000/a",
        "a---b:1",
    ],
)
def test_names_that_engines_take_are_taken(name):
    require_image_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "UPPER:1", "--x", "-x", "a:", ":1", "a b", "a\n", "a:1\n", "a/", "/a", "a//b", "a:1:2", "a:-1", "a..b"),
        *(
            "a.",
            "_a",
            "a___b",
            "Team/a:1",
            "exa_mple.com/a",
            "é:1",
            "a:" + "1" * 129,
            "a" * 256,
            "0" * 64,
            "a@sha256:0",
        ),
    ],
)
def test_names_that_no_engine_takes_are_refused_with_an_example(name):
    with pytest.raises(Invalid) as caught:
        require_image_name(name)
    assert "mnist:1" in caught.value.hint


@pytest.mark.parametrize(
    "base", ["python:3.11-slim", "sha256:" + "0" * 64, "a.example:5000/b/c@sha256:" + "0" * 64, "0a1b2c3d"]
)
def test_whatever_an_engine_may_know_can_be_built_on(base):
    require_base_name(base)


@pytest.mark.parametrize("base", ["--foo", "-f", "a b", "a\nRUN x", "$(x)", ""])
def test_what_an_engine_would_take_for_an_option_or_an_instruction_cannot_be_built_on(base):
    with pytest.raises(Invalid, match="is not an image"):
        require_base_name(base)
