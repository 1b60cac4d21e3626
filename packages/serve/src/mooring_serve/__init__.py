"""The server inside a model image: what users write against, and nothing that needs more than the standard library.

A project's `handler.py` holds one subclass of `Handler`. The same names work in the project's own tests.
"""

from mooring_serve.handler import BadInput, ErrorResponse, File, Handler

__all__ = ["BadInput", "ErrorResponse", "File", "Handler"]
__version__ = "0.1.0"
