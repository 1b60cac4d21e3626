"""`mooring flavors`: the sizes that an instance can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.cli import platform

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(flavors)


def flavors(*, as_json: bool = platform.AS_JSON) -> None:
    """List the sizes that an instance can have, for --flavor; --cpu with --memory takes any other."""
    with platform.connected() as client:
        found = client.flavors()
    if as_json:
        platform.show_json(found)
        return
    platform.show_table(
        ("FLAVOR", "CATEGORY", "CPU", "MEMORY", "WHAT"),
        (
            (
                one["specification"],
                one["category"],
                f"{one['cpu_info']['cpu']:g}",
                f"{one['memory_info']['memory']:g} {one['memory_info']['unit']}",
                one["display_en"],
            )
            for one in found
        ),
    )
