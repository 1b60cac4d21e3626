"""A project's own Dockerfile, read as far as it says how containers of its image start."""

from mooring.checks.dockerfile.lines import Instruction
from mooring.checks.dockerfile.reading import Dockerfile, read_dockerfile

__all__ = ["Dockerfile", "Instruction", "read_dockerfile"]
