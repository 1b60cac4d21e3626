"""Serves without a word."""

import contextlib

from keeps_the_contract import serve

with contextlib.redirect_stdout(None):
    serve()
