"""One message's events, as the other services would write them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.content import TemplateContent, Text, TextContent
from garbo.common.events.decisions import Check, DecisionMade, GrantGiven, Lane
from garbo.common.events.engagement import CareMessage, PromoEngaged
from garbo.common.events.ids import attempt_id_of, message_id_of, platform_message_ref
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.requests import Purpose, SendRequested
from garbo.common.events.results import Outcome, SendResult
from garbo.common.events.statuses import MessageStatus, PlatformError
from garbo.common.events.template import Language, Template

NOON = datetime(2026, 6, 1, 12, 0, 5, tzinfo=UTC)
PHONE = "+393331234567"
NAME = "Maria Rossi"
TEXT = "Your order 1881 is on its way"


@dataclass(frozen=True, kw_only=True)
class Journey:
    """Makes events of one message; `after` is seconds since it was asked for."""

    begun_at: datetime = NOON
    client: str = "shop"
    brand: str = "acme"
    purpose: Purpose = "promo"
    campaign: str | None = "summer"
    template: str | None = "summer_sale"
    number: str = "106540352242922"
    request_id: UUID = field(default_factory=uuid4)
    contact_id: UUID = field(default_factory=uuid4)

    @property
    def message_id(self) -> UUID:
        """The id this message has everywhere."""
        return message_id_of(self.client, self.request_id)

    @property
    def lane(self) -> Lane:
        """The lane it goes in."""
        return "promo" if self.purpose == "promo" else "care"

    @property
    def wamid(self) -> str:
        """The platform's id of it."""
        return f"wamid.{self.message_id.hex}"

    def at(self, after: float) -> datetime:
        """Give the instant `after` seconds from the begin."""
        return self.begun_at + timedelta(seconds=after)

    def requested(self) -> SendRequested:
        """Ask for it."""
        content: TextContent | TemplateContent = TextContent(text=Text(body=TEXT))
        if self.template:
            content = TemplateContent(template=Template(name=self.template, language=Language(code="it")))
        return SendRequested(
            request_id=self.request_id,
            client=self.client,
            brand=self.brand,
            to=Recipient(phone=PHONE),
            purpose=self.purpose,
            campaign=self.campaign,
            content=content,
            requested_at=self.begun_at,
        )

    def allowed(self, *, after: float = 0.2, sequence: int = 1) -> DecisionMade:
        """Let it go."""
        grant = GrantGiven(
            id=uuid4(),
            lane=self.lane,
            number=self.number,
            epoch=1,
            not_before=self.at(after),
            valid_until=self.at(after + 60),
        )
        check = Check(rule="promo-day", type="cap", ok=True, used=0, limit=1, window="rolling 24h")
        return self._decided(
            after, sequence, verdict="allow", final=True, reason="allowed", grant=grant, checks=(check,)
        )

    def held_by_cap(self, *, after: float = 0.2, sequence: int = 1) -> DecisionMade:
        """Hold it back: one promo a day, and that one went an hour ago."""
        free_at = self.at(23 * 3600)
        checks = (
            Check(rule="not-stopped", type="block", ok=True),
            Check(rule="opt-in", type="consent", ok=True),
            Check(
                rule="promo-day",
                type="cap",
                ok=False,
                used=1,
                limit=1,
                window="rolling 24h",
                free_at=free_at,
                by=(str(uuid4()),),
            ),
        )
        figures = {"used": 1, "limit": 1, "window": "rolling 24h", "next_allowed_at": free_at}
        return self.held(
            "cap_reached", after=after, sequence=sequence, rule="promo-day", checks=checks, **figures
        )

    def put_off(self, reason: str, *, until: float, after: float = 0.2, sequence: int = 1) -> DecisionMade:
        """Let it wait until `until` seconds from the begin."""
        return self.held(
            reason,
            after=after,
            sequence=sequence,
            verdict="defer",
            final=False,
            rule=reason,
            next_allowed_at=self.at(until),
            due_at=self.at(until + 1),
        )

    def held(self, reason: str, *, after: float = 0.2, sequence: int = 1, **more: Any) -> DecisionMade:  # noqa: ANN401
        """Hold it back for good."""
        return self._decided(after, sequence, **{"verdict": "deny", "final": True, "reason": reason, **more})

    def _decided(self, after: float, sequence: int, **more: Any) -> DecisionMade:  # noqa: ANN401
        return DecisionMade(
            decision_id=uuid4(),
            sequence=sequence,
            message_id=self.message_id,
            request_id=self.request_id,
            client=self.client,
            brand=self.brand,
            contact_id=self.contact_id,
            message_class=self.purpose,
            purpose=self.purpose,
            campaign=self.campaign,
            policy_version="sha256:1c9d",
            requested_at=self.begun_at,
            decided_at=self.at(after),
            **more,
        )

    def result(self, outcome: Outcome, *, after: float = 0.7, **more: Any) -> SendResult:  # noqa: ANN401
        """Tell what the sender did."""
        attempt = (
            None if outcome == "not_sent" else attempt_id_of(message_id_of(self.client, self.request_id), 1)
        )
        return SendResult(
            message_id=self.message_id,
            grant_id=uuid4(),
            contact_id=self.contact_id,
            lane=self.lane,
            number=self.number,
            attempt_id=attempt,
            outcome=outcome,
            platform_message_ref=platform_message_ref(self.wamid) if outcome == "accepted" else None,
            started_at=self.at(after - 0.3) if attempt else None,
            recorded_at=self.at(after),
            **more,
        )

    def status(
        self, status: str, *, after: float = 2, ours: bool = True, code: int | None = None
    ) -> MessageStatus:
        """Tell what the platform saw."""
        at = self.at(after).replace(microsecond=0)
        attempt = attempt_id_of(message_id_of(self.client, self.request_id), 1)
        return MessageStatus(
            wamid=self.wamid,
            status=status,
            waba="102290129340398",
            number=self.number,
            recipient=Person(phone=PHONE),
            attempt_id=attempt if ours else None,
            category="marketing" if self.purpose == "promo" else "service",
            billing="regular",
            errors=(PlatformError(code=code),) if code else (),
            occurred_at=at,
            received_at=at,
            raw={"recipient_id": PHONE},
        )

    def answered(self, *, after: float = 60) -> tuple[InboundMessage, CareMessage]:
        """Let the customer write back: what ingest and the router make of it."""
        at = self.at(after).replace(microsecond=0)
        wamid = f"wamid.in.{self.message_id.hex}"
        inbound = InboundMessage(
            wamid=wamid,
            waba="102290129340398",
            number=self.number,
            sender=Person(phone=PHONE),
            name=NAME,
            kind="text",
            text=TEXT,
            occurred_at=at,
            received_at=at,
            raw={"from": PHONE},
        )
        care = CareMessage(
            wamid=wamid,
            contact_id=self.contact_id,
            brand=self.brand,
            number=self.number,
            kind="text",
            text=TEXT,
            name=NAME,
            answers=self.message_id,
            window_until=at + timedelta(hours=24),
            occurred_at=at,
        )
        return inbound, care

    def stopped(self, *, after: float = 60) -> PromoEngaged:
        """Let the customer ask for no more promos."""
        return PromoEngaged(
            engagement_id=f"wamid.stop.{self.message_id.hex}",
            contact_id=self.contact_id,
            brand=self.brand,
            number=self.number,
            action="opted_out",
            message_id=self.message_id,
            campaign=self.campaign,
            occurred_at=self.at(after).replace(microsecond=0),
        )
