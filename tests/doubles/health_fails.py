"""Works, and answers health with 500."""

from keeps_the_contract import Api, serve


class Ailing(Api):
    def health(self):
        self.answer(500, {"reason": "name 'model' is not defined"})


serve(Ailing)
