"""Logging in as clients of that cloud do, and what they ask before anything else (its identity service, /v3)."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from mooring.api.addresses import base_url
from mooring.api.login_forms import LoginBody
from mooring.api.platform import Held, Member
from mooring.control.key_forms import Login, ProjectView

router = APIRouter(prefix="/v3", tags=["identity"])
TOKEN_HEADER = "X-Subject-Token"  # noqa: S105 - a header's name


class Named(BaseModel):
    """A thing by its id and its name."""

    id: str
    name: str


class Within(Named):
    """A thing of a domain."""

    domain: Named


class Endpoint(BaseModel):
    """Where a service of the catalog is reached."""

    id: str
    interface: str
    region: str
    region_id: str
    url: str


class CatalogEntry(BaseModel):
    """One service of the catalog."""

    id: str
    type: str
    name: str
    endpoints: list[Endpoint]


class TokenShown(BaseModel):
    """A session; its token is in the header X-Subject-Token."""

    expires_at: str
    issued_at: str
    methods: list[str]
    catalog: list[CatalogEntry]
    project: Within
    user: Within
    roles: list[Named]


class LoggedIn(BaseModel):
    """The answer to a login."""

    token: TokenShown


class ProjectShown(BaseModel):
    """A project, as the identity service shows it."""

    id: str
    name: str
    domain_id: str
    parent_id: str
    description: str
    enabled: bool
    is_domain: bool
    links: dict[str, str]


class Projects(BaseModel):
    """The projects that the caller's key opens."""

    projects: list[ProjectShown]
    links: dict[str, str | None]


class DomainShown(BaseModel):
    """A domain, as the identity service shows it."""

    id: str
    name: str
    description: str
    enabled: bool
    links: dict[str, str]


class Domains(BaseModel):
    """The domains that the caller's key opens."""

    domains: list[DomainShown]
    links: dict[str, str | None]


class ServiceOfCatalog(Named):
    """One service of the catalog, without its endpoints."""

    type: str
    enabled: bool
    links: dict[str, str]


class CatalogServices(BaseModel):
    """The services of the catalog."""

    services: list[ServiceOfCatalog]
    links: dict[str, str | None]


class EndpointShown(Endpoint):
    """An endpoint, and which service's it is."""

    service_id: str
    enabled: bool
    links: dict[str, str]


class Endpoints(BaseModel):
    """The endpoints of the catalog's services."""

    endpoints: list[EndpointShown]
    links: dict[str, str | None]


_CREATED: dict[int | str, dict[str, Any]] = {
    201: {"headers": {TOKEN_HEADER: {"description": "The token.", "schema": {"type": "string"}}}}
}


@router.post("/auth/tokens", status_code=201, operation_id="CreateToken", responses=_CREATED)
def log_in(platform: Held, body: LoginBody, request: Request, response: Response) -> LoggedIn:
    """A session of 24 hours: its token is in the header X-Subject-Token."""
    login = platform.keys.login(body.who(), **body.into())
    response.headers[TOKEN_HEADER] = login.token
    return LoggedIn(token=_shown(login, base_url(platform.settings, request)))


@router.get("/projects", operation_id="ListIdentityProjects")
def projects(member: Member, platform: Held, request: Request, name: str = "") -> Projects:
    """The project that the key opens, if it has that name."""
    mine = platform.keys.project(member.project_id)
    base = base_url(platform.settings, request)
    found = [_project(mine, base)] if name in ("", mine.name) else []
    return Projects(projects=found, links=_links(f"{base}/v3/projects"))


@router.get("/auth/projects", operation_id="ListAuthProjects")
def auth_projects(member: Member, platform: Held, request: Request) -> Projects:
    """The project that the key opens."""
    return projects(member, platform, request)


@router.get("/auth/domains", operation_id="ListAuthDomains")
def domains(member: Member, platform: Held, request: Request, name: str = "") -> Domains:
    """The domain of the project that the key opens."""
    mine = platform.keys.project(member.project_id)
    base = base_url(platform.settings, request)
    shown = DomainShown(
        id=mine.domain_id,
        name=mine.domain_name,
        description="",
        enabled=True,
        links={"self": f"{base}/v3/domains/{mine.domain_id}"},
    )
    return Domains(domains=[shown] if name in ("", mine.domain_name) else [], links=_links(f"{base}/v3/auth/domains"))


@router.get("/services", operation_id="ListCatalogServices")
def services(member: Member, platform: Held, request: Request) -> CatalogServices:
    """The services of the catalog."""
    base = base_url(platform.settings, request)
    entries = _catalog(platform.keys.project(member.project_id), base)
    told = [
        ServiceOfCatalog(
            id=one.id, name=one.name, type=one.type, enabled=True, links={"self": f"{base}/v3/services/{one.id}"}
        )
        for one in entries
    ]
    return CatalogServices(services=told, links=_links(f"{base}/v3/services"))


@router.get("/endpoints", operation_id="ListCatalogEndpoints")
def endpoints(member: Member, platform: Held, request: Request) -> Endpoints:
    """Where the services of the catalog are reached: here."""
    base = base_url(platform.settings, request)
    told = [
        EndpointShown(
            **one.model_dump(), service_id=entry.id, enabled=True, links={"self": f"{base}/v3/endpoints/{one.id}"}
        )
        for entry in _catalog(platform.keys.project(member.project_id), base)
        for one in entry.endpoints
    ]
    return Endpoints(endpoints=told, links=_links(f"{base}/v3/endpoints"))


def _shown(login: Login, base: str) -> TokenShown:
    domain = Named(id=login.project.domain_id, name=login.project.domain_name)
    user = login.key.user_name
    return TokenShown(
        expires_at=_time(login.key.expires_at or login.key.created_at),
        issued_at=_time(login.key.created_at),
        methods=[login.method],
        catalog=_catalog(login.project, base),
        project=Within(id=login.project.id, name=login.project.name, domain=domain),
        user=Within(id=_id("user", login.project.id, user), name=user, domain=domain),
        roles=[Named(id=_id("role"), name="te_admin")],
    )


def _catalog(project: ProjectView, base: str) -> list[CatalogEntry]:
    urls = {("modelarts", "modelarts"): f"{base}/v1/{project.id}", ("iam", "identity"): f"{base}/v3"}
    return [
        CatalogEntry(
            id=_id("service", name),
            name=name,
            type=kind,
            endpoints=[
                Endpoint(
                    id=_id("endpoint", name),
                    interface="public",
                    region=project.name,
                    region_id=project.name,
                    url=url,
                )
            ],
        )
        for (name, kind), url in urls.items()
    ]


def _project(view: ProjectView, base: str) -> ProjectShown:
    return ProjectShown(
        id=view.id,
        name=view.name,
        domain_id=view.domain_id,
        parent_id=view.domain_id,
        description="",
        enabled=True,
        is_domain=False,
        links={"self": f"{base}/v3/projects/{view.id}"},
    )


def _links(url: str) -> dict[str, str | None]:
    return {"self": url, "next": None, "previous": None}


def _id(*parts: str) -> str:
    """An id that is always the same for the same thing, in the form that ids have there."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
