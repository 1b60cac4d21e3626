"""Takes nearly all memory that there is, and stays there."""

import os

from keeps_the_contract import serve

HELD = bytearray(os.urandom(1 << 20)) * 585
serve()
