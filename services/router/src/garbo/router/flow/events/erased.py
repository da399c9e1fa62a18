"""What was said of people before they were erased, and comes late: it brings nobody back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from garbo.common.events.base import Event
from garbo.common.events.contacts import CaseChanged, ConsentRecorded
from garbo.router.domain.instants import to_us
from garbo.router.flow.events.handler import EventTargets, ReadEvent
from garbo.router.ports.contacts import Address, ConsentEvidence, ConsentKey, ContactTransaction

RecordedConsents: TypeAlias = Mapping[ConsentKey, ConsentEvidence | None]
"""Kept already, by name; None where the person was erased since."""


async def without_the_erased(
    transaction: ContactTransaction, events: Sequence[ReadEvent], recorded: RecordedConsents
) -> list[ReadEvent]:
    """Leave out what was said of somebody before they were erased: an old webhook, a letter driven again."""
    hashes = {address.hash for event in events for address in _named(event.handler.targets)}
    erased_at_us = await transaction.erased_at(hashes) if hashes else {}

    def is_of_the_erased(event: ReadEvent) -> bool:
        targets = event.handler.targets
        consent = targets.consent
        if consent is not None and consent in recorded and recorded[consent] is None:
            return True
        erasures = [erased_at_us[a.hash] for a in _named(targets) if a.hash in erased_at_us]
        return bool(erasures) and to_us(_said_at(event.received.event)) <= max(erasures)

    return [event for event in events if not is_of_the_erased(event)]


def _named(targets: EventTargets) -> tuple[Address, ...]:
    who = targets.contact
    if who is None:
        return ()
    return who.addresses if who.same_as is None else who.addresses + who.same_as.addresses


def _said_at(event: Event) -> datetime:
    """Give when it was said: a client may tell today of a consent that was given long ago."""
    return event.recorded_at if isinstance(event, ConsentRecorded | CaseChanged) else event.happened_at
