"""`mooring build`: from a project's folder to its image."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(build)


def build(
    folder: Path = typer.Argument(..., metavar="DIR", help="The project."),
    *,
    tag: str = typer.Option("", "--tag", "-t", help="The image's name, such as mnist:1."),
    base: str = typer.Option("", "--base", help="An image to build on, or debian: made here, of Debian packages."),
    edition: str = typer.Option("", "--edition", help="The edition of the contract the image is meant for."),
    platform: str = typer.Option("", "--platform", help="Such as linux/arm64; the engine's own by default."),
    eject: Path | None = typer.Option(
        None, "--eject", metavar="OUT", help="Write the Dockerfile and what it copies to OUT, and build nothing."
    ),
) -> None:
    """Make a project's image: one layer each for server, packages, weights, code and config."""
    from mooring import project as rooms  # noqa: PLC0415 - keeps `mooring --help` quick
    from mooring.cli.curl import argument, predict  # noqa: PLC0415 - keeps `mooring --help` quick
    from mooring.errors import Invalid  # noqa: PLC0415 - the same

    subject = rooms.Project.open(folder)
    options = rooms.Options(base=base, edition=edition, platform=platform)
    options.edition_for(subject)  # a name that does not exist is said before anything is made
    if tag:
        rooms.require_image_name(tag)
    if eject is not None:
        rooms.eject(subject, eject, options, builder=rooms.find_builder(), say=_say)
        typer.echo(
            f"{eject} holds the Dockerfile and what it copies. "
            f"Next: docker build -t {tag or subject.image_name} {argument(eject)}"
        )
        return
    if not tag:
        raise Invalid("the image needs a name", hint=f"mooring build {argument(folder)} -t {subject.image_name}")
    for finding in subject.config.findings:
        _say(f"{subject.config_file.name}: {finding.message}")
    builder = rooms.find_builder()
    built = rooms.build(subject, tag, options, builder=builder, say=_say)
    by_buildah = builder.name == "buildah"
    start = "podman run --rm -p 127.0.0.1:8080:8080" if by_buildah else "mooring run"
    typer.echo(
        f"{built.tag} {built.id.removeprefix('sha256:')[:12]} {built.size / 1e6:.0f} MB. Next: {start} {built.tag}"
    )
    typer.echo(f"when it is ready: {predict(subject.config.apis[0], '127.0.0.1:8080', folder=folder)}")
    if by_buildah:
        typer.echo(
            "built by buildah, as no Docker answers here: podman has the image, Docker has not. "
            f"For `mooring run {built.tag}` start podman's socket: podman system service --time 0 &"
        )
    if built.too_big:
        _say(built.too_big)
        raise typer.Exit(1)


def _say(line: str) -> None:
    typer.echo(line, err=True)
