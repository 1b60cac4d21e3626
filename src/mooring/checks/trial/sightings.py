"""What was seen of an image while it ran: the evidence of the rules that judge it running."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mooring.engine import Answer, Diagnosis, Listener


class Termination(enum.StrEnum):
    """What process 1 of the container does with SIGTERM, as the kernel tells before it is sent."""

    CAUGHT = "caught"
    IGNORED = "ignored"  # also a process 1 without a handler: the kernel then drops the signal
    UNSEEN = "unseen"  # its status cannot be read from here


class Purpose(enum.StrEnum):
    """Why a request was made."""

    EXAMPLE = "example"  # made from the schema, and valid by it
    BOUNDARY = "boundary"  # valid, at the edges of the schema
    INVALID = "invalid"  # not what the schema asks for
    SAMPLE = "sample"  # the caller's own file
    SIZE = "size"  # just under or over the largest body


@dataclass(frozen=True, kw_only=True)
class Start:
    """How a container came up.

    `seconds` is from its start to the first healthy answer, or to giving up. `diagnosis` says why it was given up;
    None means it became ready. `loading` are the different answers of the health url before that. `spoken` is the
    protocol found on its port, "" where none was. `command` is what was executed. `caged` is empty when the container
    could reach nothing but us, else it says what the engine could not cut off.
    """

    command: tuple[str, ...]
    ready: bool
    seconds: float
    diagnosis: Diagnosis | None = None
    port: int = 8080
    declared_protocol: str = "http"
    spoken: str = ""
    listeners: tuple[Listener, ...] | None = None
    loading: tuple[Answer, ...] = ()
    memory_bytes: int | None = None
    memory_limit_bytes: int = 0
    termination: Termination = Termination.UNSEEN
    caged: str = ""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and what came of it.

    `api` is its method and declared url (`POST /`), `sent` says in a few words what the request was ("the text 'x'
    for images", "12.1 MB"). `outcome` is the status as text ("200"), or "hung", "closed", "refused" or "garbled".
    `faults` is what is wrong with an answer of 2xx by the declared response, a sentence each; `body` is its beginning.
    `file_made_up` tells that the request holds a file that we invented, which a model may rightly refuse.
    """

    api: str
    purpose: Purpose
    sent: str
    outcome: str
    status: int = 0
    content_type: str = ""
    body: str = ""
    faults: tuple[str, ...] = ()
    seconds: float = 0.0
    file_made_up: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the answer says that it worked."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the 2xx class of HTTP


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Every request that was made to the apis, and whether the container outlived them.

    `death` says how the container ended during them, and after which request; "" if it runs. `cut` says why not all
    was asked that should have been; "" if it was.
    """

    exchanges: tuple[Exchange, ...]
    death: str = ""
    cut: str = ""


@dataclass(frozen=True, kw_only=True)
class Bodies:
    """A body just under and one just over the largest that the gateway lets through (`limit_bytes`)."""

    limit_bytes: int
    under: Exchange | None
    over: Exchange | None
    alive_after: bool


@dataclass(frozen=True, kw_only=True)
class HealthWatch:
    """What health said once the container was ready, idle and busy: the url or, where there is one, the `command`.

    Of a command exit code 0 is 200 and another 503. `declared` tells whether config.json names what was asked.
    `busy_asked` questions were put while calls were in flight; of them `busy_late` were not answered within
    `limit_seconds`, `busy_failed` with no 2xx, and the slowest took `busy_slowest_seconds`. `premature_seconds` is how
    long the apis still refused after health had said it was well (0: they worked at once), with `premature_answer` what
    they said meanwhile.
    """

    url: str
    declared: bool
    first: Answer
    content_type: str
    limit_seconds: float
    busy_asked: int = 0
    busy_late: int = 0
    busy_failed: int = 0
    busy_slowest_seconds: float = 0.0
    premature_seconds: float = 0.0
    premature_answer: str = ""
    command: str = ""

    @property
    def question(self) -> str:
        """How it was asked, as people write it."""
        return f"the health command {self.command!r}" if self.command else f"GET {self.url}"


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """One request sent twice; `differing` names the first place where the answers are not the same, "" if none.

    `of_the_call` tells that all such places have names of what is of the call and not of the model: a time, an id.
    """

    api: str
    differing: str = ""
    of_the_call: bool = False


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Memory (anonymous, of all processes) before and after `calls` equal calls, the warm-up left out."""

    calls: int
    before_bytes: int
    after_bytes: int


@dataclass(frozen=True, kw_only=True)
class Idle:
    """An idle connection: `seconds` it was watched, and whether it could be used then.

    `announced_seconds` is what a Keep-Alive header promises, None without one; `server` the Server header;
    `wanted_seconds` what the edition asks for. `closes` tells that the server ends the connection after each answer.
    """

    seconds: float
    usable: bool
    closes: bool = False
    announced_seconds: float | None = None
    server: str = ""
    wanted_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class GrowingFile:
    """A file in the container that grew while requests were made."""

    path: str
    bytes_grown: int


@dataclass(frozen=True, kw_only=True)
class Logs:
    """What the container wrote while it ran.

    `lines_late` of the lines on its outputs arrived more than a second after the request they belong to, `lines`
    arrived in all. `growing_files` are log files that grew instead or as well. `may_hold_back` tells that it was killed
    before a block of buffered lines was full, so that silence is no proof that it wrote nothing.
    """

    lines_out: int
    lines_err: int
    lines_late: int = 0
    slowest_seconds: float = 0.0
    growing_files: tuple[GrowingFile, ...] = ()
    may_hold_back: bool = False


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What came of SIGTERM, sent with requests in flight and more arriving.

    `in_flight` requests were running when it was sent, `in_flight_lost` of them got no answer; `arrived` requests came
    later, while it ran, and of those within the linger `arrived_lost` got none, of which `arrived_refused` could not
    even connect. `answered_seconds` is how long new requests were answered; `watched_seconds` how long we looked;
    `exited_seconds` when it ended, None if it had not by then. `watched_whole` tells whether we looked as long as the
    edition's limit.
    """

    termination: Termination
    in_flight: int
    in_flight_lost: int
    arrived: int
    arrived_lost: int
    answered_seconds: float
    watched_seconds: float
    watched_whole: bool
    arrived_refused: int = 0
    exited_seconds: float | None = None
    exit_code: int | None = None
