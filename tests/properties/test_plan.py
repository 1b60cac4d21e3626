"""What is true of every plan, from any world and along any way that a world can take."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.control.plan import plan
from mooring.control.world import (
    CALLED,
    Condition,
    Drain,
    Entry,
    Forget,
    Keep,
    Member,
    Restart,
    Start,
    Stop,
    Wanted,
)

TEMPLATES = ("aaaaaaaa", "bbbbbbbb", "cccccccc")
DRAIN_LIMIT_MS = 90_000


@st.composite
def wishes(draw):
    templates = draw(st.lists(st.sampled_from(TEMPLATES), min_size=1, max_size=3, unique=True))
    weights = draw(st.lists(st.integers(0, 100), min_size=len(templates), max_size=len(templates)))
    weights = weights if any(weights) else [100, *weights[1:]]
    entries = tuple(
        Entry(
            model_id=f"model-{template[0]}",
            template=template,
            weight=weight,
            instances=draw(st.integers(1, 4)),
            surge=draw(st.integers(0, 3)),
            unavailable=draw(st.integers(0, 4)),
        )
        for template, weight in zip(templates, weights, strict=True)
    )
    old = draw(st.dictionaries(st.sampled_from(TEMPLATES), st.integers(0, 100)))
    return Wanted(service="service1", entries=entries, weights=old, drain_limit_ms=DRAIN_LIMIT_MS)


@st.composite
def members(draw):
    slots = draw(st.sets(st.tuples(st.sampled_from(TEMPLATES), st.integers(0, 5)), max_size=10))
    return tuple(
        Member(
            name=f"service1-{template}-{ordinal}",
            model_id=f"model-{template[0]}",
            template=template,
            ordinal=ordinal,
            condition=draw(st.sampled_from(Condition)),
            draining_at_ms=draw(st.none() | st.integers(0, 200_000)),
            quiet=draw(st.booleans()),
            restarts=draw(st.integers(0, 5)),
            exited_at_ms=draw(st.none() | st.integers(0, 200_000)),
        )
        for template, ordinal in sorted(slots)
    )


@given(wanted=wishes(), seen=members(), stopped=st.booleans())
def test_traffic_goes_to_ready_replicas_that_do_not_drain_and_to_nobody_else(wanted, seen, stopped):
    made = plan(replace(wanted, running=not stopped), seen, 200_000)
    drained = {step.name for step in made.steps if isinstance(step, Drain)}
    ready = {member.name for member in seen if member.is_ready} - drained
    assert {name for part in made.parts for name in part.names} == ready


@given(wanted=wishes(), seen=members(), stopped=st.booleans())
def test_a_replica_with_traffic_is_never_stopped(wanted, seen, stopped):
    now_ms = 200_000
    made = plan(replace(wanted, running=not stopped), seen, now_ms)
    ended = {step.name for step in made.steps if isinstance(step, Stop | Restart)}
    for member in seen:
        if member.name in ended and member.condition in CALLED:
            over = member.draining_at_ms is not None and now_ms - member.draining_at_ms >= DRAIN_LIMIT_MS
            assert member.quiet or over, member
            assert member.name not in {name for part in made.parts for name in part.names}


@given(wanted=wishes(), seen=members())
def test_a_service_that_answers_keeps_answering(wanted, seen):
    before = {member.name for member in seen if member.is_ready}
    made = plan(wanted, seen, 200_000)
    if before:
        assert any(part.names for part in made.parts)
    if any(part.names and part.weight for part in plan(wanted, seen, 200_000).parts):
        return
    # Nobody has traffic only when nobody is ready who may have some.
    entitled = {entry.template for entry in wanted.entries if entry.weight}
    old = {member.template for member in seen if member.is_ready} - {entry.template for entry in wanted.entries}
    assert not old
    assert not {member.template for member in seen if member.is_ready} & entitled


@given(wanted=wishes(), seen=members())
def test_no_more_is_started_than_is_wanted_and_the_surge(wanted, seen):
    made = plan(wanted, seen, 200_000)
    there = {member.name for member in seen}
    new = [step for step in made.steps if isinstance(step, Start) and step.name not in there]
    slots = {wanted.name_of(entry, ordinal) for entry in wanted.entries for ordinal in range(entry.instances)}
    assert {step.name for step in new} <= slots
    assert len({step.name for step in new}) == len(new)
    old = [
        member
        for member in seen
        if member.name not in slots
        and member.draining_at_ms is None
        and member.condition not in (Condition.EXITED, Condition.STOPPING)
    ]
    held = len(there & slots) + len(new)
    if new:
        assert held + len(old) <= len(slots) + max(sum(entry.surge for entry in wanted.entries), 1)


@given(wanted=wishes(), seen=members(), stopped=st.booleans())
def test_the_same_world_gives_the_same_plan_in_whatever_order_it_is_told(wanted, seen, stopped):
    wanted = replace(wanted, running=not stopped)
    assert plan(wanted, seen, 200_000) == plan(wanted, tuple(reversed(seen)), 200_000)


@dataclass
class World:
    """Replicas that do as they are told, in their own time: what a plan is carried out on."""

    wanted: Wanted
    members: dict[str, Member]
    now_ms: int = 200_000
    routed: set[str] = field(default_factory=set)

    def take(self, draw) -> bool:
        """Carry out one plan and let some of the world move on; whether there was anything to do."""
        made = plan(self.wanted, tuple(self.members.values()), self.now_ms)
        for step in made.steps:
            self._carry_out(step)
        self.routed = {name for part in made.parts for name in part.names}
        moved = self._move_on(draw)
        self.now_ms += 30_000
        return bool(made.steps) or moved

    def _carry_out(self, step) -> None:
        member = self.members.get(step.name)
        if isinstance(step, Start):
            made = Member(
                name=step.name,
                model_id=step.model_id,
                template=step.template,
                ordinal=step.ordinal,
                condition=Condition.STARTING,
            )
            self.members[step.name] = replace(member, condition=Condition.STARTING) if member else made
        elif isinstance(step, Restart):
            self.members[step.name] = replace(
                member, condition=Condition.ABSENT, restarts=member.restarts + 1, exited_at_ms=self.now_ms
            )
        elif isinstance(step, Drain):
            self.members[step.name] = replace(member, draining_at_ms=self.now_ms)
        elif isinstance(step, Keep):
            self.members[step.name] = replace(member, draining_at_ms=None, quiet=False)
        elif isinstance(step, Stop):
            self.members[step.name] = replace(member, condition=Condition.STOPPING)
        elif isinstance(step, Forget):
            del self.members[step.name]

    def _move_on(self, draw) -> bool:
        moved = False
        for name, member in list(self.members.items()):
            if not draw(st.booleans()):
                moved |= member.condition in (Condition.STARTING, Condition.STOPPING, Condition.FAILING)
                continue
            after = {
                Condition.STARTING: Condition.READY,
                Condition.REFUSED: Condition.STARTING,
                Condition.FAILING: Condition.READY,
                Condition.STOPPING: Condition.ABSENT,
            }.get(member.condition, member.condition)
            quiet = name not in self.routed
            changed = replace(member, condition=after, quiet=quiet)
            moved |= changed != member
            self.members[name] = changed
        return moved

    @property
    def settled(self) -> bool:
        slots = {
            self.wanted.name_of(entry, ordinal)
            for entry in self.wanted.entries
            for ordinal in range(entry.instances)
            if self.wanted.running
        }
        return set(self.members) == slots and all(member.is_ready for member in self.members.values())


@settings(max_examples=80, deadline=None)
@given(wanted=wishes(), seen=members(), stopped=st.booleans(), data=st.data())
def test_from_any_world_it_arrives_and_then_rests(wanted, seen, stopped, data):
    world = World(replace(wanted, running=not stopped), {member.name: member for member in seen})
    answered = {member.name for member in seen if member.is_ready}
    for _ in range(6):  # as luck has it
        world.take(data.draw)
        if not stopped and answered:
            assert world.routed, "it had answered, and nobody is left who would"
        answered = {member.name for member in world.members.values() if member.is_ready}
    always = lambda _: True  # noqa: E731 - a world in which everything comes about
    for _ in range(150):
        if not world.take(always) and world.settled:
            break
    assert world.settled
    assert not plan(world.wanted, tuple(world.members.values()), world.now_ms + 10**9).steps


def wish(*entries: Entry, **how) -> Wanted:
    return Wanted(service="service1", entries=entries, **how)


def ready(template: str, ordinal: int, **how) -> Member:
    return Member(
        name=f"service1-{template}-{ordinal}",
        model_id=f"model-{template[0]}",
        template=template,
        ordinal=ordinal,
        condition=how.pop("condition", Condition.READY),
        **how,
    )


def entry(template: str, instances: int, weight: int = 100, **how) -> Entry:
    return Entry(model_id=f"model-{template[0]}", template=template, weight=weight, instances=instances, **how)


def test_an_upgrade_starts_the_new_one_and_leaves_the_old_its_traffic():
    made = plan(wish(entry("bbbbbbbb", 1), weights={"aaaaaaaa": 100}), (ready("aaaaaaaa", 0),), 0)
    assert [type(step) for step in made.steps] == [Start]
    assert [(part.template, part.weight > 0) for part in made.parts] == [("aaaaaaaa", True)]


def test_traffic_moves_in_step_with_the_ready_replicas_of_an_upgrade():
    old = tuple(ready("aaaaaaaa", ordinal) for ordinal in range(4))
    made = plan(wish(entry("bbbbbbbb", 4), weights={"aaaaaaaa": 100}), (*old, ready("bbbbbbbb", 0)), 0)
    weights = {part.template: part.weight for part in made.parts}
    assert weights["bbbbbbbb"] * 3 == weights["aaaaaaaa"]
    assert len(next(part.names for part in made.parts if part.template == "aaaaaaaa")) == 3


def test_the_share_of_a_model_that_stays_is_left_alone_while_another_is_upgraded():
    seen = (ready("aaaaaaaa", 0), ready("cccccccc", 0))
    wanted = wish(entry("bbbbbbbb", 1, 90), entry("cccccccc", 1, 10), weights={"aaaaaaaa": 90, "cccccccc": 10})
    weights = {part.template: part.weight for part in plan(wanted, seen, 0).parts}
    assert weights["aaaaaaaa"] == 9 * weights["cccccccc"]


def test_a_replica_that_ended_is_started_again_later_each_time():
    def restarts(number: int, now_ms: int) -> bool:
        dead = ready("aaaaaaaa", 0, condition=Condition.EXITED, restarts=number, exited_at_ms=0)
        wanted = wish(entry("aaaaaaaa", 1), back_off_ms=10_000, back_off_limit_ms=300_000)
        return bool(plan(wanted, (dead,), now_ms).steps)

    assert restarts(0, 0)
    assert not restarts(1, 9_999)
    assert restarts(1, 10_000)
    assert not restarts(3, 39_999)
    assert restarts(3, 40_000)
    assert not restarts(50, 299_999)
    assert restarts(50, 300_000)


def test_a_replica_that_refuses_to_start_is_hopeless_until_its_service_has_once_been_well():
    refused = (ready("aaaaaaaa", 0, condition=Condition.REFUSED),)
    new = plan(wish(entry("aaaaaaaa", 1)), refused, 0)
    assert (new.hopeless, new.steps) == (("service1-aaaaaaaa-0",), ())
    old = plan(wish(entry("aaaaaaaa", 1), settled=True), refused, 0)
    assert old.steps == (Restart("service1-aaaaaaaa-0"),)
