"""config.json as people write it becomes the clean form: what is mended, and what is said about it."""

from mooring.contract.mending.document import mend

__all__ = ["mend"]
