"""`mooring init`: a folder with a whole project in it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(init)


def init(
    folder: Path = typer.Argument(..., metavar="DIR", help="The folder to make; it may exist if it is empty."),
    template: str = typer.Option(
        "mnist", "--template", help="mnist, tabular, customize-service or bring-your-own.", show_default=True
    ),
) -> None:
    """Make a project: a model, the code that serves it, its config.json and tests."""
    from mooring.cli.curl import argument, predict  # noqa: PLC0415 - keeps `mooring --help` quick
    from mooring.project import Kind, Project, scaffold  # noqa: PLC0415 - the same

    scaffold(folder, template=template)
    where = argument(folder)
    typer.echo(f"{where} is a copy of the template {template}; its README.md says what is what. Next:")
    project = Project.open(folder)
    ask = ("ask it, in a second terminal", predict(project.config.apis[0], "127.0.0.1:8080", folder=folder))
    steps = [
        ("serve it on this machine", f"mooring serve {where}"),
        ask,
        ("make the image", f"mooring build {where} -t {project.image_name}"),
        ("start it", f"mooring run {project.image_name}"),
    ]
    if project.kind is Kind.BRING_YOUR_OWN:
        steps = [*steps[2:], ask]  # its server is in its Dockerfile
    width = max(len(purpose) for purpose, _ in steps) + 1
    for purpose, command in steps:
        typer.echo(f"  {f'{purpose}:':<{width}}  {command}")
