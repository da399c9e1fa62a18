"""The words of a policy's own tests: what is known of the person, and what is asked."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from garbo.common.events.ids import MessageId
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Body, Numbers, Request
from garbo.router.domain.state import Case, Claims, Consent, Preference, RecipientState, Send, Stop
from garbo.router.inbound.policy_file.fields import (
    AnyWords,
    Json,
    Maybe,
    Model,
    Name,
    Text,
    Whole,
    Zone,
    are_zones,
)
from garbo.router.inbound.policy_file.instant import Clock, Instant
from garbo.router.inbound.policy_file.regions import NO_REGION, Region

BRAND: Final = "acme"
EVERY_BRAND: Final = "*"
NUMBERS: Final = ("care", "promo")
ASKED_ID: Final = UUID(int=0xA5CED)
MOST_GIVEN: Final = 300
MOST_BUDGET: Final = 10**12
MessageClass: TypeAlias = Literal["promo", "utility", "care", "auth"]
Category: TypeAlias = Literal["marketing", "utility", "authentication"]
Template: TypeAlias = Literal["marketing", "utility", "authentication", "unknown"]
Number: TypeAlias = Literal["care", "promo"]


@dataclass(frozen=True, slots=True)
class Short:
    """Lets an item be only an instant, which stands for a mapping with that alone."""

    field: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._whole, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return {"anyOf": [{"type": "string"}, handler(schema)]}

    def _whole(self, item: object) -> object:
        return {self.field: item} if isinstance(item, str) else item


class GivenConsent(Model):
    """What the person said about one purpose."""

    given: Maybe[Instant] = None
    confirmed: Maybe[Instant] = None
    withdrawn: Maybe[Instant] = None
    purpose: Literal["marketing", "utility", "care", "profiling"] = "marketing"
    channel: Literal["*", "whatsapp", "sms"] = "*"
    brand: Name = BRAND


class GivenStop(Model):
    """A STOP, and the START after it."""

    at: Instant
    started: Maybe[Instant] = None
    brand: Name = BRAND


class GivenPlatformStop(Model):
    """The platform's own switch, off and on again."""

    at: Instant
    resumed: Maybe[Instant] = None
    number: Number = "promo"
    brand: Name = BRAND


class GivenCase(Model):
    """A case, of every brand where none is named."""

    opened: Instant
    closed: Maybe[Instant] = None
    brand: Name = EVERY_BRAND


class GivenInbound(Model):
    """A message the person wrote."""

    at: Instant
    number: Number = "care"


class GivenSend(Model):
    """A message that was sent."""

    at: Instant
    message_class: MessageClass = Field(default="promo", alias="class")
    brand: Name = BRAND
    campaign: Maybe[Text] = None
    category: Maybe[Category] = None
    tags: AnyWords = frozenset()
    open: bool = False
    """It is still on its way."""
    delivered: bool = False

    def to_send(self, n: int, clock: Clock) -> Send:
        """Give it as a person's memory has it."""
        return Send(
            message_id=MessageId(UUID(int=n)),
            at_us=clock.us(self.at),
            message_class=self.message_class,
            brand=self.brand,
            campaign=self.campaign,
            category=self.category,
            tags=tuple(sorted(self.tags)),
            open=self.open,
            delivered=self.delivered,
        )


def _many() -> Any:  # noqa: ANN401 - as `Field` itself
    return Field(default_factory=list, max_length=MOST_GIVEN)


class Given(Model):
    """What is known: of the person, where they are, what is left of budgets."""

    zone: Maybe[Zone] = None
    """The person's own: an IANA name."""
    region: Maybe[Region] = None
    country_zones: Annotated[AnyWords, AfterValidator(are_zones)] = frozenset()
    kind: Literal["person", "group"] = "person"
    erased: bool = False
    consents: list[Annotated[GivenConsent, Short("given")]] = _many()
    stops: list[Annotated[GivenStop, Short("at")]] = _many()
    platform_stops: list[Annotated[GivenPlatformStop, Short("at")]] = _many()
    cases: list[Annotated[GivenCase, Short("opened")]] = _many()
    inbound: list[Annotated[GivenInbound, Short("at")]] = _many()
    sends: list[Annotated[GivenSend, Short("at")]] = _many()
    budget_left: dict[str, Annotated[int, Whole(0, MOST_BUDGET)]] = Field(default_factory=dict)
    """Rule: what is left; a budget that is not named here has all it has."""

    def to_state(self, clock: Clock, *, brand: str) -> RecipientState:
        """Give the person as a decision for a brand knows them."""
        us, maybe = clock.us, clock.us_or_none
        sends = (send.to_send(n, clock) for n, send in enumerate(self.sends, start=1))
        return RecipientState(
            erased=self.erased,
            claims={brand: Claims(zone=self.zone)},
            consents={
                f"{c.brand}/{c.channel}/{c.purpose}": Consent(
                    given_at_us=maybe(c.given),
                    confirmed_at_us=maybe(c.confirmed),
                    withdrawn_at_us=maybe(c.withdrawn),
                )
                for c in self.consents
            },
            stops={s.brand: Stop(us(s.at), started_at_us=maybe(s.started)) for s in self.stops},
            preferences={
                p.number: Preference(p.brand, us(p.at), maybe(p.resumed)) for p in self.platform_stops
            },
            cases={
                f"test:{n}": Case(us(c.opened), closed_at_us=maybe(c.closed), brand=c.brand)
                for n, c in enumerate(self.cases, start=1)
            },
            inbound_at_us={i.number: us(i.at) for i in self.inbound},
            sends=tuple(sorted(sends, key=lambda send: send.at_us)),
        )


class Ask(Model):
    """What is asked: a template of a category, or free-form where none is named."""

    purpose: MessageClass
    template: Maybe[Template] = None
    """Its category; left out for free-form."""
    fallback: Maybe[Template] = None
    """The category of the template to use where free-form may not."""
    client: Name = "client"
    brand: Name = BRAND
    number: Maybe[Number] = None
    channel: Literal["auto", "whatsapp", "sms"] = "auto"
    campaign: Maybe[Text] = None
    tags: AnyWords = frozenset()
    priority: Annotated[int, Whole(0, 100)] = 50
    not_before: Maybe[Instant] = None
    expires_at: Maybe[Instant] = None
    requested_at: Maybe[Instant] = None
    waiting_since: Maybe[Instant] = None
    override: AnyWords = frozenset()
    roles: AnyWords = frozenset()
    parts: Annotated[int, Whole(1, 50)] = 1

    def to_request(self, given: Given, policy: Policy, clock: Clock) -> Request:
        """Give the request as it is decided; each budget has all it has, but for what is said to be left."""
        full = {name: budget.limit for name, budget in policy.budgets.items()}
        return Request(
            message_id=MessageId(ASKED_ID),
            request_id=ASKED_ID,
            client=self.client,
            brand=self.brand,
            purpose=self.purpose,
            body=_body(self.template) or Body("free"),
            fallback=_body(self.fallback),
            numbers=Numbers(self.number, NUMBERS, care_default="care", promo_default="promo"),
            requested_at_us=clock.now_us if self.requested_at is None else clock.us(self.requested_at),
            priority=self.priority,
            campaign=self.campaign,
            tags=tuple(sorted(self.tags)),
            not_before_us=clock.us_or_none(self.not_before),
            expires_at_us=clock.us_or_none(self.expires_at),
            channel=self.channel,
            recipient_kind=given.kind,
            region=None if given.region == NO_REGION else given.region,
            country_zones=tuple(sorted(given.country_zones)),
            override=tuple(sorted(self.override)),
            roles=self.roles,
            parts=self.parts,
            first_decided_at_us=clock.us_or_none(self.waiting_since),
            gathered=True,
            budget_left={**full, **given.budget_left},
        )


def _body(category: Template | None) -> Body | None:
    if category is None:
        return None
    return Body("template", category=category, template_unknown=category == "unknown")
