"""Works, and knows nothing of a health url."""

from keeps_the_contract import Api, serve


class Bare(Api):
    def health(self):
        self.answer(404, {"reason": "Not Found"})


serve(Bare)
