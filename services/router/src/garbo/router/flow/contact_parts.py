"""The parts of a person's state, one by one, as they are shown to somebody of some brands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

from garbo.router.domain.instants import to_datetime
from garbo.router.domain.state import RecipientState
from garbo.router.flow.contact_view import (
    CaseShown,
    ConsentShown,
    CooldownShown,
    EvidenceShown,
    PreferenceShown,
    QuestionShown,
    StopShown,
    SuppressionShown,
    WaitingShown,
    WindowShown,
)
from garbo.router.ports.contacts import ConsentEvidence
from garbo.router.ports.store import Deferred

EVERY_BRAND: Final = "*"
V = TypeVar("V")


def waiting(deferred: Iterable[Deferred], *, brands: Sequence[str]) -> tuple[WaitingShown, ...]:
    """Show what waits, the next first."""
    return tuple(
        WaitingShown(
            message_id=d.message_id,
            brand=d.brand,
            campaign=d.campaign,
            priority=d.priority,
            reason=d.reason,
            free_at=to_datetime(d.free_at_us),
            due_at=to_datetime(d.due_at_us),
            first_decided_at=to_datetime(d.first_decided_at_us),
            expires_at=_at(d.expires_at_us),
        )
        for d in sorted(deferred, key=lambda d: d.due_at_us)
        if d.brand in brands
    )


def windows(state: RecipientState, *, now_us: int) -> tuple[WindowShown, ...]:
    """Show the customer service windows that ever opened."""
    shown: list[WindowShown] = []
    for number, opened_us in sorted(state.inbound_at_us.items()):
        until_us = state.window_until_us(number) or opened_us
        shown.append(
            WindowShown(
                number=number,
                open=until_us > now_us,
                opened_at=to_datetime(opened_us),
                until=to_datetime(until_us),
            )
        )
    return tuple(shown)


def stops(state: RecipientState, *, brands: Sequence[str]) -> tuple[StopShown, ...]:
    """Show STOP and START."""
    return tuple(
        StopShown(
            brand=brand,
            stopped=stop.active,
            stopped_at=_at(stop.stopped_at_us),
            started_at=_at(stop.started_at_us),
        )
        for brand, stop in _own(state.stops, brands)
    )


def preferences(state: RecipientState, *, brands: Sequence[str]) -> tuple[PreferenceShown, ...]:
    """Show the platform's switches."""
    return tuple(
        PreferenceShown(
            number=number,
            brand=switch.brand,
            stopped=switch.stopped,
            stopped_at=_at(switch.stopped_at_us),
            resumed_at=_at(switch.resumed_at_us),
        )
        for number, switch in sorted(state.preferences.items())
        if switch.brand in brands
    )


def suppressions(state: RecipientState, *, brands: Sequence[str]) -> tuple[SuppressionShown, ...]:
    """Show the lists the person stands on."""
    return tuple(
        SuppressionShown(brand=brand, since=to_datetime(since_us))
        for brand, since_us in _own(state.suppressed, brands)
    )


def cooldowns(state: RecipientState, *, brands: Sequence[str]) -> tuple[CooldownShown, ...]:
    """Show the platform's own brakes."""
    return tuple(
        CooldownShown(brand=brand, until=to_datetime(c.until_us), strikes=c.strikes, by=c.by)
        for brand, c in _own(state.cooldowns, brands)
    )


def questions(state: RecipientState, *, brands: Sequence[str]) -> tuple[QuestionShown, ...]:
    """Show the questions that are open."""
    return tuple(
        QuestionShown(brand=brand, asked_at=to_datetime(q.asked_at_us), until=to_datetime(q.until_us))
        for brand, q in _own(state.questions, brands)
    )


def cases(state: RecipientState) -> tuple[CaseShown, ...]:
    """Show the cases that may still hold promo back."""
    shown: list[CaseShown] = []
    for name, case in sorted(state.cases.items()):
        client, _, case_id = name.partition(":")
        shown.append(
            CaseShown(
                case_id=case_id,
                client=client,
                opened_at=to_datetime(case.opened_at_us),
                closed_at=_at(case.closed_at_us),
            )
        )
    return tuple(shown)


def consents(state: RecipientState, *, brands: Sequence[str]) -> tuple[ConsentShown, ...]:
    """Show what follows from the records."""
    shown: list[ConsentShown] = []
    for key, consent in sorted(state.consents.items()):
        brand, channel, purpose = key.rsplit("/", 2)
        if brand in (*brands, EVERY_BRAND):
            shown.append(
                ConsentShown(
                    brand=brand,
                    channel=channel,
                    purpose=purpose,
                    given_at=_at(consent.given_at_us),
                    confirmed_at=_at(consent.sure_at_us or None),
                    withdrawn_at=_at(consent.withdrawn_at_us),
                )
            )
    return tuple(shown)


def evidence(records: Iterable[ConsentEvidence], *, brands: Sequence[str]) -> tuple[EvidenceShown, ...]:
    """Show the records themselves, the newest first."""
    return tuple(
        EvidenceShown(
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


def _at(us: int | None) -> datetime | None:
    return None if us is None else to_datetime(us)
