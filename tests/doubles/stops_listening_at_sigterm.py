"""Closes its port at SIGTERM, finishes what it has, and takes its time to end."""

import time

from keeps_the_contract import Server, serve


class Hasty(Server):
    def end(self, number):
        self.socket.close()
        time.sleep(6)
        super().end(number)


serve(server=Hasty)
