"""What a worker runs: a loaded project, whatever way it is written. Standard library only, Python 3.8."""

from typing import Any, List, Tuple

from mooring_serve.handler import File


class LoadError(Exception):
    """The project cannot be loaded; the message says why, for the person who wrote it."""


class Program:
    """One loaded project: answers calls by the number of their API in `config.json`.

    Attributes:
        batched: the numbers of the APIs whose calls may come several at once.
    """

    batched: Tuple[int, ...] = ()

    def run(self, api: int, value: Any, files: List[File]) -> Any:
        """The result of one call; raises what the user's code raises."""
        raise NotImplementedError

    def prepare(self, api: int, value: Any, files: List[File]) -> Any:
        """What the model is given for one call."""
        raise NotImplementedError

    def run_batch(self, api: int, inputs: List[Any]) -> List[Any]:
        """The results of several calls to one API, given their `prepare`d inputs, in order.

        A result that is an exception is that call's error; what is raised concerns the batch as a whole.
        """
        raise NotImplementedError

    def batches(self, api: int) -> bool:
        """Whether this API's calls go through `run_batch`."""
        return api in self.batched
