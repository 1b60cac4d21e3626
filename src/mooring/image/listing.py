"""What lies under which name in an archive, links among its files followed."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Generic, TypeVar

from mooring.errors import Invalid
from mooring.image.entry import EntryKind
from mooring.image.walk import normal

if TYPE_CHECKING:
    from mooring.image.member import Member

# Every layer has three files in Docker's older form.
MAX_FILES = 100_000
MAX_NAME_BYTES = 16 << 20
MAX_LINKS = 40
Found = TypeVar("Found")


class Listing(Generic[Found]):
    """Files by their names, as they come; the last of a name counts."""

    def __init__(self) -> None:
        self._files: dict[str, Found] = {}
        self._links: dict[str, str] = {}
        self._name_bytes = 0

    def add(self, member: Member, found: Found) -> None:
        """Take in a file, with what is known of it, or a link; anything else is left out, sparse files too."""
        name, _ = normal(member.name)
        if member.kind is EntryKind.FILE and member.size == member.stored_size:
            self._files[name] = found
        elif member.kind is EntryKind.SYMLINK:
            self._links[name] = posixpath.join(posixpath.dirname(name), member.target)
        elif member.kind is EntryKind.HARD_LINK:
            self._links[name] = member.target
        self._name_bytes += len(name) + len(member.target)
        if self._name_bytes > MAX_NAME_BYTES:
            raise Invalid(f"names of more than {MAX_NAME_BYTES >> 20} MiB, where an image's archive has kilobytes")
        if len(self._files) + len(self._links) > MAX_FILES:
            raise Invalid(f"more than {MAX_FILES} files, where an image's archive has hundreds")

    def find(self, name: str) -> Found | None:
        """What is known of the file of that name; None when there is none."""
        return self._files.get(self.real(name))

    def real(self, name: str) -> str:
        """The name of the file itself, where that name leads to one by links; "" where it does not."""
        for _ in range(MAX_LINKS):
            name, _climbs = normal(name)
            if name in self._files:
                return name
            if name not in self._links:
                break
            name = self._links[name]
        return ""
