"""The name of the image leads to the image, not to a list of images.

BuildKit attaches a record of the build to what it pushes, which turns even an image for one platform into an OCI index.
Registries of such platforms have refused that with MANIFEST_INVALID, and imports have failed on it.

Push a plain manifest: `docker buildx build --provenance=false --sbom=false --platform linux/amd64 --push -t NAME .`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding, Level
from mooring.image import MemoryImage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image import Image

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
OCI = "application/vnd.oci.image.manifest.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
# Kinds of source whose bytes are what is pushed; an engine and its archives write manifests anew.
AS_PUSHED = ("registry", "layout", "memory")


@rule(
    "IMG-INDEX-01",
    level=SHOULD,
    good=(Example("docker buildx build --provenance=false ...", image=MemoryImage(media_type=DOCKER)),),
    bad=(
        Example(
            "docker buildx build --push ... (with its default attestations)",
            image=MemoryImage(media_type=INDEXES[0], platforms=("linux/amd64",)),
        ),
        Example(
            "docker buildx build --platform linux/amd64,linux/arm64 ...",
            image=MemoryImage(media_type=INDEXES[1], platforms=("linux/amd64", "linux/arm64")),
        ),
    ),
)
def index_not_manifest(image: Image) -> Iterator[Finding]:
    """By the media type of what the name leads to."""
    if image.kind not in AS_PUSHED:
        return
    if image.media_type in INDEXES:
        offered = ", ".join(image.platforms) or "platforms it does not name"
        yield Finding(
            message=f"{image.name} is an index ({image.media_type}) of {offered}",
            expected="one manifest for one platform; registries of this kind have refused indexes",
            hint="docker buildx build --provenance=false --sbom=false --platform linux/amd64 --push -t NAME .",
            source="manifest",
        )
    elif image.media_type == OCI and image.kind == "registry":
        yield Finding(
            level=Level.INFO,
            message=f"its manifest is of the OCI kind ({OCI})",
            expected=f"taken by most registries; a few older ones want {DOCKER}",
            hint="if the import refuses it: docker buildx build --output type=image,oci-mediatypes=false,push=true ...",
            source="manifest",
        )
