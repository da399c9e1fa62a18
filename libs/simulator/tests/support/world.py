"""For tests, of other services too: a small world on real sockets, and a business that hears its webhooks."""

import hmac
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from garbo.common.business import Business, Client
from garbo.common.runtime.door.hosts import AllowedHosts
from garbo.common.runtime.door.keyless import Keyless
from garbo.common.runtime.http import HttpServer
from garbo.common.runtime.lifecycle import Component
from garbo.simulator.assets.app import MetaApp
from garbo.simulator.assets.templates import Template
from garbo.simulator.control import ControlState
from garbo.simulator.graph.accounts import Accounts, SendingNumber
from garbo.simulator.interface import make_app
from garbo.simulator.world import World, WorldPlan, make_world

Json = dict[str, Any]
SECRET: Final = "app-secret-of-the-test"
KEY: Final = "key-of-the-test"
BUSINESS: Final = Business(
    brands=(),
    numbers=(),
    clients=(
        Client(
            id="reader",
            keys_sha256=(sha256(KEY.encode()).hexdigest(),),
            brands=(),
            purposes=(),
            scopes=("read",),
        ),
    ),
)
META: Final = AllowedHosts(("graph.facebook.com",))
"""Clients that think they talk to Meta name it."""
_TOKENS = ("token-1", "token-2")
NUMBER = SendingNumber(id="1001", display="+39 02 1234 5678", waba="9001", token=_TOKENS[0], rate_per_s=1000)
SLOW = SendingNumber(id="1002", display="+39 02 8765 4321", waba="9001", token=_TOKENS[1], rate_per_s=5)


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@dataclass
class Receiver:
    """The business's webhook endpoint: checks every signature, answers as told."""

    bodies: list[bytes] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """The next statuses; then always `otherwise`."""
    otherwise: int = 200
    unsigned: int = 0
    paths: list[str] = field(default_factory=list)
    """Where each POST came in."""
    verify_token: str = "token-of-the-handshake"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hear one POST, or answer the handshake."""
        request = Request(scope, receive)
        if request.method == "GET":
            right = request.query_params["hub.verify_token"] == self.verify_token
            challenge = request.query_params["hub.challenge"]
            await Response(challenge, status_code=200 if right else 403)(scope, receive, send)
            return
        self.paths.append(request.url.path)
        raw = await request.body()
        wanted = "sha256=" + hmac.new(SECRET.encode(), raw, sha256).hexdigest()
        self.unsigned += request.headers.get("x-hub-signature-256") != wanted
        self.bodies.append(raw)
        status = self.answers.pop(0) if self.answers else self.otherwise
        await Response(status_code=status)(scope, receive, send)

    def changes(self) -> list[Json]:
        """All changes heard, in order."""
        return [change for raw in self.bodies for e in orjson.loads(raw)["entry"] for change in e["changes"]]

    def values(self) -> list[dict[str, Any]]:
        """All values of all changes heard, in order."""
        return [change["value"] for change in self.changes()]

    def statuses(self) -> list[dict[str, Any]]:
        """All statuses heard, in order, doubles included."""
        return [status for value in self.values() for status in value.get("statuses", [])]

    def messages(self) -> list[dict[str, Any]]:
        """All inbound messages heard, in order, doubles included."""
        return [message for value in self.values() for message in value.get("messages", [])]


@dataclass
class Running:
    """A world that runs, and how to talk to it."""

    world: World
    url: str
    client: httpx.AsyncClient
    receiver: Receiver

    async def send(self, body: dict[str, Any], *, number: SendingNumber = NUMBER) -> httpx.Response:
        """Post a message to the Graph API."""
        headers = {"authorization": f"Bearer {number.token}"}
        return await self.client.post(f"/v25.0/{number.id}/messages", json=body, headers=headers)


CALM: Final[dict[str, Any]] = {
    "undeliverable_ratio": 0,
    "delays": {"sent_ms": 1, "delivered_ms": 2, "read_ms": 3, "reply_ms": 4},
    "webhooks": {"doubled_ratio": 0, "out_of_order_ratio": 0, "batch_ratio": 0, "retry_ms": 20},
    "population": {"on": False, "read_ratio": 1},
}
"""Nothing by chance, everything at once."""


def text(to: str, body: str = "hello", **more: object) -> dict[str, Any]:
    """Make a free-form text."""
    return {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": body}, **more}


def template(to: str, name: str = "spring_sale", *, parameters: int = 1, **more: object) -> dict[str, Any]:
    """Make a template message in English."""
    values = [{"type": "text", "text": f"value {n}"} for n in range(parameters)]
    block = {"name": name, "language": {"code": "en"}, "components": [{"type": "body", "parameters": values}]}
    return {"messaging_product": "whatsapp", "to": to, "type": "template", "template": block, **more}


def accounts(*, callback_url: str = "") -> Accounts:
    """Give two numbers and two templates."""
    return Accounts(
        app=MetaApp(secret=SECRET),
        callback_url=callback_url,
        numbers=[replace(NUMBER), replace(SLOW)],  # each world counts for itself
        templates=[
            Template("spring_sale", "en", "MARKETING", 1),
            Template("order_update", "en_US", "UTILITY", 2),
        ],
    )


@asynccontextmanager
async def running_world(
    folder: Path, control: dict[str, Any] | None = None, *, seed: str | None = None
) -> AsyncIterator[Running]:
    """Run a calm world, changed by `control`, with its ledger in `folder`, on free ports.

    With a `seed` all is drawn from it, ids too.
    """
    receiver = Receiver()
    hook_port, port = free_port(), free_port()
    plan = WorldPlan(
        accounts=accounts(callback_url=f"http://127.0.0.1:{hook_port}/webhooks/whatsapp"),
        seed=seed or "garbo",
        same_ids=seed is not None,
        customers=20,
        ledger=folder / "ledger.jsonl",
        control=ControlState.model_validate(CALM),
    )
    world = make_world(plan)
    world.control.change(control or {})
    parts: list[Component] = [
        HttpServer(receiver, host="127.0.0.1", port=hook_port),
        *world.components(),
        HttpServer(
            make_app(world, business=BUSINESS, keyless=Keyless("loopback")),
            host="127.0.0.1",
            port=port,
            hosts=META,
        ),
    ]
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        for part in parts:
            stack.push_async_callback(part.stop)
            await part.start()
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=10))
        yield Running(world, url, client, receiver)


async def graph(
    running: Running,
    method: str,
    path: str,
    *,
    token: str = NUMBER.token,
    params: dict[str, str] | None = None,
    json: Json | None = None,
) -> Json:
    """Ask the Graph API; the answer's JSON with its HTTP status under `http`."""
    headers = {"authorization": f"Bearer {token}"}
    url = f"/v25.0/{path}"
    answer = await running.client.request(method, url, headers=headers, params=params, json=json)
    shown: Json = answer.json()
    return shown | {"http": answer.status_code}
