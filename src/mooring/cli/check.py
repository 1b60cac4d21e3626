"""`mooring check`: why an image will be refused, before it is pushed."""

from __future__ import annotations

import enum
from pathlib import Path

import typer


class Kind(enum.StrEnum):
    """The kinds of service an image can be deployed as."""

    REAL_TIME = "real-time"
    BATCH = "batch"
    BOTH = "both"


class FailOn(enum.StrEnum):
    """From which level on a finding makes the exit code 1."""

    MUST = "must"
    SHOULD = "should"


class Format(enum.StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(check)


def check(
    subject: str = typer.Argument(
        metavar="SUBJECT",
        help="An image in Docker or Podman, an archive of docker save or OCI, an OCI layout, a registry reference, "
        "a project's folder, or the URL of a running server.",
    ),
    *,
    edition: str = typer.Option(
        None, metavar="NAME", help="Edition of the contract.  [default: the project's or image's own, else otc-2022]"
    ),
    config: Path = typer.Option(
        None, metavar="FILE", help="The config.json that it will be imported with.  [default: what the image holds]"
    ),
    kind: Kind = typer.Option(Kind.REAL_TIME, help="What it will be deployed as."),
    rolling_upgrade: bool = typer.Option(
        False, "--rolling-upgrade", help="It must bear an upgrade without interruption; watches its end in full."
    ),
    static: bool = typer.Option(False, "--static", help="Run nothing, and build nothing."),
    patient: bool = typer.Option(
        False, "--patient", help="Watch idle connections as long as the edition wants them kept, minutes."
    ),
    sample: list[str] = typer.Option(
        [], metavar="FIELD=@FILE", help="A file that the model understands, for a field of its form. May be repeated."
    ),
    accept: list[str] = typer.Option(
        [], metavar="RULE[:REASON]", help="A rule whose findings you live with. May be repeated."
    ),
    allow_import: list[str] = typer.Option(
        [], metavar="NAME", help="A module or name that pickles may import, as my_package.*. May be repeated."
    ),
    memory: str = typer.Option(
        "", metavar="SIZE", help="Memory the container may use.  [default: half of the engine's]"
    ),
    timeout: float = typer.Option(
        None, min=0.1, help="Seconds it has to become ready.  [default: what its or the edition's probes allow, or 60]"
    ),
    fail_on: FailOn = typer.Option(FailOn.MUST, help="Exit code 1 from this level on."),
    form: Format = typer.Option(Format.TEXT, "--format", help="How to write the report."),
    output: Path = typer.Option(None, "--output", "-o", metavar="FILE", help="Write the report there, whole or not."),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Show remarks, and the rules that passed, too."),
    fix: bool = typer.Option(False, "--fix", help="Mend the project's folder where a rule knows how; shows it first."),
    yes: bool = typer.Option(False, "--yes", help="With --fix: mend without asking."),
) -> None:
    """Judge an image, a project or a running server by the contract, and say what will make the platform refuse it.

    An image is read once, and then run once, in a container that has no way out and is removed in the end. A project is
    built first. Exit code 0: it keeps the contract; 1: it does not; 69: something that decides could not be judged.
    """
    from mooring.cli import asked as words  # noqa: PLC0415 - slow to open
    from mooring.cli import checking  # noqa: PLC0415 - the same
    from mooring.cli.running import size  # noqa: PLC0415 - the same

    if fix:
        checking.fix(Path(subject), name=edition, yes=yes)
        return
    asked = words.Asked(
        subject=subject,
        edition=edition,
        config=config,
        kind=kind.value,
        rolling_upgrade=rolling_upgrade,
        static=static,
        patient=patient,
        samples=words.samples(sample),
        accepted=words.accepted(accept),
        allowed_imports=tuple(allow_import),
        memory_bytes=size(memory),
        wait_seconds=timeout,
        fail_on=fail_on.value,
    )
    checking.check(asked, form=form.value, output=output, verbose=verbose)
