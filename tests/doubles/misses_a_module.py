"""Imports a package that nobody installed."""

import flask  # noqa: F401 - that it is missing is the point
