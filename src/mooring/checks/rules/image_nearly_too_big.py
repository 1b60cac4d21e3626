"""The image stays clear of the size limit.

Documents say "30 GB" and mean powers of 1000 or of 1024; and a model is retrained, packages grow. An image close to the
limit passes today and is refused with the next version.

Take what need not be in the image out of it while there is time: caches, compilers, second copies of weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command.bases import image as made
from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.rules.image_too_big import breakdown, stored
from mooring.checks.sizes import size
from mooring.contract import Finding
from mooring.contract.fact import GB
from mooring.contract.vocabulary import IMAGE_MAX_SIZE
from mooring.image import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition
    from mooring.image import Filesystem, Image

CLOSE_PERCENT = 90


@rule(
    "IMG-SIZE-02",
    level=SHOULD,
    facts=(IMAGE_MAX_SIZE,),
    good=(Example("20 GB unpacked", image=made("serve", files={"/model/weights.bin": File(size=20 * GB)})),),
    bad=(Example("28 GB unpacked", image=made("serve", files={"/model/weights.bin": File(size=28 * GB)})),),
)
def image_nearly_too_big(image: Image, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """From nine tenths of the limit on; what is over it, IMG-SIZE-01 tells."""
    limit = edition[IMAGE_MAX_SIZE]
    if limit * CLOSE_PERCENT <= files.size * 100 <= limit * 100:
        yield Finding(
            message=f"the image is {size(files.size)} unpacked{stored(image)}, {files.size * 100 // limit} % of "
            f"what is allowed\n{breakdown(files)}",
            expected=f"well below {edition.text(IMAGE_MAX_SIZE)}",
            document=edition.source(IMAGE_MAX_SIZE),
            hint="look at the biggest files above: what is not read when serving need not be in the image",
            source="layers",
        )
