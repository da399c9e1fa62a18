"""Histories nobody judges: everything the router takes in, by dice, with what it told and stored as bytes.

The model's histories (tests/model) are compared with an oracle and leave out what the oracle does not know:
merges, erasure, suppression lists, budgets, gathering, fallbacks, replies, another number. Here all of it is
played, and one digest a history says whether a single byte of it differs from when the digests were written.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
import orjson
import pytest

from garbo.common.business import Business
from garbo.common.errors import Reject
from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.base import Event
from garbo.common.events.contacts import CampaignChanged, CaseChanged, ContactUpdated
from garbo.common.events.ids import ContactId, address_hash, attempt_id_of
from garbo.common.events.platform import PlatformChange
from garbo.common.events.requests import SendRequested
from garbo.common.events.results import Outcome, SendResult
from garbo.common.events.statuses import MessageStatus
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_us
from garbo.router.domain.policy import Policy
from garbo.router.domain.values import replace
from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.flow.commands.import_suppressions import ImportSuppressions, SuppressionEntry
from garbo.router.inbound.policy_file.load import read_policy
from garbo.router.outbound.postgres.codecs import json_bytes, state_bytes
from garbo.router.outbound.postgres.templates import seeds
from garbo.router.ports.contacts import Address
from services.router.tests.support import memory_contacts
from services.router.tests.support.build import (
    HASH_KEY,
    business,
    consent,
    inbound,
    preference,
    requested,
    status,
)
from services.router.tests.support.build import template as a_template
from services.router.tests.support.build import text as a_text
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory_jobs import InMemoryBudgetLeases, InMemoryJobStore, InMemoryOutbox
from services.router.tests.support.router import Router

POLICIES: Final = Path(__file__).parents[1] / "payloads" / "golden"
PEOPLE: Final = (
    {"phone": "+393331234501"},
    {"phone": "+393331234502"},
    {"phone": "+12125550123"},
    {"user_id": "IT.77001"},
    {"user_id": "IT.77002"},
)
GROUP: Final = "12036300000000@g.us"
NUMBERS: Final = {"1001": "acme", "1002": "acme", "2001": "bolt"}
CAMPAIGNS: Final = (None, None, "spring", "spring", "summer", "autumn")
WORDS: Final = ("hello", "STOP", "START", "ANNULLA", "CONFIRM", "basta promo", None)
ZONES: Final = ("Europe/Rome", "America/New_York", "Asia/Kathmandu")
STEPS: Final = 60

Action: TypeAlias = Callable[["Wild", Random], Awaitable[None]]


class Wild:
    """One history: people, a clock, a sender that answers anything, and all that was told."""

    def __init__(self, policies: Sequence[Policy], known: Business) -> None:
        self.policies, self.ids = policies, count(1)
        self.now = datetime(2026, 6, 1, 10, tzinfo=UTC)
        self.store = InMemoryJobStore(self.now)
        self.store.know(seeds(known))
        stock, outbox = InMemoryBudgetLeases(self.store), InMemoryOutbox(self.store)
        self.router = Router(self.store, policies[0], business=known, budget_leases=stock)
        self.work = Jobs(self.router, self.store, stock, outbox)
        self.asked: list[SendRequested] = []
        self.heard: list[Event] = []
        self.dropped = 0

    def next_id(self) -> UUID:
        """Give an id that the next run gives as well."""
        return UUID(int=(1 << 100) + next(self.ids))

    async def hear(self, *events: Event) -> None:
        """Let events come in one batch; one that is refused is refused the next time, too."""
        self.heard.extend(events)
        for event in events if len(events) > 1 else ():
            with suppress(Reject):
                await self.router.hear(event)
        try:
            await self.router.hear(*events)
        except Reject as refused:
            self.dropped += 1
            self.router.meter.decisions.append(("reject", refused.why, str(len(events))))

    def grant(self, dice: Random, *states: str) -> Grant | None:
        """Pick a grant."""
        grants = [g for g in self.store.tables.grants.values() if g.state in states]
        return dice.choice(grants) if grants else None

    def put(self, grant: Grant) -> None:
        """Store a grant as the sender's claim leaves it."""
        self.store.tables.grants[grant.message_id] = grant

    def digest(self) -> str:
        """Hash all that was told and all that is stored, in the order it was."""
        made = hashlib.sha256()
        for part in self._parts():
            made.update(part)
            made.update(b"\n")
        return made.hexdigest()[:24]

    def _parts(self) -> Iterable[bytes]:
        for told in sorted(self.router.publisher.told, key=_message_told_of):
            yield f"{told.topic.name} {told.event.event_id} {told.trace}".encode()
            yield told.content
        tables = self.store.tables
        for contact_id, state in tables.states.items():
            yield f"{contact_id} {state.version}".encode() + state_bytes(state)
        rows: tuple[Any, ...] = (*tables.grants.values(), *tables.deferred.values())
        yield from sorted(repr(msgspec.structs.astuple(row)).encode() for row in rows)
        for decision in tables.decisions.values():
            inputs = decision.inputs and json_bytes(decision.inputs)
            yield repr((*msgspec.structs.astuple(decision)[:-1], inputs)).encode()
        for evidence in tables.evidence.values():
            yield repr(msgspec.structs.astuple(evidence)).encode()
        for key, sends in sorted(tables.counted.items(), key=repr):
            yield repr((key, [msgspec.structs.astuple(send) for send in sends])).encode()
        leases = sorted(msgspec.structs.astuple(row) for row in tables.leases.values())
        yield repr((leases, sorted(tables.cancelled.items()), sorted(tables.swept))).encode()
        meter = self.router.meter
        yield repr(
            (sorted(meter.decisions), meter.repeats_count, meter.resurrected_count, meter.care)
        ).encode()
        yield repr((sorted(self.work.meter.verdicts), sorted(self.work.meter.reasons), self.dropped)).encode()


def _message_told_of(told: Any) -> str:  # noqa: ANN401 - a record to publish
    """Order as readers rely on it: what is told of one message in its order; messages in any."""
    return str(orjson.loads(told.content).get("message_id"))


async def play(seed: int, policies: Sequence[Policy]) -> Wild:
    """Play one history."""
    dice = Random(seed)
    names = count(1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(memory_contacts, "uuid4", lambda: UUID(int=(2 << 100) + next(names)))
        wild = Wild([*dice.sample(policies, len(policies))], business())
        for person in dice.sample(PEOPLE, 4):
            for brand in ("acme", "bolt"):
                await wild.hear(_consent(wild, person, brand, "given"))
                await wild.hear(_consent(wild, person, brand, "confirmed"))
        actions, weights = tuple(_CHANCES), tuple(_CHANCES.values())
        for _ in range(STEPS):
            (action,) = dice.choices(actions, weights)
            await action(wild, dice)
    return wild


def read_policies() -> list[Policy]:
    """Read the policies histories are played under."""
    return [read_policy(path.read_bytes()) for path in sorted(POLICIES.glob("*.yaml"))]


def _to(wild: Wild, dice: Random) -> dict[str, str]:
    if dice.random() < 0.1 and wild.store.tables.states:
        return {"contact_id": str(dice.choice(tuple(wild.store.tables.states)))}
    return {"group_id": GROUP} if dice.random() < 0.05 else dice.choice(PEOPLE)


def _request(wild: Wild, dice: Random) -> SendRequested:
    def later(*minutes: int | None) -> datetime | None:
        chosen = dice.choice(minutes)
        return None if chosen is None else wild.now + timedelta(minutes=chosen)

    purpose = dice.choice(("promo",) * 5 + ("care", "care", "utility", "auth"))
    free = purpose == "care" and dice.random() < 0.8
    names = {"promo": "sale", "utility": "shipped", "auth": "code", "care": "shipped"}
    name = names[purpose] if dice.random() < 0.95 else "unheard_of"
    brand = dice.choice(("acme", "acme", "bolt"))
    cited = dice.choice((None, None, *(e.wamid for e in wild.heard[-5:] if hasattr(e, "wamid"))))
    return requested(
        request_id=wild.next_id(),
        client=dice.choice(("crm",) * 30 + ("desk", "nobody")),
        brand=brand,
        to=_to(wild, dice),
        purpose=purpose,
        priority=dice.choice((50, 50, 90, 10)),
        campaign=dice.choice(CAMPAIGNS),
        tags=dice.choice(((), (), ("restock",))),
        content=a_text("words") if free else a_template(name),
        fallback={"template": a_template("sale")["template"]} if free and dice.random() < 0.5 else None,
        reply_to=cited,
        case_id=dice.choice((None, None, "case1")),
        override={"rules": ["cap"], "reason": "test"} if dice.random() < 0.05 else None,
        not_before=later(*(None,) * 8, 5, 600),
        expires_at=later(*(None,) * 8, 30, 90, 2000, 4000, -1),
        requested_at=wild.now - timedelta(seconds=dice.choice((0, 1, 60))),
    )


async def _ask(wild: Wild, dice: Random) -> None:
    events = [_request(wild, dice) for _ in range(dice.choice((1, 2, 4, 8)))]
    wild.asked.extend(events)
    if dice.random() < 0.1:
        events.append(events[0])
    await wild.router.ask(*events)


async def _ask_again(wild: Wild, dice: Random) -> None:
    if wild.asked:
        event = dice.choice(wild.asked)
        other = {"priority": 1} if dice.random() < 0.3 else {}
        await wild.router.ask(event.model_copy(update=other))


async def _write(wild: Wild, dice: Random) -> None:
    person = dice.choice(PEOPLE)
    sender = Person(**person)
    if dice.random() < 0.15:
        sender = Person(phone=PEOPLE[0]["phone"], user_id=PEOPLE[3]["user_id"])
    answered = wild.grant(dice, "accepted", "delivered") if dice.random() < 0.4 else None
    reply_to = f"wamid.of.{answered.message_id.hex}" if answered else None
    kind, late = dice.choice(("text",) * 6 + ("reaction", "edit", "revoke")), dice.choice((0, 0, 1, 90))
    extra: dict[str, Any] = {"group_id": GROUP} if dice.random() < 0.05 else {}
    if dice.random() < 0.08:
        kind, extra = "system", {"changed_to": Person(phone="+393331234509")}
    await wild.hear(
        inbound(
            dice.choice(WORDS),
            sender=sender,
            kind=kind,
            number=dice.choice(("1001", "1001", "2001", "1002", "4711")),
            wamid=f"wamid.{wild.next_id().hex}",
            reply_to=reply_to,
            payload=dice.choice((None, None, None, "garbo:stop", "garbo:keep")),
            occurred_at=wild.now - timedelta(minutes=late),
            received_at=wild.now,
            **extra,
        )
    )


def _consent(wild: Wild, to: dict[str, str], brand: str, action: str, **more: Any) -> Event:  # noqa: ANN401
    at = wild.now
    told = {"consent_id": wild.next_id(), "to": to, "brand": brand, "occurred_at": at, "recorded_at": at}
    return consent(action, **{**told, **more})


async def _consents(wild: Wild, dice: Random) -> None:
    action = dice.choice(("given", "confirmed", "withdrawn", "requested", "imported", "expired"))
    brand = dice.choice(("acme", "bolt", "*", "nobody")) if dice.random() < 0.3 else "acme"
    late = wild.now - timedelta(minutes=dice.choice((0, 0, 120)))
    await wild.hear(_consent(wild, _to(wild, dice), brand, action, occurred_at=late))


async def _case(wild: Wild, dice: Random) -> None:
    event = CaseChanged(
        case_id=dice.choice(("case1", "case2")),
        client="crm",
        brand=dice.choice(("acme", "bolt")),
        to=Recipient.model_validate(_to(wild, dice)),
        action=dice.choice(("opened", "closed")),
        occurred_at=wild.now - timedelta(minutes=dice.choice((0, 0, 30))),
        recorded_at=wild.now,
    )
    await wild.hear(event)


async def _contact(wild: Wild, dice: Random) -> None:
    same = Recipient.model_validate(dice.choice(PEOPLE)) if dice.random() < 0.3 else None
    event = ContactUpdated(
        update_id=wild.next_id(),
        client="crm",
        to=Recipient.model_validate(_to(wild, dice)),
        timezone=dice.choice((None, *ZONES)),
        language=dice.choice((None, "it", "de")),
        same_as=same,
        occurred_at=wild.now - timedelta(minutes=dice.choice((0, 0, 5))),
    )
    await wild.hear(event)


async def _platform(wild: Wild, dice: Random) -> None:
    if dice.random() < 0.6:
        word = dice.choice(("stop", "resume"))
        phone = dice.choice(PEOPLE[:3])["phone"]
        await wild.hear(preference(word, at=wild.now, number=dice.choice(tuple(NUMBERS)), phone=phone))
        return
    changed = dice.random() < 0.5
    value = {
        "message_template_name": dice.choice(("sale", "shipped")),
        "message_template_language": "it",
        "new_category": dice.choice(("MARKETING", "UTILITY")),
    }
    event = PlatformChange(
        change_id=wild.next_id().hex,
        waba="9001",
        field="user_id_update" if changed else "template_category_update",
        number="1001",
        person=Person(user_id="IT.77001") if changed else None,
        changed_to=Person(user_id="IT.77009") if changed else None,
        value={} if changed else value,
        occurred_at=wild.now,
        received_at=wild.now,
    )
    await wild.hear(event)


async def _claim(wild: Wild, dice: Random) -> None:
    grant = wild.grant(dice, "reserved")
    if grant is not None and to_us(wild.now) < grant.valid_until_us:
        wild.put(replace(grant, state="dispatched"))


def _result(wild: Wild, dice: Random, grant: Grant) -> SendResult:
    outcomes: tuple[Outcome, ...] = ("accepted",) * 4 + ("failed", "failed", "unknown", "not_sent")
    outcome = dice.choice(outcomes)
    reasons = ("lease_expired", "window_closing", "window_closed", "stopping")
    code = dice.choice((131049, 131050, 131026, 470))
    return SendResult(
        message_id=grant.message_id,
        grant_id=grant.grant_id,
        contact_id=grant.contact_id,
        lane=grant.lane,
        number=grant.number,
        attempt_id=attempt_id_of(grant.message_id, 1),
        outcome=outcome,
        reason=dice.choice(reasons) if outcome == "not_sent" else None,
        code=code if outcome == "failed" else None,
        epoch=dice.choice((None, grant.epoch, grant.epoch - 1)),
        wamid=f"wamid.of.{grant.message_id.hex}" if outcome == "accepted" else None,
        started_at=wild.now,
        recorded_at=wild.now,
    )


async def _settle(wild: Wild, dice: Random) -> None:
    grant = wild.grant(dice, "reserved", "dispatched", "dispatched", "unknown", "accepted", "revoked")
    if grant is not None:
        await wild.hear(_result(wild, dice, grant))


async def _status(wild: Wild, dice: Random) -> None:
    grant = wild.grant(dice, "dispatched", "unknown", "accepted", "failed", "released", "delivered")
    if grant is None:
        return
    word = dice.choice(("sent", "delivered", "read", "failed"))
    code = dice.choice((131049, 131050, 131026)) if word == "failed" else None
    told: MessageStatus = status(grant.message_id, word, code=code, at=wild.now)
    await wild.hear(told.model_copy(update={"attempt_id": None}) if dice.random() < 0.2 else told)


async def _hear_again(wild: Wild, dice: Random) -> None:
    if wild.heard:
        await wild.hear(*dice.choices(wild.heard, k=dice.choice((1, 1, 3))))


async def _step(wild: Wild, dice: Random) -> None:
    wild.now += timedelta(seconds=dice.choice((1, 30, 300, 3600, 40_000, 100_000)))
    wild.store.now = wild.now


async def _work(wild: Wild, dice: Random) -> None:
    match dice.choice(("wake", "wake", "wake", "wake", "reap", "recheck", "recheck", "cancel")):
        case "wake":
            while await wild.work.retry():
                pass
        case "reap":
            await wild.work.expire()
        case "recheck":
            await wild.work.reevaluate(dice.choice(wild.policies))
        case _:
            event = CampaignChanged(
                client="crm",
                brand=dice.choice(("acme", "bolt")),
                campaign="autumn",
                action="cancelled",
                occurred_at=wild.now,
            )
            await (wild.hear(event) if dice.random() < 0.5 else wild.work.cancel(event))


async def _operate(wild: Wild, dice: Random) -> None:
    if dice.random() < 0.5:
        known = [ContactId(c.contact_id) for c in wild.store.tables.aliases.values()]
        if known:
            await EraseContact(wild.router.dependencies).erase(dice.choice(known))
            await wild.router.tell()
        return
    phone = dice.choice(PEOPLE[:3])["phone"]
    address = Address("phone", phone, address_hash(HASH_KEY, "phone", phone))
    entry = SuppressionEntry(address, dice.choice(("acme", "*")), to_us(wild.now), "list")
    await ImportSuppressions(wild.router.dependencies).take([entry])
    await wild.router.tell()


_CHANCES: Final[dict[Action, int]] = {
    _ask: 26,
    _ask_again: 4,
    _claim: 16,
    _settle: 14,
    _status: 8,
    _step: 14,
    _write: 12,
    _consents: 5,
    _case: 4,
    _contact: 4,
    _platform: 4,
    _hear_again: 4,
    _work: 12,
    _operate: 2,
}
