"""The customers in motion: they write when they like, and their windows open."""

import time
from random import Random
from typing import Any, Final, Literal

from garbo.simulator.agenda import Agenda
from garbo.simulator.assets.media import INBOUND_FOR_S, Media
from garbo.simulator.control import Control
from garbo.simulator.graph.accounts import Accounts, SendingNumber
from garbo.simulator.graph.errors import graph_error
from garbo.simulator.instants import now_ns
from garbo.simulator.metrics import INBOUND
from garbo.simulator.population.attachments import Attachment
from garbo.simulator.population.customers import Customer, Customers
from garbo.simulator.population.reactions import QUESTIONS, STARTS, STOPS, Reply, pick
from garbo.simulator.wamids import Wamids
from garbo.simulator.webhooks.outbox import Outbox
from garbo.simulator.webhooks.updates import Update

IDLE_S: Final = 1.0
"""How often a rate of zero is looked at again."""
TOO_LARGE: Final = 131052
"""Inbound files above 100 MB are not handed over."""
Preference = Literal["stop", "resume"]
_SAID: Final = {
    "questions_per_minute": QUESTIONS,
    "stops_per_minute": STOPS,
    "starts_per_minute": STARTS,
}
RATES: Final = (
    *_SAID,
    "preference_stops_per_minute",
    "preference_resumes_per_minute",
    "number_changes_per_minute",
)
"""What happens so often a minute, as `control` names it; each keeps one entry on the agenda."""


class Crowd:
    """Writes inbound messages: on its own, in answer, or when told."""

    def __init__(
        self,
        *,
        customers: Customers,
        accounts: Accounts,
        wamids: Wamids,
        control: Control,
        agenda: Agenda,
        outbox: Outbox,
    ) -> None:
        self.customers = customers
        self._accounts = accounts
        self.wamids = wamids
        self._numbers = list(accounts.numbers.values())
        self._control = control
        self._agenda = agenda
        self._outbox = outbox
        self._random = Random(f"{customers.seed}/crowd")  # noqa: S311 - a seeded world, not a secret
        self.inbound_total = 0

    async def start(self) -> None:
        """Begin to live."""
        for rate in RATES:
            self._plan(rate)

    async def stop(self) -> None:
        """Nothing to do: the agenda stops by itself."""

    def write(
        self, customer: Customer, reply: Reply, *, number: SendingNumber, context: str | None = None
    ) -> str:
        """Let a customer write now, in answer to `context` if given; returns the wamid."""
        wamid = self.wamids.from_peer(customer.wa_id)
        now_s = time.time()
        self.inbound_total += 1
        INBOUND.inc()
        customer.number_id = number.id
        customer.written_at[number.id] = now_s
        customer.stopped = (customer.stopped or reply.text in STOPS) and reply.text not in STARTS
        self.customers.remember(customer)
        number.window.note(now_ns())
        item = _inbound(customer, reply, wamid=wamid, now_s=now_s)
        if reply.attachment:
            item |= self._shown(reply, reply.attachment, number)
        if context:
            item["context"] = {"from": number.digits, "id": context}
        self._outbox.plan(Update(number, "messages", item, customer.contact()))
        return wamid

    def _shown(self, reply: Reply, sent: Attachment, number: SendingNumber) -> dict[str, Any]:
        """Keep a customer's file for a week, and write the block that points at it."""
        until = time.time() + INBOUND_FOR_S
        bare = sent.mime_type.partition(";")[0].strip()
        media = self._accounts.media.keep(
            sent.content, Media("", number.waba, number.id, bare, b"", 0, 0, until, sent.filename)
        )
        block: dict[str, Any] = {"id": media.id, "mime_type": sent.mime_type, "sha256": media.webhook_hash}
        block |= {"caption": reply.text} if reply.text and sent.kind in ("image", "video", "document") else {}
        block |= {"filename": sent.filename} if sent.filename and sent.kind == "document" else {}
        block |= {"voice": sent.voice} if sent.kind == "audio" else {}
        block |= {"animated": False} if sent.kind == "sticker" else {}
        return {"type": sent.kind, sent.kind: block}

    def prefer(self, customer: Customer, value: Preference, *, number: SendingNumber) -> None:
        """Let a customer switch promos of one number off or on in WhatsApp; it may not be told."""
        (customer.refuses.add if value == "stop" else customer.refuses.discard)(number.id)
        item = {
            "wa_id": customer.wa_id,
            "user_id": customer.user_id,
            "detail": f"User requested to {value} marketing messages",
            "category": "marketing_messages",
            "value": value,
            "timestamp": int(time.time()),
        }
        if self._random.random() < self._control.state.webhooks.preferences_ratio:
            self._outbox.plan(Update(number, "user_preferences", item, customer.contact()))

    def change_number(self, customer: Customer, *, number: SendingNumber) -> None:
        """Let a customer move to another phone number; the business number they talk with is told."""
        before = customer.wa_id
        self.customers.move(customer)
        said = {
            "body": f"User {customer.name} changed from {before} to {customer.wa_id}",
            "wa_id": customer.wa_id,
            "user_id": customer.user_id,
            "type": "user_changed_number",
        }
        timestamp = str(int(time.time()))
        item = {
            "from": before,
            "id": self.wamids.from_peer(before),
            "timestamp": timestamp,
            "type": "system",
            "system": said,
        }
        self._outbox.plan(Update(number, "messages", item, None))

    def number_of(self, customer: Customer) -> SendingNumber:
        """Give the number this customer talks with: the last one, else one for good by the phone's digits."""
        chosen = self._numbers[int(customer.wa_id) % len(self._numbers)]
        return self._accounts.numbers.get(customer.number_id or chosen.id, chosen)

    def _plan(self, rate: str) -> None:
        habits = self._control.state.population
        per_minute: float = getattr(habits, rate) if habits.on else 0.0
        if per_minute <= 0:
            self._agenda.after(IDLE_S, lambda: self._plan(rate))
            return
        delay_s = self._random.expovariate(per_minute / 60)
        if delay_s > IDLE_S * 10:  # a rate may be turned up meanwhile: waiting has no memory
            self._agenda.after(IDLE_S * 10, lambda: self._plan(rate))
            return
        self._agenda.after(delay_s, lambda: self._happen(rate))

    def _happen(self, rate: str) -> None:
        self._plan(rate)
        die = self._random.random()
        people = [customer for customer in self.customers.population if _may(rate, customer)]
        if not (people and self._control.state.population.on and self._outbox.room):
            return
        customer = self._random.choice(people)
        number = self.number_of(customer)
        match rate:
            case "preference_stops_per_minute":
                self.prefer(customer, "stop", number=number)
            case "preference_resumes_per_minute":
                self.prefer(customer, "resume", number=number)
            case "number_changes_per_minute":
                self.change_number(customer, number=number)
            case _:
                self.write(customer, Reply(pick(_SAID[rate], die)), number=number)


def _may(rate: str, customer: Customer) -> bool:
    match rate:
        case "starts_per_minute":
            return customer.stopped
        case "preference_resumes_per_minute":
            return bool(customer.refuses)
        case _:
            return True


def _inbound(customer: Customer, reply: Reply, *, wamid: str, now_s: float) -> dict[str, Any]:
    item: dict[str, Any] = {
        "from": customer.wa_id,
        "from_user_id": customer.user_id,
        "id": wamid,
        "timestamp": str(int(now_s)),
    }
    if reply.attachment:
        return item
    if reply.too_large:
        errors = [graph_error(TOO_LARGE).as_status_error()]
        return item | {"type": "unsupported", "errors": errors, "unsupported": {"type": "document"}}
    if reply.button_id is not None:
        pressed = {"type": "button_reply", "button_reply": {"id": reply.button_id, "title": reply.text}}
        return item | {"type": "interactive", "interactive": pressed}
    if reply.button:
        payload = reply.text.upper().replace(" ", "_")
        return item | {"type": "button", "button": {"payload": payload, "text": reply.text}}
    return item | {"type": "text", "text": {"body": reply.text}}
