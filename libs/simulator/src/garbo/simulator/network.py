"""What follows when a message was accepted: statuses, and the customer's reaction."""

import time
from dataclasses import dataclass
from random import Random
from typing import Any

from garbo.simulator.agenda import Agenda
from garbo.simulator.control import Control
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
    """An injected asynchronous failure."""


class Network:
    """Delivers accepted messages to customers and tells the business about it."""

    def __init__(self, *, control: Control, crowd: Crowd, outbox: Outbox, agenda: Agenda, seed: str) -> None:
        self._control = control
        self._crowd = crowd
        self._outbox = outbox
        self._agenda = agenda
        self._random = Random(f"{seed}/network")  # noqa: S311 - a seeded world, not a secret
        self.failed_total = 0

    @property
    def room(self) -> bool:
        """Tell whether the consequences of another message can be promised."""
        return self._outbox.room

    def follow(self, accepted: Accepted) -> None:
        """Plan everything an accepted message leads to."""
        state = self._control.state
        if not state.webhooks.on:
            return
        code = accepted.failed_code or self._failure(accepted)
        if code is not None:
            self._fail(accepted, code)
            return
        reaction = react(
            category=accepted.send.category,
            known=accepted.customer.known,
            random=accepted.customer.random,
            habits=state.population,
            buttons=accepted.send.buttons,
        )
        self._tell(accepted, reaction)

    def _failure(self, accepted: Accepted) -> int | None:
        state, customer = self._control.state, accepted.customer
        closed = not self._crowd.window_open(customer, accepted.number.id)
        if state.window and closed and accepted.send.template is None:
            return 131047
        promo = accepted.send.category == "marketing"
        if promo and accepted.number.id in customer.refuses:
            return 131050
        die = self._random.random()
        if die < state.undeliverable_ratio or accepted.send.recipient in self._crowd.customers.left:
            return 131026
        return 131049 if promo and customer.known and die > 1 - state.cooldown_ratio else None

    def _fail(self, accepted: Accepted, code: int) -> None:
        self.failed_total += 1
        delay_s = self._drawn(self._control.state.delays.delivered_ms)
        item = _status(accepted, "failed", time.time() + delay_s)
        item["errors"] = [graph_error(code).as_status_error()]
        self._outbox.plan(Update(accepted.number, "statuses", item, None), delay_s)

    def _tell(self, accepted: Accepted, reaction: Reaction) -> None:
        delays = self._control.state.delays
        sent_s = self._drawn(delays.sent_ms)
        delivered_s = sent_s + self._drawn(delays.delivered_ms)
        read_s = delivered_s + self._drawn(delays.read_ms)
        first_s, second_s = sent_s, delivered_s
        if self._random.random() < self._control.state.webhooks.out_of_order_ratio:
            first_s, second_s = delivered_s, sent_s
        now_s = time.time()
        self._plan(accepted, "sent", happens_at=now_s + sent_s, told_in_s=first_s)
        self._plan(accepted, "delivered", happens_at=now_s + delivered_s, told_in_s=second_s)
        if reaction.reads:
            self._plan(accepted, "read", happens_at=now_s + read_s, told_in_s=read_s)
        if reaction.reply:
            self._reply_later(accepted, reaction.reply, read_s + self._drawn(delays.reply_ms))

    def _plan(self, accepted: Accepted, status: str, *, happens_at: float, told_in_s: float) -> None:
        item = _status(accepted, status, happens_at)
        if status != "read":
            item["pricing"] = {
                "billable": True,
                "pricing_model": "PMP",
                "type": "regular",
                "category": accepted.send.category,
            }
        self._outbox.plan(Update(accepted.number, "statuses", item, _contact(accepted)), told_in_s)

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
