"""What a rule knows how to put right in a project folder."""

from mooring.checks.mending.change import Change, apply, diff
from mooring.checks.mending.folder import changes

__all__ = ["Change", "apply", "changes", "diff"]
