"""Answers health with 204, as some frameworks do."""

from keeps_the_contract import Api, serve


class Terse(Api):
    def health(self):
        self.send_response(204)
        self.end_headers()


serve(Terse)
