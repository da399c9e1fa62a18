"""The Graph API: who may ask, and which of its doors answers. Bare ASGI, for load runs come through here."""

import asyncio
import re
from typing import Final

import orjson
from starlette.types import Receive, Scope
from starlette.types import Send as Answering

from garbo.simulator.assets.media import MIB, MOST_BYTES
from garbo.simulator.assets.tokens import MESSAGING
from garbo.simulator.graph.access import check_proof, check_scope, holder_of, query_of, token_of
from garbo.simulator.graph.accounts import SendingNumber
from garbo.simulator.graph.endings import go_wrong, refuse
from garbo.simulator.graph.errors import Refusal, graph_error, unknown_object
from garbo.simulator.graph.http import MAX_BODY_BYTES, BodyTooLarge, answer, read_body
from garbo.simulator.graph.marketing import MARKETING
from garbo.simulator.graph.messages import Messages, Platform
from garbo.simulator.graph.nodes.call import Call
from garbo.simulator.graph.nodes.directory import Nodes
from garbo.simulator.graph.nodes.parameters import params_of
from garbo.simulator.graph.nodes.uploads import PREFIX

SENDING: Final = ("messages", MARKETING)
GRAPH_PATH: Final = re.compile(
    r"/v\d{1,2}\.\d/([^/]{1,128})(?:/([^/]{1,64}))?/?|/(debug_token)/?|/(whatsapp_business/attachments)/?"
)


class GraphApi:
    """An ASGI application for all paths of `GRAPH_PATH`."""

    def __init__(self, *, platform: Platform, messages: Messages, nodes: Nodes) -> None:
        self._accounts = platform.accounts
        self._control, self._usage = platform.control, platform.usage
        self._messages = messages
        self._nodes = nodes

    async def __call__(self, scope: Scope, receive: Receive, send: Answering) -> None:
        """Answer one request."""
        path = GRAPH_PATH.fullmatch(scope["path"])
        node, edge = (path[1] or path[3] or "", path[2]) if path else ("", None)
        try:
            if edge in SENDING and scope["method"] == "POST":
                number = self._sending(scope, node)
                await self._messages.take(number, receive, send, edge)
            elif node.startswith(PREFIX) or (path and path[4]):
                await self._bytes(scope, receive, send, node)
            else:
                await self._node(scope, receive, send, node, edge or "")
        except Refusal as refusal:
            waba = self._nodes.concern(node, "")[1] or ""
            await refuse(send, refusal.error, self._usage.of_refusal(waba, refusal.error))

    def _sending(self, scope: Scope, number_id: str) -> SendingNumber:
        """Find the number a send is for; raises `Refusal` where the token may not send from it."""
        query = query_of(scope) if scope["query_string"] else {}
        token, number = token_of(scope, query), self._accounts.numbers.get(number_id)
        facts = self._accounts.facts_of(token) if token else None
        plain = facts is not None and facts.plain
        if query or not plain or self._accounts.app_facts.require_proof:
            holder = holder_of(self._accounts, token)
            check_proof(self._accounts, holder.token, query.get("appsecret_proof"))
            check_scope(holder, MESSAGING)
        if number is None:
            raise Refusal(unknown_object(number_id))
        if number.token != token:
            raise Refusal(graph_error(10))
        return number

    async def _node(self, scope: Scope, receive: Receive, send: Answering, node: str, edge: str) -> None:
        call = await self._called(scope, receive, node)
        concern, waba = self._nodes.concern(node, edge)
        fault = self._control.take_fault(node, concern) if self._control.state.faults else None
        if self._control.slow and (pause_s := self._control.latency_s(node)):
            await asyncio.sleep(pause_s)
        if fault and not fault.accepts:
            await go_wrong(fault, receive, send)
            return
        if waba:
            self._usage.take(waba)
        body = orjson.dumps(await self._nodes.answer(call, edge))
        if fault:
            await go_wrong(fault, receive, send, body)
        else:
            await answer(send, 200, body, headers=self._usage.headers(waba) if waba else ())

    async def _called(self, scope: Scope, receive: Receive, node: str) -> Call:
        """Read who calls and with what; raises `Refusal`."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = query_of(scope)
        holder = holder_of(self._accounts, token_of(scope, query))
        upload = scope["path"].rstrip("/").endswith("/media")
        try:
            raw = await read_body(receive, most=MOST_BYTES["document"] + MIB if upload else MAX_BODY_BYTES)
        except BodyTooLarge:
            raise Refusal(graph_error(100, "The request body is too large.")) from None
        params = params_of(query, headers.get("content-type", ""), raw)
        if not holder.is_app:
            proof = params.get("appsecret_proof")
            check_proof(self._accounts, holder.token, None if proof is None else str(proof))
        base = f"{scope['scheme']}://{headers.get('host', '127.0.0.1')}"
        return Call(scope["method"], scope["path"], node, holder, params, base, raw, headers)

    async def _bytes(self, scope: Scope, receive: Receive, send: Answering, node: str) -> None:
        """Take a part of an upload, or give a download."""
        fault = self._control.take_fault(None, "media") if self._control.state.faults else None
        if fault and (node or not fault.accepts):
            await go_wrong(fault, receive, send)
        elif node:
            await self._nodes.uploads.serve(scope, receive, send, node)
        else:
            media = self._nodes.media.fetched(scope)
            if fault:
                await go_wrong(fault, receive, send, self._nodes.media.content(media))
            else:
                await self._nodes.media.give(media, send)
