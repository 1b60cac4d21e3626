"""ENV holds no misspelt names and nothing left over from the build.

A variable whose name is misspelt (PYTHONPAiTH) does nothing, in silence. A proxy that was set for the build is used
when serving too: calls of the model to other services go to a machine that is not there.

Correct the name. Give proxies for the build only: `docker build --build-arg HTTP_PROXY=...`, not `ENV
HTTP_PROXY=...`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding
from mooring.image import ImageConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

KNOWN = (
    "PYTHONPATH",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "PYTHONIOENCODING",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "ASCEND_VISIBLE_DEVICES",
    "GUNICORN_CMD_ARGS",
    "OMP_NUM_THREADS",
    "JAVA_HOME",
    "FLASK_APP",
    "FLASK_ENV",
    "TRANSFORMERS_OFFLINE",
    "HF_HUB_OFFLINE",
    "TOKENIZERS_PARALLELISM",
)
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"})
_SECRET = re.compile(r"//[^/@\s]*@")


@rule(
    "IMG-ENV-02",
    level=SHOULD,
    good=(Example("ENV PYTHONPATH=/app", image_config=ImageConfig(env={"PYTHONPATH": "/app", "HTTP_PROXY": ""})),),
    bad=(
        Example("ENV PYTHONPAiTH=/app", image_config=ImageConfig(env={"PYTHONPAiTH": "/app"})),
        Example(
            "ENV http_proxy=http://proxy.local:3128", image_config=ImageConfig(env={"http_proxy": "http://p:3128"})
        ),
    ),
)
def environment_misspelt(image_config: ImageConfig) -> Iterator[Finding]:
    """Names one slip away from a known one, and proxies that are not empty."""
    for name, value in image_config.env.items():
        known = _meant(name)
        if known and known not in image_config.env:
            yield Finding(
                message=f"ENV sets {name}, which nothing reads; {known} is a letter away",
                expected=known,
                hint=f"ENV {known}={value}",
                source=f"ENV {name}",
            )
        elif name.upper() in PROXIES and value.strip():
            yield Finding(
                message=f"ENV sets {name} to {_SECRET.sub('//***@', value)}, which serving uses too",
                expected="no proxy of the build in the image",
                hint=f"remove it from the Dockerfile; docker build --build-arg {name}=... sets it for the build alone",
                source=f"ENV {name}",
            )


def _meant(name: str) -> str:
    """The known name that this one differs from by its case, or one letter more, less, other, or two swapped."""
    if name in KNOWN:
        return ""
    return next((known for known in KNOWN if _one_slip(name.upper(), known)), "")


def _one_slip(name: str, known: str) -> bool:
    if abs(len(name) - len(known)) > 1:
        return False
    same = next((at for at, pair in enumerate(zip(name, known, strict=False)) if pair[0] != pair[1]), None)
    if same is None:
        return True
    left, right = name[same:], known[same:]
    swapped = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]
