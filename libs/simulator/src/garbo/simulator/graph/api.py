"""The Graph API: who may send, what goes wrong on purpose, and what is accepted."""

import asyncio
import re
import time
from typing import Any, Final

import orjson
from starlette.types import Receive, Scope
from starlette.types import Send as Answering

from garbo.simulator.control import Control, Fault
from garbo.simulator.graph.accounts import Accounts, SendingNumber
from garbo.simulator.graph.errors import GraphError, graph_error, unknown_object
from garbo.simulator.graph.http import BodyTooLarge, answer, drop_connection, read_body
from garbo.simulator.graph.requests import MarkRead, Send, read_request
from garbo.simulator.ledger import Ledger
from garbo.simulator.metrics import ACCEPTED, REFUSED
from garbo.simulator.network import Accepted, Network
from garbo.simulator.population.customers import Customer, Customers
from garbo.simulator.wamids import wamid_to

GRAPH_PATH: Final = re.compile(r"/v\d{1,2}\.\d/([^/]{1,64})(/messages)?/?")
_SUCCESS: Final = b'{"success":true}'


class GraphApi:
    """An ASGI application for `POST /{version}/{number}/messages` and `GET /{version}/{number}`."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        control: Control,
        ledger: Ledger,
        customers: Customers,
        network: Network,
    ) -> None:
        self._accounts = accounts
        self._control = control
        self._ledger = ledger
        self._customers = customers
        self._network = network

    async def __call__(self, scope: Scope, receive: Receive, send: Answering) -> None:
        """Answer one request."""
        path = GRAPH_PATH.fullmatch(scope["path"])
        number = self._enter(scope, path)
        if isinstance(number, GraphError):
            await _refuse(send, number)
        elif path and path[2] and scope["method"] == "POST":
            await self._messages(number, receive, send)
        elif path and not path[2] and scope["method"] == "GET":
            await answer(send, 200, _described(number))
        else:
            await _refuse(send, graph_error(100, "Unknown path or method."))

    def _enter(self, scope: Scope, path: re.Match[str] | None) -> SendingNumber | GraphError:
        token = _bearer(scope)
        if token is None or token not in self._accounts.tokens:
            return graph_error(190)
        number = self._accounts.numbers.get(path[1]) if path else None
        if number is None:
            return unknown_object(path[1] if path else "?", scope["method"].lower())
        return number if number.token == token else graph_error(10)

    async def _messages(self, number: SendingNumber, receive: Receive, send: Answering) -> None:
        try:
            raw = await read_body(receive)
        except BodyTooLarge:
            await _refuse(send, graph_error(100, "The request body is too large."))
            return
        if self._control.state.latency_ms:
            await asyncio.sleep(self._control.state.latency_ms / 1000)
        fault = self._control.take_fault(number.id) if self._control.state.faults else None
        if fault and fault.kind in ("error", "hang", "drop"):
            await _go_wrong(fault, receive, send)
            return
        outcome = self._decide(number, raw, fault)
        if isinstance(outcome, GraphError):
            await _refuse(send, outcome)
        elif fault and fault.kind == "accept_then_drop":
            await drop_connection(receive)
        elif fault and fault.kind == "accept_then_error":
            await _refuse(send, graph_error(fault.code))
        else:
            await answer(send, 200, outcome)

    def _decide(self, number: SendingNumber, raw: bytes, fault: Fault | None) -> bytes | GraphError:
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return graph_error(100, "The request body is not JSON.")
        asked = read_request(body, number, self._accounts)
        if isinstance(asked, GraphError):
            return asked
        if self._control.state.rate_limits and not number.window.take(time.time_ns()):
            return graph_error(130429)
        if isinstance(asked, MarkRead):
            return _SUCCESS
        if not self._network.room:
            return graph_error(131016)
        return self._accept(number, asked, fault)

    def _accept(self, number: SendingNumber, asked: Send, fault: Fault | None) -> bytes:
        customer = self._customers.at(asked.recipient)
        wamid = wamid_to(customer.wa_id)
        self._ledger.append(asked, number_id=number.id, wamid=wamid, at_us=time.time_ns() // 1000)
        ACCEPTED.labels(asked.category).inc()
        customer.number_id = number.id
        code = fault.code if fault and fault.kind == "failed_status" else None
        self._network.follow(Accepted(asked, number, wamid, customer, code))
        return _accepted_body(asked, wamid, customer)


async def _go_wrong(fault: Fault, receive: Receive, send: Answering) -> None:
    if fault.kind == "error":
        await _refuse(send, graph_error(fault.code))
        return
    if fault.kind == "hang":
        await asyncio.sleep(fault.hang_ms / 1000)
    await drop_connection(receive)


async def _refuse(send: Answering, error: GraphError) -> None:
    REFUSED.labels(str(error.code)).inc()
    await answer(send, error.http_status, error.body())


def _bearer(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if kind.lower() == "bearer" else None
    return None


def _accepted_body(asked: Send, wamid: str, customer: Customer) -> bytes:
    contact = {"input": asked.recipient}
    if asked.recipient.startswith("+"):
        contact["wa_id"] = customer.wa_id
    else:
        contact["user_id"] = customer.user_id
    message: dict[str, Any] = {"id": wamid}
    if asked.template:
        message["message_status"] = "accepted"
    return orjson.dumps({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]})


def _described(number: SendingNumber) -> bytes:
    return orjson.dumps(
        {
            "id": number.id,
            "display_phone_number": number.display,
            "verified_name": "Garbo demo",
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
            "throughput": {"level": "STANDARD"},
        }
    )
