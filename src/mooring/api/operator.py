"""Who runs the platform: the user `admin` of the project `default`, who alone makes projects and gateways' tokens."""

from mooring.api.platform import Platform
from mooring.control.keys import ADMIN, DEFAULT_PROJECT
from mooring.errors import Denied
from mooring.gateway.table import Principal


def is_admin(principal: Principal) -> bool:
    """Whether it is the user who gives out the keys of their project."""
    return principal.user_name == ADMIN


def is_operator(platform: Platform, principal: Principal) -> bool:
    """Whether it is the one who runs the platform."""
    return is_admin(principal) and platform.keys.project(principal.project_id).name == DEFAULT_PROJECT


def require_operator(platform: Platform, principal: Principal) -> None:
    """Denied (case `not-allowed`) for all others."""
    if not is_operator(platform, principal):
        raise Denied(
            f"{principal.user_name} does not run this platform",
            hint=f"the user {ADMIN} of the project {DEFAULT_PROJECT} does; use one of their tokens",
            case="not-allowed",
        )
