"""`/v1/policies`: what another policy would have made of the past."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from garbo.common.business import Client
from garbo.common.events.requests import Name
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.inbound.http.auth import Auth, Refusal, read_as, read_json
from garbo.router.inbound.http.views.view import View

Simulate = Callable[[bytes], AsyncGenerator[bytes]]
"""Runs a job in a process of its own and gives its lines; closing it ends the process."""

USUAL_PERIOD: Final = timedelta(days=7)
LONGEST_PERIOD: Final = timedelta(days=92)
MOST_POLICY_CHARS: Final = 256 * 1024
ENDS: Final = frozenset({"report", "failed"})
UNFINISHED: Final = b'{"kind":"failed","detail":"the simulation ended without a report: see the log"}\n'


class SimulationAsked(BaseModel):
    """Another policy, and which part of the past to replay."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    policy: Annotated[str, Field(min_length=1, max_length=MOST_POLICY_CHARS)]
    """The policy file as it is written: YAML."""
    since: AwareDatetime | None = None
    """Requests decided from here on are compared; 7 days before `until` when absent."""
    until: AwareDatetime | None = None
    """Now when absent."""
    warm_up_s: Annotated[int, Field(ge=0, le=90 * 24 * 3600)] = 0
    """Requests of so long before `since` are replayed too: they fill caps and are not counted."""
    brand: Name | None = None
    """Compare the requests of one brand; those of others still fill the caps they share."""


class SimulationProgress(View):
    """A line on the way."""

    kind: Literal["progress"]
    done: int
    total: int
    """Requests."""


class SimulationFailed(View):
    """The last line, when there is no report."""

    kind: Literal["failed"]
    detail: str


class PolicySimulations:
    """`POST /v1/policies:simulate`: scope `simulate`; one at a time."""

    def __init__(self, *, policies: PolicyInForce, simulate: Simulate) -> None:
        self._policies, self._simulate = policies, simulate
        self._running = False

    def routes(self, door: Auth) -> list[Route]:
        """Give the routes."""
        return [door.route("POST", "/v1/policies:simulate", "simulate", self.simulate)]

    async def simulate(self, request: Request, client: Client) -> Response:
        """Replay the past; answers lines of JSON as it goes. Who hangs up ends it."""
        asked = read_as(SimulationAsked, await read_json(request), title="Not a simulation")
        if asked.brand not in (None, *client.brands):
            raise Refusal(403, "Not your brand", "The key's client does not have this brand.")
        job = _job(asked, current_version=self._policies.current.version)
        if self._running:
            raise _busy()
        self._running = True
        lines = self._simulate(job)

        async def end() -> None:
            try:
                await lines.aclose()
            finally:
                self._running = False

        try:
            first = await anext(lines, b"")
            _refuse(first)
        except BaseException:
            await end()
            raise
        return Lines(first, lines, end=end)


class Lines(Response):
    """Lines as they come, until there are no more or nobody listens."""

    media_type = "application/x-ndjson"

    def __init__(
        self, first: bytes, lines: AsyncIterator[bytes], *, end: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(None, headers={"cache-control": "no-store"})
        self._first, self._lines, self._end = first, lines, end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's form
        """Send the lines; whatever happens, what makes them is ended."""
        telling = asyncio.create_task(self._tell(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)
            await self._end()

    async def _tell(self, send: Send) -> None:
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        last = self._first
        await send({"type": "http.response.body", "body": last, "more_body": True})
        with suppress(TimeoutError):  # its time is over: it ends unfinished
            async for last in self._lines:
                await send({"type": "http.response.body", "body": last, "more_body": True})
        rest = b"" if _kind(last) in ENDS else UNFINISHED
        await send({"type": "http.response.body", "body": rest, "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _job(asked: SimulationAsked, *, current_version: str) -> bytes:
    """Write the job for the other process; raises `Refusal` when the period cannot be."""
    until = asked.until or datetime.now(UTC)
    since = asked.since or until - USUAL_PERIOD
    if not timedelta() < until - since <= LONGEST_PERIOD:
        detail = f"`since` must be before `until`, by {LONGEST_PERIOD.days} days at most."
        raise Refusal(422, "Not a period", detail, field="since")
    return orjson.dumps(
        {
            "policy": asked.policy,
            "current_version": current_version,
            "since": since,
            "until": until,
            "warm_up_s": asked.warm_up_s,
            "brand": asked.brand,
        }
    )


def _refuse(first: bytes) -> None:
    """Raise `Refusal` when the other process refused the job in its first line."""
    line = orjson.loads(first or b"{}")
    match line.get("kind"):
        case "progress" | "report":
            return
        case "refused":
            raise Refusal(422, "Not a policy", "; ".join(line["faults"]), errors=line["faults"])
        case "busy":
            raise _busy()
        case _:
            raise Refusal(503, "Not now", "The simulation could not start: try again in a minute.")


def _busy() -> Refusal:
    refusal = Refusal(429, "One at a time", "Another simulation runs: try again when it has ended.")
    refusal.answer.headers["retry-after"] = "30"
    return refusal


def _kind(line: bytes) -> str:
    return str(orjson.loads(line).get("kind"))
