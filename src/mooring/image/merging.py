"""From layers as read to the files of the image: sizes, oddities and the tree, oldest layer first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.errors import Invalid
from mooring.image.entry import LayerSize, Oddity
from mooring.image.filesystem import Filesystem
from mooring.image.record import MAX_ODDITIES
from mooring.image.tree import Tree

if TYPE_CHECKING:
    from mooring.image.image import Layer
    from mooring.image.record import LayerRecord


class Merging:
    """Layers are laid on top of each other as soon as it is their turn, so that few records wait in memory."""

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        self._layers = layers
        self._tree = Tree()
        self._sizes: list[LayerSize] = []
        self._oddities: list[Oddity] = []
        self._waiting: dict[int, tuple[LayerRecord, int]] = {}

    def add(self, number: int, record: LayerRecord, stored: int) -> None:
        """Take the layer of that number, read from `stored` bytes, in any order."""
        self._waiting[number] = record, stored
        while len(self._sizes) in self._waiting:
            self._lay(*self._waiting.pop(len(self._sizes)))

    def _lay(self, record: LayerRecord, stored: int) -> None:
        number = len(self._sizes)
        layer = self._layers[number]
        try:
            self._tree.lay(record)
        except Invalid as error:
            raise Invalid(f"layer {number + 1} of {len(self._layers)}: {error.message}", hint=error.hint) from None
        room = max(MAX_ODDITIES + 1 - len(self._oddities), 1)
        self._oddities += record.oddities_of(number)[-room:]
        self._sizes.append(
            LayerSize(
                digest=layer.digest,
                stored=stored,
                unpacked=record.unpacked,
                entries=len(record),
                created_by=layer.created_by,
            )
        )

    def filesystem(self) -> Filesystem:
        """What all the layers add up to; every one was added."""
        return Filesystem(self._tree, self._sizes, self._oddities)
