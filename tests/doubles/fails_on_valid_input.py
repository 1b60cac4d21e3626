"""Answers 500 to what config.json declares, and 400 to the rest."""

from keeps_the_contract import Api, serve


class Broken(Api):
    def predict(self, text):
        raise RuntimeError("no kernel image is available for execution on the device")

    def post(self):
        try:
            super().post()
        except RuntimeError as error:
            self.answer(500, {"reason": str(error)})


serve(Broken)
