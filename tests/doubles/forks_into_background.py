"""Starts its server in the background and is done."""

import subprocess
import sys

subprocess.Popen((sys.executable, "-u", "/keeps_the_contract.py"))
print("started", flush=True)
