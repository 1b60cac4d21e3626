"""A batch image has Python, Java and zip on its PATH.

The platform's batch driver runs inside the container and calls these programs by name. An image without them serves
requests well and fails as a batch job.

Install them: `RUN apt-get update && apt-get install -y --no-install-recommends python3 default-jre-headless zip`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command.bases import image
from mooring.checks.command.scope import DEFAULT_PATH
from mooring.checks.rule import BATCH, MUST, Example, rule
from mooring.contract import Finding
from mooring.contract.vocabulary import BATCH_TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig

# Programs that count as the one the documents name, and the Debian package that brings it.
NAMES = {"python": ("python", "python3")}
PACKAGES = {"python": "python3", "java": "default-jre-headless", "zip": "zip"}


@rule(
    "IMG-DEPS-01",
    level=MUST,
    kind=BATCH,
    facts=(BATCH_TOOLS,),
    good=(Example("RUN apt-get install -y python3 default-jre-headless zip", image=image("sh", "/home/run.sh")),),
    bad=(
        Example("FROM python:3.11-slim", image=image("sh", "/home/run.sh", without=("/usr/bin/java", "/usr/bin/zip"))),
    ),
)
def batch_tools_missing(image_config: ImageConfig, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """As a shell of the image would find them."""
    path = image_config.env.get("PATH") or DEFAULT_PATH
    tools = edition[BATCH_TOOLS]
    missing = [tool for tool in tools if not any(files.which(name, path) for name in NAMES.get(tool, (tool,)))]
    if not missing:
        return
    there = [one.path for one in files.entries() if any(one.path.endswith(f"/bin/{tool}") for tool in missing)][:3]
    packages = " ".join(PACKAGES.get(tool, tool) for tool in missing)
    elsewhere = f" ({', '.join(there)} is there, and in no folder of PATH)" if there else ""
    yield Finding(
        message=f"no {' and no '.join(missing)} on the image's PATH, {path}{elsewhere}",
        expected=f"{', '.join(tools)}",
        document=edition.source(BATCH_TOOLS),
        hint=f"RUN apt-get update && apt-get install -y --no-install-recommends {packages}"
        if not there
        else f"ENV PATH={there[0].rpartition('/')[0]}:$PATH",
        source="PATH",
    )
