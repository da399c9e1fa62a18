"""A small world in which histories are played: what happens outside, told to the real flows, then compared.

Time is the database's clock: real time and an offset, so that the clock can be set forth and back while
real time goes on. The platform's own instants are real time.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from garbo.common.errors import RetryLater
from garbo.common.events.addresses import Recipient
from garbo.common.events.base import Event
from garbo.common.events.contacts import CaseChanged, ContactUpdated
from garbo.common.events.ids import attempt_id_of
from garbo.common.events.requests import SendRequested
from garbo.common.events.results import Outcome, SendResult
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.topics import DECISION_MADE
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_datetime, to_us, to_us_or_none
from garbo.router.domain.state import Send
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.templates import seeds
from services.router.tests.model.cast import (
    AUTH_MOST_US,
    AUTH_US,
    ERAS,
    NUMBERS,
    PHONES,
    SECOND_US,
    TEMPLATES,
    ZONES,
    KilledError,
    Message,
    MortalStore,
    Wish,
    given_order,
    rank,
    whole_second,
)
from services.router.tests.model.oracle import DAY_US, MINUTE_US, Asked, Facts, Oracle, Sent, stopped
from services.router.tests.model.plans import SEND_BUDGET_US, SKEW_US, engine_policy, plan_of
from services.router.tests.support.build import business, consent, inbound, requested, status, template, text
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory_jobs import (
    InMemoryBudgetLeases,
    InMemoryOutbox,
)
from services.router.tests.support.router import Router

_BUSINESS: Final = business()
_SEEDS: Final = seeds(_BUSINESS)


@dataclass
class World:
    """One history. Every action may be asked for at any time; one that makes no sense then does nothing."""

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

    # Requests

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

    # What the sender does

    async def claim(self, nth: int) -> None:
        """Let the sender claim a grant, as `router.claim_grants` lets it."""
        message = self._pick(nth, "reserved")
        if message is None:
            return
        if self.now_us >= message.valid_until_us:
            await self._result(message, "not_sent", reason="lease_expired")
            message.state = "released"
            del self.facts_of(message).sends[message.event.message_id]
        else:
            key = next(
                k for k, g in self.store.tables.grants.items() if g == self.grants[message.event.message_id]
            )
            grant = self.store.tables.grants[key]
            assert grant.state == "reserved", f"a grant that stands is {grant.state}"
            self.store.tables.grants[key] = replace(grant, state="dispatched")
            message.state = "dispatched"
            message.claimed_us, message.claimed_real_us = self.now_us, self.real_us

    async def accept(self, nth: int, delay_s: int = 0) -> None:
        """Let the platform accept a message, some seconds after its claim, and the sender record that."""
        message = self._pick(nth, "dispatched")
        if message is None:
            return
        self._arrive(message, delay_s)
        await self._result(message, "accepted")
        message.state = "accepted"
        self._sent(message, self.now_us)

    async def fail(self, nth: int) -> None:
        """Let the platform refuse a message."""
        message = self._pick(nth, "dispatched")
        if message is None:
            return
        await self._result(message, "failed")
        message.state = "failed"
        del self.facts_of(message).sends[message.event.message_id]

    async def lose_answer(self, nth: int, *, arrived: bool) -> None:
        """Let the answer of an attempt be lost, whether the platform accepted it or not."""
        message = self._pick(nth, "dispatched")
        if message is None:
            return
        if arrived:
            self._arrive(message, nth % 45)
        await self._result(message, "unknown")
        message.state = "unknown"
        self._sent(message, message.claimed_us + SEND_BUDGET_US, still_open=True)

    async def report(self, nth: int, *, refused: bool = False) -> None:
        """Let a status come for a message that was accepted, or for one nobody knows about."""
        message = self._pick(nth, "dispatched", "unknown", "accepted")
        if message is None:
            return
        known, message_id = message.state, message.event.message_id
        if refused or (message.true_us is None and known == "unknown"):
            if message.arrived or (message.true_us is None and known == "dispatched"):
                return
            await self._status(message, "failed", code=131026)
            message.state, message.true_us = "refunded", None
            self.facts_of(message).sends.pop(message_id, None)
            return
        self._arrive(message, nth % 45)
        message.arrived = message.arrived or nth % 2 == 1
        await self._status(message, "delivered" if nth % 2 else "sent")
        message.state = "accepted"
        if known != "accepted":
            bound_us = min(whole_second(message.true_us) + SECOND_US, message.valid_until_us + SEND_BUDGET_US)
            self._sent(message, bound_us)

    # What people and clients do

    async def write(self, person: int, brand: str, words: str = "hello", *, late_min: int = 0) -> None:
        """Let a person write to a brand."""
        number, at_us, facts = NUMBERS[brand], self.now_us - late_min * MINUTE_US, self.people[person]
        facts.wrote.append((number, at_us))
        if words in ("STOP", "START"):
            facts.stops.append((brand, at_us, words == "STOP"))
        event = inbound(
            words,
            sender={"phone": PHONES[person]},
            number=number,
            wamid=f"wamid.{self._next()}",
            occurred_at=to_datetime(at_us),
            received_at=to_datetime(self.now_us),
        )
        if words == "STOP" and stopped(facts, brand):
            self._call_back(person, brand, waiting="stopped")
        await self._hear(event)

    async def consent(self, person: int, brand: str, action: str) -> None:
        """Let a client record a consent."""
        acts = self.people[person].consents
        acts.append((brand, action, self.now_us))
        gone_us = max((at for about, act, at in acts if (about, act) == (brand, "withdrawn")), default=-1)
        if action == "withdrawn" and all(at <= gone_us for about, _, at in acts if about == brand):
            self._call_back(person, brand, waiting="not_opted_in")
        at = to_datetime(self.now_us)
        names = {"to": {"phone": PHONES[person]}, "consent_id": UUID(int=self._next())}
        await self._hear(consent(action, brand=brand, occurred_at=at, recorded_at=at, **names))

    async def case(self, person: int, brand: str, name: str) -> None:
        """Let a help desk open a case, or close the one that is open."""
        cases, key = (
            self.people[person].cases,
            (brand, f"{name}{self.case_turn.get((person, brand, name), 0)}"),
        )
        opening = key not in cases
        if opening:
            cases[key] = (self.now_us, None)
        elif self.now_us < cases[key][0]:
            return  # the clock was set back: nobody closes what is yet to be opened
        else:
            cases[key] = (cases[key][0], self.now_us)
            self.case_turn[person, brand, name] = self.case_turn.get((person, brand, name), 0) + 1
        if opening:
            self._foresee(sorted(self._undispatched(person, brand), key=given_order))
        at = to_datetime(self.now_us)
        event = CaseChanged(
            case_id=f"{brand}.{key[1]}",
            client="crm",
            brand=brand,
            to=Recipient(phone=PHONES[person]),
            action="opened" if opening else "closed",
            occurred_at=at,
            recorded_at=at,
        )
        await self._hear(event)

    async def move(self, person: int, zone: int) -> None:
        """Let a person move to another time zone."""
        told, known = ZONES[zone % len(ZONES)], self.zones_told.get(person, ("", 0))
        self.moved.add(person)
        if (self.now_us, told) > (known[1], known[0]):
            self.zones_told[person] = (told, self.now_us)
            self.people[person].zones = (told,)
            if told != known[0]:
                granted = [m for brand in NUMBERS for m in self._undispatched(person, brand)]
                self._foresee(sorted(granted, key=given_order))
        event = ContactUpdated(
            update_id=UUID(int=self._next()),
            client="crm",
            to=Recipient(phone=PHONES[person]),
            timezone=told,
            occurred_at=to_datetime(self.now_us),
        )
        await self._hear(event)

    async def hear_again(self, nth: int) -> None:
        """Deliver an event again: it changes nothing."""
        if not self.heard:
            return
        before = self.store.tables.copied()
        await self.router.hear(self.heard[nth % len(self.heard)])
        after = self.store.tables.copied()
        for contact_id, state in before.states.items():
            new = after.states[contact_id]
            opened = {key for key, case in new.cases.items() if case.closed_at_us is None}
            assert opened <= {k for k, c in state.cases.items() if c.closed_at_us is None}, "a case came back"
            assert sorted(new.sends, key=_id) == sorted(state.sends, key=_id), "something counts otherwise"
            before.states[contact_id] = replace(state, cases=new.cases, sends=new.sends, version=new.version)
        assert after == before, "an event that came again changed something"

    # Time and rules

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

    # Inside

    def facts_of(self, message: Message) -> Facts:
        """Give what is known of the person a message is for."""
        return self.people[message.wish.person]

    async def _decide(self, events: Sequence[SendRequested]) -> None:
        await self.router.ask(*events)

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

    async def _hear(self, event: Event) -> None:
        self.heard.append(event)
        await self.router.hear(event)

    async def _result(self, message: Message, outcome: Outcome, *, reason: str | None = None) -> None:
        grant = self.grants[message.event.message_id]
        event = SendResult(
            message_id=grant.message_id,
            grant_id=grant.grant_id,
            contact_id=grant.contact_id,
            lane=grant.lane,
            number=grant.number,
            attempt_id=attempt_id_of(grant.message_id, 1),
            outcome=outcome,
            reason=reason,
            wamid=f"wamid.of.{grant.message_id.hex}" if outcome == "accepted" else None,
            started_at=to_datetime(message.claimed_us) if message.claimed_us else None,
            recorded_at=to_datetime(self.now_us),
        )
        await self._hear(event)

    async def _status(self, message: Message, word: str, *, code: int | None = None) -> None:
        at = to_datetime(whole_second(message.true_us))
        event: MessageStatus = status(message.event.message_id, word, code=code, at=at)
        await self._hear(event)

    def _arrive(self, message: Message, delay_s: int) -> None:
        if message.true_us is None:
            message.true_us = min(self.real_us, message.claimed_real_us + delay_s * SECOND_US)

    def _sent(self, message: Message, at_us: int, *, still_open: bool = False) -> None:
        sends, wish = self.facts_of(message).sends, message.wish
        sends[message.event.message_id] = Sent(
            at_us, message.message_class, wish.brand, wish.campaign, still_open
        )

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

    def _next(self) -> int:
        self.serial += 1
        return self.serial


def _id(send: Send) -> UUID:
    return send.message_id
