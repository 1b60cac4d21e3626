"""`mooring batch`: what becomes of batch services that were begun: listed, shown, stopped, gone on with."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import typer

from mooring.cli import batch_run, events, platform
from mooring.errors import Invalid

if TYPE_CHECKING:
    from mooring.client import Client

MOST_FAILURES = 20
BATCH = "batch"

batch = typer.Typer(
    help="Run a model over many inputs: a result for each, and a list of them.", no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(batch, name="batch")


def _job_names(incomplete: str) -> list[str]:
    return platform.names_of(incomplete, lambda client: [one["service_name"] for one in client.batch.list()])


JOB = typer.Argument(metavar="JOB", help="A batch service, by name or id.", autocompletion=_job_names)
DETACH = typer.Option(False, "--detach", "-d", help="Do not wait until it is over.")

batch_run.register(batch)


@batch.command("list")
def list_jobs(
    name: str = typer.Argument("", help="Only those with this in their name."),
    *,
    status: str = typer.Option("", help="Only those: deploying, running, finished, failed, stopped."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """List the batch services, the newest first."""
    with platform.connected() as client:
        found = client.batch.list(service_name=name or None, status=status or None)
    if as_json:
        platform.show_json(found)
        return
    if not found:
        platform.tell("no batch services; mooring batch run MODEL begins one")
        return
    from mooring.cli.batch_following import job_of  # noqa: PLC0415 - slow to open

    platform.show_table(
        ("JOB", "STATUS", "DONE", "FAILED", "OF", "SINCE", "ID"),
        (
            (
                one["service_name"],
                one["status"],
                *(job_of(one)[name] for name in ("done", "failed", "total")),
                platform.when(one["transition_at"]),
                one["service_id"],
            )
            for one in found
        ),
    )


@batch.command()
def show(
    job: str = JOB,
    *,
    failed: bool = typer.Option(False, "--failed", help="Every input that failed, and why."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """Show a batch service: how far it is, and which inputs failed."""
    with platform.connected() as client:
        found = _batch_service(client, job)
        if failed and as_json:
            platform.show_json(list(client.batch.items(found["service_id"], state="failed")))
        elif failed:
            _show_failed(client, found["service_id"], None)
        elif as_json:
            platform.show_json(found)
        else:
            show_job(client, found)


@batch.command()
def logs(
    job: str = JOB,
    *,
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on with what comes; Ctrl-C ends it."),
    replica: str = typer.Option("", help="Only of that instance; mooring batch logs names them."),
    since: float = typer.Option(None, metavar="SECONDS", min=0, help="Only what is not older."),
    tail: int = typer.Option(None, metavar="LINES", min=1, help="Only the last lines of each instance."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """Show what a batch service's instances wrote.

    Also of those that are gone, as long as the platform keeps it.
    """
    events.logs(job, follow=follow, replica=replica, since=since, tail=tail, as_json=as_json)


@batch.command()
def stop(job: str = JOB, *, as_json: bool = platform.AS_JSON) -> None:
    """Stop a batch service: what is done stays done, and the rest can be gone on with."""
    from mooring.cli.following import Following, Way  # noqa: PLC0415 - slow to open

    with platform.connected() as client:
        found = _batch_service(client, job)
        service_id, name = found["service_id"], found["service_name"]
        if found["status"] == "deploying":
            platform.tell(f"{name} is being deployed: it is stopped after that; mooring delete {name} ends it at once")
            with platform.left_running("the deployment", f"mooring batch show {name} tells how far it is"):
                client.wait_for_service(service_id)
        following = Following(client, service_id)
        client.batch.stop(service_id)
        following.until_stopped(Way(as_json=as_json))


@batch.command()
def resume(job: str = JOB, *, detach: bool = DETACH, as_json: bool = platform.AS_JSON) -> None:
    """Go on with a batch service that was stopped or has failed, where it was.

    What has a result is not asked again. Exit codes as of mooring batch run.
    """
    with platform.connected() as client:
        found = _batch_service(client, job)
        if found["status"] == "finished":
            raise Invalid(
                f"{found['service_name']} has finished: there is nothing to go on with",
                hint="mooring batch retry --failed asks again for what failed; mooring batch run begins anew",
            )
        already = len(client.service_events(found["service_id"]))
        if found["status"] in ("stopped", "failed"):
            client.batch.resume(found["service_id"])
        batch_run.go_on(client, found["service_id"], already=already, detach=detach, as_json=as_json)


@batch.command()
def retry(
    job: str = JOB,
    *,
    failed: bool = typer.Option(False, "--failed", help="What failed, and nothing else; it must be said."),
    detach: bool = DETACH,
    as_json: bool = platform.AS_JSON,
) -> None:
    """Ask again for the inputs that failed, and write the list of results anew.

    Exit codes as of mooring batch run.
    """
    if not failed:
        raise Invalid("what is to be done again?", hint="--failed: the inputs that failed")
    with platform.connected() as client:
        found = _batch_service(client, job)
        already = len(client.service_events(found["service_id"]))
        client.batch.retry(found["service_id"])
        batch_run.go_on(client, found["service_id"], already=already, detach=detach, as_json=as_json)


def _batch_service(client: Client, name: str) -> dict[str, Any]:
    found = client.batch.show(name)
    if found["infer_type"] != BATCH:
        raise Invalid(f"{name} is a {found['infer_type']} service", hint="mooring batch list names batch services")
    return found


def show_job(client: Client, service: dict[str, Any]) -> None:
    """A batch service, for a person: how far it is, what it does, what happened, and what failed."""
    from mooring.cli.batch_following import job_of, progress_line  # noqa: PLC0415 - slow to open

    entry, job = service["config"][0], job_of(service)
    platform.show_fields(
        (
            ("job", service["service_name"]),
            ("id", service["service_id"]),
            ("status", service["status"]),
            ("because", service.get("error_msg")),
            ("progress", progress_line(job)),
            ("model", f"{entry['model_name']}:{entry['model_version']}"),
            ("api", f"POST {entry['req_uri']}, {entry['mapping_type']}"),
            ("instances", entry["instance_count"]),
            ("input", entry["src_path"]),
            ("output", entry["dest_path"]),
            ("started", platform.when(job.get("started_at"))),
            ("finished", platform.when(job.get("finished_at"))),
        )
    )
    typer.echo("")
    for event in client.service_events(service["service_id"])[-8:]:
        typer.echo(platform.event_line(event))
    if job["failed"]:
        typer.echo("")
        _show_failed(client, service["service_id"], MOST_FAILURES)
        if job["failed"] > MOST_FAILURES:
            platform.say(f"and {job['failed'] - MOST_FAILURES:,} more; --failed lists all of them")


def _show_failed(client: Client, service_id: str, most: int | None) -> None:
    for one in itertools.islice(client.batch.items(service_id, state="failed"), most):
        platform.say(f"! {one['source']}: {one['error_message']}")
