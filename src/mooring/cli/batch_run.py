"""`mooring batch run` and `mooring batch rule`: a model over inputs, and the rule by which rows become requests."""

from __future__ import annotations

import itertools
import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Any

import typer

from mooring.cli import platform

if TYPE_CHECKING:
    from mooring.cli.batch_wish import Way
    from mooring.client import Client

API = typer.Option("", "--api", metavar="URL", help="Which of the model's apis.  [default: the one that fits]")
NAME_CHARACTERS = 64


def register(batch: typer.Typer) -> None:
    """Add the verbs to the group."""
    batch.command()(run)
    batch.command()(rule)


def run(
    model: str = platform.MODEL,
    *,
    source: str = typer.Option(
        ..., "--input", metavar="PATH", help="A folder, or a .manifest that lists files; of the platform's machine."
    ),
    output: str = typer.Option(..., metavar="PATH", help="An empty folder, or one that is to be made."),
    api: str = API,
    mapping: str = typer.Option(
        "", metavar="file|csv", help="Each file a request, or each row of a table.  [default: what the api takes]"
    ),
    rule_file: Path = typer.Option(
        None, "--rule", metavar="FILE", help="Which cell becomes which value.  [default: one after the other]"
    ),
    instances: int = typer.Option(1, "--instances", "-n", min=1, help="How many share the work."),
    name: str = typer.Option("", help="What to call the service.  [default: MODEL-batch, with a number]"),
    env: list[str] = typer.Option([], "--env", "-e", metavar="KEY=VALUE", help="A variable of its instances."),
    flavor: str = typer.Option("", metavar="NAME", help="Size of an instance; mooring flavors lists them."),
    error_threshold: float = typer.Option(
        None, metavar="PERCENT", min=0, max=100, help="Give up when more than so many fail.  [default: never]"
    ),
    item_timeout: float = typer.Option(
        None, metavar="SECONDS", min=0.001, help="How long a request may take.  [default: 60]"
    ),
    concurrency: int = typer.Option(None, min=1, help="Requests that an instance gets at a time.  [default: 8]"),
    detach: bool = typer.Option(False, "--detach", "-d", help="Do not wait until it is over."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Show the first three requests, and begin nothing."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """Run a model over files or tables: a result for each, and a list of all of them.

    PATH is a path, file:///folder, obs://bucket/prefix or s3://bucket/prefix. What fails is noted, and the rest goes
    on. Exit code 0: all is done; 1: inputs failed, or the job did, and how many and why is shown. Ctrl-C leaves it
    running.

    For example: mooring batch run digits --input ./scans --output ./read -n 3
    """
    from mooring.cli import batch_wish  # noqa: PLC0415 - the rooms below are slow to open

    told = {"src_path": batch_wish.input_address(source), "dest_path": batch_wish.output_address(output)}
    chosen = None if rule_file is None else batch_wish.read_rule(rule_file)
    with platform.connected() as client:
        found = client.model(model)
        way = batch_wish.way_of(found, url=api, mapping=mapping, rule=chosen)
        _tell_left_out(way)
        if dry_run:
            _show_first(told["src_path"], way, as_json=as_json)
            return
        config = {"model_id": found["model_id"], "instance_count": instances, **told, **way.row()}
        config |= _sized(env, flavor)
        ours = {
            "error_threshold": error_threshold,
            "item_timeout_in_seconds": item_timeout,
            "concurrency": concurrency,
        }
        config |= {key: value for key, value in ours.items() if value is not None}
        made = client.batch.run(name or _free_name(client, found["model_name"]), config)
        go_on(client, made, detach=detach, as_json=as_json)


def rule(
    model: str = platform.MODEL,
    *,
    api: str = API,
    output: Path = typer.Option(None, "--output", "-o", metavar="FILE", help="Write it there, whole or not at all."),
) -> None:
    """Print the mapping rule of a model: which cell of a row becomes which value of a request.

    It is made from the schema of the request, one cell after the other; `index` counts from 0, and -1 leaves a value
    out. Change it, and hand it to mooring batch run --rule.
    """
    from mooring.cli import batch_wish  # noqa: PLC0415 - the rooms below are slow to open
    from mooring.cli.replacing import replace_file  # noqa: PLC0415 - the same

    with platform.connected() as client:
        way = batch_wish.way_of(client.model(model), url=api, mapping=batch_wish.CSV)
    text = json.dumps(way.rule, indent=2, ensure_ascii=False)
    if output is None:
        platform.show_json(way.rule)
    else:
        replace_file(output, f"{text}\n".encode())
        platform.say(f"{output}. Next: mooring batch run {model} --rule {output} --input PATH --output PATH")


def _sized(env: list[str], flavor: str) -> dict[str, Any]:
    from mooring.cli.running import pairs  # noqa: PLC0415 - slow to open

    told: dict[str, Any] = {"specification": flavor} if flavor else {}
    return told | ({"envs": pairs(env, "--env")} if env else {})


def _tell_left_out(way: Way) -> None:
    """A field that no cell goes to is easily a mistake."""
    from mooring.batch.mapping import Mapping  # noqa: PLC0415 - the room is slow to open

    if way.rule is not None and (left := Mapping(way.rule).left_out):
        platform.tell(f"  left out of the requests, as the rule gives them no cell: {', '.join(left)}")


def _show_first(source: str, way: Way, *, as_json: bool) -> None:
    from mooring.cli import batch_preview  # noqa: PLC0415 - the rooms below are slow to open

    requests = batch_preview.preview(source, way)
    if as_json:
        platform.show_json(requests)
    else:
        batch_preview.show(requests)
    if any("error" in one for one in requests):
        raise typer.Exit(1)


def _free_name(client: Client, model_name: str) -> str:
    """The model's name with what it is for, and a number where that is taken."""
    stem = f"{model_name[: NAME_CHARACTERS - 12]}-batch"
    taken = {one["service_name"] for one in client.services(service_name=stem)}
    names = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
    return next(one for one in names if one not in taken)


def go_on(client: Client, service_id: str, *, already: int = 0, detach: bool, as_json: bool) -> None:
    """Show a job until it is over, or, detached, only that it has begun; `already` is how many events it had before."""
    from mooring.cli import batch_following  # noqa: PLC0415 - slow to open

    if not detach:
        batch_following.follow(client, service_id, already=already, as_json=as_json)
        return
    service = client.service(service_id)
    if as_json:
        platform.show_json(service)
    else:
        name = service["service_name"]
        platform.say(f"{name} is {service['status']} ({service_id}); mooring batch show {name} tells how far it is")
