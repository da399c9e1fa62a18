"""The simulator's own HTTP interface, beside the Graph API: ledger, control, customers, health."""

import asyncio
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from garbo.common.business import Business
from garbo.common.runtime.door.keyless import Keyless
from garbo.common.runtime.door.typed import number_of
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import JSONBytes, problem
from garbo.simulator.control_bodies import first_fault, json_object
from garbo.simulator.graph.api import GRAPH_PATH
from garbo.simulator.guard import Guard
from garbo.simulator.platform_interface import PlatformInterface
from garbo.simulator.population.customers import Customer
from garbo.simulator.population.writing import Writing
from garbo.simulator.world import World

MAX_ENTRIES = 10_000
QUIET_TIMEOUT_S = 30.0


def make_app(world: World, *, business: Business, keyless: Keyless) -> ASGIApp:
    """Make the ASGI application: Graph paths go straight to the Graph API, all others here, guarded."""
    interface = Interface(world)
    own = Starlette(
        routes=[
            Route("/ledger", interface.ledger),
            Route("/ledger/summary", interface.summary),
            Route("/control", interface.show_control, methods=["GET"]),
            Route("/control", interface.change_control, methods=["PATCH"]),
            Route("/control/quiet", interface.quiet, methods=["POST"]),
            *PlatformInterface(world).routes(),
            Route("/customers", interface.customers),
            Route("/customers/{phone}/messages", interface.write, methods=["POST"]),
            *health_routes(alive={"process": lambda: True}, ready={"room": lambda: world.outbox.room}),
        ]
    )

    guarded = Guard(own, business=business, keyless=keyless)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        graph = scope["type"] == "http" and GRAPH_PATH.fullmatch(scope["path"])
        await (world.graph if graph else guarded)(scope, receive, send)

    return app


class Interface:
    """The handlers, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def ledger(self, request: Request) -> Response:
        """`GET /ledger?after=SEQ&limit=N`: accepted sends as a JSON array, oldest first."""
        after = number_of(request.query_params.get("after", "0"))
        limit = number_of(request.query_params.get("limit", "1000"))
        if after is None or limit is None:
            return problem(400, "Bad query", "after and limit are whole numbers, of 15 digits at most.")
        entries = self._world.ledger.entries(after=after, limit=min(MAX_ENTRIES, limit))
        return Response(entries, media_type="application/json")

    async def summary(self, _: Request) -> Response:
        """`GET /ledger/summary`: the counts a checker compares."""
        return JSONBytes(summarize(self._world))

    async def show_control(self, _: Request) -> Response:
        """`GET /control`: how the world behaves, with what is left of each fault."""
        return JSONBytes(self._world.control.present().model_dump())

    async def change_control(self, request: Request) -> Response:
        """`PATCH /control`: merge a JSON object; 400 names the field at fault and changes nothing."""
        patch = await json_object(request)
        if patch is None:
            return problem(400, "Bad control", "The body must be a JSON object of 256 KiB at most.")
        try:
            self._world.control.change(patch)
        except ValidationError as error:
            return problem(400, "Bad control", first_fault(error))
        return await self.show_control(request)

    async def quiet(self, _: Request) -> Response:
        """`POST /control/quiet`: the population rests, all that is pending is told now; 200 when it is."""
        self._world.control.change({"population": {"on": False}})
        self._world.agenda.hurry()
        try:
            async with asyncio.timeout(QUIET_TIMEOUT_S):
                await self._world.outbox.all_delivered()
        except TimeoutError:
            pending = self._world.outbox.pending
            return problem(503, "Not quiet", "The webhook address does not take all.", pending=pending)
        return JSONBytes(summarize(self._world))

    async def customers(self, _: Request) -> Response:
        """`GET /customers`: the population."""
        return JSONBytes([_shown(customer) for customer in self._world.crowd.customers.population])

    async def write(self, request: Request) -> Response:
        """`POST /customers/{phone}/messages`: this customer writes now; 202 with the wamid."""
        try:
            said = Writing.model_validate(await json_object(request))
        except ValidationError as error:
            return problem(400, "Bad message", first_fault(error))
        phone = "+" + request.path_params["phone"].lstrip("+ ")
        if number_of(phone[1:]) is None:
            return problem(404, "No such customer", "The path wants a phone number.")
        customer = self._world.crowd.customers.at(phone)
        number = self._world.crowd.number_of(customer)
        if said.number is not None:
            chosen = self._world.accounts.numbers.get(said.number)
            if chosen is None:
                return problem(404, "No such number", "GARBO_CONFIG does not list this number.")
            number = chosen
        reply = said.reply(customer.random)
        wamid = self._world.crowd.write(customer, reply, number=number, context=said.context)
        return JSONBytes({"wamid": wamid}, status_code=202)


def summarize(world: World) -> dict[str, Any]:
    """Count everything: what was accepted, what was told, what customers wrote."""
    counts = world.outbox.counts
    return {
        "accepted": len(world.ledger),
        "unique_biz_opaque": world.ledger.unique_biz_opaque,
        "by_category": dict(world.ledger.by_category),
        "by_number": dict(world.ledger.by_number),
        "failed_later": world.network.failed_total,
        "inbound": world.crowd.inbound_total,
        "stopped_customers": sum(c.stopped for c in world.crowd.customers.population),
        "webhooks": {
            "planned": counts.planned,
            "delivered": counts.delivered,
            "pending": world.outbox.pending,
            "doubled": counts.doubled,
            "unheard": counts.unheard,
            "posts": counts.posts,
            "failed_posts": counts.failed_posts,
        },
    }


def _shown(customer: Customer) -> dict[str, Any]:
    return {
        "phone": customer.phone,
        "user_id": customer.user_id,
        "name": customer.name,
        "stopped": customer.stopped,
    }
