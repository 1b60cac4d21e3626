"""What the API stands on: a platform's parts, as its endpoints ask for them."""

from typing import TYPE_CHECKING, Annotated, Protocol

from fastapi import Depends, Path, Request

from mooring.contract import Edition
from mooring.gateway.identity import require_project
from mooring.gateway.table import Principal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Any

    from mooring.control.catalog import Catalog
    from mooring.control.clock import Clock
    from mooring.control.database import Database
    from mooring.control.gateways import Gateways
    from mooring.control.keys import Keys
    from mooring.control.services import Services
    from mooring.control.settings import Settings
    from mooring.control.story import Story
    from mooring.engine.workload import Usage

# Where in an ASGI scope the door leaves who calls.
PRINCIPAL = "mooring.principal"


class Logs(Protocol):
    """What replicas wrote."""

    def read(
        self,
        service_id: str,
        *,
        replica: str | None = None,
        since_ms: int | None = None,
        tail: int | None = None,
        follow: bool = False,
    ) -> "AsyncIterator[dict[str, Any]]":
        """Lines as {time, stream, text, replica}, oldest first."""
        ...


class Platform(Protocol):
    """The parts of a platform. All block but `gateways`, `logs` and `usage`, which are for the event loop."""

    @property
    def settings(self) -> "Settings":
        """How it was started; `listen` with the port that it really has."""
        ...

    @property
    def edition(self) -> Edition:
        """The edition it goes by."""
        ...

    @property
    def db(self) -> "Database":
        """Its rows."""
        ...

    @property
    def keys(self) -> "Keys":
        """Who may call."""
        ...

    @property
    def catalog(self) -> "Catalog":
        """Its models."""
        ...

    @property
    def services(self) -> "Services":
        """Its services."""
        ...

    @property
    def story(self) -> "Story":
        """What happened."""
        ...

    @property
    def gateways(self) -> "Gateways":
        """Control's side of the link to gateways."""
        ...

    @property
    def logs(self) -> Logs:
        """What its replicas wrote."""
        ...

    @property
    def clock(self) -> "Clock":
        """Its clock."""
        ...

    async def usage(self) -> "Mapping[str, Usage]":
        """What each replica uses, by its name, as it was measured within the last seconds."""
        ...


async def _platform(request: Request) -> Platform:
    found: Platform = request.app.state.platform
    return found


async def _caller(
    request: Request, project_id: Annotated[str, Path(description="The project's id, 32 hex digits.")]
) -> Principal:
    """Who calls, once it is sure that the key opens the project in the path. Denied (case `project-mismatch`)."""
    principal: Principal = request.scope[PRINCIPAL]
    require_project(principal, project_id)
    return principal


async def _member(request: Request) -> Principal:
    """Who calls, for paths without a project."""
    principal: Principal = request.scope[PRINCIPAL]
    require_project(principal, principal.project_id)
    return principal


Held = Annotated[Platform, Depends(_platform)]
Caller = Annotated[Principal, Depends(_caller)]
Member = Annotated[Principal, Depends(_member)]
