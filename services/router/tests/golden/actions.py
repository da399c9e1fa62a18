"""What may happen in a history nobody judges: each action is one, by dice."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, TypeAlias

from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.base import Event
from garbo.common.events.contacts import CampaignChanged, CaseChanged, ContactUpdated
from garbo.common.events.ids import ContactId, address_hash, attempt_id_of, platform_message_ref
from garbo.common.events.platform import PlatformChange
from garbo.common.events.requests import SendRequested
from garbo.common.events.results import Outcome, SendResult
from garbo.common.events.statuses import MessageStatus
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_us
from garbo.router.domain.values import replace
from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.flow.commands.import_suppressions import ImportSuppressions, SuppressionEntry
from garbo.router.ports.contacts import Address
from services.router.tests.golden.wild import Wild
from services.router.tests.support.build import (
    EVERYBODY,
    HASH_KEY,
    consent,
    inbound,
    preference,
    requested,
    status,
)
from services.router.tests.support.build import template as a_template
from services.router.tests.support.build import text as a_text

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

Action: TypeAlias = Callable[[Wild, Random], Awaitable[None]]


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


def recorded_consent(wild: Wild, to: dict[str, str], brand: str, action: str, **more: Any) -> Event:  # noqa: ANN401
    at = wild.now
    told = {"consent_id": wild.next_id(), "to": to, "brand": brand, "occurred_at": at, "recorded_at": at}
    return consent(action, **{**told, **more})


async def _consents(wild: Wild, dice: Random) -> None:
    action = dice.choice(("given", "confirmed", "withdrawn", "requested", "imported", "expired"))
    brand = dice.choice(("acme", "bolt", "*", "nobody")) if dice.random() < 0.3 else "acme"
    late = wild.now - timedelta(minutes=dice.choice((0, 0, 120)))
    await wild.hear(recorded_consent(wild, _to(wild, dice), brand, action, occurred_at=late))


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
    accepted_as = platform_message_ref(f"wamid.of.{grant.message_id.hex}")
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
        platform_message_ref=accepted_as if outcome == "accepted" else None,
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
    told: MessageStatus = status(grant.message_id, word, code=code, at=wild.now, phone=None)
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
            await EraseContact(wild.router.dependencies).erase(dice.choice(known), EVERYBODY)
            await wild.router.tell()
        return
    phone = dice.choice(PEOPLE[:3])["phone"]
    address = Address("phone", phone, address_hash(HASH_KEY, "phone", phone))
    entry = SuppressionEntry(address, dice.choice(("acme", "*")), to_us(wild.now), "list")
    await ImportSuppressions(wild.router.dependencies).take([entry])
    await wild.router.tell()


CHANCES: Final[dict[Action, int]] = {
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
