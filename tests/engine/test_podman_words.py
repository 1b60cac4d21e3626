import pytest

from mooring.engine.container import Confinement
from mooring.engine.limits import milder
from mooring.engine.refusal import Refusal, is_for_limits

RUNC = "runc: runc create failed: unable to start container process: "
NOT_FOUND = ": OCI runtime attempted to invoke a command that was not found"


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (f'{RUNC}exec: "serve": executable file not found in $PATH{NOT_FOUND}', 127),
        (f'{RUNC}exec: "/serve": stat /serve: no such file or directory{NOT_FOUND}', 127),
        (f"crun: executable file `serve` not found in $PATH: No such file or directory{NOT_FOUND}", 127),
        (f'{RUNC}exec: "/etc": permission denied: OCI permission denied', 126),
        (f"{RUNC}exec /serve: exec format error", 128),
        ("unable to find user model: no matching entries in passwd file", 128),
    ],
)
def test_what_the_image_names_and_cannot_be_started_is_its_fault_with_a_shells_exit_code(words, exit_code):
    refusal = Refusal(words)
    assert refusal.is_for_image
    assert refusal.exit_code == exit_code


@pytest.mark.parametrize(
    "words",
    [
        f"{RUNC}error setting rlimits for ready process: error setting rlimit type 6: operation not permitted",
        "crun: setrlimit `RLIMIT_NPROC`: Operation not permitted: OCI permission denied",
    ],
)
def test_limits_that_the_engine_may_not_set_are_not_the_images_fault(words):
    assert is_for_limits(words)
    assert not Refusal(words).is_for_image


def test_milder_limits_end_with_the_engines_own_and_keep_all_else():
    wanted = Confinement(processes=99)
    first, *others = milder(wanted)
    assert first == wanted
    assert others[-1].limits == {}
    assert {one.processes for one in others} == {99}
