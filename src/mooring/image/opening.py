"""From the files of an archive or a layout to the image in it: OCI's index.json, or Docker's manifest.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.errors import Invalid
from mooring.image.docker_form import DOCKER_MANIFEST_FILE, docker_image
from mooring.image.oci_form import OCI_INDEX_FILE, OciForm

if TYPE_CHECKING:
    from mooring.image.store import Opened, Store


def opened(store: Store, what: str, name: str = "") -> Opened:
    """The image in the store, the one of that name where there are several.

    Raises:
        Invalid: the store holds no image, several, or one that is damaged; `what` names the store.
        NotFound: none of that name.
    """
    if store.size(OCI_INDEX_FILE) is not None:
        return OciForm(store, what).image(name)
    if store.size(DOCKER_MANIFEST_FILE) is not None:
        return docker_image(store, what, name)
    raise Invalid(
        f"{what} holds no image: it has neither {OCI_INDEX_FILE} nor {DOCKER_MANIFEST_FILE}",
        hint="expected is what `docker save`, `podman save` or `buildah push ... oci:` writes",
    )
