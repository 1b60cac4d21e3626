"""Says that it is well from the first moment on, and answers 503 to requests while it still loads."""

import time

from keeps_the_contract import Api, serve

READY = time.monotonic() + 4


class Loading(Api):
    def post(self):
        if time.monotonic() > READY:
            super().post()
        else:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(503, {"reason": "loading the model"})


serve(Loading)
