"""`mooring config`: what is wrong with a config.json, and what it looks like put right."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mooring.cli.replacing import replace_file

if TYPE_CHECKING:
    from mooring.contract import Finding, ModelConfig

COLOURS = {"must": "red", "should": "yellow", "info": "blue"}
STDIN = "-"


class Format(enum.StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    config = typer.Typer(help="Check or mend a config.json.", no_args_is_help=True, rich_markup_mode=None)
    config.command("check")(check)
    config.command("show")(show)
    app.add_typer(config, name="config")


def check(
    file: str = typer.Argument(metavar="FILE", help="A config.json, a folder that holds one, or - for standard input."),
    edition: str = typer.Option(
        "otc-2022", metavar="NAME", help="The edition of the contract to judge by; see `mooring editions`."
    ),
    form: Format = typer.Option(Format.TEXT, "--format", help="How to print what was found."),
) -> None:
    """Say what is wrong with a config.json, and where. Exit code 1 if the contract forbids any of it.

    What is marked "mended" is read as it was meant, by every command; `mooring config show` writes it out. The rest is
    how the edition judges what was read.
    """
    from mooring import contract  # noqa: PLC0415 - a heavy room, entered only by those who need it

    config, judge = _read(file), contract.edition(edition)
    findings = config.check(judge)
    breaks = any(finding.level is contract.Level.MUST for finding in findings)
    if form is Format.JSON:
        typer.echo(_as_json(config, findings, edition=judge.name, conforms=not breaks))
    else:
        _print(config, findings, judge.name)
    if breaks:
        raise typer.Exit(1)


def show(
    file: str = typer.Argument(metavar="FILE", help="A config.json, a folder that holds one, or - for standard input."),
    output: str = typer.Option(
        "", "--output", "-o", metavar="FILE", help="Write it there, whole or not at all; it may be FILE itself."
    ),
) -> None:
    """Print the clean form of a config.json: the same, put right, ready to be its successor.

    To mend a file in place use --output FILE. With "> FILE" the shell would empty it before it is read.
    """
    import json  # noqa: PLC0415 - keeps `mooring --help` fast

    config = _read(file)
    # As bytes: the clean form is UTF-8, whatever the terminal's locale.
    content = json.dumps(config.clean(), ensure_ascii=False, indent=2).encode()
    if output in ("", STDIN):
        typer.echo(content)
    else:
        replace_file(Path(output), content + b"\n")
        typer.echo(f"mooring: wrote {output}", err=True)
    if config.mends:
        count = _counted(len(set(config.mends)), "mend")
        typer.echo(f"mooring: {count} in it; `mooring config check` of what was read says which", err=True)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _read(file: str) -> ModelConfig:
    from mooring.contract import ModelConfig, decoding  # noqa: PLC0415 - a heavy room, entered when it is needed

    if file == STDIN:
        # One byte more than it may have says that it has too many.
        return ModelConfig.parse(sys.stdin.buffer.read(decoding.MAX_BYTES + 1), source="<stdin>")
    return ModelConfig.load(Path(file))


def _print(config: ModelConfig, findings: tuple[Finding, ...], edition: str) -> None:
    mended = set(config.mends)
    for finding in findings:
        level = typer.style(f"{finding.level:<6}", fg=COLOURS[finding.level])
        # Some messages say it themselves, where nothing else would make them clear.
        reading = [f"read as {finding.read_as}"] if finding.read_as and "read as" not in finding.message else []
        marks = ", ".join(["mended" if finding in mended else "", *reading]).removeprefix(", ")
        typer.echo(f"{level}  {finding.id:<14}  {finding.where}: {finding.message}" + (f" ({marks})" if marks else ""))
        if finding.hint:
            typer.echo(f"{'':24}  {finding.hint}")
    counts = [sum(finding.level == level for finding in findings) for level in COLOURS]
    verdict = "breaks the contract" if counts[0] else "keeps the contract"
    summary = ", ".join(f"{count} {level}" for count, level in zip(counts, COLOURS, strict=True) if count)
    typer.echo(f"{config.source} {verdict} ({edition})" + (f": {summary}" if summary else ""))
    if mended:
        rest = len(findings) - len(mended)
        yours = f"; the other {_counted(rest, 'finding')} only you can decide" if rest else ""
        typer.echo(f"{_counted(len(mended), 'mend')}, which `mooring config show` writes out{yours}")


def _as_json(config: ModelConfig, findings: tuple[Finding, ...], *, edition: str, conforms: bool) -> str:
    import dataclasses  # noqa: PLC0415 - keeps `mooring --help` fast
    import json  # noqa: PLC0415 - the same

    report = {
        "source": config.source,
        "edition": edition,
        "conforms": conforms,
        "findings": [{**dataclasses.asdict(finding), "mended": finding in config.mends} for finding in findings],
    }
    return json.dumps(report, indent=2)
