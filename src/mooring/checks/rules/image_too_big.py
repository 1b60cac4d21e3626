"""The image fits the size limit.

Images are copied to the disks of nodes, which have a fixed size. One that is too big is refused at import, or fails at
deployment with an error about disk space that says nothing of the image. Which size the documents mean they mostly do
not say; where they do it is the unpacked one, so that is what is compared.

Build in several stages and copy only what runs into the last one; leave package caches, compilers and test data out;
delete files in the step that makes them, since later steps only hide them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command.bases import image as made
from mooring.checks.rule import MUST, Example, rule
from mooring.checks.sizes import size
from mooring.contract import Finding
from mooring.contract.fact import GB
from mooring.contract.vocabulary import IMAGE_MAX_SIZE
from mooring.image import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition
    from mooring.image import Filesystem, Image

SHOWN = 8
STEP_WIDTH = 70


@rule(
    "IMG-SIZE-01",
    level=MUST,
    facts=(IMAGE_MAX_SIZE,),
    good=(Example("2 GB unpacked", image=made("serve", files={"/model/weights.bin": File(size=2 * GB)})),),
    bad=(Example("31 GB unpacked", image=made("serve", files={"/model/weights.bin": File(size=31 * GB)})),),
)
def image_too_big(image: Image, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """By all layers together, hidden files too: that is what a node must hold."""
    limit = edition[IMAGE_MAX_SIZE]
    if files.size > limit:
        yield Finding(
            message=f"the image is {size(files.size)} unpacked{stored(image)}\n{breakdown(files)}",
            expected=f"at most {edition.text(IMAGE_MAX_SIZE)}",
            document=edition.source(IMAGE_MAX_SIZE),
            hint=f"save at least {size(files.size - limit)}: build in several stages (COPY --from=build ...), "
            "and delete caches in the RUN that fills them",
            source="layers",
        )


def stored(image: Image) -> str:
    """What a registry stores of it, where that is known."""
    return f", {size(image.compressed_size)} as a registry stores it" if image.compressed_size else ""


def breakdown(files: Filesystem) -> str:
    """The biggest layers with the steps that made them, the biggest files, and what no one sees."""
    layers = sorted(enumerate(files.layers), key=lambda pair: -pair[1].unpacked)[:SHOWN]
    rows = ["biggest layers:"]
    rows += [f"  {size(one.unpacked):>9}  {number}: {_step(one.created_by)}" for number, one in layers if one.unpacked]
    rows += ["biggest files:", *(f"  {size(one.size):>9}  {one.path}" for one in files.largest(SHOWN) if one.size)]
    if files.hidden_bytes:
        rows.append(f"deleted or replaced by later layers, and still there: {size(files.hidden_bytes)}")
    return "\n".join(rows)


def _step(created_by: str) -> str:
    text = " ".join(created_by.removeprefix("/bin/sh -c").removeprefix(" #(nop)").split())
    return f"{text[:STEP_WIDTH]}..." if len(text) > STEP_WIDTH else text or "(its step is not known)"
