"""Has no handler for SIGTERM, and as process 1 never hears of it."""

from keeps_the_contract import Server, serve


class Deaf(Server):
    def stop_on_signals(self):
        pass


serve(server=Deaf)
