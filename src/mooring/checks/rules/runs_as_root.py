"""The image runs as a user of its own.

As root, a hole in the server or in a model file is a hole in everything the container holds. The plain image
documents do not forbid it; newer engines of the same platform run images as user 1000 of group 100, and files that
only root may read or write fail there.

`RUN useradd -u 1000 -g 100 -m ma-user` and `USER 1000:100` at the end of the Dockerfile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import INFO, Example, rule
from mooring.contract import Finding
from mooring.contract.vocabulary import CUSTOM_ENGINE_USER
from mooring.image import ImageConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

_ROOT = frozenset({"", "0", "root"})


@rule(
    "IMG-USER-01",
    level=INFO,
    facts=(CUSTOM_ENGINE_USER,),
    good=(Example("USER 1000:100", image_config=ImageConfig(cmd=("serve",), user="1000:100")),),
    bad=(Example("no USER", image_config=ImageConfig(cmd=("serve",))),),
)
def runs_as_root(image_config: ImageConfig, edition: Edition) -> Iterator[Finding]:
    """By USER alone; what an entrypoint changes later does not count."""
    if image_config.user.partition(":")[0] in _ROOT:
        stated = CUSTOM_ENGINE_USER in edition
        user = edition[CUSTOM_ENGINE_USER] if stated else "1000:100"
        yield Finding(
            message="the image runs as root",
            expected=f"a user of its own, such as {user}",
            document=edition.source(CUSTOM_ENGINE_USER) if stated else "",
            hint=f"USER {user} at the end of the Dockerfile",
            source="USER",
        )
