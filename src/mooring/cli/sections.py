"""The verbs of `mooring --help` under the headings that a newcomer looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import typer
    from typer._click import Context, HelpFormatter


class Sections(TyperGroup):
    """A group whose commands are listed by heading, in the order in which they were added."""

    headings: ClassVar[dict[str, list[str]]] = {}

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002 - as it is called
        """Write the lists."""
        width = max(map(len, self.commands))
        for heading, names in self.headings.items():
            rows = [(name, self.commands[name]) for name in names if not self.commands[name].hidden]
            with formatter.section(heading):
                formatter.write_dl(
                    [(f"{name:<{width}}", one.get_short_help_str(formatter.width - 6 - width)) for name, one in rows]
                )


def register(app: typer.Typer, sections: Mapping[str, tuple[ModuleType, ...]]) -> None:
    """Add the verbs of these modules, each under its heading."""
    for heading, modules in sections.items():
        had = set(_names(app))
        for module in modules:
            module.register(app)
        Sections.headings[heading] = [name for name in _names(app) if name not in had]


def _names(app: typer.Typer) -> list[str]:
    """The names of all commands so far, in the order in which typer has them: groups come after plain commands."""
    plain = [one.name or one.callback.__name__.replace("_", "-") for one in app.registered_commands if one.callback]
    return [*plain, *(str(one.name) for one in app.registered_groups)]
