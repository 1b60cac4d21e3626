"""A batch service at work, as a person sees it: a bar at a terminal, else a line now and then; and what came of it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from mooring.cli import platform

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID

    from mooring.client import Client

    Service = dict[str, Any]

LINE_SECONDS = 10.0
MINUTE, HOUR = 60, 3600
FINISHED, FAILED, STOPPED = "finished", "failed", "stopped"


def follow(client: Client, service_id: str, *, already: int = 0, as_json: bool = False) -> None:
    """Show how it goes until it is over, and what came of it; `already` is how many events it had before.

    typer.Exit(1) unless everything is done, (130) when Ctrl-C ends the watching.
    """
    name = client.service(service_id)["service_name"]
    phases = platform.Phases(already)
    with platform.left_running("the job", f"mooring batch show {name} tells how far it is"), Bar(name) as bar:

        def seen(service: Service) -> None:
            phases.show(client.service_events(service_id))
            bar.show(job_of(service))

        found = client.batch.wait(service_id, seen=seen)
    if as_json:
        platform.show_json(found)
    else:
        tell_end(client, found)
    if not is_done(found):
        raise typer.Exit(1)


def is_done(service: Service) -> bool:
    """Whether every input has a result."""
    return bool(service["status"] == FINISHED and not job_of(service)["failed"])


def job_of(service: Service) -> dict[str, Any]:
    """How far it is, all noughts before anything is known."""
    return {"total": 0, "done": 0, "failed": 0, "requests": 0, **(service.get("batch_progress") or {})}


def tell_end(client: Client, service: Service) -> None:
    """What came of it, and what to do about the rest."""
    name, status, job = service["service_name"], service["status"], job_of(service)
    if status == FAILED:
        platform.tell(f"{name} has failed: {service.get('error_msg') or 'see its events'}")
    elif status == STOPPED:
        platform.tell(f"{name} was stopped")
    platform.say(f"{name}: {progress_line(job)}; the results are in {service['config'][0]['dest_path']}")
    if job["failed"]:
        platform.tell(
            f"{job['failed']:,} of {job['total']:,} inputs failed; the first: {first_failure(client, service)}"
        )
    if status in (FAILED, STOPPED):
        platform.tell(f"  mooring batch resume {name} goes on from here; mooring batch logs {name} has what it wrote")
    elif job["failed"]:
        platform.tell(
            f"  mooring batch show {name} --failed lists them, mooring batch retry {name} --failed asks again"
        )


def first_failure(client: Client, service: Service) -> str:
    """The first input that failed, and why."""
    one = next(client.batch.items(service["service_id"], state="failed"), None)
    return f"{one['source']}: {one['error_message']}" if one else "unknown"


def progress_line(job: dict[str, Any]) -> str:
    """`1,200 of 2,000 done, 3 failed, 240 requests a second, 3 s left`, as far as it is known."""
    parts = [f"{job['done']:,} of {job['total']:,} done"]
    if job["failed"]:
        parts.append(f"{job['failed']:,} failed")
    if job.get("requests", 0) > job["done"] + job["failed"]:
        parts.append(f"{job['requests']:,} rows asked")
    if job.get("per_second") and not job.get("finished_at"):
        parts.append(f"{job['per_second']:,.0f} requests a second")
        if job.get("seconds_left") is not None:
            parts.append(f"{time_left(job['seconds_left'])} left")
    return ", ".join(parts)


def time_left(seconds: float) -> str:
    """`42 s`, `3 min`, `2 h 5 min`."""
    whole = int(seconds)
    if whole < 2 * MINUTE:
        return f"{whole} s"
    hours, minutes = divmod(whole // MINUTE, MINUTE)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class Bar:
    """How far a job is, on standard error: a bar at a terminal, else a line every ten seconds where it moved."""

    def __init__(self, name: str) -> None:
        self._name = platform.visible(name)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._told_at, self._told = time.monotonic(), ""
        if sys.stderr.isatty():
            text = TextColumn("{task.description}", markup=False)
            columns = (SpinnerColumn(), text, BarColumn(), TextColumn("{task.fields[line]}", markup=False))
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)

    def __enter__(self) -> Self:
        if self._progress:
            self._task = self._progress.add_task(self._name, total=None, line="")
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._progress:
            self._progress.stop()

    def show(self, job: dict[str, Any]) -> None:
        """The job as it is now; nothing before its first input is listed."""
        if not job["total"]:
            return
        line = progress_line(job)
        if self._progress and self._task is not None:
            # While there is no outcome yet, there may be more of the input to list.
            done = job["done"] + job["failed"]
            self._progress.update(self._task, completed=done, total=job["total"] if done else None, line=line)
        elif line != self._told and time.monotonic() - self._told_at >= LINE_SECONDS:
            self._told_at, self._told = time.monotonic(), line
            platform.tell(f"  {line}")
