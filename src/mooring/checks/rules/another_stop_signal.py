"""The image is stopped with SIGTERM.

STOPSIGNAL changes the signal that engines send to stop a container. The documents speak of SIGTERM; a server that is
prepared for that learns nothing of another one. Images of web servers bring such a STOPSIGNAL along.

Write `STOPSIGNAL SIGTERM` in the Dockerfile, or leave it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding
from mooring.contract.vocabulary import LINGER_AFTER_SIGTERM
from mooring.image import ImageConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

_SIGTERM = frozenset({"", "SIGTERM", "TERM", "15"})


@rule(
    "IMG-TERM-04",
    level=SHOULD,
    facts=(LINGER_AFTER_SIGTERM,),
    good=(Example("no STOPSIGNAL", image_config=ImageConfig(cmd=("serve",))),),
    bad=(Example("STOPSIGNAL SIGQUIT", image_config=ImageConfig(cmd=("serve",), stop_signal="SIGQUIT")),),
)
def another_stop_signal(image_config: ImageConfig, edition: Edition) -> Iterator[Finding]:
    """By STOPSIGNAL, in any spelling."""
    if image_config.stop_signal.upper() not in _SIGTERM:
        yield Finding(
            message=f"STOPSIGNAL is {image_config.stop_signal}",
            expected="SIGTERM",
            document=edition.source(LINGER_AFTER_SIGTERM) if LINGER_AFTER_SIGTERM in edition else "",
            hint="STOPSIGNAL SIGTERM in the Dockerfile",
            source="STOPSIGNAL",
        )
