import stat
import threading

import pytest

from mooring.control.private_file import read_private, write_private
from mooring.control.sealing import Sealing
from mooring.errors import Conflict, Invalid, MooringError, Refused


def test_what_is_sealed_opens_for_its_owner_also_after_a_restart(tmp_path):
    sealed = Sealing.open(tmp_path).seal("hush", owner="a")
    assert b"hush" not in sealed
    assert Sealing.open(tmp_path).unseal(sealed, owner="a") == "hush"


def test_the_key_is_in_a_file_that_nobody_else_can_read(tmp_path):
    Sealing.open(tmp_path)
    [file] = tmp_path.iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("secret.key", 0o600)


@pytest.mark.parametrize("spoil", [lambda it: b"", lambda it: it[:10], lambda it: it[:-1] + b"x", lambda it: b"2" + it])
def test_what_was_sealed_otherwise_does_not_open(tmp_path, spoil):
    sealing = Sealing.open(tmp_path)
    sealed = sealing.seal("hush", owner="a")
    for owner, content in (("a", spoil(sealed)), ("b", sealed)):
        with pytest.raises(Conflict) as error:
            sealing.unseal(content, owner=owner)
        assert error.value.case == "sealed-by-another-key"


def test_a_file_that_others_can_read_is_refused_with_the_remedy(tmp_path):
    Sealing.open(tmp_path)
    (tmp_path / "secret.key").chmod(0o640)
    with pytest.raises(Refused) as error:
        Sealing.open(tmp_path)
    assert error.value.hint == f"chmod 600 {tmp_path / 'secret.key'}"


@pytest.mark.parametrize("text", [b"", b"abc", b"\xff" * 32, b"00" * 31])
def test_a_file_that_holds_no_key_is_invalid(tmp_path, text):
    write_private(tmp_path / "secret.key", text, replace=True)
    with pytest.raises(Invalid):
        Sealing.open(tmp_path)


def test_two_that_make_the_key_at_once_have_the_same(tmp_path):
    found = []
    threads = [threading.Thread(target=lambda: found.append(Sealing.open(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed = found[0].seal("hush", owner="a")
    assert {sealing.unseal(sealed, owner="a") for sealing in found} == {"hush"}
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(MooringError, match="cannot write"):
        write_private(tmp_path / "none" / "file", b"", replace=True)
    assert read_private(tmp_path / "none" / "file") is None
