"""Compares: decisions with the oracle's, counts with the facts, accepted sends with every cap."""

from typing import Final
from uuid import UUID

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import MessageId
from garbo.common.events.topics import DECISION_MADE
from garbo.router.domain.instants import to_us, to_us_or_none
from services.router.tests.model.cast import Message, rank
from services.router.tests.model.facts import DAY_US, Answer, Asked, CapRule, ConsentRule, QuietRule
from services.router.tests.model.patience import judge_guess, judge_overtaken
from services.router.tests.model.plans import SEND_BUDGET_US, SKEW_US, plan_of
from services.router.tests.model.wallclock import nights, period_start, periods, starts_after
from services.router.tests.model.world import World

CONSENT_FAULTS: Final = {"not_opted_in", "opt_in_unconfirmed", "consent_expired"}
TAKEN_BACK: Final = {
    "revoked": "revoked",
    "lease_expired": "released",
    "stopped": "stopped",
    "not_opted_in": "not_opted_in",
}
"""Reason of a record that no rule gave -> what the world knows happened."""


def judge(world: World) -> None:
    """Look at all that is new and at what must always hold. Raises AssertionError."""
    records = _new_records(world)
    _judge_order(world, records)
    for record in records:
        _judge_decision(world, record)
    world.note_shorter_leases()
    _judge_counts(world)


def judge_end(world: World) -> None:
    """Look once more, over the whole history."""
    judge(world)
    _judge_told(world)
    for message in world.messages.values():
        if message.true_us is not None and message.order:
            _judge_caps(world, message)


def _new_records(world: World) -> list[DecisionMade]:
    """Read what was decided since the last look: what is new as it was stored, the rest as it was told."""
    first: list[DecisionMade] = []
    further: list[tuple[bytes, DecisionMade]] = []
    for message_id, stored in world.store.tables.decisions.items():
        message = world.messages[message_id]
        for value in stored.records[message.sequence :]:
            record = DecisionMade.model_validate_json(value)
            message.sequence += 1
            assert record.sequence == message.sequence, "a sequence number is missing"
            if record.sequence == 1:
                first.append(record)
            else:
                further.append((value, record))
    if further:
        told = {value: n for n, value in enumerate(world.router.publisher.bytes_of(DECISION_MADE))}
        further.sort(key=lambda pair: told[pair[0]])
    records = first + [record for _, record in further]
    if first and further:  # what waited was decided with what is new
        records.sort(key=lambda record: rank(world.messages[record.message_id]))
    return records


def _judge_order(world: World, records: list[DecisionMade]) -> None:
    """What was decided at once for a person was decided in the order of arbitration."""
    messages = [world.messages[record.message_id] for record in records if not _taken_back(record)]
    for person in range(len(world.people)):
        ranks = [rank(m) for m in messages if m.wish.person == person and m.foreseen is None]
        assert ranks == sorted(ranks), "decided out of order"


def _taken_back(record: DecisionMade) -> bool:
    return record.reason in TAKEN_BACK and record.sequence > 1 and record.rule is None


def _judge_decision(world: World, record: DecisionMade) -> None:
    message = world.messages[record.message_id]
    assert to_us(record.decided_at) == world.now_us
    if _taken_back(record):
        assert (record.verdict, record.final, record.next_allowed_at) == ("deny", True, None)
        assert message.state == TAKEN_BACK[record.reason], f"{record.reason} although it is {message.state}"
        return
    assert message.state in {"asked", "deferred"}, f"decided again although it is {message.state}"
    asked = world.asked_of(message)
    answer = message.foreseen or world.oracle.answer(world.facts_of(message), asked, world.now_us)
    message.first_decided_us, message.foreseen = message.first_decided_us or world.now_us, None
    message.message_class = asked.message_class
    _compare(answer, record)
    world.decided += 1
    world.instants += [] if answer.next_allowed_at_us is None else [answer.next_allowed_at_us]
    if record.verdict == "deny":
        judge_guess(world, message, asked, record)
    message.state = {"allow": "reserved", "defer": "deferred", "deny": "denied"}[record.verdict]
    if record.verdict == "allow":
        judge_overtaken(world, message, asked)
        _grant(world, message, asked, record)


def _compare(answer: Answer, record: DecisionMade) -> None:
    never = answer.reason == "never"
    told = (record.verdict, to_us_or_none(record.next_allowed_at), None if never else record.rule)
    expected = (answer.verdict, answer.next_allowed_at_us, answer.rule)
    assert told == expected, f"decided {told} ({record.reason}), the oracle says {expected} ({answer.reason})"
    reason = "consent" if record.reason in CONSENT_FAULTS else record.reason
    assert never or answer.reason == reason, f"{record.reason} is not {answer.reason}"
    assert record.final == (record.verdict != "defer")


def _grant(world: World, message: Message, asked: Asked, record: DecisionMade) -> None:
    """Count it, and look at its lease: no rule may close while it lasts."""
    grant = record.grant
    assert grant is not None
    until_us, ends = to_us(grant.valid_until), [world.now_us + plan_of(world.plan).lease_us]
    if asked.expires_at_us is not None:
        at_its_end = asked.expires_at_us == world.now_us
        ends.append(asked.expires_at_us + SKEW_US if at_its_end else asked.expires_at_us)
    assert until_us <= min(ends), "a lease lasts longer than it may"
    for closing_us in _closings(world, message, asked):
        assert until_us <= closing_us, "a rule closes while a lease lasts"
    message.valid_until_us, message.plan = until_us, world.plan
    message.granted_us, message.policy = world.now_us, f"p{world.plan}"
    message.order = 1 + max(m.order for m in world.messages.values())
    world._sent(message, until_us + SEND_BUDGET_US, still_open=True)


def _closings(world: World, message: Message, asked: Asked) -> list[int]:
    facts, closing = world.facts_of(message), list[int]()
    for rule in world.oracle.rules:
        if not world.oracle.touches(rule, asked):
            continue
        if isinstance(rule, QuietRule):
            for zone in facts.zones if rule.zone == "recipient" else (rule.zone,):
                closed = nights(zone, world.middle_us, rule.from_min, rule.to_min, rule.days)
                closing += starts_after(closed, world.now_us)[:1]
        if isinstance(rule, ConsentRule) and rule.max_age_us is not None:
            strong = {"confirmed"} if rule.double else {"given", "confirmed", "imported"}
            acts = [at for about, action, at in facts.consents if about == asked.brand and action in strong]
            closing.append(max(acts) + rule.max_age_us)
    if asked.free_form:
        closing.append(max(at for number, at in facts.wrote if number == asked.number) + DAY_US)
    return closing


def _judge_counts(world: World) -> None:
    """Each person's counted sends are the facts, each at its instant."""
    tables = world.store.tables
    by_phone = {contact.address.value: contact.contact_id for contact in tables.aliases.values()}
    for person, facts in enumerate(world.people):
        contact_id = by_phone.get(f"+39333123450{person + 1}")
        if contact_id is None:
            continue
        counted = {send.message_id: send.at_us for send in tables.states[contact_id].sends}
        expected: dict[UUID, int] = {
            key: sent.at_us for key, sent in facts.sends.items() if isinstance(key, UUID)
        }
        differ = {m: (counted.get(MessageId(m)), expected.get(m)) for m in counted.keys() | expected.keys()}
        wrong = {
            (world.messages[m].state, c and c - world.now_us, e and e - world.now_us)
            for m, (c, e) in differ.items()
            if c != e
        }
        assert not wrong, f"what counts is not what was sent: {wrong}"


def _judge_told(world: World) -> None:
    """All that was decided was told, and nothing else."""
    stored = {r for decision in world.store.tables.decisions.values() for r in decision.records}
    told = set(world.router.publisher.bytes_of(DECISION_MADE))
    assert stored <= told, f"never told: {sorted(stored - told)[:1]}"
    assert told <= stored, f"told and not decided: {sorted(told - stored)[:1]}"


def _judge_caps(world: World, message: Message) -> None:
    """No window with this send in it holds more than the cap, of it and what was granted before it."""
    for rule in plan_of(message.plan).rules:
        if not isinstance(rule, CapRule) or message.message_class not in rule.applies:
            continue
        if rule.unless_tag in message.event.tags or (
            rule.per == "campaign" and message.wish.campaign is None
        ):
            continue
        others = [m.true_us for m in world.messages.values() if _stands_before(m, message, rule)]
        kept = rule.keep_slots if message.wish.priority < rule.keep_priority else 0
        most = _most_together(world, rule, message, [at for at in others if at is not None])
        assert most <= rule.limit - kept - 1, f"{rule.id}: {most + 1} accepted, {rule.limit - kept} allowed"


def _stands_before(other: Message, message: Message, rule: CapRule) -> bool:
    return (
        0 < other.order < message.order
        and other.wish.person == message.wish.person
        and other.message_class in rule.counts
        and (rule.per != "brand" or other.wish.brand == message.wish.brand)
        and (rule.per != "campaign" or other.wish.campaign == message.wish.campaign)
    )


def _most_together(world: World, rule: CapRule, message: Message, others: list[int]) -> int:
    at_us = message.true_us or 0
    if rule.span_us is not None:
        span_us = rule.span_us - world.gained_us
        ends = [end for end in (at_us, *others) if at_us <= end < at_us + span_us]
        return max((sum(end - span_us < other <= end for other in others) for end in ends), default=0)
    if rule.unit is None:
        return len(others)
    if message.wish.person in world.moved or world.gained_us or world.offset_us:
        return 0
    zone = "Europe/Rome" if rule.zone == "recipient" else rule.zone
    starts = periods(zone, world.middle_us, rule.unit)
    return sum(period_start(starts, other) == period_start(starts, at_us) for other in others)
