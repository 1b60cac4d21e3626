"""Closes a connection that was idle for 5 seconds."""

from keeps_the_contract import Api, serve


class Impatient(Api):
    timeout = 5


serve(Impatient)
