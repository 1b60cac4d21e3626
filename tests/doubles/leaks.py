"""Keeps something of every call."""

from keeps_the_contract import Api, serve

KEPT = []


class Leaking(Api):
    def predict(self, text):
        KEPT.append(b"x" * (256 << 10))
        return super().predict(text)


serve(Leaking)
