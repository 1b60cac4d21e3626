"""Folders for mounts are empty in the image.

What is mounted over a folder hides what the image has in it: weights that were copied there are gone once storage is
mounted. A VOLUME over files makes an engine copy them at each start.

Mount to a new folder of its own, such as /obs-mount, and keep the image's files elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command.bases import image
from mooring.checks.rule import INFO, Example, rule
from mooring.checks.sizes import size
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import MOUNT_FOLDER
from mooring.image import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig

_OTC = edition("otc-2024")


@rule(
    "IMG-MNT-01",
    level=INFO,
    facts=(MOUNT_FOLDER,),
    good=(Example("COPY model /home/app/model", image=image("a", files={"/home/app/model/w": b"1"}), edition=_OTC),),
    bad=(
        Example("COPY model /obs-mount/model", image=image("a", files={"/obs-mount/model/w": b"1"}), edition=_OTC),
        Example("VOLUME /model over weights", image=image("a", files={"/model/w": b"1"}, volumes=("/model",))),
    ),
)
def mount_hides_files(image_config: ImageConfig, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """The folder the documents propose, and every VOLUME, if there are files in it."""
    proposed = edition.get(MOUNT_FOLDER, "")
    folders = {folder.rstrip("/"): "a VOLUME" for folder in image_config.volumes if folder.rstrip("/")}
    if proposed:
        folders.setdefault(proposed.rstrip("/"), "the folder that the documents propose for mounts")
    if not folders:
        return
    found = dict.fromkeys(folders, (0, 0))
    for entry in files.entries():
        for folder in folders:
            if entry.kind is EntryKind.FILE and entry.path.startswith(folder + "/"):
                count, total = found[folder]
                found[folder] = (count + 1, total + entry.size)
    for folder, (count, total) in found.items():
        if count:
            yield Finding(
                message=f"{folder} is {folders[folder]}, and {count} files ({size(total)}) of the image lie there",
                expected="an empty folder, or none",
                document=edition.source(MOUNT_FOLDER) if folder == proposed.rstrip("/") else "",
                hint="keep them in another folder, such as /home/app",
                source=folder,
            )
