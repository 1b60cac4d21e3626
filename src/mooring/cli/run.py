"""`mooring run`: an image in the container engine, until it is healthy or it is clear why not."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(run)


def run(
    image: str = typer.Argument(help="The image, as the engine knows it."),
    *,
    port: int = typer.Option(8080, min=0, max=65535, help="Port on this machine; 0 for any free one."),
    name: str = typer.Option("", help="Name of the container."),
    env: list[str] = typer.Option([], "--env", "-e", metavar="KEY=VALUE", help="Set a variable. May be repeated."),
    label: list[str] = typer.Option([], metavar="KEY=VALUE", help="A label for the container. May be repeated."),
    memory: str = typer.Option("", metavar="SIZE", help="Memory it may use, such as 512m or 2g."),
    timeout: float = typer.Option(
        None, min=0.1, help="Seconds it has to become healthy.  [default: what the edition's probes allow, or 60]"
    ),
    edition: str = typer.Option(None, help="Edition whose probes apply.  [default: the image's label, else otc-2022]"),
    detach: bool = typer.Option(False, "--detach", "-d", help="Leave it running once it is healthy."),
) -> None:
    """Start an image, wait until it is healthy, and say how to call it; or say why it is not.

    The container's logs go to standard error, the rest to standard output. Ctrl-C ends it as a person wants it: SIGINT
    first, on which Mooring's server finishes what is in hand and ends, then SIGTERM and SIGKILL, five seconds apart. A
    SIGTERM to this command is passed on as the platform sends it: the container has its linger and its drain time.
    Exit code 1: the image is at fault.
    """
    from mooring.cli import running  # noqa: PLC0415 - slow to open

    wish = running.Wish(
        image=image,
        port=port,
        name=name,
        env=running.pairs(env, "--env"),
        labels=running.pairs(label, "--label"),
        memory_bytes=running.size(memory),
        wait_seconds=timeout,
        edition=edition,
    )
    running.run(wish, detach=detach)
