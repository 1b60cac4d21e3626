"""Says what is wrong and exits with a code of its own."""

import sys

print("no weights in /models: giving up", flush=True)
sys.exit(3)
