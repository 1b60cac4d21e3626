"""Nothing is loaded into every program of the image but known allocators and runtimes.

A library named in LD_PRELOAD or /etc/ld.so.preload runs inside every program, before it. That is how rootkits hide
files and processes, and how passwords are read along. Honest images preload memory allocators and OpenMP runtimes so,
by LD_PRELOAD.

Link the library into the one program that needs it; name allocators in LD_PRELOAD, not in /etc/ld.so.preload.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.checks.command.bases import image
from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.scanning.telling import printable
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image import Filesystem, ImageConfig

_KNOWN = re.compile(
    r"lib(jemalloc|tcmalloc\w*|mimalloc|hoard|iomp5|omp5?|gomp|kmp|tbb\w*|mkl\w*|openblas\w*|nvidia-ml|cuda\w*|nccl\w*"
    r"|fakeroot\S*|asan|SegFault|eatmydata|nss_wrapper|stdc\+\+|gcc_s|hdfs|hsa\S*|dcgm\w*)[-.\w]*\.so[.\d]*"
)
_FILE = "/etc/ld.so.preload"


@rule(
    "IMG-SAFE-07",
    level=SHOULD,
    good=(
        Example(
            "ENV LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
            image=image("a", env={"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"}),
        ),
    ),
    bad=(
        Example("ENV LD_PRELOAD=/opt/.x/hook.so", image=image("a", env={"LD_PRELOAD": "/opt/.x/hook.so"})),
        Example("/etc/ld.so.preload", image=image("a", files={_FILE: "/usr/local/lib/hook.so\n"})),
    ),
)
def preloaded_library(image_config: ImageConfig, files: Filesystem) -> Iterator[Finding]:
    """The variable may be set for allocators; the file, which is for every program for ever, has no honest use here."""
    for path in re.split(r"[ :]+", image_config.env.get("LD_PRELOAD", "")):
        if path and not _KNOWN.fullmatch(path.rpartition("/")[2]):
            yield _finding(f"LD_PRELOAD loads {printable(path)} into every program", "ENV LD_PRELOAD")
    lines = (files.text(_FILE) or b"").decode("utf-8", "replace").splitlines()
    for line in lines:
        if path := line.partition("#")[0].strip():
            yield _finding(f"{_FILE} loads {printable(path)} into every program", _FILE)
    if not lines and (entry := files.get(_FILE)) is not None and entry.size:
        yield _finding(f"{_FILE} is there, with {entry.size:,} bytes that were not kept to be read", _FILE)


def _finding(message: str, source: str) -> Finding:
    return Finding(
        message=message,
        expected="no library in every program but a memory allocator or an OpenMP runtime",
        hint="link the library into the one program that needs it",
        source=source,
    )
