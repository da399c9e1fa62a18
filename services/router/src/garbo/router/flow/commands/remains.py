"""What is left of an erased person: where, what and until when. `docs/privacy.md` says it at length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from garbo.common.events.erasure import REMEMBERED_FOR
from garbo.common.events.topics import (
    CAMPAIGN_CHANGED,
    IDS_ONLY,
    RAW_TOPICS,
    SEGMENT,
    TOPICS,
    WEBHOOK_RECEIVED,
    WITH_TEXT,
)
from garbo.router.ports.jobs import TOLD_KEPT

FILE_ROW_KEPT: Final = timedelta(days=10)
"""How long the sender knows which files it has dealt with, and a day."""
OBEYED_WITHIN: Final = timedelta(hours=2)
"""Sender and analytics obey within seconds, and look again each hour for what was under way."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """One place where something is left."""

    where: str
    what: str
    until: datetime | None
    """It is gone by then; None: it stays, and leads to nobody."""


def remains(*, erased_at: datetime, keep: timedelta, suppressed: bool) -> Sequence[Remainder]:
    """List what is left, the soonest gone first; `keep` is how long the router keeps its days."""
    found = [*_topics(erased_at), *_files(erased_at), *_tables(erased_at, keep=keep, suppressed=suppressed)]
    far = datetime.max.replace(tzinfo=erased_at.tzinfo)
    return sorted(found, key=lambda left: (left.until or far, left.where))


def _topics(erased_at: datetime) -> Iterator[Remainder]:
    for topic in TOPICS:
        gone_at = erased_at + topic.retention + SEGMENT
        if topic.is_compacted or topic.is_of_nobody:
            continue  # speaks of nobody
        if topic.retention == IDS_ONLY:
            yield Remainder(topic.name, "ids; the contact id leads to nobody", gone_at)
        elif topic is not CAMPAIGN_CHANGED:
            yield Remainder(topic.name, "records as they were, with the address", gone_at)
    yield Remainder(
        WEBHOOK_RECEIVED.name,
        "webhooks as they came, with the address and all it told",
        erased_at + WEBHOOK_RECEIVED.retention + SEGMENT,
    )
    letters = [topic for topic in RAW_TOPICS if topic is not WEBHOOK_RECEIVED]
    for dead in letters:  # one can be driven again on its last day, and fail again
        gone_at = erased_at + dead.retention + SEGMENT + WITH_TEXT + SEGMENT
        yield Remainder(dead.name, "records that were refused, as they were", gone_at)


def _files(erased_at: datetime) -> Iterator[Remainder]:
    yield Remainder(
        "sender.incoming_file, the media store",
        "the contact id, and files they sent; while the store is away the files stay",
        erased_at + OBEYED_WITHIN,
    )
    yield Remainder(
        "sender.incoming_file",
        "that somebody sent a file, to nobody; gone after 9 days",
        erased_at + FILE_ROW_KEPT,
    )


def _tables(erased_at: datetime, *, keep: timedelta, suppressed: bool) -> Iterator[Remainder]:
    soon, days = erased_at + OBEYED_WITHIN, erased_at + keep + timedelta(days=1)
    yield Remainder("sender.message, sender.pair_rate", "the contact id", soon)
    yield Remainder("sender.waiting", "address and content of what was about to be sent, until obeyed", soon)
    yield Remainder("analytics.inbound, analytics.fact, analytics.engagement", "the contact id", soon)
    yield Remainder(
        "sender.erased, analytics.erased",
        "the contact id, to forget what comes late",
        erased_at + REMEMBERED_FOR + timedelta(days=1),
    )
    yield Remainder(
        "router.erased_address",
        "the hash of each address, so that nothing from before brings the person back",
        erased_at + REMEMBERED_FOR + timedelta(days=1),
    )
    yield Remainder(
        "router.told", "hashes of the ids of messages they wrote, of nobody", erased_at + TOLD_KEPT
    )
    yield Remainder("router.outbox", "the news of the erasure: the contact id", soon)
    yield Remainder(
        "router.send_grant", "the contact id, campaign and tags; the request of what is on the wire", days
    )
    yield Remainder(
        "router.decision", "the contact id; case ids, language, campaigns and tags it was made from", days
    )
    yield Remainder(
        "analytics.fact, analytics.engagement",
        "what was sent when, for which campaign, to nobody; gone after GARBO_ANALYTICS_KEEP_DAYS",
        None,
    )
    yield Remainder(
        "sender.message, sender.former_attempt",
        "what was sent when, to nobody; gone after GARBO_SENDER_KEEP_DAYS",
        None,
    )
    yield Remainder("router.contact, router.recipient_state", "the contact id, marked as erased", None)
    yield Remainder("router.consent_record", "proofs of consent without person or evidence", None)
    if suppressed:
        yield Remainder("router.suppression", "the hash of each address: no promo until a new opt-in", None)
