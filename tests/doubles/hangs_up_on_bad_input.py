"""Closes the connection on what it cannot read, as a worker does that dies of it and is replaced."""

from keeps_the_contract import Api, serve


class Rude(Api):
    def wrong(self, reason):
        self.close_connection = True


serve(Rude)
