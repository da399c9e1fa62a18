"""Sending, at both endpoints: what goes wrong on purpose, what is refused, and what is accepted."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from starlette.types import Receive
from starlette.types import Send as Answering

from garbo.simulator.control import Control
from garbo.simulator.faults import Fault
from garbo.simulator.graph.accounts import Accounts, SendingNumber
from garbo.simulator.graph.endings import go_wrong, refuse
from garbo.simulator.graph.errors import GraphError, graph_error
from garbo.simulator.graph.files import UNSHOWN, broken_file, unknown_file
from garbo.simulator.graph.http import BodyTooLarge, answer, read_body
from garbo.simulator.graph.marketing import MARKETING, not_here
from garbo.simulator.graph.requests import MarkRead, Send, read_request
from garbo.simulator.graph.standing import Standing
from garbo.simulator.graph.usage import Usage
from garbo.simulator.instants import now_ns
from garbo.simulator.ledger import Ledger
from garbo.simulator.metrics import ACCEPTED
from garbo.simulator.network import Accepted, Network
from garbo.simulator.population.customers import Customer, Customers
from garbo.simulator.wamids import Wamids

_SUCCESS: Final = b'{"success":true}'
FIRST_WITHIN_S: Final = 5.0
"""How long an answer waits for the status that is to be told before it."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What a send goes through, in order."""

    accounts: Accounts
    control: Control
    standing: Standing
    usage: Usage
    ledger: Ledger
    customers: Customers
    network: Network
    wamids: Wamids


class Messages:
    """`POST /{number}/messages` and `/{number}/marketing_messages`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._accounts, self._control = platform.accounts, platform.control

    async def take(self, number: SendingNumber, receive: Receive, send: Answering, edge: str) -> None:
        """Answer one send by a number whose token is good."""
        fault = self._control.take_fault(number.id) if self._control.state.faults else None
        if fault and fault.kind == "reset":
            await go_wrong(fault, receive, send)
            return
        try:
            raw = await read_body(receive)
        except BodyTooLarge:
            await refuse(send, graph_error(100, "The request body is too large."))
            return
        if self._control.slow and (pause_s := self._control.latency_s(number.id)):
            await asyncio.sleep(pause_s)
        if fault and not fault.accepts:
            await go_wrong(fault, receive, send, _accepted_body("wamid.", None, None))
            return
        outcome = self._decide(number, raw, fault, edge)
        if isinstance(outcome, GraphError):
            await refuse(send, outcome, self._platform.usage.of_refusal(number.waba, outcome))
            return
        body, heard = outcome
        if heard is not None:
            await _at_most(heard, FIRST_WITHIN_S)
        if fault and fault.way != fault.kind:
            await go_wrong(fault, receive, send, body)
        else:
            await answer(send, 200, body, headers=self._usage(number))

    def _usage(self, number: SendingNumber) -> list[tuple[bytes, bytes]]:
        limits = self._control.state.limits
        told = limits.app_usage or limits.account_usage
        return self._platform.usage.headers(number.waba) if told else []

    def _decide(
        self, number: SendingNumber, raw: bytes, fault: Fault | None, edge: str = "messages"
    ) -> tuple[bytes, asyncio.Event | None] | GraphError:
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return graph_error(100, "The request body is not JSON.")
        asked = read_request(body, number, self._accounts)
        if isinstance(asked, GraphError):
            return asked
        if refused := not_here(edge, asked, body, self._accounts.account_facts[number.waba]):
            return refused
        files = asked.files if isinstance(asked, Send) else ()
        if files and (refused := unknown_file(files, self._accounts.media, number.waba)):
            return refused
        instant = now_ns()
        if refused := self._platform.standing.refusal(number, asked, instant):
            return refused
        if isinstance(asked, MarkRead):
            return _SUCCESS, None
        if not self._platform.network.room:
            return graph_error(131016)
        return self._accept(number, replace(asked, lite=True) if edge == MARKETING else asked, fault, instant)

    def _accept(
        self, number: SendingNumber, asked: Send, fault: Fault | None, instant: int
    ) -> tuple[bytes, asyncio.Event | None]:
        platform = self._platform
        customer = platform.customers.at(asked.recipient)
        wamid = platform.wamids.to_peer(customer.wa_id)
        ending = fault.kind if fault else "answered"
        platform.ledger.append(asked, number_id=number.id, wamid=wamid, at_us=instant // 1000, ending=ending)
        platform.standing.note(number, asked, instant)
        ACCEPTED.labels(asked.category).inc()
        customer.number_id = number.id
        code = self._later(number, asked, customer, fault, instant)
        heard = platform.network.follow(Accepted(asked, number, wamid, customer, code, fault))
        return _accepted_body(wamid, asked, customer), heard

    def _later(
        self, number: SendingNumber, asked: Send, customer: Customer, fault: Fault | None, instant: int
    ) -> int | None:
        if fault and fault.kind == "failed_status":
            return fault.code
        if asked.files and broken_file(asked.files, self._accounts.media, self._control.state.broken_links):
            return UNSHOWN
        return self._platform.standing.later(number, asked, customer, instant)


async def _at_most(heard: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await heard.wait()
    except TimeoutError:
        return


def _accepted_body(wamid: str, asked: Send | None, customer: Customer | None) -> bytes:
    message: dict[str, Any] = {"id": wamid}
    contact = {}
    if asked and customer:
        contact = {"input": asked.recipient}
        if asked.recipient.startswith("+"):
            contact["wa_id"] = customer.wa_id
        else:
            contact["user_id"] = customer.user_id
        if asked.template:
            message["message_status"] = "held_for_quality_assessment" if asked.template.held else "accepted"
    return orjson.dumps({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]})
