"""The image, run once in a cage: what is done to it, and what was seen."""

from mooring.checks.trial.container import Trial
from mooring.checks.trial.server import ServerTrial

__all__ = ["ServerTrial", "Trial"]
