"""The files in a project's folder `samples`: what a caller of the model would send."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from mooring.project.project import Project

SAMPLES_FOLDER = "samples"


def sample_file(folder: Path | None, *, only: tuple[str, ...] = (), but: tuple[str, ...] = ()) -> str:
    """The first file among the project's samples whose name ends so; "" when there is none."""
    samples = folder / SAMPLES_FOLDER if folder else None
    if samples is None or not samples.is_dir():
        return ""
    fitting = (
        file
        for file in sorted(samples.iterdir())
        if file.is_file() and not file.name.startswith(".") and file.suffix not in but
    )
    return next((str(file) for file in fitting if not only or file.suffix in only), "")


def samples_of(project: Project) -> dict[str, str]:
    """A file to send for each field of the project's apis that takes one, by its name; none where it has no samples."""
    sample = sample_file(project.root, but=(".json", ".py"))
    fields = {name for api in project.config.apis for name in api.file_fields}
    return dict.fromkeys(fields, sample) if sample else {}
