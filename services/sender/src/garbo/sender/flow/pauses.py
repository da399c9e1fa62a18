"""Pauses: what may not be sent now, asked before anything begins and again before it leaves.

The database holds them for all replicas; each reads them every second, and at once what it ordered itself.

    answers, statuses --note--> (in force here at once) --write--> database --read--> all replicas, news

Instants are seconds of the clock given.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from garbo.common.errors import RetryLater
from garbo.common.events.decisions import Lane
from garbo.common.events.statuses import MessageStatus
from garbo.sender.domain.outcomes import Accepted, Outcome
from garbo.sender.domain.pauses import (
    Order,
    Pause,
    PauseOrder,
    ResumeOrder,
    Thing,
    line_of,
    order_of_answer,
    order_of_status,
    parked_why,
    parts_of,
)
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.ports.pauses import PauseFigures, PauseNews, PauseSwitches

EVERY_S: Final = 1.0
COUNT_EVERY_S: Final = 15.0
OF_LATE: Final = timedelta(minutes=10)
"""A status from before says nothing of now: it may come again after days."""
RECATEGORISED: Final = "template_recategorised"

log = structlog.get_logger()


class Pauses:
    """What is in force, as this process knows it."""

    def __init__(
        self,
        switches: PauseSwitches,
        news: PauseNews,
        figures: PauseFigures,
        *,
        account_of: Callable[[str], str | None],
        now: Callable[[], float],
    ) -> None:
        self._switches, self._news, self._figures = switches, news, figures
        self._account_of, self._now = account_of, now
        self.ready = False
        """Whether it has looked into the database: nothing begins before."""
        self._in_force: dict[Thing, list[Pause]] = {}
        self._read_at = 0.0
        self._noted: dict[tuple[Thing, type[Order]], Order] = {}
        self._sells: Mapping[str, datetime] = {}
        self._wanted = asyncio.Event()
        self._count_at = 0.0

    def stops(self, number: str, lane: Lane) -> bool:
        """Whether nothing of a number's lane may begin, or leave."""
        return any(self._is_paused(thing) for thing in line_of(number, lane, self._account_of(number)))

    def held(self, number: str) -> bool:
        """Whether somebody, and not just a code, will not have a number used at all."""
        things = line_of(number, "care", self._account_of(number))
        return any(one.source != "code" for thing in things for one in self._in_force.get(thing, ()))

    def parks(self, send: QueuedSend) -> str | None:
        """Say why a message waits outside memory; None: nothing of it is paused."""
        parts = parts_of(send, self._account_of(send.number))
        return next((parked_why(thing) for thing in parts if self._is_paused(thing)), None)

    def refuses(self, send: QueuedSend) -> str | None:
        """Say why a message is not sent at all: care with what sells since it was granted."""
        if send.lane == "promo" or send.template is None or not self._sells:
            return None
        template = f"{self._account_of(send.number)}:{send.template.replace('/', ':')}"
        before = self._sells.get(template)
        return RECATEGORISED if before is not None and send.not_before < before else None

    def holds(self, send: QueuedSend) -> bool:
        """Whether a message may not leave now."""
        return (
            self.stops(send.number, send.lane)
            or self.parks(send) is not None
            or self.refuses(send) is not None
        )

    async def take_probe(self, number: str, lane: Lane) -> bool:
        """Say whether one message may find out if a number can send again. Raises `RetryLater`."""
        account = self._account_of(number)
        stopping = [one for thing in line_of(number, lane, account) for one in self._in_force.get(thing, ())]
        if not stopping or any(one.scope != "number" or one.source != "code" for one in stopping):
            return False
        due = self._read_at + min(one.probe_in_s or 0.0 for one in stopping)
        return self._now() >= due and await self._switches.take_probe(number, account=account)

    def note_answer(self, send: QueuedSend, outcome: Outcome, *, probe: bool) -> None:
        """Draw from an answer what may not be sent any more, or may be again."""
        if isinstance(outcome, Accepted) and probe:
            self._note(ResumeOrder("number", send.number, ("code",), "accepted"))
        elif order := order_of_answer(send, outcome, self._account_of(send.number)):
            self._note(order)

    def note_statuses(self, statuses: Sequence[MessageStatus]) -> None:
        """Draw from statuses of late what may not be sent any more."""
        since = datetime.now(UTC) - OF_LATE
        for status in statuses:
            if status.occurred_at > since and (order := order_of_status(status)):
                self._note(order)

    async def order(self, orders: Sequence[Order]) -> Sequence[Pause]:
        """Pause and resume, in force here when it returns; gives what was ended. Raises `RetryLater`."""
        ended = await self._switches.order(orders)
        await self._read()
        self._wanted.set()
        return ended

    async def recategorise(self, template: str, *, sells: bool, told_at: datetime) -> None:
        """Note that a template sells from now on, or no more. Raises `RetryLater`."""
        await self._switches.recategorise(template, sells=sells, told_at=told_at)
        self._wanted.set()

    async def in_force(self) -> Sequence[Pause]:
        """Give what is paused. Raises `RetryLater`."""
        return await self._switches.in_force()

    async def run(self) -> None:
        """Go on for ever."""
        while True:
            self._wanted.clear()
            try:
                await self.look_once()
            except RetryLater as later:
                log.warning("pauses wait", why=later.why)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._wanted.wait()

    async def look_once(self) -> None:
        """Write what was noted, end what is over, read what is in force, tell and show it."""
        await self._write_noted()
        await self._switches.end_due()
        self._sells = await self._switches.recategorised()
        await self._read()
        if self._now() >= self._count_at:
            self._count_at = self._now() + COUNT_EVERY_S
            self._figures.parked(await self._switches.parked_counts())
        await self._tell()

    def _is_paused(self, thing: Thing) -> bool:
        return thing in self._in_force or (thing, PauseOrder) in self._noted

    def _note(self, order: Order) -> None:
        """Have it written; a pause is in force here from now on. What is known is not written again."""
        thing = (order.scope, order.name)
        if isinstance(order, PauseOrder) and thing in self._in_force:
            return
        if (thing, type(order)) not in self._noted:
            self._noted[thing, type(order)] = order
            self._wanted.set()

    async def _write_noted(self) -> None:
        if noted := dict(self._noted):
            await self._switches.order(list(noted.values()))
            await self._read()
            for key in noted:
                del self._noted[key]

    async def _read(self) -> None:
        asked_at = self._now()
        pauses = await self._switches.in_force()
        in_force: dict[Thing, list[Pause]] = {}
        for one in pauses:
            in_force.setdefault(one.thing, []).append(one)
        self._say(in_force)
        self._in_force, self._read_at, self.ready = in_force, asked_at, True
        self._figures.paused(pauses)

    def _say(self, in_force: Mapping[Thing, Collection[Pause]]) -> None:
        """Write a line of each change; who did it stands in the event."""
        for thing in in_force.keys() - self._in_force.keys():
            reasons = sorted({one.reason for one in in_force[thing]})
            log.warning("paused", scope=thing[0], name=_name_in_logs(thing), reasons=reasons)
        for thing in self._in_force.keys() - in_force.keys():
            log.info("resumed", scope=thing[0], name=_name_in_logs(thing))

    async def _tell(self) -> None:
        if untold := await self._switches.take_untold():
            await self._news.publish([change for _, _, change in untold])
            await self._switches.told(list({(place, at): None for place, at, _ in untold}))


def _name_in_logs(thing: Thing) -> str | None:
    """Give the name, unless clients chose it: a campaign may be named by somebody's number."""
    return None if thing[0] == "campaign" else thing[1]
