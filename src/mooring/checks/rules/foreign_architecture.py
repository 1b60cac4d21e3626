"""The image is built for a processor and a system the platform has.

An image for another processor is pulled and then ends at once with "exec format error". It happens to images built on a
laptop with another processor than the nodes have.

Build for the nodes: `docker buildx build --platform linux/amd64 --provenance=false ...`, or linux/arm64 for Arm and
Ascend nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command.bases import image as made
from mooring.checks.evidence import NotAsked
from mooring.checks.rule import MUST, Example, rule
from mooring.contract import Finding, Level, edition
from mooring.contract.vocabulary import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition
    from mooring.image import ImageConfig

# The same processors as kernels and as images call them.
NAMES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}
# What nodes have unless something else is said of them.
USUAL = "x86_64"


@rule(
    "IMG-ARCH-01",
    level=MUST,
    facts=(ARCHITECTURES,),
    good=(Example("docker build --platform linux/amd64 .", image=made("serve"), edition=edition("otc-2024")),),
    bad=(
        Example(
            "docker build --platform linux/riscv64 .",
            image=made("serve", architecture="riscv64"),
            edition=edition("otc-2024"),
        ),
        Example("FROM mcr.microsoft.com/windows/nanoserver", image=made("serve", os="windows")),
    ),
)
def foreign_architecture(image_config: ImageConfig, edition: Edition) -> Iterator[Finding]:
    """The system is judged everywhere, the processor where the edition lists some; elsewhere a rare one is remarked."""
    if image_config.os not in ("", "linux"):
        yield Finding(
            message=f"the image is for {image_config.os}",
            expected="linux",
            hint="build it on a Linux base",
            source="architecture",
        )
        return
    name = NAMES.get(image_config.architecture, image_config.architecture)
    if name not in ("", USUAL) and ARCHITECTURES not in edition:
        yield Finding(
            level=Level.INFO,
            message=f"the image is for {image_config.architecture}; {edition.name} names no processors",
            expected="the processor of the nodes that it will run on",
            hint="docker buildx build --platform linux/amd64 --provenance=false -t NAME . where they are not Arm",
            source="architecture",
        )
        return
    known = edition[ARCHITECTURES]
    if not name:
        raise NotAsked("the image does not say which processor it is for")
    if name not in known:
        yield Finding(
            message=f"the image is for {image_config.architecture}",
            expected=f"one of {', '.join(known)}",
            document=edition.source(ARCHITECTURES),
            hint="docker buildx build --platform linux/amd64 --provenance=false -t NAME .",
            source="architecture",
        )
