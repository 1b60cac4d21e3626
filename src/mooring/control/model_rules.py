"""What CreateModel allows, as far as it can be told without looking at the image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mooring.contract import ModelConfig, vocabulary
from mooring.contract.mending.document import MODEL_TYPES
from mooring.contract.names import did_you_mean, folded
from mooring.control.combining import combined
from mooring.control.texts import is_text
from mooring.errors import Invalid, MooringError, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mooring.contract import Edition
    from mooring.control.model_views import ModelWish

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Huawei Cloud takes Chinese characters too; OTC does not (CreateModel).
NAME_OF_HUAWEI = re.compile(r"[A-Za-z0-9_一-鿿-]{1,64}")
# The documents disagree on whether a part may be 0; the console's own first version is 0.0.1.
VERSION = re.compile(r"(?:0|[1-9][0-9]?)(?:\.(?:0|[1-9][0-9]?)){2}")
DESCRIPTION_CHARACTERS = 100
FORBIDDEN_IN_DESCRIPTION = "&!'\"<>="
INSTALL_TYPES = {"realtime": "real-time", "batch": "batch"}
MOST_DOCS = 3
DOC_NAME = re.compile(r"[A-Za-z][^\x00-\x1f]{0,47}")
IMAGE_TYPES = ("Image", "Custom")


@dataclass(frozen=True, kw_only=True)
class Admissible:
    """A wish in the contract's own spelling; `config` is the clean form of `initial_config`, None when that is ""."""

    model_type: str
    install_type: tuple[str, ...]
    initial_config: str
    config: dict[str, Any] | None

    @property
    def is_image(self) -> bool:
        """Whether it is an image, and not the package of an engine."""
        return self.model_type in IMAGE_TYPES


def admissible(wish: ModelWish, edition: Edition) -> Admissible:
    """The wish, if it keeps the rules of CreateModel.

    Raises:
        Invalid: `model-parameter`, `parameter-required`, `config-invalid`.
        Refused: `unsupported`, for a Template.
    """
    for what in ("description", "workspace_id", "source_location", "initial_config"):
        _require_text(what, getattr(wish, what))
    _require_name(wish.model_name, edition)
    _require(VERSION.fullmatch(wish.model_version), "model_version", wish.model_version, "d.d.d, each part 0 to 99")
    strange = sorted(set(wish.description) & set(FORBIDDEN_IN_DESCRIPTION))
    if len(wish.description) > DESCRIPTION_CHARACTERS or strange:
        what = f"has {' '.join(strange)}" if strange else f"has {len(wish.description)} characters"
        raise Invalid(
            f"description {what}; it may have {DESCRIPTION_CHARACTERS} characters, none of {FORBIDDEN_IN_DESCRIPTION}",
            case="model-parameter",
        )
    model_type = _model_type(wish, edition)
    if docs := wish.request.get("model_docs"):
        _require_docs(docs)
    text = wish.initial_config if wish.initial_config.strip() else combined(wish.request, model_type)
    return Admissible(
        model_type=model_type,
        install_type=_install_types(wish.install_type),
        initial_config=text,
        config=_clean(text, model_type) if text else None,
    )


def _require_text(what: str, value: str) -> None:
    """Invalid for what no database keeps as a text."""
    if not is_text(value):
        raise Invalid(f"{what} has characters that are none", hint="send text as UTF-8", case="model-parameter")


def _require_name(name: str, edition: Edition) -> None:
    pattern = NAME_OF_HUAWEI if edition.name.startswith("huawei") else NAME
    _require(pattern.fullmatch(name), "model_name", name, "1 to 64 letters, digits, '-' and '_'")


def _require(good: object, what: str, value: str, expected: str) -> None:
    if not value:
        raise Invalid(f"{what} is missing", hint=f"it must be {expected}", case="parameter-required")
    if not good:
        raise Invalid(f"{what} is {value[:100]!r}; it must be {expected}", case="model-parameter")


def _model_type(wish: ModelWish, edition: Edition) -> str:
    known = edition.get(vocabulary.CONFIG_MODEL_TYPES, MODEL_TYPES)
    found = next((name for name in known if folded(name) == folded(wish.model_type)), "")
    if found == "Template" or "template" in wish.request:
        raise Refused(
            "models of a template are not to be had on this platform",
            hint='import an image ("model_type": "Image"), or a project\'s folder',
            case="unsupported",
        )
    if not wish.model_type:
        raise Invalid("model_type is missing", hint="an image is of type Image", case="parameter-required")
    if not found:
        raise Invalid(
            f"{edition.name} knows no model_type {wish.model_type[:100]!r}",
            hint=did_you_mean(wish.model_type[:100], known),
            case="model-parameter",
        )
    return found


def _install_types(told: Sequence[str]) -> tuple[str, ...]:
    """As ListModels spells them; both when none is told."""
    found = []
    for one in told:
        if folded(one) not in INSTALL_TYPES:
            raise Invalid(
                f"install_type has {one[:100]!r}; services are of the types {', '.join(INSTALL_TYPES.values())}",
                case="model-parameter",
            )
        found.append(INSTALL_TYPES[folded(one)])
    return tuple(dict.fromkeys(found)) or tuple(INSTALL_TYPES.values())


def _require_docs(docs: Any) -> None:
    if not isinstance(docs, list | tuple) or len(docs) > MOST_DOCS:
        raise Invalid(f"model_docs must be a list of at most {MOST_DOCS}", case="model-parameter")
    for doc in docs:
        name, url = (str(doc.get(key, "")) for key in ("doc_name", "doc_url")) if isinstance(doc, dict) else ("", "")
        if not DOC_NAME.fullmatch(name):
            raise Invalid(
                f"doc_name is {name[:100]!r}; it must begin with a letter, and have at most 48 characters",
                case="model-parameter",
            )
        if not _is_web(url):
            raise Invalid(f"doc_url is {url[:100]!r}; it must begin with http:// or https://", case="model-parameter")


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _clean(text: str, model_type: str) -> dict[str, Any]:
    """The clean form of an initial_config. Invalid (`config-invalid`) when nobody could make sense of it."""
    try:
        config = ModelConfig.parse(text.encode("utf-8", "surrogatepass"), source="initial_config")
        clean = config.clean()
    except MooringError as error:
        raise Invalid(error.message, hint=error.hint, case="config-invalid") from None
    if config.model_type not in ("Image", model_type):
        raise Invalid(
            f"initial_config says model_type {config.model_type!r}, and the request {model_type!r}",
            hint="they must be the same",
            case="config-invalid",
        )
    return clean
