"""Which addresses are listened on, read from the kernel's table of TCP sockets."""

from __future__ import annotations

import ipaddress
import re
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A line of a socket in the state LISTEN (0A): its number, its own address and port, the other side's. It may be the
# word of a program that makes it up.
LISTENING = re.compile(r"^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]+ 0A\s", re.MULTILINE)
# The engine's own name server inside the containers of user-made networks; never the image's doing.
ENGINE_DNS = "127.0.0.11"


@dataclass(frozen=True, order=True)
class Listener:
    """One address that a process in the container listens on."""

    port: int
    host: str

    @property
    def is_loopback(self) -> bool:
        """Whether only the container itself can reach it."""
        address = ipaddress.ip_address(self.host)
        mapped = getattr(address, "ipv4_mapped", None)
        return (mapped or address).is_loopback

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listeners(tables: Iterable[str]) -> tuple[Listener, ...]:
    """The listening sockets in the texts of `/proc/net/tcp` and `/proc/net/tcp6`, sorted; other lines are passed over.

    The format is the kernel's (Documentation/networking/proc_net_tcp.rst): `sl local_address rem_address st ...`, the
    address in hexadecimal, in 32-bit words of the machine's byte order.
    """
    found = {Listener(int(port, 16), _address(host)) for table in tables for host, port in LISTENING.findall(table)}
    return tuple(sorted(listener for listener in found if listener.host != ENGINE_DNS))


def _address(words: str) -> str:
    """`0100007F` -> `127.0.0.1`; four such words -> an IPv6 address."""
    packed = b"".join(struct.pack("=I", int(words[at : at + 8], 16)) for at in range(0, len(words), 8))
    return socket.inet_ntop(socket.AF_INET6 if len(packed) > 4 else socket.AF_INET, packed)  # noqa: PLR2004 - IPv4 is 4 bytes
