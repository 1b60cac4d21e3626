"""What `mooring gateway` refuses before it listens."""

import pytest


@pytest.mark.parametrize("content", ["id      1\nsecret  mooring-gateway-x", "mooring-gateway-x y", "\x00"])
def test_a_file_that_has_more_than_a_token_is_refused_and_not_shown(mooring, tmp_path, content):
    file = tmp_path / "gateway.token"
    file.write_text(content)
    done = mooring("gateway", "--control", "http://127.0.0.1:1", "--token-file", file)
    assert done.returncode == 2
    assert f"what {file} has is no token" in done.stderr
    assert "hint: mooring keys create --kind gateway --json" in done.stderr
    assert "mooring-gateway-x" not in done.stderr


def test_a_platform_without_a_scheme_is_refused_in_place_of_being_waited_for(mooring):
    done = mooring("gateway", "--control", "127.0.0.1:8000", MOORING_GATEWAY_TOKEN="x")  # noqa: S106 - it opens nothing
    assert done.returncode == 2
    assert "127.0.0.1:8000 is not the URL of a platform" in done.stderr
    assert "hint: for example --control http://" in done.stderr


def test_without_a_token_it_is_said_how_to_have_one(mooring):
    done = mooring("gateway", "--control", "http://127.0.0.1:1", MOORING_GATEWAY_TOKEN="")
    assert done.returncode == 2
    assert "hint: mooring keys create --kind gateway makes one" in done.stderr
