"""The start command is a server for production.

Flask's, Django's and other frameworks' own servers are for development: one request at a time, no limits, connections
closed after each answer. With debug or reload they load the model twice and run code that a visitor sends. As process
1 they have no handler for SIGTERM, which the kernel then drops.

`gunicorn -k gevent --keep-alive 200 -b 0.0.0.0:8080 app:app`, or for ASGI `uvicorn app:app --host 0.0.0.0 --port
8080`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command import server_of, start_command
from mooring.checks.command.bases import image
from mooring.checks.command.setting import PYTHONS_OWN
from mooring.checks.evidence import NotAsked
from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image import Filesystem, ImageConfig

_FLASK = "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(HOST, 8080{})\n"


@rule(
    "IMG-DEV-01",
    level=SHOULD,
    good=(Example("gunicorn -b 0.0.0.0:8080 app:app", image=image("gunicorn", "-b", "0.0.0.0:8080", "app:app")),),
    bad=(
        Example("flask run --port 8080", image=image("flask", "run", "--host=0.0.0.0", "--port=8080")),
        Example("app.run(port=8080)", image=image("python3", "/a.py", files={"/a.py": _FLASK.format("")})),
        Example("uvicorn app:app --reload", image=image("uvicorn", "app:app", "--reload")),
        Example(
            "python manage.py runserver 0.0.0.0:8080",
            image=image("python3", "manage.py", "runserver", "0.0.0.0:8080", files={"/manage.py": "import django\n"}),
        ),
    ),
)
def development_server(image_config: ImageConfig, files: Filesystem) -> Iterator[Finding]:
    """By the command, or by the call in the file that the command names."""
    start = start_command(image_config, files)
    server = server_of(start, files)
    if server is None:
        raise NotAsked("no server is recognised in the start command")
    if server.development:
        what = f"{server.kind}, with {server.development}" if server.development != server.kind else server.kind
        # It serves, if plainly: what it does wrong the running container shows.
        level = Level.INFO if server.kind == PYTHONS_OWN else Level.SHOULD
        yield Finding(
            level=level,
            message=f"{' '.join(start.program)} starts {what}" + (f" ({server.stated})" if server.stated else ""),
            expected="a server for production, without debug or reload",
            hint="gunicorn -k gevent --keep-alive 200 -b 0.0.0.0:8080 app:app (pip install gunicorn gevent)"
            if "uvicorn" not in server.kind
            else "uvicorn app:app --host 0.0.0.0 --port 8080, without --reload",
            source=start.place.source,
            line=start.place.line,
        )
