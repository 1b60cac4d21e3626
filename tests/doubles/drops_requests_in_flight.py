"""Exits at once on SIGTERM, whatever it is working on."""

import os
import time

from keeps_the_contract import Api, Server, serve


class Slow(Api):
    def predict(self, text):
        time.sleep(0.2)
        return super().predict(text)


class Rash(Server):
    def stop(self, number, frame):
        os._exit(0)


serve(Slow, Rash)
