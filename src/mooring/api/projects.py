"""Projects over REST; ours: the one who runs the platform makes them, and nothing of one is seen from another."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from mooring.api.leniency import said
from mooring.api.operator import is_operator, require_operator
from mooring.api.platform import Held, Member
from mooring.control.key_forms import ProjectView
from mooring.control.keys import ADMIN

router = APIRouter(prefix="/v1/projects", tags=["extensions"])


class ProjectBody(BaseModel):
    """A project to be."""

    name: Annotated[str, said(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class ProjectItem(BaseModel):
    """A project; `id` is what paths have."""

    id: str
    name: str
    domain_id: str
    domain_name: str
    created_at: int


class ProjectMade(ProjectItem):
    """A new project, and the token of its first user, `admin`, which is told this once."""

    token: str


class ProjectList(BaseModel):
    """Projects, by name."""

    total_count: int
    count: int
    projects: list[ProjectItem]


@router.post("", operation_id="CreateProject")
def create(member: Member, platform: Held, body: ProjectBody) -> ProjectMade:
    """Make a project, and the first token that opens it; for who runs the platform."""
    require_operator(platform, member)
    made = platform.keys.create_project(body.name)
    token = platform.keys.create_token(made.id, ADMIN, description="the project's first")
    return ProjectMade(**_item(made).model_dump(), token=token.secret)


@router.get("", operation_id="ListProjects")
def list_all(member: Member, platform: Held) -> ProjectList:
    """All projects, for who runs the platform; their own for everyone else."""
    everything = is_operator(platform, member)
    found = platform.keys.projects() if everything else (platform.keys.project(member.project_id),)
    return ProjectList(total_count=len(found), count=len(found), projects=[_item(one) for one in found])


def _item(view: ProjectView) -> ProjectItem:
    return ProjectItem(**{name: getattr(view, name) for name in ProjectItem.model_fields})
