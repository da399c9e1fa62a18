"""What still has to be told: ready updates, made into bodies, counted until the business has them."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Final

from garbo.simulator.agenda import Agenda
from garbo.simulator.control import Control
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.webhooks.notices import Notice
from garbo.simulator.webhooks.updates import News, Update, webhook_body

LARGEST_BYTES: Final = 3_000_000
"""No body is larger. Source: Meta, webhooks "Overview" (read 2026-09)."""
BACKLOG = 32
"""Above so many ready updates Meta batches whatever the ratio says."""


@dataclass(slots=True)
class Body:
    """One POST: its bytes, how many updates it holds, how often it was tried in vain."""

    raw: bytes
    count: int
    url: str
    news: tuple[Update, ...] = ()
    """Those somebody waits for."""
    tries: int = 0
    double: bool = False


@dataclass(slots=True)
class WebhookCounts:
    """What became of it, for `/ledger/summary`."""

    planned: int = 0
    delivered: int = 0
    doubled: int = 0
    failed_posts: int = 0
    posts: int = 0
    unheard: int = 0
    """Updates nobody is subscribed to."""


class Outbox:
    """A bounded store of updates. `room` says whether the API may still promise more of them."""

    def __init__(
        self, *, accounts: Accounts, agenda: Agenda, control: Control, seed: str, capacity: int = 200_000
    ) -> None:
        self._accounts = accounts
        self._agenda = agenda
        self._control = control
        self._random = Random(f"{seed}/webhooks")  # noqa: S311 - a seeded world, not a secret
        self._capacity = capacity
        self._ready: deque[tuple[str, News]] = deque()
        self._again: deque[Body] = deque()
        self._filled = asyncio.Event()
        self._all_delivered = asyncio.Event()
        self.pending = 0
        self.counts = WebhookCounts()

    @property
    def room(self) -> bool:
        """Tell whether another message's updates fit."""
        return self.pending < self._capacity

    def tell(self, notice: Notice) -> None:
        """Tell something about a template, a number or an account, now."""
        self.plan(notice)

    def plan(self, update: News, delay_s: float = 0.0) -> None:
        """Tell an update in `delay_s` seconds, if anybody is subscribed to it then."""
        self.pending += 1
        self.counts.planned += 1
        if delay_s > 0:
            self._agenda.after(delay_s, lambda: self._fill(update))
        else:
            self._fill(update)

    async def next_body(self) -> Body:
        """Wait for the next POST to make."""
        while not self._again and not self._ready:
            self._filled.clear()
            await self._filled.wait()
        return self._again.popleft() if self._again else self._from_ready()

    def delivered(self, body: Body) -> None:
        """Count a body that was answered 200; now and then it goes out a second time."""
        for update in body.news:
            if update.heard is not None:
                update.heard.set()
        if not body.double:
            self.counts.delivered += body.count
            if self._random.random() < self._control.state.webhooks.doubled_ratio:
                self._come_back(
                    Body(body.raw, body.count, body.url, double=True), self._random.uniform(0.0, 1.0)
                )
                return
        else:
            self.counts.doubled += body.count
        self._settled(body.count)

    async def all_delivered(self) -> None:
        """Wait until nothing is pending."""
        while self.pending:
            self._all_delivered.clear()
            await self._all_delivered.wait()

    def refused(self, body: Body) -> None:
        """Plan the next try of a body that was not answered 200: growing delays, no end (Meta: 7 days)."""
        self.counts.failed_posts += 1
        hooks = self._control.state.webhooks
        body.tries += 1
        delay_ms = min(hooks.retry_max_ms, hooks.retry_ms * 2 ** min(body.tries - 1, 20))
        self._come_back(body, delay_ms / 1000 * self._random.uniform(0.75, 1.25))

    def _from_ready(self) -> Body:
        hooks = self._control.state.webhooks
        size = 1
        if len(self._ready) > BACKLOG or self._random.random() < hooks.batch_ratio:
            size = min(hooks.batch_max, len(self._ready))
        url = self._ready[0][0]
        news: list[News] = []
        while len(news) < size and self._ready and self._ready[0][0] == url:
            news.append(self._ready.popleft()[1])
        raw = webhook_body(news)
        while len(raw) > LARGEST_BYTES and len(news) > 1:
            self._ready.extendleft((url, one) for one in reversed(news[len(news) // 2 :]))
            del news[len(news) // 2 :]
            raw = webhook_body(news)
        waited = tuple(one for one in news if isinstance(one, Update) and one.heard is not None)
        return Body(raw, len(news), url, waited)

    def _come_back(self, body: Body, delay_s: float) -> None:
        def put() -> None:
            self._again.append(body)
            self._filled.set()

        self._agenda.after(delay_s, put)

    def _fill(self, update: News) -> None:
        url = self._accounts.callback_of(update.waba, update.number_id, update.field)
        if url is None:
            self.counts.unheard += 1
            if isinstance(update, Update) and update.heard is not None:
                update.heard.set()
            self._settled(1)
            return
        if isinstance(update, Update):
            kind = type(update.item["timestamp"])  # text in messages and statuses, a number in preferences
            update.item["timestamp"] = kind(min(int(update.item["timestamp"]), int(time.time())))
        self._ready.append((url, update))
        self._filled.set()

    def _settled(self, count: int) -> None:
        self.pending -= count
        if not self.pending:
            self._all_delivered.set()
