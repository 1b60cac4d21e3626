"""Projects with a `handler.py`: the class in it, and its methods as the APIs of `config.json` call them."""

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from mooring_serve.handler import BadInput, File, Handler
from mooring_serve.program import LoadError, Program


def load_handler(directory: Path, config: Dict[str, Any], batch: int) -> Program:
    """The program of a folder with a `handler.py`, set up.

    Raises:
        LoadError: it does not fit `config.json`.
        Exception: whatever the user's own code raises while loading.
    """
    sys.path.insert(0, str(directory))
    handler = _handler_class(_import(directory / "handler.py"))()
    program = HandlerProgram(handler, config["apis"], batch)
    handler.setup(directory / "model")
    return program


def _import(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("handler", str(file))
    if spec is None or spec.loader is None:
        raise LoadError(f"{file.name} is not readable")
    module = importlib.util.module_from_spec(spec)
    sys.modules["handler"] = module
    spec.loader.exec_module(module)
    return module


def _handler_class(module: Any) -> Callable[[], Handler]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Handler) and value.__module__ == module.__name__
    ]
    leaves = [one for one in found if not any(other is not one and issubclass(other, one) for other in found)]
    if len(leaves) == 1:
        return leaves[0]
    names = ", ".join(sorted(one.__name__ for one in leaves)) or "none"
    raise LoadError(
        f"handler.py must define one class that subclasses mooring_serve.Handler; it defines {names}. "
        "Write `from mooring_serve import Handler` and `class Model(Handler): ...`"
    )


class Method(NamedTuple):
    """A method of a handler as one API calls it."""

    name: str
    call: Callable[..., Any]
    required: Tuple[str, ...]
    accepted: Optional[Tuple[str, ...]]  # None: any name
    whole: bool  # takes the whole body as its one parameter `body`

    def arguments(self, value: Any, files: List[File]) -> Dict[str, Any]:
        """The keyword arguments of one call.

        Raises:
            BadInput: a field that the method needs was not sent.
        """
        if self.whole:
            if isinstance(value, dict):
                return {"body": {**value, **{file.field: file for file in files}}}
            return {"body": files[0] if files and value is None else value}
        if not isinstance(value, dict) and value is not None:
            raise BadInput(f"the body must be a JSON object with the fields {', '.join(self.required) or 'it names'}")
        fields = dict(value or {})
        fields.update((file.field, file) for file in files)
        missing = [name for name in self.required if name not in fields]
        if missing:
            came = ", ".join(sorted(map(str, fields))) or "nothing"
            raise BadInput(f"missing field {missing[0]!r}: expected {', '.join(self.required)}; got {came}")
        if self.accepted is not None:
            fields = {name: fields[name] for name in self.accepted if name in fields}
        return fields


class HandlerProgram(Program):
    """A project whose `handler.py` subclasses `Handler`."""

    def __init__(self, handler: Handler, apis: List[Dict[str, Any]], batch: int) -> None:
        self._handler = handler
        self._pre = getattr(handler, "pre", None)
        self._post = getattr(handler, "post", None)
        self._batch = getattr(handler, "predict_batch", None)
        if batch > 1 and self._batch is None:
            raise LoadError(
                f"MOORING_BATCH_SIZE is {batch}, but {type(handler).__name__} has no predict_batch(self, batch): "
                "write it, or leave MOORING_BATCH_SIZE at 1"
            )
        self._names = [method_name(handler, api) for api in apis]
        self._methods = [self._method(api, name) for api, name in zip(apis, self._names)]
        if self._batch is not None and (batch > 1 or not hasattr(handler, "predict")):
            self.batched = tuple(number for number, name in enumerate(self._names) if name == "predict")

    def run(self, api: int, value: Any, files: List[File]) -> Any:
        """The result of one call, through `pre` and `post` where the handler has them."""
        if self._names[api] != "predict":
            method = self._methods[api]
            return method.call(**method.arguments(value, files))
        prepared = self.prepare(api, value, files)
        predict: Callable[..., Any] = self._handler.predict  # type: ignore[attr-defined]
        result = predict(**prepared) if self._pre is None else predict(prepared)
        return result if self._post is None else self._post(result)

    def prepare(self, api: int, value: Any, files: List[File]) -> Any:
        """What `predict` is given for one call: its fields, or what `pre` makes of them."""
        arguments = self._methods[api].arguments(value, files)
        return arguments if self._pre is None else self._pre(**arguments)

    def run_batch(self, api: int, inputs: List[Any]) -> List[Any]:
        """The results of `predict_batch` (and `post`) for several calls; errors of single calls are among them."""
        del api  # only `predict` takes batches
        if self._batch is None:
            raise LoadError("there is no predict_batch")
        results = list(self._batch(inputs))
        if len(results) != len(inputs):
            raise ValueError(f"predict_batch got {len(inputs)} inputs and returned {len(results)} results")
        return results if self._post is None else [_posted(self._post, result) for result in results]

    def _method(self, api: Dict[str, Any], name: str) -> Method:
        called = self._pre if name == "predict" and self._pre is not None else getattr(self._handler, name, None)
        where = f"{api['method']} {api['url']}"
        if called is None and name == "predict" and self._batch is not None:
            return Method(name, self._batch, demanded(api), None, whole=False)
        if not callable(called):
            raise LoadError(
                f"config.json declares {where}, which needs the method {name!r} of {type(self._handler).__name__}: "
                f"write `def {name}(self, ...)`, or map the API in `apis = {{{where!r}: 'method'}}`"
            )
        return bound(name, called, where, declared(api))


def _posted(post: Callable[[Any], Any], result: Any) -> Any:
    if isinstance(result, BaseException):
        return result
    try:
        return post(result)
    except BaseException as error:  # noqa: BLE001 - the user's code may raise anything; it is this call's error
        return error


def method_name(handler: Handler, api: Dict[str, Any]) -> str:
    """The name of the method that answers an API: `apis` says it, or else the path: `/` predict, `/a/b` a_b."""
    url = api["url"]
    told = handler.apis.get(f"{api['method']} {url}") or handler.apis.get(url)
    name = "".join(char if char.isalnum() else "_" for char in url.strip("/")) or "predict"
    return told or name


def declared(api: Dict[str, Any]) -> Optional[Tuple[str, ...]]:
    """The names of the request's fields, None where config.json leaves them open."""
    properties = api["request"]["data"].get("properties")
    return tuple(properties) if properties else None


def demanded(api: Dict[str, Any]) -> Tuple[str, ...]:
    """The fields that must come: those that config.json requires, or else the files that it declares."""
    data = api["request"]["data"]
    files = (
        name
        for name, schema in data.get("properties", {}).items()
        if isinstance(schema, dict) and schema.get("type") == "file"
    )
    return tuple(data.get("required", files))


def bound(name: str, called: Callable[..., Any], where: str, fields: Optional[Tuple[str, ...]]) -> Method:
    """A method checked against the fields that its API declares, so that a slip is found before the first request."""
    parameters = inspect.signature(called).parameters.values()
    named = [one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    positional_only = [one.name for one in parameters if one.kind is one.POSITIONAL_ONLY]
    if positional_only:
        raise LoadError(f"{called.__name__} takes {positional_only[0]!r} by position only; fields come by name")
    anything = any(one.kind is one.VAR_KEYWORD for one in parameters)
    required = tuple(one.name for one in named if one.default is one.empty)
    if [one.name for one in named] == ["body"] and "body" not in (fields or ()):
        return Method(name, called, required, None, whole=True)
    unknown = [one for one in required if fields is not None and one not in fields]
    if unknown and fields is not None:
        raise LoadError(
            f"{called.__name__}(self, {', '.join(one.name for one in named)}) takes {unknown[0]!r}, but {where} in "
            f"config.json declares the fields {', '.join(fields)}: use the same names"
        )
    return Method(name, called, required, None if anything else tuple(one.name for one in named), whole=False)
