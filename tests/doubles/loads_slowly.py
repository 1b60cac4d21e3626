"""Loads for some seconds before it listens, and declares that it needs none."""

import time

from keeps_the_contract import serve

print("loading", flush=True)
time.sleep(6)
serve()
