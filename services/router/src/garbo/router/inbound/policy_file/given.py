"""The words of a policy's own tests: what is known of the person, and what is asked."""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from garbo.common.events.ids import MessageId
from garbo.common.events.zones import zone_names
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Body, Numbers, Request
from garbo.router.domain.state import Case, Consent, Preference, RecipientState, Send, Stop
from garbo.router.inbound.policy_file.clock import Clock
from garbo.router.inbound.policy_file.document import Node
from garbo.router.inbound.policy_file.fields import Fields

BRAND: Final = "acme"
EVERY_BRAND: Final = "*"
CARE_NUMBER, PROMO_NUMBER = "care", "promo"
NUMBERS: Final = (CARE_NUMBER, PROMO_NUMBER)
ASKED_ID: Final = UUID(int=0xA5CED)
MOST_GIVEN: Final = 300
MOST_BUDGET: Final = 10**12
PURPOSES: Final = ("promo", "utility", "care", "auth")
"""And the classes, by the same words."""
CATEGORIES: Final = ("marketing", "utility", "authentication")
TEMPLATES: Final = (*CATEGORIES, "unknown")
CONSENTS: Final = ("marketing", "utility", "care", "profiling")
CHANNELS: Final[tuple[Literal["auto", "whatsapp", "sms"], ...]] = ("auto", "whatsapp", "sms")
KINDS: Final[tuple[Literal["person", "group"], ...]] = ("person", "group")


@dataclass(frozen=True, slots=True)
class Known:
    """What a test says of the request that is not the request's own: where the person is, what is left."""

    state: RecipientState
    kind: Literal["person", "group"] = "person"
    region: str | None = None
    country_zones: tuple[str, ...] = ()
    budget_left: tuple[tuple[str, int], ...] = ()


def read_zone_of(given: Fields) -> str | None:
    """Read the person's own zone."""
    if not given.has("zone"):
        return None
    return _zone(given, "zone", given.text("zone"))


def read_given(given: Fields, *, zone: str | None, clock: Clock) -> Known:
    """Read the rest of `given`."""
    sends = tuple(_send(fields, n, clock) for n, fields in enumerate(_each(given, "sends"), start=1))
    state = RecipientState(
        erased=given.flag("erased"),
        zone=zone,
        consents=dict(_consent(fields, clock) for fields in _each(given, "consents", at="given")),
        stops=dict(_stop(fields, clock) for fields in _each(given, "stops")),
        preferences=dict(_preference(fields, clock) for fields in _each(given, "platform_stops")),
        cases={
            f"test:{n}": _case(fields, clock)
            for n, fields in enumerate(_each(given, "cases", at="opened"), 1)
        },
        inbound_at_us=dict(_inbound(fields, clock) for fields in _each(given, "inbound")),
        sends=tuple(sorted(sends, key=lambda send: send.at_us)),
    )
    zones = sorted(given.words("country_zones") or ())
    region = given.text("region") if given.has("region") else None
    kind = given.word("kind", of=KINDS, default="person")
    left = given.child("budget_left")
    known = Known(
        state,
        kind=kind,
        region=region,
        country_zones=tuple(_zone(given, "country_zones", name) for name in zones),
        budget_left=tuple((rule, left.count(rule, most=MOST_BUDGET)) for rule in left.names()),
    )
    given.done()
    return known


def read_ask(ask: Fields, known: Known, policy: Policy, clock: Clock) -> Request:
    """Read `ask`: a template of a category, or free-form where none is named."""
    number = ask.word("number", of=NUMBERS) if ask.has("number") else None
    request = Request(
        message_id=MessageId(ASKED_ID),
        request_id=ASKED_ID,
        client=ask.name("client") if ask.has("client") else "client",
        brand=_brand(ask),
        purpose=ask.word("purpose", of=PURPOSES),
        body=_body(ask, "template") or Body("free"),
        fallback=_body(ask, "fallback"),
        numbers=Numbers(number, NUMBERS, care_default=CARE_NUMBER, promo_default=PROMO_NUMBER),
        requested_at_us=_or(clock.instant_or_none(ask, "requested_at"), clock.now_us),
        priority=ask.count("priority", most=100) if ask.has("priority") else 50,
        campaign=ask.text("campaign") if ask.has("campaign") else None,
        tags=tuple(sorted(ask.words("tags") or ())),
        not_before_us=clock.instant_or_none(ask, "not_before"),
        expires_at_us=clock.instant_or_none(ask, "expires_at"),
        channel=ask.word("channel", of=CHANNELS, default="auto"),
        recipient_kind=known.kind,
        region=known.region,
        country_zones=known.country_zones,
        override=tuple(sorted(ask.words("override") or ())),
        roles=ask.words("roles") or frozenset(),
        parts=ask.count("parts", least=1, most=50) if ask.has("parts") else 1,
        first_decided_at_us=clock.instant_or_none(ask, "waiting_since"),
        gathered=True,
        budget_left=_budgets(known, policy),
    )
    ask.done()
    return request


def _budgets(known: Known, policy: Policy) -> dict[str, int]:
    """Give each budget all it has, but for what the test says is left."""
    full = {name: budget.limit for name, budget in policy.budgets.items()}
    return {**full, **dict(known.budget_left)}


def _each(given: Fields, name: str, *, at: str = "at") -> list[Fields]:
    """Give the items of a list; one that is only an instant stands for a mapping with that alone."""
    items: list[Fields] = []
    for n, node in enumerate(given.listed(name, most=MOST_GIVEN), start=1):
        whole = Node({at: node}, node.line) if isinstance(node.value, str) else node
        items.append(Fields(whole, where=f"{given.where}: {name} {n}"))
    return items


def _send(fields: Fields, n: int, clock: Clock) -> Send:
    send = Send(
        message_id=MessageId(UUID(int=n)),
        at_us=clock.instant_us(fields, "at"),
        message_class=fields.word("class", of=PURPOSES, default="promo"),
        brand=_brand(fields),
        campaign=fields.text("campaign") if fields.has("campaign") else None,
        category=fields.word("category", of=CATEGORIES) if fields.has("category") else None,
        tags=tuple(sorted(fields.words("tags") or ())),
        open=fields.flag("open"),
        delivered=fields.flag("delivered"),
    )
    fields.done()
    return send


def _consent(fields: Fields, clock: Clock) -> tuple[str, Consent]:
    channel = fields.word("channel", of=("*", "whatsapp", "sms"), default="*")
    purpose = fields.word("purpose", of=CONSENTS, default="marketing")
    consent = Consent(
        given_at_us=clock.instant_or_none(fields, "given"),
        confirmed_at_us=clock.instant_or_none(fields, "confirmed"),
        withdrawn_at_us=clock.instant_or_none(fields, "withdrawn"),
    )
    key = f"{_brand(fields)}/{channel}/{purpose}"
    fields.done()
    return key, consent


def _stop(fields: Fields, clock: Clock) -> tuple[str, Stop]:
    stop = Stop(clock.instant_us(fields, "at"), started_at_us=clock.instant_or_none(fields, "started"))
    brand = _brand(fields)
    fields.done()
    return brand, stop


def _preference(fields: Fields, clock: Clock) -> tuple[str, Preference]:
    number = fields.word("number", of=NUMBERS, default=PROMO_NUMBER)
    at_us, resumed_us = clock.instant_us(fields, "at"), clock.instant_or_none(fields, "resumed")
    preference = Preference(_brand(fields), at_us, resumed_us)
    fields.done()
    return number, preference


def _case(fields: Fields, clock: Clock) -> Case:
    case = Case(
        clock.instant_us(fields, "opened"),
        closed_at_us=clock.instant_or_none(fields, "closed"),
        brand=_brand(fields, otherwise=EVERY_BRAND),
    )
    fields.done()
    return case


def _inbound(fields: Fields, clock: Clock) -> tuple[str, int]:
    number = fields.word("number", of=NUMBERS, default=CARE_NUMBER)
    at_us = clock.instant_us(fields, "at")
    fields.done()
    return number, at_us


def _body(ask: Fields, name: str) -> Body | None:
    if not ask.has(name):
        return None
    category = ask.word(name, of=TEMPLATES)
    return Body("template", category=category, template_unknown=category == "unknown")


def _brand(fields: Fields, *, otherwise: str = BRAND) -> str:
    return fields.name("brand") if fields.has("brand") else otherwise


def _zone(fields: Fields, name: str, zone: str) -> str:
    if zone not in zone_names():
        raise fields.fault(name, "is not a known time zone: write such as Europe/Rome")
    return zone


def _or(at_us: int | None, otherwise_us: int) -> int:
    return otherwise_us if at_us is None else at_us
