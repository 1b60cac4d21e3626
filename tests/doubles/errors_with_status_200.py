"""Answers every mistake with status 200."""

from keeps_the_contract import Api, serve


class Polite(Api):
    def wrong(self, reason):
        self.answer(200, {"mnist_result": -1, "error": reason})


serve(Polite)
