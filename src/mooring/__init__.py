"""Mooring makes, checks and runs model images that keep the image contract."""

__version__ = "0.1.0"
