"""Pickles in files: what they would import and call if they were loaded, found without loading them."""

from mooring.checks.scanning.pickles.policy import Policy
from mooring.checks.scanning.pickles.verdict import PickleScan

__all__ = ["PickleScan", "Policy"]
