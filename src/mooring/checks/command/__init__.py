"""What an image starts, read from its configuration and its files, without running any of it."""

from mooring.checks.command.identity import Identity, identity
from mooring.checks.command.server import server_of
from mooring.checks.command.setting import Server, Setting
from mooring.checks.command.start import Handing, Hop, ShellStep, StartCommand, start_command

__all__ = [
    "Handing",
    "Hop",
    "Identity",
    "Server",
    "Setting",
    "ShellStep",
    "StartCommand",
    "identity",
    "server_of",
    "start_command",
]
