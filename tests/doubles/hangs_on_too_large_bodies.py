"""Takes what the gateway lets through, and stops reading in the middle of what is larger."""

import time

from keeps_the_contract import Api, serve


class Stuck(Api):
    def post(self):
        if int(self.headers["Content-Length"]) > 12 << 20:
            self.server.working.clear()
            time.sleep(600)
        super().post()


serve(Stuck)
