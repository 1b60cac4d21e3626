"""What anyone may read: whether the platform lives, and the page that shows what it can be asked."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import FileResponse, HTMLResponse, Response
from swagger_ui_bundle import swagger_ui_path

import mooring
from mooring.api.platform import Held
from mooring.errors import NotFound

router = APIRouter(tags=["platform"])
ASSETS = {
    "swagger-ui.css": "text/css",
    "index.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
# Scripts and styles of its own alone; its icons are images in its style sheet, and it asks this platform only.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Mooring</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/index.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """window.onload = () => {
  SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null});
};
"""


class Health(BaseModel):
    """A platform that answers."""

    status: str
    version: str
    edition: str


@router.get("/healthz", operation_id="ShowHealth")
async def health(platform: Held) -> Health:
    """Whether the platform answers."""
    return Health(status="ok", version=mooring.__version__, edition=platform.edition.name)


@router.get("/docs", include_in_schema=False)
async def page() -> Response:
    """The page about all operations."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": POLICY})


@router.get("/docs/{asset}", include_in_schema=False)
def asset(asset: str) -> Response:
    """What the page is made of."""
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "max-age=3600"}
    if asset == "start.js":
        return Response(_START, media_type="text/javascript", headers=headers)
    if asset not in ASSETS:
        raise NotFound(f"the page has no {asset[:50]!r}", case="page-unknown")
    return FileResponse(str(swagger_ui_path / asset), media_type=ASSETS[asset], headers=headers)
