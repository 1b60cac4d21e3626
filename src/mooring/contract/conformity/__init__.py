"""What an edition has against a config.json that could be read: each breach with its place and the way out."""

from mooring.contract.conformity.document import breaches

__all__ = ["breaches"]
