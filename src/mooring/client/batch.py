"""Batch services as Python sees them: begun, watched until they are over, gone on with, what failed done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mooring.client.client import Client

OVER = frozenset({"finished", "failed", "stopped"})


class BatchServices:
    """The batch services of one platform; `mooring.Client.batch`. They are named by their id or their name.

    How far one is says `batch_progress` of what `show` gives: `total`, `done` and `failed` inputs, `requests` (one for
    a file, one for each row of a table), `per_second`, `seconds_left`. Errors are those of the Client.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def run(self, name: str, config: Mapping[str, Any], **fields: Any) -> str:
        """Begin a batch service; its id. `config` is the one of CreateService, with its model by any name.

        It has `src_path`, `dest_path`, `req_uri`, `mapping_type` (`file` or `csv`), and with csv a `mapping_rule`.
        """
        return self._client.deploy(name, [config], infer_type="batch", **fields)

    def list(self, **query: Any) -> list[dict[str, Any]]:
        """Every batch service that matches, the newest first."""
        return self._client.services(infer_type="batch", **query)

    def show(self, name: str) -> dict[str, Any]:
        """One batch service, with all that is known of it."""
        return self._client.service(name)

    def wait(self, name: str, *, seen: Callable[[dict[str, Any]], None] = lambda _: None) -> dict[str, Any]:
        """The service once it has finished, failed or stopped; `seen` is called with each state in between."""
        return self._client.wait_for_service(name, seen=seen, over=lambda one: one["status"] in OVER)

    def stop(self, name: str) -> None:
        """Begin no more inputs, and let the instances go; what is done stays done."""
        self._client.stop(name)

    def resume(self, name: str) -> None:
        """Go on where a service was stopped or failed. One that has finished begins anew."""
        self._client.start(name)

    def retry(self, name: str) -> None:
        """Have the inputs that failed done again, and the list of results written anew."""
        path = f"/v1/{{project}}/services/{self._client.service_id(name)}/batch/retry"
        self._client.connection.send("POST", path)

    def items(self, name: str, *, state: str = "") -> Iterator[dict[str, Any]]:
        """The inputs in their order, and what became of each; `state` is pending, done, failed, or "" for all."""
        path = f"/v1/{{project}}/services/{self._client.service_id(name)}/batch/items"
        return self._client.pages(path, "items", {"state": state or None})
