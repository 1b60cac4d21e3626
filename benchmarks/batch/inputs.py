"""What goes in: small pictures, rows of a table, and the requests that a plain client makes of them."""

import itertools
import os
import random
from dataclasses import dataclass
from pathlib import Path

MNIST = Path(__file__).resolve().parents[2] / "examples" / "mnist"
BOUNDARY = "a-boundary-that-no-picture-holds"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
JSON = "application/json"
SHIPS = ("bulk carrier", "container ship", "ferry", "tanker")


@dataclass(frozen=True)
class Row:
    """A ship as a row of a table, and as the request that it becomes."""

    cells: str
    body: bytes


def pictures(folder: Path, count: int) -> list[Path]:
    """So many small pictures of digits in a folder: ours, under as many names."""
    folder.mkdir(parents=True)
    drawn = [MNIST / "samples" / f"{digit}.jpg" for digit in range(10)]
    kept = []
    for digit, drawing in enumerate(drawn):
        # On the same file system, where links are as good as copies.
        kept.append(folder.parent / f".{folder.name}-{digit}.jpg")
        kept[-1].write_bytes(drawing.read_bytes())
    made = []
    for number, picture in zip(range(count), itertools.cycle(kept), strict=False):
        made.append(folder / f"{number:06}.jpg")
        os.link(picture, made[-1])
    return made


def form(name: str, content: bytes) -> bytes:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="images"; filename="{name}"\r\n'
        f"Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def rows(count: int) -> list[Row]:
    """So many ships, the same ones every time."""
    chance = random.Random(20)  # noqa: S311 - ships, and no secrets
    return [_row(chance) for _ in range(count)]


def _row(chance: random.Random) -> Row:
    kind, length, cargo = chance.choice(SHIPS), chance.randint(40, 390), chance.randint(0, 200_000)
    hour, wind, pilot = chance.randint(0, 23), chance.randint(0, 30), chance.choice(("true", "false"))
    ship = (
        f'{{"ship_type":"{kind}","length_m":{length},"cargo_tonnes":{cargo},"arrival_hour":{hour},"wind_m_s":{wind},'
        f'"pilot_booked":{pilot}}}'
    )
    return Row(f"{kind},{length},{cargo},{hour},{wind},{pilot}\n", f'{{"data":{{"req_data":[{ship}]}}}}'.encode())


def table(folder: Path, made: list[Row]) -> Path:
    """A folder with these rows as its one table."""
    folder.mkdir(parents=True)
    (folder / "ships.csv").write_text("".join(row.cells for row in made))
    return folder


def request(body: bytes, kind: str) -> bytes:
    """The bytes that a client sends, as short as ours."""
    head = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
