"""Which model version and which of its replicas answers a call: pure, over a route and what is in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from mooring.gateway.table import Route, Share, Target


class Draw(NamedTuple):
    """What a choice takes from outside.

    `lot` is a random number from 0 up to 1, `turn` counts the calls of the service, `source` is the caller's address.
    """

    lot: float
    turn: int = 0
    source: str = ""


def choose(
    route: Route, in_flight: Mapping[str, int], draw: Draw, exclude: Collection[str] = ()
) -> tuple[Share, Target] | None:
    """The version and the replica for one call, or None when no replica may get it.

    First a version, by weight among those that have a replica outside `exclude` (names of replicas); then a replica
    of it as the route's `load_balancer_policy` says: the fewest calls in flight, each in turn, or by the caller's
    address. With SOURCE_IP the address decides the version too, so that a caller stays with it.
    """
    by_source = route.load_balancer_policy == "SOURCE_IP"
    lot = _lot_of(draw.source) if by_source else draw.lot
    open_shares = [(share, [one for one in share.targets if one.replica not in exclude]) for share in route.shares]
    open_shares = [(share, targets) for share, targets in open_shares if targets and share.weight > 0]
    if not open_shares:
        return None
    point = lot * sum(share.weight for share, _ in open_shares)
    index = 0
    while index < len(open_shares) - 1 and point >= open_shares[index][0].weight:
        point -= open_shares[index][0].weight
        index += 1
    share, targets = open_shares[index]
    if len(targets) == 1:
        return share, targets[0]
    if by_source:
        return share, max(targets, key=lambda one: crc32(f"{one.replica} {draw.source}".encode()))
    if route.load_balancer_policy == "ROUND_ROBIN":
        return share, targets[draw.turn % len(targets)]
    return share, _idlest(targets, in_flight, point / share.weight)


def _idlest(targets: Sequence[Target], in_flight: Mapping[str, int], lot: float) -> Target:
    """The one with the fewest calls in flight; what is left of the lot decides between equals."""
    fewest = min(in_flight.get(one.replica, 0) for one in targets)
    equals = [one for one in targets if in_flight.get(one.replica, 0) == fewest]
    return equals[min(int(lot * len(equals)), len(equals) - 1)]


def _lot_of(source: str) -> float:
    return crc32(source.encode()) / 2**32
