"""What a `mooring.toml` may say, and that nothing else in it is passed over in silence."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from mooring.contract.regular_file import read_regular
from mooring.errors import Invalid

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "mooring.toml"
DEFAULT_EDITION = "otc-2022"
DEFAULT_BASE = "debian"
DEFAULT_PYTHON = "python3"
# It has a handful of settings.
MAX_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a project decides for itself; None where it leaves the choice to the command or the default."""

    edition: str | None = None
    """The edition of the contract the image is meant for."""
    python: str | None = None
    """The interpreter that runs the model worker."""
    base: str | None = None
    """`debian`, or the image reference that the project's image starts from."""
    system_packages: tuple[str, ...] = ()
    """Debian packages added to the Debian base."""
    exclude: tuple[str, ...] = ()
    """File names, paths or patterns that stay out of the image."""
    accept: tuple[str, ...] = ()
    """Rules of `mooring check` whose findings the project lives with, each as `RULE: reason`."""
    allow_imports: tuple[str, ...] = ()
    """Modules and names that the project's pickles may import without being called suspicious: `my_package.*`."""

    @classmethod
    def read(cls, file: Path) -> Settings:
        """Read `file`; a project without one has the defaults.

        Raises:
            Invalid: it is no regular file, too large or not TOML, has a key that does not exist, or a value of the
                wrong type.
        """
        try:
            data = read_regular(file, at_most=MAX_BYTES)
        except FileNotFoundError:
            if file.is_symlink():
                raise Invalid(f"{file} is a link to nowhere", hint="mend or remove the link") from None
            return cls()
        except OSError as error:
            raise Invalid(f"cannot read {file}: {error.strerror}") from error
        if len(data) > MAX_BYTES:
            raise Invalid(f"{file} has more than {MAX_BYTES} bytes", hint="is this the right file?")
        try:
            content = tomllib.loads(data.decode("utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise Invalid(f"{file} is not TOML: {error}") from error
        except UnicodeDecodeError as error:
            raise Invalid(f"{file} is not UTF-8: {error}") from error
        return cls(**{key: _value(file, key, value) for key, value in content.items()})


def _value(file: Path, key: str, value: Any) -> Any:
    known = {field.name: isinstance(field.default, tuple) for field in fields(Settings)}
    if key not in known:
        nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"known settings: {', '.join(known)}"
        raise Invalid(f"{file}: there is no setting {key!r}", hint=hint)
    if known[key]:
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        raise Invalid(f"{file}: {key} is {value!r}; it must be a list of strings", hint=f'{key} = ["..."]')
    if isinstance(value, str) and value:
        return value
    raise Invalid(f"{file}: {key} is {value!r}; it must be a string", hint=f'{key} = "..."')
