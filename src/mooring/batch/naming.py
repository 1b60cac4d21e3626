"""What results are called: after their inputs, in folders as theirs, and never two alike."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from mooring.contract.vocabulary import BATCH_RESULT_DIR, BATCH_RESULT_FILE

if TYPE_CHECKING:
    from mooring.contract.edition import Edition

# Where an edition is silent, what all others say (modelarts_23_0067, inference-modelarts-0041).
_FOLDER, _PATTERN = "infer-result/", "{name}_result.txt"
# Of 255 bytes that file systems allow, what is left for the pattern and for telling names apart.
_PART_BYTES = 180
_DIGEST_BYTES = 8
# 4 MiB remember the names of a million inputs, of which one in a million is taken for another's.
_REMEMBERED_BITS = 1 << 25
_PROBES = 8
_WEIRD = re.compile(r"[\x00-\x1f\x7f]")


class ResultNames:
    """The names of one job's results, given out in the order of its items, and the same ones every time.

    An input in a folder below the input keeps its folders; the source in a manifest, which has none that are ours,
    keeps its last part. What would be called as another is, or cannot be a file's name, gets a mark made of its path.
    The memory needed does not grow: names that were given are remembered in a fixed number of bits, which at worst
    takes a new name for a known one, and then marks it without need.
    """

    def __init__(self, edition: Edition) -> None:
        self._folder = edition.get(BATCH_RESULT_DIR, _FOLDER)
        self._pattern = edition.get(BATCH_RESULT_FILE, _PATTERN)
        self._suffix = re.compile(re.escape(self._pattern.replace("{name}", "")) + r"(\.d)*$")
        self._given = bytearray(_REMEMBERED_BITS // 8)

    def give(self, path: str, *, index: int) -> str:
        """The name below the output for the input at a path below its folder, or with that name in a manifest.

        `infer-result/cats/a.png_result.txt` for `cats/a.png`. Of equal paths, the second is marked with its index.
        """
        *folders, base = path.split("/")
        mark = hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
        plain = [*folders, base]
        if all(_usable(part) for part in plain) and self._is_new(name := self._named(folders, base)):
            return name
        usable = [part for part in folders if _usable(part)]
        base = _cut(_WEIRD.sub("_", base)) or "input"
        tries = [f"{base}~{mark}", f"{base}~{mark}-{index}"]
        while not self._is_new(name := self._named(usable, tries[0])):
            tries = [*tries[1:], f"{tries[-1]}.1"]
        return name

    def _named(self, folders: list[str], base: str) -> str:
        # A folder that is called as a result is would be in the way of that result.
        kept = [f"{part}.d" if self._suffix.search(part) else part for part in folders]
        return self._folder + "/".join([*kept, self._pattern.replace("{name}", base)])

    def _is_new(self, name: str) -> bool:
        """Whether the name was certainly not given before; it is from now on."""
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4 * _PROBES).digest()
        new = False
        for start in range(0, len(digest), 4):
            bit = int.from_bytes(digest[start : start + 4], "little") % _REMEMBERED_BITS
            mask = 1 << (bit & 7)
            new = new or not self._given[bit >> 3] & mask
            self._given[bit >> 3] |= mask
        return new


def _usable(part: str) -> bool:
    """Whether the part can be one of a file's name anywhere."""
    return (
        part not in ("", ".", "..")
        and not part.startswith(".")
        and len(part.encode("utf-8", "surrogatepass")) <= _PART_BYTES
        and not _WEIRD.search(part)
    )


def _cut(base: str) -> str:
    data = base.lstrip(".").encode("utf-8", "replace")[: _PART_BYTES // 2]
    return data.decode("utf-8", "ignore")
