"""How containers die: one judge a cause, each silent unless it knows the case.

Exit codes are the shell's: 126 found but not executable, 127 not found, 128 + n ended by signal n (POSIX, sh(1)).
"""

from __future__ import annotations

import re
import signal

from mooring.engine.cause import Cause, Facts

NOT_EXECUTABLE = 126
NOT_FOUND = 127
SIGNALLED = 128
MODULE_MISSING = r"(?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)'?"
LIBRARY_MISSING = r"(\S+\.so[.\d]*): cannot open shared object file"
SCRIPT = r"\.(?:ba)?sh\b|bad interpreter|\^M|\r"
KEEPS_RUNNING = "a server that keeps running in the foreground"


def wrong_architecture(facts: Facts) -> Cause | None:
    """The kernel cannot execute the image's programs."""
    if not (facts.ended and facts.said(r"exec format error")):
        return None
    image, engine = facts.image_architecture, facts.engine_architecture
    if image and engine and image != engine:
        return Cause(
            name="wrong-architecture",
            seen=f"exec format error: the image is for {image}, the engine runs on {engine}",
            expected=f"an image for {engine}",
            advice=f"build it with --platform linux/{engine}, or run it on an {image} machine",
        )
    return Cause(
        name="not-a-program",
        seen="exec format error: the command is no program for this machine, and has no #! line",
        expected=f"a program for {engine or 'this machine'}, or a script that starts with #!/bin/sh",
        advice='if its ENTRYPOINT or CMD names a script, start that through its interpreter: ["/bin/sh", "SCRIPT"]',
    )


def out_of_memory(facts: Facts) -> Cause | None:
    """The kernel killed it at its memory limit."""
    if not (facts.ended and facts.oom_killed):
        return None
    return memory_spent(facts, f"exit code {facts.exit_code}: killed by the kernel")


def memory_spent(facts: Facts, seen: str) -> Cause:
    """The cause for what was killed because memory ran out; `seen` is how that came out."""
    return Cause(
        name="out-of-memory",
        seen=f"{seen} for using more than {_limit(facts)}",
        expected="to load the model and answer within the memory of its instance",
        advice="allow more with --memory, or load less: smaller batches, fewer workers, a smaller data type",
    )


def python_module_missing(facts: Facts) -> Cause | None:
    """Python could not import something."""
    found = facts.said(MODULE_MISSING)
    if not found or (not facts.ended and facts.listeners):
        return None
    return missing_module(found.group(0), f"{_exit(facts)}: Python found no module named {found.group(1)}")


def missing_module(said: str, seen: str) -> Cause | None:
    """The cause that Python's own words name, if they are about a module; `seen` is how it came out."""
    found = re.search(MODULE_MISSING, said, re.IGNORECASE)
    if not found:
        return None
    name = found.group(1)
    return Cause(
        name="python-module-missing",
        seen=seen,
        expected="every package that the code imports inside the image",
        advice=f"add the package that holds {name} to requirements.txt and build again; "
        "if it is a file of yours, see that it is copied and that the working directory is right",
    )


def shared_library_missing(facts: Facts) -> Cause | None:
    """The loader did not find a native library."""
    found = facts.said(LIBRARY_MISSING)
    if not found or (not facts.ended and facts.listeners):
        return None
    seen = f"{_exit(facts)}: the shared library {found.group(1)} is not in the image"
    return missing_library(found.group(0), seen)


def missing_library(said: str, seen: str) -> Cause | None:
    """The cause that the loader's own words name, if they are about a library; `seen` is how it came out."""
    if not re.search(LIBRARY_MISSING, said, re.IGNORECASE):
        return None
    return Cause(
        name="shared-library-missing",
        seen=seen,
        expected="the system libraries that the Python packages link to",
        advice="install the system package that holds it (on Debian, apt-file search finds it; "
        "libGL.so.1 is in libgl1, libgomp.so.1 in libgomp1)",
    )


def command_missing(facts: Facts) -> Cause | None:
    """The image's command, or the interpreter of its script, is not there."""
    found = facts.said(
        r"(?:exec: \"?|cannot open |can't open (?:file )?'?|stat )([^\s\"':]+).*(?:no such file|not found)"
    )
    missing = facts.said(r"no such file|executable file not found")
    if not facts.ended or not (facts.exit_code == NOT_FOUND or (missing and (facts.start_error or found))):
        return None
    name = found.group(1) if found else "the command"
    return Cause(
        name="command-missing",
        seen=f"{_exit(facts)}: {name} is not in the image",
        expected="the command of the image (ENTRYPOINT, CMD) and every program that it calls",
        advice="compare the image's ENTRYPOINT and CMD"
        + (
            " and the start script with the files in the image; a script saved with Windows line ends looks for an "
            "interpreter that does not exist, so save it with LF"
            if facts.said(SCRIPT)
            else " with the files in the image; a name without a path is looked for in the folders of PATH"
        ),
    )


def command_not_executable(facts: Facts) -> Cause | None:
    """The command is there and may not be executed."""
    refused = facts.start_error and facts.said(r"permission denied")
    if not facts.ended or not (facts.exit_code == NOT_EXECUTABLE or refused):
        return None
    found = facts.said(r"exec: \"?([^\s\"':]+)")
    name = f"{found.group(1)}, which its ENTRYPOINT or CMD names," if found else "what its ENTRYPOINT or CMD names"
    return Cause(
        name="command-not-executable",
        seen=f"{_exit(facts)}: {name} was found, but may not be executed",
        expected="a command that the image's user may execute",
        advice="set its execute bit (RUN chmod +x FILE in the Dockerfile), or start a script through its interpreter: "
        '["/bin/sh", "SCRIPT"]',
    )


def permission_denied(facts: Facts) -> Cause | None:
    """It may not read or write a file, or bind a port."""
    found = facts.said(r"(?:PermissionError|permission denied|EACCES)\b.*")
    if not (facts.ended and facts.exit_code and found):
        return None
    return Cause(
        name="permission-denied",
        seen=f"{_exit(facts)}: {found.group(0)}",
        expected="files that the image's user may read, and write where it writes",
        advice="chown or chmod them in the Dockerfile for the user that USER names; ports under 1024 need root, "
        f"port {facts.port} does not",
    )


def could_not_start(facts: Facts) -> Cause | None:
    """The engine refused, for a reason with no name of its own here."""
    if not facts.start_error:
        return None
    return Cause(
        name="could-not-start",
        seen=f"the engine could not start it: {facts.start_error}",
        expected="a container that starts",
        advice="mend what the engine names",
    )


def disk_filled(facts: Facts) -> Cause | None:
    """It wrote without end, and was ended for it."""
    if not facts.ended_as:
        return None
    return Cause(
        name="disk-filled",
        seen=f"{facts.ended_as} to its own layer, and was ended before the disk was full",
        expected="a container that writes little: what it writes is gone with it, and nodes have small disks",
        advice="look for what it downloads, unpacks or logs to files while it starts; put it into the image instead",
    )


def killed(facts: Facts) -> Cause | None:
    """Ended by SIGKILL, and not by the kernel's memory limit for the container."""
    if facts.exit_code != SIGNALLED + signal.SIGKILL:
        return None
    return Cause(
        name="killed",
        seen=f"exit code {facts.exit_code}: killed (SIGKILL); the engine does not say that it was for {_limit(facts)}",
        expected=KEEPS_RUNNING,
        advice="see whether somebody stopped it, or memory ran out, its own or the machine's (dmesg | grep -i oom; "
        "Podman may not tell)",
    )


def crashed(facts: Facts) -> Cause | None:
    """Ended by another signal."""
    code = facts.exit_code or 0
    name = _signal_name(code - SIGNALLED)
    if not name:
        return None
    builds = "a library built for a newer processor than this one" if name == "SIGILL" else "a fault in native code"
    return Cause(
        name="crashed",
        seen=f"exit code {code}: ended by {name}",
        expected=KEEPS_RUNNING,
        advice=f"look for {builds}; python -X faulthandler shows where it happens",
    )


def finished_at_once(facts: Facts) -> Cause | None:
    """It did what it was told, and that was not to serve."""
    if facts.exit_code != 0:
        return None
    return Cause(
        name="finished-at-once",
        seen="exit code 0: the command finished without an error, and with it the container",
        expected=KEEPS_RUNNING,
        advice="do not start the server in the background: let the start script end with exec SERVER",
    )


def exited(facts: Facts) -> Cause | None:
    """It ended with an error of its own."""
    if facts.exit_code is None:
        return None
    return Cause(
        name="exited",
        seen=f"exit code {facts.exit_code}: the command ended by itself",
        expected=KEEPS_RUNNING,
        advice="mend the error that the last log lines show"
        if facts.log_tail
        else "it said nothing: let the start script print what it does (set -x), to standard output",
    )


def _limit(facts: Facts) -> str:
    return f"its limit of {facts.memory_bytes / 2**20:g} MiB" if facts.memory_bytes else "the memory there is"


def _exit(facts: Facts) -> str:
    if facts.exit_code is None:
        return "running, but not serving"
    return f"exit code {facts.exit_code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""
