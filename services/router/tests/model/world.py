"""A small world in which histories are played: what happens outside, told to the real flows, then compared.

Time is the database's clock: real time and an offset, so that the clock can be set forth and back while
real time goes on. The platform's own instants are real time.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from garbo.common.errors import RetryLater
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import DECISION_MADE
from garbo.router.domain.instants import to_datetime
from services.router.tests.model.cast import (
    PHONES,
    TEMPLATES,
    KilledError,
    Message,
    Wish,
    rank,
)
from services.router.tests.model.facts import DAY_US, MINUTE_US
from services.router.tests.model.oracle import Oracle
from services.router.tests.model.people import PeopleSide
from services.router.tests.model.plans import SKEW_US, engine_policy, plan_of
from services.router.tests.model.sending import SenderSide
from services.router.tests.support.build import requested, template, text


class World(SenderSide, PeopleSide):
    """One history. Every action may be asked for at any time; one that makes no sense then does nothing."""

    async def ask(self, wishes: Sequence[Wish], crash: str = "no") -> None:
        """Let a batch of requests arrive; perhaps the process dies before its commit, or after it."""
        events = [self._event(wish) for wish in wishes]
        self.batches.append(events)
        for wish, event in zip(wishes, events, strict=True):
            self.messages[event.message_id] = Message(wish, event)
        await self._survive(lambda: self._decide(events), crash)

    async def ask_again(self, nth: int) -> None:
        """Deliver a batch again: the same bytes, and nothing new."""
        if not self.batches:
            return
        before, told = self.store.tables.copied(), len(self.router.publisher.told)
        events = self.batches[nth % len(self.batches)]
        await self._decide(events)
        assert self.store.tables == before, "a redelivery changed something"
        repeated = [a.content for a in self.router.publisher.told[told:] if a.topic is DECISION_MADE]
        stored = [record for e in events for record in before.decisions[e.message_id].records]
        assert sorted(repeated) == sorted(stored), "a repeat is not what was decided"

    async def step(self, us: int) -> None:
        """Let time pass."""
        self.now_us += us
        self.store.now = to_datetime(self.now_us)

    async def step_to(self, nth: int, *, before_us: int = 0) -> None:
        """Go to an instant that a decision named, or just before it."""
        ahead = sorted(
            {i - before_us for i in self.instants if self.now_us < i - before_us < self.now_us + 9 * DAY_US}
        )
        if ahead:
            await self.step(ahead[nth % len(ahead)] - self.now_us)

    async def set_clock(self, by_us: int) -> None:
        """Set the database's clock forth or back; real time stands still."""
        self.offset_us += by_us
        self.gained_us += max(0, by_us)
        await self.step(by_us)

    async def wake(self) -> None:
        """Let the router decide again what is due."""
        for _ in range(20):
            if not await self.work.retry():
                break
        late = [d for d in self.store.tables.deferred.values() if d.due_at_us <= self.now_us]
        assert not late, "what was due is due still"

    async def reap(self) -> None:
        """Let the router end leases nobody claimed."""
        for message in self.messages.values():
            if message.state == "reserved" and message.valid_until_us + SKEW_US < self.now_us:
                message.state = "released"
                del self.facts_of(message).sends[message.event.message_id]
        await self.work.expire()

    async def recheck(self) -> None:
        """Let the router decide again what another policy granted."""
        name = f"p{self.plan}"
        for person in range(len(PHONES)):
            outdated = [
                m
                for m in self.messages.values()
                if (m.state, m.wish.person) == ("reserved", person)
                and m.valid_until_us > self.now_us
                and m.policy != name
            ]
            for message in self._foresee(sorted(outdated, key=rank)):
                message.policy = name
        while await self.work.reevaluate(self.router.policy):
            pass

    def note_shorter_leases(self) -> None:
        """Know of leases that end earlier since something about the person changed; none ever grows."""
        for message_id, message in self.messages.items():
            if message.state == "reserved":
                until_us = self.grants[message_id].valid_until_us
                assert until_us <= message.valid_until_us, "a lease grew"
                message.valid_until_us = until_us

    async def change_policy(self, plan: int) -> None:
        """Put another policy in force."""
        self.plan = plan
        self.router.policy = engine_policy(plan_of(plan), name=f"p{plan}")
        self.oracle = Oracle(plan_of(plan).rules, self.middle_us)

    async def _decide(self, events: Sequence[SendRequested]) -> None:
        await self.router.ask(*events)
        await self.router.tell()  # of what waited and was decided with them

    async def _survive(self, work: Callable[[], Awaitable[None]], crash: str) -> None:
        """Run what a redelivery runs again, after a crash in its middle where one is wished."""
        if crash == "before":
            decisions = dict(self.store.tables.decisions)
            self.store.dies_next = True
            with suppress(KilledError):
                await work()
            self.store.dies_next = False
            assert self.store.tables.decisions == decisions, "who died before the commit left a trace"
        if crash == "after":
            self.router.publisher.failures_left = 1
            with suppress(RetryLater):
                await work()
            self.router.publisher.failures_left = 0
        await work()

    def _event(self, wish: Wish) -> SendRequested:
        def later(minutes: int | None) -> datetime | None:
            return None if minutes is None else to_datetime(self.now_us + minutes * MINUTE_US)

        return requested(
            request_id=UUID(int=self._next()),
            to={"phone": PHONES[wish.person]},
            brand=wish.brand,
            purpose=wish.kind,
            priority=wish.priority,
            campaign=wish.campaign,
            tags=(wish.tag,) if wish.tag else (),
            content=text() if wish.kind == "care" else template(TEMPLATES[wish.kind]),
            not_before=later(wish.not_before_min),
            expires_at=later(wish.expires_min),
            requested_at=to_datetime(self.now_us),
        )
