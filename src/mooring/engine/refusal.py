"""What engines say when they cannot start a container: whose fault that is.

Docker keeps its words with the container, and an exit code as a shell has it. Podman says them once, to who asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The host's port is not to be had (Docker's proxy, Docker's table of ports, Podman).
PORT_TAKEN = ("port is already allocated", "address already in use", "ports are not available")
# The engine's process may set no such limit: runc, crun.
LIMITS = "rlimit"
# The start command of the image, its working directory or its user, in the words of runc, crun and Podman.
ABOUT_THE_IMAGE = re.compile(
    r'exec: "|executable|exec format error|command that was not found|chdir to|unable to find (?:user|group)'
    r"|no matching entries",
    re.IGNORECASE,
)
MISSING = re.compile(r"not found|no such file", re.IGNORECASE)
DENIED = re.compile(r"permission denied", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """Words of an engine that did not start a container."""

    words: str

    @property
    def is_for_port(self) -> bool:
        """Whether somebody else has the host's port."""
        return any(words in self.words.lower() for words in PORT_TAKEN)

    @property
    def is_for_image(self) -> bool:
        """Whether the image names something that cannot be started; else the engine or its machine is at fault."""
        return bool(ABOUT_THE_IMAGE.search(self.words))

    @property
    def exit_code(self) -> int:
        """The code that Docker gives in such a case, as a shell does."""
        return 127 if MISSING.search(self.words) else 126 if DENIED.search(self.words) else 128


def is_for_limits(words: str) -> bool:
    """Whether an engine refused because of resource limits that it may not set."""
    return LIMITS in words.lower()
