"""Knows /predict, and not what config.json declares."""

from keeps_the_contract import Api, serve


class Elsewhere(Api):
    def post(self):
        if self.path == "/predict":
            super().post()
        else:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(404, {"reason": "Not Found"})


serve(Elsewhere)
