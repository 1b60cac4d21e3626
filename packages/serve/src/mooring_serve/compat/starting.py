"""How a service is constructed, and when it is ready for its first request."""

from __future__ import annotations

import inspect
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from mooring_serve.compat import importing
from mooring_serve.compat.engines import ENGINES, Engine
from mooring_serve.compat.metrics import MetricsManager
from mooring_serve.compat.package import Package, PackageError

if TYPE_CHECKING:
    from mooring_serve.compat.services.base import SingleNodeService

MODEL_NAME = "serve"  # the platform's default
# A package that loads in a thread means the platform's start limit, not its first callers: they wait here instead.
# A thread that is still alive then is taken for a watcher, which runs as long as the service.
BACKGROUND_SECONDS = 120.0


def started(package: Package, service_class: type[SingleNodeService]) -> SingleNodeService:
    """An instance, with all it loads in the background loaded.

    Raises:
        PackageError: its weights are not there, or it raised while it loaded.
    """
    engine = package.engine or _engine_by_base(service_class)
    arguments = _arguments(service_class, package, engine)
    MetricsManager.register(MODEL_NAME)
    before = set(threading.enumerate())
    failed: list[BaseException] = []
    usual, threading.excepthook = threading.excepthook, lambda call: failed.append(call.exc_value or SystemExit())
    try:
        service = service_class(*arguments)
        _wait(set(threading.enumerate()) - before)
        service.prepare()
    except PackageError:
        raise
    except (Exception, SystemExit) as error:
        raise importing.told(error, package, f"starting {service_class.__name__}") from error
    finally:
        threading.excepthook = usual
        sys.stdout.flush()  # some packages replace it by a stream that buffers
    if failed:
        raise importing.told(failed[0], package, f"loading {service_class.__name__} in the background") from failed[0]
    return service


def _engine_by_base(service_class: type[SingleNodeService]) -> Engine | None:
    bases = {one.__name__ for one in service_class.__mro__}
    return next((one for one in ENGINES if one.base in bases - {"SingleNodeService"}), None)


def _arguments(service_class: type[SingleNodeService], package: Package, engine: Engine | None) -> tuple[Any, ...]:
    """The constructor's arguments, in the first of the known forms that it takes."""
    weights = str(package.weights(engine))
    named, bare = (MODEL_NAME, weights), (weights,)
    forms: list[tuple[Any, ...]] = [bare, named] if engine and engine.text else [named, bare]
    signature = inspect.signature(service_class)
    for form in forms:
        try:
            signature.bind(*form)
        except TypeError:
            continue
        return form
    usual = "(self, model_path)" if engine and engine.text else "(self, model_name, model_path)"
    raise PackageError(f"{service_class.__name__}.__init__ takes {signature}, the platform calls it as {usual}")


def _wait(threads: set[threading.Thread]) -> None:
    until = time.monotonic() + BACKGROUND_SECONDS
    for thread in threads:
        if not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))
