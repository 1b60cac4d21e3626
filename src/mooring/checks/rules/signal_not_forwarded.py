"""The shell that starts the server hands SIGTERM on to it.

The platform sends SIGTERM to the first process of the container, and nothing else. A shell that is that process and
waits for the server does not pass it on, and as process 1 does not even end: the server learns nothing, requests in
flight are cut when the container is killed. A shell also runs its traps only after the command in its foreground has
ended.

Start the server with `exec`, so that it takes the shell's place. Where the shell must stay: start the server with
`&`, keep `pid=$!`, and `trap 'kill -TERM "$pid"; wait "$pid"' TERM` before `wait "$pid"`. The sample of the documents
never assigns that variable; do not copy it as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mooring.checks.command import Handing, start_command
from mooring.checks.command.bases import image
from mooring.checks.command.lexer import PartKind
from mooring.checks.command.place import Place, place_of
from mooring.checks.command.wrappers import INITS, to_the_whole_group
from mooring.checks.rule import MUST, SHOULD, Example, rule
from mooring.contract import Finding, Level
from mooring.contract.vocabulary import LINGER_AFTER_SIGTERM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.command import ShellStep, StartCommand
    from mooring.checks.command.shell import Command
    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig

_TRAPPED = """term() { [ -n "$pid" ] && kill -TERM "$pid" && wait "$pid"; }
trap term TERM
gunicorn -b 0.0.0.0:8080 app:app &
pid=$!
wait "$pid"
"""


def _with(script: str, command: tuple[str, ...] = ("sh", "/home/run.sh")) -> object:
    return image(*command, files={"/home/run.sh": script})


@rule(
    "IMG-TERM-03",
    level=SHOULD,
    rolling=MUST,
    facts=(LINGER_AFTER_SIGTERM,),
    good=(
        Example(
            "exec gunicorn -b 0.0.0.0:8080 app:app", image=_with("cd /app\nexec gunicorn -b 0.0.0.0:8080 app:app\n")
        ),
        Example(_TRAPPED, image=_with(_TRAPPED)),
    ),
    bad=(
        Example("gunicorn as the last line, without exec", image=_with("cd /app\ngunicorn -b 0.0.0.0:8080 app:app\n")),
        Example("CMD python3 /app.py", image=image("python3 /app.py", files={"/app.py": "import app"})),
        Example(
            "a trap that kills $pid, and no pid=$!",
            image=_with(_TRAPPED.replace("pid=$!\n", "").replace('wait "$pid"\n', "wait\n")),
        ),
        Example("a trap, and the server in the foreground", image=_with("trap 'kill $pid' TERM\ngunicorn app:app\n")),
    ),
)
def signal_not_forwarded(image_config: ImageConfig, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """The first shell on the way that keeps the signal to itself."""
    start = start_command(image_config, files)
    if any(to_the_whole_group(hop.words) for hop in start.hops if hop.name in INITS):
        return
    for step in start.shells:
        complaint = _complaint(step, start)
        if complaint is None:
            continue
        seen, hint = complaint
        stated = LINGER_AFTER_SIGTERM in edition
        place = _place(step, start)
        yield Finding(
            level=Level.MUST if stated else Level.SHOULD,
            message=seen,
            expected="SIGTERM reaches the server, which then finishes what it has begun",
            document=edition.source(LINGER_AFTER_SIGTERM) if stated else "",
            hint=hint,
            source=place.source,
            line=place.line,
            causes=_shown_as(step),
        )
        return


def _complaint(step: ShellStep, start: StartCommand) -> tuple[str, str] | None:
    """What is wrong with how this shell starts what it starts, and the remedy; None if nothing is, or nobody knows."""
    found = step.outcome
    if found.handing is Handing.FOREGROUND and step.gives_way is False and found.last:
        return _in_foreground(step, start)
    if found.handing is Handing.BACKGROUND and found.last:
        return _in_background(step)
    return None


def _shown_as(step: ShellStep) -> tuple[str, ...]:
    """A shell that leaves its server in the background may also end at once; without a trap it is deaf."""
    ends = ("finished-at-once",) if step.outcome.handing is Handing.BACKGROUND else ()
    return ends if step.outcome.trap else (*ends, "ignores-sigterm")


def _in_foreground(step: ShellStep, start: StartCommand) -> tuple[str, str]:
    found = step.outcome
    words = " ".join(found.last.words) if found.last else ""
    why = "runs its trap only when that has ended" if found.trap else "keeps SIGTERM to itself"
    seen = f"{step.named} starts {words} and waits for it: the shell stays the parent, and {why}"
    if found.last and found.last.command.piped:
        return seen, f"let the server write to standard output itself, without a pipe: exec {words}"
    return seen, f"exec {words}" if step.path else _without_the_text(step, start)


def _without_the_text(step: ShellStep, start: StartCommand) -> str:
    """The remedy for a shell that is given text: no such shell; and for a script that it starts, what that needs."""
    text, last, place = step.content.decode("utf-8", "replace").strip(), step.outcome.last, _place(step, start)
    words = last.words if last else ()
    plain = step.outcome.single and last and not last.command.redirected and not last.command.assignments
    if place.line:
        remedy = f"exec {' '.join(words)} in {place}"
    elif plain and not any(sign in text for sign in "$`*?~"):
        remedy = f"{place} {json.dumps(list(words))} (the exec form), or {place} exec {' '.join(words)}"
    elif plain:
        # The exec form has no variables.
        remedy = f"{place} exec {text}"
    else:
        before = text.removesuffix(" ".join(words))
        whole = f"{before}exec {' '.join(words)}" if before != text else f"... exec {' '.join(words)}"
        remedy = f"{place} {whole}"
    for script in start.shells[start.shells.index(step) + 1 :]:
        if (complaint := _complaint(script, start)) and script.path:
            return f"{remedy}; and in {_place(script, start)}: {complaint[1]}"
    return remedy


def _place(step: ShellStep, start: StartCommand) -> Place:
    """The line that starts what the shell waits for, or where the shell is given its text."""
    if step.path:
        return Place(step.path, step.outcome.last.command.line if step.outcome.last else 0)
    return place_of(start.hops[step.hop].source, start.instruction())


def _in_background(step: ShellStep) -> tuple[str, str] | None:
    found = step.outcome
    words = " ".join(found.last.words) if found.last else ""
    right = f'trap \'kill -TERM "$pid"; wait "$pid"\' TERM; {words} & pid=$!; wait "$pid"'
    if found.trap is None:
        return f"{step.named} starts {words} in the background and has no trap for SIGTERM", right
    names = _variables(found.trap.commands)
    never = sorted(name for name in names if name not in found.assigned)
    if never and found.trap.commands:
        seen = (
            f"the trap in line {found.trap.line} of {step.named} sends the signal to ${never[0]}, which is never "
            "assigned (the documents' own sample has this mistake)"
        )
        return seen, f"{never[0]}=$! in the line after {words} &"
    if found.trap.commands and not _ends_it(found.trap.commands):
        return f"the trap in line {found.trap.line} of {step.named} sends no signal to {words}", right
    if found.trap.commands and found.waits == 1 and not _named(found.trap.commands, "wait"):
        seen = f"after the trap in line {found.trap.line}, {step.named} ends at once, and the container with it"
        return seen, right
    return None


def _variables(commands: tuple[Command, ...]) -> set[str]:
    return {
        part.text
        for command in commands
        if _named((command,), "kill")
        for word in command.words[1:]
        for part in word.parts
        if part.kind is PartKind.VARIABLE and not part.text.isdigit() and part.default is None
    }


def _named(commands: tuple[Command, ...], *names: str) -> bool:
    return any(command.words and command.words[0].raw in names for command in commands)


def _ends_it(commands: tuple[Command, ...]) -> bool:
    """Whether a handler does something that may end the server: we know of kill, and trust what we do not know."""
    known = ("echo", "sleep", "wait", "exit", "return", ":", "true", "printf", "date", "[", "test")
    return any(command.words and command.words[0].raw not in known for command in commands)
