"""A thin typed client of the platform's REST API."""

from mooring.client.client import Client
from mooring.client.connection import Connection, default_data, login_file

__all__ = ["Client", "Connection", "default_data", "login_file"]
