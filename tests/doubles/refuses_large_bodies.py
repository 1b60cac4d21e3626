"""Takes a megabyte, as nginx does unless it is told otherwise."""

from keeps_the_contract import Api, serve


class Small(Api):
    def post(self):
        if int(self.headers["Content-Length"]) > 1 << 20:
            self.close_connection = True
            self.answer(413, {"reason": "request entity too large"})
        else:
            super().post()


serve(Small)
