"""Who and what there is in a history: people, numbers, requests, and a store whose process may die."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from garbo.common.events.requests import SendRequested
from garbo.router.domain.instants import to_us, to_us_or_none
from services.router.tests.model.facts import MINUTE_US, Answer
from services.router.tests.support.memory_jobs import InMemoryJobStore, InMemoryJobTransaction

SECOND_US: Final = 1_000_000
ERAS: Final = ("2026-06-01T10:00:00Z", "2026-03-27T18:00:00Z", "2026-10-23T18:00:00Z", "2026-04-22T18:00:00Z")
"""Where histories begin: in plain June, and before nights that are shorter or longer than others."""
PHONES: Final = ("+393331234501", "+393331234502")
ZONES: Final = ("Europe/Rome", "America/New_York", "Asia/Kathmandu", "Africa/Cairo", "Australia/Lord_Howe")
NUMBERS: Final = {"acme": "1001", "bolt": "2001"}
"""Where people write to."""
TEMPLATES: Final = {"promo": "sale", "utility": "shipped", "auth": "code"}
AUTH_US: Final = 10 * MINUTE_US
AUTH_MOST_US: Final = 15 * MINUTE_US


class KilledError(Exception):
    """The process died before its commit."""


class MortalStore(InMemoryJobStore):
    """A store whose next transaction may die at its end."""

    dies_next = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[InMemoryJobTransaction]:
        """Open a transaction."""
        async with super().transaction() as transaction:
            yield transaction
            if self.dies_next:
                raise KilledError


@dataclass(frozen=True, slots=True)
class Wish:
    """What one asks for."""

    person: int = 0
    kind: str = "promo"
    brand: str = "acme"
    priority: int = 50
    campaign: str | None = None
    tag: str | None = None
    not_before_min: int | None = None
    expires_min: int | None = None


@dataclass(slots=True)
class Message:
    """What became of a request, as the world knows it."""

    wish: Wish
    event: SendRequested
    state: str = "asked"
    """asked, denied, deferred, reserved, dispatched, unknown, accepted, failed, released, revoked, refunded;
    stopped and not_opted_in when it waited for nothing."""
    sequence: int = 0
    first_decided_us: int = 0
    due_us: int = 0
    valid_until_us: int = 0
    plan: int = 0
    policy: str = ""
    """The policy that permitted it last."""
    order: int = 0
    """Its place among the grants."""
    message_class: str = ""
    granted_us: int = 0
    claimed_us: int = 0
    claimed_real_us: int = 0
    true_us: int | None = None
    """The real instant at which the platform accepted it."""
    arrived: bool = False
    foreseen: Answer | None = None
    """What the oracle said beforehand of a grant that is decided again."""


def given_order(message: Message) -> tuple[int, int]:
    """Give a grant's place among others: the order they were given in."""
    return message.granted_us, message.event.message_id.int


def rank(message: Message) -> tuple[int, int, int, int]:
    """Give a request's place among others: priority, deadline, age, id."""
    event = message.event
    deadline_us = to_us_or_none(event.expires_at)
    return -event.priority, deadline_us or 1 << 62, to_us(event.requested_at), event.request_id.int


def whole_second(us: int | None) -> int:
    """Give the second an instant lies in, as a status tells it."""
    return (us or 0) // SECOND_US * SECOND_US
