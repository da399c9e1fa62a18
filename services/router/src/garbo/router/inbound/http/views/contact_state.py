"""The parts of a person's state, one by one, as they are shown to somebody of some brands."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, TypeVar
from uuid import UUID

from pydantic import AwareDatetime

from garbo.router.domain.instants import to_datetime
from garbo.router.domain.state import RecipientState
from garbo.router.inbound.http.views.view import View, instant
from garbo.router.ports.contacts import ConsentEvidence

EVERY_BRAND: Final = "*"
V = TypeVar("V")


class WindowView(View):
    """The customer service window to one business number."""

    number: str
    open: bool
    opened_at: AwareDatetime
    until: AwareDatetime


class StopView(View):
    """What the person last said to a brand: STOP or START."""

    brand: str
    stopped: bool
    stopped_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None


class PreferenceView(View):
    """The platform's own switch for marketing of one business number."""

    number: str
    brand: str
    stopped: bool
    stopped_at: AwareDatetime | None = None
    resumed_at: AwareDatetime | None = None


class SuppressionView(View):
    """A list that forbids promo; a later opt-in outweighs it."""

    brand: str
    since: AwareDatetime


class CooldownView(View):
    """The platform held a promo back; none of the brand until then."""

    brand: str
    until: AwareDatetime
    strikes: int
    by: UUID


class QuestionView(View):
    """The person was asked whether they meant STOP; promo waits."""

    brand: str
    asked_at: AwareDatetime
    until: AwareDatetime


class CaseView(View):
    """A conversation somebody works on."""

    case_id: str
    client: str
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None = None


class ConsentView(View):
    """What follows from the consent records: the newest instant of each action."""

    brand: str
    channel: str
    purpose: str
    given_at: AwareDatetime | None = None
    confirmed_at: AwareDatetime | None = None
    withdrawn_at: AwareDatetime | None = None


class ConsentEvidenceView(View):
    """One consent record, as it was told."""

    consent_id: UUID
    brand: str
    number: str | None = None
    channel: str
    purpose: str
    action: str
    source: str
    actor: str
    text_version: str | None = None
    text_hash: str | None = None
    locale: str | None = None
    evidence: str | None = None
    occurred_at: AwareDatetime
    received_at: AwareDatetime


def windows(state: RecipientState, *, numbers: Collection[str], now_us: int) -> tuple[WindowView, ...]:
    """Show the customer service windows that ever opened."""
    views: list[WindowView] = []
    for number, opened_us in sorted(state.inbound_at_us.items()):
        if number not in numbers:
            continue
        until_us = state.window_until_us(number) or opened_us
        views.append(
            WindowView(
                number=number,
                open=until_us > now_us,
                opened_at=to_datetime(opened_us),
                until=to_datetime(until_us),
            )
        )
    return tuple(views)


def stops(state: RecipientState, *, brands: Sequence[str]) -> tuple[StopView, ...]:
    """Show STOP and START."""
    return tuple(
        StopView(
            brand=brand,
            stopped=stop.active,
            stopped_at=instant(stop.stopped_at_us),
            started_at=instant(stop.started_at_us),
        )
        for brand, stop in _own(state.stops, brands)
    )


def preferences(state: RecipientState, *, brands: Sequence[str]) -> tuple[PreferenceView, ...]:
    """Show the platform's switches."""
    return tuple(
        PreferenceView(
            number=number,
            brand=switch.brand,
            stopped=switch.stopped,
            stopped_at=instant(switch.stopped_at_us),
            resumed_at=instant(switch.resumed_at_us),
        )
        for number, switch in sorted(state.preferences.items())
        if switch.brand in brands
    )


def suppressions(state: RecipientState, *, brands: Sequence[str]) -> tuple[SuppressionView, ...]:
    """Show the lists the person stands on."""
    return tuple(
        SuppressionView(brand=brand, since=to_datetime(since_us))
        for brand, since_us in _own(state.suppressed, brands)
    )


def cooldowns(state: RecipientState, *, brands: Sequence[str]) -> tuple[CooldownView, ...]:
    """Show the platform's own brakes."""
    return tuple(
        CooldownView(brand=brand, until=to_datetime(c.until_us), strikes=c.strikes, by=c.by)
        for brand, c in _own(state.cooldowns, brands)
    )


def questions(state: RecipientState, *, brands: Sequence[str]) -> tuple[QuestionView, ...]:
    """Show the questions that are open."""
    return tuple(
        QuestionView(brand=brand, asked_at=to_datetime(q.asked_at_us), until=to_datetime(q.until_us))
        for brand, q in _own(state.questions, brands)
    )


def cases(state: RecipientState, *, brands: Sequence[str]) -> tuple[CaseView, ...]:
    """Show the cases that may still hold promo back."""
    views: list[CaseView] = []
    for name, case in sorted(state.cases.items()):
        if case.brand not in (*brands, EVERY_BRAND):
            continue
        client, _, case_id = name.partition(":")
        views.append(
            CaseView(
                case_id=case_id,
                client=client,
                opened_at=to_datetime(case.opened_at_us),
                closed_at=instant(case.closed_at_us),
            )
        )
    return tuple(views)


def consents(state: RecipientState, *, brands: Sequence[str]) -> tuple[ConsentView, ...]:
    """Show what follows from the records."""
    views: list[ConsentView] = []
    for key, consent in sorted(state.consents.items()):
        brand, channel, purpose = key.rsplit("/", 2)
        if brand in (*brands, EVERY_BRAND):
            views.append(
                ConsentView(
                    brand=brand,
                    channel=channel,
                    purpose=purpose,
                    given_at=instant(consent.given_at_us),
                    confirmed_at=instant(consent.sure_at_us or None),
                    withdrawn_at=instant(consent.withdrawn_at_us),
                )
            )
    return tuple(views)


def evidence(records: Iterable[ConsentEvidence], *, brands: Sequence[str]) -> tuple[ConsentEvidenceView, ...]:
    """Show the records themselves, the newest first."""
    return tuple(
        ConsentEvidenceView(
            consent_id=r.consent_id,
            brand=r.brand,
            number=r.number,
            channel=r.channel,
            purpose=r.purpose,
            action=r.action,
            source=r.source,
            actor=r.actor,
            text_version=r.text_version,
            text_hash=r.text_hash,
            locale=r.locale,
            evidence=r.evidence,
            occurred_at=to_datetime(r.occurred_at_us),
            received_at=to_datetime(r.received_at_us),
        )
        for r in sorted(records, key=lambda r: r.occurred_at_us, reverse=True)
        if r.brand in (*brands, EVERY_BRAND)
    )


def _own(by_brand: Mapping[str, V], brands: Sequence[str]) -> list[tuple[str, V]]:
    return sorted(
        ((brand, value) for brand, value in by_brand.items() if brand in (*brands, EVERY_BRAND)),
        key=lambda item: item[0],
    )
