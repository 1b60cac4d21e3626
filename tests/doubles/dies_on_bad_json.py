"""Ends when it cannot read a request."""

import os

from keeps_the_contract import Api, serve


class Fragile(Api):
    def wrong(self, reason):
        print("fatal:", reason, flush=True)
        os._exit(1)


serve(Fragile)
