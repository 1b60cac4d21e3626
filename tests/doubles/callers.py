"""Callers of a service from a process of their own: so many calls a second until their input ends, then what they saw.

    python callers.py URL TOKEN_FILE CALLS_PER_SECOND

They keep to their pace whatever the answers: one that is late does not hold up the next. Prints `calling` after
the first answer, and at the end JSON: how many answers of each greeting, and the calls that failed.
"""

import collections
import http.client
import json
import pathlib
import sys
import threading
import time
import urllib.parse

CALLERS = 20
URL = urllib.parse.urlsplit(sys.argv[1])
HEADERS = {"X-Auth-Token": pathlib.Path(sys.argv[2]).read_text().strip(), "Content-Type": "application/json"}
EVERY_SECONDS = CALLERS / float(sys.argv[3])


class Callers:
    def __init__(self):
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.answers = collections.Counter()
        self.failed = []
        self.began = time.monotonic()

    def call(self, number):
        line = http.client.HTTPConnection(URL.hostname, URL.port, timeout=30)
        due = self.began + EVERY_SECONDS * number / CALLERS
        while not self.over.wait(max(0, due - time.monotonic())):
            try:
                line.request("POST", URL.path, b'{"text": "seven"}', HEADERS)
                answer = line.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.fail(repr(error))
                line.close()
            else:
                if answer.status != 200:
                    self.fail(f"{answer.status} {answer.getheader('X-Mooring-Error-Source')} {body[:200]!r}")
                else:
                    self.succeed(json.loads(body).get("greeting", ""))
            due += EVERY_SECONDS

    def succeed(self, greeting):
        with self.lock:
            if not self.answers:
                print("calling", flush=True)
            self.answers[greeting] += 1

    def fail(self, why):
        self.failed.append(f"after {time.monotonic() - self.began:.2f} s: {why}")


callers = Callers()
threads = [threading.Thread(target=callers.call, args=(number,)) for number in range(CALLERS)]
for thread in threads:
    thread.start()
sys.stdin.read()
callers.over.set()
for thread in threads:
    thread.join()
seconds = time.monotonic() - callers.began
print(json.dumps({"answers": callers.answers, "failed": callers.failed, "seconds": seconds}), flush=True)
