"""Normal traffic through all four processes, of careful clients and the platform: again until it is taken."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import orjson

from garbo.cli.up.environment import DEMO_KEYS
from tests.chaos.installation import Installation, with_the_platform
from tests.e2e.stack import NUMBER

SECRET: Final = "chaos-app-secret"
AGAIN_S: Final = 0.5
ANSWER_S: Final = 20.0
AT_ONCE: Final = 80
"""Below what httpx connects at once: it looks through all that wait each time."""
FOUR: Final = ("ingest", "router", "sender", "analytics")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was answered 202."""

    message_id: UUID
    promo: bool
    asked_at: datetime
    """When it was first sent."""


@dataclass
class Traffic:
    """Promos, utility messages, inbound messages and STOPs, so many a second, to people of its own."""

    installation: Installation
    people: Sequence[str]
    """Who has opted in."""
    rate_per_s: float = 20.0
    asked: list[Asked] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    """Whose STOP was answered 200."""
    refusals: int = 0
    """Answers and broken connections after which it was sent again."""
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _numbers: "count[int]" = field(default_factory=count)

    async def flow(self, over: asyncio.Event) -> None:
        """Let it flow until told; return when all that was begun has been taken."""
        async with (
            httpx.AsyncClient(timeout=ANSWER_S, verify=False) as client,
            asyncio.TaskGroup() as group,
        ):
            began, sent = time.monotonic(), 0
            while not over.is_set():
                while sent < (time.monotonic() - began) * self.rate_per_s:
                    group.create_task(self._one(client, next(self._numbers)))
                    sent += 1
                await asyncio.sleep(0.02)

    async def _one(self, client: httpx.AsyncClient, number: int) -> None:
        """Every tenth is a STOP, every tenth another message of a person, a third utility."""
        match number % 10:
            case 0:
                phone = self.people[(number // 10) % (len(self.people) // 2)]
                await self._webhook(client, phone, "STOP")
                self.stopped.append(phone)
            case 5:
                await self._webhook(client, self.people[-1 - number % (len(self.people) // 2)], "Buongiorno")
            case _:
                await self._request(client, number)

    async def _request(self, client: httpx.AsyncClient, number: int) -> None:
        promo = number % 3 != 0
        template: dict[str, Any] = {
            "name": "summer_sale" if promo else "order_update",
            "language": {"code": "it"},
        }
        if not promo:
            template["components"] = [{"type": "body", "parameters": [{"type": "text", "text": "A-1"}]}]
        body = {
            "request_id": str(uuid4()),
            "brand": "acme",
            "to": {"phone": self.people[number * 7919 % len(self.people)]},
            "purpose": "promo" if promo else "utility",
            "content": {"type": "template", "template": template},
        }
        headers = {"Authorization": f"Bearer {DEMO_KEYS['shop']}", "Content-Type": "application/json"}
        asked_at, answer = await self._until_taken(
            client, "/v1/messages", orjson.dumps(body), headers, taken=202
        )
        (made,) = answer.json()["messages"]
        self.asked.append(Asked(UUID(made["message_id"]), promo, asked_at))

    async def _webhook(self, client: httpx.AsyncClient, phone: str, text: str) -> None:
        body = orjson.dumps(inbound(phone, text))
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"}
        await self._until_taken(client, "/webhooks/whatsapp", body, headers, taken=200)

    async def _until_taken(
        self, client: httpx.AsyncClient, path: str, body: bytes, headers: dict[str, str], *, taken: int
    ) -> tuple[datetime, httpx.Response]:
        """Give when it was first sent, and the answer."""
        url, first_at = self.installation.processes["ingest"].url + path, None
        while True:
            async with self._turns:
                first_at = first_at or datetime.now(UTC)
                try:
                    answer = await client.post(url, content=body, headers=headers)
                except httpx.TransportError:
                    answer = None
            if answer is not None and answer.status_code == taken:
                return first_at, answer
            if answer is not None and not _is_to_be_sent_again(answer.status_code):
                raise AssertionError(f"{path}: {answer.status_code} {answer.text[:400]}")
            self.refusals += 1
            await asyncio.sleep(AGAIN_S)


def inbound(phone: str, text: str) -> dict[str, Any]:
    """Make a webhook's body of one message."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "390255550100", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Zoe"}, "wa_id": phone.lstrip("+")}],
        "messages": [
            {
                "from": phone.lstrip("+"),
                "id": f"wamid.{uuid4().hex}",
                "timestamp": str(int(time.time())),
                "type": "text",
                "text": {"body": text},
            }
        ],
    }
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def all_four(installation: Installation) -> None:
    """Start the platform, ingest, sender, router and analytics."""
    with_the_platform(installation)
    for name in ("router", "analytics"):
        installation.add(name, f"garbo.{name}").wait_ready()


def pids(installation: Installation) -> dict[str, int | None]:
    """Give the four processes by their ids; None for one that has ended."""
    children = {name: installation.processes[name].child for name in FOUR}
    return {name: child.pid if child and child.poll() is None else None for name, child in children.items()}


def _is_to_be_sent_again(status: int) -> bool:
    """Whether the answer says so: of who was too slow nothing was taken. A machine may stall for 10 s."""
    return status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT
