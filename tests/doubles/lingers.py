"""Goes on serving for a minute after SIGTERM, as an upgrade without interruption wants it."""

from keeps_the_contract import Server, serve


class Lingering(Server):
    linger_seconds = 61


serve(server=Lingering)
