"""What follows when a message was accepted: statuses, and the customer's reaction."""

import asyncio
import time
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from garbo.simulator.agenda import Agenda
from garbo.simulator.control import Control
from garbo.simulator.faults import Fault
from garbo.simulator.graph.accounts import SendingNumber
from garbo.simulator.graph.errors import graph_error
from garbo.simulator.graph.requests import Send
from garbo.simulator.population.crowd import Crowd
from garbo.simulator.population.customers import Customer
from garbo.simulator.population.reactions import Reaction, Reply, react
from garbo.simulator.webhooks.outbox import Outbox
from garbo.simulator.webhooks.updates import Update


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message the API said yes to."""

    send: Send
    number: SendingNumber
    wamid: str
    customer: Customer
    failed_code: int | None = None
    """An asynchronous failure that is known already."""
    fault: Fault | None = None
    """What goes wrong with its statuses."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How the statuses of one message are told, beside the usual delays."""

    never: bool = False
    twice: bool = False
    late_s: float = 0.0
    heard: asyncio.Event | None = None
    """The first status is told at once, and whoever answers waits for this."""

    @property
    def times(self) -> int:
        """How often each is told."""
        return 2 if self.twice else 1

    def moved(self, delay_s: float) -> float:
        """Move the first delay."""
        return 0.0 if self.heard is not None else delay_s + self.late_s


class Network:
    """Delivers accepted messages to customers and tells the business about it."""

    def __init__(self, *, control: Control, crowd: Crowd, outbox: Outbox, agenda: Agenda, seed: str) -> None:
        self._control = control
        self._crowd = crowd
        self._outbox = outbox
        self._agenda = agenda
        self._random = Random(f"{seed}/network")  # noqa: S311 - a seeded world, not a secret
        self._held: dict[str, list[Accepted]] = {}
        self.failed_total = 0

    @property
    def room(self) -> bool:
        """Tell whether the consequences of another message can be promised."""
        return self._outbox.room

    def follow(self, accepted: Accepted) -> asyncio.Event | None:
        """Plan everything an accepted message leads to.

        Gives what its answer must wait for, where the first status is to be told before it.
        """
        if not self._control.state.webhooks.on:
            return None
        template = accepted.send.template
        if template is not None and template.held:
            self._held.setdefault(template.id, []).append(accepted)
            return None
        timing = self._timing(accepted.fault)
        if not timing.never:
            self._happen(accepted, timing)
        return timing.heard

    def let_go(self, template_id: str, *, code: int | None = None) -> int:
        """Deliver what was held back of a template, or fail it with `code`; gives how many there were."""
        held = self._held.pop(template_id, [])
        for accepted in held:
            self._happen(replace(accepted, failed_code=code or accepted.failed_code), Timing())
        return len(held)

    def _timing(self, fault: Fault | None) -> Timing:
        hooks, kind = self._control.state.webhooks, fault.kind if fault else ""
        if hooks.never_ratio and self._random.random() < hooks.never_ratio:
            kind = "statuses_never"
        if hooks.late_ratio and self._random.random() < hooks.late_ratio:
            kind = "statuses_late"
        if hooks.first_ratio and self._random.random() < hooks.first_ratio:
            kind = "statuses_first"
        late_ms = fault.hang_ms if fault and fault.kind == kind else hooks.late_ms
        return Timing(
            never=kind == "statuses_never",
            twice=kind == "statuses_twice",
            late_s=late_ms / 1000 if kind == "statuses_late" else 0.0,
            heard=asyncio.Event() if kind == "statuses_first" else None,
        )

    def _happen(self, accepted: Accepted, timing: Timing) -> None:
        state = self._control.state
        code = accepted.failed_code or self._failure(accepted)
        if code is not None:
            self._fail(accepted, code, timing)
            return
        reaction = react(
            category=accepted.send.category,
            known=accepted.customer.known,
            random=accepted.customer.random,
            habits=state.population,
            buttons=accepted.send.buttons,
        )
        self._tell(accepted, reaction, timing)

    def _failure(self, accepted: Accepted) -> int | None:
        state, customer = self._control.state, accepted.customer
        closed = not customer.window_open(accepted.number.id)
        if state.window and closed and accepted.send.template is None:
            return 131047
        promo = accepted.send.category == "marketing"
        if promo and accepted.number.id in customer.refuses:
            return 131050
        die = self._random.random()
        if die < state.undeliverable_ratio or accepted.send.recipient in self._crowd.customers.left:
            return 131026
        return 131049 if promo and customer.known and die > 1 - state.cooldown_ratio else None

    def _fail(self, accepted: Accepted, code: int, timing: Timing) -> None:
        self.failed_total += 1
        delay_s = timing.moved(self._drawn(self._control.state.delays.delivered_ms))
        item = _status(accepted, "failed", time.time() + delay_s)
        item["errors"] = [graph_error(code).as_status_error()]
        for _ in range(timing.times):
            self._outbox.plan(Update(accepted.number, "statuses", dict(item), None, timing.heard), delay_s)

    def _tell(self, accepted: Accepted, reaction: Reaction, timing: Timing) -> None:
        delays = self._control.state.delays
        sent_s = timing.moved(self._drawn(delays.sent_ms))
        delivered_s = sent_s + self._drawn(delays.delivered_ms)
        read_s = delivered_s + self._drawn(delays.read_ms)
        first_s, second_s = sent_s, delivered_s
        if self._random.random() < self._control.state.webhooks.out_of_order_ratio:
            first_s, second_s = delivered_s, sent_s
        now_s = time.time()
        for _ in range(timing.times):
            self._plan(accepted, "sent", (now_s + sent_s, first_s), timing.heard)
            self._plan(accepted, "delivered", (now_s + delivered_s, second_s))
            if reaction.reads:
                self._plan(accepted, "read", (now_s + read_s, read_s))
        if reaction.reply:
            self._reply_later(accepted, reaction.reply, read_s + self._drawn(delays.reply_ms))

    def _plan(
        self,
        accepted: Accepted,
        status: str,
        when: tuple[float, float],
        heard: asyncio.Event | None = None,
    ) -> None:
        """Plan one status: `when` is the instant it happens at and in how many seconds it is told."""
        happens_at, told_in_s = when
        item = _status(accepted, status, happens_at)
        if status != "read":
            item["pricing"] = {
                "billable": True,
                "pricing_model": "PMP",
                "type": "regular",
                "category": accepted.send.price_category,
            }
        update = Update(accepted.number, "statuses", item, _contact(accepted), heard)
        self._outbox.plan(update, told_in_s)

    def _reply_later(self, accepted: Accepted, reply: Reply, delay_s: float) -> None:
        def write() -> None:
            if self._control.state.population.on:
                self._crowd.write(accepted.customer, reply, number=accepted.number, context=accepted.wamid)

        self._agenda.after(delay_s, write)

    def _drawn(self, mean_ms: int) -> float:
        return mean_ms / 1000 * (0.5 + self._random.random())


def _status(accepted: Accepted, status: str, happens_at: float) -> dict[str, Any]:
    item: dict[str, Any] = {"id": accepted.wamid, "status": status, "timestamp": str(int(happens_at))}
    by_phone = accepted.send.recipient.startswith("+")
    if by_phone:
        item["recipient_id"] = accepted.customer.wa_id
    if not by_phone or status != "failed":
        item["recipient_user_id"] = accepted.customer.user_id
    if accepted.send.biz_opaque is not None:
        item["biz_opaque_callback_data"] = accepted.send.biz_opaque
    return item


def _contact(accepted: Accepted) -> dict[str, Any]:
    contact = {"user_id": accepted.customer.user_id}
    if accepted.send.recipient.startswith("+"):
        contact["wa_id"] = accepted.customer.wa_id
    return contact
