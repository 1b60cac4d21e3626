"""`mooring deploy` and `mooring update`: models as a service, and what that service is from now on."""

from __future__ import annotations

from typing import Any

import typer

from mooring.cli import platform
from mooring.cli.following import DETACH, Following, Way
from mooring.errors import Invalid

WHOLE = 100
# Of a model in a service, what a new version of it takes over.
KEPT = (
    "specification",
    "custom_spec",
    "instance_count",
    "envs",
    "deploy_timeout_in_seconds",
    "additional_properties",
)
MODELS = typer.Argument(
    None,
    metavar="MODEL[=WEIGHT]...",
    help="The models, as name:version, name or id; several with weights that add up to 100.",
    autocompletion=platform.model_names,
)
INSTANCES = typer.Option(None, "--instances", "-n", min=1, help="How many of each model.  [default: 1]")
FLAVOR = typer.Option(
    "", metavar="NAME", help="Size of an instance; mooring flavors lists them.  [default: modelarts.vm.cpu.2u]"
)
CPU = typer.Option(None, min=0.01, help="Processors of an instance, with --memory, in place of a flavor.")
AS_IT_IS = "  [default: as it is]"
INSTANCES_NOW = typer.Option(None, "--instances", "-n", min=1, help=f"How many of each model.{AS_IT_IS}")
FLAVOR_NOW = typer.Option("", metavar="NAME", help=f"Size of an instance; mooring flavors lists them.{AS_IT_IS}")
MEMORY = typer.Option("", metavar="SIZE", help="Memory of an instance, such as 512m or 2g.")
ENV = typer.Option([], "--env", "-e", metavar="KEY=VALUE", help="A variable of its instances. May be repeated.")
TIMEOUT = typer.Option(None, metavar="SECONDS", min=1, help="How long it may take to become ready.")
STOP_AFTER = typer.Option("", metavar="TIME", help="Stop it that long after it was started: 30m, 6h, 2d.")
DESCRIPTION = typer.Option(None, help="A word about it.")


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(deploy)
    app.command()(update)


def deploy(
    models: list[str] = MODELS,
    *,
    name: str = typer.Option("", help="What to call the service.  [default: the first model's name]"),
    instances: int = INSTANCES,
    flavor: str = FLAVOR,
    cpu: float = CPU,
    memory: str = MEMORY,
    env: list[str] = ENV,
    timeout: int = TIMEOUT,
    stop_after: str = STOP_AFTER,
    websocket: bool = typer.Option(False, "--websocket", help="Let WebSocket connections through; for good."),
    description: str = DESCRIPTION,
    detach: bool = DETACH,
    as_json: bool = platform.AS_JSON,
) -> None:
    """Deploy models as a real-time service.

    Waits until it answers, and tells what happens meanwhile. Exit code 1: it did not become ready, and why is shown.

    For example: mooring deploy mnist:1.0.0 --name digits -n 2
    """
    with platform.connected() as client:
        config = _config(models, instances, flavor, cpu, memory, env, timeout)
        if not config:
            raise Invalid("which model is to be deployed?", hint="mooring models lists them")
        fields: dict[str, Any] = {"description": description or ""}
        if stop_after:
            fields["schedule"] = [_schedule(stop_after)]
        if websocket:
            fields["additional_properties"] = {"websocket_upgrade": True}
        called = name or client.model(config[0]["model_id"])["model_name"]
        following = Following(client)
        following.until_running(client.deploy(called, config, **fields), Way(detach=detach, as_json=as_json))


def update(
    service: str = platform.SERVICE,
    models: list[str] = MODELS,
    *,
    instances: int = INSTANCES_NOW,
    flavor: str = FLAVOR_NOW,
    cpu: float = CPU,
    memory: str = MEMORY,
    env: list[str] = ENV,
    timeout: int = TIMEOUT,
    stop_after: str = STOP_AFTER,
    description: str = DESCRIPTION,
    detach: bool = DETACH,
    as_json: bool = platform.AS_JSON,
) -> None:
    """Change a service without losing a call.

    Other models or weights, more instances, another size, other variables: what is not named stays. A new model must
    become ready before it gets traffic; one that does not leaves the old one serving, with exit code 1.

    For example: mooring update digits mnist:2.0.0
    """
    with platform.connected() as client:
        following = Following(client, service)
        platform.require_real_time(following.before, "mooring batch run makes another one, with what it is to be")
        fields: dict[str, Any] = {}
        if description is not None:
            fields["description"] = description
        if stop_after:
            fields["schedule"] = [_schedule(stop_after)]
        if models or instances or flavor or cpu or memory or env or timeout:
            now = following.before["config"]
            config = _config(models or _as_words(now), instances, flavor, cpu, memory, env, timeout)
            fields["config"] = [_kept(one, now, client.model(one["model_id"])) for one in config]
        if not fields:
            raise Invalid("nothing is to be changed", hint="mooring update --help says what can be")
        client.update(following.service_id, **fields)
        # What is stopped stays so; the next start is with what it is now.
        goes_on = following.before["status"] == "stopped" or "config" not in fields
        following.until_running(following.service_id, Way(detach=detach or goes_on, as_json=as_json))


def _schedule(stop_after: str) -> dict[str, Any]:
    number, unit = platform.duration(stop_after, "--stop-after")
    return {"type": "stop", "time_unit": unit, "duration": number}


def _config(  # noqa: PLR0917 - as many as there are options
    models: list[str] | None,
    instances: int | None,
    flavor: str,
    cpu: float | None,
    memory: str,
    env: list[str],
    timeout: int | None,
) -> list[dict[str, Any]]:
    """`config` of the API, with what was asked for and nothing else."""
    from mooring.cli.running import pairs, size  # noqa: PLC0415 - slow to open

    if flavor and (cpu or memory):
        raise Invalid("--flavor and --cpu or --memory are two ways to say the size", hint="use either")
    if bool(cpu) != bool(memory):
        raise Invalid("--cpu and --memory belong together", hint="for example --cpu 2 --memory 4g")
    common: dict[str, Any] = {}
    if instances:
        common["instance_count"] = instances
    if flavor:
        common["specification"] = flavor
    if cpu:
        common |= {"specification": "custom", "custom_spec": {"cpu": cpu, "memory": max(size(memory) >> 20, 1)}}
    if env:
        common["envs"] = pairs(env, "--env")
    if timeout:
        common["deploy_timeout_in_seconds"] = timeout
    words = models or []
    return [{**_weighed(word, alone=len(words) == 1), **common} for word in words]


def _weighed(word: str, *, alone: bool) -> dict[str, Any]:
    """`mnist:2.0.0=10`; a model that is alone has all the traffic."""
    name, equals, weight = word.rpartition("=")
    if not equals:
        if not alone:
            raise Invalid(
                f"{word} has no weight", hint="with several models, each has one: mnist:1.0.0=90 mnist:2.0.0=10"
            )
        return {"model_id": word, "weight": WHOLE}
    if not weight.isascii() or not weight.isdigit() or int(weight) > WHOLE:
        raise Invalid(f"{word}: {weight!r} is not a weight", hint="a whole number from 0 to 100")
    return {"model_id": name, "weight": int(weight)}


def _as_words(config: list[dict[str, Any]]) -> list[str]:
    return [f"{one['model_id']}={one['weight']}" for one in config]


def _kept(wanted: dict[str, Any], now: list[dict[str, Any]], model: dict[str, Any]) -> dict[str, Any]:
    """What the service has of the same model, or else of an earlier version of it, where nothing else was asked for."""
    same = (
        [one for one in now if one["model_id"] == model["model_id"]]
        or [one for one in now if one["model_name"] == model["model_name"]]
        or now
    )
    before = {name: same[0][name] for name in KEPT if same and same[0].get(name)}
    if wanted.get("specification", "custom") != "custom":
        before.pop("custom_spec", None)
    return {**before, **wanted, "model_id": model["model_id"]}
