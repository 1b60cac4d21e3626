"""Never answers what it cannot read."""

import time

from keeps_the_contract import Api, serve


class Hanging(Api):
    def wrong(self, reason):
        self.server.working.clear()
        time.sleep(600)


serve(Hanging)
