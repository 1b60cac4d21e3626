"""Answers 500 to what it cannot read."""

from keeps_the_contract import Api, serve


class Failing(Api):
    def wrong(self, reason):
        self.answer(500, {"reason": "TypeError"})


serve(Failing)
