"""What can go wrong, sorted by who can put it right."""

from __future__ import annotations


class MooringError(Exception):
    """Something a person can act on: what is, what was expected, and in `hint` what to do next.

    `case` names which of the cases that callers tell apart this is (`model-exists`), "" when it is none of them.
    """

    def __init__(self, message: str, *, hint: str = "", case: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.case = case


class Refused(MooringError):
    """The contract or a limit forbids it."""


class NotStated(Refused):
    """The edition is silent on the fact that was asked for."""


class Invalid(MooringError):
    """A file or a request is malformed; the message says where."""


class NotFound(MooringError):
    """What was named does not exist."""


class Conflict(MooringError):
    """It exists, but not in a state that allows this."""


class Denied(MooringError):
    """The caller is not allowed to do this."""


class Unavailable(MooringError):
    """The world is not answering; the same call may succeed later."""
