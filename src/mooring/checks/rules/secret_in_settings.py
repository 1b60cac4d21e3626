"""No secret stands in the environment, the labels or the history of the image.

`docker inspect` and `docker history` show all three to everyone who may pull the image. What is given with
`--build-arg` is written down there as well, and so is a proxy with a password.

Give secrets to the build as `RUN --mount=type=secret`, to the server as an environment variable at deployment, and
replace the secret: it is known now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.scanning.secret_scan import secret_in, secret_setting, settings
from mooring.checks.scanning.telling import SHOWN, printable
from mooring.contract import Finding
from mooring.image import ImageConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

# What looks like a password must not be one that a scanner of this repository could take for real.
_MADE_UP = "Hunter2" * 2


@rule(
    "IMG-SECRET-01",
    level=SHOULD,
    good=(
        Example(
            "ENV DB_PASSWORD_FILE=/run/secrets/db",
            image_config=ImageConfig(env={"DB_PASSWORD_FILE": "/run/secrets/db"}),
        ),
        Example("ENV API_TOKEN=changeme", image_config=ImageConfig(env={"API_TOKEN": "changeme"})),
    ),
    bad=(
        Example("ENV DB_PASSWORD=...", image_config=ImageConfig(env={"DB_PASSWORD": _MADE_UP})),
        Example(
            "docker build --build-arg PIP_TOKEN=...",
            image_config=ImageConfig(history=(f"RUN |1 PIP_TOKEN={_MADE_UP} /bin/sh -c pip install x # buildkit",)),
        ),
    ),
)
def secret_in_settings(image_config: ImageConfig) -> Iterator[Finding]:
    """Named by the variable, the label or the number of the step; the value is never shown."""
    found = [*_in_environment(image_config), *_in_labels(image_config), *_in_history(image_config)]
    for what, where in found[:SHOWN]:
        yield Finding(
            message=f"{where} holds {what}",
            expected="no secrets in what docker inspect and docker history show",
            hint="give it at deployment or with RUN --mount=type=secret, and replace it: it is known now",
            source=where,
        )
    if len(found) > SHOWN:
        yield Finding(message=f"and {len(found) - SHOWN} more of the kind")


def _in_environment(config: ImageConfig) -> Iterator[tuple[str, str]]:
    for name, value in config.env.items():
        if what := secret_setting(name, value):
            yield what, f"ENV {printable(name)}"


def _in_labels(config: ImageConfig) -> Iterator[tuple[str, str]]:
    for name, value in config.labels.items():
        if what := secret_setting(name.replace(".", "_").replace("-", "_"), value):
            yield what, f"LABEL {printable(name)}"


def _in_history(config: ImageConfig) -> Iterator[tuple[str, str]]:
    """What the environment shows anyway is not told again."""
    for number, step in enumerate(config.history, 1):
        if step.lstrip().startswith("ENV ") or "#(nop)  ENV" in step or "#(nop)  LABEL" in step:
            continue
        told = [(what, f"{name} in ") for name, value in settings(step) if (what := secret_setting(name, value))]
        if not told and (what := secret_in(step)):
            told = [(what, "")]
        for what, name in told:
            yield what, f"{name}step {number} of the history"
