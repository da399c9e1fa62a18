"""The ground of a small world: what is known outside, the real flows, and the oracle beside them.

Time is the database's clock: real time and an offset, so that the clock can be set forth and back while
real time goes on. The platform's own instants are real time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from garbo.common.events.base import Event
from garbo.common.events.requests import SendRequested
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_datetime, to_us, to_us_or_none
from garbo.router.outbound.postgres.templates import seeds
from services.router.tests.model.cast import (
    AUTH_MOST_US,
    AUTH_US,
    ERAS,
    NUMBERS,
    PHONES,
    Message,
    MortalStore,
)
from services.router.tests.model.facts import DAY_US, Asked, Facts
from services.router.tests.model.oracle import Oracle
from services.router.tests.model.plans import engine_policy, plan_of
from services.router.tests.support.build import business
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory_jobs import (
    InMemoryBudgetLeases,
    InMemoryOutbox,
)
from services.router.tests.support.router import Router

_BUSINESS: Final = business()
_SEEDS: Final = seeds(_BUSINESS)


@dataclass
class Ground:
    """What one history stands on: what is known outside, and the real flows it is told to."""

    plan: int = 0
    era: int = 0
    people: list[Facts] = field(default_factory=lambda: [Facts() for _ in PHONES])
    messages: dict[UUID, Message] = field(default_factory=dict)
    batches: list[list[SendRequested]] = field(default_factory=list)
    heard: list[Event] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    instants: list[int] = field(default_factory=list)
    """Those that decisions named: time goes there, and just before."""
    offset_us: int = 0
    gained_us: int = 0
    """How far the clock was put forth, in all: by so much it may let somebody pass early."""
    zones_told: dict[int, tuple[str, int]] = field(default_factory=dict)
    """The newest word about a person's zone, and when it was said."""
    case_turn: dict[tuple[int, str, str], int] = field(default_factory=dict)
    """A case that is opened again is a new one."""
    serial: int = 0
    decided: int = 0

    def __post_init__(self) -> None:
        self.now_us = to_us(datetime.fromisoformat(ERAS[self.era % len(ERAS)]))
        self.middle_us = self.now_us // DAY_US * DAY_US
        self.store = MortalStore(to_datetime(self.now_us))
        self.store.know(_SEEDS)
        plan = plan_of(self.plan)
        self.router = Router(self.store, engine_policy(plan, name=f"p{self.plan}"), business=_BUSINESS)
        self.oracle = Oracle(plan.rules, self.middle_us)
        stock, outbox = InMemoryBudgetLeases(self.store), InMemoryOutbox(self.store)
        self.work = Jobs(self.router, self.store, stock, outbox)

    @property
    def real_us(self) -> int:
        """Real time."""
        return self.now_us - self.offset_us

    @property
    def grants(self) -> dict[UUID, Grant]:
        """The newest grant of each message, as stored."""
        newest: dict[UUID, Grant] = {}
        for grant in self.store.tables.grants.values():
            known = newest.get(grant.message_id)
            if known is None or known.epoch < grant.epoch:
                newest[grant.message_id] = grant
        return newest

    def facts_of(self, message: Message) -> Facts:
        """Give what is known of the person a message is for."""
        return self.people[message.wish.person]

    def asked_of(self, message: Message) -> Asked:
        """Say what a request counts as, by the rules of the classes."""
        wish, event, facts = message.wish, message.event, self.facts_of(message)
        wrote = [at for number, at in facts.wrote if number == NUMBERS[wish.brand]]
        stands = (bool(wrote) and max(wrote) + DAY_US > self.now_us) or any(
            closed_us is None for (brand, _), (_, closed_us) in facts.cases.items() if brand == wish.brand
        )
        message_class = "promo" if wish.kind == "care" and not stands else wish.kind
        expires_us = to_us_or_none(event.expires_at)
        if message_class == "auth":
            asked_us = to_us(event.requested_at)
            wanted_us = asked_us + AUTH_US if expires_us is None else expires_us
            expires_us = min(wanted_us, asked_us + AUTH_MOST_US)
        return Asked(
            message_class=message_class,
            brand=wish.brand,
            campaign=wish.campaign,
            tags=event.tags,
            priority=wish.priority,
            free_form=wish.kind == "care",
            number=NUMBERS[wish.brand],
            not_before_us=to_us_or_none(event.not_before) or 0,
            expires_at_us=expires_us,
            first_decided_at_us=message.first_decided_us or None,
        )

    async def _hear(self, event: Event) -> None:
        self.heard.append(event)
        await self.router.hear(event)

    def _foresee(self, candidates: Sequence[Message]) -> list[Message]:
        """Ask the oracle of each grant in turn, as if it were not there; give those that stand."""
        kept: list[Message] = []
        held = {m.event.message_id: self.facts_of(m).sends.pop(m.event.message_id) for m in candidates}
        for message in candidates:
            facts = self.facts_of(message)
            answer = self.oracle.answer(facts, self.asked_of(message), self.now_us)
            if answer.verdict == "allow":
                facts.sends[message.event.message_id] = held[message.event.message_id]
                kept.append(message)
            else:
                message.state, message.foreseen = "asked", answer
        return kept

    def _call_back(self, person: int, brand: str, *, waiting: str) -> None:
        for message in self._undispatched(person, brand):
            message.state = "revoked"
            del self.facts_of(message).sends[message.event.message_id]
        for message in self.messages.values():
            if message.state == "deferred" and self._is_promo_of(message, person, brand):
                message.state = waiting

    def _undispatched(self, person: int, brand: str) -> list[Message]:
        return [
            m for m in self.messages.values() if m.state == "reserved" and self._is_promo_of(m, person, brand)
        ]

    def _is_promo_of(self, message: Message, person: int, brand: str) -> bool:
        return message.message_class == "promo" and (message.wish.person, message.wish.brand) == (
            person,
            brand,
        )

    def _pick(self, nth: int, *states: str) -> Message | None:
        some = [m for m in self.messages.values() if m.state in states]
        return some[nth % len(some)] if some else None

    def _next(self) -> int:
        self.serial += 1
        return self.serial
